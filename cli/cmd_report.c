#include "cli/finish.h"
#include "cli/job_lookup.h"
#include "cli/verb.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"

#define TRAIL_MAX  (8u << 20)
#define REPORT_MAX (64u << 20) /* the list of batches of a very large job */

static bool make_json(const struct report *report, const struct finish *f, struct sink *sink,
                      struct buf *text)
{
    struct buf trail = BUF_INIT(TRAIL_MAX);
    bool has_trail = sink_trail_put_json(sink, 0, &trail, NULL);
    const struct report_paths paths = {.trail = has_trail ? trail.data : NULL};
    bool ok = report_write_json(report, &f->spec, &f->times, &paths, text);

    buf_release(&trail);
    return ok;
}

static bool make(const struct finish *f, bool json, struct buf *text, struct err *err)
{
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);
    struct report report;

    if (sink == NULL)
        return false;
    report_init(&report);
    bool ok = report_collect(sink, f->parts, &report, err);
    if (ok && !(json ? make_json(&report, f, sink, text)
                     : report_write_text(&report, &f->spec, &f->times, text)))
        ok = err_set(err, ERR_PERMANENT, "the report is larger than %u bytes", REPORT_MAX);
    report_release(&report);
    sink_close(sink);
    return ok;
}

static int run(struct invocation *call)
{
    struct buf text = BUF_INIT(REPORT_MAX);
    struct finish f;
    struct err err = {0};

    if (!job_lookup(call, &f, &err))
        return verb_fail(call, &err, NULL);
    if (f.state != JOB_FINAL)
        return verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended yet",
                              "`sheaf status` shows how far it is");
    bool ok = make(&f, call->options.json, &text, &err);
    if (ok)
        (void)fwrite(text.data, 1, text.len, stdout);
    buf_release(&text);
    return ok ? EXIT_CODE_OK : verb_fail(call, &err, NULL);
}

const struct verb cmd_report = {
    .name = "report",
    .usage = "[JOB]",
    .summary = "print what a finished job did and cost",
    .does =
        "Prints the report of a job that has ended: rows, causes of failures, attempts, tokens,\n"
        "remote batches. With --json it is the document that lies beside OUTPUT, without the\n"
        "files.",
    .exits = "0 (also when rows failed), 5 no such job, 7 the job has not ended, 9 Redis or sink\n"
             "cannot be used",
    .example = "sheaf report nightly --json",
    .groups = OPT_COMMON | OPT_READ,
    .max_args = 1,
    .run = run,
};
