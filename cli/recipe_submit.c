#include "cli/recipe_submit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/following.h"
#include "cli/handover.h"
#include "cli/person.h"
#include "cli/recipe_given.h"
#include "cli/recipe_rounds.h"
#include "cli/run_plan.h"
#include "cli/session.h"
#include "cli/temp_folder.h"
#include "common/base/xmem.h"
#include "common/enrich/enrich_report.h"
#include "common/enrich/round_write.h"
#include "common/provider/profile.h"
#include "common/recipe/bundle.h"
#include "common/rows/rows.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define GOES_ON (-1)

/*
 * Rounds are rendered into files that lose their names at once: they travel through Redis, and
 * nothing of them is left however this ends.
 */
struct relay {
    struct invocation *call;
    struct recipe_given given;
    char *rows; /* absolute path */
    char *sink;
    char fingerprint[65]; /* of the rows */
    uint64_t max_line_bytes;
    int requests_fd, map_fd;    /* -1: not rendered */
    char requests[32], map[32]; /* their paths, here and in programs that are started */
    struct bundle_input input;  /* borrows the two above */
    struct buf bundle;
    struct recipe_rounds rounds; /* that have ended */
};

/* ---- what is given */

static bool find_input(struct relay *r, struct err *err)
{
    struct rows *rows = rows_open(r->rows, &r->given.recipe->rows, err);

    if (rows == NULL || !rows_fingerprint(r->rows, &r->given.recipe->rows, r->fingerprint, err)) {
        rows_close(rows);
        return false;
    }
    r->input =
        (struct bundle_input){.path = r->rows, .rows = r->fingerprint, .format = rows_format(rows)};
    rows_close(rows);
    return bundle_write(r->given.recipe, &r->input, &r->bundle) ||
           err_set(err, ERR_USAGE, "%s: the recipe's files are too large", r->given.recipe->name);
}

/* The job may have been begun with another recipe, or other rows. */
static bool compare(const struct relay *r, struct err *err)
{
    const char *job = r->call->options.job;
    struct buf text = BUF_INIT(BUNDLE_MAX_BYTES);
    char ji[JOB_JI_LEN + 1];
    struct err missing = {0};
    bool kept = false;

    if (!sink_find(r->sink, job, ji, &missing))
        return missing.kind == ERR_NO_JOB || err_set(err, missing.kind, "%s", missing.msg);
    struct sink *sink = sink_open(r->sink, job, ji, false, err);
    bool ok = sink != NULL && sink_exists(sink, LAYOUT_RECIPE, &kept, err);
    if (ok && kept)
        ok = sink_read(sink, LAYOUT_RECIPE, &text, err) &&
             bundle_compare(r->given.recipe, &r->input, text.data, text.len, err);
    sink_close(sink);
    buf_release(&text);
    return ok;
}

static bool find_limits(struct relay *r, struct err *err)
{
    const struct options *o = &r->call->options;
    struct provider_profile_box box = {0};

    if (!provider_profile_load(o->provider, &o->providers, &box, err))
        return false;
    r->max_line_bytes = box.profile.limits.max_line_bytes;
    provider_profile_release(&box);
    return true;
}

static bool check(struct relay *r, struct err *err)
{
    const struct options *o = &r->call->options;
    const char *input = r->given.input;

    if (strcmp(input, "-") == 0)
        return err_set(err, ERR_USAGE, "rows are read again at the end: standard input cannot be");
    if (o->payload == PAYLOAD_REF)
        return err_set(err, ERR_USAGE,
                       "the requests of a recipe travel through Redis: --payload inline");
    if (strlen(o->job) > JOB_ROUNDS_NAME_MAX)
        return err_set(err, ERR_USAGE, "--job: a job with a recipe has a name of at most %d bytes",
                       JOB_ROUNDS_NAME_MAX);
    r->rows = realpath(input, NULL);
    if (r->rows == NULL)
        return err_set(err, ERR_INPUT, "%s: %s", input, strerror(errno));
    return handover_sink(o->sink, &r->sink, err) &&
           recipe_given_check_rows(&r->given, r->rows, err) && find_input(r, err) &&
           compare(r, err) && find_limits(r, err);
}

/* ---- a round */

/* Where a round is rendered: its files have names no longer than that takes. */
struct scratch {
    char folder[TEMP_FOLDER_MAX];
    char requests[RUN_PATH_MAX + 32];
    char map[RUN_PATH_MAX + 32];
};

static bool scratch_make(struct scratch *s, struct err *err)
{
    if (!temp_folder_make("submit", s->folder, err))
        return false;
    (void)snprintf(s->requests, sizeof(s->requests), "%s/requests.jsonl", s->folder);
    (void)snprintf(s->map, sizeof(s->map), "%s/requests.map", s->folder);
    return true;
}

static void scratch_remove(const struct scratch *s)
{
    (void)unlink(s->requests);
    (void)unlink(s->map);
    (void)rmdir(s->folder);
}

static void forget_files(struct relay *r)
{
    if (r->requests_fd >= 0)
        (void)close(r->requests_fd);
    if (r->map_fd >= 0)
        (void)close(r->map_fd);
    r->requests_fd = r->map_fd = -1;
}

/* Open for the programs that are started as well, so without O_CLOEXEC. */
static bool hold_files(struct relay *r, const struct scratch *s, struct err *err)
{
    r->requests_fd = open(s->requests, O_RDONLY); /* NOLINT(android-cloexec-open) */
    r->map_fd = open(s->map, O_RDONLY);           /* NOLINT(android-cloexec-open) */
    if (r->requests_fd < 0 || r->map_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", s->folder, strerror(errno));
    (void)snprintf(r->requests, sizeof(r->requests), "/dev/fd/%d", r->requests_fd);
    (void)snprintf(r->map, sizeof(r->map), "/dev/fd/%d", r->map_fd);
    return true;
}

static bool render_into(struct relay *r, unsigned round, const struct scratch *s, struct err *err)
{
    const struct recipe *recipe = r->given.recipe;
    struct judge *judge = NULL;
    struct round_counts counts = {0};

    if (round > 1) {
        judge = judge_new(recipe, r->rounds.views, r->rounds.count, err);
        if (judge == NULL)
            return false;
    }
    const struct render_choice choice =
        judge != NULL ? judge_choice(judge) : (struct render_choice){0};
    const struct round_plan plan = {
        .recipe = recipe,
        .rows_path = r->rows,
        .rows_fingerprint = r->fingerprint,
        .round = round,
        .options = {.max_line_bytes = r->max_line_bytes, .choice = judge != NULL ? &choice : NULL},
        .requests_path = s->requests,
        .map_path = s->map
    };
    bool ok = round_write(&plan, &counts, NULL, err);
    judge_free(judge);
    if (ok)
        round_counts_release(&counts);
    return ok;
}

static bool render(struct relay *r, unsigned round, struct err *err)
{
    struct scratch *s = xcalloc(1, sizeof(*s));

    forget_files(r);
    bool ok = scratch_make(s, err);
    if (ok) {
        ok = render_into(r, round, s, err) && hold_files(r, s, err);
        scratch_remove(s);
    }
    free(s);
    return ok;
}

static bool keep(const struct relay *r, struct sink *sink, unsigned round, struct err *err)
{
    return (round > 1 ||
            sink_publish(sink, LAYOUT_RECIPE, r->bundle.data, r->bundle.len, NULL, err)) &&
           recipe_rounds_keep(sink, LAYOUT_MAP, r->map, err);
}

/* Its sink is there once the producer has opened the job. */
static bool keep_open(const struct relay *r, const char *job, unsigned round, struct err *err)
{
    char ji[JOB_JI_LEN + 1];
    struct sink *sink =
        sink_find(r->sink, job, ji, err) ? sink_open(r->sink, job, ji, false, err) : NULL;
    bool ok = sink != NULL && keep(r, sink, round, err);

    sink_close(sink);
    return ok;
}

/* A round that ended before its submit could say what it was about: the same is rendered again. */
static bool take(struct relay *r, const struct finish *finish, unsigned round, struct err *err)
{
    bool kept = false;

    if (!recipe_rounds_is_one(&finish->spec, &kept, err) ||
        (!kept && (!render(r, round, err) || !keep_open(r, finish->spec.job, round, err))))
        return false;
    return recipe_rounds_add(&r->rounds, finish, err);
}

static bool is_closed(const struct relay *r, unsigned round, bool *closed, struct err *err)
{
    struct enrich_open open = {0};

    *closed = round > 1 && recipe_rounds_cancelled(&r->rounds);
    if (round == 1 || *closed)
        return true;
    if (!enrich_judge(r->given.recipe, r->rounds.views, r->rounds.count, &open, err))
        return false;
    *closed = open.pairs == 0;
    if (!*closed)
        person_tell(r->call, "round %u: %" PRIu64 " answers are asked for again", round,
                    open.pairs);
    return true;
}

static int hand_over(struct relay *r, struct session *session, const char *job, unsigned round)
{
    struct recipe_money money;
    struct err err = {0};

    if (!recipe_rounds_money(r->sink, r->call->options.job, round, &r->call->options, &money,
                             &err) ||
        !render(r, round, &err))
        return verb_fail(r->call, &err, NULL);
    const struct handover h = {.job = job,
                               .input = r->requests,
                               .sink = r->sink,
                               .max_cost = money.cap[0] != '\0' ? money.cap : NULL,
                               .said = r->rows};
    int code = handover_run(r->call, session, &h);
    if (code != EXIT_CODE_OK)
        return code;
    return keep_open(r, job, round, &err)
               ? GOES_ON
               : verb_fail(r->call, &err, "the same command again completes it");
}

/* ---- all of them */

static int conclude(struct relay *r)
{
    struct enrich_report report = {0};
    struct err err = {0};

    if (!enrich_report_collect(r->given.recipe, r->rounds.views, r->rounds.count,
                               recipe_rounds_cancelled(&r->rounds), NULL, &report, &err))
        return verb_fail(r->call, &err, NULL);
    int code = enrich_report_failed(&report) > 0 ? EXIT_CODE_SOME_FAILED : EXIT_CODE_OK;
    enrich_report_release(&report);
    person_tell(r->call, "all has been asked: `sheaf results %s -o OUTPUT` writes the rows",
                r->call->options.job);
    return code;
}

static void take_finish(const struct job_view *view, void *arg)
{
    struct finish *finish = arg;

    if (!finish_from_view(finish, view, NULL))
        *finish = (struct finish){.state = JOB_OPEN};
}

/* One look at round @round. GOES_ON with *@ended when it has ended, else it is under way now. */
static int step(struct relay *r, unsigned round, const char *job, bool *ended)
{
    struct finish *finish = xcalloc(1, sizeof(*finish));
    struct err err = {0};
    struct session *session = session_open(&r->call->options, &err);
    bool closed = false;
    int code = GOES_ON;

    finish->state = JOB_OPEN;
    if (session == NULL) {
        code = verb_fail(r->call, &err, NULL);
        goto out;
    }
    if (!session_view(session, job, take_finish, finish, &err) && err.kind != ERR_NO_JOB) {
        code = verb_fail(r->call, &err, NULL);
        goto out;
    }
    *ended = finish->state == JOB_FINAL;
    if (*ended ? !take(r, finish, round, &err) : !is_closed(r, round, &closed, &err))
        code = verb_fail(r->call, &err, NULL);
    else if (closed)
        code = conclude(r);
    else if (!*ended)
        code = hand_over(r, session, job, round);
out:
    session_close(session);
    free(finish);
    return code;
}

static int run_rounds(struct relay *r)
{
    const struct options *o = &r->call->options;
    char job[JOB_NAME_MAX + 1];

    for (unsigned round = 1; round <= JOB_ROUND_MAX;) {
        bool ended = false;
        int code = step(r, round, job_round_name(o->job, round, job), &ended);

        if (code != GOES_ON)
            return code;
        if (ended) {
            round++;
            continue;
        }
        if (!o->wait) {
            person_tell(r->call,
                        "round %u is handed over; once it has ended the same command asks "
                        "again for what was not valid",
                        round);
            return EXIT_CODE_OK;
        }
        code = following_run(r->call, job, (enum option_progress)o->progress, 0);
        if (code != EXIT_CODE_OK && code != EXIT_CODE_SOME_FAILED)
            return code;
    }
    return verb_fail_with(r->call, EXIT_CODE_UNEXPECTED, "too many rounds", NULL);
}

int recipe_submit_run(struct invocation *call)
{
    struct relay *r = xcalloc(1, sizeof(*r));
    struct err err = {0};
    int code;

    r->call = call;
    r->requests_fd = r->map_fd = -1;
    r->bundle = BUF_INIT(BUNDLE_MAX_BYTES);
    if (!recipe_given_load(call, &r->given, &err) ||
        !recipe_given_check_prices(&r->given, &call->options, &err) || !check(r, &err))
        code = verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "put it back, or give another --job" : NULL);
    else
        code = run_rounds(r);
    forget_files(r);
    recipe_rounds_release(&r->rounds);
    recipe_given_release(&r->given);
    buf_release(&r->bundle);
    free(r->rows);
    free(r->sink);
    free(r);
    return code;
}
