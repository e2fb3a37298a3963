#include <stdio.h>
#include <string.h>

#include "cli/core/failures.h"
#include "cli/job_lookup.h"
#include "cli/person.h"
#include "cli/recipe_rounds.h"
#include "cli/verb.h"
#include "common/json/result_line.h"
#include "common/json/scan.h"
#include "common/merge/dead_rows.h"
#include "common/sink/generation.h"
#include "common/sink/sink.h"

#define OUTPUT_MAX (4u << 20)

struct reading {
    struct failures failures;
    struct failures_scope scope;
};

static void take_sample(struct failure_sample *sample, const struct dead_row *row,
                        const char *message)
{
    static const char *const names[] = {"custom_id"};
    struct json_value id = {0};
    char text[sizeof(sample->id)];

    if (row->too_long || !json_scan_object(row->text, row->len, names, 1, &id, NULL))
        id.kind = JSON_ABSENT;
    bool has_id = id.kind == JSON_STRING;
    if (has_id)
        (void)json_string_decode_cut(&id, text, sizeof(text));
    failure_sample_fill(sample, row->window, has_id ? text : NULL, message);
}

static void take_row(struct failures *f, const struct dead_row *row)
{
    struct result_line line;
    struct failure failure = {.code = "row_too_long", .message = "", .time_ms = row->time_ms};

    if (!row->too_long && !result_line_parse(row->text, row->len, &line, NULL))
        failure.code = "row_not_readable";
    else if (!row->too_long)
        failure = (struct failure){line.status_code, line.code, line.message, row->time_ms};
    struct failure_sample *sample = failures_add(f, &failure);
    if (sample != NULL)
        take_sample(sample, row, failure.message);
}

static bool read_rows(struct reading *r, struct dead_rows *rows, struct err *err)
{
    struct dead_row row;

    for (;;) {
        switch (dead_rows_next(rows, &row, err)) {
        case DEAD_ROW: take_row(&r->failures, &row); break;
        case DEAD_END: return true;
        case DEAD_FAILED: return false;
        }
    }
}

static bool read_sink(struct reading *r, const struct finish *f, struct err *err)
{
    struct sink *sink = sink_open(f->spec.sink, f->spec.job, f->spec.ji, false, err);
    struct dead_rows *rows = sink != NULL ? dead_rows_new(sink, GENERATION_ANY, err) : NULL;
    bool ok = rows != NULL && read_rows(r, rows, err);

    r->scope.job = f->spec.job;
    r->scope.ended = f->state == JOB_FINAL;
    if (ok) {
        const struct dead_scope *scope = dead_rows_scope(rows);

        r->scope.parts = scope->parts;
        r->scope.rows = scope->rows;
        r->scope.not_merged = f->requests >= scope->rows && f->requests > 0
                                  ? (int64_t)(f->requests - scope->rows)
                                  : -1;
        failures_sort(&r->failures);
    }
    dead_rows_free(rows);
    sink_close(sink);
    return ok;
}

/* What the provider answered is no failure here, whatever a recipe thinks of it. */
static void tell_of_answers(const struct invocation *call, const struct finish *f)
{
    char job[JOB_NAME_MAX + 1];
    bool has_recipe = false;

    if (call->options.json || !recipe_rounds_is_one(&f->spec, &has_recipe, NULL) || !has_recipe)
        return;
    (void)job_round_parse(f->spec.job, job);
    person_tell(call, "answers that were not valid are in `sheaf report %s`", job);
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
    if (ok) {
        (void)fwrite(text.data, 1, text.len, stdout);
        tell_of_answers(call, &f);
    }
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
        "Reads the failed rows of a job from its sink and groups them by cause: how many, when\n"
        "first and last, three of them as examples, and what would help. While the job runs it\n"
        "speaks of what is merged and says how much is not.",
    .exits =
        "0 (also when nothing or everything failed), 5 no such job, 9 Redis or sink cannot be\n"
        "used",
    .example = "sheaf failures nightly --json",
    .groups = OPT_COMMON | OPT_READ,
    .max_args = 1,
    .run = run,
};
