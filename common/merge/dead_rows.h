#ifndef MERGE_DEAD_ROWS_H
#define MERGE_DEAD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct sink;

/**
 * The failed rows of a job, as its merged parts have them, in input order. A part that
 * is not merged in its newest generation is left out. Reads one part after the other; one
 * row is in memory.
 */
struct dead_rows;

/** One row. Pointers are borrowed until the next call. */
struct dead_row {
    uint32_t part, window, line; /* line counts from 0 within the window */
    uint32_t lines;              /* requests in the window */
    uint32_t crc;                /* crc32c of the window's bytes in the input */
    int64_t time_ms;  /* when the batch ended that it failed in, Redis' clock; 0 unknown */
    const char *text; /* the row, without its newline */
    size_t len;
    bool too_long; /* @text is only its start */
};

/** What was read so far; all of it after the end. */
struct dead_scope {
    uint32_t parts;  /* merged */
    uint64_t rows;   /* requests in these */
    uint64_t failed; /* of these */
};

/**
 * Borrows @sink. @below: of each part the newest generation under this one, GENERATION_ANY
 * for what counts now. NULL (with @err) on failure. Free with dead_rows_free().
 */
struct dead_rows *dead_rows_new(struct sink *sink, uint32_t below, struct err *err);

/** NULL is fine. */
void dead_rows_free(struct dead_rows *d);

enum dead_read { DEAD_ROW, DEAD_END, DEAD_FAILED };

/** The next row. DEAD_FAILED with @err: ERR_PERMANENT when the sink's files do not agree. */
MUST_CHECK enum dead_read dead_rows_next(struct dead_rows *d, struct dead_row *out,
                                         struct err *err);

const struct dead_scope *dead_rows_scope(const struct dead_rows *d);

#endif
