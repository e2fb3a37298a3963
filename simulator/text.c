#include "simulator/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "simulator/utf8.h"

static void reserve(struct buf *b, size_t more)
{
    if (!buf_reserve(b, more))
        log_fatal("text passes its limit of %zu bytes", b->max);
}

void text_bytes(struct buf *b, const void *bytes, size_t len)
{
    reserve(b, len);
    if (len != 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void text_put(struct buf *b, const char *s)
{
    text_bytes(b, s, strlen(s));
}

void text_f(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        log_fatal("cannot format text");
    reserve(b, (size_t)n);
    va_start(ap, fmt);
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

void text_u64(struct buf *b, uint64_t number)
{
    char digits[20];
    size_t n = sizeof(digits);

    do {
        digits[--n] = (char)('0' + (char)(number % 10));
        number /= 10;
    } while (number != 0);
    text_bytes(b, digits + n, sizeof(digits) - n);
}

void text_hex(struct buf *b, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    reserve(b, 2 * len);
    char *out = b->data + b->len;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
    b->len += 2 * len;
}

void text_string(struct buf *b, const char *s)
{
    const char *end = s + strlen(s);

    text_put(b, "\"");
    while (s < end) {
        size_t n = utf8_len(s, end);
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            text_f(b, "\\%c", c);
        else if (c < 0x20)
            text_f(b, "\\u%04x", c);
        else
            text_bytes(b, n == 0 ? "?" : s, n == 0 ? 1 : n);
        s += n == 0 ? 1 : n;
    }
    text_put(b, "\"");
}

void text_string_or_null(struct buf *b, const char *s)
{
    if (s == NULL)
        text_put(b, "null");
    else
        text_string(b, s);
}
