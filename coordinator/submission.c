#include "coordinator/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/codec/payload.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"
#include "common/provider/provider.h"
#include "common/sink/job_doc.h"
#include "coordinator/batch_file.h"
#include "coordinator/core/resolve.h"
#include "coordinator/core/submit_plan.h"

/*
 *   BUILD   members ─► windows one by one ─► upload ─► intent (BUILD→SUBMIT) ─┐
 *   SUBMIT  without an intent ─► intent (SUBMIT→SUBMIT) ──────────────────────┴─► create ─► RUN
 *           with one ─► search the list ─┬─ found: RUN
 *                                        ├─ not yet certain: put off
 *                                        └─ fence, search again, BUILD
 */

#define LIST_LIMIT      100
#define LIST_PAGES_MAX  50
#define LIST_SKEW_MS    600000 /* the provider's clock and ours may differ by this much */
#define HELD_WAIT_MS    5000
#define TROUBLE_WAIT_MS 5000
#define BROKEN_WAIT_MS  60000

struct submission {
    struct work work; /* first: submission_lost() casts */
    struct daemon *daemon;
    struct batch batch;
    struct job_spec spec;
    uint64_t poll_ms;
    struct member *members;
    size_t member_count, next_member;
    struct batch_file *file;
    struct loop_timer *turn; /* the next window, so that the loop turns in between */
    struct provider_call *call;
    struct protocol_call *step;
    int64_t moved_mono_ms;         /* when the move under way was asked for */
    char found[REMOTE_ID_MAX + 1]; /* by the search, "" for nothing */
    int64_t found_created_ms;
    unsigned pages;
    bool fenced; /* the input file was deleted in this search */
};

static void ignore_provider(const struct provider_error *error, void *arg)
{
    (void)error;
    (void)arg;
}

static void end(struct submission *s)
{
    provider_call_cancel(s->call);
    protocol_call_cancel(s->step);
    loop_timer_free(s->turn);
    batch_file_free(s->file);
    batch_release(&s->batch);
    free(s->members);
    crew_end(&s->work);
    free(s);
}

void submission_lost(struct work *work)
{
    end((struct submission *)(void *)work);
}

/* ---- moves of the record */

static void log_move(const struct submission *s, enum batch_state to, const char *cause)
{
    log_info("ev=batch batch=%s job=%s from=%s to=%s cause=%s", s->batch.bid,
             log_text(s->batch.job), batch_state_name(s->batch.state), batch_state_name(to),
             log_text(cause));
}

static void move(struct submission *s, enum batch_state to, enum protocol_role role,
                 int64_t due_in_ms, const struct protocol_field *fields, size_t count,
                 protocol_advance_fn done)
{
    s->moved_mono_ms = clock_mono_ms();
    s->step = protocol_advance(s->daemon->protocol, s->batch.bid, s->work.nonce, s->batch.state, to,
                               role, due_in_ms, fields, count, done, s);
}

/* The record is given away, or we were too late: either way it is not ours any more. */
static void on_moved_away(enum protocol_answer answer, int64_t now_ms, const struct err *err,
                          void *arg)
{
    struct submission *s = arg;

    (void)now_ms;
    s->step = NULL;
    if (answer != PROTOCOL_OK)
        log_warn("ev=batch_move batch=%s answer=%s reason=%s", s->batch.bid,
                 protocol_answer_name(answer), log_text(err != NULL ? err->msg : ""));
    end(s);
}

/* Leave the record as it is, for anybody, in @wait_ms. */
static void put_off(struct submission *s, int64_t wait_ms, const char *cause)
{
    log_move(s, s->batch.state, cause);
    move(s, s->batch.state, PROTOCOL_CO, wait_ms, NULL, 0, on_moved_away);
}

/* The same, where people have to know, or `run` would wait without a word. */
static void put_off_in_trouble(struct submission *s, const char *kind, const char *why)
{
    (void)protocol_job_note(s->daemon->protocol, s->batch.job, kind, why, NULL, NULL);
    put_off(s, TROUBLE_WAIT_MS, why);
}

/* It will never be taken: its tasks get the reason, by the one exit that there is. */
static void give_up(struct submission *s, const char *failure, bool is_free)
{
    const struct protocol_field fields[] = {
        {BATCH_F_FAILURE, failure           },
        {BATCH_F_FREE,    is_free ? "1" : ""}
    };

    log_move(s, BATCH_FETCH, failure);
    move(s, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), on_moved_away);
}

/* Nothing is under way at the provider: the next holder may create with the same file. */
static void withdraw_intent(struct submission *s, int64_t wait_ms, const char *cause)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_INTENT, ""},
        {BATCH_F_LOOKS,  ""}
    };

    log_move(s, BATCH_SUBMIT, cause);
    move(s, BATCH_SUBMIT, PROTOCOL_CO, wait_ms, fields, ARRAY_LEN(fields), on_moved_away);
}

static void now_running(struct submission *s, const char *remote, int64_t created_ms,
                        const char *status, const char *cause)
{
    char created[24];
    int64_t first_poll = s->daemon->profile->limits.poll_min_ms;
    const struct protocol_field fields[] = {
        {BATCH_F_REMOTE,  remote },
        {BATCH_F_CREATED, created},
        {BATCH_F_RUN_MS,  "@now" },
        {BATCH_F_RSTATUS, status },
        {BATCH_F_LOOKS,   ""     },
        {BATCH_F_EMPTY,   ""     },
        {BATCH_F_RDONE,   ""     },
        {BATCH_F_RFAILED, ""     }
    };

    (void)snprintf(created, sizeof(created), "%lld", (long long)created_ms);
    if (first_poll > (int64_t)s->poll_ms)
        first_poll = (int64_t)s->poll_ms;
    log_move(s, BATCH_RUN, cause);
    FAILPOINT("coordinator.created");
    move(s, BATCH_RUN, PROTOCOL_WK, first_poll, fields, ARRAY_LEN(fields), on_moved_away);
}

/* ---- failures of provider calls */

static void hold_lane(struct submission *s, const struct submit_decision *d,
                      const struct provider_error *error)
{
    (void)protocol_lane_hold(s->daemon->protocol, s->batch.lane, d->wait_ms, error->message,
                             d->shrink_pct, NULL, NULL);
    (void)protocol_job_note(s->daemon->protocol, s->batch.job, TROUBLE_QUOTA, error->message, NULL,
                            NULL);
}

static const char *failure_code(const struct provider_error *error)
{
    return error->code[0] != '\0' ? error->code : provider_class_name(error->class);
}

static void search(struct submission *s);
static void build_anew(struct submission *s, const char *cause);

/* "No such file" to a create: early it may not be visible yet, later it is gone. */
static bool file_is_gone(const struct submission *s, enum provider_operation op,
                         const struct provider_error *error)
{
    int64_t age_ms = work_redis_now_ms(&s->work) - s->batch.file_ms;

    return op == PROVIDER_OP_CREATE && error->class == PROVIDER_NOT_FOUND &&
           age_ms >= s->daemon->profile->limits.visibility_lag_ms;
}

static void after_failure(struct submission *s, enum provider_operation op,
                          const struct provider_error *error)
{
    struct submit_decision d = submit_decide(op, error);

    log_warn("ev=provider_call batch=%s op=%s class=%s status=%ld code=%s action=%s reason=%s",
             s->batch.bid, provider_operation_name(op), provider_class_name(error->class),
             error->status, log_text(error->code), submit_action_name(d.action),
             log_text(error->message));
    if (file_is_gone(s, op, error)) {
        build_anew(s, "the input file is gone");
        return;
    }
    switch (d.action) {
    case SUBMIT_RESOLVE: search(s); return;
    case SUBMIT_FAIL: give_up(s, failure_code(error), false); return;
    case SUBMIT_HOLD_LANE: hold_lane(s, &d, error); break;
    case SUBMIT_AGAIN:
    case SUBMIT_KEY: break;
    }
    if (op == PROVIDER_OP_CREATE)
        withdraw_intent(s, d.wait_ms, provider_class_name(error->class));
    else
        put_off(s, d.wait_ms, provider_class_name(error->class));
}

/* ---- create */

static void on_created(const struct provider_error *error, const struct remote_batch *batch,
                       void *arg)
{
    struct submission *s = arg;

    s->call = NULL;
    daemon_note_provider(s->daemon, error);
    if (error != NULL)
        after_failure(s, PROVIDER_OP_CREATE, error);
    else
        now_running(s, batch->id, batch->created_unix_ms, batch->status_text, "created");
}

/*
 * The intent is durable: from here on a create may have been sent. But where the
 * answer took longer than a lease, somebody else may be looking for it already.
 */
static void on_intent(enum protocol_answer answer, int64_t now_ms, const struct err *err, void *arg)
{
    struct submission *s = arg;

    if (answer != PROTOCOL_OK) {
        on_moved_away(answer, now_ms, err, s);
        return;
    }
    s->step = NULL;
    if (clock_mono_ms() - s->moved_mono_ms > s->daemon->options.lease_ms) {
        log_warn("ev=intent_too_late batch=%s", s->batch.bid);
        end(s);
        return;
    }
    s->batch.state = BATCH_SUBMIT;
    s->batch.intent_ms = now_ms;
    s->batch.looks = 0;
    FAILPOINT("coordinator.intent");
    s->call = provider_create(s->daemon->provider, s->batch.file, s->batch.endpoint, s->batch.bid,
                              s->batch.job, "0", on_created, s);
}

static void renew_intent(struct submission *s)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_INTENT, PROTOCOL_NOW},
        {BATCH_F_LOOKS,  ""          }
    };

    move(s, BATCH_SUBMIT, PROTOCOL_CO, s->daemon->options.lease_ms, fields, ARRAY_LEN(fields),
         on_intent);
}

/* ---- upload */

/* Refused after the upload: nobody else can know the file, so it is ours to delete. */
static void on_intent_after_upload(enum protocol_answer answer, int64_t now_ms,
                                   const struct err *err, void *arg)
{
    struct submission *s = arg;

    if (answer == PROTOCOL_FENCED || answer == PROTOCOL_STATE || answer == PROTOCOL_GONE)
        (void)provider_file_delete(s->daemon->provider, s->batch.file, ignore_provider, NULL);
    on_intent(answer, now_ms, err, arg);
}

static void on_uploaded(const struct provider_error *error, const struct remote_file *file,
                        void *arg)
{
    struct submission *s = arg;

    s->call = NULL;
    daemon_note_provider(s->daemon, error);
    if (error != NULL) {
        after_failure(s, PROVIDER_OP_UPLOAD, error);
        return;
    }
    memcpy(s->batch.file, file->id, sizeof(s->batch.file));
    (void)snprintf(s->batch.endpoint, sizeof(s->batch.endpoint), "%s",
                   batch_file_endpoint(s->file));
    const struct protocol_field fields[] = {
        {BATCH_F_FILE,     s->batch.file    },
        {BATCH_F_FILE_MS,  PROTOCOL_NOW     },
        {BATCH_F_INTENT,   PROTOCOL_NOW     },
        {BATCH_F_LOOKS,    ""               },
        {BATCH_F_ENDPOINT, s->batch.endpoint},
    };
    log_move(s, BATCH_SUBMIT, "uploaded");
    FAILPOINT("coordinator.uploaded");
    move(s, BATCH_SUBMIT, PROTOCOL_CO, s->daemon->options.lease_ms, fields, ARRAY_LEN(fields),
         on_intent_after_upload);
    batch_file_free(s->file);
    s->file = NULL;
}

static void upload(struct submission *s)
{
    char name[64];
    struct err err = {0};

    if (!batch_file_finish(s->file, &err)) {
        put_off_in_trouble(s, TROUBLE_DISK, err.msg);
        return;
    }
    if (batch_file_lines(s->file) == 0) {
        give_up(s, "empty_batch", true);
        return;
    }
    (void)snprintf(name, sizeof(name), "sheaf-%s-%s.jsonl", s->spec.ji, s->batch.bid);
    s->call = provider_upload(s->daemon->provider, batch_file_fd(s->file), batch_file_size(s->file),
                              name, on_uploaded, s);
}

/* ---- build */

static void after_window(struct submission *s, enum batch_file_result result, const struct err *err)
{
    if (result == BATCH_FILE_OK) {
        s->next_member++;
        loop_timer_set(s->turn, 0);
        return;
    }
    log_error("ev=build_failed batch=%s job=%s reason=%s", s->batch.bid, log_text(s->batch.job),
              log_text(err->msg));
    if (result != BATCH_FILE_CHANGED) {
        put_off_in_trouble(s, result == BATCH_FILE_FAILED ? TROUBLE_DISK : TROUBLE_INPUT, err->msg);
        return;
    }
    (void)protocol_job_hold(s->daemon->protocol, s->batch.job, "input_changed", err->msg, NULL,
                            NULL);
    put_off(s, TROUBLE_WAIT_MS, err->msg);
}

static void on_payload(enum protocol_answer answer, const void *bytes, size_t len,
                       const struct err *err, void *arg)
{
    struct submission *s = arg;
    struct payload payload;
    struct err problem = {0};

    s->step = NULL;
    if (answer != PROTOCOL_OK) {
        put_off(s, TROUBLE_WAIT_MS, err != NULL ? err->msg : "no payload");
        return;
    }
    if (!payload_decode(bytes, len, &payload, &problem)) {
        after_window(s, BATCH_FILE_CHANGED, &problem);
        return;
    }
    enum batch_file_result result =
        batch_file_add(s->file, &s->members[s->next_member], payload.bytes, payload.len, &problem);
    payload_release(&payload);
    after_window(s, result, &problem);
}

static void next_window(void *arg)
{
    struct submission *s = arg;
    struct err err = {0};

    if (s->next_member == s->member_count) {
        upload(s);
        return;
    }
    const struct member *m = &s->members[s->next_member];
    if (s->spec.inline_payload) {
        s->step = protocol_payload(s->daemon->protocol, s->batch.job, m->window, on_payload, s);
        return;
    }
    enum batch_file_result result = batch_file_add_from_source(s->file, m, &err);
    after_window(s, result, &err);
}

static void on_members(enum protocol_answer answer, const struct member *members, size_t count,
                       const struct err *err, void *arg)
{
    struct submission *s = arg;
    struct err problem = {0};

    if (answer != PROTOCOL_OK) {
        on_moved_away(answer, 0, err, s);
        return;
    }
    s->step = NULL;
    free(s->members);
    s->members = xcalloc(count + 1, sizeof(*members));
    memcpy(s->members, members, count * sizeof(*members));
    s->member_count = count;
    s->next_member = 0;
    s->file = batch_file_new(&s->spec, s->daemon->profile, &problem);
    if (s->file == NULL)
        put_off_in_trouble(s, TROUBLE_DISK, problem.msg);
    else
        loop_timer_set(s->turn, 0);
}

static void build(struct submission *s)
{
    s->step = protocol_members(s->daemon->protocol, s->batch.bid, s->work.nonce, on_members, s);
}

/* ---- resolve */

static void look_again(struct submission *s, int64_t wait_ms)
{
    char looks[16];
    const struct protocol_field fields[] = {
        {BATCH_F_LOOKS, looks}
    };

    (void)snprintf(looks, sizeof(looks), "%u", s->batch.looks + 1);
    log_move(s, BATCH_SUBMIT, "not in the list yet");
    move(s, BATCH_SUBMIT, PROTOCOL_CO, wait_ms, fields, ARRAY_LEN(fields), on_moved_away);
}

static void on_fenced(const struct provider_error *error, void *arg)
{
    struct submission *s = arg;

    s->call = NULL;
    daemon_note_provider(s->daemon, error);
    if (error != NULL) {
        put_off(s, TROUBLE_WAIT_MS, error->message);
        return;
    }
    FAILPOINT("coordinator.fenced");
    s->fenced = true;
    search(s);
}

static void build_anew(struct submission *s, const char *cause)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_FILE,    ""},
        {BATCH_F_FILE_MS, ""},
        {BATCH_F_INTENT,  ""},
        {BATCH_F_LOOKS,   ""}
    };

    log_move(s, BATCH_BUILD, cause);
    /* Given away: the next claim sees whether the job is held or cancelled by now. */
    move(s, BATCH_BUILD, PROTOCOL_CO, 0, fields, ARRAY_LEN(fields), on_moved_away);
}

static void after_search(struct submission *s)
{
    int64_t wait_ms = 0;
    struct resolve_facts facts = {.found = s->found[0] != '\0',
                                  .fenced = s->fenced,
                                  .looks = s->batch.looks,
                                  .intent_ms = s->batch.intent_ms,
                                  .now_ms = work_redis_now_ms(&s->work),
                                  .settle_ms = s->daemon->options.settle_ms};

    switch (resolve_next(&facts, &wait_ms)) {
    case RESOLVE_ADOPT:
        now_running(s, s->found, s->found_created_ms, "", "found in the list");
        return;
    case RESOLVE_LOOK: look_again(s, wait_ms); return;
    case RESOLVE_FENCE:
        s->call = provider_file_delete(s->daemon->provider, s->batch.file, on_fenced, s);
        return;
    case RESOLVE_BUILD: build_anew(s, "surely not created"); return;
    }
}

/* It ran nothing, and another create with the same file may live: it must not hide that one. */
static bool failed_for_want_of_its_file(const struct remote_batch *b)
{
    return b->status == REMOTE_FAILED && remote_batch_failure(b) == PROVIDER_NOT_FOUND;
}

/* Of several that match the oldest counts; the list is newest first. */
static void take_matches(struct submission *s, const struct remote_batch_page *page,
                         bool *old_enough)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct remote_batch *b = &page->items[i];
        bool ours = strcmp(b->input_file_id, s->batch.file) == 0 ||
                    (b->input_file_id[0] == '\0' && strcmp(b->metadata_bid, s->batch.bid) == 0);

        if (ours && !failed_for_want_of_its_file(b)) {
            memcpy(s->found, b->id, sizeof(s->found));
            s->found_created_ms = b->created_unix_ms;
        }
        if (b->created_unix_ms != 0 && b->created_unix_ms < s->batch.intent_ms - LIST_SKEW_MS)
            *old_enough = true;
    }
}

static void on_page(const struct provider_error *error, const struct remote_batch_page *page,
                    void *arg)
{
    struct submission *s = arg;
    bool old_enough = false;

    s->call = NULL;
    daemon_note_provider(s->daemon, error);
    if (error != NULL) { /* a search that failed proves nothing */
        put_off(s, TROUBLE_WAIT_MS, error->message);
        return;
    }
    take_matches(s, page, &old_enough);
    s->pages++;
    if (s->found[0] != '\0' || old_enough || !page->has_more)
        after_search(s);
    else if (s->pages >= LIST_PAGES_MAX)
        put_off(s, BROKEN_WAIT_MS, "the provider's list has no end");
    else
        s->call = provider_list(s->daemon->provider, page->next, LIST_LIMIT, on_page, s);
}

static void search(struct submission *s)
{
    s->pages = 0;
    s->found[0] = '\0';
    s->call = provider_list(s->daemon->provider, "", LIST_LIMIT, on_page, s);
}

/* ---- start */

static void dispatch(struct submission *s, const struct job_view *job)
{
    bool may_be_sent = s->batch.state == BATCH_SUBMIT && s->batch.intent_ms != 0;

    if (!may_be_sent && job->cancelled)
        give_up(s, "job_cancelled", true);
    else if (!may_be_sent && job->hold[0] != '\0')
        put_off(s, HELD_WAIT_MS, job->hold);
    else if (!may_be_sent && daemon_paused_ms(s->daemon) > 0)
        put_off(s, daemon_paused_ms(s->daemon), "Redis was rolled back");
    else if (s->batch.state == BATCH_BUILD)
        build(s);
    else if (may_be_sent)
        search(s);
    else
        renew_intent(s);
}

void submission_start(struct daemon *daemon, struct crew *crew, struct claim *claim,
                      const char *nonce)
{
    struct submission *s = xcalloc(1, sizeof(*s));
    struct err err = {0};

    s->daemon = daemon;
    crew_begin(crew, &s->work, claim, nonce);
    batch_move(&s->batch, &claim->batch);
    s->poll_ms = claim->job.poll_ms;
    s->turn = loop_timer_new(daemon->base, next_window, s);
    if (s->batch.state != BATCH_BUILD && s->batch.state != BATCH_SUBMIT)
        put_off(s, BROKEN_WAIT_MS, "not a coordinator's state");
    else if (!job_doc_parse(claim->job.spec, strlen(claim->job.spec), &s->spec, &err))
        put_off(s, BROKEN_WAIT_MS, err.msg);
    else
        dispatch(s, &claim->job);
}
