#include "common/recipe/json_compact.h"

#include <stdint.h>
#include <string.h>

#include "common/base/buf.h"

static unsigned hex_value(char c)
{
    if (c <= '9')
        return (unsigned)(c - '0');
    return (unsigned)((c | 0x20) - 'a' + 10);
}

/* The four digits of "\uXXXX" at @p. */
static uint32_t hex4(const char *p)
{
    return hex_value(p[2]) << 12 | hex_value(p[3]) << 8 | hex_value(p[4]) << 4 | hex_value(p[5]);
}

static size_t put_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }

    size_t n = 2;
    uint32_t lead = 0xC0;

    if (code >= 0x800) {
        n = code < 0x10000 ? 3 : 4;
        lead = code < 0x10000 ? 0xE0 : 0xF0;
    }
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(lead | code);
    return n;
}

/* The code point of the "\u" escape at *@p, which moves behind it; a pair is one. */
static uint32_t take_unicode(const char **p, const char *end)
{
    uint32_t code = hex4(*p);

    *p += 6;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    if (code < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        uint32_t low = hex4(*p);

        if (low >= 0xDC00 && low <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

size_t json_unit(const char **p, const char *end, char out[4])
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";

    out[0] = **p;
    if (**p != '\\') {
        ++*p;
        return 1;
    }

    char c = (*p)[1];

    if (c == 'u')
        return put_utf8(take_unicode(p, end), out);
    *p += 2;

    const char *known = strchr(from, c);

    out[0] = c;
    if (known != NULL)
        out[0] = to[known - from];
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
