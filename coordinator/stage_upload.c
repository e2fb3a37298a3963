/* BUILD: the complete file goes to the provider, or is found there after an upload of unknown
 * outcome. */
#include <stdio.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "coordinator/batch_file.h"
#include "coordinator/core/adopt.h"
#include "coordinator/reaper.h"
#include "coordinator/stage.h"

#define LIST_LIMIT     100
#define LIST_PAGES_MAX 5
#define NAME_SIZE      64
#define FIRST_LOOK_MS  1000 /* at a file that is being checked */

static void file_name(const struct submission *s, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "sheaf-%s-%s.jsonl", s->task.spec.ji, s->task.batch.bid);
}

static void ignore(const struct provider_error *error, void *arg)
{
    (void)error;
    (void)arg;
}

/*
 * Refused. Without a record nobody wants the file. Else another holder may have found it in the
 * list and taken it for its own upload: then only the reaper, who reads the record, may delete it.
 */
static void on_stored(enum protocol_answer answer, int64_t now_ms, const struct err *err, void *arg)
{
    struct submission *s = arg;

    if (answer == PROTOCOL_GONE)
        (void)provider_file_delete(s->task.daemon->provider, s->task.batch.file, ignore, NULL);
    if (answer != PROTOCOL_OK || s->pending) {
        task_stop(&s->task, "batch_move", answer, err);
        return;
    }
    s->task.step = NULL;
    s->task.batch.state = BATCH_SUBMIT;
    s->task.batch.file_ms = now_ms;
    s->task.batch.tries = 0;
    submission_create(s);
}

/* A file that is being checked is kept by the record: whoever claims that asks again. */
static void stored(struct submission *s, const struct remote_file *file)
{
    struct batch *b = &s->task.batch;
    const struct protocol_field fields[] = {
        {BATCH_F_FILE,     b->file     },
        {BATCH_F_FILE_MS,  PROTOCOL_NOW},
        {BATCH_F_ENDPOINT, b->endpoint },
        {BATCH_F_INTENT,   ""          },
        {BATCH_F_LOOKS,    ""          },
        {BATCH_F_TRIES,    ""          },
    };

    memcpy(b->file, file->id, sizeof(b->file));
    (void)snprintf(b->endpoint, sizeof(b->endpoint), "%s", batch_file_endpoint(s->file));
    batch_file_free(s->file);
    s->file = NULL;
    s->pending = file->status == REMOTE_FILE_PENDING && s->task.daemon->profile->has_file_get;
    FAILPOINT("coordinator.uploaded");
    task_log_move(&s->task, BATCH_SUBMIT, s->pending ? "uploaded, being checked" : "uploaded");
    s->task.step = protocol_advance(s->task.daemon->protocol, b->bid, s->task.work.nonce,
                                    BATCH_BUILD, BATCH_SUBMIT, PROTOCOL_CO,
                                    s->pending ? FIRST_LOOK_MS : s->task.daemon->options.lease_ms,
                                    fields, ARRAY_LEN(fields), on_stored, s);
}

/* ---- an upload of unknown outcome */

static void try_later(struct submission *s)
{
    task_try_later(&s->task, s->retry_ms, "the upload is not in the list");
}

static const struct remote_file *find(const struct submission *s,
                                      const struct remote_file_page *page, bool *old_enough)
{
    char name[NAME_SIZE];
    const struct adopt_facts facts = {
        .name = name,
        .size = batch_file_size(s->file),
        .build_ms = s->task.batch.build_ms,
        .now_ms = work_redis_now_ms(&s->task.work),
        .theirs_ms = provider_date_ms(s->task.daemon->provider),
    };

    file_name(s, name);
    for (size_t i = 0; i < page->count; i++) {
        const struct remote_file *f = &page->items[i];

        if (adopt_is_ours(&facts, f))
            return f;
        if (f->created_unix_ms != 0 && f->created_unix_ms < adopt_since_ms(&facts))
            *old_enough = true;
    }
    return NULL;
}

static void on_files(const struct provider_error *error, const struct remote_file_page *page,
                     void *arg)
{
    struct submission *s = arg;
    bool old_enough = false;

    s->task.call = NULL;
    daemon_note_provider(s->task.daemon, error);
    const struct remote_file *file = error == NULL ? find(s, page, &old_enough) : NULL;
    if (file != NULL) {
        log_info("ev=upload_found batch=%s file=%s", s->task.batch.bid, log_text(file->id));
        stored(s, file);
    } else if (error != NULL || old_enough || !page->has_more || ++s->pages >= LIST_PAGES_MAX) {
        try_later(s);
    } else {
        s->task.call =
            provider_file_list(s->task.daemon->provider, page->next, LIST_LIMIT, on_files, s);
    }
}

void submission_find_upload(struct submission *s, int64_t retry_ms)
{
    s->retry_ms = retry_ms;
    s->pages = 0;
    s->task.call = provider_file_list(s->task.daemon->provider, "", LIST_LIMIT, on_files, s);
}

/* ---- the upload */

/* It was stored, and is no use to anybody. */
static void refused_after_all(struct submission *s, const struct remote_file *file)
{
    struct provider_error error;

    (void)provider_file_delete(s->task.daemon->provider, file->id, ignore, NULL);
    submission_file_error(file, &error);
    submission_failed(s, RETRY_FILE_READY, &error);
}

static void on_uploaded(const struct provider_error *error, const struct remote_file *file,
                        void *arg)
{
    struct submission *s = arg;

    s->task.call = NULL;
    daemon_note_provider(s->task.daemon, error);
    if (error == NULL && file->status != REMOTE_FILE_ERROR)
        stored(s, file);
    else if (error == NULL)
        refused_after_all(s, file);
    else
        submission_failed(s, RETRY_UPLOAD, error);
}

static void upload_now(struct submission *s)
{
    char name[NAME_SIZE];

    file_name(s, name);
    s->task.call = provider_upload(s->task.daemon->provider, batch_file_fd(s->file),
                                   batch_file_size(s->file), name, on_uploaded, s);
}

void submission_upload(struct submission *s)
{
    struct err err = {0};

    if (!batch_file_finish(s->file, &err))
        task_put_off_in_trouble(&s->task, TASK_TROUBLE_WAIT_MS, TROUBLE_DISK, err.msg);
    else if (batch_file_lines(s->file) == 0)
        task_end_batch(&s->task, "empty_batch", false, NULL);
    else
        submission_turn(s, PROTOCOL_RATE_UPLOADS, upload_now);
}
