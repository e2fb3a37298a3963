#ifndef RECIPE_TEMPLATE_TAG_H
#define RECIPE_TEMPLATE_TAG_H

/* Reading one tag of a template: between the files of template.h, not for others. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/recipe/template_parts.h"

/** A text that is being parsed: the template, or a partial in it. */
struct text {
    const char *name;
    const char *begin, *end;
    const char *p;
    const char *mark; /* line and column are of this byte: they are counted on from it */
    size_t line, column;
    size_t first_line, indent; /* where the text stands in what @name is of */
    size_t block_base;         /* blocks that were open where a partial begins */
    const struct text *parent;
    size_t depth;
};

/** A block that is not closed yet. */
struct block {
    enum part_kind kind; /* IF, EACH, ROWS */
    size_t part;
    size_t last; /* the JUMP or NEXT before {{else}} */
    bool has_else;
    struct template_place place;
};

struct parser {
    struct template *t;
    const struct template_files *files;
    struct block blocks[TEMPLATE_DEPTH_MAX];
    size_t depth;
    struct err *err;
};

enum tag_kind { TAG_VALUE, TAG_OPEN, TAG_CLOSE, TAG_ELSE, TAG_PARTIAL, TAG_COMMENT };

struct tag {
    enum tag_kind kind;
    enum part_kind block;      /* of OPEN and CLOSE */
    struct template_part part; /* of VALUE, and what OPEN asks for */
    char *path;                /* of PARTIAL; owned */
    struct template_place place;
};

/** "if", "each", "rows". */
const char *block_word(enum part_kind kind);

/** Put the place before the message that is in the parser's err; false. */
bool tag_fail(const struct parser *ps, const struct template_place *place);

/** Free what a part owns. */
void part_release(struct template_part *part);

/** Free what a tag owns. */
void tag_release(struct tag *tag);

/**
 * Read the tag whose braces open at tx->p into the zeroed @tag, and move behind it. On failure as
 * on success the caller calls tag_release().
 */
MUST_CHECK bool tag_read(const struct parser *ps, struct text *tx, struct tag *tag);

#endif
