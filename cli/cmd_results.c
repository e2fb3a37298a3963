#include "cli/finish.h"
#include "cli/job_lookup.h"
#include "cli/recipe_kept.h"
#include "cli/verb.h"
#include "common/model/price_table.h"

static int publish(struct invocation *call, struct finish *f)
{
    const struct options *o = &call->options;
    struct buf text = BUF_INIT(65536);
    struct price_table prices = {0};
    struct report report;
    struct err err = {0};
    bool adopted = false;

    f->times.prices = &prices;
    if (!price_table_load(&o->prices, &prices, &err) ||
        !finish_publish(f, o->output, o->yes, &report, &adopted, &err)) {
        price_table_release(&prices);
        return verb_fail(call, &err,
                         err.kind == ERR_CONFLICT ? "give another -o, or -y to replace it" : NULL);
    }
    bool fits = o->progress == PROGRESS_JSON
                    ? finish_print_json(f, &report, o->output, EXIT_CODE_OK, &text)
                    : finish_print(f, &report, o->output, adopted, &text);
    if (fits && !o->quiet && o->progress != PROGRESS_NONE)
        (void)fprintf(call->people, "%s%s", text.data, o->progress == PROGRESS_JSON ? "\n" : "");
    buf_release(&text);
    report_release(&report);
    price_table_release(&prices);
    return EXIT_CODE_OK;
}

static int run(struct invocation *call)
{
    struct finish f;
    char job[JOB_NAME_MAX + 1];
    struct err err = {0};
    bool has_recipe = false;

    if (call->options.output == NULL)
        return verb_fail_with(call, EXIT_CODE_USAGE, "where to? Give -o OUTPUT", NULL);
    if (!job_lookup(call, &f, &err) || !recipe_rounds_is_one(&f.spec, &has_recipe, &err))
        return verb_fail(call, &err, NULL);
    if (has_recipe) {
        (void)job_round_parse(f.spec.job, job);
        return recipe_kept_results(call, job);
    }
    if (f.state != JOB_FINAL)
        return verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended yet",
                              "`sheaf wait` waits for it");
    return publish(call, &f);
}

const struct verb cmd_results = {
    .name = "results",
    .usage = "[JOB] -o OUTPUT",
    .summary = "write the results of a finished job",
    .does =
        "Joins the results of a job that has ended into OUTPUT, its errors file and its report.\n"
        "All three appear complete or not at all.",
    .exits = "0 (also when rows failed), 5 no such job, 7 the job has not ended, 9 Redis, disk or\n"
             "sink cannot be used, 12 OUTPUT is there and not of this job",
    .example = "sheaf results nightly -o out.jsonl",
    .groups = OPT_COMMON | OPT_OUTPUT,
    .max_args = 1,
    .run = run,
};
