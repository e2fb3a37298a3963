#ifndef WORKER_TASK_H
#define WORKER_TASK_H

#include <stdint.h>

#include "common/daemon/crew.h"
#include "common/daemon/daemon.h"
#include "common/model/job_spec.h"
#include "common/protocol/protocol.h"
#include "common/provider/provider.h"

/*
 * What the worker does with one claimed record. Each kind (poll, fetch, clean,
 * part) begins with a struct task and frees itself through task_end().
 */

/** Pause before a record that is in trouble is tried again. */
#define TASK_TROUBLE_WAIT_MS 5000

struct worker {
    struct daemon daemon;
    struct crew *crew;
    unsigned fetching; /* under way in this process */
};

struct task {
    struct work work; /* first: lost() casts */
    struct worker *worker;
    struct batch batch; /* nothing for a part */
    struct job_spec spec;
    struct provider_call *call;
    struct protocol_call *step;
    void (*release)(struct task *task); /* frees what the kind owns; NULL: nothing */
};

/**
 * Take over @claim under @nonce. False when the job's document cannot be
 * read: the record was put off and the task is gone.
 */
bool task_begin(struct task *task, struct worker *worker, struct claim *claim, const char *nonce);

/** Cancel calls, give the record to the crew, free @task (allocated with xcalloc()). */
void task_end(struct task *task);

/** Move the record; a fields array as for protocol_advance(). Ends the task with the answer. */
void task_move(struct task *task, enum batch_state to, enum protocol_role role, int64_t due_in_ms,
               const struct protocol_field *fields, size_t count, const char *cause);

/** Leave the record as it is, for anybody, in @wait_ms. Ends the task with the answer. */
void task_put_off(struct task *task, int64_t wait_ms, const char *cause);

/** The same where people have to know why (a TROUBLE_ word of common/model/job_view.h). */
void task_put_off_in_trouble(struct task *task, int64_t wait_ms, const char *kind, const char *why);

/** Log a step's answer that ends the task, then end it. */
void task_stop(struct task *task, const char *what, enum protocol_answer answer,
               const struct err *err);

/** Start the work that the record's state asks for. */
void poll_start(struct worker *worker, struct claim *claim, const char *nonce);
void fetch_start(struct worker *worker, struct claim *claim, const char *nonce);
void clean_start(struct worker *worker, struct claim *claim, const char *nonce);
void part_start(struct worker *worker, struct claim *claim, const char *nonce);

/** Give a record back at once, for a time when there is room for it. */
void task_decline(struct worker *worker, struct claim *claim, const char *nonce, int64_t wait_ms);

#endif
