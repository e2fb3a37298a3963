#ifndef CLI_RECIPE_SUBMIT_H
#define CLI_RECIPE_SUBMIT_H

#include "cli/verb.h"

/**
 * `sheaf submit` with a recipe: renders the next round of the job, whichever it is, and hands it to
 * the cluster; with --wait round after round until nothing is left to ask. Returns the exit code.
 */
int recipe_submit_run(struct invocation *call);

#endif
