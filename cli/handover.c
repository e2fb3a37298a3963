#include "cli/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmdline.h"
#include "cli/session.h"
#include "cli/trail.h"
#include "common/base/xmem.h"
#include "common/sink/sink.h"

/* These are said in another way, or belong to this process alone. */
static const char *const our_own[] = {"redis", "state-dir", "sink",     "payload",  "job",
                                      "wait",  "config",    "progress", "max-cost", NULL};

bool handover_sink(const char *given, char **url, struct err *err)
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

static void make_command(struct cmdline *w, const struct options *o, const struct handover *h)
{
    cmdline_add_program(w, "sheaf-producer");
    cmdline_add(w, "%s", h->input);
    cmdline_add(w, "--job=%s", h->job);
    cmdline_add(w, "--sink=%s", h->sink);
    cmdline_add(w, "--payload=%s", o->payload == PAYLOAD_REF ? "ref" : "inline");
    if (h->max_cost != NULL)
        cmdline_add(w, "--max-cost=%s", h->max_cost);
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
static bool note(struct session *session, const struct handover *h, struct err *err)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);
    struct job_spec spec = {0};
    enum job_state state = JOB_OPEN;
    struct err none = {0};

    /* A Redis that is away is the producer's business; the sink is asked all the same. */
    if (session_view(session, h->job, take_state, &state, NULL) && state == JOB_FINAL)
        return true;
    if (!sink_find(h->sink, h->job, spec.ji, &none))
        return none.kind == ERR_NO_JOB || err_set(err, none.kind, "%s", none.msg);
    (void)snprintf(spec.job, sizeof(spec.job), "%s", h->job);
    (void)snprintf(spec.sink, sizeof(spec.sink), "%s", h->sink);
    trail_put_text(&what, "input", h->said);
    bool ok = trail_note(&spec, "submit", &what, err);
    buf_release(&what);
    return ok;
}

int handover_run(const struct invocation *call, struct session *session, const struct handover *h)
{
    struct cmdline w = {0};
    struct err err = {0};
    int code = EXIT_CODE_OK;

    if (!note(session, h, &err))
        return verb_fail(call, &err, NULL);
    /* not an argument: it may hold a password, and arguments are for all to see */
    (void)setenv("SHEAF_REDIS", session_redis_url(session), 1); /* NOLINT(concurrency-mt-unsafe) */
    make_command(&w, &call->options, h);
    if (!cmdline_run(&w, &code, &err))
        code = verb_fail(call, &err, "sheaf-producer is looked for beside sheaf, then in PATH");
    cmdline_release(&w);
    return code;
}
