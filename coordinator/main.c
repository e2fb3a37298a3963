/*
 * sheaf-coordinator: seals batches of ready shards and brings each to a running
 * remote batch. Any number may run; Redis decides who works on what.
 */
#include <event2/event.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/daemon/crew.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"
#include "coordinator/reaper.h"
#include "coordinator/submission.h"

/* Each may hold a line of 16 MB while it is built. */
#define BATCHES_AT_ONCE 2

#define ACCOUNTS_MS    60000
#define ACCOUNT_LEASES 4 /* a batch that is due for so long has nobody */

struct coordinator {
    struct daemon daemon;
    struct crew *crew;
    struct reaper *reaper;
    struct loop_timer *accounts;   /* looks for batches that nobody has the key of */
    struct protocol_call *packing; /* NULL when none is under way */
    char nonce[BATCH_ID_LEN + 1];  /* of that pack */
};

static void on_claimed(struct claim *claim, const char *nonce, void *arg)
{
    struct coordinator *c = arg;

    submission_start(c->crew, c->reaper, claim, nonce);
}

static void on_lost(struct work *work, void *arg)
{
    (void)arg;
    submission_lost(work);
}

static void on_packed(enum protocol_answer answer, struct claim *claim, int64_t wait_ms,
                      const struct err *err, void *arg)
{
    struct coordinator *c = arg;

    c->packing = NULL;
    if (answer == PROTOCOL_OK) {
        log_info("ev=packed batch=%s job=%s requests=%llu bytes=%llu", claim->batch.bid,
                 log_text(claim->batch.job), (unsigned long long)claim->batch.requests,
                 (unsigned long long)claim->batch.bytes);
        submission_start(c->crew, c->reaper, claim, c->nonce);
        wait_ms = 0;
    } else if (err != NULL) {
        log_warn("ev=pack_failed reason=%s", log_text(err->msg));
    }
    crew_rest(c->crew, wait_ms);
}

static void pack(void *arg)
{
    struct coordinator *c = arg;
    const struct provider_limits *l = &c->daemon.limits;
    struct pack_limits limits = {.linger_ms = c->daemon.options.linger_ms,
                                 .max_requests = l->max_requests,
                                 .max_bytes = provider_max_bytes(c->daemon.profile),
                                 .lane_batches = l->batches_alive,
                                 .lane_tokens = l->enqueued_tokens,
                                 .lane_requests = l->enqueued_requests,
                                 .account_files = l->files_stored,
                                 .account_bytes = l->storage_bytes};
    char bid[BATCH_ID_LEN + 1];

    id_random(bid, BATCH_ID_LEN);
    id_random(c->nonce, BATCH_ID_LEN);
    c->packing = protocol_pack(c->daemon.protocol, daemon_site(&c->daemon), bid, c->nonce,
                               c->daemon.options.lease_ms, &limits, on_packed, c);
}

/* What was packed with another key stays until a process has that: a person must know. */
static void look_for_accounts(void *arg)
{
    struct coordinator *c = arg;
    int64_t overdue_ms = c->daemon.options.lease_ms * ACCOUNT_LEASES;

    (void)protocol_account_note(c->daemon.protocol, daemon_site(&c->daemon), overdue_ms, NULL,
                                NULL);
    loop_timer_set(c->accounts, overdue_ms < ACCOUNTS_MS ? overdue_ms : ACCOUNTS_MS);
}

static void on_rollback(int64_t seen, int64_t now, void *arg)
{
    struct coordinator *c = arg;

    log_warn("ev=redis_rolled_back tick_seen=%lld tick_now=%lld", (long long)seen, (long long)now);
    reaper_wake(c->reaper);
    daemon_pause(&c->daemon);
}

static void on_last_look(void *arg)
{
    struct coordinator *c = arg;

    (void)event_base_loopbreak(c->daemon.base);
}

/* Unless a second signal is in a hurry. */
static void last_look(struct coordinator *c)
{
    if (event_base_got_break(c->daemon.base))
        return;
    reaper_last_look(c->reaper, on_last_look, c);
    daemon_run(&c->daemon, NULL, NULL);
}

/* A batch that is being packed is due for anybody when its first lease ends. */
static void stop(void *arg)
{
    struct coordinator *c = arg;

    protocol_call_cancel(c->packing);
    c->packing = NULL;
    crew_stop(c->crew);
}

int main(int argc, char **argv)
{
    struct coordinator c = {0};
    int exit_code = 1;

    if (!daemon_open(&c.daemon, "sheaf-coordinator",
                     "Groups ready shards into batch files, uploads them, creates remote batches.",
                     argc, argv, &exit_code))
        return exit_code;
    const struct crew_hooks hooks = {.role = PROTOCOL_CO,
                                     .limit = BATCHES_AT_ONCE,
                                     .claimed = on_claimed,
                                     .idle = pack,
                                     .lost = on_lost,
                                     .arg = &c};
    c.crew = crew_new(&c.daemon, &hooks);
    c.reaper = reaper_new(&c.daemon);
    c.accounts = loop_timer_new(c.daemon.base, look_for_accounts, &c);
    loop_timer_set(c.accounts, c.daemon.options.lease_ms);
    protocol_on_rollback(c.daemon.protocol, on_rollback, &c);
    daemon_run(&c.daemon, stop, &c);
    crew_free(c.crew);
    last_look(&c);
    reaper_free(c.reaper);
    loop_timer_free(c.accounts);
    daemon_close(&c.daemon);
    return 0;
}
