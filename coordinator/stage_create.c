/* SUBMIT without an intent: the file is there, and nothing was created from it. */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "coordinator/stage.h"

static void on_created(const struct provider_error *error, const struct remote_batch *batch,
                       void *arg)
{
    struct submission *s = arg;

    s->task.call = NULL;
    daemon_note_provider(s->task.daemon, error);
    if (error != NULL)
        submission_failed(s, RETRY_CREATE, error);
    else
        submission_runs(s, batch->id, batch->created_unix_ms, batch->status_text, "created");
}

/*
 * The intent is durable: from here on a create may have been sent. But where the
 * answer took longer than a lease, somebody else may be looking for it already.
 */
static void on_intent(enum protocol_answer answer, int64_t now_ms, const struct err *err, void *arg)
{
    struct submission *s = arg;
    struct batch *b = &s->task.batch;

    if (answer != PROTOCOL_OK) {
        task_stop(&s->task, "batch_move", answer, err);
        return;
    }
    s->task.step = NULL;
    if (clock_mono_ms() - s->moved_mono_ms > s->task.daemon->options.lease_ms) {
        log_warn("ev=intent_too_late batch=%s", b->bid);
        task_end(&s->task);
        return;
    }
    b->intent_ms = now_ms;
    b->looks = 0;
    FAILPOINT("coordinator.intent");
    s->task.call = provider_create(s->task.daemon->provider, b->file, b->endpoint, b->bid, b->job,
                                   "0", on_created, s);
}

static void write_intent(struct submission *s)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_INTENT, PROTOCOL_NOW},
        {BATCH_F_LOOKS,  ""          },
    };

    s->moved_mono_ms = clock_mono_ms();
    s->task.step = protocol_advance(
        s->task.daemon->protocol, s->task.batch.bid, s->task.work.nonce, BATCH_SUBMIT, BATCH_SUBMIT,
        PROTOCOL_CO, s->task.daemon->options.lease_ms, fields, ARRAY_LEN(fields), on_intent, s);
}

void submission_create(struct submission *s)
{
    submission_turn(s, PROTOCOL_RATE_CREATES, write_intent);
}

/* ---- the file */

void submission_file_error(const struct remote_file *file, struct provider_error *out)
{
    *out = (struct provider_error){.retry_after_ms = -1, .line = -1};
    if (file->status == REMOTE_FILE_ERROR)
        out->class = PROVIDER_INVALID_FILE;
    (void)snprintf(out->message, sizeof(out->message), "%s",
                   file->status_details[0] != '\0'     ? file->status_details
                   : file->status == REMOTE_FILE_ERROR ? "the provider cannot use the file"
                                                       : "the provider is checking the file");
}

static void judge_file(struct submission *s, const struct remote_file *file)
{
    struct provider_error error;

    if (file->status != REMOTE_FILE_PENDING && file->status != REMOTE_FILE_ERROR) {
        submission_create(s);
        return;
    }
    submission_file_error(file, &error);
    submission_failed(s, RETRY_FILE_READY, &error);
}

static void on_file(const struct provider_error *error, const struct remote_file *file, void *arg)
{
    struct submission *s = arg;

    s->task.call = NULL;
    daemon_note_provider(s->task.daemon, error);
    if (error != NULL)
        submission_failed(s, RETRY_FILE_READY, error);
    else
        judge_file(s, file);
}

void submission_create_if_ready(struct submission *s)
{
    if (s->task.daemon->profile->has_file_get)
        s->task.call = provider_file_get(s->task.daemon->provider, s->task.batch.file, on_file, s);
    else
        submission_create(s);
}
