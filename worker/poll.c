/* Asks after one remote batch and decides what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/daemon/refusal.h"
#include "common/daemon/split.h"
#include "worker/core/poll_judge.h"
#include "worker/core/poll_plan.h"
#include "worker/core/poll_search.h"
#include "worker/file_size.h"
#include "worker/task.h"

#define LIST_LIMIT 100
#define ENDLESS_MS 60000

struct poll {
    struct task task;           /* first */
    bool must_cancel;           /* for as long as it has not ended */
    bool because_stuck;         /* ... and nobody has asked for it */
    bool stopped;               /* the provider has just taken that cancel */
    struct remote_batch remote; /* as last seen; without its JSON */
    bool heard;                 /* @remote was answered in this poll, and is news */
    bool free_rest;
    unsigned pages;   /* of the list, in a search for it */
    bool alarm;       /* it was told of as stuck just now */
    int64_t sizes[2]; /* of the output and the error file */
    unsigned sizing;  /* which of them is being asked for */
    unsigned gone;    /* how many of them are not there */
    bool files_empty; /* it has failed, and they tell of nothing */
    struct file_size *size;
};

static void release(struct task *task)
{
    file_size_free(((struct poll *)(void *)task)->size);
}

/* Numbers as the texts of a record's fields. */
struct texts {
    char done[24], failed[24], output_bytes[24], error_bytes[24], created[24], tries[24];
};

static const char *number(char out[24], int64_t n)
{
    if (n < 0)
        return "";
    (void)snprintf(out, 24, "%lld", (long long)n);
    return out;
}

/* ---- polling on */

static int64_t usual_wait_ms(const struct poll *p)
{
    const struct daemon *daemon = p->task.daemon;
    const struct poll_plan plan = {
        .bound_ms = p->task.poll_ms,
        .minimum_ms = provider_poll_min_ms(daemon->profile, daemon->options.base_url)};

    return poll_plan_next_ms(&plan, work_redis_now_ms(&p->task.work) - p->task.batch.run_ms);
}

/* What was heard is noted; @tries of a kind in a row have failed. */
static void ask_again(struct poll *p, int64_t wait_ms, uint32_t tries, const char *cause)
{
    struct texts t;
    const char *status = p->remote.status_text;
    const char *done = number(t.done, p->remote.completed);
    const char *failed = number(t.failed, p->remote.failed);
    const struct protocol_field fields[] = {
        {BATCH_F_TRIES, number(t.tries, tries == 0 ? -1 : (int64_t)tries)},
        {BATCH_F_TRIES_OF,             p->task.batch.tries_of           },
        {BATCH_F_ALARM,             PROTOCOL_NOW   },
        {BATCH_F_RSTATUS,             status         },
        {BATCH_F_RDONE,             done     },
        {BATCH_F_RFAILED,             failed       },
        {BATCH_F_STOP,             PROTOCOL_NOW        },
    };
    struct protocol_field set[ARRAY_LEN(fields)];
    size_t count = 0;

    set[count++] = fields[0];
    set[count++] = fields[1];
    if (p->alarm)
        set[count++] = fields[2];
    for (size_t i = 3; p->heard && i < 6; i++)
        set[count++] = fields[i];
    if (p->stopped)
        set[count++] = fields[6];
    task_move(&p->task, BATCH_RUN, PROTOCOL_WK, wait_ms, set, count, cause);
}

static void try_again(struct poll *p, const struct retry_decision *d)
{
    int64_t wait_ms = d->action == RETRY_WAIT && d->wait_ms == 0 ? usual_wait_ms(p) : d->wait_ms;

    task_count_failure(&p->task);
    ask_again(p, wait_ms, p->task.batch.tries, provider_class_name(p->task.failure.class));
}

static void on_cancel(const struct provider_error *error, const struct remote_batch *batch,
                      void *arg)
{
    struct poll *p = arg;

    (void)batch;
    p->task.call = NULL;
    daemon_note_provider(p->task.daemon, error);
    p->stopped = p->because_stuck && (error == NULL || error->class == PROVIDER_CONFLICT_STATE);
    if (error == NULL) {
        ask_again(p, usual_wait_ms(p), 0, "cancelled");
        return;
    }
    struct retry_decision d = task_decide(&p->task, RETRY_CANCEL, 0, error);
    try_again(p, &d);
}

/* It has not ended. A cancel is asked for once more at each poll. */
static void go_on(struct poll *p, const char *cause)
{
    if (p->must_cancel)
        p->task.call =
            provider_cancel(p->task.daemon->provider, p->task.batch.remote, on_cancel, p);
    else
        ask_again(p, usual_wait_ms(p), 0, cause);
}

/* ---- it has results */

static void now_fetch(struct poll *p)
{
    struct texts t;
    const char *output = p->remote.output_file_id;
    const char *error = p->remote.error_file_id;
    const char *output_bytes = number(t.output_bytes, p->sizes[0]);
    const char *error_bytes = number(t.error_bytes, p->sizes[1]);
    const char *created = number(t.created, p->remote.created_unix_ms);
    const char *is_free = p->free_rest ? "1" : "";
    const char *status = p->remote.status_text;
    const char *done = number(t.done, p->remote.completed);
    const char *failed = number(t.failed, p->remote.failed);
    const struct protocol_field fields[] = {
        {BATCH_F_OUTPUT,   output      },
        {BATCH_F_ERROR,    error       },
        {BATCH_F_OBYTES,   output_bytes},
        {BATCH_F_EBYTES,   error_bytes },
        {BATCH_F_CREATED,  created     },
        {BATCH_F_ENDED_MS, PROTOCOL_NOW},
        {BATCH_F_FREE,     is_free     },
        {BATCH_F_RSTATUS,  status      },
        {BATCH_F_RDONE,    done        },
        {BATCH_F_RFAILED,  failed      },
    };

    FAILPOINT("worker.ended");
    task_move(&p->task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), status);
}

static void next_size(struct poll *p);
static void on_batch(const struct provider_error *error, const struct remote_batch *batch,
                     void *arg);

/* It has failed, and the files that it names say nothing of it: its errors do, in the whole answer.
 */
static void judge_anew(struct poll *p)
{
    p->files_empty = true;
    p->task.call = provider_get(p->task.daemon->provider, p->task.batch.remote, on_batch, p);
}

static void on_size(const struct provider_error *error, int64_t bytes, void *arg)
{
    struct poll *p = arg;
    bool same = strcmp(p->task.batch.remote_status, p->remote.status_text) == 0;
    int64_t since_ms = work_redis_now_ms(&p->task.work) - p->task.batch.status_ms;
    bool young = !same || since_ms < retry_grace_ms(p->task.poll_ms);

    file_size_free(p->size);
    p->size = NULL;
    bool none = error != NULL && error->class == PROVIDER_NOT_FOUND &&
                p->remote.status == REMOTE_FAILED && p->remote.error_count > 0;
    if (error == NULL || none) {
        p->sizes[p->sizing++] = none ? 0 : bytes;
        next_size(p);
        return;
    }
    struct retry_decision d =
        task_decide(&p->task, RETRY_DOWNLOAD, young ? RETRY_IF_YOUNG : 0, error);
    if (d.action != RETRY_RESUBMIT_COUNTED) {
        try_again(p, &d);
        return;
    }
    p->gone++;
    p->sizes[p->sizing++] = 0;
    next_size(p);
}

/*
 * Pinned once, so that every worker sees the same end of the files. One that is gone is as one
 * without a byte: what the other has was paid for.
 */
static void next_size(struct poll *p)
{
    const char *const files[] = {p->remote.output_file_id, p->remote.error_file_id};

    while (p->sizing < 2 && files[p->sizing][0] == '\0')
        p->sizes[p->sizing++] = 0;
    if (p->sizing < 2)
        p->size = file_size_new(p->task.daemon, files[p->sizing], on_size, p);
    else if (!poll_files_tell(&p->remote, p->sizes))
        judge_anew(p);
    else if (p->gone > 0 && p->sizes[0] + p->sizes[1] == 0)
        task_end_batch(&p->task, "output_missing", true, NULL);
    else
        now_fetch(p);
}

static void take_results(struct poll *p, bool free_rest)
{
    p->free_rest = free_rest;
    p->sizing = p->gone = 0;
    next_size(p);
}

/* ---- it has failed: nothing ran */

/* Back to the coordinator, who uploads again, or creates from the same file. */
static void send_again(struct poll *p, enum batch_state to, int64_t wait_ms, const char *cause)
{
    char rounds[RETRY_COUNTS_SIZE];
    const struct protocol_field fields[] = {
        {BATCH_F_ROUNDS,  rounds},
        {BATCH_F_REMOTE,  ""    },
        {BATCH_F_INTENT,  ""    },
        {BATCH_F_RSTATUS, ""    },
        {BATCH_F_ALARM,   ""    },
        {BATCH_F_STOP,    ""    },
        {BATCH_F_FILE,    ""    },
        {BATCH_F_FILE_MS, ""    },
    };
    size_t count = to == BATCH_BUILD ? ARRAY_LEN(fields) : ARRAY_LEN(fields) - 2;

    retry_count_more(p->task.batch.rounds, p->task.kind, rounds);
    task_move(&p->task, to, PROTOCOL_CO, wait_ms, fields, count, cause);
}

static void dead_letters(struct poll *p, const struct remote_batch *answer, const char *code)
{
    struct buf refused = REFUSAL_BUF;
    struct provider_error whole = p->task.failure;

    whole.line = -1;
    if (whole.class == PROVIDER_MODEL_UNSUPPORTED) /* all lines of a batch are of one model */
        refusal_of_error(&whole, &refused);
    else
        refusal_of_batch(answer, &refused);
    task_end_batch(&p->task, code, false, refused.data);
    buf_release(&refused);
}

static void after_failure(struct poll *p, const struct remote_batch *answer,
                          const struct retry_decision *d)
{
    const char *code = p->task.failure.code[0] != '\0' ? p->task.failure.code : "batch_failed";

    switch (d->action) {
    case RETRY_SAME_FILE: send_again(p, BATCH_SUBMIT, d->wait_ms, code); return;
    case RETRY_REBUILD: send_again(p, BATCH_BUILD, d->wait_ms, "its file is gone"); return;
    case RETRY_SPLIT: split_batch(&p->task); return;
    case RETRY_DEAD_LETTER: dead_letters(p, answer, code); return;
    case RETRY_RESUBMIT_FREE:
    case RETRY_STOP_LANE: task_end_batch(&p->task, code, false, NULL); return;
    case RETRY_RESUBMIT_COUNTED: task_end_batch(&p->task, code, true, NULL); return;
    case RETRY_WAIT:
    case RETRY_AGAIN:
    case RETRY_RESOLVE:
    case RETRY_REAP:
    case RETRY_FETCH:
    case RETRY_CANCEL_BATCH:
    case RETRY_HOLD_LANE:
    case RETRY_KEY: break;
    }
    try_again(p, d);
}

/* ---- it has ended, or does not */

static const char *ended_as(const struct remote_batch *b)
{
    if (b->status == REMOTE_EXPIRED)
        return "batch_expired";
    return b->status == REMOTE_CANCELLED ? "batch_cancelled" : "output_missing";
}

static void after_end(struct poll *p, unsigned when, const struct retry_decision *d)
{
    switch ((int)d->action) {
    case RETRY_FETCH: take_results(p, (when & RETRY_IF_PARTIAL) != 0); return;
    case RETRY_RESUBMIT_FREE: task_end_batch(&p->task, ended_as(&p->remote), false, NULL); return;
    case RETRY_RESUBMIT_COUNTED: task_end_batch(&p->task, ended_as(&p->remote), true, NULL); return;
    default: try_again(p, d); return;
    }
}

/* Told once: the record keeps when. */
static void while_stuck(struct poll *p, const struct poll_judgement *j)
{
    bool told = j->when == RETRY_IF_SLOW && p->task.batch.alarm_ms != 0;

    if (told) {
        go_on(p, p->remote.status_text);
        return;
    }
    struct retry_decision d = task_decide(&p->task, RETRY_STUCK, j->when, &j->what);
    p->alarm = p->task.batch.alarm_ms == 0;
    switch ((int)d.action) {
    case RETRY_CANCEL_BATCH:
        p->must_cancel = p->because_stuck = true;
        go_on(p, p->remote.status_text);
        return;
    case RETRY_FETCH:
        if (p->remote.output_file_id[0] != '\0' || p->remote.error_file_id[0] != '\0')
            take_results(p, true);
        else
            task_end_batch(&p->task, "batch_stuck", false, NULL);
        return;
    default: go_on(p, p->remote.status_text); return;
    }
}

/* It runs: what earlier batches failed for is over. */
static void note_running(const struct poll *p, const struct remote_batch *answer)
{
    bool runs = answer->status == REMOTE_RUNNING || answer->status == REMOTE_FINALIZING;

    if (p->heard && runs && strcmp(p->task.batch.remote_status, answer->status_text) != 0)
        (void)protocol_job_note(p->task.daemon->protocol, p->task.work.job, NULL, NULL, NULL, NULL);
}

static void judge(struct poll *p, const struct remote_batch *answer)
{
    const struct batch *b = &p->task.batch;
    int64_t now = work_redis_now_ms(&p->task.work);
    const struct poll_facts facts = {.batch = answer,
                                     .limits = &p->task.daemon->limits,
                                     .known_status = b->remote_status,
                                     .in_status_ms = now - b->status_ms,
                                     .age_ms = now - b->run_ms,
                                     .file_age_ms = now - b->file_ms,
                                     .stopped_ms = b->stop_ms == 0 ? -1 : now - b->stop_ms,
                                     .grace_ms = retry_grace_ms(p->task.poll_ms),
                                     .files_empty = p->files_empty};
    struct poll_judgement j;

    poll_judge(&facts, &j);
    if (j.stale)
        log_warn("ev=stale_status batch=%s known=%s told=%s", b->bid, log_text(b->remote_status),
                 log_text(answer->status_text));
    p->heard = !j.stale;
    note_running(p, answer);
    if (j.step == RETRY_POLL) {
        go_on(p, j.stale ? "an older status" : answer->status_text);
        return;
    }
    if (j.step == RETRY_STUCK) {
        while_stuck(p, &j);
        return;
    }
    struct retry_decision d = task_decide(&p->task, j.step, j.when, &j.what);
    if (j.step == RETRY_FAILED)
        after_failure(p, answer, &d);
    else
        after_end(p, j.when, &d);
}

/* ---- not found: is it in the list? */

static void on_lost_cancelled(const struct provider_error *error, const struct remote_batch *batch,
                              void *arg)
{
    struct poll *p = arg;

    (void)batch;
    p->task.call = NULL;
    log_info("ev=lost_cancelled batch=%s answer=%s", p->task.batch.bid,
             error == NULL ? "ok" : provider_class_name(error->class));
    task_end_batch(&p->task, "batch_lost", true, NULL);
}

/* Should it live all the same, it must not go on to cost money. */
static void lost(struct poll *p)
{
    log_error("ev=batch_lost batch=%s remote=%s reason=\"the provider does not know it any more; "
              "its requests are sent again and may be paid for twice\"",
              p->task.batch.bid, log_text(p->task.batch.remote));
    p->task.call =
        provider_cancel(p->task.daemon->provider, p->task.batch.remote, on_lost_cancelled, p);
}

static void on_page(const struct provider_error *error, const struct remote_batch_page *page,
                    void *arg)
{
    struct poll *p = arg;
    const struct batch *b = &p->task.batch;
    int64_t created_ms = b->remote_created_ms != 0 ? b->remote_created_ms : b->run_ms;

    p->task.call = NULL;
    daemon_note_provider(p->task.daemon, error);
    if (error != NULL) {
        struct retry_decision d = task_decide(&p->task, RETRY_SEARCH, 0, error);

        task_try_later(&p->task, d.wait_ms, "the search for it failed");
        return;
    }
    switch (poll_search_page(page, b->remote, created_ms, p->pages++)) {
    case POLL_SEARCH_MORE:
        p->task.call = provider_list(p->task.daemon->provider, page->next, LIST_LIMIT, on_page, p);
        return;
    case POLL_SEARCH_FOUND: ask_again(p, usual_wait_ms(p), 0, "it is in the list"); return;
    case POLL_SEARCH_ABSENT: lost(p); return;
    case POLL_SEARCH_ENDLESS:
        task_put_off(&p->task, ENDLESS_MS, "the provider's list has no end");
        return;
    }
}

static void search(struct poll *p)
{
    p->pages = 0;
    p->task.call = provider_list(p->task.daemon->provider, "", LIST_LIMIT, on_page, p);
}

/* A search that failed goes on where it was, and its waits grow. */
static bool was_being_searched(const struct poll *p)
{
    return p->task.batch.tries > 0 && retry_kind_is_of(p->task.batch.tries_of, RETRY_SEARCH);
}

/* ---- the poll itself */

static void poll_failed(struct poll *p, const struct provider_error *error)
{
    int64_t age_ms = work_redis_now_ms(&p->task.work) - p->task.batch.run_ms;
    bool young = age_ms < p->task.daemon->limits.visibility_lag_ms;

    if (error->class == PROVIDER_NOT_FOUND && was_being_searched(p)) {
        search(p);
        return;
    }
    struct retry_decision d = task_decide(&p->task, RETRY_POLL, young ? RETRY_IF_YOUNG : 0, error);

    switch ((int)d.action) {
    case RETRY_RESOLVE: search(p); return;
    case RETRY_RESUBMIT_COUNTED: lost(p); return;
    default: try_again(p, &d); return;
    }
}

static void on_batch(const struct provider_error *error, const struct remote_batch *batch,
                     void *arg)
{
    struct poll *p = arg;

    p->task.call = NULL;
    daemon_note_provider(p->task.daemon, error);
    if (error != NULL) {
        poll_failed(p, error);
        return;
    }
    p->remote = *batch;
    p->remote.json = NULL;
    judge(p, batch);
}

void poll_start(struct worker *worker, struct claim *claim, const char *nonce)
{
    struct poll *p = xcalloc(1, sizeof(*p));
    bool job_cancelled = claim->job.cancelled;

    if (!task_begin(&p->task, worker->crew, claim, nonce))
        return;
    p->task.release = release;
    p->must_cancel = job_cancelled || p->task.batch.stop_ms != 0;
    p->task.call = provider_get(p->task.daemon->provider, p->task.batch.remote, on_batch, p);
}
