#include "common/merge/merge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "common/base/xmem.h"
#include "common/merge/fold.h"
#include "common/merge/inputs.h"
#include "common/merge/lineage.h"
#include "common/merge/report.h"
#include "common/merge/requests.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define REPORT_MAX_BYTES (16u << 20)
#define RUN_RECORDS      4096u

/* What comes next. Publishing is one file a step, in this order. */
enum stage {
    STAGE_BEGIN,
    STAGE_FOLD,
    STAGE_FREEZE,
    STAGE_OUT,
    STAGE_DEAD,
    STAGE_BAD,
    STAGE_REP,
    STAGE_END
};

/* One of the two files that a part becomes. */
struct half {
    struct sink_writer *writer;
    struct sha256 *sha;
    struct report_file file;
};

/* Which rows failed, and when: bad/. */
struct failed {
    struct rowset_writer *writer;
    struct rowset_window window; /* not written yet; @left 0: none */
    int64_t times[ORDINAL_LINES];
};

struct merge {
    struct sink *sink;
    const struct job_spec *spec;
    uint32_t part, windows;
    bool cancelled;
    uint32_t wanted; /* generation that the sink must have */
    uint32_t resubmits;
    enum stage stage;
    struct lineage *lineage;
    uint32_t generation; /* of @lineage */
    struct inputs inputs;
    bool frozen; /* @inputs is the published list */
    struct requests *requests;
    struct fold *fold;
    struct half out, dead;
    struct failed failed;
    struct merge_hole *holes;
    size_t hole_count;
};

struct merge *merge_new(struct sink *sink, const struct job_spec *spec,
                        const struct merge_plan *plan)
{
    struct merge *m = xcalloc(1, sizeof(*m));

    m->sink = sink;
    m->spec = spec;
    m->part = plan->part;
    m->windows = plan->windows;
    m->cancelled = plan->cancelled;
    m->wanted = plan->generation;
    return m;
}

static void half_release(struct half *half)
{
    sink_abort(half->writer);
    sha256_free(half->sha);
    *half = (struct half){0};
}

/* Back to the beginning, with the inputs that are published. */
static void reset(struct merge *m)
{
    fold_free(m->fold);
    requests_free(m->requests);
    m->fold = NULL;
    m->requests = NULL;
    half_release(&m->out);
    half_release(&m->dead);
    rowset_abort(m->failed.writer);
    m->failed.writer = NULL;
    m->failed.window.left = 0;
    inputs_release(&m->inputs);
    lineage_free(m->lineage);
    m->lineage = NULL;
    m->frozen = false;
    m->stage = STAGE_BEGIN;
}

void merge_free(struct merge *m)
{
    if (m == NULL)
        return;
    reset(m);
    free(m->holes);
    free(m);
}

const struct merge_hole *merge_holes(const struct merge *m, size_t *count)
{
    *count = m->hole_count;
    return m->holes;
}

uint32_t merge_resubmits(const struct merge *m)
{
    return m->resubmits;
}

static void note_hole(struct merge *m, const struct request *request)
{
    uint32_t window = ordinal_window(request->ordinal);
    struct merge_hole *hole = m->hole_count == 0 ? NULL : &m->holes[m->hole_count - 1];
    uint32_t line = ordinal_line(request->ordinal);

    if (hole == NULL || hole->window != window) {
        m->holes = xrealloc(m->holes, m->hole_count + 1, sizeof(*m->holes));
        hole = &m->holes[m->hole_count++];
        *hole = (struct merge_hole){.window = window, .lines = request->lines, .crc = request->crc};
        for (uint32_t i = 0; i < request->lines; i++)
            mask_set(hole->mask, i);
    }
    hole->mask[line >> 3] = (uint8_t)(hole->mask[line >> 3] & ~(1u << (line & 7)));
    hole->left++;
}

static bool flush_failed(struct failed *f, struct err *err)
{
    bool ok = f->window.left == 0 || rowset_add(f->writer, &f->window, err);

    f->window.left = 0;
    return ok;
}

static bool note_failed(struct failed *f, const struct fold_row *row, struct err *err)
{
    uint32_t window = ordinal_window(row->request->ordinal);
    uint32_t line = ordinal_line(row->request->ordinal);

    if (f->window.left != 0 && f->window.window != window && !flush_failed(f, err))
        return false;
    if (f->window.left == 0) {
        f->window = (struct rowset_window){.window = window,
                                           .lines = row->request->lines,
                                           .crc = row->request->crc,
                                           .times = f->times};
        memset(f->window.mask, 0xff, sizeof(f->window.mask));
    }
    f->window.mask[line >> 3] = (uint8_t)(f->window.mask[line >> 3] & ~(1u << (line & 7)));
    f->times[f->window.left++] = row->time_ms;
    return true;
}

static bool on_row(void *arg, const struct fold_row *row, struct err *err)
{
    struct merge *m = arg;
    struct half *half = row->kind == ROW_OK ? &m->out : &m->dead;

    if (row->kind == ROW_HOLE)
        note_hole(m, row->request);
    if (m->hole_count != 0)
        return true; /* nothing will be published */
    sha256_update(half->sha, row->text, row->len);
    half->file.bytes += row->len;
    return sink_write(half->writer, row->text, row->len, err) &&
           (row->kind == ROW_OK || note_failed(&m->failed, row, err));
}

static bool half_begin(struct merge *m, struct half *half, const char *name, struct err *err)
{
    half->sha = sha256_new();
    half->writer = sink_begin(m->sink, name, err);
    return half->writer != NULL;
}

static bool choose_inputs(struct merge *m, struct err *err)
{
    if (!inputs_load(m->sink, m->part, m->generation, &m->inputs, &m->frozen, err))
        return false;
    if (m->frozen) {
        if (m->inputs.windows == m->windows)
            return true;
        return err_set(err, ERR_INTERNAL,
                       "part %" PRIu32 " was merged with %" PRIu32 " windows, not %" PRIu32,
                       m->part, m->inputs.windows, m->windows);
    }
    if (!inputs_list(m->sink, m->part, &m->inputs, err))
        return false;
    m->inputs.windows = m->windows;
    m->inputs.cancelled = m->cancelled;
    return true;
}

/* A folder that is shared may show a new file late, and Redis is faster. */
static bool sees_generation(const struct merge *m, struct err *err)
{
    uint32_t newest = 0;

    if (m->wanted == 0)
        return true;
    if (!generations_find_newest(m->sink, &newest, err))
        return false;
    return newest >= m->wanted ||
           err_set(err, ERR_UNAVAILABLE, "%s: resubmission %" PRIu32 " of the job is not there",
                   sink_path(m->sink), m->wanted);
}

/* Nothing has come since the resubmission: no need to read the part to know its holes. */
static bool is_untouched(const struct merge *m)
{
    if (m->generation == 0 || m->frozen || m->cancelled)
        return false;
    for (size_t i = 0; i < m->inputs.count; i++) {
        if (lineage_of_file(m->lineage, m->inputs.names[i]) == m->generation)
            return false;
    }
    return true;
}

static bool list_resubmitted(struct merge *m, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct rowset *set = rowset_open(m->sink, layout_generation(name, m->generation), err);
    struct rowset_window w;
    bool ok = set != NULL && rowset_read_part(set, m->part, err);

    while (ok && rowset_next(set, &w)) {
        m->holes = xrealloc(m->holes, m->hole_count + 1, sizeof(*m->holes));
        struct merge_hole *hole = &m->holes[m->hole_count++];
        *hole =
            (struct merge_hole){.window = w.window, .lines = w.lines, .left = w.left, .crc = w.crc};
        memcpy(hole->mask, w.mask, sizeof(hole->mask));
    }
    rowset_free(set);
    m->resubmits = m->generation;
    m->stage = STAGE_FREEZE;
    return ok;
}

static bool begin_writing(struct merge *m, struct err *err)
{
    char name[LAYOUT_NAME_MAX];

    if (!half_begin(m, &m->out, layout_out(name, m->part, m->generation), err) ||
        !half_begin(m, &m->dead, layout_dead(name, m->part, m->generation), err))
        return false;
    m->failed.writer = rowset_begin(m->sink, layout_bad(name, m->part, m->generation), true,
                                    m->part * PART_WINDOWS + m->windows, err);
    return m->failed.writer != NULL;
}

static bool begin_fold(struct merge *m, struct err *err)
{
    m->requests = requests_new(m->sink, m->spec, m->part, err);
    if (m->requests == NULL)
        return false;
    struct fold_plan plan = {.sink = m->sink,
                             .part = m->part,
                             .inputs = &m->inputs,
                             .lineage = m->lineage,
                             .requests = m->requests,
                             .exact = true,
                             .row = on_row,
                             .arg = m};
    m->fold = fold_new(&plan);
    m->stage = STAGE_FOLD;
    return true;
}

static bool begin(struct merge *m, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool merged;

    if (!sees_generation(m, err))
        return false;
    m->lineage = lineage_new(m->sink, m->part, GENERATION_ANY, err);
    if (m->lineage == NULL)
        return false;
    m->generation = lineage_generation(m->lineage);
    if (!sink_exists(m->sink, layout_report(name, m->part, m->generation), &merged, err))
        return false;
    if (merged) {
        m->stage = STAGE_END;
        return true;
    }
    if (!choose_inputs(m, err))
        return false;
    if (is_untouched(m))
        return list_resubmitted(m, err);
    return begin_writing(m, err) && begin_fold(m, err);
}

static bool fold_on(struct merge *m, uint32_t max_records, struct err *err)
{
    switch (fold_step(m->fold, max_records, err)) {
    case FOLD_MORE: return true;
    case FOLD_FAILED: return false;
    case FOLD_END: break;
    }
    if (m->hole_count != 0 && m->frozen)
        return err_set(err, ERR_PERMANENT,
                       "part %" PRIu32 " is being published and %s no longer has all its results",
                       m->part, sink_path(m->sink));
    m->stage = STAGE_FREEZE;
    return m->hole_count != 0 || flush_failed(&m->failed, err);
}

static bool freeze(struct merge *m, struct err *err)
{
    bool same = true;

    if (!m->frozen && !inputs_publish(m->sink, m->part, m->generation, &m->inputs, &same, err))
        return false;
    FAILPOINT("merge.frozen");
    if (same)
        m->stage = STAGE_OUT;
    else
        reset(m); /* another merge was first and saw other files: do as it did */
    return true;
}

static bool commit(struct half *half, struct err *err)
{
    struct sink_writer *writer = half->writer;

    half->writer = NULL;
    sha256_finish(half->sha, half->file.sha256);
    return sink_commit(writer, NULL, err);
}

static bool commit_failed(struct merge *m, struct err *err)
{
    struct rowset_writer *writer = m->failed.writer;

    m->failed.writer = NULL;
    return rowset_commit(writer, NULL, NULL, err);
}

static bool publish_report(struct merge *m, struct err *err)
{
    struct report *report = fold_report(m->fold);
    struct buf doc = BUF_INIT(REPORT_MAX_BYTES);
    bool ok = false;

    report->out = m->out.file;
    report->dead = m->dead.file;
    if (report_write_part(report, &doc)) {
        char name[LAYOUT_NAME_MAX];

        ok = sink_publish(m->sink, layout_report(name, m->part, m->generation), doc.data, doc.len,
                          NULL, err);
    } else {
        err_set(err, ERR_INTERNAL, "the report of part %" PRIu32 " is too long", m->part);
    }
    buf_release(&doc);
    return ok;
}

static bool step(struct merge *m, uint32_t max_records, struct err *err)
{
    bool ok = true;

    switch (m->stage) {
    case STAGE_BEGIN: return begin(m, err);
    case STAGE_FOLD: return fold_on(m, max_records, err);
    case STAGE_FREEZE: return freeze(m, err);
    case STAGE_OUT:
        ok = commit(&m->out, err);
        FAILPOINT("merge.out");
        m->stage = STAGE_DEAD;
        break;
    case STAGE_DEAD:
        ok = commit(&m->dead, err);
        FAILPOINT("merge.dead");
        m->stage = STAGE_BAD;
        break;
    case STAGE_BAD:
        ok = commit_failed(m, err);
        FAILPOINT("merge.bad");
        m->stage = STAGE_REP;
        break;
    case STAGE_REP:
        ok = publish_report(m, err);
        m->stage = STAGE_END;
        break;
    case STAGE_END: break;
    }
    return ok;
}

enum merge_result merge_step(struct merge *m, uint32_t max_records, struct err *err)
{
    if (!step(m, max_records, err))
        return MERGE_FAILED;
    if (m->stage == STAGE_END)
        return MERGE_DONE;
    return m->hole_count != 0 && m->stage == STAGE_FREEZE ? MERGE_HOLES : MERGE_MORE;
}

enum merge_result merge_run(struct merge *m, struct err *err)
{
    enum merge_result result;

    do
        result = merge_step(m, RUN_RECORDS, err);
    while (result == MERGE_MORE);
    return result;
}
