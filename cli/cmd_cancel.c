#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cancel.h"
#include "cli/here.h"
#include "cli/local_run.h"
#include "cli/operator.h"
#include "cli/person.h"
#include "cli/session.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/base/xmem.h"

struct cancel {
    struct invocation *call;
    struct session *session;
    struct operator_job job;
    bool alone;       /* nobody else works on it: we do */
    char input[4096]; /* where it can be read here; "" */
    int code;
};

/* Where the rest of the input can be read from. */
static bool find_input(struct cancel *c, struct err *err)
{
    const char *given = verb_arg(c->call, 1);
    const struct job_spec *spec = &c->job.finish.spec;

    if (given != NULL && !spec->inline_payload)
        return err_set(err, ERR_USAGE, "INPUT is known: the job reads %s itself", spec->source);
    if (given == NULL && spec->inline_payload)
        return true;
    if (given == NULL && !c->alone && access(spec->source, R_OK) != 0)
        return true; /* it is elsewhere, where they work on it */
    char *real = realpath(given != NULL ? given : spec->source, NULL);
    if (real == NULL || strlen(real) >= sizeof(c->input)) {
        free(real);
        return err_set(err, ERR_INPUT, "%s: %s", given != NULL ? given : spec->source,
                       strerror(errno));
    }
    memcpy(c->input, real, strlen(real) + 1);
    free(real);
    return true;
}

static int ask(const struct cancel *c)
{
    const struct operator_job *job = &c->job;
    char question[512];

    (void)snprintf(question, sizeof(question),
                   "Cancel job %s? %" PRIu64 " rows have a result; batches at the "
                   "provider: %zu. What these have finished is kept, all other rows are given up.",
                   job->name, job->ok, job->remote);
    return person_confirm(c->call, question);
}

static void tell_stopped(const struct cancel *c)
{
    person_tell(c->call,
                "the input of job %s was not registered to its end, and is not at hand: it ends "
                "after its first %" PRIu64 " rows; give INPUT to have a row for each",
                c->job.name, c->job.finish.requests);
}

/* Nobody else works on the job: it is brought to its end here, as `sheaf run` would. */
static int end_here(struct cancel *c)
{
    struct err err = {0};
    const char *input = c->input[0] != '\0' ? c->input : NULL;

    if (input == NULL) { /* lines that travel through Redis */
        enum cancel_cut cut =
            cancel_finish_cut(c->call, c->session, &c->job, NULL, true, &c->code, &err);

        if (cut == CANCEL_CUT_FAILED)
            return verb_fail(c->call, &err, "the same command again goes on");
        if (cut == CANCEL_CUT_STOPPED)
            tell_stopped(c);
    }
    return here_run(c->call, c->session, &c->job, input);
}

/* Others work on the job and end it. */
static int hand_over(struct cancel *c)
{
    struct err err = {0};
    const char *input = c->input[0] != '\0' ? c->input : NULL;
    enum cancel_cut cut = CANCEL_CUT_WHOLE;

    if (!session_is_guest(c->session)) /* its `sheaf run` has a producer of its own */
        cut = cancel_finish_cut(c->call, c->session, &c->job, input, false, &c->code, &err);
    if (cut == CANCEL_CUT_FAILED && c->code != EXIT_CODE_OK)
        return c->code; /* sheaf-producer has said why */
    if (cut == CANCEL_CUT_FAILED)
        return verb_fail(c->call, &err, "the same command again goes on, also on another host");
    if (cut == CANCEL_CUT_STOPPED)
        tell_stopped(c);
    person_tell(
        c->call,
        "job %s is cancelled: it ends when its live batches (%zu) are stopped and what they have "
        "finished is brought home",
        c->job.name, c->job.batches);
    return EXIT_CODE_OK;
}

static int tell_ended(const struct cancel *c)
{
    person_tell(c->call, "job %s %s already: there is nothing to cancel", c->job.name,
                c->job.finish.cancelled ? "was cancelled and has ended" : "has ended");
    return EXIT_CODE_OK;
}

static bool note(const struct cancel *c, struct err *err)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);

    trail_put_text(&what, "input", c->input);
    trail_put_count(&what, "ok", c->job.ok);
    trail_put_count(&what, "failed", c->job.failed);
    trail_put_count(&what, "batches_at_provider", c->job.remote);
    bool ok = trail_note(&c->job.finish.spec, "cancel", &what, err);
    buf_release(&what);
    return ok;
}

/* The mark outlasts a lost Redis, so it comes first. */
static int stop(struct cancel *c)
{
    enum protocol_answer answer;
    uint32_t generation = 0;
    struct err err = {0};

    if (!note(c, &err))
        return verb_fail(c->call, &err, NULL);
    if (!cancel_mark(&c->job, &generation, &err) ||
        !operator_cancel(c->session, c->job.name, generation, &answer, &err) ||
        !operator_look(c->session, c->job.name, &c->job, &err))
        return verb_fail(c->call, &err, "the same command again goes on");
    if (answer == PROTOCOL_ENDED)
        return tell_ended(c);
    if (answer == PROTOCOL_STATE)
        return verb_fail_with(c->call, EXIT_CODE_CONFLICT,
                              "rows of the job were sent again this very moment",
                              "the same command again cancels that");
    return c->alone ? end_here(c) : hand_over(c);
}

static int cancel_job(struct cancel *c)
{
    struct err err = {0};

    if (!operator_catch_up(c->session, &c->job, &err))
        return verb_fail(c->call, &err, NULL);
    if (c->job.finish.state == JOB_FINAL)
        return tell_ended(c);
    if (!find_input(c, &err))
        return verb_fail(c->call, &err, NULL);
    if (c->alone && !here_adopt_settings(c->call, c->session, &c->job, &err))
        return verb_fail(c->call, &err,
                         err.kind == ERR_AUTH || err.kind == ERR_CONFLICT
                             ? "batches at the provider can only be stopped with their account's "
                               "key; nothing was changed"
                             : NULL);
    int code = c->job.finish.cancelled ? EXIT_CODE_OK : ask(c);
    return code == EXIT_CODE_OK ? stop(c) : code;
}

static int run(struct invocation *call)
{
    struct cancel *c = xcalloc(1, sizeof(*c));
    struct err err = {0};
    int code;

    c->call = call;
    c->session = session_open(&call->options, &err);
    if (c->session != NULL && operator_look(c->session, verb_arg(call, 0), &c->job, &err) &&
        operator_go_to_newest(c->session, &c->job, &err)) {
        c->alone = session_supervisor(c->session) != NULL;
        code = cancel_job(c);
    } else {
        code = verb_fail(call, &err, err.kind == ERR_NO_JOB ? "`sheaf list` shows the jobs" : NULL);
    }
    session_close(c->session);
    local_run_restore(call);
    free(c);
    return code;
}

const struct verb cmd_cancel = {
    .name = "cancel",
    .usage = "JOB [INPUT] [-y]",
    .summary = "end a job now, and keep what is paid",
    .does =
        "Ends a job: nothing new is submitted, batches at the provider are stopped, and what\n"
        "they have finished is kept. Every other row becomes an error row, job_cancelled.\n"
        "On a state directory without a `sheaf run` the work is done here, and the results are\n"
        "written as `run` does. INPUT is needed only for a job whose lines travel through Redis\n"
        "and whose producer is gone; without it the job ends where the producer stopped.",
    .exits =
        "0 cancelled, or ended before; on a state directory 0 or 3 as run; 2 not confirmed,\n"
        "4 no key, or it is refused, 5 no such job, 9 Redis, disk or sink cannot be used,\n"
        "11 the input cannot be read, 12 it is another one, OUTPUT is somebody else's, or the\n"
        "batches are of another account",
    .example = "sheaf cancel in.jsonl --state-dir out.jsonl.sheaf -y",
    .groups = OPT_COMMON | OPT_CHANGE | OPT_CANCEL,
    .min_args = 1,
    .max_args = 2,
    .run = run,
};
