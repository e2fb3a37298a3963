#ifndef MERGE_SPENT_H
#define MERGE_SPENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/batch.h"

struct sink;

/** What one batch has cost of one part, by its evidence. */
struct spent_cost {
    char bid[BATCH_ID_LEN + 1];
    int64_t nano;
};

/** Zeroed is empty; spent_release() frees. */
struct spent_list {
    struct spent_cost *items;
    size_t count;
};

void spent_release(struct spent_list *list);

/**
 * All bills that the job's sink holds, for a Redis that may have forgotten them. A
 * batch is there once for each part that it was of. Reads all evidence, one document at a time.
 * ERR_CONFLICT when one is in another currency than @currency: it is money that was spent.
 */
MUST_CHECK bool spent_read(struct sink *sink, const char *currency, struct spent_list *out,
                           struct err *err);

#endif
