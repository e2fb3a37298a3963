#include "coordinator/reap_round.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"
#include "common/provider/provider.h"

/*
 *   files, a page ─► their records ─► next page ... ─► batches, if a file is an orphan
 *       ─► each orphan: its record once more ─► cancel, delete ─► done
 */

#define PAGE        100
#define PAGES_MAX   100   /* of each list */
#define SKEW_MS     60000 /* of the times that the provider gives to files and to batches */
#define ORPHANS_MAX 1000
#define NOTES_MAX   4000
#define TRIES       4
#define PAUSE_MS    200

struct orphan {
    char file[REMOTE_ID_MAX + 1];
    int64_t created_ms; /* 0: unknown */
    struct reap_name name;
    struct reap_batch *batches;
    size_t batch_count;
};

struct reap_round {
    struct daemon *daemon; /* borrowed */
    char nonce[BATCH_ID_LEN + 1];
    int64_t now_ms;
    struct reap_note *old;
    size_t old_count;
    struct reap_job *jobs;
    size_t job_count;

    struct provider_call *call;
    struct protocol_call *step;
    struct loop_timer *turn;
    void (*next)(struct reap_round *);    /* what the timer starts */
    void (*give_up)(struct reap_round *); /* when the call of @next failed too often */
    unsigned tries;

    char after[REMOTE_ID_MAX + 1]; /* cursor of the list being read */
    bool more;
    bool cut;          /* not all files were seen */
    int64_t oldest_ms; /* orphan, by the provider's clock; 0: unknown */
    unsigned pages;
    struct orphan page[PAGE]; /* our files of the page, until their records are known */
    size_t page_count;
    struct orphan *orphans;
    size_t orphan_count, at;
    struct reap_op *ops; /* for orphans[at] */
    size_t op_count, op_at;
    bool settled; /* its file is gone when the operations are done */

    char (*ids)[REMOTE_ID_MAX + 1];
    struct reap_result result;
    reap_round_fn done;
    void *arg;
};

/* ---- the end, and steps in between */

void reap_round_free(struct reap_round *r)
{
    if (r == NULL)
        return;
    provider_call_cancel(r->call);
    protocol_call_cancel(r->step);
    loop_timer_free(r->turn);
    for (size_t i = 0; i < r->orphan_count; i++)
        free(r->orphans[i].batches);
    free(r->orphans);
    free(r->ops);
    free(r->old);
    free(r->jobs);
    free(r->ids);
    free(r);
}

static void note(struct reap_round *r, const char *id)
{
    if (r->result.id_count < NOTES_MAX)
        memcpy(r->ids[r->result.id_count++], id, strlen(id) + 1);
}

static int64_t noted_ms(const struct reap_round *r, const char *id)
{
    for (size_t i = 0; i < r->old_count; i++) {
        if (strcmp(r->old[i].id, id) == 0)
            return r->old[i].since_ms;
    }
    return 0;
}

static void finish(struct reap_round *r)
{
    const char **ids = xcalloc(NOTES_MAX + 1, sizeof(*ids));

    for (size_t i = 0; !r->result.complete && i < r->old_count; i++)
        note(r, r->old[i].id); /* a round that saw nothing must not make anything look new */
    for (size_t i = 0; i < r->result.id_count; i++)
        ids[i] = r->ids[i];
    r->result.ids = ids;
    r->done(&r->result, r->arg);
    free(ids);
    reap_round_free(r);
}

static void go_on(struct reap_round *r, void (*next)(struct reap_round *))
{
    r->next = next;
    r->tries = 0;
    loop_timer_set(r->turn, 0);
}

static void on_turn(void *arg)
{
    struct reap_round *r = arg;

    r->next(r);
}

/* True when the call went well; else it is repeated or given up. */
static bool went_well(struct reap_round *r, const struct provider_error *error)
{
    r->call = NULL;
    if (error == NULL)
        return true;
    log_debug("ev=reap_call class=%s status=%ld reason=%s", provider_class_name(error->class),
              error->status, log_text(error->message));
    if (++r->tries < TRIES) {
        loop_timer_set(r->turn, (int64_t)PAUSE_MS << r->tries);
        return false;
    }
    log_warn("ev=reap_call_failed class=%s reason=%s", provider_class_name(error->class),
             log_text(error->message));
    r->give_up(r);
    return false;
}

/* A list that cannot be read to its end shows nothing that could be acted upon. */
static void give_up_round(struct reap_round *r)
{
    r->result.rest.waiting = true;
    finish(r);
}

/* False when the round is over: the records cannot be read. */
static bool records_came(struct reap_round *r, enum protocol_answer answer, const struct err *err)
{
    r->step = NULL;
    if (answer == PROTOCOL_OK)
        return true;
    r->result.lost = answer == PROTOCOL_FENCED;
    log_warn("ev=reap_stopped answer=%s reason=%s", protocol_answer_name(answer),
             log_text(err != NULL ? err->msg : ""));
    give_up_round(r);
    return false;
}

static enum reap_verdict judge(const struct reap_round *r, const struct orphan *o,
                               const struct reap_record *record)
{
    struct reap_facts facts = {
        .record_exists = record->exists,
        .state = record->state,
        .is_its_file = record->exists && strcmp(record->file, o->file) == 0,
        .since_ms = noted_ms(r, o->file),
        .now_ms = r->now_ms,
        .grace_ms = r->daemon->options.reap_after_ms,
    };

    for (size_t i = 0; i < r->job_count && !facts.job_known; i++) {
        facts.job_known = strcmp(r->jobs[i].ji, o->name.ji) == 0;
        facts.job_ended = facts.job_known && r->jobs[i].ended;
    }
    return reap_file_verdict(&facts);
}

static int64_t lease_ms(const struct reap_round *r)
{
    return r->daemon->options.lease_ms * REAP_LEASES;
}

/* ---- orphans, one by one */

static void next_orphan(struct reap_round *r);

static void leave_orphan(struct reap_round *r)
{
    note(r, r->orphans[r->at].file);
    r->result.rest.live = true;
    r->at++;
    go_on(r, next_orphan);
}

static void next_op(struct reap_round *r);

static void on_deleted(const struct provider_error *error, void *arg)
{
    struct reap_round *r = arg;

    if (!went_well(r, error))
        return;
    FAILPOINT("coordinator.reaped");
    r->result.files++;
    log_info("ev=orphan_file file=%s batch=%s action=deleted", log_text(r->ops[r->op_at].id),
             r->orphans[r->at].name.bid);
    r->op_at++;
    go_on(r, next_op);
}

static void on_cancelled(const struct provider_error *error, const struct remote_batch *batch,
                         void *arg)
{
    struct reap_round *r = arg;
    bool has_ended = error != NULL && error->class == PROVIDER_CONFLICT_STATE;

    (void)batch;
    if (!went_well(r, has_ended ? NULL : error))
        return;
    r->op_at++;
    go_on(r, next_op);
}

static void next_op(struct reap_round *r)
{
    if (r->op_at == r->op_count) {
        if (!r->settled) {
            leave_orphan(r);
            return;
        }
        r->at++;
        go_on(r, next_orphan);
        return;
    }
    const struct reap_op *op = &r->ops[r->op_at];
    r->give_up = leave_orphan;
    if (op->kind == REAP_CANCEL)
        r->call = provider_cancel(r->daemon->provider, op->id, on_cancelled, r);
    else
        r->call = provider_file_delete(r->daemon->provider, op->id, on_deleted, r);
}

/* Each is told and counted once: it may have been billed. */
static void count_batches(struct reap_round *r, const struct orphan *o)
{
    for (size_t i = 0; i < o->batch_count; i++) {
        const struct reap_batch *b = &o->batches[i];

        if (noted_ms(r, b->id) == 0) {
            r->result.batches++;
            log_warn("ev=orphan_batch remote=%s batch=%s status=%s", log_text(b->id), o->name.bid,
                     remote_status_name(b->status));
        }
        note(r, b->id);
    }
}

static void on_looked(enum protocol_answer answer, const struct reap_record *records, size_t count,
                      const struct err *err, void *arg)
{
    struct reap_round *r = arg;
    struct orphan *o = &r->orphans[r->at];

    (void)count;
    if (!records_came(r, answer, err))
        return;
    if (judge(r, o, &records[0]) != REAP_TAKE) {
        r->at++;
        go_on(r, next_orphan);
        return;
    }
    count_batches(r, o);
    free(r->ops);
    r->ops = xcalloc(REAP_OPS_MAX(o->batch_count), sizeof(*r->ops));
    r->op_at = 0;
    r->settled = reap_plan(o->file, o->batches, o->batch_count, r->ops, &r->op_count);
    go_on(r, next_op);
}

static void next_orphan(struct reap_round *r)
{
    if (r->at == r->orphan_count) {
        r->result.complete = !r->cut;
        finish(r);
        return;
    }
    const char *bid = r->orphans[r->at].name.bid;
    r->step = protocol_reap_look(r->daemon->protocol, r->nonce, lease_ms(r), &bid, 1, on_looked, r);
}

/* ---- batches */

static void take_batch(struct reap_round *r, const struct remote_batch *b)
{
    struct orphan *o = NULL;

    for (size_t i = 0; i < r->orphan_count && o == NULL; i++) {
        if (strcmp(r->orphans[i].file, b->input_file_id) == 0)
            o = &r->orphans[i];
    }
    if (o == NULL)
        return;
    o->batches = xrealloc(o->batches, o->batch_count + 1, sizeof(*o->batches));
    struct reap_batch *mine = &o->batches[o->batch_count++];
    *mine = (struct reap_batch){.status = b->status};
    memcpy(mine->id, b->id, sizeof(mine->id));
    memcpy(mine->output, b->output_file_id, sizeof(mine->output));
    memcpy(mine->error, b->error_file_id, sizeof(mine->error));
}

static void list_batches(struct reap_round *r);

static void on_batches(const struct provider_error *error, const struct remote_batch_page *page,
                       void *arg)
{
    struct reap_round *r = arg;

    bool old_enough = false;

    if (!went_well(r, error))
        return;
    for (size_t i = 0; i < page->count; i++) {
        int64_t created_ms = page->items[i].created_unix_ms;

        take_batch(r, &page->items[i]);
        if (created_ms != 0 && created_ms < r->oldest_ms - SKEW_MS)
            old_enough =
                true; /* the list is newest first, and files are older than their batches */
    }
    memcpy(r->after, page->next, sizeof(r->after));
    if (!page->has_more || old_enough)
        go_on(r, next_orphan);
    else if (++r->pages < PAGES_MAX)
        go_on(r, list_batches);
    else
        give_up_round(r); /* a batch may be behind the end: nothing may be deleted */
}

static void list_batches(struct reap_round *r)
{
    r->give_up = give_up_round;
    r->call = provider_list(r->daemon->provider, r->after, PAGE, on_batches, r);
}

/* ---- files */

static void list_files(struct reap_round *r);

static void after_page(struct reap_round *r)
{
    if (r->more) {
        go_on(r, list_files);
        return;
    }
    r->after[0] = '\0';
    r->pages = 0;
    go_on(r, r->orphan_count > 0 ? list_batches : next_orphan);
}

static void sort_out(struct reap_round *r, const struct orphan *o, enum reap_verdict verdict)
{
    switch (verdict) {
    case REAP_KEEP: return;
    case REAP_FOREIGN: r->result.rest.foreign = true; return;
    case REAP_WAIT:
        r->result.rest.waiting = true;
        note(r, o->file);
        return;
    case REAP_TAKE:
        if (r->orphan_count == ORPHANS_MAX) {
            r->result.rest.live = true;
            note(r, o->file);
            return;
        }
        if (r->orphan_count == 0 || o->created_ms < r->oldest_ms)
            r->oldest_ms = o->created_ms;
        r->orphans[r->orphan_count++] = *o;
        return;
    }
}

static void on_page_looked(enum protocol_answer answer, const struct reap_record *records,
                           size_t count, const struct err *err, void *arg)
{
    struct reap_round *r = arg;

    if (!records_came(r, answer, err))
        return;
    for (size_t i = 0; i < count && i < r->page_count; i++)
        sort_out(r, &r->page[i], judge(r, &r->page[i], &records[i]));
    after_page(r);
}

static void on_files(const struct provider_error *error, const struct remote_file_page *page,
                     void *arg)
{
    struct reap_round *r = arg;
    const char *bids[PAGE];

    if (!went_well(r, error))
        return;
    r->page_count = 0;
    for (size_t i = 0; i < page->count && r->page_count < PAGE; i++) {
        struct orphan *o = &r->page[r->page_count];

        *o = (struct orphan){0};
        if (!reap_name_parse(page->items[i].filename, &o->name))
            continue;
        memcpy(o->file, page->items[i].id, sizeof(o->file));
        o->created_ms = page->items[i].created_unix_ms;
        bids[r->page_count++] = o->name.bid;
    }
    r->more = page->has_more && ++r->pages < PAGES_MAX;
    r->cut = page->has_more && !r->more;
    memcpy(r->after, page->next, sizeof(r->after));
    r->step = protocol_reap_look(r->daemon->protocol, r->nonce, lease_ms(r), bids, r->page_count,
                                 on_page_looked, r);
}

static void list_files(struct reap_round *r)
{
    r->give_up = give_up_round;
    r->call = provider_file_list(r->daemon->provider, r->after, PAGE, on_files, r);
}

/* ---- start */

struct reap_round *reap_round_start(struct daemon *daemon, const char *nonce,
                                    const struct reap_claimed *claimed, bool shaken,
                                    reap_round_fn done, void *arg)
{
    struct reap_round *r = xcalloc(1, sizeof(*r));

    r->daemon = daemon;
    memcpy(r->nonce, nonce, sizeof(r->nonce));
    r->now_ms = claimed->now_ms;
    r->old = xcalloc(claimed->note_count + 1, sizeof(*r->old));
    r->old_count = claimed->note_count;
    memcpy(r->old, claimed->notes, r->old_count * sizeof(*r->old));
    r->jobs = xcalloc(claimed->job_count + 1, sizeof(*r->jobs));
    r->job_count = claimed->job_count;
    memcpy(r->jobs, claimed->jobs, r->job_count * sizeof(*r->jobs));
    r->orphans = xcalloc(ORPHANS_MAX, sizeof(*r->orphans));
    r->ids = xcalloc(NOTES_MAX, sizeof(*r->ids));
    r->result.rest.shaken = shaken;
    r->done = done;
    r->arg = arg;
    r->turn = loop_timer_new(daemon->base, on_turn, r);
    FAILPOINT("coordinator.reap");
    go_on(r, list_files);
    return r;
}
