#ifndef COORDINATOR_CORE_RESOLVE_H
#define COORDINATOR_CORE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/provider/remote.h"

/**
 * What to do about a create call whose outcome is unknown, after the
 * provider's list was searched for the input file. Seen means adopted, at once.
 * Only absence needs time: the list must have been without it when @settle_ms
 * have passed since the intent, and in an earlier look too. Then the input file
 * is deleted (the fence: a create still under way can only fail) and the list
 * searched once more.
 */
enum resolve_step {
    RESOLVE_ADOPT, /* it exists: poll it */
    RESOLVE_LOOK,  /* search again after *wait_ms */
    RESOLVE_FENCE, /* delete the input file, then search once more */
    RESOLVE_BUILD, /* it surely does not exist: upload and create anew */
};

/** "adopt", ... for logs. */
const char *resolve_step_name(enum resolve_step step);

/** What is known when a search of the list has ended. */
struct resolve_facts {
    bool found;
    bool fenced;       /* the input file was deleted before this search */
    uint32_t looks;    /* searches without it before this one */
    int64_t intent_ms; /* Redis time of the intent */
    int64_t now_ms;    /* Redis time */
    int64_t settle_ms; /* how late the provider's list may be */
};

/**
 * Whether @batch ran nothing and never will: it has failed, and says why or names no file. Another
 * create with the same file may live, which it must not hide. (Azure names two files all the same.)
 */
bool resolve_came_to_nothing(const struct remote_batch *batch);

/** @wait_ms is written for RESOLVE_LOOK only. */
enum resolve_step resolve_next(const struct resolve_facts *facts, int64_t *wait_ms);

#endif
