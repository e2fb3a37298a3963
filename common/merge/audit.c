#include "common/merge/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/merge/compare.h"
#include "common/merge/fold.h"
#include "common/merge/inputs.h"
#include "common/merge/lineage.h"
#include "common/merge/publish.h"
#include "common/merge/requests.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define STEP_RECORDS 4096u

/* The files that rows are compared with: of the part, and OUTPUT's. NULL: none. */
struct auditor {
    struct sink *sink;
    struct audit audit;
    struct requests *requests; /* one for all parts: the index in the sink is not trusted */
    struct compare *out, *dead;
    struct compare *output, *errors;
    struct lineage *lineage; /* of the part */
    uint32_t end;            /* windows of a job that was resubmitted; 0: it was not */
    bool cancelled;
    bool done;
};

bool audit_passed(const struct audit *audit)
{
    return audit->missing.count == 0 && audit->differs.count == 0 && audit->extra == 0 &&
           audit->first[0] == '\0';
}

static bool on_row(void *arg, const struct fold_row *row, struct err *err)
{
    struct auditor *a = arg;
    struct audit_finding *missing = &a->audit.missing;
    struct compare *part = row->kind == ROW_OK ? a->out : a->dead;
    struct compare *copy = row->kind == ROW_OK ? a->output : a->errors;
    uint64_t line = row->request->line;

    a->audit.requests++;
    if (row->kind != ROW_HOLE)
        return compare_row(part, row->text, row->len, line, err) &&
               (copy == NULL || compare_row(copy, row->text, row->len, line, err));
    missing->count++;
    if (missing->line_count < AUDIT_EXAMPLES)
        missing->lines[missing->line_count++] = line;
    if (a->audit.first[0] == '\0')
        (void)snprintf(a->audit.first, sizeof(a->audit.first),
                       "nothing is known of the request in input line %" PRIu64, line);
    return true;
}

/* A file of the sink that may be missing. */
static bool open_part(struct auditor *a, const char *name, struct compare **out, struct err *err)
{
    bool exists;
    int fd = -1;

    if (!sink_exists(a->sink, name, &exists, err))
        return false;
    if (exists && (fd = sink_open_read(a->sink, name, err)) < 0)
        return false;
    *out = compare_new(fd, name, &a->audit);
    return true;
}

static bool open_path(struct auditor *a, const char *path, struct compare **out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno != ENOENT)
        return err_set(err, ERR_UNAVAILABLE, "cannot open %s: %s", path, strerror(errno));
    *out = compare_new(fd, path, &a->audit);
    return true;
}

static bool begin_part(struct auditor *a, uint32_t part, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    uint32_t generation = lineage_generation(a->lineage);

    return open_part(a, layout_out(name, part, generation), &a->out, err) &&
           open_part(a, layout_dead(name, part, generation), &a->dead, err);
}

static bool end_part(struct auditor *a, struct err *err)
{
    if (!compare_end(a->out, err) || !compare_end(a->dead, err))
        return false;
    a->audit.ok += compare_equal(a->out);
    a->audit.failed += compare_equal(a->dead);
    return true;
}

static void free_part(struct auditor *a)
{
    compare_free(a->out);
    compare_free(a->dead);
    a->out = NULL;
    a->dead = NULL;
}

static bool fold_part(struct auditor *a, uint32_t part, const struct inputs *inputs,
                      struct err *err)
{
    struct fold_plan plan = {.sink = a->sink,
                             .part = part,
                             .inputs = inputs,
                             .lineage = a->lineage,
                             .requests = a->requests,
                             .row = on_row,
                             .arg = a};
    struct fold *fold = fold_new(&plan);
    enum fold_result result;

    do
        result = fold_step(fold, STEP_RECORDS, err);
    while (result == FOLD_MORE);
    uint32_t windows = fold_windows(fold);
    fold_free(fold);
    if (result == FOLD_FAILED)
        return false;
    a->audit.windows += windows;
    a->done = windows < PART_WINDOWS;
    a->audit.parts += windows != 0;
    return true;
}

/* Windows of @part as a resubmission knew them; PART_WINDOWS where they go on or none did. */
static uint32_t windows_known(const struct auditor *a, uint32_t part)
{
    uint32_t first = part * PART_WINDOWS;

    if (a->end == 0 || a->end >= first + PART_WINDOWS)
        return PART_WINDOWS;
    return a->end > first ? a->end - first : 0;
}

/*
 * The inputs of @part, as far as its requests go: to the end of the input, and
 * not to where the merge stopped. Only a cancelled job ends before its input, and stays
 * as long when it is resubmitted.
 */
static bool choose_inputs(struct auditor *a, uint32_t part, struct inputs *inputs, bool *found,
                          struct err *err)
{
    uint32_t generation = lineage_generation(a->lineage);

    if (!inputs_load(a->sink, part, generation, inputs, found, err) ||
        (!*found && !inputs_list(a->sink, part, inputs, err)))
        return false;
    a->cancelled = a->cancelled || inputs->cancelled;
    if (!a->cancelled || !*found)
        inputs->windows = windows_known(a, part);
    return true;
}

static bool audit_part(struct auditor *a, uint32_t part, struct err *err)
{
    struct inputs inputs = {0};
    bool found = false;

    a->lineage = lineage_new(a->sink, part, GENERATION_ANY, err);
    bool ok = a->lineage != NULL && choose_inputs(a, part, &inputs, &found, err);

    if (ok && ((a->cancelled && !found) || windows_known(a, part) == 0)) {
        a->done = true;
    } else if (ok) {
        ok = begin_part(a, part, err) && fold_part(a, part, &inputs, err) && end_part(a, err);
        free_part(a);
    }
    lineage_free(a->lineage);
    a->lineage = NULL;
    inputs_release(&inputs);
    return ok;
}

/* An inline job's windows are what has a manifest: none may be missing between two. */
static bool on_manifest(const char *name, void *arg, struct err *err)
{
    uint64_t *next = arg;
    char expected[LAYOUT_NAME_MAX];

    layout_ids(expected, (uint32_t)*next);
    if (strcmp(expected + strlen(LAYOUT_IDS "/"), name) != 0)
        return err_set(err, ERR_PERMANENT, "%s is missing in the sink", expected);
    ++*next;
    return true;
}

static bool on_report(const char *name, void *arg, struct err *err)
{
    (void)name;
    (void)err;
    ++*(uint64_t *)arg;
    return true;
}

/* A part that was resubmitted has one of the first run, and one of its newest generation. */
static bool count_resubmitted(struct auditor *a, uint64_t *missing, struct err *err)
{
    struct generations *g = generations_load(a->sink, err);
    size_t count = 0;
    struct part_generation *parts = g == NULL ? NULL : generations_parts(g, &count);
    bool ok = g != NULL;

    for (size_t i = 0; ok && i < count; i++) {
        char name[LAYOUT_NAME_MAX];
        bool exists = true;

        ok = sink_exists(a->sink, layout_report(name, parts[i].part, parts[i].generation), &exists,
                         err);
        *missing += !exists;
    }
    free(parts);
    generations_free(g);
    return ok;
}

static bool check_reports(struct auditor *a, struct err *err)
{
    uint64_t reports = 0;
    uint64_t missing = 0;

    if (!sink_list(a->sink, LAYOUT_REP, on_report, &reports, err) ||
        !count_resubmitted(a, &missing, err))
        return false;
    reports -= missing < reports ? missing : reports;
    if (reports != a->audit.parts && a->audit.first[0] == '\0')
        (void)snprintf(a->audit.first, sizeof(a->audit.first),
                       "%" PRIu64 " parts are merged instead of %" PRIu32, reports, a->audit.parts);
    return true;
}

static bool open_output(struct auditor *a, const char *output, struct err *err)
{
    struct publish_paths paths;

    if (output == NULL)
        return true;
    return publish_paths(output, &paths, err) && open_path(a, paths.out, &a->output, err) &&
           open_path(a, paths.errors, &a->errors, err);
}

static bool close_output(struct auditor *a, struct err *err)
{
    return a->output == NULL || (compare_end(a->output, err) && compare_end(a->errors, err));
}

/* Where the job ends that was cancelled, or resubmitted since. */
static bool look_at_marks(struct auditor *a, struct err *err)
{
    struct generations *g = generations_load(a->sink, err);
    char name[LAYOUT_NAME_MAX];

    if (g == NULL)
        return false;
    a->end = generations_windows(g);
    layout_cancelled(name, generations_newest(g));
    generations_free(g);
    return sink_exists(a->sink, name, &a->cancelled, err);
}

bool audit_run(struct sink *sink, const struct job_spec *spec, const char *output,
               audit_progress_fn progress, void *arg, struct audit *out, struct err *err)
{
    struct auditor a = {.sink = sink};
    uint64_t windows = 0;
    bool ok = false;

    if (spec->inline_payload && !sink_list(sink, LAYOUT_IDS, on_manifest, &windows, err))
        goto out;
    if (!look_at_marks(&a, err) || !open_output(&a, output, err))
        goto out;
    a.requests = requests_new(sink, spec, 0, err);
    if (a.requests == NULL)
        goto out;
    for (uint32_t part = 0; !a.done; part++) {
        if (!audit_part(&a, part, err))
            goto out;
        if (progress != NULL)
            progress(&a.audit, arg);
    }
    if (!close_output(&a, err) || !check_reports(&a, err))
        goto out;
    *out = a.audit;
    ok = true;
out:
    free_part(&a);
    compare_free(a.output);
    compare_free(a.errors);
    requests_free(a.requests);
    return ok;
}
