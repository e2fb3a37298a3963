#ifndef CLI_LOCAL_RUN_H
#define CLI_LOCAL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/verb.h"
#include "common/base/err.h"

struct buf;
struct finish;
struct session;
struct warn_at;

/** A job that is worked on here until it ends. Borrowed. */
struct local_job {
    const char *name;
    const char *input;       /* absolute path; NULL: nothing is left to cut */
    const char *sink;        /* "dir:/abs/path" */
    const char *site;        /* who serves it */
    const char *output;      /* NULL: nothing is written, only told */
    bool overwrite;          /* an OUTPUT that is not this job's is replaced */
    const struct buf *what;  /* run_job.what */
    const char *unwritten;   /* what to do when OUTPUT could not be written */
    const char *max_cost;    /* in place of --max-cost; NULL: that one */
    bool is_trial;           /* the same command begins anew instead of going on */
    struct warn_at *warn_at; /* shares of the cap that are told; NULL: those of --warn-at */
    int64_t spent_before;    /* nano-units that earlier rounds of the job cost */
};

/** local_run_to_end(): the job has ended. */
#define LOCAL_RUN_ENDED (-1)

/**
 * What is logged goes to the log of the state directory from now on, as the
 * programs' logs do; @call->people stays where it was. Undo with
 * local_run_restore() once the session is closed.
 */
MUST_CHECK bool local_run_redirect(struct invocation *call, const struct session *session,
                                   struct err *err);
void local_run_restore(struct invocation *call);

/**
 * Run the programs, show progress, write OUTPUT, and say how it ended. @session
 * holds its state directory. The programs, but not the private Redis, are
 * stopped at the end. Returns the exit code.
 */
int local_run(const struct invocation *call, struct session *session, const struct local_job *job);

/**
 * The same without its end: nothing is written or summed up. LOCAL_RUN_ENDED with *@finish when
 * the job has ended; else it was said why not, and the exit code is returned.
 */
int local_run_to_end(const struct invocation *call, struct session *session,
                     const struct local_job *job, struct finish *finish);

/** How progress is shown: --progress, as -q and -v change it. */
enum option_progress local_run_form(const struct options *o);

/** The end of it alone, for a job that has ended as @f says: OUTPUT, and how it went. */
int local_run_publish(const struct invocation *call, const struct finish *f,
                      const struct local_job *job);

#endif
