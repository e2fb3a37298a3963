#ifndef ENRICH_BLOCK_H
#define ENRICH_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/rows/rows.h"

/*
 * Blocks: runs of consecutive rows that cover the input without gaps. Where one ends depends on
 * the rows alone, so whoever cuts the same rows sees the same blocks: what renders requests, and
 * what puts answers into rows.
 *
 *  - A block is the longest run of at most BLOCK_ROWS rows and at most BLOCK_BYTES bytes of rows,
 *    but it has at least one row, however long.
 */

#define BLOCK_ROWS  1000
#define BLOCK_BYTES (4u << 20)

/** Bytes of a row's id. */
#define BLOCK_ID_MAX 256

/** Borrowed: everything in it lives until the next call for its reader. */
struct block {
    uint64_t first;         /* index of its first row */
    size_t count;           /* rows; at least 1 */
    const struct row *rows; /* all of them, with bytes that stay */
    const char *const *ids; /* of each row, see below */
    uint32_t sum;           /* CRC-32C of the lengths (8 bytes, little-endian) and bytes of all */
};

/** Cuts rows into blocks; holds one of them, and the row behind it. */
struct block_reader;

/**
 * Borrows @rows, which stand at their first row, and @id_field (a dotted path; may be NULL).
 * Never NULL. Free with block_reader_free().
 *
 * The id of a row is its value at @id_field as text: a string decoded (a NUL in it becomes
 * U+FFFD), a number or a bool as it is written. Where there is no @id_field, or no such value, or
 * an empty one, or one of more than BLOCK_ID_MAX bytes, it is the row's index.
 */
struct block_reader *block_reader_new(struct rows *rows, const char *id_field);

/** NULL is fine. */
void block_reader_free(struct block_reader *reader);

/** The next block into *@out; *@end instead behind the last one. */
MUST_CHECK bool block_next(struct block_reader *reader, const struct block **out, bool *end,
                           struct err *err);

#endif
