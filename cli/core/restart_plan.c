#include "cli/core/restart_plan.h"

#define FIRST_WAIT_MS 250

void restart_plan_started(struct restart_plan *plan, int64_t now_ms)
{
    plan->started_ms = now_ms;
}

int64_t restart_plan_died(struct restart_plan *plan, int64_t now_ms)
{
    int64_t wait_ms = FIRST_WAIT_MS;

    if (plan->deaths == 0 || now_ms - plan->started_ms >= RESTART_WELL_MS) {
        plan->deaths = 1;
        plan->failing_ms = now_ms;
        return 0;
    }
    plan->deaths++;
    for (unsigned i = 2; i < plan->deaths && wait_ms < RESTART_CAP_MS; i++)
        wait_ms *= 2;
    return wait_ms < RESTART_CAP_MS ? wait_ms : RESTART_CAP_MS;
}
