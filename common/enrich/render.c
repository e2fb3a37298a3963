#include "common/enrich/render.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/enrich/pack.h"
#include "common/enrich/render_line.h"
#include "common/recipe/condition.h"

struct render {
    const struct recipe *recipe;
    struct render_choice choice;
    bool has_choice;
    struct block_reader *blocks;
    struct line_maker *maker;
    const struct block *block; /* NULL: none yet */
    uint8_t *ask;              /* of the block, row by row */

    size_t analysis; /* where we stand in it */
    uint32_t row;
    struct pack pack; /* rows of this analysis in waiting */
    bool probed;      /* @part is what @row adds to a pack */
    struct line_part part;

    bool has_same_ids; /* of the block */
    uint32_t same_ids[BLOCK_ROWS];
    uint32_t rows[BLOCK_ROWS]; /* of the item that was given out */
};

const char *render_code_name(enum render_code code)
{
    switch (code) {
    case RENDER_ASKED: return "asked";
    case RENDER_SKIPPED: return "skipped";
    case RENDER_INVALID_ROW: return "invalid_row";
    case RENDER_TEMPLATE_ERROR: return "template_error";
    case RENDER_IMAGE_MISSING: return "image_missing";
    case RENDER_IMAGE_INVALID: return "image_invalid";
    case RENDER_ROW_TOO_LONG: return "row_too_long";
    }
    return "?";
}

struct render *render_new(const struct recipe *recipe, struct rows *rows,
                          const struct render_options *options)
{
    struct render *r = xcalloc(1, sizeof(*r));

    r->recipe = recipe;
    r->has_choice = options->choice != NULL;
    if (r->has_choice)
        r->choice = *options->choice;
    r->blocks = block_reader_new(rows, recipe->id_field);
    r->maker = line_maker_new(recipe, options->max_line_bytes);
    r->ask = xcalloc(BLOCK_ROWS, recipe->count);
    return r;
}

void render_free(struct render *r)
{
    if (r == NULL)
        return;
    block_reader_free(r->blocks);
    line_maker_free(r->maker);
    free(r->ask);
    free(r);
}

bool render_block(struct render *r, const struct block **out, bool *end, struct err *err)
{
    r->block = NULL;
    r->analysis = 0;
    r->row = 0;
    r->probed = false;
    r->pack.count = 0;
    r->pack.sum = (struct line_part){0};
    r->has_same_ids = false;
    if (!block_next(r->blocks, out, end, err))
        return false;
    if (*end)
        return true;
    memset(r->ask, RENDER_ASK, (*out)->count * r->recipe->count);
    if (r->has_choice && !r->choice.block(r->choice.arg, *out, r->ask, err))
        return false;
    r->block = *out;
    return true;
}

/* The item is about the row we stand at. */
static void about_row(struct render *r, struct render_item *out)
{
    r->rows[0] = r->row;
    *out =
        (struct render_item){.analysis = r->analysis, .rows = r->rows, .row_count = 1, .why = ""};
}

/* Whether there is something to ask about the row at all. */
static bool wants(struct render *r, struct render_item *out)
{
    const struct row *row = &r->block->rows[r->row];
    const struct condition *when = r->recipe->analyses[r->analysis].when;

    about_row(r, out);
    if (row->problem != NULL) {
        out->code = RENDER_INVALID_ROW;
        out->why = row->problem;
    } else if (when != NULL && !condition_holds(when, &row->object)) {
        out->code = RENDER_SKIPPED;
    }
    return out->code == RENDER_ASKED;
}

static struct pack_limits limits_of(struct render *r)
{
    const struct analysis *a = &r->recipe->analyses[r->analysis];

    return (struct pack_limits){.rows = a->pack_rows,
                                .tokens = a->pack_tokens,
                                .bytes = line_max_bytes(r->maker),
                                .base = line_base(r->maker, r->analysis)};
}

/* Ask those in waiting, or as many of them as go into one request; the others stay. */
static void ask_pack(struct render *r, const struct pack_limits *limits, struct render_item *out)
{
    size_t n = r->pack.count;

    memcpy(r->rows, r->pack.rows, n * sizeof(*r->rows));
    *out = (struct render_item){.rows = r->rows, .row_count = n};
    for (;;) {
        line_make(r->maker, r->analysis, r->block, out);
        bool asked = out->code == RENDER_ASKED;
        if (n == 1 || (asked && (limits->tokens == 0 || out->tokens <= limits->tokens)))
            break;
        n = pack_fewer(limits, n, asked ? out->tokens : 0);
        out->row_count = n;
    }
    pack_drop(&r->pack, n);
}

/* See what the row adds to a pack; false: it cannot be asked, which is the item. */
static bool probe(struct render *r, struct render_item *out)
{
    if (r->probed)
        return true;
    if (!wants(r, out))
        return false;
    line_probe(r->maker, r->analysis, r->block, r->row, out, &r->part);
    r->probed = out->code == RENDER_ASKED;
    return r->probed;
}

/* Have one more row in waiting; true instead when there is an item. */
static bool gather(struct render *r, struct render_item *out)
{
    struct pack_limits limits = limits_of(r);

    if (!r->has_same_ids)
        pack_same_ids(r->block->ids, r->block->count, r->same_ids);
    r->has_same_ids = true;
    if (!probe(r, out)) {
        r->row++;
        return true;
    }
    if (!pack_takes(&r->pack, &limits, r->row, &r->part, r->same_ids)) {
        ask_pack(r, &limits, out);
        return true;
    }
    pack_add(&r->pack, r->row, &r->part);
    r->row++;
    r->probed = false;
    if (!pack_is_full(&r->pack, &limits))
        return false;
    ask_pack(r, &limits, out);
    return true;
}

static void ask_alone(struct render *r, struct render_item *out)
{
    if (wants(r, out))
        line_make(r->maker, r->analysis, r->block, out);
    r->row++;
}

/* The next item of the analysis; false: there is none. */
static bool step(struct render *r, struct render_item *out)
{
    bool packs = r->recipe->analyses[r->analysis].pack_rows != 0;

    while (r->row < r->block->count) {
        enum render_ask ask = (enum render_ask)r->ask[r->row * r->recipe->count + r->analysis];

        if (ask == RENDER_ASK_NOT) {
            r->row++;
        } else if (packs && ask == RENDER_ASK) {
            if (gather(r, out))
                return true;
        } else if (r->pack.count == 0) {
            ask_alone(r, out);
            return true;
        } else {
            break;
        }
    }
    if (r->pack.count == 0)
        return false;
    struct pack_limits limits = limits_of(r);
    ask_pack(r, &limits, out);
    return true;
}

bool render_next(struct render *r, struct render_item *out)
{
    for (; r->block != NULL && r->analysis < r->recipe->count; r->analysis++) {
        if (step(r, out))
            return true;
        r->row = 0;
    }
    return false;
}
