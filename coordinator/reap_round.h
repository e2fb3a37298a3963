#ifndef COORDINATOR_REAP_ROUND_H
#define COORDINATOR_REAP_ROUND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/protocol/protocol_reaper.h"
#include "coordinator/core/reap_plan.h"

struct daemon;

/** One look over a provider, with the removal of what is nobody's. */
struct reap_round;

/** What came of it. Borrowed for the callback. */
struct reap_result {
    bool lost;             /* somebody else has the lease: nothing more is ours to do */
    bool complete;         /* all of the provider was seen */
    size_t files, batches; /* deleted; found and counted */
    struct reap_rest rest;
    const char *const *ids; /* to remember until the next round */
    size_t id_count;
};

typedef void (*reap_round_fn)(const struct reap_result *result, void *arg);

/**
 * Begin the round claimed under @nonce; @claimed is copied. @shaken: see struct
 * reap_rest. Calls @done once, later, and frees itself after it. Failed calls are
 * repeated some times; what cannot be done is left to the next round.
 */
struct reap_round *reap_round_start(struct daemon *daemon, const char *nonce,
                                    const struct reap_claimed *claimed, bool shaken,
                                    reap_round_fn done, void *arg);

/** Stop at once, without a callback; what was sent may still be acted upon. NULL is fine. */
void reap_round_free(struct reap_round *round);

/** The lease of a round is this many times that of a batch: its steps are longer. */
#define REAP_LEASES 4

#endif
