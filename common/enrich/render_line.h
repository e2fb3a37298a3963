#ifndef ENRICH_RENDER_LINE_H
#define ENRICH_RENDER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/enrich/block.h"
#include "common/enrich/render.h"

/*
 * One request line for one or several rows of a block: what stays the same in all lines of an
 * analysis is made once, the rest is put behind it in buffers that are used again. It decides
 * nothing about which rows go together.
 */
struct line_maker;

/** Borrows @recipe. Never NULL. Free with line_maker_free(). */
struct line_maker *line_maker_new(const struct recipe *recipe, uint64_t max_line_bytes);

/** NULL is fine. */
void line_maker_free(struct line_maker *maker);

/**
 * Make the request of @analysis for the rows of @out->rows. Sets @out->code to RENDER_ASKED and
 * fills in the request, or to why there is none, with @out->why in words. A pack fails as a whole
 * when one of its rows does. Borrowed until the next call for the maker.
 */
void line_make(struct line_maker *maker, size_t analysis, const struct block *block,
               struct render_item *out);

/** What a row adds to a pack. */
struct line_part {
    uint64_t tokens; /* estimate */
    size_t bytes;    /* of its text, before it is escaped */
};

/**
 * Render what @row of the block adds to a request of @analysis, which packs. As in
 * line_make(): @out->code is RENDER_ASKED, with *@part filled in, or why it cannot be asked.
 */
void line_probe(struct line_maker *maker, size_t analysis, const struct block *block, uint32_t row,
                struct render_item *out, struct line_part *part);

/** A request of @analysis, which packs, with no rows in it: what every pack begins with. */
struct line_part line_base(struct line_maker *maker, size_t analysis);

/** Longest line that can be sent, without its newline. */
uint64_t line_max_bytes(const struct line_maker *maker);

#endif
