#include "simulator/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double factor;
};

static bool find_unit(const struct unit *units, size_t count, const char *name, double *factor)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(units[i].name, name) == 0) {
            *factor = units[i].factor;
            return true;
        }
    }
    return false;
}

/* A plain decimal number (no sign, no exponent) and what follows it. */
static bool decimal(const char *text, double *value, const char **rest)
{
    size_t n = strspn(text, "0123456789.");
    char *end = NULL;

    if (n == 0 || !isdigit((unsigned char)text[0]) || n > 30)
        return false;
    *value = strtod(text, &end);
    *rest = text + n;
    return end == text + n;
}

static bool with_unit(const char *text, const struct unit *units, size_t count, double max,
                      double *out)
{
    double value;
    double factor;
    const char *rest;

    if (!decimal(text, &value, &rest) || !find_unit(units, count, rest, &factor))
        return false;
    if (value * factor > max)
        return false;
    *out = value * factor;
    return true;
}

bool quantity_count(const char *text, uint64_t *out)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return false;
    errno = 0;
    unsigned long long v = strtoull(text, NULL, 10);
    if (errno != 0 || v > INT64_MAX)
        return false;
    *out = v;
    return true;
}

bool quantity_duration(const char *text, int64_t *out_ms)
{
    static const struct unit units[] = {
        {"ms", 1       },
        {"s",  1000    },
        {"m",  60000   },
        {"h",  3600000 },
        {"d",  86400000}
    };
    double ms;

    if (strcmp(text, "0") == 0) {
        *out_ms = 0;
        return true;
    }
    if (!with_unit(text, units, ARRAY_LEN(units), 366 * 86400000.0, &ms))
        return false;
    *out_ms = (int64_t)(ms + 0.5);
    return true;
}

bool quantity_size(const char *text, uint64_t *out_bytes)
{
    static const struct unit units[] = {
        {"",    1           },
        {"B",   1           },
        {"kB",  1e3         },
        {"KB",  1e3         },
        {"MB",  1e6         },
        {"GB",  1e9         },
        {"k",   1e3         },
        {"M",   1e6         },
        {"G",   1e9         },
        {"KiB", 1024        },
        {"Ki",  1024        },
        {"Mi",  1 << 20     },
        {"MiB", 1 << 20     },
        {"GiB", 1073741824.0},
        {"Gi",  1073741824.0}
    };
    double bytes;

    if (!with_unit(text, units, ARRAY_LEN(units), 1e15, &bytes))
        return false;
    *out_bytes = (uint64_t)(bytes + 0.5);
    return true;
}

bool quantity_share(const char *text, double *out)
{
    double value;
    const char *rest;

    if (!decimal(text, &value, &rest) || *rest != '\0' || value > 1)
        return false;
    *out = value;
    return true;
}
