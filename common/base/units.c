#include "common/base/units.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Larger ones first: "1h30m" must not go back up. */
static const struct unit duration_units[] = {
    {"d",  86400000},
    {"h",  3600000 },
    {"m",  60000   },
    {"s",  1000    },
    {"ms", 1       },
};

static const struct unit size_units[] = {
    {"B",   1               },
    {"kB",  1000            },
    {"MB",  1000000         },
    {"GB",  1000000000      },
    {"TB",  1000000000000   },
    {"KiB", INT64_C(1024)   },
    {"MiB", INT64_C(1) << 20},
    {"GiB", INT64_C(1) << 30},
    {"TiB", INT64_C(1) << 40},
};

/* A number as written: @whole and @thousandths of one. */
struct number {
    int64_t whole;
    int64_t thousandths;
    size_t len; /* characters; 0: there is no number */
    bool fraction;
    bool too_large;
};

static struct number scan_number(const char *text)
{
    struct number n = {0};
    const char *p = text;

    for (; isdigit((unsigned char)*p); p++) {
        if (__builtin_mul_overflow(n.whole, 10, &n.whole) ||
            __builtin_add_overflow(n.whole, *p - '0', &n.whole))
            n.too_large = true;
    }
    if (p != text && *p == '.' && isdigit((unsigned char)p[1])) {
        n.fraction = true;
        int64_t place = 100;
        for (p++; isdigit((unsigned char)*p); p++, place /= 10)
            n.thousandths += (*p - '0') * place;
    }
    n.len = (size_t)(p - text);
    return n;
}

/* *@sum += @n * @factor; false past INT64_MAX. */
static bool add_scaled(int64_t *sum, const struct number *n, int64_t factor)
{
    int64_t part = 0;

    if (n->too_large || __builtin_mul_overflow(n->whole, factor, &part) ||
        __builtin_add_overflow(part, n->thousandths * factor / 1000, &part))
        return false;
    return !__builtin_add_overflow(*sum, part, sum);
}

static bool too_large(const char *text, struct err *err)
{
    return err_set(err, ERR_USAGE, "\"%s\" is too large", text);
}

bool units_parse_count(const char *text, int64_t *out, struct err *err)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    struct number n = scan_number(digits);

    if (n.len == 0 || n.fraction || digits[n.len] != '\0')
        return err_set(err, ERR_USAGE, "\"%s\" is not a whole number", text);
    if (n.too_large)
        return too_large(text, err);
    *out = digits == text ? n.whole : -n.whole;
    return true;
}

/* Index of the duration unit of @len letters at @name, or the table's length. */
static size_t find_duration_unit(const char *name, size_t len)
{
    size_t i = 0;

    while (i < ARRAY_LEN(duration_units) && (strlen(duration_units[i].name) != len ||
                                             strncmp(duration_units[i].name, name, len) != 0))
        i++;
    return i;
}

static bool not_a_duration(const char *text, struct err *err)
{
    return err_set(err, ERR_USAGE, "\"%s\" is not a duration such as 200ms, 5s, 10m or 1h30m",
                   text);
}

bool units_parse_duration(const char *text, int64_t *out, struct err *err)
{
    int64_t sum = 0;
    size_t next_unit = 0; /* the largest one that may still come */
    const char *p = text;

    do {
        struct number n = scan_number(p);
        size_t letters = strcspn(p + n.len, "0123456789.");
        if (n.len > 0 && n.len == strlen(text))
            return err_set(err, ERR_USAGE, "\"%s\" needs a unit, such as %ss", text, text);

        size_t unit = find_duration_unit(p + n.len, letters);
        if (n.len == 0 || unit < next_unit || unit == ARRAY_LEN(duration_units))
            return not_a_duration(text, err);
        if (n.fraction && duration_units[unit].factor == 1)
            return not_a_duration(text, err);
        if (!add_scaled(&sum, &n, duration_units[unit].factor))
            return too_large(text, err);
        next_unit = unit + 1;
        p += n.len + letters;
    } while (*p != '\0');
    *out = sum;
    return true;
}

bool units_parse_size(const char *text, uint64_t *out, struct err *err)
{
    struct number n = scan_number(text);
    const char *name = text[n.len] == '\0' ? "B" : text + n.len;
    int64_t sum = 0;
    size_t i = 0;

    while (i < ARRAY_LEN(size_units) && strcasecmp(size_units[i].name, name) != 0)
        i++;
    if (n.len == 0 || i == ARRAY_LEN(size_units) || (n.fraction && size_units[i].factor == 1))
        return err_set(err, ERR_USAGE, "\"%s\" is not a size such as 4096, 1MB or 100MiB", text);
    if (!add_scaled(&sum, &n, size_units[i].factor))
        return too_large(text, err);
    *out = (uint64_t)sum;
    return true;
}

const char *units_format_duration(int64_t ms, char out[UNITS_TEXT_MAX])
{
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(duration_units) && left < (uint64_t)duration_units[i].factor)
        i++;
    if (left == 0)
        i = 3; /* "0s" reads better than "0ms" */

    uint64_t factor = (uint64_t)duration_units[i].factor;
    unsigned long long whole = left / factor; /* NOLINT(clang-analyzer-core.DivideZero) none is 0 */
    int n =
        snprintf(out, UNITS_TEXT_MAX, "%s%llu%s", ms < 0 ? "-" : "", whole, duration_units[i].name);

    /* Seconds are the smallest second unit: "5m30s", but "12s". */
    uint64_t rest = 0;
    if (i < 3)
        rest = left % factor / (uint64_t)duration_units[i + 1].factor;
    if (rest > 0 && n > 0)
        (void)snprintf(out + n, UNITS_TEXT_MAX - (size_t)n, "%llu%s", (unsigned long long)rest,
                       duration_units[i + 1].name);
    return out;
}

const char *units_format_size(uint64_t bytes, char out[UNITS_TEXT_MAX])
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    uint64_t factor = 1, tenth = 1;
    size_t i = 0;

    for (; i + 1 < ARRAY_LEN(names) && bytes / factor >= 1000; i++) {
        tenth = factor * 100;
        factor *= 1000;
    }

    unsigned long long whole = bytes / factor;
    if (i == 0 || whole >= 100) {
        (void)snprintf(out, UNITS_TEXT_MAX, "%llu %s", whole, names[i]);
    } else {
        (void)snprintf(out, UNITS_TEXT_MAX, "%llu.%u %s", whole, (unsigned)(bytes % factor / tenth),
                       names[i]);
    }
    return out;
}
