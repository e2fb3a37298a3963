#ifndef CLI_PRIVATE_REDIS_H
#define CLI_PRIVATE_REDIS_H

#include <stdbool.h>

#include "cli/state_dir.h"
#include "common/base/err.h"

/** The program, and its name as a child. */
#define PRIVATE_REDIS_NAME "redis-server"

/** Words of its command line, with the NULL. */
#define PRIVATE_REDIS_WORDS 24

/** The redis-server of one state directory: a unix socket, append-only, every write synced. */
struct private_redis {
    char folder[4096];
    char socket[108]; /* beside the data, or where a shorter path can be had */
    char url[160];    /* for redis_url_parse() and --redis */
    char pid_file[4096 + 16];
};

/**
 * Where the server of @dir is or will be. Makes the folders. A socket path over
 * 107 bytes (what a unix socket can have) moves to a private folder under
 * $XDG_RUNTIME_DIR or the temporary folder.
 */
MUST_CHECK bool private_redis_place(struct private_redis *redis, const struct state_dir *dir,
                                    struct err *err);

/**
 * Find the server that another process runs for the state directory at @path,
 * by its socket. False, without an error, when none answers.
 */
MUST_CHECK bool private_redis_find(struct private_redis *redis, const char *path);

/**
 * Stop a server left over from a process that is gone, so that never two work on
 * one folder. The caller holds the lock of the state directory. Blocks.
 */
void private_redis_clear(const struct private_redis *redis);

/** Remove its socket, and the private folder of that if there is one, after it was stopped. */
void private_redis_tidy(const struct private_redis *redis);

/** The command line that starts it, NULL-terminated; borrows from @redis. */
void private_redis_argv(const struct private_redis *redis, const char *argv[PRIVATE_REDIS_WORDS]);

#endif
