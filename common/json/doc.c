#include "common/json/doc.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

/* json-c counts a level for the innermost value too, and stops one early. */
enum { TOKENER_DEPTH = JSON_DEPTH_MAX + 2, NAME_MAX_BYTES = 128 };

bool doc_parse(const char *text, size_t len, struct json_object **out, struct err *err)
{
    struct json_tokener *tokener = NULL;
    struct json_object *doc = NULL;
    struct json_value root;
    struct json_error where;
    enum json_tokener_error failure = json_tokener_success;

    /* json-c lets much pass that is not JSON, and says little; so our scanner looks first. */
    if (!json_scan(text, len, &root, &where))
        return err_set(err, ERR_PERMANENT, "not valid JSON at byte %zu: %s", where.offset + 1,
                       where.what);
    if (root.len >= INT_MAX)
        return err_set(err, ERR_PERMANENT, "a JSON document of %zu bytes is too large", root.len);
    if (root.kind == JSON_NULL)
        return err_set(err, ERR_PERMANENT, "the JSON document is null");
    tokener = json_tokener_new_ex(TOKENER_DEPTH);
    if (tokener == NULL)
        return err_set(err, ERR_PERMANENT, "no memory for a JSON document");
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
    doc = json_tokener_parse_ex(tokener, root.text, (int)root.len);
    failure = json_tokener_get_error(tokener);
    if (failure == json_tokener_continue) { /* a number or a word ends with what follows it */
        doc = json_tokener_parse_ex(tokener, " ", 1);
        failure = json_tokener_get_error(tokener);
    }
    json_tokener_free(tokener);
    if (doc == NULL)
        return err_set(err, ERR_PERMANENT, "not valid JSON: %s", json_tokener_error_desc(failure));
    *out = doc;
    return true;
}

void doc_free(struct json_object *doc)
{
    json_object_put(doc);
}

/* One step down. False when there is no such member; *@next may be NULL for null. */
static bool step(const struct json_object *obj, const char *name, size_t len,
                 struct json_object **next)
{
    char copy[NAME_MAX_BYTES + 1];

    if (len > NAME_MAX_BYTES || !json_object_is_type(obj, json_type_object))
        return false;
    memcpy(copy, name, len);
    copy[len] = '\0';
    return json_object_object_get_ex(obj, copy, next);
}

/* json-c's own functions want an object that is not const even to read it. */
static bool find(const struct json_object *obj, const char *path, struct json_object **out)
{
    const union {
        const struct json_object *given; /* cppcheck-suppress unusedStructMember */
        struct json_object *usable;
    } same = {.given = obj};

    *out = same.usable;
    if (path == NULL)
        return true;
    while (path != NULL) {
        const char *dot = strchr(path, '.');
        size_t len = dot != NULL ? (size_t)(dot - path) : strlen(path);

        if (!step(*out, path, len, out))
            return false;
        path = dot != NULL ? dot + 1 : NULL;
    }
    return true;
}

enum json_kind doc_kind(const struct json_object *obj, const char *path)
{
    struct json_object *value = NULL;

    if (obj == NULL || !find(obj, path, &value))
        return JSON_ABSENT;
    switch (json_object_get_type(value)) {
    case json_type_null: return JSON_NULL;
    case json_type_boolean: return JSON_BOOL;
    case json_type_int:
    case json_type_double: return JSON_NUMBER;
    case json_type_string: return JSON_STRING;
    case json_type_array: return JSON_ARRAY;
    case json_type_object: return JSON_OBJECT;
    }
    return JSON_ABSENT;
}

struct json_object *doc_member(const struct json_object *obj, const char *path)
{
    struct json_object *value = NULL;

    return obj != NULL && find(obj, path, &value) ? value : NULL;
}

/* The value at @path if it is of @type, else NULL. */
static struct json_object *typed(const struct json_object *obj, const char *path,
                                 enum json_type type)
{
    struct json_object *value = doc_member(obj, path);

    return value != NULL && json_object_is_type(value, type) ? value : NULL;
}

const char *doc_string_or_empty(const struct json_object *obj, const char *path)
{
    struct json_object *value = typed(obj, path, json_type_string);

    return value != NULL ? json_object_get_string(value) : NULL;
}

const char *doc_string(const struct json_object *obj, const char *path)
{
    const char *text = doc_string_or_empty(obj, path);

    return text != NULL && text[0] != '\0' ? text : NULL;
}

int64_t doc_int(const struct json_object *obj, const char *path, int64_t preset)
{
    struct json_object *value = typed(obj, path, json_type_int);

    if (value == NULL)
        return preset;

    int64_t n = json_object_get_int64(value);

    /* json-c clamps what does not fit. */
    return n == INT64_MAX || n == INT64_MIN ? preset : n;
}

double doc_real(const struct json_object *obj, const char *path, double preset)
{
    struct json_object *value = typed(obj, path, json_type_double);

    if (value == NULL)
        value = typed(obj, path, json_type_int);
    return value != NULL ? json_object_get_double(value) : preset;
}

bool doc_bool(const struct json_object *obj, const char *path, bool preset)
{
    struct json_object *value = typed(obj, path, json_type_boolean);

    return value != NULL ? json_object_get_boolean(value) != 0 : preset;
}

size_t doc_count(const struct json_object *obj, const char *path)
{
    struct json_object *value = typed(obj, path, json_type_array);

    return value != NULL ? json_object_array_length(value) : 0;
}

struct json_object *doc_at(const struct json_object *obj, const char *path, size_t i)
{
    struct json_object *value = typed(obj, path, json_type_array);

    return value != NULL && i < json_object_array_length(value)
               ? json_object_array_get_idx(value, i)
               : NULL;
}

const char *doc_text(struct json_object *obj, const char *path)
{
    struct json_object *value = doc_member(obj, path);

    return value != NULL ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                     JSON_C_TO_STRING_NOSLASHESCAPE)
                         : NULL;
}
