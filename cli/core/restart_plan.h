#ifndef CLI_CORE_RESTART_PLAN_H
#define CLI_CORE_RESTART_PLAN_H

#include <stdbool.h>
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
    unsigned faults;    /* those of them that were its own */
};

/** It was started. */
void restart_plan_started(struct restart_plan *plan, int64_t now_ms);

/**
 * True when the process that ended with @code (minus the signal) was killed by somebody, or by a
 * system short of memory: no fault of its own.
 */
bool restart_plan_was_killed(int code);

/**
 * It has died with @code: how many milliseconds to wait, 0 the first time, then 250 ms, and up to
 * 5 s when the faults are its own. Were killing to make the wait longer, whoever kills at random
 * would find everybody waiting but the one that has just started.
 */
int64_t restart_plan_died(struct restart_plan *plan, int code, int64_t now_ms);

#endif
