#include <stdio.h>
#include <string.h>

#include "cli/core/failures.h"
#include "cli/job_lookup.h"
#include "cli/verb.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/json/result_line.h"
#include "common/json/scan.h"
#include "common/merge/report.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define OUTPUT_MAX   (4u << 20)
#define ROW_MAX      (64u << 20) /* of an error row; a longer one is counted by its size */
#define PATH_MAX_LEN (SINK_PATH_MAX + LAYOUT_NAME_MAX)

struct reading {
    struct sink *sink;
    struct failures failures;
    struct failures_scope scope;
};

static void take_sample(struct failure_sample *sample, const struct line *line, const char *message)
{
    static const char *const names[] = {"custom_id"};
    struct json_value id = {0};
    char text[sizeof(sample->id)];

    if (!json_scan_object(line->text, line->text_len, names, 1, &id, NULL))
        id.kind = JSON_ABSENT;
    bool has_id = id.kind == JSON_STRING;
    if (has_id)
        (void)json_string_decode_cut(&id, text, sizeof(text));
    failure_sample_fill(sample, has_id ? text : NULL, message);
}

static void take_row(struct failures *f, const struct line *line)
{
    struct result_line row;
    struct failure failure = {.code = "row_too_long", .message = ""};

    if (!line->too_long && !result_line_parse(line->text, line->text_len, &row, NULL))
        failure.code = "row_not_readable";
    else if (!line->too_long)
        failure = (struct failure){row.status_code, row.code, row.message};
    struct failure_sample *sample = failures_add(f, &failure);
    if (sample != NULL && line->too_long)
        failure_sample_fill(sample, NULL, "");
    else if (sample != NULL)
        take_sample(sample, line, failure.message);
}

static bool read_rows(struct failures *f, struct line_reader *lines, struct err *err)
{
    struct line line;
    bool end = false;

    while (line_reader_next(lines, &line, &end, err)) {
        if (end)
            return true;
        take_row(f, &line);
    }
    return false;
}

/* "0000003.json": part 3 is merged, its failures are in dead/. */
static bool on_part(const char *name, void *arg, struct err *err)
{
    struct reading *r = arg;
    unsigned part;
    char dead[LAYOUT_NAME_MAX];
    char path[PATH_MAX_LEN];
    struct report report;
    bool found;

    if (sscanf(name, "%7u.json", &part) != 1) /* NOLINT(cert-err34-c): seven digits fit */
        return true;
    if (!report_load_part(r->sink, part, &report, &found, err) || !found)
        return !found;
    r->scope.parts++;
    r->scope.rows += report.requests;
    uint64_t failed = report.failed;
    report_release(&report);
    if (failed == 0)
        return true;
    (void)snprintf(path, sizeof(path), "%s/%s", sink_path(r->sink), layout_dead(dead, part));
    struct source *source = source_open(path, err);
    if (source == NULL)
        return false;
    struct line_reader *lines = line_reader_new(source, ROW_MAX);
    bool ok = read_rows(&r->failures, lines, err);
    line_reader_free(lines);
    source_close(source);
    return ok;
}

static bool read_sink(struct reading *r, const struct finish *f, struct err *err)
{
    r->sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);
    if (r->sink == NULL)
        return false;
    r->scope.job = f->spec.job;
    r->scope.ended = f->state == JOB_FINAL;
    bool ok = sink_list(r->sink, LAYOUT_REP, on_part, r, err);
    sink_close(r->sink);
    r->scope.not_merged = f->requests >= r->scope.rows && f->requests > 0
                              ? (int64_t)(f->requests - r->scope.rows)
                              : -1;
    failures_sort(&r->failures);
    return ok;
}

static int run(struct invocation *call)
{
    struct buf text = BUF_INIT(OUTPUT_MAX);
    struct reading r = {0};
    struct finish f;
    struct err err = {0};
    bool ok = job_lookup_in_sink(call, &f, &err) && read_sink(&r, &f, &err);

    if (ok && call->options.json)
        failures_print_json(&r.failures, &r.scope, &text);
    else if (ok)
        failures_print(&r.failures, &r.scope, &text);
    if (ok)
        (void)fwrite(text.data, 1, text.len, stdout);
    failures_release(&r.failures);
    buf_release(&text);
    return ok ? EXIT_CODE_OK
              : verb_fail(call, &err,
                          err.kind == ERR_NO_JOB ? "`sheaf list` shows the jobs" : NULL);
}

const struct verb cmd_failures = {
    .name = "failures",
    .usage = "[JOB]",
    .summary = "group the rows that failed by cause, with what would help",
    .does =
        "Reads the failed rows of a job from its sink and groups them by cause: how many, three\n"
        "of them as examples, and what would help. While the job runs it speaks of what is merged\n"
        "and says how much is not.",
    .exits =
        "0 (also when nothing or everything failed), 5 no such job, 9 Redis or sink cannot be\n"
        "used",
    .example = "sheaf failures nightly --json",
    .groups = OPT_COMMON | OPT_READ,
    .max_args = 1,
    .run = run,
};
