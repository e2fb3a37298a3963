#include "coordinator/reaper.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"
#include "common/protocol/protocol_reaper.h"
#include "common/redis/redis_conn.h"
#include "coordinator/reap_round.h"

#define FIRST_MS       30000 /* from the start to the first look */
#define WOKEN_MS       5000  /* from a rollback to the look */
#define TROUBLE_MS     60000
#define LAST_CLAIM_MS  1000
#define LAST_LIMIT_MS  4000
#define LAST_REPEAT_MS 200

struct reaper {
    struct daemon *daemon; /* borrowed */
    struct loop_timer *timer;
    struct loop_timer *limit; /* of the last look */
    struct protocol_call *step;
    struct reap_round *round;
    char nonce[BATCH_ID_LEN + 1]; /* of this process: it runs one round at a time */
    int64_t max_age_ms;           /* a round younger than this makes ours needless */
    int64_t shaken_until_mono_ms; /* Redis lost data: its jobs may be opened anew */
    int64_t next_ms;              /* from the end of the round */
    bool unfinished;              /* the round has left something to do soon */
    bool woken;                   /* while a round was under way */
    bool last;
    void (*done)(void *arg);
    void *arg;
};

static int64_t at_most(int64_t ms, int64_t limit)
{
    return ms < limit ? ms : limit;
}

static int64_t grace_ms(const struct reaper *r)
{
    return r->daemon->options.reap_after_ms;
}

static int64_t usual_ms(const struct reaper *r)
{
    return grace_ms(r) * REAP_GRACES_APART;
}

static void stop(struct reaper *r)
{
    loop_timer_stop(r->timer);
    protocol_call_cancel(r->step);
    r->step = NULL;
    reap_round_free(r->round);
    r->round = NULL;
}

static void last_look_is_over(void *arg)
{
    struct reaper *r = arg;

    stop(r);
    loop_timer_stop(r->limit);
    r->done(r->arg);
}

static void rest(struct reaper *r, int64_t ms)
{
    if (r->last) {
        loop_timer_set(r->limit, 0);
        return;
    }
    if (r->woken) {
        r->woken = false;
        r->max_age_ms = 0;
        ms = at_most(WOKEN_MS, grace_ms(r));
    } else {
        r->max_age_ms = usual_ms(r);
    }
    loop_timer_set(r->timer, ms);
}

static void on_closed(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct reaper *r = arg;

    r->step = NULL;
    if (answer == PROTOCOL_FAILED)
        log_warn("ev=reap_done_failed reason=%s", log_text(err->msg));
    if (r->last && r->unfinished)
        loop_timer_set(r->timer, LAST_REPEAT_MS);
    else
        rest(r, r->next_ms);
}

static void on_round(const struct reap_result *result, void *arg)
{
    struct reaper *r = arg;

    r->round = NULL; /* frees itself */
    r->unfinished = !result->complete || result->rest.live;
    if (result->files > 0 || result->batches > 0)
        log_info("ev=reaped files=%zu batches=%zu unfinished=%d", result->files, result->batches,
                 r->unfinished);
    r->next_ms = reap_next_ms(&result->rest, grace_ms(r));
    if (result->lost)
        rest(r, at_most(TROUBLE_MS, usual_ms(r)));
    else
        r->step = protocol_reap_done(r->daemon->protocol, r->nonce, r->next_ms, result->ids,
                                     result->id_count, on_closed, r);
}

static bool some_job_ended(const struct reap_claimed *claimed)
{
    for (size_t i = 0; i < claimed->job_count; i++) {
        if (claimed->jobs[i].ended)
            return true;
    }
    return false;
}

static void on_claimed(enum protocol_answer answer, const struct reap_claimed *claimed,
                       int64_t wait_ms, const struct err *err, void *arg)
{
    struct reaper *r = arg;
    bool shaken = clock_mono_ms() < r->shaken_until_mono_ms;

    r->step = NULL;
    if (answer == PROTOCOL_FAILED)
        log_warn("ev=reap_claim_failed reason=%s", log_text(err->msg));
    if (answer != PROTOCOL_OK) {
        rest(r, answer == PROTOCOL_FAILED ? at_most(TROUBLE_MS, usual_ms(r)) : wait_ms);
        return;
    }
    if (r->last && !some_job_ended(claimed)) {
        rest(r, 0);
        return;
    }
    if (r->last)
        loop_timer_set(r->limit, LAST_LIMIT_MS);
    r->round = reap_round_start(r->daemon, r->nonce, claimed, shaken, on_round, r);
}

static void claim(void *arg)
{
    struct reaper *r = arg;

    r->step = protocol_reap_claim(r->daemon->protocol, r->nonce,
                                  r->daemon->options.lease_ms * REAP_LEASES, r->max_age_ms,
                                  on_claimed, r);
}

struct reaper *reaper_new(struct daemon *daemon)
{
    struct reaper *r = xcalloc(1, sizeof(*r));

    r->daemon = daemon;
    id_random(r->nonce, BATCH_ID_LEN);
    r->timer = loop_timer_new(daemon->base, claim, r);
    r->limit = loop_timer_new(daemon->base, last_look_is_over, r);
    r->max_age_ms = at_most(FIRST_MS, grace_ms(r));
    loop_timer_set(r->timer, at_most(FIRST_MS, grace_ms(r)));
    return r;
}

void reaper_free(struct reaper *r)
{
    if (r == NULL)
        return;
    stop(r);
    loop_timer_free(r->timer);
    loop_timer_free(r->limit);
    free(r);
}

void reaper_wake(struct reaper *r)
{
    r->shaken_until_mono_ms = clock_mono_ms() + usual_ms(r);
    r->woken = true;
    if (r->round == NULL && r->step == NULL && !r->last)
        rest(r, 0);
}

void reaper_last_look(struct reaper *r, void (*done)(void *arg), void *arg)
{
    stop(r);
    r->last = true;
    r->max_age_ms = 0;
    r->done = done;
    r->arg = arg;
    if (!redis_conn_is_up(r->daemon->redis)) {
        loop_timer_set(r->limit, 0);
        return;
    }
    loop_timer_set(r->limit, LAST_CLAIM_MS);
    loop_timer_set(r->timer, 0);
}
