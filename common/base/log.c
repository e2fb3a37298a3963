#include "common/base/log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *program_name = "?";
static enum log_level max_level = LOG_LV_INFO;
static enum log_format log_form = LOG_FMT_TEXT;

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LV_ERROR: return "error";
    case LOG_LV_WARN: return "warn";
    case LOG_LV_INFO: return "info";
    case LOG_LV_DEBUG: return "debug";
    }
    return "?";
}

static void escape_control(char *s)
{
    for (; *s != '\0'; s++) {
        if (iscntrl((unsigned char)*s))
            *s = '?';
    }
}

const char *log_text(const char *text)
{
    static char ring[4][512];
    static unsigned next;
    char *out = ring[next++ % 4];
    size_t n = 0;

    out[n++] = '"';
    for (const char *p = text; *p != '\0' && n < 500; p++) {
        if (*p == '"' || *p == '\\')
            out[n++] = '\\';
        out[n++] = *p;
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}

/* End of the value that starts at @p: the quote that closes it, or a space. */
static const char *value_end(const char *p)
{
    if (*p != '"')
        return p + strcspn(p, " ");
    for (p++; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
    }
    return *p == '"' ? p + 1 : p;
}

/* The @len bytes at @text as a JSON string; @quoted: it is a logfmt value in quotes. */
static void put_json_string(const char *text, size_t len, bool quoted)
{
    const char *end = text + len;

    (void)fputc('"', stderr);
    for (const char *p = text + (quoted ? 1 : 0); p < end && !(quoted && *p == '"'); p++) {
        if (quoted && *p == '\\' && p + 1 < end)
            p++;
        if (*p == '"' || *p == '\\')
            (void)fputc('\\', stderr);
        (void)fputc(*p, stderr);
    }
    (void)fputc('"', stderr);
}

/* key=value pairs as JSON members; words without "=" are collected as they are under "msg". */
static void put_json_pairs(const char *p)
{
    while (*p != '\0') {
        size_t key = strcspn(p, "= ");

        if (p[key] != '=') {
            (void)fputs(",\"msg\":", stderr);
            put_json_string(p, strlen(p), false);
            return;
        }
        const char *value = p + key + 1;
        const char *end = value_end(value);
        (void)fputc(',', stderr);
        put_json_string(p, key, false);
        (void)fputc(':', stderr);
        put_json_string(value, (size_t)(end - value), *value == '"');
        p = end + strspn(end, " ");
    }
}

static void vwrite(enum log_level level, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);

static void vwrite(enum log_level level, const char *fmt, va_list ap)
{
    char text[2048];
    char stamp[32];
    struct timespec now;
    struct tm utc;

    (void)vsnprintf(text, sizeof(text), fmt, ap);
    escape_control(text);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    if (log_form == LOG_FMT_TEXT) {
        (void)fprintf(stderr, "ts=%s.%03ldZ lv=%s prog=%s %s\n", stamp, now.tv_nsec / 1000000,
                      level_name(level), program_name, text);
        return;
    }
    (void)fprintf(stderr, "{\"ts\":\"%s.%03ldZ\",\"lv\":\"%s\",\"prog\":\"%s\"", stamp,
                  now.tv_nsec / 1000000, level_name(level), program_name);
    put_json_pairs(text);
    (void)fputs("}\n", stderr);
}

void log_setup(const char *program, enum log_level level, enum log_format format)
{
    program_name = program;
    max_level = level;
    log_form = format;
    (void)setvbuf(stderr, NULL, _IOLBF, 4096); /* a line reaches a shared log file whole */
}

bool log_enabled(enum log_level level)
{
    return level <= max_level;
}

void log_write(enum log_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vwrite(level, fmt, ap);
    va_end(ap);
}

void log_fatal(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vwrite(LOG_LV_ERROR, fmt, ap);
    va_end(ap);
    abort();
}
