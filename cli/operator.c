#include "cli/operator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/core/sample.h"
#include "cli/recipe_rounds.h"
#include "cli/verb.h"
#include "common/base/xmem.h"
#include "common/sink/generation.h"
#include "common/sink/sink.h"

/* Shards that one call settles: Redis serves nobody else meanwhile. */
#define CANCEL_STEP 1000

/* Batches, for the same reason. */
#define UNPACK_STEP 100

/* One question, whatever it is about. */
struct wish {
    const char *job;
    const char *reason;
    const char *why;
    uint32_t windows;
    uint32_t generation;
    const struct part_generation *parts;
    size_t part_count;
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

static bool was_not_uploaded(const struct batch_view *b)
{
    return b->is_empty && b->state == BATCH_BUILD && b->tries > 0;
}

static void take_lanes(const struct job_view *view, struct operator_job *job)
{
    for (size_t i = 0; i < view->lane_count; i++) {
        const struct lane_view *lane = &view->lanes[i];

        if (lane->hold_ms <= view->now_ms)
            continue;
        if (job->lanes_held++ == 0)
            (void)snprintf(job->lane_why, sizeof(job->lane_why), "%s", lane->hold_why);
    }
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
        .generation = view->generation,
        .parked = view->parked_ms != 0,
    };
    memcpy(job->name, view->job, sizeof(job->name));
    memcpy(job->site, view->site, sizeof(job->site));
    memcpy(job->hold, view->hold, sizeof(job->hold));
    (void)snprintf(job->why, sizeof(job->why), "%s", view->why);
    for (size_t i = 0; i < view->batches_view_count; i++)
        job->remote += may_be_remote(&view->batches_view[i]);
    for (size_t i = 0; i < view->batches_view_count; i++)
        job->not_uploaded += was_not_uploaded(&view->batches_view[i]);
    take_lanes(view, job);
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

struct account_check {
    const struct account *account;
    struct err err;
    bool ok;
};

static void check_account(const struct job_view *view, void *arg)
{
    struct account_check *check = arg;

    check->ok = account_check(check->account, view, &check->err);
}

bool operator_check_account(struct session *s, const char *job, const struct account *account,
                            struct err *err)
{
    struct account_check check = {.account = account};

    if (!session_view(s, job, check_account, &check, err))
        return false;
    if (!check.ok && err != NULL)
        *err = check.err;
    return check.ok;
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

    (void)protocol_job_cancel(p, wish->job, wish->generation, CANCEL_STEP, done, done_arg);
}

bool operator_cancel(struct session *s, const char *job, uint32_t generation,
                     enum protocol_answer *answer, struct err *err)
{
    struct wish wish = {.job = job, .generation = generation};

    do {
        if (!ask(s, start_cancel, &wish, answer, err))
            return false;
    } while (*answer == PROTOCOL_MORE);
    return true;
}

static void start_unpack(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_job_unpack(p, wish->job, NULL, UNPACK_STEP, done, done_arg);
}

bool operator_unpack(struct session *s, const char *job, struct err *err)
{
    struct wish wish = {.job = job};
    enum protocol_answer answer;

    do {
        if (!ask(s, start_unpack, &wish, &answer, err))
            return false;
    } while (answer == PROTOCOL_MORE);
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

static void start_generation(struct protocol *p, protocol_fn done, void *done_arg, void *arg)
{
    const struct wish *wish = arg;

    (void)protocol_generation(p, wish->job, wish->generation, wish->parts, wish->part_count, done,
                              done_arg);
}

bool operator_tell_generation(struct session *s, struct sink *sink, const char *job,
                              struct err *err)
{
    struct wish wish = {.job = job};
    enum protocol_answer answer;
    struct generations *g = generations_load(sink, err);

    if (g == NULL)
        return false;
    wish.generation = generations_newest(g);
    struct part_generation *parts = generations_parts(g, &wish.part_count);
    generations_free(g);
    wish.parts = parts;
    bool ok = wish.generation == 0 || ask(s, start_generation, &wish, &answer, err);
    free(parts);
    return ok;
}

bool operator_catch_up(struct session *s, struct operator_job *job, struct err *err)
{
    const struct job_spec *spec = &job->finish.spec;
    struct sink *sink = sink_open(spec->sink, spec->job, spec->ji, false, NULL);
    uint32_t newest = 0;

    if (sink == NULL)
        return true;
    bool ok = generations_find_newest(sink, &newest, err);
    bool pending = ok && newest > job->generation;
    if (pending)
        ok = operator_tell_generation(s, sink, job->name, err);
    sink_close(sink);
    return ok && (!pending || operator_look(s, job->name, job, err));
}

bool operator_catch_up_with(struct session *s, const char *name, struct err *err)
{
    struct operator_job job;

    return operator_look(s, name, &job, err) && operator_catch_up(s, &job, err);
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

bool operator_look_at_round(struct session *s, const char *job, unsigned round,
                            struct operator_job *out, bool *found, struct err *err)
{
    char name[JOB_NAME_MAX + 1];
    struct err missing = {0};

    *found = strlen(job) <= JOB_ROUNDS_NAME_MAX &&
             operator_look(s, job_round_name(job, round, name), out, &missing);
    if (*found) /* another job may happen to be called so */
        return recipe_rounds_is_one(&out->finish.spec, found, err);
    if (missing.kind == ERR_NONE || missing.kind == ERR_NO_JOB)
        return true;
    *err = missing;
    return false;
}

bool operator_go_to_newest(struct session *s, struct operator_job *job, struct err *err)
{
    struct operator_job *next;
    char base[JOB_NAME_MAX + 1];
    bool found = false;
    bool ok;

    if (job->finish.state != JOB_FINAL || job_round_parse(job->name, base) > 1)
        return true;
    next = xcalloc(1, sizeof(*next));
    ok = recipe_rounds_is_one(&job->finish.spec, &found, err);
    for (unsigned round = 2; ok && found && round <= JOB_ROUND_MAX; round++) {
        ok = operator_look_at_round(s, base, round, next, &found, err);
        if (ok && found)
            *job = *next;
    }
    free(next);
    return ok;
}

int operator_run(struct invocation *call, operator_act_fn act)
{
    struct operator_job job;
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    bool ok = session != NULL && operator_look(session, verb_arg(call, 0), &job, &err) &&
              operator_go_to_newest(session, &job, &err) && act(call, session, &job, &err);

    session_close(session);
    return ok ? EXIT_CODE_OK
              : verb_fail(call, &err,
                          err.kind == ERR_NO_JOB ? "`sheaf list` shows the jobs" : NULL);
}
