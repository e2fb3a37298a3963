#include "common/protocol/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/protocol/protocol_internal.h"
#include "common/redis/redis_conn.h"
#include "common/redis/redis_script.h"

#define DEFAULT_TIMEOUT_MS 30000

struct protocol_call {
    LIST_ENTRY(protocol_call) entry;
    struct protocol *protocol;
    struct redis_script_call *script_call;
    bool repeat_is_ok;
    protocol_deliver_fn deliver;
    union protocol_callback done;
    void *arg;
};

struct protocol {
    struct redis_conn *conn;
    char key0[64];                    /* "sheaf:{cell}:cfg" */
    char account[ACCOUNT_ID_LEN + 1]; /* "" until it is set */
    int64_t poll_interval_ms;
    uint32_t poll_burst;
    int64_t timeout_ms;
    int64_t tick;
    protocol_rollback_fn on_rollback;
    void *rollback_arg;
    struct redis_script scripts[PROTOCOL_SCRIPTS];
    LIST_HEAD(protocol_calls, protocol_call) calls;
};

static const char *const answer_names[] = {
    [PROTOCOL_OK] = "OK",         [PROTOCOL_DUP] = "DUP",       [PROTOCOL_GONE] = "GONE",
    [PROTOCOL_FENCED] = "FENCED", [PROTOCOL_STATE] = "STATE",   [PROTOCOL_CURSOR] = "CURSOR",
    [PROTOCOL_FULL] = "FULL",     [PROTOCOL_NOJOB] = "NOJOB",   [PROTOCOL_CONFLICT] = "CONFLICT",
    [PROTOCOL_NEW] = "NEW",       [PROTOCOL_RESUME] = "RESUME", [PROTOCOL_NONE] = "NONE",
    [PROTOCOL_MORE] = "MORE",     [PROTOCOL_BUSY] = "BUSY",     [PROTOCOL_HELD] = "HELD",
    [PROTOCOL_ENDED] = "ENDED",   [PROTOCOL_CKPT] = "CKPT",     [PROTOCOL_FAILED] = "FAILED",
};

const char *protocol_answer_name(enum protocol_answer answer)
{
    return answer_names[answer];
}

const char *protocol_role_name(enum protocol_role role)
{
    return role == PROTOCOL_CO ? "co" : "wk";
}

struct protocol *protocol_new(struct redis_conn *conn, const char *cell)
{
    struct protocol *p = xcalloc(1, sizeof(*p));
    int len = snprintf(p->key0, sizeof(p->key0), "sheaf:{%s}:cfg", cell);

    if (len < 0 || (size_t)len >= sizeof(p->key0))
        log_fatal("ev=cell_name_too_long");
    p->conn = conn;
    p->timeout_ms = DEFAULT_TIMEOUT_MS;
    for (size_t i = 0; i < PROTOCOL_SCRIPTS; i++) {
        p->scripts[i].name = protocol_sources[i].name;
        p->scripts[i].source = protocol_sources[i].text;
    }
    LIST_INIT(&p->calls);
    return p;
}

void protocol_free(struct protocol *p)
{
    struct protocol_call *next = NULL;

    if (p == NULL)
        return;
    for (struct protocol_call *call = LIST_FIRST(&p->calls); call != NULL; call = next) {
        next = LIST_NEXT(call, entry);
        redis_script_call_cancel(call->script_call);
        free(call);
    }
    free(p);
}

void protocol_set_timeout_ms(struct protocol *p, int64_t timeout_ms)
{
    p->timeout_ms = timeout_ms;
}

void protocol_set_account(struct protocol *p, const char *account)
{
    (void)snprintf(p->account, sizeof(p->account), "%s", account);
}

const char *protocol_account(const struct protocol *p)
{
    if (p->account[0] == '\0')
        log_fatal("ev=account_not_set");
    return p->account;
}

void protocol_pace_polls(struct protocol *p, int64_t interval_ms, uint32_t burst)
{
    p->poll_interval_ms = interval_ms;
    p->poll_burst = burst;
}

void protocol_poll_pace(const struct protocol *p, int64_t *interval_ms, uint32_t *burst)
{
    *interval_ms = p->poll_interval_ms;
    *burst = p->poll_burst;
}

void protocol_on_rollback(struct protocol *p, protocol_rollback_fn fn, void *arg)
{
    p->on_rollback = fn;
    p->rollback_arg = arg;
}

int64_t protocol_tick(const struct protocol *p)
{
    return p->tick;
}

void protocol_note_tick(struct protocol *p, int64_t tick)
{
    int64_t seen = p->tick;

    p->tick = tick;
    if (tick < seen && p->on_rollback != NULL)
        p->on_rollback(seen, tick, p->rollback_arg);
}

void protocol_call_cancel(struct protocol_call *call)
{
    if (call == NULL)
        return;
    redis_script_call_cancel(call->script_call);
    LIST_REMOVE(call, entry);
    free(call);
}

/* False when the first element is no word that we know. */
static bool answer_parse(const struct redis_reply *reply, enum protocol_answer *answer)
{
    for (size_t i = 0; i < PROTOCOL_FAILED; i++) {
        if (strcmp(redis_reply_str(reply, 0), answer_names[i]) == 0) {
            *answer = (enum protocol_answer)i;
            return true;
        }
    }
    return false;
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What failed, from the caller's side: a full Redis wrote nothing and may have room later. */
static void classify(const struct redis_result *result, struct err *err)
{
    const char *text = redis_reply_text(result->reply);

    *err = result->err;
    if (result->outcome != REDIS_ERROR_REPLY)
        return;
    if (starts_with(text, "OOM") || starts_with(text, "MISCONF"))
        err->kind = ERR_TEMPORARY;
    else if (strstr(text, "INVARIANT") != NULL)
        err->kind = ERR_INTERNAL;
}

static void on_done(const struct redis_result *redis, void *arg)
{
    struct protocol_call *call = arg;
    struct err err = {0};
    struct protocol_result result = {
        .answer = PROTOCOL_FAILED,
        .protocol = call->protocol,
        .done = call->done,
        .arg = call->arg,
    };
    protocol_deliver_fn deliver = call->deliver;

    if (redis->outcome != REDIS_OK)
        classify(redis, &err);
    else if (answer_parse(redis->reply, &result.answer))
        result.reply = redis->reply;
    else
        err_set(&err, ERR_INTERNAL, "a script gave no answer that is known");
    if (err.kind != ERR_NONE)
        result.err = &err;
    if (result.answer == PROTOCOL_DUP && call->repeat_is_ok)
        result.answer = PROTOCOL_OK;

    LIST_REMOVE(call, entry);
    free(call);
    if (result.done.plain != NULL)
        deliver(&result); /* it may free the protocol */
}

struct protocol_call *protocol_start(struct protocol *p, enum protocol_script script,
                                     struct words *words, bool repeat_is_ok,
                                     protocol_deliver_fn deliver, union protocol_callback done,
                                     void *arg)
{
    struct protocol_call *call = xcalloc(1, sizeof(*call));

    call->protocol = p;
    call->repeat_is_ok = repeat_is_ok;
    call->deliver = deliver;
    call->done = done;
    call->arg = arg;
    words_seal(words);
    call->script_call =
        redis_script_call(p->conn, &p->scripts[script], p->key0, (int)words->count, words->argv,
                          words->argvlen, p->timeout_ms, on_done, call);
    words_release(words);
    LIST_INSERT_HEAD(&p->calls, call, entry);
    return call;
}

void deliver_plain(const struct protocol_result *r)
{
    r->done.plain(r->answer, r->err, r->arg);
}
