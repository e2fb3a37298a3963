#ifndef CLI_HANDOVER_H
#define CLI_HANDOVER_H

#include <stdbool.h>

#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/err.h"

struct session;

/** A job that is handed to a cluster. Borrowed. */
struct handover {
    const char *job;
    const char *input;    /* absolute path, or "-": ready request lines */
    const char *sink;     /* "dir:/abs/path" */
    const char *max_cost; /* NULL: no cap */
    const char *said;     /* what was given as input, for the trail */
};

/** "dir:PATH" of --sink with an absolute path, which is what is kept with a job; the caller frees.
 */
MUST_CHECK bool handover_sink(const char *given, char **url, struct err *err);

/**
 * Have the producer put all of it into Redis; waits for it. An operator's second submit is noted in
 * the trail. Returns the exit code; what failed was said.
 */
int handover_run(const struct invocation *call, struct session *session, const struct handover *h);

#endif
