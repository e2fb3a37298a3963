#ifndef CLI_OPERATOR_H
#define CLI_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/finish.h"
#include "cli/session.h"

/*
 * What an operator does to a job, one question each: they wait for the answer,
 * as the questions of cli/session.h do. ERR_NO_JOB when there is no such job.
 */

/** The hold that `sheaf pause` puts on a job. */
#define OPERATOR_HOLD "operator"

/** What a verb that changes a job has to know of it. Plain data. */
struct operator_job {
    char name[JOB_NAME_MAX + 1];
    struct finish finish;
    char site[16];
    char hold[24];   /* "" when it is not held */
    char why[160];   /* of the hold, cut; "" */
    uint64_t ok;     /* rows with a result */
    uint64_t failed; /* rows that were given up, the ones that could not be sent included */
    uint32_t windows;
    size_t batches; /* live records, those that are only tidied up included */
    size_t remote;  /* of these: may still be working at the provider */
    uint64_t poll_ms;
    uint32_t max_attempts;
};

struct invocation;

/** Does one thing to @job and tells people; false with @err when that failed. */
typedef bool (*operator_act_fn)(const struct invocation *call, struct session *session,
                                const struct operator_job *job, struct err *err);

/** The body of a verb that looks at its JOB and does one thing to it: the exit code. */
int operator_run(struct invocation *call, operator_act_fn act);

/** Look at the job that @given names. */
MUST_CHECK bool operator_look(struct session *s, const char *given, struct operator_job *job,
                              struct err *err);

/** protocol_job_hold() with OPERATOR_HOLD. */
MUST_CHECK bool operator_hold(struct session *s, const char *job, const char *why,
                              enum protocol_answer *answer, struct err *err);

/** protocol_job_resume() of the hold @reason. */
MUST_CHECK bool operator_resume(struct session *s, const char *job, const char *reason,
                                enum protocol_answer *answer, struct err *err);

/**
 * protocol_job_cancel() until all that waited is settled: *@answer is OK or
 * ENDED. The mark must be in the sink already.
 */
MUST_CHECK bool operator_cancel(struct session *s, const char *job, enum protocol_answer *answer,
                                struct err *err);

/** protocol_job_seal() behind @windows windows: OK, DUP or CURSOR. */
MUST_CHECK bool operator_seal(struct session *s, const char *job, uint32_t windows,
                              enum protocol_answer *answer, struct err *err);

/** protocol_job_purge(): OK or BUSY. */
MUST_CHECK bool operator_purge(struct session *s, const char *job, enum protocol_answer *answer,
                               struct err *err);

#endif
