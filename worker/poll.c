/* Asks after one remote batch and decides what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "worker/core/poll_decision.h"
#include "worker/task.h"

struct poll {
    struct task task; /* first */
    uint64_t poll_ms;
    bool cancelled;
    struct remote_batch remote; /* as last seen */
    bool free_rest;
    int64_t sizes[2]; /* of the output and the error file; -1: not known yet */
    unsigned sizing;  /* which of them is being asked for */
};

/* Numbers as the texts of a record's fields. */
struct texts {
    char done[24], failed[24], empty[24], output_bytes[24], error_bytes[24], created[24];
};

static const char *number(char out[24], int64_t n)
{
    if (n < 0)
        return "";
    (void)snprintf(out, 24, "%lld", (long long)n);
    return out;
}

static void ask_again(struct poll *p, const struct poll_decision *d)
{
    struct texts t;
    const char *status = p->remote.status_text;
    const char *done = number(t.done, p->remote.completed);
    const char *failed = number(t.failed, p->remote.failed);
    const char *empty = number(t.empty, (int64_t)p->task.batch.empty_polls + d->empty);
    const struct protocol_field fields[] = {
        {BATCH_F_RSTATUS, status},
        {BATCH_F_RDONE,   done  },
        {BATCH_F_RFAILED, failed},
        {BATCH_F_EMPTY,   empty }
    };

    if (p->remote.id[0] == '\0') /* nothing was learned */
        task_move(&p->task, BATCH_RUN, PROTOCOL_WK, d->wait_ms, &fields[3], 1, "poll failed");
    else
        task_move(&p->task, BATCH_RUN, PROTOCOL_WK, d->wait_ms, fields, ARRAY_LEN(fields), status);
}

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
    task_move(&p->task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields),
              p->remote.status_text);
}

/* It ended without results. The hold comes after the move, which would lift it. */
static void on_lane_to_hold(enum protocol_answer answer, int64_t now_ms, const struct err *err,
                            void *arg)
{
    struct poll *p = arg;

    (void)now_ms;
    if (answer == PROTOCOL_OK)
        (void)protocol_lane_hold(p->task.worker->daemon.protocol, p->task.batch.lane, 60000,
                                 "the provider's queue is full", 70, NULL, NULL);
    task_stop(&p->task, "batch_move", answer, err);
}

static void now_end(struct poll *p, const struct poll_decision *d)
{
    const struct protocol_field fields[] = {
        {BATCH_F_FAILURE,  d->failure             },
        {BATCH_F_FREE,     d->free_rest ? "1" : ""},
        {BATCH_F_ENDED_MS, PROTOCOL_NOW           },
        {BATCH_F_RSTATUS,  p->remote.status_text  }
    };

    log_warn("ev=batch_without_results batch=%s failure=%s reason=%s", p->task.batch.bid,
             log_text(d->failure),
             log_text(p->remote.error_count > 0 ? p->remote.errors[0].message : ""));
    if (!d->hold_lane) {
        task_move(&p->task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), d->failure);
        return;
    }
    p->task.step = protocol_advance(p->task.worker->daemon.protocol, p->task.batch.bid,
                                    p->task.work.nonce, BATCH_RUN, BATCH_FETCH, PROTOCOL_WK, 0,
                                    fields, ARRAY_LEN(fields), on_lane_to_hold, p);
}

/* ---- sizes: pinned once, so that every worker sees the same end of the files */

static void next_size(struct poll *p);

static const char *file_being_sized(const struct poll *p)
{
    return p->sizing == 0 ? p->remote.output_file_id : p->remote.error_file_id;
}

static void size_unknown(struct poll *p, const struct provider_error *error)
{
    struct poll_decision d = {.action = POLL_AGAIN,
                              .wait_ms = TASK_TROUBLE_WAIT_MS,
                              .empty = error->class == PROVIDER_NOT_FOUND};

    if (d.empty && p->task.batch.empty_polls >= 9) {
        d = (struct poll_decision){.action = POLL_END, .failure = "output_missing"};
        now_end(p, &d);
        return;
    }
    (void)protocol_job_note(p->task.worker->daemon.protocol, p->task.batch.job, TROUBLE_FILES,
                            error->message, NULL, NULL);
    ask_again(p, &d);
}

static void on_size(int64_t total, void *arg)
{
    struct poll *p = arg;

    p->sizes[p->sizing] = total;
}

static enum http_body_verdict on_bytes_to_size(const char *bytes, size_t len, void *arg)
{
    (void)bytes;
    (void)len;
    (void)arg;
    return HTTP_BODY_ABORT; /* only the length was wanted */
}

static void on_size_from_content(const struct provider_error *error, void *arg)
{
    struct poll *p = arg;

    p->task.call = NULL;
    if (p->sizes[p->sizing] >= 0) {
        p->sizing++;
        next_size(p);
    } else if (error != NULL) {
        size_unknown(p, error);
    } else { /* an answer without a length and without a byte */
        p->sizes[p->sizing++] = 0;
        next_size(p);
    }
}

static void size_from_content(struct poll *p)
{
    static const struct provider_content_sink sink = {
        .on_size = on_size, .on_bytes = on_bytes_to_size, .done = on_size_from_content};

    p->task.call =
        provider_content(p->task.worker->daemon.provider, file_being_sized(p), 0, &sink, p);
}

static void on_file(const struct provider_error *error, const struct remote_file *file, void *arg)
{
    struct poll *p = arg;

    p->task.call = NULL;
    daemon_note_provider(&p->task.worker->daemon, error);
    if (error == NULL && file->bytes >= 0) {
        p->sizes[p->sizing++] = file->bytes;
        next_size(p);
    } else if (error == NULL || error->class == PROVIDER_NOT_FOUND ||
               error->class == PROVIDER_REFUSED) {
        size_from_content(p);
    } else {
        size_unknown(p, error);
    }
}

static void next_size(struct poll *p)
{
    while (p->sizing < 2 && file_being_sized(p)[0] == '\0')
        p->sizes[p->sizing++] = 0;
    if (p->sizing == 2)
        now_fetch(p);
    else if (p->task.worker->daemon.profile->has_file_get)
        p->task.call =
            provider_file_get(p->task.worker->daemon.provider, file_being_sized(p), on_file, p);
    else
        size_from_content(p);
}

/* ---- the poll itself */

static void same_file(struct poll *p, int64_t wait_ms)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_REMOTE,  ""},
        {BATCH_F_INTENT,  ""},
        {BATCH_F_RSTATUS, ""},
        {BATCH_F_EMPTY,   ""}
    };

    task_move(&p->task, BATCH_SUBMIT, PROTOCOL_CO, wait_ms, fields, ARRAY_LEN(fields),
              "its file was not visible yet");
}

static void rebuild(struct poll *p)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_REMOTE,  ""},
        {BATCH_F_INTENT,  ""},
        {BATCH_F_RSTATUS, ""},
        {BATCH_F_EMPTY,   ""},
        {BATCH_F_FILE,    ""},
        {BATCH_F_FILE_MS, ""}
    };

    task_move(&p->task, BATCH_BUILD, PROTOCOL_CO, 0, fields, ARRAY_LEN(fields), "its file is gone");
}

static void act(struct poll *p, const struct poll_decision *d)
{
    switch (d->action) {
    case POLL_AGAIN:
    case POLL_KEY: ask_again(p, d); return;
    case POLL_FETCH:
        p->free_rest = d->free_rest;
        p->sizes[0] = p->sizes[1] = -1;
        next_size(p);
        return;
    case POLL_END: now_end(p, d); return;
    case POLL_SAME_FILE: same_file(p, d->wait_ms); return;
    case POLL_REBUILD: rebuild(p); return;
    }
}

static void decide(struct poll *p, const struct provider_error *error)
{
    const struct daemon *daemon = &p->task.worker->daemon;
    int64_t now = work_redis_now_ms(&p->task.work);
    struct poll_facts facts = {
        .error = error,
        .batch = error == NULL ? &p->remote : NULL,
        .plan = {.bound_ms = (int64_t)p->poll_ms,
                 .minimum_ms = provider_poll_min_ms(daemon->profile, daemon->options.base_url)},
        .age_ms = now - p->task.batch.run_ms,
        .file_age_ms = now - p->task.batch.file_ms,
        .lag_ms = daemon->profile->limits.visibility_lag_ms,
        .empty_polls = p->task.batch.empty_polls,
    };
    struct poll_decision d = poll_decide(&facts);

    act(p, &d);
}

static void on_batch(const struct provider_error *error, const struct remote_batch *batch,
                     void *arg)
{
    struct poll *p = arg;

    p->task.call = NULL;
    daemon_note_provider(&p->task.worker->daemon, error);
    if (error == NULL)
        p->remote = *batch;
    else
        log_warn("ev=poll_failed batch=%s class=%s status=%ld reason=%s", p->task.batch.bid,
                 provider_class_name(error->class), error->status, log_text(error->message));
    decide(p, error);
}

/* Asked for once more at each poll until the batch ends; that it has ended already is fine. */
static void on_cancel(const struct provider_error *error, const struct remote_batch *batch,
                      void *arg)
{
    struct poll *p = arg;

    (void)error;
    (void)batch;
    p->task.call = provider_get(p->task.worker->daemon.provider, p->task.batch.remote, on_batch, p);
}

void poll_start(struct worker *worker, struct claim *claim, const char *nonce)
{
    struct poll *p = xcalloc(1, sizeof(*p));

    p->poll_ms = claim->job.poll_ms;
    p->cancelled = claim->job.cancelled;
    if (!task_begin(&p->task, worker, claim, nonce))
        return;
    if (p->cancelled)
        p->task.call = provider_cancel(worker->daemon.provider, p->task.batch.remote, on_cancel, p);
    else
        p->task.call = provider_get(worker->daemon.provider, p->task.batch.remote, on_batch, p);
}
