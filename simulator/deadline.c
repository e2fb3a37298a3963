#include "simulator/deadline.h"

#include <stdlib.h>
#include <string.h>

#define DAY_H         24U
#define CANCELS_AFTER 7 /* windows */

static bool in_hours(const char *window, unsigned max_h, unsigned *hours)
{
    char *end;

    if (window[0] < '1' || window[0] > '9')
        return false;
    unsigned long number = strtoul(window, &end, 10);
    if (number > 100000 || end[0] == '\0' || end[1] != '\0' || (end[0] != 'h' && end[0] != 'd'))
        return false;
    *hours = (unsigned)number * (end[0] == 'd' ? DAY_H : 1);
    return *hours >= DAY_H && *hours <= max_h;
}

static bool in_names(const char *window, unsigned *hours)
{
    static const struct {
        const char *name;
        unsigned hours;
    } names[] = {
        {"24h",        DAY_H        },
        {"1h",         1            },
        {"background", DEADLINE_NONE}
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i].name, window) == 0) {
            *hours = names[i].hours;
            return true;
        }
    }
    return false;
}

bool deadline_hours(const struct dialect_batches *dialect, const char *window, unsigned *hours)
{
    *hours = DAY_H;
    if (window == NULL)
        return true;
    switch (dialect->window) {
    case DIALECT_WINDOW_NONE:
    case DIALECT_WINDOW_LATE: return true;
    case DIALECT_WINDOW_DAY: return strcmp(window, "24h") == 0;
    case DIALECT_WINDOW_HOURS: return in_hours(window, dialect->window_max_h, hours);
    case DIALECT_WINDOW_NAMES: return in_names(window, hours);
    }
    return false;
}

int64_t deadline_end(const struct dialect_batches *dialect, int64_t created, int64_t expires)
{
    if (expires == 0 || dialect->expiry == DIALECT_EXPIRY_GOES_ON)
        return INT64_MAX;
    if (dialect->expiry == DIALECT_EXPIRY_CANCELS)
        return created + CANCELS_AFTER * (expires - created);
    return expires;
}

int64_t deadline_rows(int64_t total, int64_t created, int64_t delay_ms, int64_t at_ms)
{
    int64_t gone = at_ms - created;

    if (delay_ms <= 0 || gone <= 0)
        return 0;
    return gone >= delay_ms ? total : total * gone / delay_ms;
}
