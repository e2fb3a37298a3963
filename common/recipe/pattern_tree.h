#ifndef RECIPE_PATTERN_TREE_H
#define RECIPE_PATTERN_TREE_H

/* Between the files of pattern.h: an expression as a tree, and its reader. */

#include <stdbool.h>
#include <stddef.h>

#include "common/recipe/json_chars.h"
#include "common/recipe/pattern_program.h"

#define PATTERN_FOREVER SIZE_MAX /* {n,} */
#define PATTERN_NOTHING SIZE_MAX /* no node */

enum pattern_node_op {
    PATTERN_NODE_EMPTY,
    PATTERN_NODE_STEP,
    PATTERN_NODE_CAT,    /* @a, then @b */
    PATTERN_NODE_OR,     /* @a or @b */
    PATTERN_NODE_REPEAT, /* @a, @min to @max times */
};

struct pattern_node {
    enum pattern_node_op op;
    struct pattern_step step; /* of PATTERN_NODE_STEP */
    size_t a, b;              /* nodes */
    size_t min, max;
};

struct pattern_reader {
    struct json_chars chars;
    uint32_t c; /* the character that comes next */
    bool more;  /* false: there is none */
    unsigned depth;
    const char *what;           /* static; set once something is wrong */
    struct pattern_node *nodes; /* owned */
    size_t count, cap;
    struct pattern *out; /* gets the sets and ranges */
    size_t set_cap, range_cap;
    size_t emitted; /* nodes made into steps, those of {n} again and again */
};

/** The whole expression: its root; PATTERN_NOTHING with @what. */
size_t pattern_read(struct pattern_reader *r);

/** Something is wrong: @what, unless something was before. Returns PATTERN_NOTHING. */
size_t pattern_wrong(struct pattern_reader *r, const char *what);

#endif
