#include "common/provider/pick.h"

#include <string.h>

#include "common/base/units.h"

/* Doubles above 2^53 are no counts of anything. */
#define TOO_LARGE 9e15

void pick_cut(char *out, size_t size, const char *text, size_t len)
{
    size_t n = len;

    if (len >= size) {
        n = size - 1;
        /* Never within a character of UTF-8: its later bytes are 10xxxxxx. */
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): @size is never 0 */
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

static const char *as_text(struct json_object *obj, const char *path)
{
    const char *text =
        doc_kind(obj, path) == JSON_NUMBER ? doc_text(obj, path) : doc_string(obj, path);

    return text != NULL ? text : "";
}

bool pick_text(struct json_object *obj, const char *path, char *out, size_t size)
{
    const char *text = as_text(obj, path);

    pick_cut(out, size, text, strlen(text));
    return out[0] != '\0';
}

bool pick_id(struct json_object *obj, const char *path, char *out, size_t size)
{
    const char *text = as_text(obj, path);

    out[0] = '\0';
    if (strlen(text) >= size)
        return false;
    memcpy(out, text, strlen(text) + 1);
    return out[0] != '\0';
}

bool pick_number(struct json_object *obj, const char *path, int64_t *out)
{
    const char *text = doc_string(obj, path);
    int64_t whole = doc_int(obj, path, INT64_MIN);
    double number = doc_real(obj, path, TOO_LARGE);

    if (text != NULL)
        return units_parse_count(text, out, NULL);
    if (whole == INT64_MIN) {
        if (!(number > -TOO_LARGE && number < TOO_LARGE))
            return false;
        whole = (int64_t)number;
    }
    *out = whole;
    return true;
}
