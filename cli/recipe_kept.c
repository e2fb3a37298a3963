#include "cli/recipe_kept.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/recipe_summary.h"
#include "cli/report_page.h"
#include "cli/session.h"
#include "common/base/xmem.h"
#include "common/enrich/integrate.h"
#include "common/model/price_table.h"
#include "common/rows/rows.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

static bool read_bundle(struct recipe_kept *k, struct err *err)
{
    struct buf text = BUF_INIT(BUNDLE_MAX_BYTES);
    struct sink *sink = k->rounds.items[0]->sink;
    bool kept = false;
    bool ok = sink_exists(sink, LAYOUT_RECIPE, &kept, err) &&
              (kept || err_set(err, ERR_TEMPORARY,
                               "the recipe is not in the sink yet: the same command as before "
                               "brings it there")) &&
              sink_read(sink, LAYOUT_RECIPE, &text, err) &&
              bundle_origin(text.data, text.len, &k->origin, err);

    if (ok && !recipe_from_bundle(text.data, text.len, &k->recipe, err)) {
        bundle_origin_release(&k->origin);
        ok = false;
    }
    buf_release(&text);
    return ok;
}

bool recipe_kept_open(struct session *session, const char *job, struct recipe_kept *out,
                      struct err *err)
{
    *out = (struct recipe_kept){0};
    if (recipe_rounds_look(&out->rounds, session, job, err) && read_bundle(out, err))
        return true;
    recipe_rounds_release(&out->rounds);
    return false;
}

void recipe_kept_release(struct recipe_kept *kept)
{
    recipe_release(&kept->recipe);
    bundle_origin_release(&kept->origin);
    recipe_rounds_release(&kept->rounds);
}

bool recipe_kept_check_rows(const struct recipe_kept *k, struct err *err)
{
    char fingerprint[65];

    if (!rows_fingerprint(k->origin.path, &k->recipe.rows, fingerprint, err))
        return err_wrap(err, "the job's rows");
    return strcmp(fingerprint, k->origin.rows) == 0 ||
           err_set(err, ERR_INPUT, "%s is not what it was when the job began", k->origin.path);
}

static bool check_closed(const struct recipe_kept *k, struct err *err)
{
    struct enrich_open open = {0};

    if (recipe_rounds_cancelled(&k->rounds))
        return true;
    if (!enrich_judge(&k->recipe, k->rounds.views, k->rounds.count, &open, err))
        return false;
    return open.pairs == 0 || err_set(err, ERR_TEMPORARY,
                                      "%" PRIu64 " answers may be asked for once more", open.pairs);
}

static const char *provider_of(const struct recipe_kept *k)
{
    return k->rounds.items[0]->finish.spec.provider;
}

int recipe_kept_fail(const struct invocation *call, const struct err *err)
{
    if (err->kind == ERR_TEMPORARY)
        return verb_fail_with(call, EXIT_CODE_NOT_YET, err->msg,
                              "the same `sheaf run` or `sheaf submit` as before goes on");
    return verb_fail(call, err,
                     err->kind == ERR_CONFLICT ? "give another -o, or -y to replace it" : NULL);
}

static int integrate(struct invocation *call, const struct recipe_kept *k)
{
    const struct options *o = &call->options;
    struct report_times times = recipe_rounds_times(&k->rounds);
    struct price_table prices = {0};
    struct enrich_report report = {0};
    struct err err = {0};
    bool adopted = false;

    if (!recipe_kept_check_rows(k, &err) || !price_table_load(&o->prices, &prices, &err))
        return recipe_kept_fail(call, &err);
    times.prices = &prices;
    const struct enrich_money money = {.prices = &prices, .provider = provider_of(k)};
    const struct enrich_job job = {.recipe = &k->recipe,
                                   .input = k->origin.path,
                                   .options = &k->recipe.rows,
                                   .rounds = k->rounds.views,
                                   .round_count = k->rounds.count,
                                   .closed = recipe_rounds_cancelled(&k->rounds),
                                   .money = &money};
    bool ok = enrich_integrate(&job, o->output, o->yes, &times, &report, &adopted, &err);
    if (ok) {
        recipe_summary_tell(call, &k->rounds, &report, &prices, o->output, adopted, EXIT_CODE_OK);
        enrich_report_release(&report);
    }
    price_table_release(&prices);
    /* It stops at the first answer that is open; how many there are is worth a pass only then. */
    if (!ok && err.kind == ERR_TEMPORARY)
        (void)check_closed(k, &err);
    return ok ? EXIT_CODE_OK : recipe_kept_fail(call, &err);
}

static bool put_report(const struct invocation *call, const struct recipe_kept *k, struct buf *text,
                       struct err *err)
{
    const struct options *o = &call->options;
    struct report_times times = recipe_rounds_times(&k->rounds);
    const struct job_spec *spec = &k->rounds.items[0]->finish.spec;
    struct price_table prices = {0};
    struct enrich_report report = {0};

    if (!price_table_load(&o->prices, &prices, err))
        return false;
    times.prices = &prices;
    const struct enrich_money money = {.prices = &prices, .provider = provider_of(k)};
    bool ok = enrich_report_collect(&k->recipe, k->rounds.views, k->rounds.count,
                                    recipe_rounds_cancelled(&k->rounds), &money, &report, err);
    if (ok) {
        const struct report_page page = {.jobs = &report.jobs,
                                         .enriched = &report,
                                         .spec = spec,
                                         .times = &times,
                                         .sink = k->rounds.items[0]->sink};
        ok = report_page_put(&page, o, text, err);
        enrich_report_release(&report);
    }
    price_table_release(&prices);
    return ok;
}

/* Call @use with the job; the exit code. */
static int with_kept(struct invocation *call, const char *job,
                     int (*use)(struct invocation *call, const struct recipe_kept *k, void *arg),
                     void *arg)
{
    struct recipe_kept *k = xcalloc(1, sizeof(*k));
    struct err err = {0};
    struct session *session = session_open(&call->options, &err);
    bool ok = session != NULL && recipe_kept_open(session, job, k, &err);

    session_close(session);
    int code = ok ? use(call, k, arg) : recipe_kept_fail(call, &err);
    if (ok)
        recipe_kept_release(k);
    free(k);
    return code;
}

static int use_results(struct invocation *call, const struct recipe_kept *k, void *arg)
{
    (void)arg;
    return integrate(call, k);
}

static int use_report(struct invocation *call, const struct recipe_kept *k, void *arg)
{
    struct err err = {0};

    return put_report(call, k, arg, &err) ? EXIT_CODE_OK : recipe_kept_fail(call, &err);
}

int recipe_kept_results(struct invocation *call, const char *job)
{
    return with_kept(call, job, use_results, NULL);
}

int recipe_kept_report(struct invocation *call, const char *job, struct buf *text)
{
    return with_kept(call, job, use_report, text);
}
