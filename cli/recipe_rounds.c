#include "cli/recipe_rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/session.h"
#include "common/base/xmem.h"
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

static bool add_cost(const struct recipe_round *round, int64_t *spent,
                     char currency[MONEY_CURRENCY_SIZE], struct err *err)
{
    struct report_cost cost = {0};
    struct report report;

    if (!finish_collect(&round->finish, &report, err))
        return false;
    report_cost(&report, &round->finish.spec, NULL, &cost);
    report_release(&report);
    money_add(spent, cost.nano);
    memcpy(currency, cost.currency, MONEY_CURRENCY_SIZE);
    return true;
}

/* @cap less what was spent, in the currency that is billed. */
static bool put_cap(const char *cap, const struct options *o, const char *billed, int64_t spent,
                    char out[RECIPE_CAP_TEXT_MAX], struct err *err)
{
    struct price_table prices = {0};
    char currency[MONEY_CURRENCY_SIZE];
    char left[MONEY_TEXT_MAX];
    int64_t nano = 0;

    if (!money_parse(cap, currency, &nano, err))
        return err_wrap(err, "--max-cost");
    if (!price_table_load(&o->prices, &prices, err))
        return false;
    bool ok =
        price_convert(&prices, currency, billed, nano, &nano) ||
        err_set(err, ERR_USAGE, "--max-cost: there is no rate from %s to %s", currency, billed);
    price_table_release(&prices);
    if (ok)
        (void)snprintf(out, RECIPE_CAP_TEXT_MAX, "%s%s",
                       money_format_exact(nano > spent ? nano - spent : 1, left), billed);
    return ok;
}

bool recipe_rounds_money(const struct recipe_rounds *rounds, const struct options *o,
                         struct recipe_money *out, struct err *err)
{
    char billed[MONEY_CURRENCY_SIZE] = "";

    *out = (struct recipe_money){0};
    for (size_t i = 0; i < rounds->count; i++) {
        if (!add_cost(rounds->items[i], &out->spent, billed, err))
            return false;
    }
    if (o->max_cost == NULL || out->spent == 0) {
        (void)snprintf(out->cap, sizeof(out->cap), "%.60s", o->max_cost != NULL ? o->max_cost : "");
        return true;
    }
    return put_cap(o->max_cost, o, billed, out->spent, out->cap, err);
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

bool recipe_rounds_look(struct recipe_rounds *rounds, struct session *session, const char *job,
                        struct err *err)
{
    struct looked *looked = xcalloc(1, sizeof(*looked));
    char name[JOB_NAME_MAX + 1];
    struct err missing = {0};
    bool ok = true;

    for (unsigned round = 1; ok && round <= JOB_ROUND_MAX; round++) {
        job_round_name(job, round, name);
        if (!session_view(session, name, look, looked, &missing)) {
            ok = round > 1 && missing.kind == ERR_NO_JOB;
            if (!ok)
                *err = missing;
            break;
        }
        if (!looked->ok)
            *err = looked->err;
        ok = looked->ok && (looked->finish.state == JOB_FINAL ||
                            err_set(err, ERR_TEMPORARY, "job \"%s\" has not ended yet", name));
        ok = ok && recipe_rounds_add(rounds, &looked->finish, err);
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

bool recipe_rounds_is_one(const struct job_spec *spec, bool *is, struct err *err)
{
    struct sink *sink = sink_open(spec->sink, spec->job, spec->ji, false, err);
    bool ok = sink != NULL && sink_exists(sink, LAYOUT_MAP, is, err);

    sink_close(sink);
    return ok;
}
