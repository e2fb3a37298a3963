#ifndef LOOP_LOOP_BACKOFF_H
#define LOOP_LOOP_BACKOFF_H

#include <stdint.h>

/**
 * How long to wait before try number @attempt (0: the first repeat): a point
 * in [0, min(@cap_ms, @base_ms * 2^@attempt)], chosen by @random, which is any
 * evenly spread 32-bit number. "Full jitter": many clients that failed together
 * do not come back together. Pure. @base_ms and @cap_ms are at least 1.
 */
int64_t backoff_ms(unsigned attempt, int64_t base_ms, int64_t cap_ms, uint32_t random);

#endif
