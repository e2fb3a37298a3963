#include "cli/core/sample.h"

#include <stdio.h>

const char *sample_state(const struct job_view *view, char out[SAMPLE_STATE_MAX])
{
    const char *word = "running";

    if (view->state == JOB_FINAL)
        word = view->cancelled ? "cancelled" : "finished";
    else if (view->cancelled)
        word = "cancelling";
    else if (view->hold[0] != '\0') {
        (void)snprintf(out, SAMPLE_STATE_MAX, "held: %s", view->hold);
        return out;
    } else if (view->site_state == SITE_AUTH)
        word = "the provider refuses the key";
    else if (view->site_state == SITE_DOWN)
        word = "waiting: no answer from the provider";
    else if (view->trouble[0] != '\0') {
        (void)snprintf(out, SAMPLE_STATE_MAX, "waiting: %s", view->trouble);
        return out;
    } else if (view->state == JOB_OPEN)
        word = "cutting";
    else if (view->shards_done == view->shards)
        word = "merging";
    (void)snprintf(out, SAMPLE_STATE_MAX, "%s", word);
    return out;
}

const char *sample_why(const struct job_view *view)
{
    if (view->state == JOB_FINAL || view->cancelled)
        return "";
    if (view->hold[0] != '\0')
        return view->why;
    if (view->site_state != SITE_OK)
        return view->site_why;
    return view->trouble[0] != '\0' ? view->trouble_why : "";
}

uint64_t sample_failed(const struct job_view *view)
{
    return view->bad + view->invalid;
}

uint64_t sample_integrated(const struct job_view *view)
{
    return view->ok + view->bad + view->invalid;
}

static int64_t known(int64_t n)
{
    return n < 0 ? 0 : n;
}

static void add_batch(const struct batch_view *b, struct progress_sample *s)
{
    switch (b->state) {
    case BATCH_BUILD: s->building++; break;
    case BATCH_SUBMIT: s->submitting++; break;
    case BATCH_RUN:
        s->running++;
        s->remote_done += known(b->remote_done) + known(b->remote_failed);
        break;
    case BATCH_FETCH:
        s->fetching++;
        s->remote_done += (int64_t)b->requests;
        s->downloaded += (int64_t)(b->ok + b->bad);
        break;
    case BATCH_CLEAN: break; /* in the job's own counters */
    }
}

void sample_from_view(const struct job_view *view, int64_t at_ms, const char *state,
                      struct progress_sample *sample)
{
    int64_t integrated = (int64_t)sample_integrated(view);

    *sample = (struct progress_sample){
        .at_ms = at_ms,
        .state = state,
        .total = view->state == JOB_OPEN ? -1 : (int64_t)view->requests,
        .cut = (int64_t)view->requests,
        .remote_done = integrated,
        .downloaded = integrated,
        .integrated = integrated,
        .failed = (int64_t)sample_failed(view),
        .spending = spending_from_view(view),
    };
    for (size_t i = 0; i < view->batches_view_count; i++)
        add_batch(&view->batches_view[i], sample);
}
