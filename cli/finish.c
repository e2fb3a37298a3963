#include "cli/finish.h"

#include <inttypes.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "cli/cost_line.h"
#include "common/base/log.h"
#include "common/base/units.h"
#include "common/merge/publish.h"
#include "common/sink/job_doc.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define TOP_CAUSES 3

bool finish_from_view(struct finish *f, const struct job_view *view, struct err *err)
{
    *f = (struct finish){
        .state = view->state,
        .cancelled = view->cancelled,
        .parts = view->parts,
        .requests = view->requests,
        .times = {.created_ms = view->created_ms, .finished_ms = view->finished_ms},
    };
    if (job_doc_parse(view->spec, strlen(view->spec), &f->spec, err))
        return true;
    return err_wrap(err, "job \"%s\"", view->job);
}

bool finish_publish(const struct finish *f, const char *output, bool overwrite,
                    struct report *report, bool *adopted, struct err *err)
{
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);

    if (sink == NULL)
        return err_wrap(err, "results");
    bool ok = publish_output(sink, &f->spec, f->parts, output, overwrite, &f->times, report,
                             adopted, err);
    sink_close(sink);
    return ok;
}

void finish_mark(const struct finish *f, const struct report *report)
{
    char name[LAYOUT_NAME_MAX];
    struct err err = {0};

    if (report->generation == 0)
        return;
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, &err);
    if (sink == NULL ||
        !sink_publish(sink, layout_ended(name, report->generation), "", 0, NULL, &err))
        log_warn("ev=not_marked job=%s err=%s", log_text(f->spec.job), log_text(err.msg));
    sink_close(sink);
}

bool finish_is_marked(struct sink *sink, uint32_t generation, bool *marked, struct err *err)
{
    char name[LAYOUT_NAME_MAX];

    return sink_exists(sink, layout_ended(name, generation), marked, err);
}

bool finish_collect(const struct finish *f, struct report *report, struct err *err)
{
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);

    if (sink == NULL)
        return false;
    report_init(report);
    bool ok = report_collect(sink, f->parts, report, err);
    sink_close(sink);
    if (!ok)
        report_release(report);
    return ok;
}

static void put_causes(const struct report *report, struct buf *out)
{
    for (size_t i = 0; i < report->code_count && i < TOP_CAUSES; i++) {
        json_put_raw_fmt(out, "  %10" PRIu64 "  ", report->codes[i].count);
        json_put_clean(out, report->codes[i].code); /* a provider's word */
        json_put_raw(out, "\n");
    }
    if (report->code_count > TOP_CAUSES)
        json_put_raw_fmt(out, "              and %zu other causes\n",
                         report->code_count - TOP_CAUSES);
}

static void put_file(struct buf *out, const char *path, uint64_t bytes)
{
    char size[UNITS_TEXT_MAX];

    json_put_raw(out, "  ");
    json_put_raw(out, path);
    json_put_raw_fmt(out, "  %s\n", units_format_size(bytes, size));
}

bool finish_print(const struct finish *f, const struct report *report, const char *output,
                  bool adopted, struct buf *out)
{
    struct publish_paths paths;

    if (output != NULL && !publish_paths(output, &paths, NULL))
        return false;
    json_put_raw_fmt(out, "job %s %s", f->spec.job,
                     adopted        ? "was done already"
                     : f->cancelled ? "was cancelled"
                                    : "is done");
    if (f->times.finished_ms > 0 && !adopted) {
        char took[UNITS_TEXT_MAX];

        json_put_raw_fmt(out, " after %s",
                         units_format_duration(f->times.finished_ms - f->times.created_ms, took));
    }
    json_put_raw_fmt(out, ": %" PRIu64 " rows, %" PRIu64 " ok, %" PRIu64 " failed\n",
                     report->requests, report->ok, report->failed);
    put_causes(report, out);
    cost_line_put(report, &f->spec, f->times.prices, out);
    if (output == NULL)
        return true;
    put_file(out, paths.out, report->out.bytes);
    put_file(out, paths.errors, report->dead.bytes);
    json_put_raw(out, "  ");
    json_put_raw(out, paths.report);
    json_put_raw(out, "\n");
    return true;
}

bool finish_print_json(const struct finish *f, const struct report *report, const char *output,
                       int exit_code, struct buf *out)
{
    struct publish_paths paths;

    if (output != NULL && !publish_paths(output, &paths, NULL))
        return false;
    json_put_raw(out, "{\"message_type\":\"summary\",\"schema\":1,\"job\":");
    json_put_text(out, f->spec.job);
    json_put_raw_fmt(out,
                     ",\"exit_code\":%d,\"rows\":{\"total\":%" PRIu64 ",\"ok\":%" PRIu64
                     ",\"failed\":%" PRIu64 "},\"output\":",
                     exit_code, report->requests, report->ok, report->failed);
    json_put_text(out, output != NULL ? paths.out : NULL);
    json_put_raw(out, ",\"errors\":");
    json_put_text(out, output != NULL ? paths.errors : NULL);
    json_put_raw(out, ",\"report\":");
    json_put_text(out, output != NULL ? paths.report : NULL);
    json_put_raw(out, ",\"cost\":");
    cost_line_put_json(report, &f->spec, f->times.prices, out);
    json_put_raw(out, "}");
    return true;
}
