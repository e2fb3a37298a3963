#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/units.h"
#include "common/json/scan.h"
#include "common/merge/report.h"
#include "common/merge/report_cost.h"

#define TIME_TEXT 32

/* UTC, as RFC 3339 writes it; false for an unknown time. */
static bool format_time(int64_t unix_ms, char out[TIME_TEXT])
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm tm;

    if (unix_ms <= 0 || gmtime_r(&seconds, &tm) == NULL)
        return false;
    return strftime(out, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm) != 0;
}

static bool put_text(struct buf *out, const char *name, const char *text)
{
    return buf_printf(out, "  \"%s\": ", name) && json_string_encode(out, text, strlen(text)) &&
           buf_printf(out, ",\n");
}

static bool put_number(struct buf *out, const char *name, uint64_t n)
{
    return buf_printf(out, "  \"%s\": %" PRIu64 ",\n", name, n);
}

static bool put_time(struct buf *out, const char *name, int64_t unix_ms)
{
    char text[TIME_TEXT];

    if (format_time(unix_ms, text))
        return put_text(out, name, text);
    return buf_printf(out, "  \"%s\": null,\n", name);
}

static bool put_tokens(struct buf *out, const char *name, const struct usage *t)
{
    return buf_printf(out,
                      "  \"%s\": {\"prompt\": %" PRIu64 ", \"completion\": %" PRIu64
                      ", \"cached\": %" PRIu64 ", \"reasoning\": %" PRIu64 "},\n",
                      name, t->prompt, t->completion, t->cached, t->reasoning);
}

static bool put_codes(struct buf *out, const struct report *report)
{
    bool ok = buf_printf(out, "  \"codes\": {");

    for (size_t i = 0; ok && i < report->code_count; i++)
        ok = buf_printf(out, i == 0 ? "\n    " : ",\n    ") &&
             json_string_encode(out, report->codes[i].code, strlen(report->codes[i].code)) &&
             buf_printf(out, ": %" PRIu64, report->codes[i].count);
    return ok && buf_printf(out, report->code_count == 0 ? "},\n" : "\n  },\n");
}

static bool put_file(struct buf *out, const char *name, const char *path,
                     const struct report_file *file, const char *end)
{
    return buf_printf(out, "    \"%s\": {\"path\": ", name) &&
           (path == NULL ? buf_printf(out, "null") : json_string_encode(out, path, strlen(path))) &&
           buf_printf(out, ", \"bytes\": %" PRIu64 ", \"sha256\": ", file->bytes) &&
           (file->sha256[0] == '\0' ? buf_printf(out, "null")
                                    : buf_printf(out, "\"%s\"", file->sha256)) &&
           buf_printf(out, "}%s\n", end);
}

static bool put_job(struct buf *out, const struct job_spec *spec, const struct report_times *times)
{
    return buf_printf(out, "{\n  \"schema\": %d,\n", REPORT_SCHEMA) &&
           put_text(out, "job", spec->job) && put_text(out, "ji", spec->ji) &&
           put_text(out, "note", spec->note) && put_text(out, "provider", spec->provider) &&
           put_text(out, "base_url", spec->base_url) &&
           put_time(out, "created", times->created_ms) &&
           put_time(out, "finished", times->finished_ms);
}

static bool put_files(struct buf *out, const struct report *report,
                      const struct report_paths *paths)
{
    if (!buf_printf(out, "  \"files\": {\n") ||
        !put_file(out, "output", paths->out, &report->out, ",") ||
        !put_file(out, "errors", paths->dead, &report->dead, paths->replaces != NULL ? "," : ""))
        return false;
    if (paths->replaces != NULL && !put_file(out, "replaces", paths->out, paths->replaces, ""))
        return false;
    return buf_printf(out, "  }\n}\n");
}

static bool put_trail(struct buf *out, const char *trail)
{
    return buf_append(out, trail == NULL ? "null" : trail, trail == NULL ? 4 : strlen(trail)) &&
           buf_printf(out, ",\n");
}

bool report_write_json(const struct report *report, const struct job_spec *spec,
                       const struct report_times *times, const struct report_paths *paths,
                       struct buf *out)
{
    return put_job(out, spec, times) && put_number(out, "generation", report->generation) &&
           put_number(out, "requests", report->requests) && put_number(out, "ok", report->ok) &&
           put_number(out, "failed", report->failed) &&
           put_number(out, "invalid", report->invalid) && put_codes(out, report) &&
           put_number(out, "attempts", report->attempts) &&
           put_number(out, "duplicates", report->duplicates) &&
           put_number(out, "paid_twice", report->paid_twice) &&
           put_number(out, "superseded", report->superseded) &&
           put_number(out, "remote_batches", report->batch_count) &&
           put_tokens(out, "tokens", &report->tokens) &&
           put_tokens(out, "wasted_tokens", &report->wasted) && buf_printf(out, "  \"cost\": ") &&
           report_put_cost_json(out, report, spec, times->prices) &&
           buf_printf(out, ",\n  \"trail\": ") && put_trail(out, paths->trail) &&
           put_files(out, report, paths);
}

/* "99.9%", rounded down. */
static bool put_share(struct buf *out, const char *name, uint64_t n, uint64_t total)
{
    uint64_t tenths = total == 0 ? 0 : n * 1000 / total;

    return buf_printf(out, "%-16s %" PRIu64, name, n) &&
           (total == 0 ||
            buf_printf(out, " (%" PRIu64 ".%" PRIu64 "%%)", tenths / 10, tenths % 10)) &&
           buf_printf(out, "\n");
}

static bool put_line(struct buf *out, const char *name, const char *text)
{
    return text[0] == '\0' || buf_printf(out, "%-16s %s\n", name, text);
}

static bool put_duration(struct buf *out, const struct report_times *times)
{
    char took[UNITS_TEXT_MAX];
    char at[TIME_TEXT];

    if (!format_time(times->finished_ms, at))
        return true;
    if (!put_line(out, "finished", at))
        return false;
    if (times->created_ms <= 0 || times->finished_ms < times->created_ms)
        return true;
    return put_line(out, "took",
                    units_format_duration(times->finished_ms - times->created_ms, took));
}

static bool put_sums(struct buf *out, const struct report *report)
{
    const struct usage *t = &report->tokens;
    const struct usage *w = &report->wasted;

    return buf_printf(out, "%-16s %" PRIu64 "\n", "remote batches", report->batch_count) &&
           buf_printf(out, "%-16s %" PRIu64 "\n", "attempts", report->attempts) &&
           (report->duplicates == 0 ||
            buf_printf(out, "%-16s %" PRIu64 "\n", "duplicates", report->duplicates)) &&
           (report->paid_twice == 0 ||
            buf_printf(out, "%-16s %" PRIu64 "\n", "paid twice", report->paid_twice)) &&
           buf_printf(out, "%-16s %" PRIu64 " prompt, %" PRIu64 " completion\n", "tokens",
                      t->prompt, t->completion) &&
           (w->prompt + w->completion == 0 ||
            buf_printf(out, "%-16s %" PRIu64 " prompt, %" PRIu64 " completion\n", "wasted tokens",
                       w->prompt, w->completion));
}

bool report_write_text(const struct report *report, const struct job_spec *spec,
                       const struct report_times *times, struct buf *out)
{
    bool ok = put_line(out, "job", spec->job) && put_line(out, "note", spec->note) &&
              put_line(out, "provider", spec->provider) && put_duration(out, times) &&
              (report->generation == 0 ||
               buf_printf(out, "%-16s %" PRIu32 "\n", "resubmissions", report->generation)) &&
              buf_printf(out, "%-16s %" PRIu64 "\n", "requests", report->requests) &&
              put_share(out, "ok", report->ok, report->requests) &&
              put_share(out, "failed", report->failed, report->requests);

    for (size_t i = 0; ok && i < report->code_count && i < 10; i++)
        ok =
            buf_printf(out, "  %-24s %" PRIu64 "\n", report->codes[i].code, report->codes[i].count);
    if (ok && report->code_count > 10)
        ok = buf_printf(out, "  and %zu more codes\n", report->code_count - 10);
    return ok && put_sums(out, report) && report_put_cost_text(out, report, spec, times->prices);
}
