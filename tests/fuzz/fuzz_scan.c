/*
 * The scanner against json-c in strict mode: what is JSON for one is JSON for the
 * other, but for what json-c is known to let pass; and all values are the same.
 */
#include "tests/fuzz/fuzz.h"

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"

static struct json_object *jsonc_parse(const char *text, size_t len, bool *ok)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
    struct json_object *doc = NULL;

    FUZZ_CHECK(tokener != NULL);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    doc = json_tokener_parse_ex(tokener, text, (int)len);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        doc = json_tokener_parse_ex(tokener, " ", 1);
    *ok = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    return doc;
}

/*
 * Control characters in strings, some overlong UTF-8, "1.", "01", NaN and Infinity; of json-c's own
 * limit of depth the scanner's is the stricter one; NUL ends a text for json-c.
 */
static bool is_known_leniency(const char *text, size_t len, const struct json_error *error)
{
    const char *at = text + error->offset;

    if (strcmp(error->what, "a control character in a string") == 0 ||
        strcmp(error->what, "invalid UTF-8") == 0 || strcmp(error->what, "expected a digit") == 0 ||
        strcmp(error->what, "nested too deeply") == 0 || memchr(text, '\0', len) != NULL)
        return true;
    if (error->offset < len && (*at == 'N' || *at == 'I'))
        return true;
    return error->offset > 0 && error->offset < len && at[-1] == '0' && *at >= '0' && *at <= '9';
}

/* Decode a string, encode it, decode that: the same. */
static void check_string(const struct json_value *value)
{
    struct buf encoded = BUF_INIT(value->len * 6 + 16);
    size_t len = 0;
    size_t again_len = 0;
    char *text = xcalloc(value->len + 1, 1);
    char *again = xcalloc(value->len + 1, 1);
    struct json_value root;

    FUZZ_CHECK(json_string_decode(value, text, value->len + 1, &len));
    FUZZ_CHECK(json_string_encode(&encoded, text, len));
    FUZZ_CHECK(json_scan(encoded.data, encoded.len, &root, NULL));
    FUZZ_CHECK(json_string_decode(&root, again, value->len + 1, &again_len));
    FUZZ_CHECK(again_len == len && memcmp(text, again, len) == 0);
    FUZZ_CHECK(json_string_equals(value, text) == (strlen(text) == len));
    FUZZ_CHECK(json_string_decode_cut(value, again, value->len / 2 + 1) <= value->len / 2);
    free(text);
    free(again);
    buf_release(&encoded);
}

static void check_same_string(const struct json_value *value, struct json_object *theirs)
{
    size_t len = 0;
    char *text = xcalloc(value->len + 1, 1);

    FUZZ_CHECK(json_object_is_type(theirs, json_type_string));
    FUZZ_CHECK(json_string_decode(value, text, value->len + 1, &len));
    FUZZ_CHECK((size_t)json_object_get_string_len(theirs) == len);
    FUZZ_CHECK(memcmp(json_object_get_string(theirs), text, len) == 0);
    free(text);
}

static void check_same(const struct json_value *value, struct json_object *theirs, bool strings);

static void check_same_member(const struct json_value *object, const struct json_value *name,
                              struct json_object *theirs, bool strings)
{
    size_t len = 0;
    char *text = xcalloc(name->len + 1, 1);

    check_string(name);
    FUZZ_CHECK(json_string_decode(name, text, name->len + 1, &len));
    if (strlen(text) == len && strings) {
        struct json_value last = json_member(object, text);
        struct json_object *other = NULL;

        FUZZ_CHECK(last.kind != JSON_ABSENT);
        FUZZ_CHECK(json_object_object_get_ex(theirs, text, &other));
        check_same(&last, other, strings);
    }
    free(text);
}

/* @strings: no lone surrogate can make json-c decode otherwise. Depth is bounded by the scanner. */
static void check_same(const struct json_value *value, struct json_object *theirs, bool strings)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value name;
    struct json_value element;
    int64_t n = 0;
    size_t count = 0;

    if (value->kind == JSON_STRING) {
        check_string(value);
        if (strings)
            check_same_string(value, theirs);
    }
    FUZZ_CHECK(json_is_null(value) == (theirs == NULL));
    if (json_to_int64(value, &n) && n != 0)
        FUZZ_CHECK(json_object_is_type(theirs, json_type_int) &&
                   json_object_get_int64(theirs) == n);
    for (; json_iter_next(&it, &name, &element); count++) {
        if (value->kind == JSON_ARRAY)
            check_same(&element, json_object_array_get_idx(theirs, count), strings);
        else
            check_same_member(value, &name, theirs, strings);
    }
    if (value->kind == JSON_ARRAY)
        FUZZ_CHECK(json_object_array_length(theirs) == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"a", "body"};
    const char *text = (const char *)data;
    struct json_value root;
    struct json_value found[2];
    struct json_error error;
    bool theirs = false;
    struct json_object *doc = jsonc_parse(text, size, &theirs);
    bool ours = json_scan(text, size, &root, &error);

    if (ours) {
        bool strings =
            memmem(text, size, "\\ud", 3) == NULL && memmem(text, size, "\\uD", 3) == NULL;

        FUZZ_CHECK(theirs);
        if (size < 4096) /* repeated names make the walk quadratic */
            check_same(&root, doc, strings);
    } else {
        FUZZ_CHECK(error.offset <= size);
        FUZZ_CHECK(!theirs || is_known_leniency(text, size, &error));
    }
    FUZZ_CHECK(json_scan_object(text, size, names, 2, found, NULL) ==
               (ours && root.kind == JSON_OBJECT));
    if (ours && root.kind == JSON_OBJECT) {
        struct json_value again[2];

        json_members(&root, names, 2, again);
        for (int i = 0; i < 2; i++)
            FUZZ_CHECK(found[i].kind == again[i].kind && found[i].text == again[i].text &&
                       found[i].len == again[i].len);
    }
    json_object_put(doc);
    return 0;
}
