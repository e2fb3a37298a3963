#include <stdlib.h>

#include "cli/local_run.h"
#include "cli/recipe_given.h"
#include "cli/recipe_run.h"
#include "cli/run_plan.h"
#include "cli/session.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/base/xmem.h"

static int run_in_session(struct run_plan *plan, const struct invocation *call,
                          struct session *session)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    struct err err = {0};

    if (!run_plan_settle_input(plan, call, session, &err))
        return verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "give another --job and -o OUTPUT" : NULL);
    trail_put_text(&what, "input", plan->input);
    trail_put_text(&what, "output", call->options.output);
    const struct local_job job = {.name = plan->name,
                                  .input = plan->path,
                                  .sink = plan->sink,
                                  .site = plan->site,
                                  .output = call->options.output,
                                  .overwrite = call->options.yes,
                                  .what = &what,
                                  .unwritten = "the results are safe; the same command goes on "
                                               "where it was"};
    int code = local_run(call, session, &job);
    buf_release(&what);
    return code;
}

static int run_plan(struct run_plan *plan, struct invocation *call)
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
        code = run_in_session(plan, call, session);
    else
        code = verb_fail(call, &err, NULL);
    session_close(session);
    local_run_restore(call);
    return code;
}

static int run_requests(struct invocation *call)
{
    const struct options *o = &call->options;
    struct run_plan *plan = xcalloc(1, sizeof(*plan));
    struct err err = {0};
    int code = run_plan_make(plan, o, call->args.items[0], o->output, false, &err)
                   ? run_plan(plan, call)
                   : verb_fail(call, &err, run_plan_hint(&err));

    free(plan);
    return code;
}

static int run(struct invocation *call)
{
    const struct options *o = &call->options;

    if (o->recipe != NULL || o->sample > 0 || recipe_given_is_classic(o))
        return recipe_run(call);
    if (call->args.count == 0)
        return verb_fail_with(call, EXIT_CODE_USAGE, "what? Give INPUT", NULL);
    if (o->output == NULL)
        return verb_fail_with(call, EXIT_CODE_USAGE, "where to? Give -o OUTPUT", NULL);
    return run_requests(call);
}

const struct verb cmd_run = {
    .name = "run",
    .usage = "INPUT -o OUTPUT [--recipe FILE]",
    .summary = "run a whole job on this host, with one command",
    .does =
        "Sends every request of INPUT through the provider's Batch API and writes the results to\n"
        "OUTPUT, in input order; failures go to OUTPUT's errors file, numbers to its report.\n"
        "With --recipe INPUT has rows: each comes back with the answers to the recipe's "
        "questions.\n"
        "The same command again goes on where it was; a finished job is reported, not redone.",
    .exits =
        "0 every row has a result, 2 usage, 3 some rows failed, 4 the key is refused, 6 spend\n"
        "cap, 8 no provider for --give-up, 9 Redis, disk or sink cannot be used, 11 INPUT cannot\n"
        "be read, 12 conflict, 130 or 143 stopped by a signal",
    .example = "sheaf run in.jsonl -o out.jsonl --max-batches 4",
    .groups = OPT_COMMON | OPT_RUN,
    .max_args = 1,
    .run = run,
};
