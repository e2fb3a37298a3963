#include "common/redis/redis_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/attr.h"
#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/loop/loop_backoff.h"
#include "common/redis/redis_codec.h"
#include "common/redis/redis_conn_internal.h"
#include "common/redis/redis_link.h"

/*
 *              dial             connected          hello answered
 *   CONN_IDLE -----> CONN_DIALING -----> CONN_HELLO ----------> CONN_UP
 *       ^                 |                  |                     |
 *       +---- lost, refused, too slow: wait 50 ms to 5 s ----------+
 *
 * Commands wait in @waiting until CONN_UP, are in @flight until their reply
 * comes, and pass through @over on their way to the callback otherwise. All
 * have the same time limit, so each list is in the order of deadlines.
 */
enum conn_state { CONN_IDLE, CONN_DIALING, CONN_HELLO, CONN_UP };

enum { RETRY_BASE_MS = 50, RETRY_CAP_MS = 5000 };

TAILQ_HEAD(command_list, redis_command);
LIST_HEAD(dependent_list, redis_dependent);

struct redis_command {
    TAILQ_ENTRY(redis_command) entry;
    struct redis_conn *conn;
    struct command_list *list; /* the one it is in */
    char *bytes;               /* until it is sent */
    size_t len;
    int64_t deadline_ms;
    enum redis_outcome outcome; /* in @over */
    redis_done_fn done;         /* NULL: cancelled, only its reply is waited for */
    void *arg;
};

struct redis_conn {
    struct event_base *base; /* borrowed */
    struct redis_url url;
    int timeout_ms;
    enum conn_state state;
    struct redis_dialer *dialer;
    struct redis_link *link;        /* NULL in CONN_IDLE */
    struct loop_timer *dial_timer;  /* next try, or the end of patience with this one */
    struct loop_timer *limit_timer; /* earliest deadline of a command */
    bool limit_set;
    unsigned tries;      /* since it was up */
    unsigned hello_left; /* replies of the greeting still to come */
    bool hello_auth;     /* the next of them answers AUTH */
    int64_t down_since_ms;
    struct err last_error;
    struct err over_error; /* of all in @over */
    redis_state_fn on_state;
    void *on_state_arg;
    struct command_list waiting, flight, over;
    struct dependent_list dependents;
    unsigned depth; /* of our callbacks on the stack */
    bool closed;
};

static void conn_dial(struct redis_conn *conn);

static void command_put(struct redis_command *command, struct command_list *list)
{
    command->list = list;
    TAILQ_INSERT_TAIL(list, command, entry);
}

/* The first of @list, out of it; NULL when it is empty. */
static struct redis_command *command_take(struct command_list *list)
{
    struct redis_command *command = TAILQ_FIRST(list);

    if (command != NULL)
        TAILQ_REMOVE(list, command, entry);
    return command;
}

/* It is in no list any more. */
static void command_free(struct redis_command *command)
{
    if (command->bytes != NULL)
        redis_codec_release(command->bytes);
    free(command);
}

static void commands_free(struct command_list *list)
{
    struct redis_command *command = NULL;

    while ((command = command_take(list)) != NULL)
        command_free(command);
}

/* The command is freed first: its handle is not valid inside its callback. */
static void command_finish(struct redis_command *command, const struct redis_result *result)
{
    redis_done_fn done = command->done;
    void *arg = command->arg;

    command_free(command);
    if (done != NULL)
        done(result, arg);
}

static void command_over(struct redis_command *command, enum redis_outcome outcome)
{
    command->outcome = outcome;
    command_put(command, &command->conn->over);
}

/* Call back for all in @over. They may add commands, cancel some and close @conn. */
static void conn_settle(struct redis_conn *conn)
{
    struct redis_result result = {.err = conn->over_error};
    struct redis_command *command = NULL;

    while (!conn->closed && (command = command_take(&conn->over)) != NULL) {
        result.outcome = command->outcome;
        command_finish(command, &result);
    }
}

static void conn_release(struct redis_conn *conn)
{
    redis_link_close(conn->link);
    redis_dialer_free(conn->dialer);
    loop_timer_free(conn->dial_timer);
    loop_timer_free(conn->limit_timer);
    free(conn);
}

static void conn_enter(struct redis_conn *conn)
{
    conn->depth++;
}

/* @conn may be gone afterwards. */
static void conn_leave(struct redis_conn *conn)
{
    if (--conn->depth == 0 && conn->closed)
        conn_release(conn);
}

static void conn_tell(struct redis_conn *conn, bool up, const struct err *reason)
{
    if (conn->on_state != NULL && !conn->closed)
        conn->on_state(up, reason, conn->on_state_arg);
}

/* Give the link up and try again later. Call between conn_enter() and conn_leave(). */
static void conn_drop(struct redis_conn *conn, const struct err *why)
{
    struct redis_command *command = NULL;
    struct err reason = *why;

    redis_link_close(conn->link);
    conn->link = NULL;
    if (conn->state == CONN_UP)
        conn->down_since_ms = clock_mono_ms();
    conn->state = CONN_IDLE;
    conn->last_error = reason;
    loop_timer_set(conn->dial_timer, backoff_ms(conn->tries++, RETRY_BASE_MS, RETRY_CAP_MS,
                                                id_random_below(UINT32_MAX)));

    conn->over_error = reason;
    conn->over_error.kind = ERR_TEMPORARY;
    while ((command = command_take(&conn->flight)) != NULL)
        command_over(command, REDIS_UNKNOWN);
    conn_settle(conn);
    conn_tell(conn, false, &reason);
}

static void conn_drop_because(struct redis_conn *conn, enum err_kind kind, const char *what)
{
    char place[512];
    struct err err = {0};

    redis_url_print(&conn->url, place, sizeof(place));
    err_set(&err, kind, "%s: %s", place, what);
    conn_drop(conn, &err);
}

static void command_send(struct redis_command *command)
{
    struct redis_conn *conn = command->conn;

    redis_link_send(conn->link, command->bytes, command->len);
    command->bytes = NULL;
    command_put(command, &conn->flight);
}

static void conn_up(struct redis_conn *conn)
{
    struct redis_command *command = NULL;

    conn->state = CONN_UP;
    conn->tries = 0;
    conn->down_since_ms = -1;
    loop_timer_stop(conn->dial_timer);
    while ((command = command_take(&conn->waiting)) != NULL)
        command_send(command);
    conn_tell(conn, true, NULL);
}

static void hello_send(struct redis_conn *conn, int argc, const char *const *argv)
{
    size_t len = 0;
    char *bytes = redis_codec_format(argc, argv, NULL, &len);

    redis_link_send(conn->link, bytes, len);
    conn->hello_left++;
}

static void hello_auth_send(struct redis_conn *conn)
{
    const struct redis_url *url = &conn->url;
    const char *argv[3] = {"AUTH", url->user, url->password};

    if (url->user[0] == '\0') { /* the form that servers before 6.0 know */
        argv[1] = url->password;
        hello_send(conn, 2, argv);
    } else {
        hello_send(conn, 3, argv);
    }
}

static void hello_select_send(struct redis_conn *conn)
{
    char db[16];
    const char *const argv[2] = {"SELECT", db};

    (void)snprintf(db, sizeof(db), "%u", conn->url.db);
    hello_send(conn, 2, argv);
}

static void on_connected(void *arg)
{
    static const char *const ping[] = {"PING"};
    struct redis_conn *conn = arg;

    conn->state = CONN_HELLO;
    conn->hello_left = 0;
    conn->hello_auth = conn->url.password[0] != '\0';
    if (conn->hello_auth)
        hello_auth_send(conn);
    if (conn->url.db != 0)
        hello_select_send(conn);
    hello_send(conn, 1, ping); /* a server that loads its data, or wants a password, says so */
}

/* Errors that say: not executed here and now, perhaps elsewhere or later. */
static bool is_not_now(const struct redis_reply *reply)
{
    static const char *const codes[] = {"LOADING ", "MASTERDOWN ", "READONLY ", "NOREPLICAS ",
                                        "BUSY "};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strncmp(redis_reply_text(reply), codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}

static void hello_refused(struct redis_conn *conn, const struct redis_reply *reply)
{
    static const char full[] = "ERR max number of clients";
    const char *text = redis_reply_text(reply);
    bool temporary = is_not_now(reply) || strncmp(text, full, sizeof(full) - 1) == 0;
    char message[256];

    /* Only the code of an answer to AUTH: the text may repeat its arguments. */
    if (conn->hello_auth && !temporary)
        (void)snprintf(message, sizeof(message), "user or password refused (%.*s)",
                       (int)strcspn(text, " "), text);
    else
        (void)snprintf(message, sizeof(message), "%s", text);
    conn_drop_because(conn, temporary ? ERR_TEMPORARY : ERR_PERMANENT, message);
}

static void on_hello(struct redis_conn *conn, const struct redis_reply *reply)
{
    if (reply->type == REDIS_TYPE_ERROR) {
        hello_refused(conn, reply);
        return;
    }
    conn->hello_auth = false;
    if (--conn->hello_left == 0)
        conn_up(conn);
}

static void conn_answer(struct redis_conn *conn, const struct redis_reply *reply)
{
    struct redis_command *command = command_take(&conn->flight);
    struct redis_result result = {.outcome = REDIS_OK, .reply = reply};

    if (command == NULL) {
        conn_drop_because(conn, ERR_TEMPORARY, "an answer to no question");
        return;
    }
    if (reply->type != REDIS_TYPE_ERROR) {
        command_finish(command, &result);
    } else if (is_not_now(reply)) {
        result.outcome = REDIS_NOT_SENT;
        result.reply = NULL;
        err_set(&result.err, ERR_TEMPORARY, "redis: %s", redis_reply_text(reply));
        command_finish(command, &result);
        if (!conn->closed && conn->link != NULL)
            conn_drop_because(conn, ERR_TEMPORARY, redis_reply_text(reply));
    } else {
        result.outcome = REDIS_ERROR_REPLY;
        err_set(&result.err, ERR_PERMANENT, "redis: %s", redis_reply_text(reply));
        command_finish(command, &result);
    }
}

static void on_reply(const struct redis_reply *reply, void *arg)
{
    struct redis_conn *conn = arg;

    conn_enter(conn);
    if (conn->state == CONN_UP)
        conn_answer(conn, reply);
    else
        on_hello(conn, reply);
    conn_leave(conn);
}

static void on_lost(const struct err *why, void *arg)
{
    struct redis_conn *conn = arg;

    conn_enter(conn);
    conn_drop(conn, why);
    conn_leave(conn);
}

static void conn_dial(struct redis_conn *conn)
{
    static const struct redis_link_events events = {
        .connected = on_connected, .reply = on_reply, .lost = on_lost};
    struct err err = {0};

    conn->link = redis_dial(conn->dialer, &events, conn, &err);
    if (conn->link == NULL) {
        conn_drop(conn, &err);
        return;
    }
    conn->state = CONN_DIALING;
    loop_timer_set(conn->dial_timer, conn->timeout_ms);
}

static void on_dial_timer(void *arg)
{
    struct redis_conn *conn = arg;

    conn_enter(conn);
    if (conn->state == CONN_IDLE)
        conn_dial(conn);
    else
        conn_drop_because(conn, ERR_TEMPORARY,
                          conn->state == CONN_HELLO ? "connected, but no answer in time"
                                                    : "no connection in time");
    conn_leave(conn);
}

static void limit_arm(struct redis_conn *conn)
{
    struct redis_command *first = TAILQ_FIRST(&conn->flight);

    if (first == NULL)
        first = TAILQ_FIRST(&conn->waiting);
    conn->limit_set = first != NULL;
    if (first != NULL)
        loop_timer_set(conn->limit_timer, first->deadline_ms - clock_mono_ms());
}

static void expire_waiting(struct redis_conn *conn, int64_t now_ms)
{
    struct redis_command *command = NULL;

    conn->over_error = conn->last_error;
    if (conn->over_error.kind == ERR_NONE) {
        char place[512];

        redis_url_print(&conn->url, place, sizeof(place));
        err_set(&conn->over_error, ERR_TEMPORARY, "%s: not connected yet", place);
    }
    conn->over_error.kind = ERR_TEMPORARY;
    while ((command = TAILQ_FIRST(&conn->waiting)) != NULL && command->deadline_ms <= now_ms)
        command_over(command_take(&conn->waiting), REDIS_NOT_SENT);
    conn_settle(conn);
}

static void on_limit(void *arg)
{
    struct redis_conn *conn = arg;
    int64_t now_ms = clock_mono_ms();
    const struct redis_command *first = TAILQ_FIRST(&conn->flight);

    conn_enter(conn);
    if (first != NULL && first->deadline_ms <= now_ms)
        conn_drop_because(conn, ERR_TEMPORARY, "no answer in time");
    if (!conn->closed)
        expire_waiting(conn, now_ms);
    if (!conn->closed)
        limit_arm(conn);
    conn_leave(conn);
}

struct redis_conn *redis_conn_new(struct event_base *base, const struct redis_url *url,
                                  int command_timeout_ms)
{
    struct redis_conn *conn = xcalloc(1, sizeof(*conn));

    conn->base = base;
    conn->url = *url;
    conn->timeout_ms = command_timeout_ms;
    conn->down_since_ms = clock_mono_ms();
    TAILQ_INIT(&conn->waiting);
    TAILQ_INIT(&conn->flight);
    TAILQ_INIT(&conn->over);
    LIST_INIT(&conn->dependents);
    conn->dialer = redis_dialer_new(base, url);
    conn->dial_timer = loop_timer_new(base, on_dial_timer, conn);
    conn->limit_timer = loop_timer_new(base, on_limit, conn);
    loop_timer_set(conn->dial_timer, 0);
    return conn;
}

void redis_conn_free(struct redis_conn *conn)
{
    struct redis_dependent *dependent = NULL;

    if (conn == NULL || conn->closed)
        return;
    while ((dependent = LIST_FIRST(&conn->dependents)) != NULL)
        dependent->drop(dependent);
    conn->closed = true;
    redis_link_close(conn->link);
    conn->link = NULL;
    loop_timer_stop(conn->dial_timer);
    loop_timer_stop(conn->limit_timer);
    commands_free(&conn->waiting);
    commands_free(&conn->flight);
    commands_free(&conn->over);
    if (conn->depth == 0)
        conn_release(conn);
}

void redis_conn_on_state(struct redis_conn *conn, redis_state_fn fn, void *arg)
{
    conn->on_state = fn;
    conn->on_state_arg = arg;
}

bool redis_conn_is_up(const struct redis_conn *conn)
{
    return conn->state == CONN_UP;
}

int64_t redis_conn_down_since_ms(const struct redis_conn *conn)
{
    return conn->down_since_ms;
}

const struct err *redis_conn_last_error(const struct redis_conn *conn)
{
    return &conn->last_error;
}

struct event_base *redis_conn_base(const struct redis_conn *conn)
{
    return conn->base;
}

struct redis_command *redis_call(struct redis_conn *conn, int argc, const char *const *argv,
                                 const size_t *argvlen, redis_done_fn done, void *arg)
{
    struct redis_command *command = xcalloc(1, sizeof(*command));

    command->conn = conn;
    command->done = done;
    command->arg = arg;
    command->deadline_ms = clock_mono_ms() + conn->timeout_ms;
    command->bytes = redis_codec_format(argc, argv, argvlen, &command->len);
    if (conn->state == CONN_UP)
        command_send(command);
    else
        command_put(command, &conn->waiting);
    if (!conn->limit_set)
        limit_arm(conn);
    return command;
}

void redis_call_cancel(struct redis_command *command)
{
    if (command == NULL)
        return;
    if (command->list == &command->conn->flight) {
        command->done = NULL;
        return;
    }
    TAILQ_REMOVE(command->list, command, entry);
    command_free(command);
}

bool redis_command_was_sent(const struct redis_command *command)
{
    return command->list == &command->conn->flight;
}

void redis_conn_attach(struct redis_conn *conn, struct redis_dependent *dependent)
{
    LIST_INSERT_HEAD(&conn->dependents, dependent, entry);
}

void redis_conn_detach(struct redis_dependent *dependent)
{
    LIST_REMOVE(dependent, entry);
}
