#include "common/merge/resubmit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/failpoint.h"
#include "common/base/xmem.h"
#include "common/input/shard_plan.h"
#include "common/json/result_line.h"
#include "common/merge/dead_rows.h"
#include "common/merge/report.h"
#include "common/merge/windows.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

struct resubmit {
    struct sink *sink;
    const struct job_spec *spec;
    uint32_t number; /* that it becomes, or that is under way */
    resubmit_wants_fn wants;
    void *arg;
    struct resubmit_counts counts;
    struct rowset_writer *writer;
    struct rowset_window window; /* not added yet; @left 0: none */
    struct windows *windows;     /* where the lines are read again, of @part and behind */
    uint32_t part;
    bool changed; /* the input is another one by now */
};

/* ---- how the job stands */

static bool all_merged(struct sink *sink, const struct generations *g, bool *merged,
                       struct err *err)
{
    size_t count;
    struct part_generation *parts = generations_parts(g, &count);
    bool ok = true;

    *merged = true;
    for (size_t i = 0; ok && *merged && i < count; i++) {
        char name[LAYOUT_NAME_MAX];

        ok =
            sink_exists(sink, layout_report(name, parts[i].part, parts[i].generation), merged, err);
    }
    free(parts);
    return ok;
}

bool resubmit_look(struct sink *sink, struct resubmit_state *out, struct err *err)
{
    struct generations *g = generations_load(sink, err);
    struct resubmit_state state = {0};
    bool merged = true;
    bool ok = g != NULL;

    if (ok)
        state.newest = generations_newest(g);
    if (ok && state.newest > 0) {
        state.rows = generations_totals(g, state.newest)->rows;
        ok = all_merged(sink, g, &merged, err);
        state.under_way = !merged;
    }
    if (ok)
        *out = state;
    generations_free(g);
    return ok;
}

/* ---- what is sent again */

static struct resubmit_lane *lane_of(struct resubmit_counts *c, const struct shard *shard)
{
    for (size_t i = c->lane_count; i-- > 0;) {
        if (strcmp(c->lanes[i].lane, shard->lane) == 0)
            return &c->lanes[i];
    }
    c->lanes = xrealloc(c->lanes, c->lane_count + 1, sizeof(*c->lanes));
    struct resubmit_lane *lane = &c->lanes[c->lane_count++];
    *lane = (struct resubmit_lane){0};
    memcpy(lane->lane, shard->lane, sizeof(lane->lane));
    memcpy(lane->label, shard->label, sizeof(lane->label));
    memcpy(lane->model, shard->model, sizeof(lane->model));
    return lane;
}

static void count_window(struct resubmit *r, const struct window *window)
{
    struct shard_plan plan;

    shard_plan_make(&plan, r->spec, window, r->window.mask);
    for (size_t i = 0; i < plan.count; i++) {
        const struct shard *shard = &plan.shards[i];

        if (shard->left == 0)
            continue;
        struct resubmit_lane *lane = lane_of(&r->counts, shard);
        lane->requests += shard->left;
        lane->bytes += shard->bytes;
        lane->tokens += shard->tokens;
    }
    shard_plan_release(&plan);
}

/* Lanes are nice to know: an input that is on another host is no reason to send nothing. */
static bool read_window(struct resubmit *r, struct err *err)
{
    uint32_t part = r->window.window / PART_WINDOWS;
    struct window window;
    bool found = false;

    if (r->windows == NULL || r->part != part) {
        windows_free(r->windows);
        r->part = part;
        r->windows = windows_new(r->sink, r->spec, part, err);
    }
    while (r->windows != NULL && !found) {
        if (!windows_step(r->windows, r->window.window, &window, &found, err))
            return false;
    }
    if (r->windows == NULL)
        return false;
    r->changed = !windows_check(r->windows, &window, r->window.lines, r->window.crc, err);
    if (!r->changed)
        count_window(r, &window);
    return !r->changed;
}

static bool flush_window(struct resubmit *r, struct err *err)
{
    struct err why = {0};

    if (r->window.left == 0)
        return true;
    if (r->counts.lanes_known && !read_window(r, &why)) {
        if (r->changed)
            return err_set(err, ERR_INPUT, "%s", why.msg);
        r->counts.lanes_known = false;
        (void)snprintf(r->counts.lanes_why, sizeof(r->counts.lanes_why), "%.255s", why.msg);
    }
    bool ok = rowset_add(r->writer, &r->window, err);
    r->window.left = 0;
    return ok;
}

static bool choose_row(struct resubmit *r, const struct dead_row *row, struct err *err)
{
    if (r->window.left != 0 && r->window.window != row->window && !flush_window(r, err))
        return false;
    if (r->window.left == 0) {
        r->window =
            (struct rowset_window){.window = row->window, .lines = row->lines, .crc = row->crc};
        memset(r->window.mask, 0xff, sizeof(r->window.mask));
    }
    r->window.mask[row->line >> 3] =
        (uint8_t)(r->window.mask[row->line >> 3] & ~(1u << (row->line & 7)));
    r->window.left++;
    return true;
}

/* What a row without a readable cause has: it can be chosen by its window only. */
static const struct result_line no_cause = {.status_code = -1};

static bool take_row(struct resubmit *r, const struct dead_row *row, struct err *err)
{
    struct result_line line;

    if (row->too_long || !result_line_parse(row->text, row->len, &line, NULL))
        line = no_cause;
    if (line.status_code <= 0 && strcmp(line.code, "invalid_request_line") == 0) {
        r->counts.invalid++;
        return true;
    }
    if (!r->wants(r->arg, row->window, line.status_code, line.code))
        return true;
    return choose_row(r, row, err);
}

static bool read_rows(struct resubmit *r, struct err *err)
{
    struct dead_rows *rows = dead_rows_new(r->sink, r->number, err);
    struct dead_row row;
    enum dead_read read = rows == NULL ? DEAD_FAILED : DEAD_ROW;

    while (read == DEAD_ROW) {
        read = dead_rows_next(rows, &row, err);
        if (read == DEAD_ROW && !take_row(r, &row, err))
            read = DEAD_FAILED;
    }
    if (rows != NULL)
        r->counts.failed = dead_rows_scope(rows)->failed;
    dead_rows_free(rows);
    return read == DEAD_END && flush_window(r, err);
}

/* All parts must be merged as they were when the choice was, or is, made. */
static bool sum_up(struct resubmit *r, uint32_t parts, struct err *err)
{
    struct generations *g = generations_load(r->sink, err);
    bool ok = g != NULL;

    for (uint32_t part = 0; ok && part < parts; part++) {
        struct report report;
        bool found = false;

        ok = report_load_part(r->sink, part, generations_of_part(g, part, r->number), &report,
                              &found, err);
        if (ok && !found)
            ok = err_set(err, ERR_TEMPORARY, "part %" PRIu32 " of %" PRIu32 " is not merged yet",
                         part, parts);
        if (!ok)
            break;
        r->counts.ok += report.ok;
        r->counts.completion_tokens += report.tokens.completion;
        report_release(&report);
    }
    generations_free(g);
    return ok;
}

struct resubmit *resubmit_choose(struct sink *sink, const struct job_spec *spec, uint32_t parts,
                                 uint32_t windows, const struct resubmit_state *state,
                                 resubmit_wants_fn wants, void *arg, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct resubmit *r = xcalloc(1, sizeof(*r));

    r->sink = sink;
    r->spec = spec;
    r->number = state->under_way ? state->newest : state->newest + 1;
    r->wants = wants;
    r->arg = arg;
    r->counts.lanes_known = true;
    r->writer = rowset_begin(sink, layout_generation(name, r->number), false, windows, err);
    if (r->writer == NULL || !sum_up(r, parts, err) || !read_rows(r, err)) {
        resubmit_free(r);
        return NULL;
    }
    r->counts.rows = rowset_writer_totals(r->writer)->rows;
    r->counts.windows = rowset_writer_totals(r->writer)->windows;
    r->counts.parts = rowset_writer_totals(r->writer)->parts;
    return r;
}

void resubmit_free(struct resubmit *r)
{
    if (r == NULL)
        return;
    rowset_abort(r->writer);
    windows_free(r->windows);
    free(r->counts.lanes);
    free(r);
}

const struct resubmit_counts *resubmit_counts(const struct resubmit *r)
{
    return &r->counts;
}

/* ---- publishing */

static bool is_same(struct sink *sink, uint32_t number, uint64_t checksum,
                    enum resubmit_published *out, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    struct rowset *theirs = rowset_open(sink, layout_generation(name, number), err);

    if (theirs == NULL)
        return false;
    *out = rowset_checksum(theirs) == checksum ? RESUBMIT_SAME : RESUBMIT_OTHER;
    rowset_free(theirs);
    return true;
}

bool resubmit_publish(struct resubmit *r, enum resubmit_published *out, uint32_t *number,
                      struct err *err)
{
    struct rowset_writer *writer = r->writer;
    uint64_t checksum = 0;
    bool existed = false;

    if (r->counts.rows == 0)
        return err_set(err, ERR_INTERNAL, "resubmit: no rows are chosen");
    r->writer = NULL;
    if (!rowset_commit(writer, &checksum, &existed, err))
        return false;
    FAILPOINT("resubmit.published");
    if (existed && !is_same(r->sink, r->number, checksum, out, err))
        return false;
    if (!existed)
        *out = RESUBMIT_NEW;
    *number = r->number;
    return true;
}
