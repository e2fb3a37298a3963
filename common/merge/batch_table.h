#ifndef MERGE_BATCH_TABLE_H
#define MERGE_BATCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/batch.h"
#include "common/model/price.h"

/*
 * The remote batches that a part's files are of: of which generation, and when each ended.
 * Filled first, then asked. Zeroed is empty; batch_table_release() frees.
 */

struct batch_origin {
    char bid[BATCH_ID_LEN + 1];
    uint32_t generation; /* the smallest of its files: common/merge/lineage.h */
    int64_t ended_ms;    /* Redis' clock, 0 unknown */
    bool priced;         /* what its tokens cost is known */
    struct price_quote quote;
};

struct batch_table {
    struct batch_origin *items;
    size_t count;
    bool sorted;
};

void batch_table_release(struct batch_table *t);

/** Note a file of batch @bid; @ended_ms 0: it does not say. */
void batch_table_add(struct batch_table *t, const char *bid, uint32_t generation, int64_t ended_ms);

/** The file that was added last says what its batch's tokens cost. */
void batch_table_price(struct batch_table *t, const struct price_quote *quote);

/** The batch @bid, which was added. Lives until the next batch_table_add(). */
const struct batch_origin *batch_table_find(struct batch_table *t, const char *bid);

#endif
