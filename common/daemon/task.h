#ifndef DAEMON_TASK_H
#define DAEMON_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/daemon/crew.h"
#include "common/model/job_spec.h"
#include "common/protocol/protocol.h"
#include "common/provider/provider.h"
#include "common/provider/retry.h"

/*
 * What is done with one claimed record. Each kind of work begins its own struct with a struct
 * task and frees itself through task_end(). Moves, waits and what is done about failures
 * are the same for all of them.
 */

/** Pause before a record that is in trouble on this host is tried again. */
#define TASK_TROUBLE_WAIT_MS 5000

struct task {
    struct work work; /* first: lost() casts */
    struct daemon *daemon;
    enum protocol_role role;
    struct batch batch; /* nothing for a part */
    struct job_spec spec;
    int64_t poll_ms; /* the job's longest time between polls */
    uint32_t max_attempts;
    struct provider_call *call;
    struct protocol_call *step;
    struct provider_error failure;      /* the last that task_decide() was asked about, ... */
    char kind[RETRY_KIND_SIZE];         /* ... of which kind it was, ... */
    unsigned tries;                     /* ... and how many in a row before it were of that kind */
    void (*release)(struct task *task); /* frees what the kind owns; NULL: nothing */
};

/**
 * Take over @claim under @nonce. False when the job's document cannot be
 * read: the record was put off and the task is gone.
 */
bool task_begin(struct task *task, struct crew *crew, struct claim *claim, const char *nonce);

/** Cancel calls, give the record to the crew, free @task (allocated with xcalloc()). */
void task_end(struct task *task);

/** Log a step's answer that ends the task, then end it. */
void task_stop(struct task *task, const char *what, enum protocol_answer answer,
               const struct err *err);

/** A move as a person reads it: from, to, and why. */
void task_log_move(const struct task *task, enum batch_state to, const char *cause);

/** Most fields that a move may have. */
#define TASK_FIELDS_MAX 16

/**
 * Move the record; a fields array as for protocol_advance(). Ends the task with the answer. A
 * move to the same state keeps `tries`, any other begins with 0, unless @fields say otherwise.
 */
void task_move(struct task *task, enum batch_state to, enum protocol_role role, int64_t due_in_ms,
               const struct protocol_field *fields, size_t count, const char *cause);

/** Leave the record as it is, for anybody, in @wait_ms. Ends the task with the answer. */
void task_put_off(struct task *task, int64_t wait_ms, const char *cause);

/** The same where people have to know why (a TROUBLE_ word of common/model/job_view.h). */
void task_put_off_in_trouble(struct task *task, int64_t wait_ms, const char *kind, const char *why);

/** The failure that task_decide() was asked about last counts: as one more of its kind, in memory.
 */
void task_count_failure(struct task *task);

/** The same as task_put_off() after a failure, which counts. */
void task_try_later(struct task *task, int64_t wait_ms, const char *cause);

/**
 * What common/provider/retry.h says to do about @error at @step; @when as there. Logs it, and does
 * what the decision says beside its action: tells people, teaches the lane, holds it, slows
 * down calls of this kind for everybody. The action itself is the caller's.
 */
struct retry_decision task_decide(struct task *task, enum retry_step step, unsigned when,
                                  const struct provider_error *error);

/**
 * The batch ends here without results. Its requests go back free, or, @counted, as a try;
 * @failure says why (a code), @refused what the provider said, as
 * common/daemon/refusal.h writes it; NULL: nothing.
 */
void task_end_batch(struct task *task, const char *failure, bool counted, const char *refused);

/** The provider's code of a failure, else its class: what `failure` holds. */
const char *task_failure_code(const struct provider_error *error);

#endif
