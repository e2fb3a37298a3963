#include "common/merge/publish.h"

#include <inttypes.h>

#include "common/merge/publish_file.h"
#include "common/merge/publish_set.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"

#define REPORT_MAX_BYTES (16u << 20)
#define TRAIL_MAX        100 /* the newest entries */

/* Where all of it comes from. */
struct origin {
    struct sink *sink;
    const struct job_spec *spec;
    const struct report_times *times;
    struct generations *generations;
    uint32_t parts;
};

typedef const char *(*layout_fn)(char out[LAYOUT_NAME_MAX], uint32_t part, uint32_t generation);

/* One file from the parts' files; @expected bytes, as the parts' reports say. */
static bool assemble(struct publish_file *f, const struct origin *from, layout_fn layout,
                     struct report_file *file, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    uint64_t expected = file->bytes;

    for (uint32_t part = 0; part < from->parts; part++) {
        uint32_t generation = generations_of_part(from->generations, part, GENERATION_ANY);

        if (!publish_file_copy(f, from->sink, layout(name, part, generation), err))
            return false;
    }
    if (!publish_file_finish(f, file, err))
        return false;
    if (file->bytes == expected)
        return true;
    return err_set(err, ERR_PERMANENT,
                   "%s: the merged parts have %" PRIu64 " bytes instead of %" PRIu64,
                   sink_path(from->sink), file->bytes, expected);
}

/* The job's report, which @paths completes. The caller releases @doc. */
static bool put_report(const struct origin *from, struct report_paths *paths,
                       const struct report *report, struct buf *doc, struct err *err)
{
    struct buf trail = BUF_INIT(REPORT_MAX_BYTES / 2);

    /* It is for people, and no reason to have no results. */
    if (sink_trail_put_json(from->sink, TRAIL_MAX, &trail, NULL))
        paths->trail = trail.data;
    bool ok = report_write_json(report, from->spec, from->times, paths, doc);
    buf_release(&trail);
    return ok || err_set(err, ERR_INTERNAL, "the job's report is too long");
}

static bool write_set(struct publish_set *set, const struct origin *from, struct report *report,
                      struct err *err)
{
    const struct publish_paths *paths = publish_set_paths(set);
    struct buf doc = BUF_INIT(REPORT_MAX_BYTES);
    struct report_paths named = {
        .out = paths->out, .dead = paths->errors, .replaces = publish_set_replaces(set)};
    bool ok = publish_set_begin(set, err) &&
              assemble(publish_set_errors(set), from, layout_dead, &report->dead, err) &&
              assemble(publish_set_out(set), from, layout_out, &report->out, err) &&
              put_report(from, &named, report, &doc, err) &&
              publish_set_name(set, &report->dead, doc.data, doc.len, err);

    buf_release(&doc);
    return ok;
}

/* What is there already is the whole of @report: its files' hashes are filled in. */
static bool adopt(struct publish_set *set, struct report *report, bool *adopted, struct err *err)
{
    const struct publish_known *known;

    if (!publish_set_known(set, &known, err))
        return false;
    *adopted = known != NULL && known->generation == report->generation &&
               known->out.bytes == report->out.bytes && known->errors.bytes == report->dead.bytes;
    if (*adopted) {
        report->out = known->out;
        report->dead = known->errors;
    }
    return true;
}

bool publish_output(struct sink *sink, const struct job_spec *spec, uint32_t parts,
                    const char *output, bool overwrite, const struct report_times *times,
                    struct report *report, bool *adopted, struct err *err)
{
    struct report total = {0};
    struct origin from = {.sink = sink, .spec = spec, .times = times, .parts = parts};
    struct publish_set *set = NULL;
    bool there = false;
    bool ok = false;

    from.generations = generations_load(sink, err);
    if (from.generations == NULL)
        goto out;
    set = publish_set_new(output, spec, overwrite, err);
    if (set == NULL || !report_collect(sink, parts, &total, err) ||
        !adopt(set, &total, &there, err) || (!there && !write_set(set, &from, &total, err)))
        goto out;
    *report = total;
    total = (struct report){0};
    if (adopted != NULL)
        *adopted = there;
    ok = true;
out:
    publish_set_free(set);
    generations_free(from.generations);
    report_release(&total);
    return ok;
}
