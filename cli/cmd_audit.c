#include "cli/audit_print.h"
#include "cli/core/json_put.h"
#include "cli/job_lookup.h"
#include "cli/recipe_audit.h"
#include "cli/recipe_rounds.h"
#include "cli/verb.h"
#include "common/merge/audit.h"
#include "common/sink/sink.h"

#define FINDINGS_MAX 65536

static bool audit(const struct finish *f, const char *output, struct audit *result, struct err *err)
{
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);
    bool ok = sink != NULL && audit_run(sink, &f->spec, output, NULL, NULL, result, err);

    sink_close(sink);
    return ok;
}

static int run(struct invocation *call)
{
    const struct options *o = &call->options;
    struct buf text = BUF_INIT(FINDINGS_MAX);
    struct audit result = {0};
    struct finish f;
    char job[JOB_NAME_MAX + 1];
    bool has_recipe = false;
    struct err err = {0};

    if (!job_lookup_in_sink(call, &f, &err))
        return verb_fail(call, &err, NULL);
    if (f.times.created_ms > 0 && f.state != JOB_FINAL) /* Redis knows it */
        return verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended yet",
                              "`sheaf wait` waits for it");
    if (!recipe_rounds_is_one(&f.spec, &has_recipe, &err))
        return verb_fail(call, &err, NULL);
    if (has_recipe) {
        (void)job_round_parse(f.spec.job, job);
        return recipe_audit_run(call, job);
    }
    if (!audit(&f, o->output, &result, &err))
        return verb_fail(call, &err, NULL);
    if (o->json) {
        audit_print_json(&result, &text);
        json_put_raw(&text, "\n");
    } else {
        audit_print(&result, &text);
    }
    (void)fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
    return audit_passed(&result) ? EXIT_CODE_OK : EXIT_CODE_AUDIT;
}

const struct verb cmd_audit = {
    .name = "audit",
    .usage = "[JOB] [-o OUTPUT]",
    .summary = "prove that every request is in the results exactly once",
    .does =
        "Reads the input and the sink again and proves that every request is in the merged\n"
        "results exactly once and as the provider answered it; with -o also that OUTPUT says so.\n"
        "Of a job with a recipe each round is proved, and OUTPUT is made again and compared.\n"
        "Redis is asked only where the job is: a job it has lost is found in the state directory.",
    .exits =
        "0 proved, 5 no such job, 7 the job has not ended, 9 Redis or sink cannot be used, 10 not\n"
        "so (the findings are printed), 11 the input is not what it was",
    .example = "sheaf audit in.jsonl --state-dir out.jsonl.sheaf -o out.jsonl",
    .groups = OPT_COMMON | OPT_READ | OPT_OUTPUT,
    .max_args = 1,
    .run = run,
};
