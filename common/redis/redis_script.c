#include "common/redis/redis_script.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/loop/loop_backoff.h"
#include "common/redis/redis_conn_internal.h"

/*
 *   STEP_LOAD  SCRIPT LOAD source: learn the script's sha1; once in a process
 *   STEP_SHA   EVALSHA: the usual way
 *   STEP_TEXT  EVAL: the server has forgotten the script, or may not load one
 */
enum step { STEP_LOAD, STEP_SHA, STEP_TEXT };

/* The words of EVAL and EVALSHA in front of ARGV: name, script, "1", key. */
enum { FIXED_WORDS = 4, RETRY_BASE_MS = 50, RETRY_CAP_MS = 1000 };

struct redis_script_call {
    struct redis_dependent dependent; /* first: see on_conn_gone() */
    struct redis_conn *conn;
    struct redis_script *script;
    struct loop_timer *timer;      /* end of the pause, or of all patience */
    struct redis_command *command; /* NULL during a pause */
    enum step step;
    int64_t deadline_ms;
    unsigned tries;
    bool maybe_executed;
    struct err last_error;
    int argc; /* with the fixed words */
    const char **argv;
    size_t *argvlen;
    char *storage; /* key and ARGV */
    redis_done_fn done;
    void *arg;
};

static void call_send(struct redis_script_call *call);

/* Its command, if any, is cancelled. */
static void call_free(struct redis_script_call *call)
{
    redis_conn_detach(&call->dependent);
    redis_call_cancel(call->command);
    loop_timer_free(call->timer);
    free(call->argv);
    free(call->argvlen);
    free(call->storage);
    free(call);
}

static void on_conn_gone(struct redis_dependent *dependent)
{
    call_free((struct redis_script_call *)(void *)dependent);
}

/* The call is freed first: its handle is not valid inside its callback. */
static void call_finish(struct redis_script_call *call, const struct redis_result *result)
{
    redis_done_fn done = call->done;
    void *arg = call->arg;

    call_free(call);
    done(result, arg);
}

static void call_give_up(struct redis_script_call *call)
{
    struct redis_result result = {.err = call->last_error};

    if (call->command != NULL && redis_command_was_sent(call->command) && call->step != STEP_LOAD)
        call->maybe_executed = true;
    result.outcome = call->maybe_executed ? REDIS_UNKNOWN : REDIS_NOT_SENT;
    if (result.err.kind == ERR_NONE && redis_conn_last_error(call->conn)->kind != ERR_NONE &&
        !redis_conn_is_up(call->conn))
        result.err = *redis_conn_last_error(call->conn);
    if (result.err.kind == ERR_NONE)
        err_set(&result.err, ERR_TEMPORARY, "redis: no answer in time");
    result.err.kind = ERR_TEMPORARY;
    err_wrap(&result.err, "script %s", call->script->name);
    call_finish(call, &result);
}

static void on_timer(void *arg)
{
    struct redis_script_call *call = arg;

    if (clock_mono_ms() >= call->deadline_ms || call->command != NULL)
        call_give_up(call);
    else
        call_send(call);
}

static void call_pause(struct redis_script_call *call)
{
    int64_t left_ms = call->deadline_ms - clock_mono_ms();
    int64_t pause_ms =
        backoff_ms(call->tries++, RETRY_BASE_MS, RETRY_CAP_MS, id_random_below(UINT32_MAX));

    loop_timer_set(call->timer, pause_ms < left_ms ? pause_ms : left_ms);
}

/* Take over what SCRIPT LOAD taught; without it the text goes along instead. */
static void call_loaded(struct redis_script_call *call, const struct redis_result *result)
{
    struct redis_script *script = call->script;

    call->step = STEP_TEXT;
    if (result->outcome == REDIS_OK && redis_reply_len(result->reply) == sizeof(script->sha1) - 1) {
        memcpy(script->sha1, redis_reply_text(result->reply), sizeof(script->sha1));
        call->step = STEP_SHA;
    }
    call_send(call);
}

static void call_answered(struct redis_script_call *call, const struct redis_result *result)
{
    struct redis_result mine = *result;

    if (call->step == STEP_LOAD) {
        call_loaded(call, result);
        return;
    }
    if (call->step == STEP_SHA && result->outcome == REDIS_ERROR_REPLY &&
        strncmp(redis_reply_text(result->reply), "NOSCRIPT", 8) == 0) {
        call->step = STEP_TEXT;
        call_send(call);
        return;
    }
    if (mine.outcome == REDIS_ERROR_REPLY)
        err_wrap(&mine.err, "script %s", call->script->name);
    call_finish(call, &mine);
}

static void on_done(const struct redis_result *result, void *arg)
{
    struct redis_script_call *call = arg;

    call->command = NULL;
    if (result->outcome == REDIS_OK || result->outcome == REDIS_ERROR_REPLY) {
        call_answered(call, result);
        return;
    }
    call->last_error = result->err;
    if (result->outcome == REDIS_UNKNOWN && call->step != STEP_LOAD)
        call->maybe_executed = true;
    call->step = call->script->sha1[0] != '\0' ? STEP_SHA : STEP_LOAD;
    call_pause(call);
}

static struct redis_command *send_load(struct redis_script_call *call)
{
    const char *argv[] = {"SCRIPT", "LOAD", call->script->source};

    return redis_call(call->conn, 3, argv, NULL, on_done, call);
}

static struct redis_command *send_eval(struct redis_script_call *call)
{
    bool by_sha = call->step == STEP_SHA;

    call->argv[0] = by_sha ? "EVALSHA" : "EVAL";
    call->argv[1] = by_sha ? call->script->sha1 : call->script->source;
    call->argvlen[0] = strlen(call->argv[0]);
    call->argvlen[1] = strlen(call->argv[1]);
    return redis_call(call->conn, call->argc, call->argv, call->argvlen, on_done, call);
}

static void call_send(struct redis_script_call *call)
{
    call->command = call->step == STEP_LOAD ? send_load(call) : send_eval(call);
    loop_timer_set(call->timer, call->deadline_ms - clock_mono_ms());
}

/* One block for all words: a repeat needs them when the caller's are long gone. */
static void call_store(struct redis_script_call *call, const char *key0, int argc,
                       const char *const *argv, const size_t *argvlen)
{
    size_t words = (size_t)argc + FIXED_WORDS;
    size_t total = 0;
    char *to = NULL;

    call->argc = argc + FIXED_WORDS;
    call->argv = xcalloc(words, sizeof(*call->argv));
    call->argvlen = xcalloc(words, sizeof(*call->argvlen));
    call->argvlen[2] = 1;
    call->argvlen[3] = strlen(key0);
    for (size_t i = 0; i < (size_t)argc; i++)
        call->argvlen[FIXED_WORDS + i] = argvlen != NULL ? argvlen[i] : strlen(argv[i]);
    for (size_t i = 3; i < words; i++)
        total += call->argvlen[i];

    call->storage = to = xcalloc(total + 1, 1);
    call->argv[2] = "1";
    for (size_t i = 3; i < words; i++) {
        const char *from = i == 3 ? key0 : argv[i - FIXED_WORDS];

        if (call->argvlen[i] != 0) /* an empty word may be NULL */
            memcpy(to, from, call->argvlen[i]);
        call->argv[i] = to;
        to += call->argvlen[i];
    }
}

struct redis_script_call *redis_script_call(struct redis_conn *conn, struct redis_script *script,
                                            const char *key0, int argc, const char *const *argv,
                                            const size_t *argvlen, int64_t timeout_ms,
                                            redis_done_fn done, void *arg)
{
    struct redis_script_call *call = xcalloc(1, sizeof(*call));

    call->conn = conn;
    call->script = script;
    call->dependent.drop = on_conn_gone;
    call->deadline_ms = clock_mono_ms() + timeout_ms;
    call->timer = loop_timer_new(redis_conn_base(conn), on_timer, call);
    call->step = script->sha1[0] != '\0' ? STEP_SHA : STEP_LOAD;
    call->done = done;
    call->arg = arg;
    call_store(call, key0, argc, argv, argvlen);
    redis_conn_attach(conn, &call->dependent);
    call_send(call);
    return call;
}

void redis_script_call_cancel(struct redis_script_call *call)
{
    if (call != NULL)
        call_free(call);
}
