#ifndef MERGE_FOLD_H
#define MERGE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/merge/inputs.h"
#include "common/merge/requests.h"

struct report;
struct sink;

/**
 * The rule of the merge, without any writing: one row for each request of a
 * part, in order. The merge writes the rows, the audit compares them.
 *
 * Of several lines for a task the best outcome wins; of equal successes the
 * oldest (by the remote batch's time, its id, the line's offset), of equal
 * failures the newest.
 */
struct fold;

enum row_kind {
    ROW_OK,   /* a success: a line of out/ */
    ROW_DEAD, /* anything else: a line of dead/ */
    ROW_HOLE, /* nothing is known: no line */
};

/** One row, with its newline. Borrowed for the call. False (with @err) stops the fold. */
typedef bool (*fold_row_fn)(void *arg, enum row_kind kind, const struct request *request,
                            const char *row, size_t len, struct err *err);

/**
 * Fold @part from @inputs; @requests stands at its first request. All are
 * borrowed. @exact: the part must have @inputs->windows windows; else it ends
 * there at the latest. Free with fold_free().
 */
struct fold *fold_new(struct sink *sink, uint32_t part, const struct inputs *inputs,
                      struct requests *requests, bool exact, fold_row_fn row, void *arg);

/** NULL is fine. */
void fold_free(struct fold *f);

enum fold_result { FOLD_MORE, FOLD_END, FOLD_FAILED };

/** Go on for at most @max_records records or one file. */
MUST_CHECK enum fold_result fold_step(struct fold *f, uint32_t max_records, struct err *err);

/** Counts so far, without the files' sizes. */
struct report *fold_report(struct fold *f);

/** Windows that the part turned out to have, after FOLD_END. */
uint32_t fold_windows(const struct fold *f);

#endif
