#ifndef CLI_CORE_RESTART_PLAN_H
#define CLI_CORE_RESTART_PLAN_H

#include <stdint.h>

/** A process that lived this long was well: its next death is the first one again. */
#define RESTART_WELL_MS 10000

/** Longest wait before a restart. */
#define RESTART_CAP_MS 5000

/** When to start a process that has died again. Zeroed at first; times are monotonic. */
struct restart_plan {
    int64_t started_ms;
    int64_t failing_ms; /* since when it dies again and again */
    unsigned deaths;    /* in a row */
};

/** It was started. */
void restart_plan_started(struct restart_plan *plan, int64_t now_ms);

/** It has died: how many milliseconds to wait, 0 the first time, then 250 ms to 5 s. */
int64_t restart_plan_died(struct restart_plan *plan, int64_t now_ms);

#endif
