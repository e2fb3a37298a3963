#ifndef WORKER_CORE_POLL_DECISION_H
#define WORKER_CORE_POLL_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/provider/remote.h"
#include "worker/core/poll_plan.h"

/** What to do after a poll of a remote batch. */
enum poll_action {
    POLL_AGAIN,     /* ask again after the wait */
    POLL_KEY,       /* the key is refused: tell, and ask again seldom */
    POLL_FETCH,     /* it has ended and has results */
    POLL_END,       /* it has ended without any result */
    POLL_SAME_FILE, /* its file was not visible yet: a new intent for the same file, after the wait
                     */
    POLL_REBUILD,   /* its file is gone: upload again */
};

/** "again", ... for logs. */
const char *poll_action_name(enum poll_action action);

/** What is known after a poll. */
struct poll_facts {
    const struct provider_error *error; /* NULL: @batch is what it answered */
    const struct remote_batch *batch;   /* NULL: @error */
    struct poll_plan plan;
    int64_t age_ms;       /* since the remote batch became known */
    int64_t file_age_ms;  /* since its file was uploaded */
    int64_t lag_ms;       /* how long the provider may not show what is new */
    uint32_t empty_polls; /* earlier polls that found nothing where something should be */
};

struct poll_decision {
    enum poll_action action;
    int64_t wait_ms;     /* AGAIN, KEY, SAME_FILE */
    bool empty;          /* AGAIN: count one more empty poll */
    bool free_rest;      /* FETCH, END: what has no line is not charged */
    bool hold_lane;      /* END: the queue was full; wait before sending more of this lane */
    const char *failure; /* END: why; static, or inside the batch of the facts */
};

/**
 * Pure. A failed poll says nothing about the batch; a 404 within the lag
 * neither. Every terminal state may carry results that were paid for.
 */
struct poll_decision poll_decide(const struct poll_facts *facts);

#endif
