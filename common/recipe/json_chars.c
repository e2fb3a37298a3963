#include "common/recipe/json_chars.h"

#include "common/json/scan.h"

struct json_chars json_chars_begin(const struct json_value *string)
{
    return (struct json_chars){string->text + 1, string->text + string->len - 1};
}

static uint32_t hex(char c)
{
    if (c <= '9')
        return (uint32_t)(c - '0');
    return ((uint32_t)c | 0x20) - 'a' + 10;
}

/* The number of "\uXXXX" at @p. */
static uint32_t unit(const char *p)
{
    return hex(p[2]) << 12 | hex(p[3]) << 8 | hex(p[4]) << 4 | hex(p[5]);
}

static uint32_t take_unicode(struct json_chars *chars)
{
    uint32_t c = unit(chars->p);

    chars->p += 6;
    if (c < 0xD800 || c > 0xDBFF || chars->end - chars->p < 6 || chars->p[0] != '\\' ||
        chars->p[1] != 'u')
        return c;

    uint32_t low = unit(chars->p);

    if (low < 0xDC00 || low > 0xDFFF)
        return c;
    chars->p += 6;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

static uint32_t take_escape(struct json_chars *chars)
{
    char c = chars->p[1];

    if (c == 'u')
        return take_unicode(chars);
    chars->p += 2;
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return (unsigned char)c;
    }
}

bool json_chars_next(struct json_chars *chars, uint32_t *c)
{
    if (chars->p >= chars->end)
        return false;

    uint32_t lead = (unsigned char)*chars->p;

    if (lead == '\\') {
        *c = take_escape(chars);
        return true;
    }

    unsigned more = lead < 0x80 ? 0 : (lead >= 0xF0 ? 3 : (lead >= 0xE0 ? 2 : 1));

    chars->p++;
    if (more > 0)
        lead &= 0x3FU >> more;
    for (; more > 0; more--)
        lead = lead << 6 | ((unsigned char)*chars->p++ & 0x3FU);
    *c = lead;
    return true;
}

size_t json_chars_count(const struct json_value *string)
{
    struct json_chars chars = json_chars_begin(string);
    uint32_t c = 0;
    size_t n = 0;

    while (json_chars_next(&chars, &c))
        n++;
    return n;
}
