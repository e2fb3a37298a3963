#include "cli/recipe_run.h"

#include <stdlib.h>
#include <string.h>

#include "cli/local_run.h"
#include "cli/recipe_given.h"
#include "cli/recipe_job.h"
#include "cli/recipe_sample.h"
#include "cli/run_plan.h"
#include "cli/session.h"
#include "cli/trail.h"
#include "common/base/xmem.h"
#include "common/rows/rows.h"

/* Its rounds' names must fit as well. */
static bool check_name(const struct run_plan *plan, struct err *err)
{
    if (strlen(plan->name) <= JOB_ROUNDS_NAME_MAX)
        return true;
    return err_set(err, ERR_USAGE,
                   "the job's name \"%s\" has more than the %d bytes of a job with a recipe: give "
                   "another with --job",
                   plan->name, JOB_ROUNDS_NAME_MAX);
}

static int run_in_session(struct run_plan *plan, const struct invocation *call,
                          struct session *session, const struct recipe_given *given)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    char fingerprint[65];
    struct err err = {0};

    if (!run_plan_settle_input(plan, call, session, &err) ||
        (plan->spooled && !recipe_given_check_rows(given, plan->path, &err)) ||
        !rows_fingerprint(plan->path, &given->recipe->rows, fingerprint, &err) ||
        !recipe_job_bind(session, plan->name, plan->opened, given->recipe, plan->path, fingerprint,
                         &err))
        return verb_fail(
            call, &err,
            err.kind == ERR_CONFLICT ? "put it back; or give another --job and -o OUTPUT" : NULL);
    trail_put_text(&what, "input", plan->input);
    trail_put_text(&what, "recipe", given->recipe->name);
    trail_put_text(&what, "output", plan->output);
    const struct recipe_job job = {.call = call,
                                   .session = session,
                                   .recipe = given->recipe,
                                   .name = plan->name,
                                   .sink = plan->sink,
                                   .site = plan->site,
                                   .rows = plan->path,
                                   .rows_fingerprint = fingerprint,
                                   .output = plan->output,
                                   .overwrite = call->options.yes,
                                   .what = &what};
    int code = recipe_job_run(&job);
    buf_release(&what);
    return code;
}

static int run_plan_here(struct run_plan *plan, struct invocation *call,
                         const struct recipe_given *given)
{
    struct err err = {0};
    struct session *session = session_open_for_run(&call->options, plan->folder, &err);
    int code;

    if (session == NULL)
        return verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "wait for it, or watch it with "
                                                    "`sheaf watch --state-dir`"
                                                  : NULL);
    if (local_run_redirect(call, session, &err))
        code = run_in_session(plan, call, session, given);
    else
        code = verb_fail(call, &err, NULL);
    session_close(session);
    local_run_restore(call);
    return code;
}

static int run_given(struct invocation *call, const struct recipe_given *given)
{
    struct run_plan *plan = xcalloc(1, sizeof(*plan));
    struct err err = {0};
    bool ok = run_plan_make(plan, &call->options, given->input, given->output, true, &err) &&
              check_name(plan, &err) &&
              (plan->spooled || recipe_given_check_rows(given, plan->input, &err));
    int code = ok ? run_plan_here(plan, call, given) : verb_fail(call, &err, run_plan_hint(&err));

    free(plan);
    return code;
}

int recipe_run(struct invocation *call)
{
    struct recipe_given *given = xcalloc(1, sizeof(*given));
    struct err err = {0};
    int code;

    if (call->options.recipe == NULL && !recipe_given_is_classic(&call->options))
        code = verb_fail_with(call, EXIT_CODE_USAGE, "--sample tries a recipe: give --recipe FILE",
                              NULL);
    else if (!recipe_given_load(call, given, &err) ||
             !recipe_given_check_prices(given, &call->options, &err))
        code = verb_fail(call, &err, NULL);
    else if (given->input == NULL)
        code = verb_fail_with(call, EXIT_CODE_USAGE, "what? Give INPUT", NULL);
    else if (call->options.sample > 0)
        code = recipe_sample_run(call, given);
    else if (given->output == NULL)
        code = verb_fail_with(call, EXIT_CODE_USAGE, "where to? Give -o OUTPUT", NULL);
    else
        code = run_given(call, given);
    recipe_given_release(given);
    free(given);
    return code;
}
