#include "cli/recipe_rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/session.h"
#include "common/base/xmem.h"
#include "common/merge/spent.h"
#include "common/model/money.h"
#include "common/model/price_table.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define PIECE (256u << 10)

void recipe_rounds_release(struct recipe_rounds *rounds)
{
    for (size_t i = 0; i < rounds->count; i++) {
        sink_close(rounds->items[i]->sink);
        free(rounds->items[i]);
    }
    free(rounds->items);
    free(rounds->views);
    *rounds = (struct recipe_rounds){0};
}

bool recipe_rounds_add(struct recipe_rounds *rounds, const struct finish *finish, struct err *err)
{
    const struct job_spec *spec = &finish->spec;
    struct sink *sink = sink_open(spec->sink, spec->job, spec->ji, false, err);

    if (sink == NULL)
        return err_wrap(err, "results");
    struct recipe_round *round = xcalloc(1, sizeof(*round));
    round->finish = *finish;
    round->sink = sink;
    rounds->items = xrealloc(rounds->items, rounds->count + 1, sizeof(struct recipe_round *));
    rounds->views = xrealloc(rounds->views, rounds->count + 1, sizeof(*rounds->views));
    rounds->items[rounds->count] = round;
    rounds->views[rounds->count] =
        (struct enrich_round){.sink = sink, .spec = &round->finish.spec, .parts = finish->parts};
    rounds->count++;
    return true;
}

bool recipe_rounds_cancelled(const struct recipe_rounds *rounds)
{
    return rounds->count > 0 && rounds->items[rounds->count - 1]->finish.cancelled;
}

struct report_times recipe_rounds_times(const struct recipe_rounds *rounds)
{
    if (rounds->count == 0)
        return (struct report_times){0};
    return (struct report_times){.created_ms = rounds->items[0]->finish.times.created_ms,
                                 .finished_ms =
                                     rounds->items[rounds->count - 1]->finish.times.finished_ms};
}

/* *@found: there is such a round in the sink. */
static bool add_spent(const char *sink_url, const char *name, const char *currency, int64_t *spent,
                      bool *found, struct err *err)
{
    struct spent_list list = {0};
    char ji[JOB_JI_LEN + 1];
    struct err missing = {0};

    *found = sink_find(sink_url, name, ji, &missing);
    if (!*found)
        return missing.kind == ERR_NO_JOB || err_set(err, missing.kind, "%s", missing.msg);
    struct sink *sink = sink_open(sink_url, name, ji, false, err);
    bool ok = sink != NULL && spent_read(sink, currency, &list, err);
    for (size_t i = 0; ok && i < list.count; i++)
        money_add(spent, list.items[i].nano);
    spent_release(&list);
    sink_close(sink);
    return ok;
}

/* @cap less what was spent, in the currency that is billed. */
static bool put_cap(const char *cap, const struct price_table *prices, const char *billed,
                    int64_t spent, char out[RECIPE_CAP_TEXT_MAX], struct err *err)
{
    char currency[MONEY_CURRENCY_SIZE];
    char left[MONEY_TEXT_MAX];
    int64_t nano = 0;

    if (!money_parse(cap, currency, &nano, err))
        return err_wrap(err, "--max-cost");
    if (!price_convert(prices, currency, billed, nano, &nano))
        return err_set(err, ERR_USAGE, "--max-cost: there is no rate from %s to %s", currency,
                       billed);
    (void)snprintf(out, RECIPE_CAP_TEXT_MAX, "%s%s",
                   money_format_exact(nano > spent ? nano - spent : 1, left), billed);
    return true;
}

bool recipe_rounds_money(const char *sink_url, const char *job, unsigned round,
                         const struct options *o, struct recipe_money *out, struct err *err)
{
    struct price_table prices = {0};
    char name[JOB_NAME_MAX + 1];
    bool found = true;
    bool ok = true;

    *out = (struct recipe_money){0};
    if (!price_table_load(&o->prices, &prices, err))
        return false;
    const char *billed = price_table_currency(&prices, o->provider);
    for (unsigned other = 1; ok && found && other <= JOB_ROUND_MAX; other++) {
        if (other != round)
            ok = add_spent(sink_url, job_round_name(job, other, name), billed, &out->spent, &found,
                           err);
        found = found || other < round;
    }
    if (ok && o->max_cost != NULL && out->spent == 0)
        (void)snprintf(out->cap, sizeof(out->cap), "%.60s", o->max_cost);
    else if (ok && o->max_cost != NULL)
        ok = put_cap(o->max_cost, &prices, billed, out->spent, out->cap, err);
    price_table_release(&prices);
    return ok;
}

struct looked {
    struct finish finish;
    struct err err;
    bool ok;
};

static void look(const struct job_view *view, void *arg)
{
    struct looked *looked = arg;

    looked->ok = finish_from_view(&looked->finish, view, &looked->err);
}

/* *@found: there is such a round; a job that only happens to be called so is none. */
static bool look_at(struct session *session, const char *name, unsigned round,
                    struct looked *looked, bool *found, struct err *err)
{
    struct err missing = {0};

    *found = session_view(session, name, look, looked, &missing);
    if (!*found && round > 1 && missing.kind == ERR_NO_JOB)
        return true;
    if (!*found || !looked->ok) {
        *err = *found ? looked->err : missing;
        return false;
    }
    return round == 1 || recipe_rounds_is_one(&looked->finish.spec, found, err);
}

bool recipe_rounds_look(struct recipe_rounds *rounds, struct session *session, const char *job,
                        struct err *err)
{
    struct looked *looked = xcalloc(1, sizeof(*looked));
    char name[JOB_NAME_MAX + 1];
    bool found = true;
    bool ok = true;

    for (unsigned round = 1; ok && found && round <= JOB_ROUND_MAX; round++) {
        ok = look_at(session, job_round_name(job, round, name), round, looked, &found, err);
        if (ok && found)
            ok = (looked->finish.state == JOB_FINAL ||
                  err_set(err, ERR_TEMPORARY, "job \"%s\" has not ended yet", name)) &&
                 recipe_rounds_add(rounds, &looked->finish, err);
    }
    free(looked);
    return ok;
}

static bool copy(int fd, const char *path, struct sink_writer *w, struct err *err)
{
    char *piece = xcalloc(1, PIECE);
    bool ok = true;
    ssize_t n;

    while (ok && (n = read(fd, piece, PIECE)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0 ? sink_write(w, piece, (size_t)n, err)
                   : err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    free(piece);
    return ok;
}

bool recipe_rounds_keep(struct sink *sink, const char *name, const char *path, struct err *err)
{
    struct sink_writer *w;
    bool kept = false;

    if (!sink_exists(sink, name, &kept, err) || kept)
        return kept;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    w = sink_begin(sink, name, err);
    bool ok = w != NULL && copy(fd, path, w, err);
    (void)close(fd);
    if (ok)
        return sink_commit(w, NULL, err);
    sink_abort(w);
    return false;
}

/* What `run` makes rounds of lies in the state directory, where nothing else does. */
static bool is_rendered_here(const struct job_spec *spec)
{
    char job[JOB_NAME_MAX + 1];
    char end[2 * JOB_NAME_MAX];
    unsigned round = job_round_parse(spec->job, job);
    size_t len = strlen(spec->source);
    size_t end_len =
        (size_t)snprintf(end, sizeof(end), "/recipe/%s/r%u.requests.jsonl", job, round);

    return len > end_len && strcmp(spec->source + len - end_len, end) == 0;
}

bool recipe_rounds_is_one(const struct job_spec *spec, bool *is, struct err *err)
{
    struct sink *sink;

    *is = is_rendered_here(spec);
    if (*is)
        return true;
    sink = sink_open(spec->sink, spec->job, spec->ji, false, err);
    bool ok = sink != NULL && sink_exists(sink, LAYOUT_MAP, is, err);

    sink_close(sink);
    return ok;
}
