#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/following.h"
#include "cli/handover.h"
#include "cli/recipe_submit.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "common/base/xmem.h"

static bool absolute_input(const char *given, char **path, struct err *err)
{
    *path = strcmp(given, "-") == 0 ? xstrdup(given) : realpath(given, NULL);
    if (*path != NULL)
        return true;
    return err_set(err, ERR_INPUT, "%s: %s", given, strerror(errno));
}

static int submit(struct invocation *call, const char *input, const char *sink)
{
    const struct handover h = {.job = call->options.job,
                               .input = input,
                               .sink = sink,
                               .max_cost = call->options.max_cost,
                               .said = input};
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    int code = session != NULL ? handover_run(call, session, &h) : verb_fail(call, &err, NULL);

    session_close(session);
    return code;
}

static int submit_requests(struct invocation *call)
{
    const struct options *o = &call->options;
    char *input = NULL;
    char *sink = NULL;
    struct err err = {0};
    int code;

    if (strcmp(call->args.items[0], "-") == 0 && o->payload == PAYLOAD_REF)
        return verb_fail_with(call, EXIT_CODE_USAGE,
                              "standard input cannot be read again: --payload inline", NULL);
    if (!absolute_input(call->args.items[0], &input, &err) ||
        !handover_sink(o->sink, &sink, &err)) {
        free(input);
        return verb_fail(call, &err, NULL);
    }
    code = submit(call, input, sink);
    free(input);
    free(sink);
    if (code == EXIT_CODE_OK && o->wait)
        code = following_run(call, o->job, (enum option_progress)o->progress, 0);
    return code;
}

static int run(struct invocation *call)
{
    const struct options *o = &call->options;

    if (o->job == NULL || !job_name_is_valid(o->job))
        return verb_fail_with(call, EXIT_CODE_USAGE, "a job needs a name: --job NAME",
                              "1 to 64 bytes without / : |");
    return o->recipe != NULL ? recipe_submit_run(call) : submit_requests(call);
}

const struct verb cmd_submit = {
    .name = "submit",
    .usage = "INPUT --job NAME --sink dir:PATH [--wait]",
    .summary = "hand a job to a cluster",
    .does =
        "Cuts INPUT into shards and puts them into Redis, where the coordinators and workers of a\n"
        "cluster take them. The requests travel through Redis, unless --payload ref says that\n"
        "all hosts see INPUT under the same path. With --recipe INPUT has rows, and the requests\n"
        "are made here; the same command again asks once more for answers that were not valid,\n"
        "and --wait does so until there is nothing more to ask.",
    .exits = "0 handed over (with --wait: 0, 3 or 6, as wait), 2 usage, 9 Redis or sink cannot be "
             "used,\n"
             "11 INPUT cannot be read, 12 the name belongs to another input",
    .example = "sheaf submit in.jsonl --job nightly --redis redis://10.0.0.5 --sink dir:/data/sink",
    .groups = OPT_COMMON | OPT_SUBMIT,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
