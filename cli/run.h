#ifndef CLI_RUN_H
#define CLI_RUN_H

#include <stdbool.h>

#include "cli/core/run_state.h"
#include "cli/finish.h"
#include "cli/verb.h"

struct buf;
struct display;
struct session;
struct warn_at;

/** One job that this process runs on this host. Borrowed. */
struct run_job {
    const struct invocation *call;
    struct session *session;
    struct display *display;
    const char *name;
    const char *input; /* absolute path of a file that can be read at an offset; NULL: all of it is
                          in Redis, no producer is needed */
    const char *sink;  /* "dir:/abs/path" */
    const char *site;
    const char *max_cost;    /* in place of --max-cost; NULL: that one */
    struct warn_at *warn_at; /* shares of the cap that are told, of all rounds; NULL: --warn-at's */
    int64_t spent_before;    /* nano-units that earlier rounds of the job cost */
    const struct buf *what;  /* for the trail of a job that goes on here, as trail_note() takes it;
                                NULL: it is noted already */
};

/** How the running ended. */
struct run_result {
    struct run_verdict verdict; /* RUN_FINISHED or RUN_STOP */
    struct finish finish;       /* of RUN_FINISHED */
    int signal;                 /* above 0: that one came, and @verdict is not set */
};

/**
 * Start the programs, keep them alive, show progress, until the job has ended, cannot
 * go on, or a signal comes. The programs still run afterwards. False with @err
 * when a program cannot be started.
 */
MUST_CHECK bool run_job(const struct run_job *job, struct run_result *result, struct err *err);

#endif
