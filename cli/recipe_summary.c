#include "cli/recipe_summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "cli/cost_line.h"
#include "cli/recipe_rounds.h"
#include "common/base/units.h"
#include "common/enrich/enrich_report.h"
#include "common/merge/publish.h"

#define TEXT_MAX 65536

/* (row, analysis) of all analyses together, by enum pair_verdict. */
struct sums {
    uint64_t of[PAIR_VERDICTS];
};

static struct sums add_up(const struct enrich_report *report)
{
    struct sums s = {0};

    for (size_t i = 0; i < report->count; i++) {
        for (size_t v = 0; v < PAIR_VERDICTS; v++)
            s.of[v] += report->analyses[i].verdicts[v];
    }
    return s;
}

static void put_head(const struct recipe_rounds *rounds, const struct enrich_report *report,
                     bool adopted, struct buf *out)
{
    struct report_times times = recipe_rounds_times(rounds);

    json_put_raw_fmt(out, "job %s %s", rounds->items[0]->finish.spec.job,
                     adopted                           ? "was done already"
                     : recipe_rounds_cancelled(rounds) ? "was cancelled"
                                                       : "is done");
    if (times.finished_ms > 0 && !adopted) {
        char took[UNITS_TEXT_MAX];

        json_put_raw_fmt(out, " after %s",
                         units_format_duration(times.finished_ms - times.created_ms, took));
    }
    json_put_raw_fmt(out, ": %" PRIu64 " rows, %zu %s, %zu round%s\n", report->rows, report->count,
                     report->count == 1 ? "analysis" : "analyses", report->rounds,
                     report->rounds == 1 ? "" : "s");
}

static void put_answers(const struct sums *s, struct buf *out)
{
    json_put_raw_fmt(out,
                     "  answers  %" PRIu64 " ok, %" PRIu64 " repaired, %" PRIu64
                     " defaulted, %" PRIu64 " failed",
                     s->of[VERDICT_OK], s->of[VERDICT_REPAIRED], s->of[VERDICT_DEFAULTED],
                     s->of[VERDICT_FAILED]);
    if (s->of[VERDICT_SKIPPED] > 0)
        json_put_raw_fmt(out, ", %" PRIu64 " not asked", s->of[VERDICT_SKIPPED]);
    json_put_raw(out, "\n");
}

static void put_failing(const struct enrich_report *report, struct buf *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct enrich_analysis *a = &report->analyses[i];

        uint64_t lost = a->verdicts[VERDICT_FAILED] + a->verdicts[VERDICT_DEFAULTED];

        if (lost > 0)
            json_put_raw_fmt(out, "  %10" PRIu64 "  of %s failed or have the default\n", lost,
                             a->name);
    }
}

static void put_files(const struct enrich_report *report, const struct publish_paths *paths,
                      struct buf *out)
{
    const struct report_file *files[] = {&report->jobs.out, &report->jobs.dead};
    const char *const names[] = {paths->out, paths->errors};
    char size[UNITS_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        json_put_raw_fmt(out, "  %s  %s\n", names[i], units_format_size(files[i]->bytes, size));
    json_put_raw_fmt(out, "  %s\n", paths->report);
}

static void put_json(const struct recipe_rounds *rounds, const struct enrich_report *report,
                     const struct publish_paths *paths, const struct price_table *prices,
                     int exit_code, struct buf *out)
{
    const struct sums s = add_up(report);

    json_put_raw(out, "{\"message_type\":\"summary\",\"schema\":1,\"job\":");
    json_put_text(out, rounds->items[0]->finish.spec.job);
    json_put_raw_fmt(
        out,
        ",\"exit_code\":%d,\"rows\":{\"total\":%" PRIu64 "},\"rounds\":%zu,"
        "\"answers\":{\"ok\":%" PRIu64 ",\"repaired\":%" PRIu64 ",\"defaulted\":%" PRIu64
        ",\"failed\":%" PRIu64 ",\"skipped\":%" PRIu64 "},\"output\":",
        exit_code, report->rows, report->rounds, s.of[VERDICT_OK], s.of[VERDICT_REPAIRED],
        s.of[VERDICT_DEFAULTED], s.of[VERDICT_FAILED], s.of[VERDICT_SKIPPED]);
    json_put_text(out, paths != NULL ? paths->out : NULL);
    json_put_raw(out, ",\"errors\":");
    json_put_text(out, paths != NULL ? paths->errors : NULL);
    json_put_raw(out, ",\"report\":");
    json_put_text(out, paths != NULL ? paths->report : NULL);
    json_put_raw(out, ",\"cost\":");
    cost_line_put_json(&report->jobs, &rounds->items[0]->finish.spec, prices, out);
    json_put_raw(out, "}\n");
}

void recipe_summary_tell(const struct invocation *call, const struct recipe_rounds *rounds,
                         const struct enrich_report *report, const struct price_table *prices,
                         const char *output, bool adopted, int exit_code)
{
    const struct options *o = &call->options;
    const struct sums s = add_up(report);
    struct buf text = BUF_INIT(TEXT_MAX);
    struct publish_paths paths;
    bool written = output != NULL && publish_paths(output, &paths, NULL);

    if (o->quiet || o->progress == PROGRESS_NONE)
        return;
    if (o->progress == PROGRESS_JSON) {
        put_json(rounds, report, written ? &paths : NULL, prices, exit_code, &text);
    } else {
        put_head(rounds, report, adopted, &text);
        put_answers(&s, &text);
        put_failing(report, &text);
        cost_line_put(&report->jobs, &rounds->items[0]->finish.spec, prices, &text);
        if (written)
            put_files(report, &paths, &text);
    }
    (void)fprintf(call->people, "%s", text.data);
    buf_release(&text);
}
