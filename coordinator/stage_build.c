/* BUILD: the batch's file, a window each turn of the loop. */
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/codec/payload.h"
#include "common/daemon/split.h"
#include "coordinator/batch_file.h"
#include "coordinator/stage.h"

static void next_window(struct submission *s);

static void after_window(struct submission *s, enum batch_file_result result, const struct err *err)
{
    if (result == BATCH_FILE_OK) {
        s->next_member++;
        submission_soon(s, 0, next_window);
        return;
    }
    log_error("ev=build_failed batch=%s job=%s reason=%s", s->task.batch.bid,
              log_text(s->task.batch.job), log_text(err->msg));
    if (result != BATCH_FILE_CHANGED) {
        task_put_off_in_trouble(&s->task, TASK_TROUBLE_WAIT_MS,
                                result == BATCH_FILE_FAILED ? TROUBLE_DISK : TROUBLE_INPUT,
                                err->msg);
        return;
    }
    (void)protocol_job_hold(s->task.daemon->protocol, s->task.batch.job, "input_changed", err->msg,
                            NULL, NULL);
    task_put_off(&s->task, TASK_TROUBLE_WAIT_MS, err->msg);
}

static void on_payload(enum protocol_answer answer, const void *bytes, size_t len,
                       const struct err *err, void *arg)
{
    struct submission *s = arg;
    struct payload payload;
    struct err problem = {0};

    s->task.step = NULL;
    if (answer != PROTOCOL_OK) {
        task_put_off(&s->task, TASK_TROUBLE_WAIT_MS, err != NULL ? err->msg : "no payload");
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

static void next_window(struct submission *s)
{
    struct err err = {0};

    if (s->next_member == s->member_count) {
        submission_upload(s);
        return;
    }
    const struct member *m = &s->members[s->next_member];
    if (s->task.spec.inline_payload) {
        s->task.step =
            protocol_payload(s->task.daemon->protocol, s->task.batch.job, m->window, on_payload, s);
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
        task_stop(&s->task, "members", answer, err);
        return;
    }
    s->task.step = NULL;
    s->members = xcalloc(count + 1, sizeof(*members));
    if (count > 0)
        memcpy(s->members, members, count * sizeof(*members));
    if (count == 1)
        split_narrow(&s->members[0], s->task.batch.asked);
    s->member_count = count;
    s->file = batch_file_new(&s->task.spec, s->task.daemon->profile, &problem);
    if (s->file == NULL)
        task_put_off_in_trouble(&s->task, TASK_TROUBLE_WAIT_MS, TROUBLE_DISK, problem.msg);
    else
        submission_soon(s, 0, next_window);
}

void submission_build(struct submission *s)
{
    s->task.step = protocol_members(s->task.daemon->protocol, s->task.batch.bid, s->task.work.nonce,
                                    on_members, s);
}
