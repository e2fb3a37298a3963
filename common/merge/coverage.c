#include "common/merge/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/merge/inputs.h"
#include "common/model/batch.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

struct coverage {
    struct sink *sink;
    uint32_t part;
    struct inputs inputs;
    size_t at; /* files looked at */
    bool final;
    uint8_t masks[PART_WINDOWS][MEMBER_MASK_BYTES];
};

static bool begin(struct coverage *c, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool merged;

    /* Once the list of its files is there, the part's rows are decided. */
    if (!sink_exists(c->sink, layout_report(name, c->part), &merged, err) ||
        (!merged && !sink_exists(c->sink, layout_inputs(name, c->part), &merged, err)))
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
        if (record.outcome == OUTCOME_OK || record.outcome == OUTCOME_PERM)
            mask_set(c->masks[ordinal_window(record.ordinal) % PART_WINDOWS],
                     ordinal_line(record.ordinal));
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
