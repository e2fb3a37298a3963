#include "worker/task.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/sink/job_doc.h"

#define BROKEN_WAIT_MS 60000

bool task_begin(struct task *task, struct worker *worker, struct claim *claim, const char *nonce)
{
    struct err err = {0};

    task->worker = worker;
    crew_begin(worker->crew, &task->work, claim, nonce);
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

static void on_moved(enum protocol_answer answer, int64_t now_ms, const struct err *err, void *arg)
{
    (void)now_ms;
    task_stop(arg, "batch_move", answer, err);
}

void task_move(struct task *task, enum batch_state to, enum protocol_role role, int64_t due_in_ms,
               const struct protocol_field *fields, size_t count, const char *cause)
{
    if (to != task->batch.state)
        log_info("ev=batch batch=%s job=%s from=%s to=%s cause=%s", task->batch.bid,
                 log_text(task->batch.job), batch_state_name(task->batch.state),
                 batch_state_name(to), log_text(cause));
    else
        log_debug("ev=batch batch=%s state=%s due_in_ms=%lld cause=%s", task->batch.bid,
                  batch_state_name(to), (long long)due_in_ms, log_text(cause));
    task->step =
        protocol_advance(task->worker->daemon.protocol, task->batch.bid, task->work.nonce,
                         task->batch.state, to, role, due_in_ms, fields, count, on_moved, task);
}

void task_put_off(struct task *task, int64_t wait_ms, const char *cause)
{
    task_move(task, task->batch.state, PROTOCOL_WK, wait_ms, NULL, 0, cause);
}

void task_put_off_in_trouble(struct task *task, int64_t wait_ms, const char *kind, const char *why)
{
    (void)protocol_job_note(task->worker->daemon.protocol, task->work.job, kind, why, NULL, NULL);
    task_put_off(task, wait_ms, why);
}

void task_decline(struct worker *worker, struct claim *claim, const char *nonce, int64_t wait_ms)
{
    struct task *task = xcalloc(1, sizeof(*task));

    if (task_begin(task, worker, claim, nonce))
        task_put_off(task, wait_ms, "no room");
}
