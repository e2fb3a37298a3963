#ifndef CLI_RECIPE_KEPT_H
#define CLI_RECIPE_KEPT_H

#include <stdbool.h>

#include "cli/recipe_rounds.h"
#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/bundle.h"
#include "common/recipe/recipe.h"

struct session;

/** A recipe job that has ended, as its sink keeps it: nothing else is needed but the rows. */
struct recipe_kept {
    struct recipe_rounds rounds;
    struct recipe recipe;
    struct bundle_origin origin; /* the rows */
};

/**
 * Look at @job. ERR_NO_JOB when there is no such job; ERR_TEMPORARY when its newest round has not
 * ended, or the sink does not have all yet. The caller releases *@out on success.
 */
MUST_CHECK bool recipe_kept_open(struct session *session, const char *job, struct recipe_kept *out,
                                 struct err *err);
void recipe_kept_release(struct recipe_kept *kept);

/** Whether the rows are those that were asked about: ERR_INPUT when not. */
MUST_CHECK bool recipe_kept_check_rows(const struct recipe_kept *kept, struct err *err);

/** verb_fail() with what can be done: what is not ready yet is EXIT_CODE_NOT_YET. */
int recipe_kept_fail(const struct invocation *call, const struct err *err);

/** `sheaf results` of such a job: writes OUTPUT. Returns the exit code. */
int recipe_kept_results(struct invocation *call, const char *job);

/** `sheaf report` of such a job: into @text, as JSON or for people, and the page of --html. */
int recipe_kept_report(struct invocation *call, const char *job, struct buf *text);

#endif
