#ifndef DAEMON_REFUSAL_H
#define DAEMON_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/provider/provider_error.h"
#include "common/provider/remote.h"

/*
 * What a provider said when it refused lines of a batch file, or the file as a whole, as it is kept
 * in the batch's record (BATCH_F_REFUSED) until the dead letters are written: the same JSON that
 * remote_errors_parse() reads. An entry without a line is about all lines.
 */

/** Bytes that one may have: what the record takes. */
#define REFUSAL_MAX_BYTES (900u << 10)

/** Lines that one may name; more are found out when the rest is sent again. */
#define REFUSAL_LINES_MAX 2000

/** Room for one. */
#define REFUSAL_BUF BUF_INIT(REFUSAL_MAX_BYTES)

/** A call was refused. Appends to @out, NUL-terminated: out->data is the text. */
void refusal_of_error(const struct provider_error *error, struct buf *out);

/** A batch failed: its lines that are named; without any, its first error. As above. */
void refusal_of_batch(const struct remote_batch *batch, struct buf *out);

#endif
