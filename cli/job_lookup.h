#ifndef CLI_JOB_LOOKUP_H
#define CLI_JOB_LOOKUP_H

#include <stdbool.h>

#include "cli/finish.h"
#include "cli/verb.h"
#include "common/base/err.h"

/**
 * Ask Redis for the job that the first argument of @call names (none: the only
 * one): opens a session and closes it again. Knows no job of a lost Redis.
 */
MUST_CHECK bool job_lookup(const struct invocation *call, struct finish *f, struct err *err);

/**
 * The same for work on the sink alone: when the Redis of a state directory does not know
 * the job, its sink may; @f then has the specification only.
 */
MUST_CHECK bool job_lookup_in_sink(const struct invocation *call, struct finish *f,
                                   struct err *err);

/**
 * What to do about @err, with which the job that the first argument of @call names was not found;
 * NULL: nothing is known.
 */
const char *job_lookup_hint(const struct invocation *call, const struct err *err);

/** The job @job of the state directory @state_dir, from its sink. ERR_NO_JOB: none there. */
MUST_CHECK bool job_lookup_spec(const char *state_dir, const char *job, struct job_spec *spec,
                                struct err *err);

#endif
