#ifndef RECIPE_MEND_PARTS_H
#define RECIPE_MEND_PARTS_H

/* Between the files of mend.h. Functions that return bool set the outcome when they return false.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/recipe/mend.h"

/** Something was mended. */
void mend_note(struct mender *m, enum repair repair);

/** The value ends here, with @outcome. Returns false. */
bool mend_stop(struct mender *m, enum mend_outcome outcome);

/** Append to the output; broken past its limit. */
bool mend_put(struct mender *m, const char *text, size_t len);

/** Whether the text ends at @p, also by a closing fence. */
bool mend_at_end(const struct mender *m);

/** The string at @p. *@found says whether there is one; without, nothing was done. */
bool mend_string(struct mender *m, bool *found);

/** Whether true, false, null or Python's words for them are at @p. */
bool mend_word_at(const char *p, const char *end);

/** The string, number or word at @p. */
bool mend_scalar(struct mender *m);

#endif
