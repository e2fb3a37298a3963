#ifndef ENRICH_RENDER_H
#define ENRICH_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/enrich/block.h"
#include "common/json/scan.h"
#include "common/recipe/recipe.h"
#include "common/rows/rows.h"

/*
 * From rows and a recipe to request lines as the Batch API takes them:
 *
 *     {"custom_id":"topics_0012","method":"POST","url":"/v1/chat/completions",
 *      "body":{"model":"glm-4-air","temperature":0.2,"messages":[...]}}
 *
 * block by block (block.h); within a block by analysis, in the recipe's order, then by row, so that
 * requests side by side share a model and the beginning of a prompt. The custom_id is the analysis'
 * name and the index of the request's first row, with at least four digits.
 *
 * A pair (row, analysis) is in exactly one request, or there is a reason why it is in none.
 *
 * Packs: an analysis with pack_rows asks several rows in one request. A pack takes rows in order
 * until it has pack_rows of them, or the estimate for the whole request would pass pack_tokens, or
 * the line would be too long, or a row has the id of one that is in the pack already; the next pack
 * begins with that row. It never crosses a block. A row that passes pack_tokens by itself is asked
 * alone. Each row is rendered alone first: one that cannot be is left out of the pack and spoils
 * nothing.
 *
 *     struct render *r = render_new(&recipe, rows, &options, &err);
 *     while (render_block(r, &block, &end, &err) && !end)
 *         while (render_next(r, &item))
 *             ...
 *     render_free(r);
 */

/** Why a pair is in no request. */
enum render_code {
    RENDER_ASKED,          /* it is in one */
    RENDER_SKIPPED,        /* `when` does not hold for the row */
    RENDER_INVALID_ROW,    /* the row is no JSON object, or too long to be read */
    RENDER_TEMPLATE_ERROR, /* a template needs what the row does not have */
    RENDER_IMAGE_MISSING,  /* an image's file cannot be read */
    RENDER_IMAGE_INVALID,  /* it is no image, or too large */
    RENDER_ROW_TOO_LONG,   /* its request is longer than can be sent */
};

#define RENDER_CODES 7

/** "asked", "skipped", "invalid_row", "template_error", ...: the words of `_sheaf` and reports. */
const char *render_code_name(enum render_code code);

/** What a choice says of a pair. */
enum render_ask {
    RENDER_ASK_NOT,   /* not in this round: the pair is passed over without a word */
    RENDER_ASK,       /* as the recipe says */
    RENDER_ASK_ALONE, /* in a request of its own, also where the analysis packs */
};

/** Which pairs are asked; called once for each block, in order, before it is rendered. */
struct render_choice {
    /**
     * Fill @ask, an enum render_ask for each pair of @rows, row by row: ask[row * analyses +
     * analysis]. False (with @err) ends the rendering.
     */
    bool (*block)(void *arg, const struct block *rows, uint8_t *ask, struct err *err);
    void *arg;
};

struct render_options {
    uint64_t max_line_bytes; /* that the provider takes; 0: only the limit of all lines */
    const struct render_choice *choice; /* copied; NULL: every pair */
};

/** One request, or one pair that is in none. Borrowed until the next call for the renderer. */
struct render_item {
    enum render_code code;
    size_t analysis;      /* in the recipe */
    const uint32_t *rows; /* in the block, ascending */
    size_t row_count;     /* 1, or more of a pack */

    /* Of a request (RENDER_ASKED). */
    struct slice line;   /* with its newline */
    bool multimodal;     /* it has an image */
    const char *model;   /* NUL-terminated */
    uint64_t tokens;     /* estimate of its input */
    uint64_t max_output; /* tokens of the answer, at most; 0: nothing in it says */
    struct slice system; /* the system prompt, decoded; len 0: none */
    struct slice prompt; /* the prompt, decoded */

    /* Of any other. */
    const char *why; /* for people; "" where `when` does not hold */
};

struct render;

/**
 * Borrows @recipe and @rows, which stand at their first row. Never NULL. Free with render_free().
 */
struct render *render_new(const struct recipe *recipe, struct rows *rows,
                          const struct render_options *options);

/** NULL is fine. */
void render_free(struct render *r);

/** Go on to the next block; *@end instead behind the last one. *@out as block_next() gives it. */
MUST_CHECK bool render_block(struct render *r, const struct block **out, bool *end,
                             struct err *err);

/** The next item of the block. False, with nothing written, behind its last one. */
MUST_CHECK bool render_next(struct render *r, struct render_item *out);

#endif
