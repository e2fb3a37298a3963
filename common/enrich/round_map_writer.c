#include <stdlib.h>
#include <string.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/enrich/round_map.h"
#include "common/enrich/round_map_format.h"

/* Items that are alike and side by side, not yet in the record. */
struct run {
    uint32_t analysis, first;
    uint32_t count; /* 0: there is none */
    enum render_code code;
    unsigned flags;
    uint64_t max_output;
    char why[MAP_WHY_MAX + 1];
    struct buf tokens, ids; /* as they are written, one behind the other */
};

struct round_map_writer {
    struct round_map_id id;
    round_map_write_fn write;
    void *arg;
    bool begun; /* the header is written */
    bool block; /* @record is a block that is not written yet */
    struct run run;
    struct buf record; /* room for the frame, then the content */
};

static bool too_long(struct err *err)
{
    return err_set(err, ERR_INTERNAL, "a record of a round's map is too long");
}

struct round_map_writer *round_map_writer_new(const struct round_map_id *id,
                                              round_map_write_fn write, void *arg)
{
    struct round_map_writer *w = xcalloc(1, sizeof(*w));

    w->id = *id;
    w->write = write;
    w->arg = arg;
    w->record = BUF_INIT(MAP_FRAME_BYTES + (size_t)MAP_RECORD_MAX);
    w->run.tokens = BUF_INIT(MAP_RECORD_MAX);
    w->run.ids = BUF_INIT(MAP_RECORD_MAX);
    return w;
}

void round_map_writer_free(struct round_map_writer *w)
{
    if (w == NULL)
        return;
    buf_release(&w->record);
    buf_release(&w->run.tokens);
    buf_release(&w->run.ids);
    free(w);
}

static bool record_begin(struct round_map_writer *w, enum map_record kind)
{
    const char head[MAP_FRAME_BYTES + 1] = {[MAP_FRAME_BYTES] = (char)kind};

    buf_clear(&w->record);
    return buf_append(&w->record, head, sizeof(head));
}

static bool record_write(struct round_map_writer *w, struct err *err)
{
    size_t len = w->record.len - MAP_FRAME_BYTES;
    uint8_t *frame = (uint8_t *)w->record.data;

    frame = put_u32(frame, (uint32_t)len);
    put_u32(frame, crc32c(0, w->record.data + MAP_FRAME_BYTES, len));
    return w->write(w->arg, w->record.data, w->record.len, err);
}

static bool write_header(struct round_map_writer *w, struct err *err)
{
    struct buf *r = &w->record;

    if (w->begun)
        return true;
    w->begun = true;
    if (!record_begin(w, MAP_HEADER) || !map_put(r, ROUND_MAP_VERSION) ||
        !map_put(r, w->id.round) || !map_put(r, w->id.analyses) ||
        !map_put_text(r, w->id.recipe, strlen(w->id.recipe)) ||
        !map_put_text(r, w->id.rows, strlen(w->id.rows)))
        return too_long(err);
    return w->write(w->arg, MAP_MAGIC, MAP_MAGIC_LEN, err) && record_write(w, err);
}

static bool put_asked(struct buf *r, const struct run *run)
{
    return map_put(r, (uint64_t)run->analysis * 4 + MAP_RUN) && map_put(r, run->flags) &&
           map_put(r, run->max_output) && map_put(r, run->first) && map_put(r, run->count) &&
           buf_append(r, run->tokens.data, run->tokens.len) &&
           buf_append(r, run->ids.data, run->ids.len);
}

static bool put_pairs(struct buf *r, const struct run *run)
{
    return map_put(r, (uint64_t)run->analysis * 4 + MAP_PAIRS) && map_put(r, run->code) &&
           map_put_text(r, run->why, strlen(run->why)) && map_put(r, run->first) &&
           map_put(r, run->count);
}

static bool flush_run(struct round_map_writer *w)
{
    struct run *run = &w->run;
    bool ok = run->count == 0 ||
              (run->code == RENDER_ASKED ? put_asked(&w->record, run) : put_pairs(&w->record, run));

    run->count = 0;
    buf_clear(&run->tokens);
    buf_clear(&run->ids);
    return ok;
}

static bool flush_block(struct round_map_writer *w, struct err *err)
{
    if (!w->block)
        return true;
    w->block = false;
    return flush_run(w) ? record_write(w, err) : too_long(err);
}

bool round_map_block(struct round_map_writer *w, const struct block *block, struct err *err)
{
    if (!write_header(w, err) || !flush_block(w, err))
        return false;
    w->block = true;
    if (!record_begin(w, MAP_BLOCK) || !map_put(&w->record, block->first) ||
        !map_put(&w->record, block->count) || !map_put(&w->record, block->sum))
        return too_long(err);
    return true;
}

/* The reason, cut between two characters where it is longer than what is kept. */
static void cut_why(char out[MAP_WHY_MAX + 1], const char *why)
{
    size_t len = strlen(why);

    if (len > MAP_WHY_MAX) {
        len = MAP_WHY_MAX;
        while (len > 0 && ((unsigned char)why[len] & 0xC0) == 0x80)
            len--;
    }
    memcpy(out, why, len);
    out[len] = '\0';
}

/* Whether the item goes on where the run ends, and is like it. */
static bool run_takes(const struct run *run, const struct run *item)
{
    return run->count != 0 && run->analysis == item->analysis && run->code == item->code &&
           run->flags == item->flags && run->max_output == item->max_output &&
           run->first + run->count == item->first && strcmp(run->why, item->why) == 0;
}

static bool put_ids(struct buf *out, const char *const *ids, size_t count)
{
    for (size_t i = 0; ids != NULL && i < count; i++) {
        if (!map_put_text(out, ids[i], strlen(ids[i])))
            return false;
    }
    return true;
}

static bool put_pack(struct buf *r, const struct render_item *item, unsigned flags,
                     const char *const *ids)
{
    if (!map_put(r, (uint64_t)item->analysis * 4 + MAP_PACK) || !map_put(r, flags) ||
        !map_put(r, item->max_output) || !map_put(r, item->tokens) ||
        !map_put(r, item->row_count) || !map_put(r, item->rows[0]))
        return false;
    for (size_t i = 1; i < item->row_count; i++) {
        if (!map_put(r, item->rows[i] - item->rows[i - 1]))
            return false;
    }
    return put_ids(r, ids, item->row_count);
}

static bool put_single(struct round_map_writer *w, const struct render_item *item, unsigned flags,
                       const char *const *ids)
{
    struct run *run = &w->run;
    bool asked = item->code == RENDER_ASKED;
    struct run one = {.analysis = (uint32_t)item->analysis,
                      .first = item->rows[0],
                      .count = 1,
                      .code = item->code,
                      .flags = flags,
                      .max_output = asked ? item->max_output : 0};

    if (!asked)
        cut_why(one.why, item->why);
    if (run_takes(run, &one)) {
        run->count++;
    } else {
        if (!flush_run(w))
            return false;
        one.tokens = run->tokens;
        one.ids = run->ids;
        *run = one;
    }
    return !asked || (map_put(&run->tokens, item->tokens) && put_ids(&run->ids, ids, 1));
}

bool round_map_item(struct round_map_writer *w, const struct render_item *item,
                    const char *const *ids, struct err *err)
{
    bool asked = item->code == RENDER_ASKED;
    unsigned flags =
        asked ? (item->multimodal ? MAP_MULTIMODAL : 0u) | (ids != NULL ? MAP_IDS : 0u) : 0u;
    bool ok = item->row_count > 1 ? flush_run(w) && put_pack(&w->record, item, flags, ids)
                                  : put_single(w, item, flags, ids);

    return ok || too_long(err);
}

static bool put_count(struct buf *r, const struct round_count *count)
{
    bool ok = map_put(r, count->requests);

    for (size_t i = 0; ok && i < RENDER_CODES; i++)
        ok = map_put(r, count->pairs[i]);
    return ok && map_put(r, count->tokens) && map_put(r, count->max_output) &&
           map_put(r, count->unbounded);
}

bool round_map_end(struct round_map_writer *w, const struct round_counts *counts, struct err *err)
{
    struct buf *r = &w->record;

    if (!write_header(w, err) || !flush_block(w, err))
        return false;
    bool ok = record_begin(w, MAP_END) && map_put(r, counts->rows) && map_put(r, counts->blocks) &&
              map_put(r, counts->requests) && map_put(r, counts->bytes);
    for (uint32_t i = 0; ok && i < counts->count; i++)
        ok = put_count(r, &counts->analyses[i]);
    return ok ? record_write(w, err) : too_long(err);
}
