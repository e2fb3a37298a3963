#ifndef MERGE_FOLD_H
#define MERGE_FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/merge/inputs.h"
#include "common/merge/requests.h"

struct lineage;
struct report;
struct sink;

/**
 * The rule of the merge, without any writing: one row for each request of a
 * part, in order. The merge writes the rows, the audit compares them.
 *
 * Of several lines for a task a success wins, the oldest of several (by the
 * remote batch's time, its id, the line's offset). Of failures those count that are not of
 * an earlier generation than the task; of these the newest generation wins,
 * then the best outcome, then the newest line.
 */
struct fold;

enum row_kind {
    ROW_OK,   /* a success: a line of out/ */
    ROW_DEAD, /* anything else: a line of dead/ */
    ROW_HOLE, /* nothing is known: no line */
};

/** One row. Everything is borrowed for the call. */
struct fold_row {
    enum row_kind kind;
    const struct request *request;
    const char *text; /* with its newline */
    size_t len;
    int64_t time_ms; /* when the batch ended that it comes from, Redis' clock; 0 unknown */
};

/** False (with @err) stops the fold. */
typedef bool (*fold_row_fn)(void *arg, const struct fold_row *row, struct err *err);

/** What a fold is made of. All pointers are borrowed. */
struct fold_plan {
    struct sink *sink;
    uint32_t part;
    const struct inputs *inputs;
    const struct lineage *lineage; /* of the generation that @inputs are of */
    struct requests *requests;     /* stands at the part's first request */
    bool exact; /* the part must have @inputs->windows windows; else it ends there at the latest */
    fold_row_fn row;
    void *arg;
};

/** Copies @plan. Free with fold_free(). */
struct fold *fold_new(const struct fold_plan *plan);

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
