#include <inttypes.h>

#include "cli/core/json_put.h"
#include "cli/job_lookup.h"
#include "cli/verb.h"
#include "common/merge/audit.h"
#include "common/sink/sink.h"

#define FINDINGS_MAX 65536

static void put_lines(struct buf *out, const struct audit_finding *x)
{
    for (size_t i = 0; i < x->line_count; i++)
        json_put_raw_fmt(out, "%s%" PRIu64, i > 0 ? "," : "", x->lines[i]);
}

static void put_finding(struct buf *out, const char *what, const struct audit_finding *x)
{
    if (x->count == 0)
        return;
    json_put_raw_fmt(out, "%s: %" PRIu64 " (input lines ", what, x->count);
    put_lines(out, x);
    json_put_raw(out, x->count > x->line_count ? ",...)\n" : ")\n");
}

static void put_text(struct buf *out, const struct audit *a)
{
    json_put_raw_fmt(out, "%s: %" PRIu64 " requests, %" PRIu64 " ok, %" PRIu64 " failed\n",
                     audit_passed(a) ? "passed" : "NOT PASSED", a->requests, a->ok, a->failed);
    put_finding(out, "missing", &a->missing);
    put_finding(out, "not what the sink says", &a->differs);
    if (a->extra > 0)
        json_put_raw_fmt(out, "rows for no request: %" PRIu64 "\n", a->extra);
    if (a->first[0] != '\0') {
        json_put_raw(out, "first: ");
        json_put_clean(out, a->first);
        json_put_raw(out, "\n");
    }
}

static void put_finding_json(struct buf *out, const char *name, const struct audit_finding *x)
{
    json_put_raw_fmt(out, ",\"%s\":{\"count\":%" PRIu64 ",\"lines\":[", name, x->count);
    put_lines(out, x);
    json_put_raw(out, "]}");
}

static void put_json(struct buf *out, const struct audit *a)
{
    json_put_raw_fmt(out,
                     "{\"schema\":1,\"passed\":%s,\"requests\":%" PRIu64 ",\"ok\":%" PRIu64
                     ",\"failed\":%" PRIu64 ",\"parts\":%u",
                     audit_passed(a) ? "true" : "false", a->requests, a->ok, a->failed, a->parts);
    put_finding_json(out, "missing", &a->missing);
    put_finding_json(out, "differs", &a->differs);
    json_put_raw_fmt(out, ",\"extra\":%" PRIu64 ",\"first\":", a->extra);
    json_put_text(out, a->first[0] != '\0' ? a->first : NULL);
    json_put_raw(out, "}\n");
}

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
    struct err err = {0};

    if (!job_lookup_in_sink(call, &f, &err))
        return verb_fail(call, &err, NULL);
    if (f.times.created_ms > 0 && f.state != JOB_FINAL) /* Redis knows it */
        return verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended yet",
                              "`sheaf wait` waits for it");
    if (!audit(&f, o->output, &result, &err))
        return verb_fail(call, &err, NULL);
    if (o->json)
        put_json(&text, &result);
    else
        put_text(&text, &result);
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
        "Redis is asked only where the job is: a job it has lost is found in the state directory.",
    .exits =
        "0 proved, 5 no such job, 7 the job has not ended, 9 Redis or sink cannot be used, 10 not\n"
        "so (the findings are printed), 11 the input is not what it was",
    .example = "sheaf audit in.jsonl --state-dir out.jsonl.sheaf -o out.jsonl",
    .groups = OPT_COMMON | OPT_READ | OPT_OUTPUT,
    .max_args = 1,
    .run = run,
};
