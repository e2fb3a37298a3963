#include "cli/core/restart_plan.h"

#include <signal.h>

#define FIRST_WAIT_MS 250

bool restart_plan_was_killed(int code)
{
    return code == -SIGKILL || code == -SIGTERM;
}

void restart_plan_started(struct restart_plan *plan, int64_t now_ms)
{
    plan->started_ms = now_ms;
}

int64_t restart_plan_died(struct restart_plan *plan, int code, int64_t now_ms)
{
    unsigned fault = restart_plan_was_killed(code) ? 0 : 1;
    int64_t wait_ms = FIRST_WAIT_MS;

    if (plan->deaths == 0 || now_ms - plan->started_ms >= RESTART_WELL_MS) {
        plan->deaths = 1;
        plan->faults = fault;
        plan->failing_ms = now_ms;
        return 0;
    }
    plan->deaths++;
    plan->faults += fault;
    for (unsigned i = 2; i < plan->faults && wait_ms < RESTART_CAP_MS; i++)
        wait_ms *= 2;
    return wait_ms < RESTART_CAP_MS ? wait_ms : RESTART_CAP_MS;
}
