#include "cli/core/json_put.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void json_put_raw(struct buf *out, const char *text)
{
    if (!buf_append(out, text, strlen(text)))
        return;
}

void json_put_raw_fmt(struct buf *out, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_put_raw(out, text);
}

void json_put_clean(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char b = (unsigned char)*text;
        bool moves = b < 0x20 || b == 0x7f;

        if (!buf_append(out, moves ? "?" : text, 1))
            return;
    }
}

void json_put_text(struct buf *out, const char *text)
{
    char c[8];

    if (text == NULL) {
        json_put_raw(out, "null");
        return;
    }
    json_put_raw(out, "\"");
    for (; *text != '\0'; text++) {
        unsigned char b = (unsigned char)*text;

        if (b == '"' || b == '\\')
            (void)snprintf(c, sizeof(c), "\\%c", b);
        else if (b < 0x20)
            (void)snprintf(c, sizeof(c), "\\u%04x", b);
        else
            (void)snprintf(c, sizeof(c), "%c", b);
        json_put_raw(out, c);
    }
    json_put_raw(out, "\"");
}

void json_put_count(struct buf *out, int64_t n)
{
    if (n < 0)
        json_put_raw(out, "null");
    else
        json_put_raw_fmt(out, "%lld", (long long)n);
}

void json_put_time(struct buf *out, int64_t unix_ms)
{
    time_t at = (time_t)(unix_ms / 1000);
    char text[32] = "?";
    struct tm utc;

    if (gmtime_r(&at, &utc) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    json_put_raw(out, text);
}
