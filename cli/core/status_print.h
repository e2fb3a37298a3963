#ifndef CLI_CORE_STATUS_PRINT_H
#define CLI_CORE_STATUS_PRINT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/model/job_view.h"

/** Live batches that the table for people shows. */
#define STATUS_MAX_BATCHES 20

/** All about one job, for people. */
void status_print_text(const struct job_view *view, struct buf *out);

/** The same as one JSON object with a newline; unknown numbers are null. */
void status_print_json(const struct job_view *view, struct buf *out);

/** A table of jobs, one a line under a heading; nothing for no jobs. */
void status_print_list(const struct job_row *rows, size_t count, int64_t now_ms, struct buf *out);

/** The same as a JSON array with a newline. */
void status_print_list_json(const struct job_row *rows, size_t count, struct buf *out);

#endif
