#include "common/merge/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/merge/inputs.h"
#include "common/merge/report.h"
#include "common/model/batch.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define REPORT_MAX_BYTES (16u << 20)

struct coverage {
    struct sink *sink;
    uint32_t part;
    struct inputs inputs;
    size_t at; /* files looked at */
    bool final;
    uint64_t failed; /* of a final part: errors not handed out yet */
    uint8_t masks[PART_WINDOWS][MEMBER_MASK_BYTES];
    uint8_t good[PART_WINDOWS][MEMBER_MASK_BYTES]; /* of these, the successes */
};

/* The part is merged: how many of the lines that could be sent are errors. */
static bool read_failed(struct coverage *c, const char *name, struct err *err)
{
    struct buf text = BUF_INIT(REPORT_MAX_BYTES);
    struct report report;
    bool ok = sink_read(c->sink, name, &text, err);

    if (ok) {
        report_init(&report);
        ok = report_parse_part(text.data, text.len, &report, err);
        if (ok)
            c->failed = report.failed - report.invalid;
        report_release(&report);
    }
    buf_release(&text);
    return ok;
}

static bool begin(struct coverage *c, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool merged;

    if (!sink_exists(c->sink, layout_report(name, c->part), &merged, err) ||
        (merged && !read_failed(c, name, err)))
        return false;
    /* Once the list of its files is there, the part's rows are decided. */
    if (!merged && !sink_exists(c->sink, layout_inputs(name, c->part), &merged, err))
        return false;
    c->final = merged;
    if (!merged)
        return inputs_list(c->sink, c->part, &c->inputs, err);
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
    free(c);
}

static bool read_segment(struct coverage *c, struct segment_reader *r, struct err *err)
{
    struct record record;
    enum segment_read read;

    if (segment_reader_header(r)->part != c->part)
        return err_set(err, ERR_PERMANENT,
                       "a segment of part %" PRIu32 " is in the folder of part %" PRIu32,
                       segment_reader_header(r)->part, c->part);
    while ((read = segment_reader_next(r, &record, err)) == SEGMENT_RECORD) {
        uint32_t window = ordinal_window(record.ordinal) % PART_WINDOWS;

        if (record.outcome == OUTCOME_OK || record.outcome == OUTCOME_PERM)
            mask_set(c->masks[window], ordinal_line(record.ordinal));
        if (record.outcome == OUTCOME_OK)
            mask_set(c->good[window], ordinal_line(record.ordinal));
    }
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
    c->at++;
    int fd = sink_open_read(c->sink, name, err);
    r = fd < 0 ? NULL : segment_reader_new(fd, name, err);
    bool ok = r != NULL && read_segment(c, r, err);
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

uint32_t coverage_failed(struct coverage *c, uint32_t window, uint32_t settled)
{
    const uint8_t *masks = c->masks[window % PART_WINDOWS];
    const uint8_t *good = c->good[window % PART_WINDOWS];
    uint32_t failed = 0;

    if (c->final) {
        failed = c->failed < settled ? (uint32_t)c->failed : settled;
        c->failed -= failed;
        return failed;
    }
    for (uint32_t i = 0; i < ORDINAL_LINES; i++)
        failed += mask_get(masks, i) && !mask_get(good, i);
    return failed < settled ? failed : settled;
}
