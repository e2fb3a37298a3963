#include "common/recipe/json_compact.h"

#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"

size_t json_unit(const char **p, const char *end, char out[4])
{
    if (**p == '\\')
        return json_escape_decode(p, end, out);
    out[0] = *(*p)++;
    return 1;
}

/* One escape at *@p, which moves behind it: as a character where it can stand for itself. */
static char *put_escape(char *to, const char **p, const char *end)
{
    const char *start = *p;
    char unit[4];
    size_t n = json_unit(p, end, unit);
    bool needed = n == 1 && ((unsigned char)unit[0] < 0x20 || unit[0] == '"' || unit[0] == '\\');
    const char *from = needed ? start : unit;

    if (needed)
        n = (size_t)(*p - start);
    memcpy(to, from, n);
    return to + n;
}

/* The string at *@p, which moves behind its closing quote. */
static char *put_string(char *to, const char **p, const char *end)
{
    *to++ = *(*p)++;
    while (**p != '"') {
        if (**p == '\\')
            to = put_escape(to, p, end);
        else
            *to++ = *(*p)++;
    }
    *to++ = *(*p)++;
    return to;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool json_compact(struct buf *out, const struct json_value *value)
{
    if (value->kind == JSON_ABSENT)
        return true;
    if (!buf_reserve(out, value->len))
        return false;

    const char *p = value->text;
    const char *end = p + value->len;
    char *to = out->data + out->len;

    while (p < end) {
        if (*p == '"')
            to = put_string(to, &p, end);
        else if (is_space(*p))
            p++;
        else
            *to++ = *p++;
    }
    *to = '\0';
    out->len = (size_t)(to - out->data);
    return true;
}
