#include "common/sink/generation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

/* What is kept of one. */
struct known {
    struct rowset_totals totals;
    uint32_t *parts; /* @totals.parts of them, in order */
};

struct generations {
    struct sink *sink;
    struct known *items; /* items[0] is generation 1 */
    uint32_t count;
};

void generations_free(struct generations *g)
{
    if (g == NULL)
        return;
    for (uint32_t i = 0; i < g->count; i++)
        free(g->items[i].parts);
    free(g->items);
    free(g);
}

/* "gen-12" is 12; 0: not a generation. */
static uint32_t parse_name(const char *name)
{
    char expected[LAYOUT_NAME_MAX];
    unsigned long n;

    if (strncmp(name, LAYOUT_GENERATION, strlen(LAYOUT_GENERATION)) != 0)
        return 0;
    n = strtoul(name + strlen(LAYOUT_GENERATION), NULL, 10);
    if (n == 0 || n >= GENERATION_ANY)
        return 0;
    return strcmp(layout_generation(expected, (uint32_t)n), name) == 0 ? (uint32_t)n : 0;
}

static bool on_name(const char *name, void *arg, struct err *err)
{
    uint32_t *newest = arg;
    uint32_t number = parse_name(name);

    (void)err;
    if (number > *newest)
        *newest = number;
    return true;
}

bool generations_find_newest(struct sink *sink, uint32_t *newest, struct err *err)
{
    uint32_t found = 0;

    if (!sink_list(sink, "", on_name, &found, err))
        return false;
    *newest = found;
    return true;
}

static void keep(struct known *out, const struct rowset *set)
{
    size_t count;
    const struct rowset_part *parts = rowset_parts(set, &count);

    out->totals = *rowset_totals(set);
    out->parts = xcalloc(count + 1, sizeof(*out->parts));
    for (size_t i = 0; i < count; i++)
        out->parts[i] = parts[i].part;
}

struct generations *generations_load(struct sink *sink, struct err *err)
{
    struct generations *g = xcalloc(1, sizeof(*g));
    uint32_t newest = 0;

    g->sink = sink;
    if (!generations_find_newest(sink, &newest, err))
        goto fail;
    g->items = xcalloc((size_t)newest + 1, sizeof(*g->items));
    while (g->count < newest) {
        struct rowset *set = generations_open(g, g->count + 1, err);

        if (set == NULL)
            goto fail;
        keep(&g->items[g->count++], set);
        rowset_free(set);
    }
    return g;
fail:
    generations_free(g);
    return NULL;
}

uint32_t generations_newest(const struct generations *g)
{
    return g->count;
}

const struct rowset_totals *generations_totals(const struct generations *g, uint32_t number)
{
    return &g->items[number - 1].totals;
}

uint32_t generations_windows(const struct generations *g)
{
    return g->count == 0 ? 0 : g->items[g->count - 1].totals.job_windows;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x == y ? 0 : (x < y ? -1 : 1);
}

static bool lists(const struct known *k, uint32_t part)
{
    return k->totals.parts != 0 &&
           bsearch(&part, k->parts, k->totals.parts, sizeof(part), compare_u32) != NULL;
}

uint32_t generations_of_part(const struct generations *g, uint32_t part, uint32_t below)
{
    uint32_t number = below > g->count ? g->count : below - (below > 0);

    while (number > 0 && !lists(&g->items[number - 1], part))
        number--;
    return number;
}

struct rowset *generations_open(const struct generations *g, uint32_t number, struct err *err)
{
    char name[LAYOUT_NAME_MAX];

    return rowset_open(g->sink, layout_generation(name, number), err);
}

static int compare_part(const void *a, const void *b)
{
    const struct part_generation *x = a;
    const struct part_generation *y = b;

    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    return x->generation < y->generation ? -1 : x->generation > y->generation;
}

struct part_generation *generations_parts(const struct generations *g, size_t *count)
{
    size_t all = 0;
    size_t kept = 0;

    for (uint32_t i = 0; i < g->count; i++)
        all += g->items[i].totals.parts;
    *count = 0;
    if (all == 0)
        return NULL;
    struct part_generation *parts = xcalloc(all, sizeof(*parts));
    for (uint32_t i = 0; i < g->count; i++) {
        for (uint32_t k = 0; k < g->items[i].totals.parts; k++)
            parts[kept++] = (struct part_generation){g->items[i].parts[k], i + 1};
    }
    qsort(parts, kept, sizeof(*parts), compare_part);
    for (size_t i = 0; i < kept; i++) {
        if (i + 1 == kept || parts[i].part != parts[i + 1].part)
            parts[(*count)++] = parts[i];
    }
    return parts;
}
