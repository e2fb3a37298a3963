#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cancel.h"
#include "cli/local_run.h"
#include "cli/operator.h"
#include "cli/person.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "common/base/units.h"
#include "common/base/xmem.h"
#include "common/provider/profile.h"

#define ENDING ".sheaf"

struct cancel {
    struct invocation *call;
    struct session *session;
    struct operator_job job;
    bool alone;       /* nobody else works on it: we do */
    char input[4096]; /* where it can be read here; "" */
    char output[4096];
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

/* The programs that are started here serve the job's own provider. */
static bool adopt_settings(struct cancel *c, struct err *err)
{
    struct options *o = &c->call->options;
    const struct job_spec *spec = &c->job.finish.spec;
    const struct provider_profile *profile = provider_profile_find(spec->provider);
    char number[32];
    char *key = NULL;

    if (profile == NULL)
        return err_set(err, ERR_USAGE, "no provider is called \"%s\"", spec->provider);
    if (!options_api_key(o, profile->key_names, &key, err))
        return false;
    explicit_bzero(key, strlen(key));
    free(key);
    if (!options_set(o, "provider", spec->provider, err) ||
        !options_set(o, "base-url", spec->base_url, err) ||
        (spec->model[0] != '\0' && !options_set(o, "model", spec->model, err)))
        return false;
    (void)snprintf(number, sizeof(number), "%u", c->job.max_attempts);
    if (!options_set(o, "max-attempts", number, err))
        return false;
    (void)snprintf(number, sizeof(number), "%" PRIu64 "ms", c->job.poll_ms);
    if (options_origin(o, "poll-interval") == SETTING_FROM_DEFAULT &&
        !options_set(o, "poll-interval", number, err))
        return false;
    o->payload = spec->inline_payload ? PAYLOAD_INLINE : PAYLOAD_REF;
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

/* "out.jsonl.sheaf" is the folder of out.jsonl. */
static const char *find_output(struct cancel *c)
{
    const char *folder = session_state_dir(c->session);
    size_t len = strlen(folder);

    if (len <= strlen(ENDING) || strcmp(folder + len - strlen(ENDING), ENDING) != 0 ||
        folder[len - strlen(ENDING) - 1] == '/')
        return NULL;
    (void)snprintf(c->output, sizeof(c->output), "%.*s", (int)(len - strlen(ENDING)), folder);
    return c->output;
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
    struct local_job job = {.name = c->job.name,
                            .input = input,
                            .sink = c->job.finish.spec.sink,
                            .site = c->job.site,
                            .output = find_output(c),
                            .unwritten = "the results are safe: `sheaf results` writes them "
                                         "elsewhere"};

    if (input == NULL) { /* lines that travel through Redis */
        enum cancel_cut cut =
            cancel_finish_cut(c->call, c->session, &c->job, NULL, true, &c->code, &err);

        if (cut == CANCEL_CUT_FAILED)
            return verb_fail(c->call, &err, "the same command again goes on");
        if (cut == CANCEL_CUT_STOPPED)
            tell_stopped(c);
    }
    if (!local_run_redirect(c->call, c->session, &err))
        return verb_fail(c->call, &err, NULL);
    int code = local_run(c->call, c->session, &job);
    if (job.output == NULL && (code == EXIT_CODE_OK || code == EXIT_CODE_SOME_FAILED))
        person_tell(c->call, "  `sheaf results %s --state-dir %s -o OUTPUT` writes the results",
                    c->job.name, session_state_dir(c->session));
    return code;
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

static int cancel_job(struct cancel *c)
{
    enum protocol_answer answer;
    struct err err = {0};

    if (c->job.finish.state == JOB_FINAL)
        return tell_ended(c);
    if (!find_input(c, &err) || (c->alone && !adopt_settings(c, &err)))
        return verb_fail(c->call, &err,
                         err.kind == ERR_AUTH ? "batches at the provider can only be stopped with "
                                                "the key; nothing was changed"
                                              : NULL);
    int code = c->job.finish.cancelled ? EXIT_CODE_OK : ask(c);
    if (code != EXIT_CODE_OK)
        return code;
    if (!cancel_mark(&c->job, &err) || !operator_cancel(c->session, c->job.name, &answer, &err) ||
        !operator_look(c->session, c->job.name, &c->job, &err))
        return verb_fail(c->call, &err, "the same command again goes on");
    if (answer == PROTOCOL_ENDED)
        return tell_ended(c);
    return c->alone ? end_here(c) : hand_over(c);
}

static int run(struct invocation *call)
{
    struct cancel *c = xcalloc(1, sizeof(*c));
    struct err err = {0};
    int code;

    c->call = call;
    c->session = session_open(&call->options, &err);
    if (c->session != NULL && operator_look(c->session, verb_arg(call, 0), &c->job, &err)) {
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
    .exits = "0 cancelled, or ended before; on a state directory 0 or 3 as run; 2 not confirmed,\n"
             "4 no key, or it is refused, 5 no such job, 9 Redis, disk or sink cannot be used,\n"
             "11 the input cannot be read, 12 it is another one, or OUTPUT is somebody else's",
    .example = "sheaf cancel in.jsonl --state-dir out.jsonl.sheaf -y",
    .groups = OPT_COMMON | OPT_CHANGE | OPT_CANCEL,
    .min_args = 1,
    .max_args = 2,
    .run = run,
};
