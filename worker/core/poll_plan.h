#ifndef WORKER_CORE_POLL_PLAN_H
#define WORKER_CORE_POLL_PLAN_H

#include <stdint.h>

/** What bounds the polling of one remote batch. */
struct poll_plan {
    int64_t bound_ms;   /* the job's --poll-interval: never later than this */
    int64_t minimum_ms; /* the provider's; a bound below it is obeyed */
};

/**
 * Milliseconds until the next poll of a batch that has run for @age_ms:
 * min(bound, clamp(age / 10, minimum, 600 s)). Young batches are asked often,
 * old ones seldom.
 */
int64_t poll_plan_next_ms(const struct poll_plan *plan, int64_t age_ms);

#endif
