#include "common/recipe/image_list.h"

#include "common/base/buf.h"
#include "common/json/scan.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && is_space(**text)) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && is_space((*text)[*len - 1]))
        (*len)--;
}

struct image_list image_list_begin(const char *text, size_t len)
{
    struct image_list list = {.text = text, .len = len};
    struct json_value value;

    trim(&list.text, &list.len);
    list.array =
        list.len > 0 && json_scan(list.text, list.len, &value, NULL) && value.kind == JSON_ARRAY;
    if (list.array)
        list.iter = json_iter_begin(&value);
    return list;
}

/* The text of one element into @out; false when it is blank. */
static bool take(const struct json_value *value, struct buf *out)
{
    size_t len = value->len;

    if (!buf_reserve(out, len + 1))
        return false;
    if (value->kind != JSON_STRING)
        return buf_append(out, value->text, len);
    if (!json_string_decode(value, out->data, out->cap, &len))
        return false;
    out->len = len;

    const char *text = out->data;
    trim(&text, &len);
    buf_consume(out, (size_t)(text - out->data));
    out->len = len;
    out->data[len] = '\0';
    return len > 0;
}

bool image_list_next(struct image_list *list, struct buf *out)
{
    struct json_value value;

    buf_clear(out);
    while (list->array && json_iter_next(&list->iter, NULL, &value)) {
        if (take(&value, out))
            return true;
        buf_clear(out);
    }
    if (list->array || list->len == 0)
        return false;
    bool ok = buf_append(out, list->text, list->len);
    list->len = 0;
    return ok;
}
