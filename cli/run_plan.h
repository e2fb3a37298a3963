#ifndef CLI_RUN_PLAN_H
#define CLI_RUN_PLAN_H

#include <stdbool.h>

#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"
#include "common/provider/profile.h"

struct session;

/** Room for a path and its NUL. */
#define RUN_PATH_MAX 4096

/**
 * What `sheaf run` will do, known before anything is created. Plain data of some KB: keep it
 * on the heap.
 */
struct run_plan {
    const char *input;         /* as given; borrowed */
    const char *output;        /* as given; borrowed */
    char path[RUN_PATH_MAX];   /* of the input: absolute, after run_plan_settle_input() */
    char folder[RUN_PATH_MAX]; /* the state directory */
    char sink[RUN_PATH_MAX + 8];
    char name[JOB_NAME_MAX + 1];
    char site[PROVIDER_ID_LEN + 1];
    struct job_spec spec; /* of the job if it was opened before, else only its name */
    bool opened;
    bool spooled; /* the input can be read only once: it is copied first */
};

/**
 * All that can be refused without creating anything: paths, names, the provider, the key, an
 * OUTPUT that is not this job's. @input is "-" or a file; @compressed: one that is compressed can
 * be read as often as is needed, so it is not copied. ERR_USAGE, ERR_INPUT, ERR_AUTH, ERR_CONFLICT.
 */
MUST_CHECK bool run_plan_make(struct run_plan *plan, const struct options *o, const char *input,
                              const char *output, bool compressed, struct err *err);

/**
 * The input as a file that can be read again: in the state directory of @session where it had to
 * be copied. Sets the path and the sink. Blocks while it is copied.
 */
MUST_CHECK bool run_plan_settle_input(struct run_plan *plan, const struct invocation *call,
                                      const struct session *session, struct err *err);

/** What a failure of run_plan_make() can be mended with; NULL: nothing to say. */
const char *run_plan_hint(const struct err *err);

#endif
