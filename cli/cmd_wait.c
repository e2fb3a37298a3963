#include "cli/recipe_wait.h"
#include "cli/verb.h"

static int run(struct invocation *call)
{
    const struct options *o = &call->options;
    bool shows = options_origin(o, "progress") != SETTING_FROM_DEFAULT;

    return recipe_wait_run(call, verb_arg(call, 0),
                           shows ? (enum option_progress)o->progress : PROGRESS_NONE,
                           o->timeout_ms);
}

const struct verb cmd_wait = {
    .name = "wait",
    .usage = "[JOB] [--timeout D]",
    .summary = "wait until a job has ended",
    .does = "Waits, silently unless --progress says how, until a job has ended. With --timeout it\n"
            "waits no longer than that; the job goes on. Of a job with a recipe it waits for all\n"
            "rounds that are made.",
    .exits =
        "0 every row has a result, 3 some rows failed, 5 no such job, 6 held at its spend cap,\n"
        "7 not in time, 9 Redis cannot be used",
    .example = "sheaf wait nightly --timeout 2h",
    .groups = OPT_COMMON | OPT_WAIT,
    .max_args = 1,
    .run = run,
};
