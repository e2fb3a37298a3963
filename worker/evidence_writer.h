#ifndef WORKER_EVIDENCE_WRITER_H
#define WORKER_EVIDENCE_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "worker/core/tally.h"

struct sink;

/**
 * Publish, for each part that @batch has members in, that the batch has ended
 * and what it was asked for (common/codec/evidence.h). All segments are in the
 * sink already. @message goes with batch->failure. What is there already is adopted.
 */
MUST_CHECK bool evidence_write(struct sink *sink, const struct batch *batch, const char *message,
                               const struct member *members, size_t count,
                               const struct tally *tally, struct err *err);

#endif
