#include <string.h>

#include "cli/operator.h"
#include "cli/person.h"
#include "cli/trail.h"
#include "cli/verb.h"

/* What has to be right before the job can go on for good. */
static const char *advice_for(const char *hold)
{
    if (strcmp(hold, "auth") == 0)
        return "; the key must be right by now";
    if (strcmp(hold, "input_changed") == 0)
        return "; the input must be what it was";
    if (strcmp(hold, "budget") == 0)
        return "; it is held again unless the spend cap was raised";
    return "";
}

static bool note(const struct operator_job *job, struct err *err)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);

    trail_put_text(&what, "hold", job->hold);
    trail_put_text(&what, "why", job->why);
    trail_put_count(&what, "lanes_held", job->lanes_held);
    trail_put_count(&what, "not_uploaded", job->not_uploaded);
    trail_put_count(&what, "parked", job->parked);
    bool ok = trail_note(&job->finish.spec, "resume", &what, err);
    buf_release(&what);
    return ok;
}

static void tell(const struct invocation *call, const struct operator_job *job)
{
    if (job->hold[0] != '\0')
        person_tell(call, "job %s goes on: it was held: %s%s%s%s", job->name, job->hold,
                    job->why[0] != '\0' ? ": " : "", job->why, advice_for(job->hold));
    if (job->lanes_held > 0)
        person_tell(call, "job %s: %zu lanes wait no longer; the first was held for: %s", job->name,
                    job->lanes_held, job->lane_why[0] != '\0' ? job->lane_why : "?");
    if (job->parked)
        person_tell(call, "job %s: calls that the provider wanted later are made now", job->name);
    if (job->not_uploaded > 0)
        person_tell(call, "job %s: %zu batches that could not be uploaded are built anew",
                    job->name, job->not_uploaded);
}

static bool resume_job(const struct invocation *call, struct session *s,
                       const struct operator_job *job, struct err *err)
{
    bool waits =
        job->hold[0] != '\0' || job->lanes_held > 0 || job->not_uploaded > 0 || job->parked;
    enum protocol_answer answer;

    if (job->finish.state == JOB_FINAL) {
        person_tell(call, "job %s has ended: there is nothing to resume", job->name);
        return true;
    }
    if (!waits) {
        person_tell(call, "job %s is not held", job->name);
        return true;
    }
    if (!note(job, err) || !operator_resume(s, job->name, NULL, &answer, err) ||
        !operator_unpack(s, job->name, err))
        return false;
    tell(call, job);
    return true;
}

static int run(struct invocation *call)
{
    return operator_run(call, resume_job);
}

const struct verb cmd_resume = {
    .name = "resume",
    .usage = "JOB",
    .summary = "let a job go on that is held",
    .does =
        "Lifts the hold of a job, whoever put it there, and says which it was: operator (by\n"
        "`sheaf pause`), auth, budget or input_changed; and the holds of its lanes, where the\n"
        "provider had refused more, and what the provider asked to wait for; what could not be\n"
        "uploaded is tried again. Whoever works on the job goes on at once; on a state directory\n"
        "without a `sheaf run`, the next one does.",
    .exits = "0 (also when it is not held), 5 no such job, 9 Redis or sink cannot be used",
    .example = "sheaf resume nightly --redis redis://10.0.0.5",
    .groups = OPT_COMMON,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
