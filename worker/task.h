#ifndef WORKER_TASK_H
#define WORKER_TASK_H

#include "common/daemon/daemon.h"
#include "common/daemon/task.h"

/*
 * What the worker does with one claimed record. Each kind (poll, fetch, clean,
 * part) begins with a struct task and frees itself through task_end().
 */

struct worker {
    struct daemon daemon;
    struct crew *crew;
    unsigned fetching; /* under way in this process */
};

/** Start the work that the record's state asks for. */
void poll_start(struct worker *worker, struct claim *claim, const char *nonce);
void fetch_start(struct worker *worker, struct claim *claim, const char *nonce);
void clean_start(struct worker *worker, struct claim *claim, const char *nonce);
void part_start(struct worker *worker, struct claim *claim, const char *nonce);

/** Give a record back at once, for a time when there is room for it. */
void task_decline(struct worker *worker, struct claim *claim, const char *nonce, int64_t wait_ms);

#endif
