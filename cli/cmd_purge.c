#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/operator.h"
#include "cli/person.h"
#include "cli/recipe_job.h"
#include "cli/recipe_rounds.h"
#include "cli/session.h"
#include "cli/trail.h"
#include "cli/verb.h"
#include "common/base/xmem.h"
#include "common/sink/sink.h"

/* One, or the rounds of one with a recipe. */
struct jobs {
    struct operator_job *items;
    size_t count;
};

static int refuse(const struct invocation *call, const struct operator_job *job)
{
    char message[256];
    const char *state = job->finish.cancelled           ? "is being cancelled"
                        : job->hold[0] != '\0'          ? "is held"
                        : job->finish.state == JOB_OPEN ? "is still being cut"
                                                        : "is running";

    (void)snprintf(message, sizeof(message), "job \"%s\" has not ended: it %s", job->name, state);
    return verb_fail_with(call, EXIT_CODE_CONFLICT, message,
                          job->finish.cancelled ? "`sheaf wait` waits for it"
                                                : "`sheaf cancel` ends it");
}

static int ask(const struct invocation *call, const struct operator_job *job)
{
    char question[512];

    (void)snprintf(question, sizeof(question),
                   "Forget job %s and delete its results in the sink (%" PRIu64
                   " rows with a result)? Files that `run` or `results` wrote stay.",
                   job->name, job->ok);
    return person_confirm(call, question);
}

/* A copy of the input that `run` made in its state directory is of no use to anybody else. */
static void delete_spool(const struct session *s, const struct operator_job *job)
{
    const char *folder = session_state_dir(s);
    const char *source = job->finish.spec.source;
    char path[4096];

    if (folder == NULL)
        return;
    (void)snprintf(path, sizeof(path), "%.3000s/spool/%s.jsonl", folder, job->name);
    if (strcmp(path, source) != 0)
        return;
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%.3000s/spool/%s.jsonl.origin", folder, job->name);
    (void)unlink(path);
}

/* What a recipe's rounds were rendered into. */
static void delete_rendered(const struct session *s, const struct operator_job *job)
{
    const char *folder = session_state_dir(s);
    char name[JOB_NAME_MAX + 1];
    unsigned round = job_round_parse(job->name, name);
    char path[4096];

    if (folder == NULL)
        return;
    (void)snprintf(path, sizeof(path), "%.3000s/recipe/%s/r%u.requests.jsonl", folder, name, round);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%.3000s/recipe/%s/r%u.map", folder, name, round);
    (void)unlink(path);
    if (round > 1)
        return;
    (void)snprintf(path, sizeof(path), "%.3000s/recipe/%s/bundle.json", folder, name);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%.3000s/recipe/%s/" RECIPE_JOB_CAP, folder, name);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%.3000s/recipe/%s", folder, name);
    (void)rmdir(path);
}

/* The folder takes the job's own trail with it. */
static bool note(const struct operator_job *job, struct err *err)
{
    struct buf what = BUF_INIT(TRAIL_WHAT_MAX);

    trail_put_text(&what, "job", job->name);
    trail_put_text(&what, "ji", job->finish.spec.ji);
    trail_put_count(&what, "ok", job->ok);
    trail_put_count(&what, "failed", job->failed);
    bool ok = trail_note_beside(&job->finish.spec, "purge", &what, err);
    buf_release(&what);
    return ok;
}

/*
 * The sink first: a Redis that knows a job without a folder can be purged again, a folder
 * that no Redis knows would be found by nobody.
 */
static int purge(const struct invocation *call, struct session *s, const struct operator_job *job)
{
    const struct job_spec *spec = &job->finish.spec;
    enum protocol_answer answer;
    struct err err = {0};

    if (!note(job, &err))
        return verb_fail(call, &err, "nothing was changed");
    if (!sink_trash(spec->sink, spec->job, spec->ji, &err) ||
        !operator_purge(s, job->name, &answer, &err))
        return verb_fail(call, &err, "the same command again goes on");
    if (answer == PROTOCOL_BUSY) { /* it was opened again this very moment */
        if (!sink_untrash(spec->sink, spec->job, spec->ji, &err))
            return verb_fail(call, &err, NULL);
        return refuse(call, job);
    }
    delete_spool(s, job);
    delete_rendered(s, job);
    if (!sink_empty_trash(spec->sink, &err))
        return verb_fail(call, &err, "the job is forgotten; this is left of its results");
    person_tell(call, "job %s is forgotten, and its results in the sink are deleted", job->name);
    if (job->batches > 0)
        person_tell(call, "files of %zu batches were not deleted at the provider yet, and stay",
                    job->batches);
    return EXIT_CODE_OK;
}

/* Room for one more, which is all zero. */
static struct operator_job *grow(struct jobs *jobs)
{
    jobs->items = xrealloc(jobs->items, jobs->count + 1, sizeof(*jobs->items));
    jobs->items[jobs->count] = (struct operator_job){0};
    return &jobs->items[jobs->count];
}

static bool take_rounds(struct session *s, struct jobs *jobs, struct err *err)
{
    bool found = false;

    if (job_round_parse(jobs->items[0].name, (char[JOB_NAME_MAX + 1]){0}) > 1)
        return true;
    bool ok = recipe_rounds_is_one(&jobs->items[0].finish.spec, &found, err);
    for (unsigned round = 2; ok && found && round <= JOB_ROUND_MAX; round++) {
        struct operator_job *job = grow(jobs);

        ok = operator_look_at_round(s, jobs->items[0].name, round, job, &found, err);
        jobs->count += ok && found;
    }
    return ok;
}

/* The job, and of one with a recipe all its rounds, which have ended. */
static int look(const struct invocation *call, struct session *s, struct jobs *jobs)
{
    struct err err = {0};

    if (!operator_look(s, verb_arg(call, 0), grow(jobs), &err))
        return verb_fail(call, &err, err.kind == ERR_NO_JOB ? "`sheaf list` shows the jobs" : NULL);
    jobs->count = 1;
    if (jobs->items[0].finish.state == JOB_FINAL && !take_rounds(s, jobs, &err))
        return verb_fail(call, &err, NULL);
    for (size_t i = 0; i < jobs->count; i++) {
        if (jobs->items[i].finish.state != JOB_FINAL)
            return refuse(call, &jobs->items[i]);
    }
    return EXIT_CODE_OK;
}

/* The first round last: it is by that one that the others are found. */
static int purge_all(const struct invocation *call, struct session *s, const struct jobs *jobs)
{
    int code = ask(call, jobs->items);

    for (size_t i = jobs->count; code == EXIT_CODE_OK && i-- > 0;)
        code = purge(call, s, jobs->items + i);
    return code;
}

static int run(struct invocation *call)
{
    struct jobs jobs = {0};
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    int code;

    code = session == NULL ? verb_fail(call, &err, NULL) : look(call, session, &jobs);
    if (code == EXIT_CODE_OK && jobs.items != NULL)
        code = purge_all(call, session, &jobs);
    session_close(session);
    free(jobs.items);
    return code;
}

const struct verb cmd_purge = {
    .name = "purge",
    .usage = "JOB [-y]",
    .summary = "forget a job that has ended",
    .does = "Removes a job that has ended from Redis, and its results from the sink; its name is\n"
            "free again; of a job with a recipe all rounds go. What `run` and `results` wrote\n"
            "stays.",
    .exits = "0, 2 not confirmed, 5 no such job, 9 Redis or sink cannot be used, 12 the job has\n"
             "not ended",
    .example = "sheaf purge nightly --redis redis://10.0.0.5 -y",
    .groups = OPT_COMMON | OPT_CHANGE,
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
