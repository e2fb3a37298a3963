#ifndef CLI_RECIPE_AUDIT_H
#define CLI_RECIPE_AUDIT_H

#include "cli/verb.h"

/**
 * `sheaf audit` of a job with a recipe: every round as any job, and with -o whether OUTPUT and its
 * errors file are what rows, recipe and results make: they are made again and compared. Returns the
 * exit code.
 */
int recipe_audit_run(struct invocation *call, const char *job);

#endif
