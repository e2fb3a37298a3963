#include "cli/recipe_wait.h"
#include "cli/verb.h"

static int run(struct invocation *call)
{
    int code =
        recipe_wait_run(call, verb_arg(call, 0), (enum option_progress)call->options.progress,
                        call->options.timeout_ms);

    return code == EXIT_CODE_SOME_FAILED ? EXIT_CODE_OK : code;
}

const struct verb cmd_watch = {
    .name = "watch",
    .usage = "[JOB]",
    .summary = "show the progress of a job until it ends",
    .does = "Shows the progress of a job on standard error until it has ended. Ctrl-C ends the\n"
            "watching, never the job.",
    .exits =
        "0 ended (also when rows failed), 5 no such job, 6 held at its spend cap, 7 not in time,\n"
        "9 Redis cannot be used",
    .example = "sheaf watch nightly --redis redis://10.0.0.5",
    .groups = OPT_COMMON | OPT_WAIT,
    .max_args = 1,
    .run = run,
};
