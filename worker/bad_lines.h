#ifndef WORKER_BAD_LINES_H
#define WORKER_BAD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/batch.h"

/**
 * A batch that the provider refused because of named lines of its input file
 * (OpenAI: errors.data[].line), as result lines: one for each task named, with
 * the provider's code and message, the first complaint of a line counting.
 * @json is the batch as the provider describes it; @members in the file's
 * order; @ji names the job. Appends to @out; nothing when no line is named.
 * False past the limit of @out.
 */
MUST_CHECK bool bad_lines_write(const char *json, size_t len, const struct member *members,
                                size_t count, const char *ji, struct buf *out);

#endif
