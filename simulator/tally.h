#ifndef SIMULATOR_TALLY_H
#define SIMULATOR_TALLY_H

#include <stdint.h>

#include "common/base/buf.h"

struct batches;

/**
 * What all batches together come to at @now_ms, as JSON members with a comma
 * before each: how they were used as intents and how long they lived.
 */
void tally_write(const struct batches *b, int64_t now_ms, struct buf *out);

/** Each batch as a JSON object, with commas between. */
void tally_write_batches(const struct batches *b, struct buf *out);

#endif
