#include "common/daemon/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/sink/job_doc.h"

#define BROKEN_WAIT_MS 60000

_Static_assert(sizeof(((struct batch *)NULL)->tries_of) == RETRY_KIND_SIZE &&
                   sizeof(((struct batch *)NULL)->rounds) == RETRY_COUNTS_SIZE,
               "a record keeps what is counted");

bool task_begin(struct task *task, struct crew *crew, struct claim *claim, const char *nonce)
{
    struct err err = {0};

    task->daemon = crew_daemon(crew);
    task->role = crew_role(crew);
    task->poll_ms = (int64_t)claim->job.poll_ms;
    task->max_attempts = claim->job.max_attempts;
    crew_begin(crew, &task->work, claim, nonce);
    if (!claim->is_part)
        batch_move(&task->batch, &claim->batch);
    if (job_doc_parse(claim->job.spec, strlen(claim->job.spec), &task->spec, &err))
        return true;
    log_error("ev=bad_job job=%s reason=%s", log_text(claim->job.job), log_text(err.msg));
    if (claim->is_part)
        task_end(task); /* its lease ends by itself */
    else
        task_put_off(task, BROKEN_WAIT_MS, "bad job document");
    return false;
}

void task_end(struct task *task)
{
    provider_call_cancel(task->call);
    protocol_call_cancel(task->step);
    if (task->release != NULL)
        task->release(task);
    batch_release(&task->batch);
    crew_end(&task->work);
    free(task);
}

void task_stop(struct task *task, const char *what, enum protocol_answer answer,
               const struct err *err)
{
    task->step = NULL;
    if (answer != PROTOCOL_OK)
        log_warn("ev=%s batch=%s answer=%s reason=%s", what, task->work.bid,
                 protocol_answer_name(answer), log_text(err != NULL ? err->msg : ""));
    task_end(task);
}

/* ---- moves */

static void on_moved(enum protocol_answer answer, int64_t now_ms, const struct err *err, void *arg)
{
    (void)now_ms;
    task_stop(arg, "batch_move", answer, err);
}

void task_log_move(const struct task *task, enum batch_state to, const char *cause)
{
    if (to != task->batch.state)
        log_info("ev=batch batch=%s job=%s from=%s to=%s cause=%s", task->batch.bid,
                 log_text(task->batch.job), batch_state_name(task->batch.state),
                 batch_state_name(to), log_text(cause));
    else
        log_debug("ev=batch batch=%s state=%s cause=%s", task->batch.bid, batch_state_name(to),
                  log_text(cause));
}

static bool names_tries(const struct protocol_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, BATCH_F_TRIES) == 0)
            return true;
    }
    return false;
}

void task_move(struct task *task, enum batch_state to, enum protocol_role role, int64_t due_in_ms,
               const struct protocol_field *fields, size_t count, const char *cause)
{
    struct protocol_field all[TASK_FIELDS_MAX + 1];

    if (count > TASK_FIELDS_MAX)
        log_fatal("a move of %zu fields", count);
    if (count > 0)
        memcpy(all, fields, count * sizeof(*fields));
    if (to != task->batch.state && !names_tries(fields, count))
        all[count++] = (struct protocol_field){BATCH_F_TRIES, ""};
    task_log_move(task, to, cause);
    work_leave(&task->work);
    task->step =
        protocol_advance(task->daemon->protocol, task->batch.bid, task->work.nonce,
                         task->batch.state, to, role, due_in_ms, all, count, on_moved, task);
}

void task_put_off(struct task *task, int64_t wait_ms, const char *cause)
{
    task_move(task, task->batch.state, task->role, wait_ms, NULL, 0, cause);
}

void task_put_off_in_trouble(struct task *task, int64_t wait_ms, const char *kind, const char *why)
{
    (void)protocol_job_note(task->daemon->protocol, task->work.job, kind, why, NULL, NULL);
    task_put_off(task, wait_ms, why);
}

void task_count_failure(struct task *task)
{
    task->batch.tries = task->tries + 1;
    memcpy(task->batch.tries_of, task->kind, sizeof(task->kind));
}

void task_try_later(struct task *task, int64_t wait_ms, const char *cause)
{
    char tries[16];
    const struct protocol_field fields[] = {
        {BATCH_F_TRIES,    tries               },
        {BATCH_F_TRIES_OF, task->batch.tries_of}
    };

    task_count_failure(task);
    (void)snprintf(tries, sizeof(tries), "%u", task->batch.tries);
    task_move(task, task->batch.state, task->role, wait_ms, fields, ARRAY_LEN(fields), cause);
}

void task_end_batch(struct task *task, const char *failure, bool counted, const char *refused)
{
    const struct protocol_field fields[] = {
        {BATCH_F_FAILURE,  failure           },
        {BATCH_F_FREE,     counted ? "" : "1"},
        {BATCH_F_REFUSED,  refused           },
        {BATCH_F_ENDED_MS, PROTOCOL_NOW      },
    };

    log_warn("ev=batch_without_results batch=%s failure=%s counted=%d", task->batch.bid,
             log_text(failure), counted);
    task_move(task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), failure);
}

/* ---- failures */

const char *task_failure_code(const struct provider_error *error)
{
    return error->code[0] != '\0' ? error->code : provider_class_name(error->class);
}

/* What people are told that the job waits for. */
static const char *trouble_kind(const struct retry_decision *d, enum retry_step step,
                                enum provider_class class)
{
    if (d->action == RETRY_STOP_LANE)
        return TROUBLE_LANE;
    if (step == RETRY_STUCK || step == RETRY_CANCEL)
        return TROUBLE_STUCK;
    if (step == RETRY_DOWNLOAD)
        return TROUBLE_FILES;
    return step == RETRY_UPLOAD && class == PROVIDER_ABORTED ? TROUBLE_DISK : TROUBLE_QUOTA;
}

static int64_t hold_ms(const struct retry_decision *d)
{
    if (d->action == RETRY_STOP_LANE)
        return LANE_HOLD_RESUME;
    return d->action == RETRY_HOLD_LANE || d->action == RETRY_RESUBMIT_FREE ? d->wait_ms : 0;
}

static unsigned share_of(bool is_learned, const struct provider_error *error, enum retry_queue what)
{
    return is_learned && retry_queue_of(error->code, error->message) == what ? 100 : 0;
}

/* That its file asks for. */
static uint64_t lines_of(const struct batch *b)
{
    return b->asked != 0 && b->asked < b->requests ? b->asked : b->requests;
}

/* How a batch stands that a full queue refuses. Of how many batches there are its size is no part.
 */
static unsigned when_refused(const struct task *task, const struct provider_error *error)
{
    const struct batch *b = &task->batch;
    unsigned when = RETRY_IF_ALONE;

    if (error->class != PROVIDER_QUOTA_ENQUEUED || !b->alone ||
        retry_queue_of(error->code, error->message) == RETRY_QUEUE_BATCHES)
        return 0;
    if (lines_of(b) == 1)
        when |= RETRY_IF_SINGLE;
    if (retry_had_room(work_redis_now_ms(&task->work), b->lane_ok_ms))
        when |= RETRY_IF_ROOM;
    return when;
}

static void tell_job(const struct task *task, enum retry_step step, const char *kind,
                     const char *why)
{
    struct protocol *protocol = task->daemon->protocol;

    if (step == RETRY_FAILED)
        (void)protocol_job_note_failed(protocol, task->work.job, kind, why, NULL, NULL);
    else
        (void)protocol_job_note(protocol, task->work.job, kind, why, NULL, NULL);
}

static void teach_lane(const struct task *task, const struct retry_decision *d,
                       const struct provider_error *error)
{
    bool queue = d->lesson == RETRY_LESS_QUEUED;
    bool file = d->lesson == RETRY_SMALLER_FILES;
    bool many = retry_is_too_many(error->code, error->message);
    uint64_t lines = lines_of(&task->batch);
    uint64_t bytes = task->batch.requests == 0 ? task->batch.bytes
                                               : task->batch.bytes / task->batch.requests * lines;
    struct lane_lesson lesson = {
        .bid = task->batch.bid,
        .hold_ms = hold_ms(d),
        .firm = error->class == PROVIDER_BILLING || error->class == PROVIDER_QUOTA_TIME,
        .why = error->message,
        .tokens_pct = share_of(queue, error, RETRY_QUEUE_TOKENS),
        .requests_pct = share_of(queue, error, RETRY_QUEUE_REQUESTS),
        .batches_pct = share_of(queue, error, RETRY_QUEUE_BATCHES),
        .file_requests = file && many ? (lines + 1) / 2 : 0,
        .file_bytes = file && !many ? (bytes + 1) / 2 : 0,
    };

    if (lesson.hold_ms == 0 && d->lesson == RETRY_NO_LESSON)
        return;
    log_info("ev=lane lane=%s hold_ms=%lld lesson=%s reason=%s", task->batch.lane,
             (long long)lesson.hold_ms, log_text(retry_lesson_name(d->lesson)),
             log_text(error->message));
    (void)protocol_lane_learn(task->daemon->protocol, task->batch.lane, &lesson, NULL, NULL);
}

/* A 429 is meant for everybody who makes such calls. */
static void slow_down(const struct task *task, enum retry_step step, const struct retry_decision *d,
                      const struct provider_error *error)
{
    if (error->class != PROVIDER_RATE_LIMIT && error->class != PROVIDER_QUOTA_CREATES)
        return;
    switch ((int)step) {
    case RETRY_UPLOAD: daemon_slow_down(task->daemon, PROTOCOL_RATE_UPLOADS, d->wait_ms); return;
    case RETRY_CREATE: daemon_slow_down(task->daemon, PROTOCOL_RATE_CREATES, d->wait_ms); return;
    case RETRY_POLL: daemon_slow_down(task->daemon, PROTOCOL_RATE_POLLS, d->wait_ms); return;
    default: return;
    }
}

/* Waiting for what takes its time, and results that came, are no failures. */
static void log_decision(const struct task *task, enum retry_step step,
                         const struct provider_error *error, const struct retry_decision *d)
{
    char line[512];

    (void)snprintf(line, sizeof(line),
                   "batch=%s step=%s class=%s status=%ld code=%s tries=%u action=%s wait_ms=%lld",
                   task->batch.bid, retry_step_name(step), provider_class_name(error->class),
                   error->status, log_text(error->code), task->tries, retry_action_name(d->action),
                   (long long)d->wait_ms);
    if (error->class == PROVIDER_NONE && !d->tell)
        log_debug("ev=decision %s reason=%s", line, log_text(error->message));
    else
        log_warn("ev=failure %s reason=%s", line, log_text(error->message));
}

struct retry_decision task_decide(struct task *task, enum retry_step step, unsigned when,
                                  const struct provider_error *error)
{
    struct retry_facts facts = {.when = when,
                                .server_wait_ms = error->retry_after_ms,
                                .no_repeat = error->no_repeat,
                                .poll_ms = task->poll_ms,
                                .random = id_random_below(UINT32_MAX)};

    task->failure = *error;
    if (error->line > 0)
        facts.when |= RETRY_IF_NAMED;
    if (retry_is_too_big(error->class, error->status, error->code, error->message))
        facts.when |= RETRY_IF_TOO_BIG;
    facts.when |= when_refused(task, error);
    retry_kind(step, error->class, facts.when, task->kind);
    task->tries = strcmp(task->kind, task->batch.tries_of) == 0 ? task->batch.tries : 0;
    facts.tries = task->tries;
    facts.rounds = retry_count(task->batch.rounds, task->kind);
    struct retry_decision d = retry_decide(step, error->class, &facts);

    log_decision(task, step, error, &d);
    if (d.tell)
        tell_job(task, step, trouble_kind(&d, step, error->class), error->message);
    teach_lane(task, &d, error);
    slow_down(task, step, &d, error);
    return d;
}
