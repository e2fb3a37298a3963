#ifndef CLI_STATE_DIR_H
#define CLI_STATE_DIR_H

#include <stdbool.h>

#include "common/base/err.h"

/**
 * The folder in which a job on this host keeps what must outlive a process:
 * redis/, sink/, spool/, sheaf.log. Locked while a `sheaf` works in it, so
 * that two never start a Redis on the same data.
 */
struct state_dir {
    char path[3072]; /* absolute, without a trailing slash */
    int lock_fd;     /* -1 when not held */
};

/**
 * Create the folder if @create, and take its lock. ERR_CONFLICT, naming the
 * pid, when another process holds it; ERR_UNAVAILABLE when the folder cannot be
 * made or written. The lock ends with the process or state_dir_unlock().
 */
MUST_CHECK bool state_dir_lock(struct state_dir *dir, const char *path, bool create,
                               struct err *err);

/** Give the lock back. */
void state_dir_unlock(struct state_dir *dir);

/** Make the sub-folder @name if it is not there; its absolute path in @out (4,096 bytes). */
MUST_CHECK bool state_dir_sub(const struct state_dir *dir, const char *name, char out[4096],
                              struct err *err);

#endif
