/* Strings of the scanner: decoding, comparing, encoding. */
#include <string.h>

#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/json/scan_text.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

static unsigned hex_value(char c)
{
    if (c <= '9')
        return (unsigned)(c - '0');
    return (unsigned)((c | 0x20) - 'a' + 10);
}

/* The four digits of "\uXXXX" at @p. */
static unsigned hex4(const char *p)
{
    return hex_value(p[2]) << 12 | hex_value(p[3]) << 8 | hex_value(p[4]) << 4 | hex_value(p[5]);
}

static size_t put_utf8(unsigned code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* The code point of the "\u" escape at *@p, which moves behind it; a pair is one. */
static unsigned take_unicode(const char **p, const char *end)
{
    unsigned code = hex4(*p);

    *p += 6;
    if (code < 0xD800 || code > 0xDFFF)
        return code;
    if (code < 0xDC00 && end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u') {
        unsigned low = hex4(*p);

        if (low >= 0xDC00 && low <= 0xDFFF) {
            *p += 6;
            return 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
    }
    return 0xFFFD;
}

size_t json_escape_decode(const char **p, const char *end, char out[4])
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
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

/* The most bytes of the @len at @p, at most @room, that end between two characters. */
static size_t whole_characters(const char *p, size_t len, size_t room)
{
    if (len <= room)
        return len;
    while (room > 0 && scan_within(p[room], 0x80, 0xBF))
        room--;
    return room;
}

/* Decode what fits in @cap with a NUL behind it; false when not everything did. */
static bool decode(const struct json_value *value, bool readable, char *out, size_t cap,
                   size_t *len)
{
    const char *p = value->text + 1;
    const char *end = value->text + value->len - 1;
    size_t room = cap - 1;
    size_t used = 0;
    bool fits = true;

    while (p < end && fits) {
        const char *run = memchr(p, '\\', (size_t)(end - p));
        char decoded[4];
        const char *from = p;
        size_t n = 0;
        size_t keep = 0;

        if (run == p) {
            from = decoded;
            n = json_escape_decode(&p, end, decoded);
            if (readable && n == 1 && decoded[0] == '\0')
                n = put_utf8(0xFFFD, decoded);
            keep = n <= room - used ? n : 0;
        } else {
            n = (size_t)((run != NULL ? run : end) - p);
            keep = whole_characters(p, n, room - used);
            p += n;
        }
        memcpy(out + used, from, keep);
        used += keep;
        fits = keep == n;
    }
    out[used] = '\0';
    *len = used;
    return fits;
}

bool json_string_decode(const struct json_value *value, char *out, size_t cap, size_t *len)
{
    size_t used = 0;

    if (value->kind != JSON_STRING || cap == 0 || !decode(value, false, out, cap, &used))
        return false;
    if (len != NULL)
        *len = used;
    return true;
}

size_t json_string_decode_cut(const struct json_value *value, char *out, size_t cap)
{
    size_t used = 0;

    out[0] = '\0';
    if (value->kind == JSON_STRING)
        (void)decode(value, true, out, cap, &used);
    return used;
}

bool scan_escaped_equals(const char *p, size_t len, const char *name)
{
    const char *end = p + len;

    while (p < end) {
        char decoded[4] = {*p};
        size_t n = 1;

        if (*p == '\\')
            n = json_escape_decode(&p, end, decoded);
        else
            p++;
        for (size_t i = 0; i < n; i++, name++)
            if (*name == '\0' || *name != decoded[i])
                return false;
    }
    return *name == '\0';
}

bool json_string_equals(const struct json_value *value, const char *text)
{
    if (value->kind != JSON_STRING)
        return false;

    const char *p = value->text + 1;
    size_t len = value->len - 2;

    return scan_name_equals(p, len, memchr(p, '\\', len) != NULL, text);
}

/* One character that cannot stay as it is. */
static bool encode_special(struct buf *out, char c)
{
    switch (c) {
    case '"': return buf_append(out, "\\\"", 2);
    case '\\': return buf_append(out, "\\\\", 2);
    case '\n': return buf_append(out, "\\n", 2);
    case '\r': return buf_append(out, "\\r", 2);
    case '\t': return buf_append(out, "\\t", 2);
    default: break;
    }
    if (scan_within(c, 0, 0x1F))
        return buf_printf(out, "\\u%04x", (unsigned)c);
    return buf_append(out, replacement, 3);
}

static bool encode_inside(struct buf *out, const char *p, const char *end)
{
    while (p < end) {
        const char *start = p;
        size_t n = 1;

        while (n != 0 && (p = scan_plain(p, end)) < end && (unsigned char)*p >= 0x80) {
            n = scan_utf8_length(p, end);
            p += n;
        }
        if (!buf_append(out, start, (size_t)(p - start)))
            return false;
        if (p < end && !encode_special(out, *p++))
            return false;
    }
    return true;
}

bool json_string_encode(struct buf *out, const char *text, size_t len)
{
    size_t before = out->len;

    if (len == 0)
        text = "";
    if (buf_append(out, "\"", 1) && encode_inside(out, text, text + len) &&
        buf_append(out, "\"", 1))
        return true;
    if (out->data != NULL) {
        out->len = before;
        out->data[before] = '\0';
    }
    return false;
}
