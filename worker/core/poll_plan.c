#include "worker/core/poll_plan.h"

#define LONGEST_MS 600000

int64_t poll_plan_next_ms(const struct poll_plan *plan, int64_t age_ms)
{
    int64_t next = age_ms / 10;

    if (next < plan->minimum_ms)
        next = plan->minimum_ms;
    if (next > LONGEST_MS)
        next = LONGEST_MS;
    return next > plan->bound_ms ? plan->bound_ms : next;
}
