#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/config/options.h"
#include "common/model/job_view.h"
#include "common/protocol/protocol.h"

struct event_base;
struct redis_conn;
struct supervisor;

/**
 * A loop with a connection to the Redis that the options speak of: the one of
 * --redis, or the private one of a state directory, which is started, under
 * the directory's lock, when no process has it alive. Closing stops what it
 * started.
 */
struct session;

/**
 * For verbs that look: on a state directory the Redis that is alive there is used. When
 * another process holds the lock and its Redis does not answer yet, waits some
 * seconds. ERR_USAGE when the options name no Redis, ERR_NO_JOB when the state
 * directory holds nothing. NULL with @err on failure.
 */
struct session *session_open(const struct options *o, struct err *err);

/**
 * For `run`: takes the lock of @state_dir (made if @state_dir is not there) in
 * every case: ERR_CONFLICT names who holds it.
 */
struct session *session_open_for_run(const struct options *o, const char *state_dir,
                                     struct err *err);

/** NULL is fine. Private Redis and other programs of the supervisor are stopped. Blocks. */
void session_close(struct session *s);

struct event_base *session_base(const struct session *s);
struct redis_conn *session_conn(const struct session *s);
struct protocol *session_protocol(const struct session *s);

/** URL of the Redis; may hold a password. */
const char *session_redis_url(const struct session *s);

/** Absolute path of the state directory; NULL when there is none. */
const char *session_state_dir(const struct session *s);

/** True when the Redis belongs to another process that can stop it at any time. */
bool session_is_guest(const struct session *s);

/** What runs under this process; NULL when there is nothing to run. */
struct supervisor *session_supervisor(const struct session *s);

/** The open log of the state directory; -1 when there is none. */
int session_log_fd(const struct session *s);

/*
 * Questions. Each runs the loop until the answer is there: for verbs that wait for
 * nothing else, outside callbacks. ERR_UNAVAILABLE when Redis gives none within
 * some seconds.
 */

/** Called once with the answer; borrowed. */
typedef void (*session_view_fn)(const struct job_view *view, void *arg);
typedef void (*session_list_fn)(const struct job_row *rows, size_t count, int64_t now_ms,
                                void *arg);

/** ERR_NO_JOB when there is none of that name. */
MUST_CHECK bool session_view(struct session *s, const char *job, session_view_fn fn, void *arg,
                             struct err *err);

MUST_CHECK bool session_list(struct session *s, session_list_fn fn, void *arg, struct err *err);

/** Start the one call of a question; @done(@done_arg) must be its callback. */
typedef void (*session_start_fn)(struct protocol *protocol, protocol_fn done, void *done_arg,
                                 void *arg);

/** Any call that has no result but its *@answer, which is never PROTOCOL_FAILED. */
MUST_CHECK bool session_ask(struct session *s, session_start_fn start, void *arg,
                            enum protocol_answer *answer, struct err *err);

/**
 * The job that is meant: @given if it is not NULL, else the only one that Redis
 * knows. ERR_NO_JOB when it knows none, ERR_USAGE when several.
 */
MUST_CHECK bool session_pick_job(struct session *s, const char *given, char job[JOB_NAME_MAX + 1],
                                 struct err *err);

#endif
