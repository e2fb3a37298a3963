#ifndef MERGE_COMPARE_H
#define MERGE_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct audit;

/**
 * Compares the lines of a file with the rows that should be there, one by one,
 * by length and XXH3-64, and finds its place again behind lines that are
 * missing, changed or too many. Constant memory.
 */
struct compare;

/**
 * @fd is taken; -1: the file is not there, all rows are missing. @name (copied)
 * is for messages. Findings are added to @out (borrowed).
 */
struct compare *compare_new(int fd, const char *name, struct audit *out);

/** NULL is fine. */
void compare_free(struct compare *c);

/** The next row that should be there, with its newline, of input line @line. */
MUST_CHECK bool compare_row(struct compare *c, const char *row, size_t len, uint64_t line,
                            struct err *err);

/** No more rows. */
MUST_CHECK bool compare_end(struct compare *c, struct err *err);

/** Rows that were as they should be. */
uint64_t compare_equal(const struct compare *c);

#endif
