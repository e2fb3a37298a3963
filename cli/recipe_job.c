#include "cli/recipe_job.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/core/warn_at.h"
#include "cli/display.h"
#include "cli/local_run.h"
#include "cli/person.h"
#include "cli/recipe_rounds.h"
#include "cli/recipe_summary.h"
#include "cli/session.h"
#include "cli/state_dir.h"
#include "common/base/failpoint.h"
#include "common/base/xmem.h"
#include "common/enrich/integrate.h"
#include "common/enrich/round_write.h"
#include "common/input/source.h"
#include "common/merge/publish_file.h"
#include "common/model/price_table.h"
#include "common/provider/profile.h"
#include "common/recipe/bundle.h"
#include "common/rows/rows.h"
#include "common/sink/layout.h"

/* ---- the folder */

/* STATE/recipe/JOB, made if it is not there. */
static bool open_folder(const struct session *session, const char *name, char out[RUN_PATH_MAX],
                        struct err *err)
{
    struct state_dir dir = {.lock_fd = -1};

    (void)snprintf(dir.path, sizeof(dir.path), "%s", session_state_dir(session));
    if (!state_dir_sub(&dir, "recipe", out, err))
        return false;
    if (strlen(out) >= sizeof(dir.path))
        return err_set(err, ERR_USAGE, "%s: the path is too long", out);
    (void)snprintf(dir.path, sizeof(dir.path), "%s", out);
    return state_dir_sub(&dir, name, out, err);
}

static const char *path_in(char out[RUN_PATH_MAX + 64], const char *folder, const char *name)
{
    (void)snprintf(out, RUN_PATH_MAX + 64, "%s/%s", folder, name);
    return out;
}

static bool write_whole(const char *path, const struct buf *text, struct err *err)
{
    struct publish_file *f = publish_file_new(path, err);
    struct report_file file;
    bool ok = f != NULL && publish_file_write(f, text->data, text->len, err) &&
              publish_file_finish(f, &file, err) && publish_file_name(f, err);

    publish_file_free(f);
    return ok;
}

/* Nothing of the job was ever sent: what was rendered for it is worth nothing. */
static bool empty_folder(const char *folder, struct err *err)
{
    char path[RUN_PATH_MAX + 64];
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bool ok = true;

    if (dir == NULL)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", folder, strerror(errno));
    while (ok && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strlen(entry->d_name) > 60)
            continue;
        ok = unlink(path_in(path, folder, entry->d_name)) == 0 || errno == ENOENT ||
             err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    (void)closedir(dir);
    return ok;
}

static bool find_format(const struct recipe *recipe, const char *rows, enum rows_format *out,
                        struct err *err)
{
    struct rows *opened = rows_open(rows, &recipe->rows, err);

    if (opened == NULL)
        return false;
    *out = rows_format(opened);
    rows_close(opened);
    return true;
}

/* *@same: there is a bundle, and it is of this recipe. */
static bool compare(const char *path, const struct recipe *recipe, const struct bundle_input *input,
                    bool *same, struct err *err)
{
    struct buf text = BUF_INIT(BUNDLE_MAX_BYTES);

    *same = access(path, F_OK) == 0;
    bool ok = !*same || (source_read_all(path, &text, err) &&
                         bundle_compare(recipe, input, text.data, text.len, err));
    buf_release(&text);
    return ok;
}

bool recipe_job_bind(const struct session *session, const char *name, bool opened,
                     const struct recipe *recipe, const char *rows, const char *rows_fingerprint,
                     struct err *err)
{
    struct bundle_input input = {.path = rows, .rows = rows_fingerprint};
    struct buf text = BUF_INIT(BUNDLE_MAX_BYTES);
    char path[RUN_PATH_MAX + 64];
    char folder[RUN_PATH_MAX];
    struct err changed = {0};
    bool same = false;

    if (!open_folder(session, name, folder, err) || !find_format(recipe, rows, &input.format, err))
        return false;
    path_in(path, folder, "bundle.json");
    if (!compare(path, recipe, &input, &same, &changed)) {
        *err = changed;
        if (opened || !empty_folder(folder, err))
            return false;
        same = false;
    }
    if (same)
        return true;
    bool ok = (bundle_write(recipe, &input, &text) ||
               err_set(err, ERR_USAGE, "%s: the recipe's files are too large", recipe->name)) &&
              write_whole(path, &text, err);
    buf_release(&text);
    return ok;
}

/* ---- rounds */

struct chain {
    const struct recipe_job *job;
    char folder[RUN_PATH_MAX];
    char requests[RUN_PATH_MAX + 64]; /* of the round that is next */
    char map[RUN_PATH_MAX + 64];
    uint64_t max_line_bytes;
    struct recipe_rounds rounds;
    struct recipe_money money;
    struct warn_at warn_at;
};

static bool find_limits(struct chain *c, struct err *err)
{
    const struct options *o = &c->job->call->options;
    struct provider_profile_box box = {0};

    if (!provider_profile_load(o->provider, &o->providers, &box, err))
        return false;
    c->max_line_bytes = box.profile.limits.max_line_bytes;
    provider_profile_release(&box);
    return true;
}

static void tell_first(const struct chain *c, const struct round_counts *n)
{
    const struct recipe_job *job = c->job;
    uint64_t unasked = 0;

    for (uint32_t i = 0; i < n->count; i++) {
        for (unsigned code = RENDER_INVALID_ROW; code < RENDER_CODES; code++)
            unasked += n->analyses[i].pairs[code];
    }
    person_tell(job->call, "%" PRIu64 " rows x %zu %s: %" PRIu64 " requests", n->rows,
                job->recipe->count, job->recipe->count == 1 ? "analysis" : "analyses", n->requests);
    if (unasked > 0)
        person_tell(job->call,
                    "%" PRIu64 " answers cannot be asked for: _sheaf will say why, and the errors "
                    "file where there is no default",
                    unasked);
}

static void tell_again(const struct chain *c, unsigned round, const struct enrich_open *open)
{
    if (open->pairs == 0)
        return;
    person_tell(c->job->call,
                "round %u: %" PRIu64 " answers are asked for again: %" PRIu64
                " were not valid, %" PRIu64 " were left out of their pack",
                round, open->pairs, open->invalid, open->lost);
}

/* Render round @round, or adopt it. @judge says what is asked; NULL: everything. */
static bool render(struct chain *c, unsigned round, struct judge *judge, struct err *err)
{
    const struct render_choice choice =
        judge != NULL ? judge_choice(judge) : (struct render_choice){0};
    const struct round_plan plan = {
        .recipe = c->job->recipe,
        .rows_path = c->job->rows,
        .rows_fingerprint = c->job->rows_fingerprint,
        .round = round,
        .options = {.max_line_bytes = c->max_line_bytes, .choice = judge != NULL ? &choice : NULL},
        .requests_path = c->requests,
        .map_path = c->map
    };
    struct round_counts counts = {0};

    if (!round_write(&plan, &counts, NULL, err))
        return false;
    if (round == 1)
        tell_first(c, &counts);
    round_counts_release(&counts);
    return true;
}

/* *@made: there is a round @round. It is not when the rounds before it left nothing open. */
static bool make_round(struct chain *c, unsigned round, bool *made, struct err *err)
{
    const struct recipe *recipe = c->job->recipe;
    const struct recipe_rounds *before = &c->rounds;
    struct enrich_open open = {0};
    char name[32];

    (void)snprintf(name, sizeof(name), "r%u.requests.jsonl", round);
    path_in(c->requests, c->folder, name);
    (void)snprintf(name, sizeof(name), "r%u.map", round);
    path_in(c->map, c->folder, name);
    *made = round == 1 || access(c->requests, F_OK) == 0;
    if (*made)
        return render(c, round, NULL, err);
    if (recipe_rounds_cancelled(before))
        return true;
    if (!enrich_judge(recipe, before->views, before->count, &open, err))
        return false;
    tell_again(c, round, &open);
    *made = open.pairs > 0;
    if (!*made)
        return true;
    struct judge *judge = judge_new(recipe, before->views, before->count, err);
    bool ok = judge != NULL && render(c, round, judge, err);
    judge_free(judge);
    return ok;
}

/* The sink keeps what the results mean, for whoever integrates them elsewhere. */
static bool keep(const struct chain *c, struct err *err)
{
    const struct recipe_rounds *rounds = &c->rounds;
    struct sink *sink = rounds->items[rounds->count - 1]->sink;
    char path[RUN_PATH_MAX + 64];

    if (rounds->count == 1 &&
        !recipe_rounds_keep(sink, LAYOUT_RECIPE, path_in(path, c->folder, "bundle.json"), err))
        return false;
    return recipe_rounds_keep(sink, LAYOUT_MAP, c->map, err);
}

static int run_round(struct chain *c, unsigned round, struct err *err)
{
    const struct recipe_job *job = c->job;
    struct finish finish;
    char name[JOB_NAME_MAX + 1];
    const struct local_job local = {.name = job_round_name(job->name, round, name),
                                    .input = c->requests,
                                    .sink = job->sink,
                                    .site = job->site,
                                    .what = job->what,
                                    .max_cost = c->money.cap[0] != '\0' ? c->money.cap : NULL,
                                    .is_trial = job->is_trial,
                                    .warn_at = &c->warn_at,
                                    .spent_before = c->money.spent};
    int code = local_run_to_end(job->call, job->session, &local, &finish);

    if (code != LOCAL_RUN_ENDED)
        return code;
    FAILPOINT("cli.round_ended");
    if (!recipe_rounds_add(&c->rounds, &finish, err) || !keep(c, err))
        return verb_fail(job->call, err, "the same command goes on where it was");
    FAILPOINT("cli.round_kept");
    return LOCAL_RUN_ENDED;
}

/* Until nothing is open. LOCAL_RUN_ENDED, or why not. */
static int run_rounds(struct chain *c)
{
    struct err err = {0};

    for (unsigned round = 1; round <= JOB_ROUND_MAX; round++) {
        bool made = false;

        if (!make_round(c, round, &made, &err) ||
            !recipe_rounds_money(c->job->sink, c->job->name, round, &c->job->call->options,
                                 &c->money, &err))
            return verb_fail(c->job->call, &err, NULL);
        if (!made)
            return LOCAL_RUN_ENDED;
        int code = run_round(c, round, &err);
        if (code != LOCAL_RUN_ENDED)
            return code;
    }
    return verb_fail_with(c->job->call, EXIT_CODE_UNEXPECTED, "too many rounds", NULL);
}

/* ---- the end */

static void mark(const struct recipe_rounds *rounds)
{
    for (size_t i = 0; i < rounds->count; i++) {
        struct report report;

        if (!finish_collect(&rounds->items[i]->finish, &report, NULL))
            continue;
        finish_mark(&rounds->items[i]->finish, &report);
        report_release(&report);
    }
}

static bool write_output(const struct chain *c, const struct enrich_money *money,
                         struct enrich_report *report, bool *adopted, struct err *err)
{
    const struct recipe_job *job = c->job;
    const struct recipe_rounds *rounds = &c->rounds;
    struct report_times times = recipe_rounds_times(rounds);
    const struct enrich_job enrich = {.recipe = job->recipe,
                                      .input = job->rows,
                                      .options = &job->recipe->rows,
                                      .rounds = rounds->views,
                                      .round_count = rounds->count,
                                      .closed = recipe_rounds_cancelled(rounds),
                                      .money = money};

    times.prices = money->prices;
    if (job->output == NULL)
        return enrich_report_collect(job->recipe, rounds->views, rounds->count,
                                     recipe_rounds_cancelled(rounds), money, report, err);
    return enrich_integrate(&enrich, job->output, job->overwrite, &times, report, adopted, err);
}

static int integrate(const struct chain *c)
{
    const struct options *o = &c->job->call->options;
    struct price_table prices = {0};
    struct enrich_report report = {0};
    struct err err = {0};
    bool adopted = false;

    if (!price_table_load(&o->prices, &prices, &err))
        return verb_fail(c->job->call, &err, NULL);
    const struct enrich_money money = {.prices = &prices, .provider = o->provider};
    struct display *display = display_new(c->job->call->people, local_run_form(o), c->job->name);
    if (display_form(display) == PROGRESS_TTY)
        display_state(display, "writing the output");
    bool ok = write_output(c, &money, &report, &adopted, &err);
    display_hide(display);
    display_free(display);
    if (!ok) {
        price_table_release(&prices);
        return verb_fail(c->job->call, &err,
                         "the results are safe; the same command goes on where it was");
    }
    mark(&c->rounds);
    int code = enrich_report_failed(&report) > 0 ? EXIT_CODE_SOME_FAILED : EXIT_CODE_OK;
    recipe_summary_tell(c->job->call, &c->rounds, &report, &prices,
                        c->job->is_trial ? NULL : c->job->output, adopted, code);
    enrich_report_release(&report);
    price_table_release(&prices);
    return code;
}

/* What sends rows again later takes no --max-cost: it keeps this one. */
static bool keep_cap(const struct chain *c, struct err *err)
{
    const char *max_cost = c->job->call->options.max_cost;
    struct buf text = BUF_INIT(256);
    char path[RUN_PATH_MAX + 64];

    path_in(path, c->folder, RECIPE_JOB_CAP);
    if (max_cost == NULL)
        return unlink(path) == 0 || errno == ENOENT ||
               err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    bool ok = buf_append(&text, max_cost, strlen(max_cost)) ||
              err_set(err, ERR_USAGE, "--max-cost: is too long");
    ok = ok && write_whole(path, &text, err);
    buf_release(&text);
    return ok;
}

/* Another job may have the name that the next round would have: that is said before money is spent.
 */
static void take_spec(const struct job_view *view, void *arg)
{
    if (!finish_from_view(arg, view, NULL))
        *(struct finish *)arg = (struct finish){0};
}

static bool check_names(const struct chain *c, struct err *err)
{
    struct finish *finish = xcalloc(1, sizeof(*finish));
    char name[JOB_NAME_MAX + 1];
    bool is = true;
    bool ok = true;

    job_round_name(c->job->name, 2, name);
    if (session_view(c->job->session, name, take_spec, finish, NULL))
        ok = recipe_rounds_is_one(&finish->spec, &is, err) &&
             (is || err_set(err, ERR_CONFLICT,
                            "job \"%s\" is another one, and its name is what the second round of "
                            "\"%s\" is called: give this one another --job",
                            name, c->job->name));
    free(finish);
    return ok;
}

int recipe_job_run(const struct recipe_job *job)
{
    const char *warn_at = job->call->options.warn_at;
    struct chain *c = xcalloc(1, sizeof(*c));
    struct err err = {0};
    int code;

    c->job = job;
    if (!open_folder(job->session, job->name, c->folder, &err) || !find_limits(c, &err) ||
        !check_names(c, &err) || !keep_cap(c, &err) ||
        (warn_at != NULL && !warn_at_parse(warn_at, &c->warn_at, &err)))
        code = verb_fail(job->call, &err, NULL);
    else
        code = run_rounds(c);
    if (code == LOCAL_RUN_ENDED)
        code = integrate(c);
    recipe_rounds_release(&c->rounds);
    free(c);
    return code;
}
