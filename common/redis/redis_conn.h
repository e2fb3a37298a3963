#ifndef REDIS_REDIS_CONN_H
#define REDIS_REDIS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/redis/redis_reply.h"
#include "common/redis/redis_url.h"

struct event_base;
struct redis_conn;
struct redis_command;

/** What is known about one command when it is over. */
enum redis_outcome {
    REDIS_OK,          /* executed; @reply is what it answered */
    REDIS_ERROR_REPLY, /* refused, or failed while running; @reply is the error */
    REDIS_NOT_SENT,    /* surely not executed: no connection in time, or LOADING and the like */
    REDIS_UNKNOWN,     /* sent, but no answer: executed or not */
};

/** How a command ended. Borrowed: valid only inside the callback. */
struct redis_result {
    enum redis_outcome outcome;
    const struct redis_reply *reply; /* NULL for NOT_SENT and UNKNOWN */
    struct err err;                  /* OK: ERR_NONE. ERROR_REPLY: ERR_PERMANENT.
                                        NOT_SENT and UNKNOWN: ERR_TEMPORARY */
};

/**
 * Runs once, on the loop, never inside redis_call(). It may send commands,
 * cancel others and free the connection.
 */
typedef void (*redis_done_fn)(const struct redis_result *result, void *arg);

/**
 * The connection is usable from now on (@reason is NULL), or was lost or could
 * not be made, and why. Runs on the loop at each change, and at each
 * failed try. May free the connection.
 */
typedef void (*redis_state_fn)(bool up, const struct err *reason, void *arg);

/**
 * A connection that keeps itself up: it connects, says AUTH, SELECT and PING,
 * and after a loss starts again for ever, waiting 50 ms to 5 s, jittered.
 * Nothing is ever re-sent here. Never fails; what is wrong is in
 * redis_conn_last_error(). Borrows @base; copies @url. @command_timeout_ms
 * (above 0) bounds each command and each try to connect. The process must
 * ignore SIGPIPE (loop_new() sees to it). Free with redis_conn_free().
 */
struct redis_conn *redis_conn_new(struct event_base *base, const struct redis_url *url,
                                  int command_timeout_ms);

/**
 * Commands and script calls under way are dropped without a callback; a server
 * may still execute what was sent. Safe inside the connection's own callbacks.
 * NULL is fine.
 */
void redis_conn_free(struct redis_conn *conn);

/** One function that is told about changes; NULL for none. */
void redis_conn_on_state(struct redis_conn *conn, redis_state_fn fn, void *arg);

/** True once the server has accepted us and until the connection is lost. */
bool redis_conn_is_up(const struct redis_conn *conn);

/** When it was lost (clock_mono_ms), or created if it never was up; -1 while it is up. */
int64_t redis_conn_down_since_ms(const struct redis_conn *conn);

/**
 * Why the last try failed or the connection was lost: ERR_PERMANENT when the
 * server refuses us (password, database), else ERR_TEMPORARY; ERR_NONE when
 * nothing has gone wrong yet. Lives as long as @conn.
 */
const struct err *redis_conn_last_error(const struct redis_conn *conn);

/** The loop it was made with. */
struct event_base *redis_conn_base(const struct redis_conn *conn);

/**
 * Send a command of @argc words (copied). @argvlen holds their lengths in
 * bytes; NULL when all are NUL-terminated. @done(@arg) runs exactly once,
 * later, unless the command is cancelled or the connection freed.
 *
 * Without a connection the command waits for one. It is over after the
 * connection's command timeout at the latest: REDIS_NOT_SENT if it was still
 * waiting; if it had been sent the connection is dropped, because the replies
 * behind could no longer be told apart, and everything in flight ends as
 * REDIS_UNKNOWN. The replies LOADING, MASTERDOWN, READONLY, NOREPLICAS and
 * BUSY drop the connection too (it may lead to a better server next time) and
 * count as REDIS_NOT_SENT. A reply over 64 MB is REDIS_UNKNOWN.
 *
 * The handle is valid until @done runs; ignore it if you never cancel.
 */
struct redis_command *redis_call(struct redis_conn *conn, int argc, const char *const *argv,
                                 const size_t *argvlen, redis_done_fn done, void *arg);

/** No callback from now on; a server may execute it all the same. NULL is fine. */
void redis_call_cancel(struct redis_command *command);

#endif
