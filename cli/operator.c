#include "cli/operator.h"

#include <stdio.h>
#include <string.h>

#include "cli/core/sample.h"
#include "cli/verb.h"

/* Shards that one call settles: Redis serves nobody else meanwhile. */
#define CANCEL_STEP 1000

/* One question, whatever it is about. */
struct wish {
    const char *job;
    const char *reason;
    const char *why;
    uint32_t windows;
};

struct taken {
    struct operator_job *job;
    struct err err;
    bool ok;
};

static bool may_be_remote(const struct batch_view *b)
{
    return b->state == BATCH_SUBMIT || b->state == BATCH_RUN;
}

static void take(const struct job_view *view, void *arg)
{
    struct taken *taken = arg;
    struct operator_job *job = taken->job;

    *job = (struct operator_job){
        .ok = view->ok,
        .failed = sample_failed(view),
        .windows = view->windows,
        .batches = view->batches_view_count,
        .poll_ms = view->poll_ms,
        .max_attempts = view->max_attempts,
    };
    memcpy(job->name, view->job, sizeof(job->name));
    memcpy(job->site, view->site, sizeof(job->site));
    memcpy(job->hold, view->hold, sizeof(job->hold));
    (void)snprintf(job->why, sizeof(job->why), "%s", view->why);
    for (size_t i = 0; i < view->batches_view_count; i++)
        job->remote += may_be_remote(&view->batches_view[i]);
    taken->ok = finish_from_view(&job->finish, view, &taken->err);
}

bool operator_look(struct session *s, const char *given, struct operator_job *job, struct err *err)
{
    struct taken taken = {.job = job};
    char name[JOB_NAME_MAX + 1];

    if (!session_pick_job(s, given, name, err) || !session_view(s, name, take, &taken, err))
        return false;
    if (!taken.ok && err != NULL)
        *err = taken.err;
    return taken.ok;
}

static bool ask(struct session *s, session_start_fn start, struct wish *wish,
                enum protocol_answer *answer, struct err *err)
{
    if (!session_ask(s, start, wish, answer, err))
        return false;
    return *answer != PROTOCOL_NOJOB || err_set(err, ERR_NO_JOB, "no job \"%s\"", wish->job);
}

static void start_hold(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_job_hold(p, wish->job, OPERATOR_HOLD, wish->why, done, done_arg);
}

bool operator_hold(struct session *s, const char *job, const char *why,
                   enum protocol_answer *answer, struct err *err)
{
    struct wish wish = {.job = job, .why = why};

    return ask(s, start_hold, &wish, answer, err);
}

static void start_resume(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_job_resume(p, wish->job, wish->reason, done, done_arg);
}

bool operator_resume(struct session *s, const char *job, const char *reason,
                     enum protocol_answer *answer, struct err *err)
{
    struct wish wish = {.job = job, .reason = reason};

    return ask(s, start_resume, &wish, answer, err);
}

static void start_cancel(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_job_cancel(p, wish->job, CANCEL_STEP, done, done_arg);
}

bool operator_cancel(struct session *s, const char *job, enum protocol_answer *answer,
                     struct err *err)
{
    struct wish wish = {.job = job};

    do {
        if (!ask(s, start_cancel, &wish, answer, err))
            return false;
    } while (*answer == PROTOCOL_MORE);
    return true;
}

static void start_seal(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_job_seal(p, wish->job, wish->windows, done, done_arg);
}

bool operator_seal(struct session *s, const char *job, uint32_t windows,
                   enum protocol_answer *answer, struct err *err)
{
    struct wish wish = {.job = job, .windows = windows};

    return ask(s, start_seal, &wish, answer, err);
}

static void start_purge(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_job_purge(p, wish->job, done, done_arg);
}

bool operator_purge(struct session *s, const char *job, enum protocol_answer *answer,
                    struct err *err)
{
    struct wish wish = {.job = job};

    return ask(s, start_purge, &wish, answer, err);
}

int operator_run(struct invocation *call, operator_act_fn act)
{
    struct operator_job job;
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    bool ok = session != NULL && operator_look(session, verb_arg(call, 0), &job, &err) &&
              act(call, session, &job, &err);

    session_close(session);
    return ok ? EXIT_CODE_OK
              : verb_fail(call, &err,
                          err.kind == ERR_NO_JOB ? "`sheaf list` shows the jobs" : NULL);
}
