#ifndef CLI_HERE_H
#define CLI_HERE_H

#include <stdbool.h>

#include "cli/operator.h"
#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/err.h"

/*
 * Bringing a job to its end on this host when nobody else works on it: what a
 * verb does on a state directory without a `sheaf run`.
 */

/**
 * The programs that are started here shall serve the job's own provider: sets the
 * options of @call so. ERR_AUTH without a key, ERR_CONFLICT with one that cannot see the
 * job's batches. Changes nothing of the job.
 */
MUST_CHECK bool here_adopt_settings(struct invocation *call, struct session *session,
                                    const struct operator_job *job, struct err *err);

/**
 * Work on the job until it has ended, as `sheaf run` does (of one with a recipe on all its rounds),
 * and write OUTPUT where the state directory is OUTPUT.sheaf/. @input: where its input is read to
 * the end; NULL: all of it is registered. Undo with local_run_restore() once @session is closed.
 * Returns the exit code.
 */
int here_run(struct invocation *call, struct session *session, const struct operator_job *job,
             const char *input);

/** What here_run() does at its end, for a job that has ended without it: writes OUTPUT. */
int here_complete(struct invocation *call, struct session *session, const struct operator_job *job);

/**
 * Write OUTPUT of a job that has ended, where the state directory is OUTPUT.sheaf/ and OUTPUT is
 * not yet what the sink has. Returns the exit code: 0 also when rows failed.
 */
int here_publish(struct invocation *call, struct session *session, const struct operator_job *job);

#endif
