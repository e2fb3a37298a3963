#include <string.h>

#include "cli/operator.h"
#include "cli/person.h"
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

static bool resume_job(const struct invocation *call, struct session *s,
                       const struct operator_job *job, struct err *err)
{
    enum protocol_answer answer = PROTOCOL_DUP;

    if (job->hold[0] != '\0' && !operator_resume(s, job->name, job->hold, &answer, err))
        return false;
    if (answer == PROTOCOL_OK)
        person_tell(call, "job %s goes on: it was held: %s%s%s%s", job->name, job->hold,
                    job->why[0] != '\0' ? ": " : "", job->why, advice_for(job->hold));
    else if (job->finish.state == JOB_FINAL)
        person_tell(call, "job %s has ended: there is nothing to resume", job->name);
    else
        person_tell(call, "job %s is not held", job->name);
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
    .does = "Lifts the hold of a job, whoever put it there, and says which it was: operator (by\n"
            "`sheaf pause`), auth, budget or input_changed. Whoever works on the job goes on at\n"
            "once; on a state directory without a `sheaf run`, the next one does.",
    .exits = "0 (also when it is not held), 5 no such job, 9 Redis cannot be used",
    .example = "sheaf resume nightly --redis redis://10.0.0.5",
    .groups = OPT_COMMON,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
