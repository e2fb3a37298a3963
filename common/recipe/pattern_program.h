#ifndef RECIPE_PATTERN_PROGRAM_H
#define RECIPE_PATTERN_PROGRAM_H

/* Between the two files of pattern.h: what an expression is compiled to. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pattern_op {
    PATTERN_CHAR,         /* the code point @c */
    PATTERN_SET,          /* one in set @x */
    PATTERN_SPLIT,        /* go on at @x and at @y */
    PATTERN_JUMP,         /* go on at @x */
    PATTERN_BEGIN,        /* ^ */
    PATTERN_END,          /* $ */
    PATTERN_BOUNDARY,     /* \b */
    PATTERN_NOT_BOUNDARY, /* \B */
    PATTERN_MATCH,
};

struct pattern_step {
    enum pattern_op op;
    uint32_t c;
    uint16_t x, y;
};

struct pattern_range {
    uint32_t low, high;
};

/** Code points in (or, with @negated, not in) a run of ranges of struct pattern. */
struct pattern_set {
    size_t first, count;
    bool negated;
};

struct pattern {
    struct pattern_step *steps; /* owned, as are the two below */
    size_t count;
    struct pattern_set *sets;
    size_t set_count;
    struct pattern_range *ranges;
    size_t range_count;
};

#endif
