/*
 * Merges one finished part into its ordered output, dead letters and counts. What has no
 * evidence is sent again: after a resubmission that is how its rows are found.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/merge/merge.h"
#include "common/model/ordinal.h"
#include "common/sink/sink.h"
#include "worker/heal.h"
#include "worker/task.h"

#define RECORDS_A_TURN 1000

struct part {
    struct task task; /* first */
    struct sink *sink;
    struct merge *merge;
    struct loop_timer *turn;
    struct heal *heal; /* when tasks have no evidence */
};

static void release(struct task *task)
{
    struct part *p = (struct part *)(void *)task;

    loop_timer_free(p->turn);
    heal_free(p->heal);
    merge_free(p->merge);
    sink_close(p->sink);
}

/* The record stays: its lease ends by itself, and then somebody tries again. */
static void fail(struct part *p, const struct err *err)
{
    log_error("ev=merge_failed job=%s part=%u reason=%s", log_text(p->task.work.job),
              p->task.work.part, log_text(err->msg));
    if (err->kind == ERR_INPUT)
        (void)protocol_job_hold(p->task.daemon->protocol, p->task.work.job, "input_changed",
                                err->msg, NULL, NULL);
    else
        (void)protocol_job_note(p->task.daemon->protocol, p->task.work.job, TROUBLE_DISK, err->msg,
                                NULL, NULL);
    task_end(&p->task);
}

static void on_part_done(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct part *p = arg;

    if (answer == PROTOCOL_OK)
        log_info("ev=part job=%s part=%u to=done", log_text(p->task.work.job), p->task.work.part);
    task_stop(&p->task, "part_done", answer, err);
}

static void published(struct part *p)
{
    FAILPOINT("worker.part_published");
    p->task.step = protocol_part_done(p->task.daemon->protocol, p->task.work.job, p->task.work.part,
                                      p->task.work.nonce, on_part_done, p);
}

static void on_reopened(enum protocol_answer answer, uint64_t reopened, const struct err *err,
                        void *arg)
{
    struct part *p = arg;

    log_warn("ev=sent_again job=%s part=%u shards=%" PRIu64, log_text(p->task.work.job),
             p->task.work.part, reopened);
    task_stop(&p->task, "reopen", answer, err);
}

static void on_healed(const struct shard_reopen *shards, size_t count, const struct err *err,
                      void *arg)
{
    struct part *p = arg;

    if (err != NULL) {
        fail(p, err);
        return;
    }
    p->task.step = protocol_reopen(p->task.daemon->protocol, p->task.work.job, p->task.work.nonce,
                                   shards, count, on_reopened, p);
}

static void heal(struct part *p)
{
    size_t count;
    const struct merge_hole *holes = merge_holes(p->merge, &count);
    uint32_t generation = merge_resubmits(p->merge);

    if (generation > 0)
        log_info("ev=resubmit job=%s part=%u windows=%zu generation=%u", log_text(p->task.work.job),
                 p->task.work.part, count, generation);
    else
        log_error("ev=holes job=%s part=%u windows=%zu reason=\"the sink has lost results\"",
                  log_text(p->task.work.job), p->task.work.part, count);
    p->heal = heal_new(p->task.daemon->base, p->sink, &p->task.spec, p->task.work.part, holes,
                       count, on_healed, p);
}

static void merge_more(void *arg)
{
    struct part *p = arg;
    struct err err = {0};

    switch (merge_step(p->merge, RECORDS_A_TURN, &err)) {
    case MERGE_MORE: loop_timer_set(p->turn, 0); return;
    case MERGE_DONE: published(p); return;
    case MERGE_HOLES: heal(p); return;
    case MERGE_FAILED: fail(p, &err); return;
    }
}

static uint32_t windows_in_part(const struct claim *claim)
{
    uint32_t first = claim->part * PART_WINDOWS;

    if (claim->job.windows - first < PART_WINDOWS)
        return claim->job.windows - first;
    return PART_WINDOWS;
}

void part_start(struct worker *worker, struct claim *claim, const char *nonce)
{
    struct part *p = xcalloc(1, sizeof(*p));
    uint32_t windows = windows_in_part(claim);
    struct merge_plan plan = {.part = claim->part,
                              .windows = windows,
                              .cancelled = claim->job.cancelled,
                              .generation = claim->job.generation};
    struct err err = {0};

    if (!task_begin(&p->task, worker->crew, claim, nonce))
        return;
    p->task.release = release;
    p->turn = loop_timer_new(worker->daemon.base, merge_more, p);
    p->sink = sink_open(p->task.spec.sink, p->task.spec.job, p->task.spec.ji, false, &err);
    if (p->sink == NULL) {
        fail(p, &err);
        return;
    }
    log_info("ev=part job=%s part=%u to=merging windows=%u", log_text(p->task.work.job),
             p->task.work.part, windows);
    p->merge = merge_new(p->sink, &p->task.spec, &plan);
    loop_timer_set(p->turn, 0);
}
