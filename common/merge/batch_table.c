#include "common/merge/batch_table.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

void batch_table_release(struct batch_table *t)
{
    free(t->items);
    *t = (struct batch_table){0};
}

void batch_table_add(struct batch_table *t, const char *bid, uint32_t generation, int64_t ended_ms)
{
    if ((t->count & (t->count - 1)) == 0)
        t->items = xrealloc(t->items, t->count == 0 ? 1 : t->count * 2, sizeof(*t->items));
    struct batch_origin *item = &t->items[t->count++];
    *item = (struct batch_origin){.generation = generation, .ended_ms = ended_ms};
    memcpy(item->bid, bid, strnlen(bid, BATCH_ID_LEN));
    t->sorted = false;
}

void batch_table_price(struct batch_table *t, const struct price_quote *quote)
{
    t->items[t->count - 1].priced = true;
    t->items[t->count - 1].quote = *quote;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct batch_origin *)a)->bid, ((const struct batch_origin *)b)->bid);
}

/* One row a batch, of all that its files said. */
static void sort(struct batch_table *t)
{
    size_t kept = 0;

    qsort(t->items, t->count, sizeof(*t->items), compare);
    for (size_t i = 0; i < t->count; i++) {
        const struct batch_origin *item = &t->items[i];
        struct batch_origin *last = kept == 0 ? NULL : &t->items[kept - 1];

        if (last == NULL || strcmp(last->bid, item->bid) != 0) {
            t->items[kept++] = *item;
            continue;
        }
        if (item->generation < last->generation)
            last->generation = item->generation;
        if (item->ended_ms > last->ended_ms)
            last->ended_ms = item->ended_ms;
        if (item->priced && !last->priced)
            last->quote = item->quote;
        last->priced = last->priced || item->priced;
    }
    t->count = kept;
    t->sorted = true;
}

const struct batch_origin *batch_table_find(struct batch_table *t, const char *bid)
{
    struct batch_origin key = {.generation = 0};
    const struct batch_origin *found = NULL;

    memcpy(key.bid, bid, strnlen(bid, BATCH_ID_LEN));
    if (!t->sorted && t->count != 0)
        sort(t);
    if (t->count != 0)
        found = bsearch(&key, t->items, t->count, sizeof(*t->items), compare);
    if (found == NULL)
        log_fatal("merge: batch %s is of no file", bid);
    return found;
}
