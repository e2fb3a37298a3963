#include "simulator/record.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/text.h"

static const void *member_in(const void *object, const struct record_field *f)
{
    return (const char *)object + f->offset;
}

static void *member_of(void *object, const struct record_field *f)
{
    return (char *)object + f->offset;
}

void record_write(const struct record_field *fields, size_t count, const void *object,
                  struct buf *out)
{
    text_f(out, "{\"version\":%d", RECORD_VERSION);
    for (size_t i = 0; i < count; i++) {
        const void *member = member_in(object, &fields[i]);

        text_f(out, ",\"%s\":", fields[i].name);
        switch (fields[i].kind) {
        case RECORD_TEXT: text_string_or_null(out, *(char *const *)member); break;
        case RECORD_NUMBER: text_f(out, "%" PRId64, *(const int64_t *)member); break;
        case RECORD_FLAG: text_put(out, *(const bool *)member ? "true" : "false"); break;
        }
    }
    text_put(out, "}\n");
}

static void read_member(const struct record_field *f, struct json_object *value, void *object)
{
    void *member = member_of(object, f);

    switch (f->kind) {
    case RECORD_TEXT:
        *(char **)member = value == NULL ? NULL : xstrdup(json_object_get_string(value));
        break;
    case RECORD_NUMBER: *(int64_t *)member = json_object_get_int64(value); break;
    case RECORD_FLAG: *(bool *)member = json_object_get_boolean(value); break;
    }
}

bool record_read(const struct record_field *fields, size_t count, const char *path, void *object,
                 struct err *err)
{
    struct json_object *root = json_object_from_file(path);
    struct json_object *value;

    if (root == NULL)
        return err_set(err, ERR_PERMANENT, "%s: not a JSON document", path);
    if (!json_object_object_get_ex(root, "version", &value) ||
        json_object_get_int64(value) != RECORD_VERSION) {
        json_object_put(root);
        return err_set(err, ERR_PERMANENT, "%s: written by another version", path);
    }
    for (size_t i = 0; i < count; i++) {
        if (json_object_object_get_ex(root, fields[i].name, &value))
            read_member(&fields[i], value, object);
    }
    json_object_put(root);
    return true;
}

void record_release(const struct record_field *fields, size_t count, void *object)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].kind == RECORD_TEXT) {
            char **text = member_of(object, &fields[i]);
            free(*text);
            *text = NULL;
        }
    }
}
