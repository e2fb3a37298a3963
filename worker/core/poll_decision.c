#include "worker/core/poll_decision.h"

#include "common/base/attr.h"

#define KEY_WAIT_MS       15000
#define FILE_WAIT_MS      5000
#define EMPTY_POLLS       10
#define EMPTY_WAIT_MAX_MS 300000

const char *poll_action_name(enum poll_action action)
{
    switch (action) {
    case POLL_AGAIN: return "again";
    case POLL_KEY: return "key";
    case POLL_FETCH: return "fetch";
    case POLL_END: return "end";
    case POLL_SAME_FILE: return "same_file";
    case POLL_REBUILD: return "rebuild";
    }
    return "?";
}

static struct poll_decision again(const struct poll_facts *f, bool empty)
{
    struct poll_decision d = {.action = POLL_AGAIN, .empty = empty};

    d.wait_ms = poll_plan_next_ms(&f->plan, f->age_ms);
    if (f->error != NULL && f->error->retry_after_ms > d.wait_ms)
        d.wait_ms = f->error->retry_after_ms;
    return d;
}

static bool waited_long_enough(const struct poll_facts *f)
{
    return f->empty_polls + 1 >= EMPTY_POLLS || f->age_ms >= EMPTY_WAIT_MAX_MS;
}

static struct poll_decision after_error(const struct poll_facts *f)
{
    if (f->error->class == PROVIDER_AUTH)
        return (struct poll_decision){.action = POLL_KEY, .wait_ms = KEY_WAIT_MS};
    if (f->error->class != PROVIDER_NOT_FOUND || f->age_ms < f->lag_ms)
        return again(f, false);
    if (f->empty_polls + 1 < EMPTY_POLLS)
        return again(f, true);
    return (struct poll_decision){.action = POLL_END, .failure = "batch_lost"};
}

/* The provider says which lines it refuses: nothing ran, and the others can be sent again. */
static bool names_lines(const struct remote_batch *b)
{
    for (size_t i = 0; i < b->error_count; i++) {
        if (b->errors[i].line >= 1)
            return true;
    }
    return false;
}

static struct poll_decision after_failure(const struct poll_facts *f)
{
    const struct remote_batch *b = f->batch;

    switch ((int)remote_batch_failure(b)) {
    case PROVIDER_NOT_FOUND:
        if (f->file_age_ms < f->lag_ms)
            return (struct poll_decision){.action = POLL_SAME_FILE, .wait_ms = FILE_WAIT_MS};
        return (struct poll_decision){.action = POLL_REBUILD};
    case PROVIDER_QUOTA_ENQUEUED:
        return (struct poll_decision){.action = POLL_END,
                                      .free_rest = true,
                                      .hold_lane = true,
                                      .failure = "token_limit_exceeded"};
    default:
        return (struct poll_decision){.action = POLL_END,
                                      .free_rest = names_lines(b),
                                      .failure = b->error_count > 0 && b->errors[0].code[0] != '\0'
                                                     ? b->errors[0].code
                                                     : "batch_failed"};
    }
}

static struct poll_decision after_end(const struct poll_facts *f)
{
    const struct remote_batch *b = f->batch;
    bool partial = b->status == REMOTE_EXPIRED || b->status == REMOTE_CANCELLED;

    if (b->output_file_id[0] != '\0' || b->error_file_id[0] != '\0')
        return (struct poll_decision){.action = POLL_FETCH, .free_rest = partial};
    if (b->status == REMOTE_FAILED)
        return after_failure(f);
    if (!waited_long_enough(f))
        return again(f, true);
    return (struct poll_decision){.action = POLL_END,
                                  .free_rest = partial,
                                  .failure = b->status == REMOTE_EXPIRED     ? "batch_expired"
                                             : b->status == REMOTE_CANCELLED ? "batch_cancelled"
                                                                             : "output_missing"};
}

struct poll_decision poll_decide(const struct poll_facts *facts)
{
    if (facts->error != NULL)
        return after_error(facts);
    if (!remote_status_is_terminal(facts->batch->status))
        return again(facts, false);
    return after_end(facts);
}
