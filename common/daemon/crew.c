#include "common/daemon/crew.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"

#define REST_MS 250

struct crew {
    struct daemon *daemon; /* borrowed */
    struct crew_hooks hooks;
    TAILQ_HEAD(work_list, work) works;
    unsigned count;
    bool claiming; /* a claim, idle() or a rest is under way */
    bool stopping; /* for good */
    char nonce[BATCH_ID_LEN + 1];
    int64_t next_ms; /* what the last claim said about the next due record */
    struct loop_timer *claim_timer, *renew_timer;
    struct protocol_call *claim;               /* under way */
    LIST_HEAD(renewal_list, renewal) renewals; /* under way */
};

/* A renewal outlives its work when that ends meanwhile: it finds the work again by its nonce. */
struct renewal {
    LIST_ENTRY(renewal) entry;
    struct crew *crew;
    struct work *work;
    struct protocol_call *call;
    char nonce[BATCH_ID_LEN + 1];
};

static void claim_soon(struct crew *crew)
{
    if (!crew->stopping && !crew->claiming && crew->count < crew->hooks.limit)
        loop_timer_set(crew->claim_timer, 0);
}

void crew_rest(struct crew *crew, int64_t wait_ms)
{
    int64_t ms = REST_MS;

    if (crew->stopping)
        return;
    if (wait_ms >= 0 && wait_ms < ms)
        ms = wait_ms;
    if (crew->next_ms >= 0 && crew->next_ms < ms)
        ms = crew->next_ms;
    crew->claiming = false;
    loop_timer_set(crew->claim_timer, ms < 5 ? 5 : ms);
}

static void on_claim(enum protocol_answer answer, struct claim *claim, int64_t wait_ms,
                     const struct err *err, void *arg)
{
    struct crew *crew = arg;

    crew->claim = NULL;
    if (crew->stopping)
        return; /* what was claimed just now is due again when its lease ends */
    if (answer == PROTOCOL_OK) {
        crew->claiming = false;
        crew->hooks.claimed(claim, crew->nonce, crew->hooks.arg);
        claim_soon(crew);
        return;
    }
    if (err != NULL)
        log_warn("ev=claim_failed reason=%s", log_text(err->msg));
    crew->next_ms = answer == PROTOCOL_NONE ? wait_ms : -1;
    if (answer == PROTOCOL_NONE && crew->hooks.idle != NULL)
        crew->hooks.idle(crew->hooks.arg);
    else
        crew_rest(crew, -1);
}

static void claim_now(void *arg)
{
    struct crew *crew = arg;

    if (crew->claiming || crew->count >= crew->hooks.limit)
        return;
    crew->claiming = true;
    id_random(crew->nonce, BATCH_ID_LEN);
    crew->claim =
        protocol_claim(crew->daemon->protocol, daemon_site(crew->daemon), crew->hooks.role,
                       crew->nonce, crew->daemon->options.lease_ms, on_claim, crew);
}

int64_t work_redis_now_ms(const struct work *work)
{
    return work->claimed_ms + clock_mono_ms() - work->claimed_mono_ms;
}

static struct work *find(struct crew *crew, const struct work *wanted)
{
    struct work *w = NULL;

    TAILQ_FOREACH (w, &crew->works, entry) {
        if (w == wanted)
            return w;
    }
    return NULL;
}

static void lose(struct crew *crew, struct work *w, const char *why)
{
    if (w->lost)
        return;
    w->lost = true;
    log_warn("ev=lease_lost job=%s batch=%s part=%u reason=%s", log_text(w->job), w->bid, w->part,
             why);
    crew->hooks.lost(w, crew->hooks.arg);
}

static void on_renewed(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct renewal *r = arg;
    struct work *w = find(r->crew, r->work);

    (void)err;
    if (w != NULL && strcmp(w->nonce, r->nonce) == 0) {
        w->renewing = false;
        if (answer == PROTOCOL_FENCED || answer == PROTOCOL_GONE)
            lose(r->crew, w, protocol_answer_name(answer));
    }
    LIST_REMOVE(r, entry);
    free(r);
}

static void renew_one(struct crew *crew, struct work *w, int64_t lease_ms)
{
    struct protocol *protocol = crew->daemon->protocol;
    struct renewal *r = xcalloc(1, sizeof(*r));

    r->crew = crew;
    r->work = w;
    memcpy(r->nonce, w->nonce, sizeof(r->nonce));
    w->renewing = true;
    LIST_INSERT_HEAD(&crew->renewals, r, entry);
    r->call =
        w->is_part
            ? protocol_renew_part(protocol, w->job, w->part, w->nonce, lease_ms, on_renewed, r)
            : protocol_renew(protocol, w->bid, w->nonce, crew->hooks.role, lease_ms, on_renewed, r);
}

static void renew_all(void *arg)
{
    struct crew *crew = arg;
    struct work *w = NULL;

    TAILQ_FOREACH (w, &crew->works, entry) {
        if (!w->renewing && !w->lost && !w->leaving)
            renew_one(crew, w, crew->daemon->options.lease_ms);
    }
    loop_timer_set(crew->renew_timer, crew->daemon->options.lease_ms / 3);
}

void crew_begin(struct crew *crew, struct work *work, const struct claim *claim, const char *nonce)
{
    *work = (struct work){.crew = crew, .is_part = claim->is_part, .part = claim->part};
    memcpy(work->job, claim->job.job, sizeof(work->job));
    if (!claim->is_part)
        memcpy(work->bid, claim->batch.bid, sizeof(work->bid));
    (void)memcpy(work->nonce, nonce, sizeof(work->nonce));
    work->claimed_ms = claim->now_ms;
    work->claimed_mono_ms = clock_mono_ms();
    TAILQ_INSERT_TAIL(&crew->works, work, entry);
    crew->count++;
}

void work_leave(struct work *work)
{
    work->leaving = true;
}

void crew_end(struct work *work)
{
    struct crew *crew = work->crew;

    if (crew == NULL)
        return;
    TAILQ_REMOVE(&crew->works, work, entry);
    work->crew = NULL;
    crew->count--;
    claim_soon(crew);
}

struct crew *crew_new(struct daemon *daemon, const struct crew_hooks *hooks)
{
    struct crew *crew = xcalloc(1, sizeof(*crew));

    crew->daemon = daemon;
    crew->hooks = *hooks;
    crew->next_ms = -1;
    TAILQ_INIT(&crew->works);
    LIST_INIT(&crew->renewals);
    crew->claim_timer = loop_timer_new(daemon->base, claim_now, crew);
    crew->renew_timer = loop_timer_new(daemon->base, renew_all, crew);
    loop_timer_set(crew->claim_timer, 0);
    loop_timer_set(crew->renew_timer, daemon->options.lease_ms / 3);
    return crew;
}

struct daemon *crew_daemon(const struct crew *crew)
{
    return crew->daemon;
}

enum protocol_role crew_role(const struct crew *crew)
{
    return crew->hooks.role;
}

static void drop_all(struct crew *crew, bool give_back)
{
    struct work *next;

    for (struct work *w = TAILQ_FIRST(&crew->works); w != NULL; w = next) {
        next = TAILQ_NEXT(w, entry);
        if (give_back && !w->lost)
            renew_one(crew, w, 0);
        w->lost = true;
        crew->hooks.lost(w, crew->hooks.arg);
    }
}

void crew_stop(struct crew *crew)
{
    crew->stopping = true;
    loop_timer_stop(crew->claim_timer);
    loop_timer_stop(crew->renew_timer);
    drop_all(crew, true);
}

void crew_free(struct crew *crew)
{
    struct renewal *next = NULL;

    if (crew == NULL)
        return;
    drop_all(crew, false);
    protocol_call_cancel(crew->claim);
    for (struct renewal *r = LIST_FIRST(&crew->renewals); r != NULL; r = next) {
        next = LIST_NEXT(r, entry);
        protocol_call_cancel(r->call);
        free(r);
    }
    loop_timer_free(crew->claim_timer);
    loop_timer_free(crew->renew_timer);
    free(crew);
}
