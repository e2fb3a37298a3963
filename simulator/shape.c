#include "simulator/shape.h"

#include <inttypes.h>

#include "simulator/batches.h"
#include "simulator/files.h"
#include "simulator/text.h"

#define WINDOW_MS INT64_C(86400000)

static void put_text(struct buf *out, const char *name, const char *value)
{
    text_f(out, ",\"%s\":", name);
    text_string_or_null(out, value);
}

void shape_file(struct buf *out, enum profile profile, const struct sim_file *file)
{
    text_put(out, "{\"object\":\"file\"");
    put_text(out, "id", file->id);
    put_text(out, "purpose", file->purpose);
    put_text(out, profile == PROFILE_ZHIPU ? "fileName" : "filename", file->filename);
    text_f(out, ",\"bytes\":%" PRId64 ",\"created_at\":%" PRId64, file->bytes,
           file->created_ms / 1000);
    if (profile == PROFILE_OPENAI) {
        /* the published schema has no null here: what does not apply is left out */
        if (file->expires_s != 0)
            text_f(out, ",\"expires_at\":%" PRId64, file->expires_s);
        text_put(out, ",\"status\":\"processed\"");
    }
    text_put(out, "}");
}

/* OpenAI gives each time, null or seconds; Zhipu only those that were, in milliseconds. */
static void put_time(struct buf *out, enum profile profile, const char *name, int64_t ms)
{
    if (profile == PROFILE_ZHIPU && ms != 0)
        text_f(out, ",\"%s\":%" PRId64, name, ms);
    else if (profile == PROFILE_OPENAI && ms != 0)
        text_f(out, ",\"%s\":%" PRId64, name, ms / 1000);
    else if (profile == PROFILE_OPENAI)
        text_f(out, ",\"%s\":null", name);
}

static void put_times(struct buf *out, enum profile profile, const struct sim_batch *b)
{
    put_time(out, profile, "created_at", b->created);
    put_time(out, profile, "in_progress_at", b->in_progress);
    put_time(out, profile, "expires_at", b->created + WINDOW_MS);
    put_time(out, profile, "finalizing_at", b->finalizing);
    put_time(out, profile, "completed_at", b->completed);
    put_time(out, profile, "failed_at", b->failed);
    put_time(out, profile, "expired_at", b->expired);
    put_time(out, profile, "cancelling_at", b->cancelling);
    put_time(out, profile, "cancelled_at", b->cancelled);
}

static void put_file_id(struct buf *out, enum profile profile, const char *name, const char *id,
                        bool hidden)
{
    if (profile == PROFILE_ZHIPU && (id == NULL || hidden))
        put_text(out, name, "");
    else
        put_text(out, name, hidden ? NULL : id);
}

static void put_errors(struct buf *out, enum profile profile, const struct sim_batch *b)
{
    if (b->errors != NULL)
        text_f(out, ",\"errors\":{\"object\":\"list\",\"data\":[%s]}", b->errors);
    else if (profile == PROFILE_OPENAI)
        text_put(out, ",\"errors\":null");
}

/* While it runs, counts follow the clock, as those of a real batch lag behind its rows. */
static void put_counts(struct buf *out, const struct shape_view *view, const struct sim_batch *b)
{
    int64_t total = b->total;
    int64_t ok = b->rows_ok;

    if (view->profile == PROFILE_ZHIPU && b->status == BATCH_VALIDATING) {
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

void shape_batch(struct buf *out, const struct shape_view *view, const struct sim_batch *b)
{
    enum profile profile = view->profile;

    text_put(out, "{\"object\":\"batch\"");
    put_text(out, "id", b->id);
    put_text(out, "endpoint", b->endpoint);
    if (b->model != NULL)
        text_f(out, ",\"model\":\"%s\"", b->model);
    put_errors(out, profile, b);
    put_text(out, "input_file_id", b->input_file_id);
    put_text(out, "completion_window", b->window);
    put_text(out, "status", batch_status_name(b->status));
    put_file_id(out, profile, "output_file_id", b->output_id, view->hide_ids);
    put_file_id(out, profile, "error_file_id", b->error_id, view->hide_ids);
    put_times(out, profile, b);
    put_counts(out, view, b);
    if (profile == PROFILE_OPENAI)
        put_usage(out, b);
    text_f(out, ",\"metadata\":%s}", b->metadata != NULL ? b->metadata : "null");
}
