#ifndef MERGE_ROW_H
#define MERGE_ROW_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct request;
struct result_line;

/*
 * Rows of OUTPUT and its errors file, as OpenAI's Batch API writes them, with
 * the user's own custom_id. The provider's bytes are passed on as they came.
 * Both append one line with its newline; false past the limit of @out.
 */

/** From a provider's line; a success has no error, whatever the provider put there. */
MUST_CHECK bool row_from_line(struct buf *out, const struct request *request,
                              const struct result_line *line, bool success);

/** An error of ours. */
MUST_CHECK bool row_from_error(struct buf *out, const struct request *request, const char *code,
                               const char *message);

#endif
