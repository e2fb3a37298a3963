#ifndef COORDINATOR_SUBMISSION_H
#define COORDINATOR_SUBMISSION_H

#include "common/daemon/crew.h"

struct reaper;

/**
 * Brings one batch from its record to a running remote batch: builds and
 * uploads its file, writes the intent, creates; or, when an earlier create's
 * outcome is unknown, finds out first. Frees itself at the end. The claim's
 * batch is moved out. @reaper (borrowed) is woken where files must go.
 */
void submission_start(struct crew *crew, struct reaper *reaper, struct claim *claim,
                      const char *nonce);

/** Drop everything; nothing is touched at the provider. @work is the one submission_start() began.
 */
void submission_lost(struct work *work);

#endif
