#include "simulator/ids.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/xmem.h"

#define DATE_CHARS 8

/* @out holds DATE_CHARS + 1 bytes. */
static void put_date(char *out)
{
    time_t now = (time_t)(clock_unix_ms() / 1000);
    struct tm tm = {.tm_mday = 1};

    (void)gmtime_r(&now, &tm);
    (void)strftime(out, DATE_CHARS + 1, "%Y%m%d", &tm);
}

static char random_char(char kind, char fresh)
{
    static const char hex[] = "0123456789abcdef";

    if (kind == '*')
        return fresh;
    return hex[id_random_below(kind == '#' ? 10 : 16)];
}

char *ids_new(const char *pattern)
{
    size_t len = strlen(pattern);
    char *random = xcalloc(len + 1, 1);
    char *id = xcalloc(len * DATE_CHARS + 1, 1);
    size_t n = 0;

    id_random(random, len);
    for (size_t i = 0; i < len; i++) {
        if (pattern[i] == '%') {
            put_date(id + n);
            n += DATE_CHARS;
        } else if (strchr("*#^", pattern[i]) != NULL) {
            id[n++] = random_char(pattern[i], random[i]);
        } else {
            id[n++] = pattern[i];
        }
    }
    free(random);
    return id;
}
