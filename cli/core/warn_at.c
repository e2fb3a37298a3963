#include "cli/core/warn_at.h"

#include <stdlib.h>
#include <string.h>

static bool parse_one(const char *text, size_t len, unsigned *out)
{
    unsigned value = 0;

    if (len > 0 && text[len - 1] == '%')
        len--;
    if (len == 0 || len > 3)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return value >= 1 && value <= 100;
}

static int by_size(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a;
    unsigned y = *(const unsigned *)b;

    return (x > y) - (x < y);
}

bool warn_at_parse(const char *text, struct warn_at *out, struct err *err)
{
    struct warn_at w = {0};

    for (const char *p = text;; p++) {
        size_t len = strcspn(p, ",");

        if (w.count == WARN_AT_MAX)
            return err_set(err, ERR_USAGE, "--warn-at: more than %d shares", WARN_AT_MAX);
        if (!parse_one(p, len, &w.percent[w.count]))
            return err_set(err, ERR_USAGE,
                           "--warn-at: \"%.*s\" is no share of a cap: 1%% to 100%%, such as "
                           "50%%,80%%",
                           (int)len, p);
        w.count++;
        p += len;
        if (*p == '\0')
            break;
    }
    qsort(w.percent, w.count, sizeof(w.percent[0]), by_size);
    *out = w;
    return true;
}

unsigned warn_at_due(struct warn_at *w, int64_t spent, int64_t cap)
{
    unsigned due = 0;

    if (cap <= 0)
        return 0;
    while (w->told < w->count) {
        unsigned percent = w->percent[w->told];
        /* cap x percent / 100, rounded up, without an overflow */
        int64_t share = cap / 100 * percent + (cap % 100 * percent + 99) / 100;

        if (spent < share)
            break;
        due = percent;
        w->told++;
    }
    return due;
}
