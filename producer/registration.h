#ifndef PRODUCER_REGISTRATION_H
#define PRODUCER_REGISTRATION_H

#include "common/base/err.h"
#include "common/model/job_spec.h"
#include "common/protocol/protocol.h"
#include "producer/core/quotes.h"

struct event_base;
struct registration;

/**
 * Opens a job, cuts its input, registers window after window with
 * backpressure, and seals the job. Resumes where another left off, and helps
 * one that is at it. When Redis has forgotten the job it is registered again,
 * with what the sink has an answer for left out.
 */

/** @err is NULL on success: the whole input is registered. */
typedef void (*registration_done_fn)(const struct err *err, void *arg);

struct registration_plan {
    const char *input;            /* path or "-"; borrowed */
    struct job_spec spec;         /* as it would be if the job is new */
    struct job_tunables tunables; /* without its money */
    struct quotes quotes;         /* the cap, and the prices; the provider is the spec's */
    int64_t give_up_ms;           /* without Redis */
};

/** Borrows @base and @protocol; copies @plan. @done runs once. Free with registration_free(). */
struct registration *registration_new(struct event_base *base, struct protocol *protocol,
                                      const struct registration_plan *plan,
                                      registration_done_fn done, void *arg);

/** NULL is fine. */
void registration_free(struct registration *r);

#endif
