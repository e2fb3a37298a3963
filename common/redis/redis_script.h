#ifndef REDIS_REDIS_SCRIPT_H
#define REDIS_REDIS_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "common/redis/redis_conn.h"

struct redis_script_call;

/**
 * A Lua script that may be run again when its reply was lost: the second run
 * sees the effect of the first and says so. @sha1 is learned from the server
 * at the first call; zero-initialise it. Must outlive all its calls.
 */
struct redis_script {
    const char *name;   /* for messages */
    const char *source; /* NUL-terminated Lua */
    char sha1[41];
};

/**
 * Run @script with KEYS[1] = @key0 and ARGV = the @argc words of @argv (all
 * copied; @argvlen as for redis_call()). When the outcome is REDIS_NOT_SENT or
 * REDIS_UNKNOWN the same script is sent again, with a jittered pause of up to
 * 1 s, until @timeout_ms from now have passed. A server that does not know
 * the script is given its text.
 *
 * @done(@arg) runs exactly once, later, unless the call is cancelled or the
 * connection freed: with REDIS_OK or REDIS_ERROR_REPLY, or, when time is up,
 * with REDIS_UNKNOWN if any try may have been executed, else REDIS_NOT_SENT;
 * the message then tells what went wrong last.
 *
 * The handle is valid until @done runs; ignore it if you never cancel.
 */
struct redis_script_call *redis_script_call(struct redis_conn *conn, struct redis_script *script,
                                            const char *key0, int argc, const char *const *argv,
                                            const size_t *argvlen, int64_t timeout_ms,
                                            redis_done_fn done, void *arg);

/** No callback and no repeat from now on. NULL is fine. */
void redis_script_call_cancel(struct redis_script_call *call);

#endif
