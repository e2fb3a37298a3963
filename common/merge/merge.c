#include "common/merge/merge.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "common/base/xmem.h"
#include "common/merge/fold.h"
#include "common/merge/inputs.h"
#include "common/merge/report.h"
#include "common/merge/requests.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define REPORT_MAX_BYTES (16u << 20)
#define RUN_RECORDS      4096u

/* What comes next. Publishing is one file a step, in this order. */
enum stage { STAGE_BEGIN, STAGE_FOLD, STAGE_FREEZE, STAGE_OUT, STAGE_DEAD, STAGE_REP, STAGE_END };

/* One of the two files that a part becomes. */
struct half {
    struct sink_writer *writer;
    struct sha256 *sha;
    struct report_file file;
};

struct merge {
    struct sink *sink;
    const struct job_spec *spec;
    uint32_t part, windows;
    bool cancelled;
    enum stage stage;
    struct inputs inputs;
    bool frozen; /* @inputs is the published list */
    struct requests *requests;
    struct fold *fold;
    struct half out, dead;
    struct merge_hole *holes;
    size_t hole_count;
};

struct merge *merge_new(struct sink *sink, const struct job_spec *spec, uint32_t part,
                        uint32_t windows, bool cancelled)
{
    struct merge *m = xcalloc(1, sizeof(*m));

    m->sink = sink;
    m->spec = spec;
    m->part = part;
    m->windows = windows;
    m->cancelled = cancelled;
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
    inputs_release(&m->inputs);
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

static void note_hole(struct merge *m, const struct request *request)
{
    uint32_t window = ordinal_window(request->ordinal);
    struct merge_hole *hole = m->hole_count == 0 ? NULL : &m->holes[m->hole_count - 1];
    uint32_t line = ordinal_line(request->ordinal);

    if (hole == NULL || hole->window != window) {
        m->holes = xrealloc(m->holes, m->hole_count + 1, sizeof(*m->holes));
        hole = &m->holes[m->hole_count++];
        *hole = (struct merge_hole){.window = window, .lines = request->lines};
        for (uint32_t i = 0; i < request->lines; i++)
            mask_set(hole->mask, i);
    }
    hole->mask[line >> 3] = (uint8_t)(hole->mask[line >> 3] & ~(1u << (line & 7)));
    hole->left++;
}

static bool on_row(void *arg, enum row_kind kind, const struct request *request, const char *row,
                   size_t len, struct err *err)
{
    struct merge *m = arg;
    struct half *half = kind == ROW_OK ? &m->out : &m->dead;

    if (kind == ROW_HOLE)
        note_hole(m, request);
    if (m->hole_count != 0)
        return true; /* nothing will be published */
    sha256_update(half->sha, row, len);
    half->file.bytes += len;
    return sink_write(half->writer, row, len, err);
}

static bool half_begin(struct merge *m, struct half *half, const char *name, struct err *err)
{
    half->sha = sha256_new();
    half->writer = sink_begin(m->sink, name, err);
    return half->writer != NULL;
}

static bool choose_inputs(struct merge *m, struct err *err)
{
    if (!inputs_load(m->sink, m->part, &m->inputs, &m->frozen, err))
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

static bool begin(struct merge *m, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool merged;

    if (!sink_exists(m->sink, layout_report(name, m->part), &merged, err))
        return false;
    if (merged) {
        m->stage = STAGE_END;
        return true;
    }
    if (!choose_inputs(m, err) || !half_begin(m, &m->out, layout_out(name, m->part), err) ||
        !half_begin(m, &m->dead, layout_dead(name, m->part), err))
        return false;
    m->requests = requests_new(m->sink, m->spec, m->part, err);
    if (m->requests == NULL)
        return false;
    m->fold = fold_new(m->sink, m->part, &m->inputs, m->requests, true, on_row, m);
    m->stage = STAGE_FOLD;
    return true;
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
    return true;
}

static bool freeze(struct merge *m, struct err *err)
{
    bool same = true;

    if (!m->frozen && !inputs_publish(m->sink, m->part, &m->inputs, &same, err))
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

static bool publish_report(struct merge *m, struct err *err)
{
    struct report *report = fold_report(m->fold);
    struct buf doc = BUF_INIT(REPORT_MAX_BYTES);
    bool ok = false;

    report->out = m->out.file;
    report->dead = m->dead.file;
    if (report_write_part(report, &doc)) {
        char name[LAYOUT_NAME_MAX];

        ok = sink_publish(m->sink, layout_report(name, m->part), doc.data, doc.len, NULL, err);
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
