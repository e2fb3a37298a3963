#include "simulator/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "simulator/quantity.h"

/* Digits up to @end; false when there are none or too many. */
static bool number(const char *from, const char *end, uint64_t *out)
{
    char text[24];
    size_t n = (size_t)(end - from);

    if (n == 0 || n >= sizeof(text))
        return false;
    memcpy(text, from, n);
    text[n] = '\0';
    return quantity_count(text, out);
}

/* The last @tail bytes: "bytes=-5". */
static enum range_kind suffix(uint64_t tail, uint64_t total, uint64_t *offset, uint64_t *length)
{
    if (tail == 0 || total == 0)
        return RANGE_BEYOND;
    *length = tail >= total ? total : tail;
    *offset = total - *length;
    return RANGE_PART;
}

enum range_kind range_parse(const char *header, uint64_t total, uint64_t *offset, uint64_t *length)
{
    static const char unit[] = "bytes=";
    uint64_t first;
    uint64_t last = UINT64_MAX;

    if (header == NULL || strncmp(header, unit, sizeof(unit) - 1) != 0)
        return RANGE_NONE;
    const char *p = header + sizeof(unit) - 1;
    const char *dash = strchr(p, '-');
    if (dash == NULL)
        return RANGE_NONE;
    const char *end = p + strlen(p);
    if (dash == p)
        return number(dash + 1, end, &last) ? suffix(last, total, offset, length) : RANGE_NONE;
    if (!number(p, dash, &first) || (dash[1] != '\0' && !number(dash + 1, end, &last)) ||
        last < first)
        return RANGE_NONE;
    if (first >= total)
        return RANGE_BEYOND;
    *offset = first;
    *length = (last >= total ? total - 1 : last) - first + 1;
    return RANGE_PART;
}
