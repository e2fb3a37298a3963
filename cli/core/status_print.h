#ifndef CLI_CORE_STATUS_PRINT_H
#define CLI_CORE_STATUS_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/model/job_view.h"

/** Live batches that the table for people shows. */
#define STATUS_MAX_BATCHES 20

/** Actions of the trail that the text for people shows. */
#define STATUS_MAX_ACTIONS 5

/** Something that was done to a job, cut for a line. Plain data. */
struct status_action {
    char at[32];
    char who[132];
    char verb[24];
    char what[200]; /* JSON object */
};

/** All about one job, for people. */
void status_print_text(const struct job_view *view, struct buf *out);

/** What was done to it last, the newest last; @total: also what is not among the @count. */
void status_print_actions(const struct status_action *actions, size_t count, size_t total,
                          struct buf *out);

/**
 * All about one job as one JSON object with a newline; unknown numbers are null. @trail is
 * a JSON array, or NULL when the job's sink is not at hand.
 */
void status_print_json(const struct job_view *view, const char *trail, struct buf *out);

/** A table of jobs, one a line under a heading; nothing for no jobs. */
void status_print_list(const struct job_row *rows, size_t count, int64_t now_ms, struct buf *out);

/** The same as a JSON array with a newline. */
void status_print_list_json(const struct job_row *rows, size_t count, struct buf *out);

#endif
