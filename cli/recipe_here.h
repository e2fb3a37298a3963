#ifndef CLI_RECIPE_HERE_H
#define CLI_RECIPE_HERE_H

#include <stdbool.h>

#include "cli/local_run.h"
#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"

struct session;

/** Whether @job of the state directory of @session is one with a recipe, or a round of one. */
bool recipe_here_is_one(const struct session *session, const char *job);

/** The --max-cost that such a job was given last, into @out (cleared); empty: none. */
MUST_CHECK bool recipe_here_cap(const struct session *session, const char *job, struct buf *out,
                                struct err *err);

/**
 * What local_run() does, for a job that is a round of one with a recipe: works on it, on the rounds
 * that follow, and writes OUTPUT. The recipe and the rows are those that the state directory of
 * @session keeps. Returns the exit code.
 */
int recipe_here_run(const struct invocation *call, struct session *session,
                    const struct local_job *job);

#endif
