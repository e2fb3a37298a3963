#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmdline.h"
#include "cli/following.h"
#include "cli/session.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/base/xmem.h"
#include "common/sink/sink.h"

/* These are said in another way, or belong to this process alone. */
static const char *const our_own[] = {"redis", "state-dir", "sink",     "payload",
                                      "wait",  "config",    "progress", NULL};

static bool absolute_input(const char *given, char **path, struct err *err)
{
    *path = strcmp(given, "-") == 0 ? xstrdup(given) : realpath(given, NULL);
    if (*path != NULL)
        return true;
    return err_set(err, ERR_INPUT, "%s: %s", given, strerror(errno));
}

/* "dir:PATH" with an absolute path, which is what is kept with the job; the caller frees it. */
static bool absolute_sink(const char *given, char **url, struct err *err)
{
    char *here = NULL;

    if (given == NULL)
        return err_set(err, ERR_USAGE, "where are results kept? Give --sink dir:PATH");
    if (strncmp(given, "dir:", 4) == 0 && given[4] != '/' && given[4] != '\0') {
        here = getcwd(NULL, 0);
        if (here == NULL || asprintf(url, "dir:%s/%s", here, given + 4) < 0)
            *url = NULL;
        free(here);
    } else {
        *url = xstrdup(given);
    }
    if (*url == NULL)
        return err_set(err, ERR_UNAVAILABLE, "the current folder: %s", strerror(errno));
    if (sink_check_url(*url, err))
        return true;
    free(*url);
    return false;
}

static void make_command(struct cmdline *w, const struct options *o, const char *input,
                         const char *sink)
{
    cmdline_add_program(w, "sheaf-producer");
    cmdline_add(w, "%s", input);
    cmdline_add(w, "--sink=%s", sink);
    cmdline_add(w, "--payload=%s", o->payload == PAYLOAD_REF ? "ref" : "inline");
    if (options_origin(o, "log-level") == SETTING_FROM_DEFAULT && !o->verbose && !o->quiet)
        cmdline_add(w, "--log-level=warn"); /* its log is on the user's terminal */
    if (o->config != NULL)
        cmdline_add(w, "--config=%s", o->config);
    cmdline_add_options(w, o, OPT_PRODUCER | OPT_COMMON, our_own);
}

static void take_state(const struct job_view *view, void *arg)
{
    *(enum job_state *)arg = view->state;
}

/* A job that is new is noted by its producer; one that has ended is only reported. */
static bool note(struct session *session, const struct options *o, const char *input,
                 const char *sink, struct err *err)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    struct job_spec spec = {0};
    enum job_state state = JOB_OPEN;
    struct err none = {0};

    /* A Redis that is away is the producer's business; the sink is asked all the same. */
    if (session_view(session, o->job, take_state, &state, NULL) && state == JOB_FINAL)
        return true;
    if (!sink_find(sink, o->job, spec.ji, &none))
        return none.kind == ERR_NO_JOB || err_set(err, none.kind, "%s", none.msg);
    (void)snprintf(spec.job, sizeof(spec.job), "%s", o->job);
    (void)snprintf(spec.sink, sizeof(spec.sink), "%s", sink);
    trail_put_text(&what, "input", input);
    bool ok = trail_note(&spec, "submit", &what, err);
    buf_release(&what);
    return ok;
}

static int submit(struct invocation *call, const char *input, const char *sink)
{
    struct session *session;
    struct cmdline w = {0};
    struct err err = {0};
    int code = EXIT_CODE_OK;

    session = session_open(&call->options, &err);
    if (session == NULL)
        return verb_fail(call, &err, NULL);
    if (!note(session, &call->options, input, sink, &err)) {
        session_close(session);
        return verb_fail(call, &err, NULL);
    }
    /* not an argument: it may hold a password, and arguments are for all to see */
    (void)setenv("SHEAF_REDIS", session_redis_url(session), 1); /* NOLINT(concurrency-mt-unsafe) */
    make_command(&w, &call->options, input, sink);
    if (!cmdline_run(&w, &code, &err))
        code = verb_fail(call, &err, "sheaf-producer is looked for beside sheaf, then in PATH");
    cmdline_release(&w);
    session_close(session);
    return code;
}

static int run(struct invocation *call)
{
    const struct options *o = &call->options;
    char *input = NULL;
    char *sink = NULL;
    struct err err = {0};
    int code;

    if (o->job == NULL || !job_name_is_valid(o->job))
        return verb_fail_with(call, EXIT_CODE_USAGE, "a job needs a name: --job NAME",
                              "1 to 64 bytes without / : |");
    if (strcmp(call->args.items[0], "-") == 0 && o->payload == PAYLOAD_REF)
        return verb_fail_with(call, EXIT_CODE_USAGE,
                              "standard input cannot be read again: --payload inline", NULL);
    if (!absolute_input(call->args.items[0], &input, &err) ||
        !absolute_sink(o->sink, &sink, &err)) {
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

const struct verb cmd_submit = {
    .name = "submit",
    .usage = "INPUT --job NAME --sink dir:PATH [--wait]",
    .summary = "hand a job to a cluster",
    .does =
        "Cuts INPUT into shards and puts them into Redis, where the coordinators and workers of a\n"
        "cluster take them. The requests travel through Redis, unless --payload ref says that\n"
        "all hosts see INPUT under the same path.",
    .exits =
        "0 handed over (with --wait: 0 or 3, as wait), 2 usage, 9 Redis or sink cannot be used,\n"
        "11 INPUT cannot be read, 12 the name belongs to another input",
    .example = "sheaf submit in.jsonl --job nightly --redis redis://10.0.0.5 --sink dir:/data/sink",
    .groups = OPT_COMMON | OPT_SUBMIT,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
