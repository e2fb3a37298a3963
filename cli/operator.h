#ifndef CLI_OPERATOR_H
#define CLI_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/account.h"
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
    size_t batches;      /* live records, those that are only tidied up included */
    size_t remote;       /* of these: may still be working at the provider */
    size_t not_uploaded; /* of these: failed before, and will be tried again later */
    size_t lanes_held;   /* of its lanes: nothing more is sent of them for now */
    char lane_why[160];  /* of the first of them, cut; "" */
    bool parked;         /* its provider asked to wait with some call */
    uint64_t poll_ms;
    uint32_t max_attempts;
    uint32_t generation; /* that Redis knows of */
};

struct invocation;
struct sink;

/** Does one thing to @job and tells people; false with @err when that failed. */
typedef bool (*operator_act_fn)(const struct invocation *call, struct session *session,
                                const struct operator_job *job, struct err *err);

/** The body of a verb that looks at its JOB and does one thing to it: the exit code. */
int operator_run(struct invocation *call, operator_act_fn act);

/** Look at the job that @given names. */
MUST_CHECK bool operator_look(struct session *s, const char *given, struct operator_job *job,
                              struct err *err);

/**
 * Round @round of @job, which is one with a recipe: *@found. A round that is not there is no
 * failure.
 */
MUST_CHECK bool operator_look_at_round(struct session *s, const char *job, unsigned round,
                                       struct operator_job *out, bool *found, struct err *err);

/** Of a job with a recipe whose first round has ended, @job becomes the newest round. */
MUST_CHECK bool operator_go_to_newest(struct session *s, struct operator_job *job, struct err *err);

/** account_check() of the job as Redis knows it now. */
MUST_CHECK bool operator_check_account(struct session *s, const char *job,
                                       const struct account *account, struct err *err);

/** protocol_job_hold() with OPERATOR_HOLD. */
MUST_CHECK bool operator_hold(struct session *s, const char *job, const char *why,
                              enum protocol_answer *answer, struct err *err);

/** protocol_job_resume() of the hold @reason; NULL: any, and those of its lanes. */
MUST_CHECK bool operator_resume(struct session *s, const char *job, const char *reason,
                                enum protocol_answer *answer, struct err *err);

/**
 * protocol_job_cancel() until all that waited is settled: *@answer is OK, ENDED or STATE. The
 * mark must be in the sink already, of @generation.
 */
MUST_CHECK bool operator_cancel(struct session *s, const char *job, uint32_t generation,
                                enum protocol_answer *answer, struct err *err);

/** protocol_job_unpack() of what could not be uploaded: it is tried again at once. */
MUST_CHECK bool operator_unpack(struct session *s, const char *job, struct err *err);

/** protocol_job_seal() behind @windows windows: OK, DUP or CURSOR. */
MUST_CHECK bool operator_seal(struct session *s, const char *job, uint32_t windows,
                              enum protocol_answer *answer, struct err *err);

/**
 * Tell Redis of the newest resubmission that @sink has: its parts are merged again and what has
 * no result is sent. May be repeated; success also when there is none.
 */
MUST_CHECK bool operator_tell_generation(struct session *s, struct sink *sink, const char *job,
                                         struct err *err);

/**
 * Tell Redis of a resubmission that it does not know of, though the job's sink has it, and look at
 * @job again. Where the sink is not at hand nothing is told.
 */
MUST_CHECK bool operator_catch_up(struct session *s, struct operator_job *job, struct err *err);

/**
 * The same before @name is only looked at: what Redis says of it is then not of the resubmission
 * before. Fails where the sink cannot be read; ERR_NO_JOB.
 */
MUST_CHECK bool operator_catch_up_with(struct session *s, const char *name, struct err *err);

/** protocol_job_purge(): OK or BUSY. */
MUST_CHECK bool operator_purge(struct session *s, const char *job, enum protocol_answer *answer,
                               struct err *err);

#endif
