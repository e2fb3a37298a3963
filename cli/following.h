#ifndef CLI_FOLLOWING_H
#define CLI_FOLLOWING_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/verb.h"
#include "common/config/options.h"

/**
 * Follow one job to its end, as `watch`, `wait` and `submit --wait` do: until it
 * has ended, or for @timeout_ms (0: for as long as it takes). Shows progress in @form.
 * Survives that the Redis goes away for --give-up. @job may be NULL: the only
 * one. Messages for failures are written. Returns the exit code: 0 or 3 (some
 * rows failed), 5, 6 (held at its cap), 7, 9.
 */
int following_run(const struct invocation *call, const char *job, enum option_progress form,
                  int64_t timeout_ms);

#endif
