#ifndef CLI_PLAN_READ_H
#define CLI_PLAN_READ_H

#include <stdbool.h>

#include "cli/core/plan_sum.h"
#include "common/base/attr.h"
#include "common/base/err.h"

struct recipe;

/*
 * Read an input once, from its beginning to its end, and add it up into a plan that is empty but
 * for what it is about. Constant memory, nothing is written. Both block while they read, and fail
 * with ERR_INPUT when they cannot.
 */

/** Request lines at @path ("-": standard input); @model (may be NULL) is for those without one. */
MUST_CHECK bool plan_read_requests(struct plan *plan, const char *path, const char *model,
                                   struct err *err);

/**
 * Rows at @path as @recipe (which must outlive @plan) asks about them. ERR_USAGE when the rows do
 * not have the columns that it names, as far as the first of them tell.
 */
MUST_CHECK bool plan_read_rows(struct plan *plan, const char *path, const struct recipe *recipe,
                               struct err *err);

#endif
