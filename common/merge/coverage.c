#include "common/merge/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/merge/inputs.h"
#include "common/merge/lineage.h"
#include "common/merge/report.h"
#include "common/model/batch.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

struct coverage {
    struct sink *sink;
    uint32_t part;
    struct lineage *lineage;
    struct inputs inputs;
    size_t at; /* files looked at */
    bool final;
    bool counted;    /* errors are not known by window, only: */
    uint64_t failed; /* errors not handed out yet */
    uint8_t masks[PART_WINDOWS][MEMBER_MASK_BYTES];
    uint8_t good[PART_WINDOWS][MEMBER_MASK_BYTES]; /* of these, the successes */
};

/* How many of the lines that could be sent are errors in a merged generation. */
static bool read_failed(struct coverage *c, uint32_t generation, bool *found, struct err *err)
{
    struct report report;

    if (!report_load_part(c->sink, c->part, generation, &report, found, err))
        return false;
    if (!*found)
        return true;
    c->counted = true;
    c->failed = report.failed - report.invalid;
    report_release(&report);
    return true;
}

/* All is settled but what the newest generation lists. */
static bool clear_listed(struct coverage *c, struct err *err)
{
    struct generations *g = generations_load(c->sink, err);
    struct rowset *set =
        g == NULL ? NULL : generations_open(g, lineage_generation(c->lineage), err);
    struct rowset_window w;
    bool ok = set != NULL && rowset_read_part(set, c->part, err);

    while (ok && rowset_next(set, &w))
        memcpy(c->masks[w.window % PART_WINDOWS], w.mask, mask_bytes(w.lines));
    rowset_free(set);
    generations_free(g);
    return ok;
}

/* Resubmitted, and not merged since: how it was before, and what has come home after that. */
static bool begin_resubmitted(struct coverage *c, struct err *err)
{
    bool found = false;

    if (!read_failed(c, lineage_previous(c->lineage), &found, err))
        return false;
    uint64_t listed = lineage_listed(c->lineage);
    if (!found || c->failed < listed)
        return err_set(err, ERR_PERMANENT,
                       "%s: part %" PRIu32 " was resubmitted, and is not as "
                       "it was then",
                       sink_path(c->sink), c->part);
    c->failed -= listed;
    memset(c->masks, 0xff, sizeof(c->masks));
    return clear_listed(c, err) && inputs_list(c->sink, c->part, &c->inputs, err);
}

static bool begin(struct coverage *c, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool merged = false;

    c->lineage = lineage_new(c->sink, c->part, GENERATION_ANY, err);
    if (c->lineage == NULL)
        return false;
    uint32_t generation = lineage_generation(c->lineage);
    if (!read_failed(c, generation, &merged, err))
        return false;
    /* Once the list of its files is there, the part's rows are decided. */
    if (!merged && !sink_exists(c->sink, layout_inputs(name, c->part, generation), &merged, err))
        return false;
    c->final = merged;
    if (!merged)
        return generation > 0 ? begin_resubmitted(c, err)
                              : inputs_list(c->sink, c->part, &c->inputs, err);
    memset(c->masks, 0xff, sizeof(c->masks));
    return true;
}

struct coverage *coverage_new(struct sink *sink, uint32_t part, struct err *err)
{
    struct coverage *c = xcalloc(1, sizeof(*c));

    c->sink = sink;
    c->part = part;
    if (begin(c, err))
        return c;
    coverage_free(c);
    return NULL;
}

void coverage_free(struct coverage *c)
{
    if (c == NULL)
        return;
    inputs_release(&c->inputs);
    lineage_free(c->lineage);
    free(c);
}

/* @generation is the file's. */
static void take_record(struct coverage *c, const struct record *record, uint32_t generation)
{
    uint32_t window = ordinal_window(record->ordinal) % PART_WINDOWS;
    uint32_t line = ordinal_line(record->ordinal);
    bool counts = generation >= lineage_of_task(c->lineage, record->ordinal);

    if (record->outcome == OUTCOME_OK) {
        mask_set(c->good[window], line);
    } else if (record->outcome != OUTCOME_PERM || !counts) {
        return;
    }
    mask_set(c->masks[window], line);
}

static bool read_segment(struct coverage *c, struct segment_reader *r, uint32_t generation,
                         struct err *err)
{
    struct record record;
    enum segment_read read;

    if (segment_reader_header(r)->part != c->part)
        return err_set(err, ERR_PERMANENT,
                       "a segment of part %" PRIu32 " is in the folder of part %" PRIu32,
                       segment_reader_header(r)->part, c->part);
    while ((read = segment_reader_next(r, &record, err)) == SEGMENT_RECORD)
        take_record(c, &record, generation);
    return read == SEGMENT_END;
}

bool coverage_step(struct coverage *c, bool *done, struct err *err)
{
    char folder[LAYOUT_NAME_MAX];
    char name[LAYOUT_NAME_MAX];
    struct segment_reader *r;

    while (c->at < c->inputs.count && !inputs_is_segment(c->inputs.names[c->at]))
        c->at++;
    *done = c->at == c->inputs.count;
    if (*done)
        return true;
    int n =
        snprintf(name, sizeof(name), "%s/%s", layout_part(folder, c->part), c->inputs.names[c->at]);
    if (n < 0 || (size_t)n >= sizeof(name))
        return err_set(err, ERR_PERMANENT, "name \"%s\" is too long", c->inputs.names[c->at]);
    uint32_t generation = lineage_of_file(c->lineage, c->inputs.names[c->at++]);
    int fd = sink_open_read(c->sink, name, err);
    r = fd < 0 ? NULL : segment_reader_new(fd, name, err);
    bool ok = r != NULL && read_segment(c, r, generation, err);
    segment_reader_free(r);
    return ok;
}

bool coverage_run(struct coverage *c, struct err *err)
{
    bool done;

    do {
        if (!coverage_step(c, &done, err))
            return false;
    } while (!done);
    return true;
}

bool coverage_is_final(const struct coverage *c)
{
    return c->final;
}

const uint8_t *coverage_mask(const struct coverage *c, uint32_t window)
{
    return c->masks[window % PART_WINDOWS];
}

/* Settled tasks of a window that this generation has seen fail. */
static uint32_t seen_failing(const struct coverage *c, uint32_t window)
{
    const uint8_t *masks = c->masks[window % PART_WINDOWS];
    const uint8_t *good = c->good[window % PART_WINDOWS];
    uint32_t generation = lineage_generation(c->lineage);
    uint32_t failed = 0;

    for (uint32_t i = 0; i < ORDINAL_LINES; i++)
        failed += mask_get(masks, i) && !mask_get(good, i) &&
                  lineage_of_task(c->lineage, ordinal_make(window, i)) == generation;
    return failed;
}

uint32_t coverage_failed(struct coverage *c, uint32_t window, uint32_t settled)
{
    uint32_t failed = c->final ? 0 : seen_failing(c, window);

    failed = failed < settled ? failed : settled;
    if (!c->counted)
        return failed;
    uint32_t more = c->failed < settled - failed ? (uint32_t)c->failed : settled - failed;
    c->failed -= more;
    return failed + more;
}
