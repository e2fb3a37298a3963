#ifndef CLI_CHILDREN_H
#define CLI_CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/err.h"

struct event_base;
struct children;

/**
 * A process that was started here has ended. @name is the one it was started
 * with, @status as waitpid() gives it. Runs on the loop; it may start others.
 */
typedef void (*children_exit_fn)(const char *name, pid_t pid, int status, void *arg);

/** Watches for ended children by SIGCHLD. Borrows @base. children_free() does not end them. */
struct children *children_new(struct event_base *base, children_exit_fn on_exit, void *arg);
void children_free(struct children *children);

/**
 * Start @argv[0] (a path, or a name looked up in PATH) as @name. Its standard
 * input is /dev/null, its standard output and error are @log_fd (-1: ours).
 * It stays in our process group but does not see Ctrl-C, and gets SIGKILL when
 * we die, however we die.
 * ERR_UNAVAILABLE, with the cause, when it cannot be executed.
 */
MUST_CHECK bool children_start(struct children *children, const char *name, const char *const *argv,
                               int log_fd, struct err *err);

/** How many live with this @name; NULL: all. */
unsigned children_alive(const struct children *children, const char *name);

/**
 * Ask all but those called @spare (NULL: none) with SIGTERM, wait up to @grace_ms
 * without the loop, then SIGKILL. on_exit does not run for them. Without @spare this is for the end
 * of the program: it does not run for any child any more.
 */
void children_stop(struct children *children, const char *spare, int grace_ms);

#endif
