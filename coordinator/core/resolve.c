#include "coordinator/core/resolve.h"

#define LOOK_EVERY_MS 5000

const char *resolve_step_name(enum resolve_step step)
{
    switch (step) {
    case RESOLVE_ADOPT: return "adopt";
    case RESOLVE_LOOK: return "look";
    case RESOLVE_FENCE: return "fence";
    case RESOLVE_BUILD: return "build";
    }
    return "?";
}

bool resolve_came_to_nothing(const struct remote_batch *batch)
{
    bool names_files = batch->output_file_id[0] != '\0' || batch->error_file_id[0] != '\0';

    return batch->status == REMOTE_FAILED && (batch->error_count > 0 || !names_files);
}

enum resolve_step resolve_next(const struct resolve_facts *facts, int64_t *wait_ms)
{
    if (facts->found)
        return RESOLVE_ADOPT;
    if (facts->fenced)
        return RESOLVE_BUILD;

    int64_t remaining = facts->intent_ms + facts->settle_ms - facts->now_ms;

    if (remaining > 0 || facts->looks == 0) {
        *wait_ms = remaining > LOOK_EVERY_MS ? LOOK_EVERY_MS : remaining;
        if (*wait_ms < 0)
            *wait_ms = 0;
        return RESOLVE_LOOK;
    }
    return RESOLVE_FENCE;
}
