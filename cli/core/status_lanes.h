#ifndef CLI_CORE_STATUS_LANES_H
#define CLI_CORE_STATUS_LANES_H

#include "common/base/buf.h"
#include "common/model/job_view.h"

/* The lanes of a job and their quotas, for `sheaf status`. */

/** Lanes that the table for people shows. */
#define STATUS_MAX_LANES 20

/**
 * A table for people: what each lane uses of what was learned that the provider
 * takes, and what holds it. Nothing where no lane is known.
 */
void status_lanes_print_text(const struct job_view *view, struct buf *out);

/** All of them as a JSON array; what was not learned is null. */
void status_lanes_print_json(const struct job_view *view, struct buf *out);

/** Whose live batches there are, one line for people; nothing where there are none. */
void status_accounts_print_text(const struct job_view *view, struct buf *out);

/** The same as a JSON array. */
void status_accounts_print_json(const struct job_view *view, struct buf *out);

#endif
