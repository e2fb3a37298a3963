#ifndef RECIPE_WHY_H
#define RECIPE_WHY_H

#include <stdbool.h>

#include "common/base/attr.h"

/** Room for the words that say why an answer is not valid, with the NUL. */
#define WHY_MAX 256

/**
 * Write the words: one line of whole UTF-8 characters (control characters become "?"), cut where
 * they do not fit. @why may be NULL: nobody asks. Returns false, so that a failed check ends in
 * one line.
 */
bool why_set(char why[WHY_MAX], const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Put "what: " before the words that a callee left. NULL is fine. Returns false. */
bool why_wrap(char why[WHY_MAX], const char *what);

#endif
