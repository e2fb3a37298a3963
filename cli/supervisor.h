#ifndef CLI_SUPERVISOR_H
#define CLI_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/core/run_state.h"
#include "common/base/err.h"

struct event_base;

/** Starts programs, and starts again what dies: at once, then after up to 5 s. */
struct supervisor;

/**
 * A program called @name has ended; @status as waitpid() gives it. True: it is
 * started again when its time comes. Runs on the loop; must not free the supervisor.
 */
typedef bool (*supervisor_exit_fn)(const char *name, int status, void *arg);

/**
 * Borrows @base and @log_fd, where the programs' standard output and error go.
 * Free with supervisor_free(). Without supervisor_on_exit() everything is
 * started again.
 */
struct supervisor *supervisor_new(struct event_base *base, int log_fd);

/** Stops everything that is alive, as supervisor_stop() does. NULL is fine. */
void supervisor_free(struct supervisor *s);

void supervisor_on_exit(struct supervisor *s, supervisor_exit_fn fn, void *arg);

/**
 * Start @argv[0] (a path or a name in PATH) as @name, which is unique; the words
 * are copied. ERR_UNAVAILABLE when it cannot be executed.
 */
MUST_CHECK bool supervisor_start(struct supervisor *s, const char *name, const char *const *argv,
                                 struct err *err);

/** Start @name, which has ended and was to stay so, once more. */
void supervisor_again(struct supervisor *s, const char *name);

/**
 * The one that is worst off, for run_state_look(): one that ended with a refusal,
 * else the one that died most often in a row. All zero when none died lately.
 * Borrowed until the next call.
 */
struct run_failure supervisor_failure(struct supervisor *s);

/**
 * End all but @spare (NULL: none), SIGTERM first, SIGKILL after @grace_ms. Blocks. What was ended
 * is forgotten; @spare goes on being watched, and others can be started. Without @spare that is the
 * end: nothing is started any more.
 */
void supervisor_stop(struct supervisor *s, const char *spare, int grace_ms);

#endif
