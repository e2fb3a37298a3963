#ifndef CLI_RECIPE_JOB_H
#define CLI_RECIPE_JOB_H

#include <stdbool.h>

#include "cli/run_plan.h"
#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/recipe.h"

struct buf;
struct session;

/*
 * A job with a recipe on this host: a chain of ordinary jobs, its rounds.
 *
 *     rows ─render─► STATE/recipe/JOB/r1.requests.jsonl ─► job JOB ─► results
 *                         ▲ r1.map                             │
 *                         │                               judge: answers that are not valid and
 *                         └── r2, r3, ... ◄────────────── may be asked again
 *                                                              │ none
 *     rows + rounds ─integrate─► OUTPUT, errors, report  ◄─────┘
 *
 * Each arrow is a pure function of files that are there whole or not at all, so the same command
 * goes on wherever the last one stopped.
 */

/** In STATE/recipe/JOB: the --max-cost of the job; not there without one. */
#define RECIPE_JOB_CAP "max_cost"

/** Borrowed for the call. */
struct recipe_job {
    const struct invocation *call;
    struct session *session; /* holds the state directory */
    const struct recipe *recipe;
    const char *name; /* of round 1 */
    const char *sink; /* "dir:/abs/path" */
    const char *site; /* who serves it */
    const char *rows; /* path of the rows, which can be read again */
    const char *rows_fingerprint;
    const char *output;     /* NULL: nothing is written, only told */
    bool is_trial;          /* OUTPUT is of no use to anybody but the caller: it is not told of */
    bool overwrite;         /* an OUTPUT that is not this job's is replaced */
    const struct buf *what; /* for the trail; NULL: it is noted */
};

/**
 * Whether @recipe and its rows are those that the job in the state directory was begun with;
 * keeps them (the bundle) when it is new. @opened: something of it may have been sent; while
 * nothing was, another recipe simply takes the place of the old one. ERR_CONFLICT names what
 * has changed.
 */
MUST_CHECK bool recipe_job_bind(const struct session *session, const char *name, bool opened,
                                const struct recipe *recipe, const char *rows,
                                const char *rows_fingerprint, struct err *err);

/**
 * Run the rounds, integrate, say how it went. Returns the exit code: 0 every answer is there (or
 * its default), 3 some failed, or why it stopped.
 */
int recipe_job_run(const struct recipe_job *job);

#endif
