#include "common/provider/rate.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/attr.h"
#include "common/base/units.h"

/* Longer is no rate. */
static const double max_reset_ms = 30.0 * 86400e3;

/* A number without a sign at *@text, which moves behind it; below 0: none. */
static double number_at(const char **text)
{
    size_t len = strspn(*text, "0123456789.");
    char digits[24];
    char *end = NULL;

    if (len == 0 || len >= sizeof(digits))
        return -1;
    memcpy(digits, *text, len);
    digits[len] = '\0';
    double n = strtod(digits, &end);
    *text += len;
    return *end == '\0' ? n : -1;
}

/* Milliseconds of the unit at *@text, which moves behind it; 0: none. */
static double unit_at(const char **text)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {
        {"ms", 1      },
        {"s",  1e3    },
        {"m",  60e3   },
        {"h",  3600e3 },
        {"d",  86400e3}
    };

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        size_t len = strlen(units[i].name);

        if (strncmp(*text, units[i].name, len) == 0) {
            *text += len;
            return units[i].ms;
        }
    }
    return 0;
}

int64_t rate_duration_ms(const char *text)
{
    double total = 0;
    const char *at = text;

    do {
        double number = number_at(&at);
        bool alone = *at == '\0' && total == 0;
        double unit = alone ? 1e3 : unit_at(&at); /* as a plain number: seconds */

        if (number < 0 || unit <= 0)
            return -1;
        total += number * unit;
    } while (*at != '\0');
    return total <= max_reset_ms ? (int64_t)ceil(total) : -1;
}

/* The value of the header @name in @lines, into @out; false when there is none that fits. */
static bool header(const char *lines, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);

    while (*lines != '\0') {
        size_t line = strcspn(lines, "\n");

        if (line > len + 1 && strncmp(lines, name, len) == 0 && lines[len] == ':') {
            const char *value = lines + len + 1;

            value += strspn(value, " ");
            len = (size_t)(lines + line - value);
            if (len == 0 || len >= size)
                return false;
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
        lines += line + (lines[line] == '\n' ? 1 : 0);
    }
    return false;
}

static struct rate_left read_left(const char *lines, const char *what)
{
    struct rate_left left = {.remaining = -1, .reset_ms = -1};
    char name[64];
    char value[32];

    (void)snprintf(name, sizeof(name), "x-ratelimit-remaining-%s", what);
    if (header(lines, name, value, sizeof(value)) &&
        (!units_parse_count(value, &left.remaining, NULL) || left.remaining < 0))
        left.remaining = -1;
    (void)snprintf(name, sizeof(name), "x-ratelimit-reset-%s", what);
    if (header(lines, name, value, sizeof(value)))
        left.reset_ms = rate_duration_ms(value);
    return left;
}

void rate_headers_read(const char *lines, struct rate_headers *out)
{
    char value[32];

    out->requests = read_left(lines, "requests");
    out->tokens = read_left(lines, "tokens");
    out->no_repeat =
        header(lines, "x-should-retry", value, sizeof(value)) && strcasecmp(value, "false") == 0;
}
