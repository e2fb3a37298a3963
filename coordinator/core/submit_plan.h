#ifndef COORDINATOR_CORE_SUBMIT_PLAN_H
#define COORDINATOR_CORE_SUBMIT_PLAN_H

#include <stdint.h>

#include "common/provider/provider_error.h"

/** What to do about a failed upload or create. */
enum submit_action {
    SUBMIT_AGAIN,     /* nothing happened at the provider: the same step after the wait */
    SUBMIT_RESOLVE,   /* it may have happened: look before anything else */
    SUBMIT_HOLD_LANE, /* the provider takes no more of this lane for now */
    SUBMIT_KEY,       /* the key is refused: tell, and try again seldom */
    SUBMIT_FAIL,      /* it will never be taken: its tasks get the provider's reason */
};

/** "again", ... for logs. */
const char *submit_action_name(enum submit_action action);

struct submit_decision {
    enum submit_action action;
    int64_t wait_ms;     /* for AGAIN, HOLD_LANE and KEY */
    uint32_t shrink_pct; /* HOLD_LANE: lower the lane's learned token budget to this share of what
                            is in use; 0: leave it */
};

/**
 * Pure. One row for each class; a create is never repeated when it may have
 * been carried out. The provider's own wish to wait is obeyed up to 15 minutes.
 */
struct submit_decision submit_decide(enum provider_operation op, const struct provider_error *e);

#endif
