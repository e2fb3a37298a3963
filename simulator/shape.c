#include "simulator/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "simulator/batches.h"
#include "simulator/files.h"
#include "simulator/text.h"

static void put_text(struct buf *out, const char *name, const char *value)
{
    text_f(out, ",\"%s\":", name);
    text_string_or_null(out, value);
}

static void put_absent(struct buf *out, enum dialect_absent how, const char *name)
{
    if (how == DIALECT_ABSENT_OMITTED)
        return;
    text_f(out, ",\"%s\":%s", name, how == DIALECT_ABSENT_EMPTY ? "\"\"" : "null");
}

void shape_file(struct buf *out, const struct dialect *dialect, const struct sim_file *file,
                int64_t now_ms)
{
    const struct dialect_files *d = &dialect->files;

    text_put(out, "{\"object\":\"file\"");
    put_text(out, "id", file->id);
    put_text(out, "purpose", file->purpose);
    put_text(out, d->filename, file->filename);
    text_f(out, ",\"bytes\":%" PRId64 ",\"created_at\":%" PRId64, file->bytes,
           file->created_ms / 1000);
    /* the published schema of OpenAI has no null here: what does not apply is left out */
    if (file->expires_ms != 0 && d->anchor != NULL)
        text_f(out, ",\"expires_at\":%" PRId64, file->expires_ms / 1000);
    if (d->status)
        put_text(out, "status", files_status(file, now_ms));
    text_put(out, "}");
}

static void put_iso(struct buf *out, const char *name, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    char text[32] = "1970-01-01T00:00:00";
    struct tm tm;

    if (gmtime_r(&seconds, &tm) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    text_f(out, ",\"%s\":\"%s.%03d0000+00:00\"", name, text, (int)(ms % 1000));
}

static void put_time(struct buf *out, const struct dialect *dialect, const char *name, int64_t ms)
{
    if (ms == 0) {
        put_absent(out, dialect->batches.absent, name);
        return;
    }
    switch (dialect->batches.time) {
    case DIALECT_TIME_SECONDS: text_f(out, ",\"%s\":%" PRId64, name, ms / 1000); return;
    case DIALECT_TIME_MS: text_f(out, ",\"%s\":%" PRId64, name, ms); return;
    case DIALECT_TIME_ISO: put_iso(out, name, ms); return;
    }
}

static void put_times(struct buf *out, const struct dialect *dialect, const struct sim_batch *b)
{
    bool completes = dialect->batches.failed_completes && b->failed != 0;

    put_time(out, dialect, "created_at", b->created);
    put_time(out, dialect, "in_progress_at", b->in_progress);
    put_time(out, dialect, "expires_at", b->expires);
    put_time(out, dialect, "finalizing_at", b->finalizing);
    put_time(out, dialect, "completed_at", completes ? b->failed : b->completed);
    put_time(out, dialect, "failed_at", completes ? 0 : b->failed);
    put_time(out, dialect, "expired_at", b->expired);
    put_time(out, dialect, "cancelling_at", b->cancelling);
    put_time(out, dialect, "cancelled_at", b->cancelled);
}

static void put_file_id(struct buf *out, const struct shape_view *view, const char *name,
                        const char *id)
{
    if (id == NULL || view->hide_ids)
        put_absent(out, view->dialect->batches.absent_id, name);
    else
        put_text(out, name, id);
}

static void put_errors(struct buf *out, const struct dialect *dialect, const struct sim_batch *b)
{
    if (b->errors == NULL)
        put_absent(out, dialect->batches.absent, "errors");
    else if (dialect->batches.errors_array)
        text_f(out, ",\"errors\":[%s]", b->errors);
    else
        text_f(out, ",\"errors\":{\"object\":\"list\",\"data\":[%s]}", b->errors);
}

/* While it runs, counts follow the clock, as those of a real batch lag behind its rows. */
static void put_counts(struct buf *out, const struct shape_view *view, const struct sim_batch *b)
{
    int64_t total = b->total;
    int64_t ok = b->rows_ok;

    if (view->dialect->batches.counts_null && b->status == BATCH_VALIDATING) {
        text_put(out, ",\"request_counts\":{\"total\":null,\"completed\":null,\"failed\":null}");
        return;
    }
    if (b->status == BATCH_IN_PROGRESS && view->delay_ms > 0) {
        int64_t gone = view->now_ms - b->created;
        ok = gone >= view->delay_ms ? total : gone <= 0 ? 0 : total * gone / view->delay_ms;
    }
    text_f(out,
           ",\"request_counts\":{\"total\":%" PRId64 ",\"completed\":%" PRId64
           ",\"failed\":%" PRId64 "}",
           total, ok, b->rows_bad);
}

static void put_usage(struct buf *out, const struct sim_batch *b)
{
    text_f(out,
           ",\"usage\":{\"input_tokens\":%" PRId64
           ",\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":%" PRId64
           ",\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":%" PRId64 "}",
           b->input_tokens, b->output_tokens, b->input_tokens + b->output_tokens);
}

static void put_status(struct buf *out, const struct dialect *dialect, const struct sim_batch *b)
{
    put_text(out, "status",
             b->status == BATCH_VALIDATING ? dialect->batches.validating
                                           : batch_status_name(b->status));
}

void shape_batch(struct buf *out, const struct shape_view *view, const struct sim_batch *b)
{
    const struct dialect *dialect = view->dialect;

    text_put(out, "{\"object\":\"batch\"");
    put_text(out, "id", b->id);
    put_text(out, "endpoint", dialect->batches.endpoint_null ? NULL : b->endpoint);
    if (b->model != NULL && dialect->batches.usage)
        text_f(out, ",\"model\":\"%s\"", b->model);
    put_errors(out, dialect, b);
    put_text(out, "input_file_id", b->input_file_id);
    put_text(out, "completion_window", b->window);
    put_status(out, dialect, b);
    put_file_id(out, view, "output_file_id", b->output_id);
    put_file_id(out, view, "error_file_id", b->error_id);
    put_times(out, dialect, b);
    put_counts(out, view, b);
    if (dialect->batches.usage)
        put_usage(out, b);
    if (b->metadata != NULL)
        text_f(out, ",\"metadata\":%s", b->metadata);
    else
        put_absent(out, dialect->batches.absent, "metadata");
    text_put(out, "}");
}

static void put_ends(struct buf *out, const struct dialect *dialect, const struct shape_page *page)
{
    if (page->first != NULL) {
        put_text(out, "first_id", page->first);
        put_text(out, "last_id", page->last);
    } else if (dialect->batches.absent == DIALECT_ABSENT_NULL) {
        /* the published schema of a page of files wants both, and has no null */
        put_text(out, "first_id", "");
        put_text(out, "last_id", "");
    } else {
        put_absent(out, dialect->batches.absent, "first_id");
        put_absent(out, dialect->batches.absent, "last_id");
    }
}

void shape_page(struct buf *out, const struct dialect *dialect, enum dialect_list list,
                const struct shape_page *page)
{
    switch (list) {
    case DIALECT_LIST_ENDS: put_ends(out, dialect, page); break;
    case DIALECT_LIST_CURSOR:
        text_put(out, ",\"paging\":{\"next_cursor\":");
        text_string_or_null(out, page->more ? page->last : NULL);
        text_put(out, "}");
        break;
    case DIALECT_LIST_MORE:
    case DIALECT_LIST_ALL: break;
    }
    if (list == DIALECT_LIST_ENDS || list == DIALECT_LIST_MORE)
        text_f(out, ",\"has_more\":%s", page->more ? "true" : "false");
    text_put(out, "}\n");
}
