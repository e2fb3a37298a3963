#include <stdio.h>

#include "cli/job_lookup.h"
#include "cli/recipe_kept.h"
#include "cli/report_page.h"
#include "cli/verb.h"
#include "common/model/price_table.h"
#include "common/sink/sink.h"

#define REPORT_MAX (64u << 20) /* the list of batches of a very large job */

static bool make(const struct finish *f, const struct options *o, struct buf *text, struct err *err)
{
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);
    struct report_times times = f->times;
    struct price_table prices = {0};
    struct report report;

    if (sink == NULL || !price_table_load(&o->prices, &prices, err)) {
        sink_close(sink);
        return false;
    }
    report_init(&report);
    times.prices = &prices;
    const struct report_page page = {
        .jobs = &report, .spec = &f->spec, .times = &times, .sink = sink};
    bool ok = report_collect(sink, f->parts, &report, err) && report_page_put(&page, o, text, err);
    report_release(&report);
    price_table_release(&prices);
    sink_close(sink);
    return ok;
}

static int report_on(struct invocation *call, const struct finish *f, struct buf *text)
{
    char job[JOB_NAME_MAX + 1];
    struct err err = {0};
    bool has_recipe = false;

    if (!recipe_rounds_is_one(&f->spec, &has_recipe, &err))
        return verb_fail(call, &err, NULL);
    if (has_recipe) {
        (void)job_round_parse(f->spec.job, job);
        return recipe_kept_report(call, job, text);
    }
    if (f->state != JOB_FINAL)
        return verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended yet",
                              "`sheaf status` shows how far it is");
    return make(f, &call->options, text, &err) ? EXIT_CODE_OK : verb_fail(call, &err, NULL);
}

static int run(struct invocation *call)
{
    struct buf text = BUF_INIT(REPORT_MAX);
    struct finish f;
    struct err err = {0};

    if (!job_lookup(call, &f, &err))
        return verb_fail(call, &err, NULL);
    int code = report_on(call, &f, &text);
    if (code == EXIT_CODE_OK && text.len > 0)
        (void)fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
    return code;
}

const struct verb cmd_report = {
    .name = "report",
    .usage = "[JOB]",
    .summary = "print what a finished job did and cost",
    .does =
        "Prints the report of a job that has ended: rows, causes of failures, attempts, tokens,\n"
        "money, remote batches; of a job with a recipe what became of each analysis. With --json\n"
        "it is the document that lies beside OUTPUT, without the files; with --html a page for\n"
        "people that opens without a network.",
    .exits = "0 (also when rows failed), 5 no such job, 7 the job has not ended, 9 Redis or sink\n"
             "cannot be used",
    .example = "sheaf report nightly --html report.html",
    .groups = OPT_COMMON | OPT_READ | OPT_REPORT,
    .max_args = 1,
    .run = run,
};
