#ifndef SIMULATOR_GARBLE_H
#define SIMULATOR_GARBLE_H

#include "common/base/buf.h"

/* How the text of an answer is made worse than it was: what models do. */
enum garble {
    GARBLE_NONE,
    GARBLE_PROSE,      /* a sentence instead */
    GARBLE_WRAPPED,    /* a sentence before and behind it */
    GARBLE_FENCED,     /* in a Markdown fence */
    GARBLE_LOOSE,      /* single quotes and a comma behind the last element */
    GARBLE_CUT_OFF,    /* without its last third; the line says so, too */
    GARBLE_WRONG_WORD, /* another word for its last string, a word for its last number */
    GARBLE_EXTRA_KEY,  /* one member more */
    GARBLE_FORGOTTEN,  /* without the last element of its list */
};

/**
 * Change @text (decoded, any text). The last three change JSON only: an object, or the first (of
 * GARBLE_FORGOTTEN: the last) element of a list. Text that is no JSON becomes the wrong word.
 */
void garble_text(struct buf *text, enum garble how);

#endif
