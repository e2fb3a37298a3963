#ifndef CLI_RECIPE_WAIT_H
#define CLI_RECIPE_WAIT_H

#include <stdint.h>

#include "cli/verb.h"
#include "common/config/options.h"

/**
 * following_run(), and of a job with a recipe its later rounds too, as long as somebody makes them.
 * Then 0 means that every answer is there, 3 that some failed, and EXIT_CODE_NOT_YET that some may
 * be asked for once more, by the same `sheaf submit` or `sheaf run`.
 */
int recipe_wait_run(struct invocation *call, const char *job, enum option_progress form,
                    int64_t timeout_ms);

#endif
