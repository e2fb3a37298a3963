#ifndef RECIPE_MEND_H
#define RECIPE_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/recipe/repair.h"

struct buf;

/*
 * Reading one value the way a model may have written it, and writing it as JSON: the inner half
 * of repair.h, which finds where in a text the value is.
 */

#define MEND_DEPTH 64

enum mend_outcome {
    MEND_COMPLETE, /* @p is behind the value */
    MEND_CUT,      /* the text ends inside it; mend_close() may save what is complete */
    MEND_BROKEN,   /* it is no value, @p is where that shows */
};

/** A list or object that is open. */
struct mend_level {
    bool object;
    bool any;    /* something in it is complete */
    size_t good; /* length of the output behind that */
};

/** Start with {.p, .end, .out}. */
struct mender {
    const char *p, *end; /* UTF-8 */
    struct buf *out;     /* appended to */
    unsigned repairs;    /* bits 1u << enum repair */
    bool full;           /* broken because the limit of @out was reached */
    enum mend_outcome outcome;
    struct mend_level levels[MEND_DEPTH];
    size_t depth;
};

/** One value at @p, perhaps behind space. A fence (```) ends the text. */
enum mend_outcome mend_value(struct mender *m);

/**
 * After MEND_CUT: leave out what is incomplete, and lists and objects with nothing complete in
 * them; close the others. *@whole as in struct repaired. False when nothing is left.
 */
bool mend_close(struct mender *m, size_t *whole);

/** Whether a list or object at @p < @end looks like JSON as far as its first value. */
bool mend_looks_like_json(const char *p, const char *end);

/** Space, of other scripts too, and comments; notes what JSON does not have. */
void mend_skip_space(struct mender *m);

#endif
