#include "common/recipe/json_path.h"

#include <stdio.h>

#include "common/base/buf.h"
#include "common/json/scan.h"

/* NOLINTBEGIN(misc-no-recursion): as deep as JSON, up to JSON_DEPTH_MAX */
static bool write_path(struct buf *out, const struct json_path *path)
{
    char name[64];
    const char *word = path->word;

    if (path->up == NULL)
        return true;
    if (!write_path(out, path->up))
        return false;
    if (path->name != NULL) {
        (void)json_string_decode_cut(path->name, name, sizeof(name));
        word = name;
    }
    if (word == NULL)
        return buf_printf(out, "[%zu]", path->index);
    return buf_printf(out, "%s%s", out->len > 0 ? "." : "", word);
}

/* NOLINTEND(misc-no-recursion) */

bool json_path_fail(const struct json_path *path, char why[WHY_MAX], const char *words)
{
    struct buf text = BUF_INIT(120);
    const char *more = "";

    if (why == NULL)
        return false;
    if (!write_path(&text, path))
        more = "..."; /* too deep to say */
    if (text.len > 0)
        (void)why_set(why, "%s%s: %s", text.data, more, words);
    else
        (void)why_set(why, "%s", words);
    buf_release(&text);
    return false;
}

const char *json_show(const struct json_value *value, char out[JSON_SHOWN_MAX])
{
    char text[48];

    switch (value->kind) {
    case JSON_ARRAY: return "an array";
    case JSON_OBJECT: return "an object";
    case JSON_ABSENT: return "nothing";
    case JSON_STRING:
        (void)json_string_decode_cut(value, text, sizeof(text));
        (void)snprintf(out, JSON_SHOWN_MAX, "a string (\"%s\")", text);
        return out;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER: break;
    }
    (void)snprintf(out, JSON_SHOWN_MAX, "%.*s", value->len < 48 ? (int)value->len : 48,
                   value->text);
    return out;
}

bool json_path_fail_got(const struct json_path *path, char why[WHY_MAX], const char *expected,
                        const struct json_value *value)
{
    char shown[JSON_SHOWN_MAX];
    char words[WHY_MAX];

    if (why == NULL)
        return false;
    (void)why_set(words, "%s, got %s", expected, json_show(value, shown));
    return json_path_fail(path, why, words);
}
