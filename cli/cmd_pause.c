#include <stdio.h>
#include <string.h>

#include "cli/operator.h"
#include "cli/person.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/sink/sink_trail.h"

static void tell_ended(const struct invocation *call, const struct operator_job *job)
{
    if (job->finish.state == JOB_FINAL)
        person_tell(call, "job %s has ended: there is nothing to pause", job->name);
    else
        person_tell(call, "job %s is being cancelled: there is nothing to pause", job->name);
}

static bool note(const struct operator_job *job, struct err *err)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);

    trail_put_text(&what, "held_before", job->hold);
    trail_put_count(&what, "batches_at_provider", job->remote);
    bool ok = trail_note(&job->finish.spec, "pause", &what, err);
    buf_release(&what);
    return ok;
}

/*
 * Another hold gives way: who holds a job for the key lifts that hold again when the key
 * is right, and what the operator wants must outlast that.
 */
static bool hold(struct session *s, const struct operator_job *job, enum protocol_answer *answer,
                 struct err *err)
{
    struct sink_trail_actor actor;
    char why[160];

    sink_trail_actor(&actor);
    (void)snprintf(why, sizeof(why), "paused by %s on %s", actor.user, actor.host);
    return note(job, err) &&
           (job->hold[0] == '\0' || operator_resume(s, job->name, job->hold, answer, err)) &&
           operator_hold(s, job->name, why, answer, err);
}

/* A batch that is being sent this moment either was, or goes back. */
static void tell_paused(const struct invocation *call, const struct operator_job *job)
{
    if (job->remote == 0)
        person_tell(call, "job %s is paused: nothing new is submitted", job->name);
    else
        person_tell(call,
                    "job %s is paused: nothing new is submitted; what is at the provider already "
                    "(at most %zu %s) goes on",
                    job->name, job->remote, job->remote == 1 ? "batch" : "batches");
}

static bool pause_job(const struct invocation *call, struct session *s,
                      const struct operator_job *job, struct err *err)
{
    enum protocol_answer answer = PROTOCOL_DUP;

    if (job->finish.state == JOB_FINAL || job->finish.cancelled)
        answer = PROTOCOL_ENDED;
    else if (strcmp(job->hold, OPERATOR_HOLD) != 0 && !hold(s, job, &answer, err))
        return false;
    if (answer == PROTOCOL_ENDED)
        tell_ended(call, job);
    else if (answer == PROTOCOL_DUP)
        person_tell(call, "job %s is paused already: %s", job->name,
                    job->hold[0] != '\0' ? job->why : "somebody was faster");
    else if (job->hold[0] != '\0')
        person_tell(call, "job %s is paused; it was held before: %s%s%s", job->name, job->hold,
                    job->why[0] != '\0' ? ": " : "", job->why);
    else
        tell_paused(call, job);
    return true;
}

static int run(struct invocation *call)
{
    return operator_run(call, pause_job);
}

const struct verb cmd_pause = {
    .name = "pause",
    .usage = "JOB",
    .summary = "submit nothing new of a job for now",
    .does =
        "Holds a job: nothing new of it is submitted until `sheaf resume`. Batches that are at\n"
        "the provider go on, and their results are brought home; what was not sent yet gives its\n"
        "place to other jobs. Pausing twice is fine.",
    .exits = "0 (also when it is paused already, or has ended), 5 no such job, 9 Redis or sink\n"
             "cannot be used",
    .example = "sheaf pause nightly --redis redis://10.0.0.5",
    .groups = OPT_COMMON,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
