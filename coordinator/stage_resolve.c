/* SUBMIT with an intent: a create may have been sent, and nobody knows what came of it. */
#include <stdio.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "coordinator/core/resolve.h"
#include "coordinator/stage.h"

#define LIST_LIMIT     100
#define LIST_PAGES_MAX 50
#define LIST_SKEW_MS   600000 /* the provider's clock and ours may differ by this much */
#define ENDLESS_MS     60000

static void search(struct submission *s);

/* A search that failed proves nothing. */
static void search_failed(struct submission *s, const struct provider_error *error)
{
    struct retry_decision d = task_decide(&s->task, RETRY_SEARCH, 0, error);

    task_try_later(&s->task, d.wait_ms, error->message);
}

static void look_again(struct submission *s, int64_t wait_ms)
{
    char looks[16];
    const struct protocol_field fields[] = {
        {BATCH_F_LOOKS, looks},
        {BATCH_F_TRIES, ""   },
    };

    (void)snprintf(looks, sizeof(looks), "%u", s->task.batch.looks + 1);
    task_move(&s->task, BATCH_SUBMIT, PROTOCOL_CO, wait_ms, fields, ARRAY_LEN(fields),
              "not in the list yet");
}

static void on_fenced(const struct provider_error *error, void *arg)
{
    struct submission *s = arg;

    s->task.call = NULL;
    daemon_note_provider(s->task.daemon, error);
    if (error != NULL) {
        search_failed(s, error);
        return;
    }
    FAILPOINT("coordinator.fenced");
    s->fenced = true;
    search(s);
}

static void after_search(struct submission *s)
{
    int64_t wait_ms = 0;
    struct resolve_facts facts = {.found = s->found[0] != '\0',
                                  .fenced = s->fenced,
                                  .looks = s->task.batch.looks,
                                  .intent_ms = s->task.batch.intent_ms,
                                  .now_ms = work_redis_now_ms(&s->task.work),
                                  .settle_ms = s->task.daemon->options.settle_ms};

    switch (resolve_next(&facts, &wait_ms)) {
    case RESOLVE_ADOPT:
        submission_runs(s, s->found, s->found_created_ms, "", "found in the list");
        return;
    case RESOLVE_LOOK: look_again(s, wait_ms); return;
    case RESOLVE_FENCE:
        s->task.call =
            provider_file_delete(s->task.daemon->provider, s->task.batch.file, on_fenced, s);
        return;
    case RESOLVE_BUILD: submission_rebuild(s, "surely not created", false); return;
    }
}

/* Of several that match the oldest counts; the list is newest first. */
static void take_matches(struct submission *s, const struct remote_batch_page *page,
                         bool *old_enough)
{
    const struct batch *batch = &s->task.batch;

    for (size_t i = 0; i < page->count; i++) {
        const struct remote_batch *b = &page->items[i];
        bool ours = strcmp(b->input_file_id, batch->file) == 0 ||
                    (b->input_file_id[0] == '\0' && strcmp(b->metadata_bid, batch->bid) == 0);

        if (ours && !resolve_came_to_nothing(b)) {
            memcpy(s->found, b->id, sizeof(s->found));
            s->found_created_ms = b->created_unix_ms;
        }
        if (b->created_unix_ms != 0 && b->created_unix_ms < batch->intent_ms - LIST_SKEW_MS)
            *old_enough = true;
    }
}

static void on_page(const struct provider_error *error, const struct remote_batch_page *page,
                    void *arg)
{
    struct submission *s = arg;
    bool old_enough = false;

    s->task.call = NULL;
    daemon_note_provider(s->task.daemon, error);
    if (error != NULL) {
        search_failed(s, error);
        return;
    }
    take_matches(s, page, &old_enough);
    s->pages++;
    if (s->found[0] != '\0' || old_enough || !page->has_more)
        after_search(s);
    else if (s->pages >= LIST_PAGES_MAX)
        task_put_off(&s->task, ENDLESS_MS, "the provider's list has no end");
    else
        s->task.call = provider_list(s->task.daemon->provider, page->next, LIST_LIMIT, on_page, s);
}

static void search(struct submission *s)
{
    s->pages = 0;
    s->found[0] = '\0';
    s->task.call = provider_list(s->task.daemon->provider, "", LIST_LIMIT, on_page, s);
}

void submission_resolve(struct submission *s)
{
    search(s);
}
