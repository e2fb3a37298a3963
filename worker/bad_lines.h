#ifndef WORKER_BAD_LINES_H
#define WORKER_BAD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/batch.h"

struct remote_error;

/**
 * What a provider refused (common/daemon/refusal.h), as result lines: one for each task
 * named, with the provider's code and message, the first complaint of a line counting.
 * @members in the file's order; @ji names the job. Appends to @out; nothing when no line is
 * named: then *@whole gets the complaint, which is about all lines. False past the limit of
 * @out.
 */
MUST_CHECK bool bad_lines_write(const char *refusal, const struct member *members, size_t count,
                                const char *ji, struct buf *out, struct remote_error *whole);

#endif
