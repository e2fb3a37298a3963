#ifndef ENRICH_PACK_H
#define ENRICH_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/enrich/block.h"
#include "common/enrich/render_line.h"

/*
 * Which rows of a block go together into one request. Pure: what a row adds is measured by
 * others.
 */

#define PACK_NO_ROW UINT32_MAX

/** What a pack may have. */
struct pack_limits {
    uint32_t rows;         /* at least 1 */
    uint64_t tokens;       /* of the whole request; 0: any */
    uint64_t bytes;        /* of its line */
    struct line_part base; /* of a request without rows */
};

/** Rows in waiting. Start with {0}. */
struct pack {
    uint32_t rows[BLOCK_ROWS]; /* in the block, ascending */
    struct line_part parts[BLOCK_ROWS];
    size_t count;
    struct line_part sum; /* of the parts */
};

/**
 * Whether @row, which adds @part, may go with those in waiting: always when there are none.
 * @same_id: for each row of the block the last one before it with the same id, or PACK_NO_ROW.
 */
bool pack_takes(const struct pack *pack, const struct pack_limits *limits, uint32_t row,
                const struct line_part *part, const uint32_t *same_id);

/** Put it behind them; there are less than BLOCK_ROWS. */
void pack_add(struct pack *pack, uint32_t row, const struct line_part *part);

/** Whether no further row may go with them. */
bool pack_is_full(const struct pack *pack, const struct pack_limits *limits);

/** The first @count rows are gone. */
void pack_drop(struct pack *pack, size_t count);

/**
 * How many rows to try instead of @count (at least 2), when those made @tokens tokens, which is
 * too many, or could not be put together at all (0): at least one, and fewer than before.
 */
size_t pack_fewer(const struct pack_limits *limits, size_t count, uint64_t tokens);

/** Fill in @same_id, see pack_takes(), for the @count ids of a block. */
void pack_same_ids(const char *const *ids, size_t count, uint32_t *same_id);

#endif
