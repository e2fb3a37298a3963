#include "worker/core/poll_judge.h"

#include <stdio.h>
#include <string.h>

#include "common/base/units.h"

/* Of what may follow what; a word that is not known can stand anywhere. */
static int rank(enum remote_status status)
{
    switch (status) {
    case REMOTE_VALIDATING: return 1;
    case REMOTE_QUEUED: return 2;
    case REMOTE_RUNNING: return 3;
    case REMOTE_FINALIZING:
    case REMOTE_CANCELLING: return 4;
    case REMOTE_COMPLETED:
    case REMOTE_EXPIRED:
    case REMOTE_CANCELLED:
    case REMOTE_FAILED: return 5;
    case REMOTE_UNKNOWN: break;
    }
    return 0;
}

static bool is_stale(const struct poll_facts *f)
{
    int now = rank(f->batch->status);
    int before = f->known_status[0] == '\0' ? 0 : rank(remote_status_parse(f->known_status));

    return now != 0 && now < before;
}

static bool past(int64_t ms, int64_t limit)
{
    return limit > 0 && ms >= limit;
}

/* Beyond the window that the provider promises; where it promises none, never. */
static bool past_window(const struct poll_facts *f, int64_t more)
{
    return f->limits->window_ms > 0 && past(f->age_ms, more > 0 ? f->limits->window_ms + more : 0);
}

/* What the provider says that the batch is, and for how long it has said so. */
struct told {
    enum remote_status status;
    const char *word;
    int64_t for_ms;
};

static bool is_slow(const struct poll_facts *f, const struct told *told)
{
    const struct provider_limits *l = f->limits;

    switch (told->status) {
    case REMOTE_VALIDATING:
    case REMOTE_UNKNOWN:
        if (past(told->for_ms, l->stuck_validating_ms))
            return true;
        break;
    case REMOTE_FINALIZING:
        if (past(told->for_ms, l->stuck_finalizing_ms))
            return true;
        break;
    case REMOTE_QUEUED:
    case REMOTE_RUNNING:
    case REMOTE_CANCELLING:
    case REMOTE_COMPLETED:
    case REMOTE_EXPIRED:
    case REMOTE_CANCELLED:
    case REMOTE_FAILED: break;
    }
    return past_window(f, l->stuck_running_ms);
}

static unsigned stuck_when(const struct poll_facts *f, const struct told *told)
{
    const struct provider_limits *l = f->limits;
    bool stopping = f->batch->status == REMOTE_CANCELLING; /* now, not by what was heard before */
    unsigned when = 0;

    if (is_slow(f, told))
        when |= RETRY_IF_SLOW;
    if (f->stopped_ms < 0 && past_window(f, l->stuck_cancel_ms))
        when |= RETRY_IF_OVERDUE;
    if (past(f->stopped_ms, l->stuck_cancelling_ms) ||
        (stopping && past(told->for_ms, l->stuck_cancelling_ms)))
        when |= RETRY_IF_STOPPED;
    return when;
}

static void judge_running(const struct poll_facts *f, struct poll_judgement *out)
{
    bool same = strcmp(f->known_status, f->batch->status_text) == 0;
    struct told told = {f->batch->status, f->batch->status_text, same ? f->in_status_ms : 0};
    char age[UNITS_TEXT_MAX];
    char spent[UNITS_TEXT_MAX];

    if (out->stale)
        told =
            (struct told){remote_status_parse(f->known_status), f->known_status, f->in_status_ms};
    out->when = stuck_when(f, &told);
    out->step = out->when == 0 ? RETRY_POLL : RETRY_STUCK;
    (void)snprintf(out->what.message, sizeof(out->what.message),
                   "the batch is \"%s\" for %s, %s after it was created", told.word,
                   units_format_duration(told.for_ms, spent),
                   units_format_duration(f->age_ms, age));
}

/* The words of the first complaint, and the first line that is named. */
static void take_words(const struct remote_batch *b, struct provider_error *what)
{
    what->class = remote_batch_failure(b);
    (void)snprintf(what->message, sizeof(what->message), "the batch failed without a reason");
    for (size_t i = b->error_count; i-- > 0;) {
        const struct remote_error *e = &b->errors[i];

        (void)snprintf(what->code, sizeof(what->code), "%s", e->code);
        (void)snprintf(what->message, sizeof(what->message), "%s", e->message);
        if (e->line >= 1)
            what->line = e->line;
    }
}

static void judge_end(const struct poll_facts *f, struct poll_judgement *out)
{
    const struct remote_batch *b = f->batch;
    bool same = strcmp(f->known_status, b->status_text) == 0;

    out->step = RETRY_ENDED;
    if (b->status == REMOTE_EXPIRED || b->status == REMOTE_CANCELLED)
        out->when |= RETRY_IF_PARTIAL;
    if (!f->files_empty && (b->output_file_id[0] != '\0' || b->error_file_id[0] != '\0')) {
        out->when |= RETRY_IF_RESULTS;
    } else if (b->status == REMOTE_FAILED) {
        out->step = RETRY_FAILED;
        take_words(b, &out->what);
        if (out->what.line > 0)
            out->when |= RETRY_IF_NAMED;
        if (f->file_age_ms < f->limits->visibility_lag_ms)
            out->when |= RETRY_IF_YOUNG;
    } else {
        (void)snprintf(out->what.message, sizeof(out->what.message),
                       "the batch is \"%s\" and names no file", b->status_text);
        if (!same || f->in_status_ms < f->grace_ms)
            out->when |= RETRY_IF_YOUNG;
    }
}

bool poll_files_tell(const struct remote_batch *batch, const int64_t bytes[2])
{
    if (batch->status != REMOTE_FAILED)
        return true;
    return bytes[0] > 0 || (bytes[1] > 0 && batch->error_count == 0);
}

void poll_judge(const struct poll_facts *f, struct poll_judgement *out)
{
    *out = (struct poll_judgement){
        .step = RETRY_POLL, .what = {.class = PROVIDER_NONE, .retry_after_ms = -1, .line = -1}
    };
    out->stale = is_stale(f);
    if (remote_status_is_terminal(f->batch->status))
        judge_end(f, out);
    else
        judge_running(f, out);
}
