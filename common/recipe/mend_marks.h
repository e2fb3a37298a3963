#ifndef RECIPE_MEND_MARKS_H
#define RECIPE_MEND_MARKS_H

#include <stdbool.h>
#include <stddef.h>

/* The characters between values, as JSON and as Chinese texts have them. For the files of mend.h.
 */

bool mend_starts_with(const char *p, const char *end, const char *text);

/** Which of , : { } [ ] is at @p, or stands there in its full-width form; its length in bytes. */
char mend_mark_at(const char *p, const char *end, size_t *len);

/** Length of the curly quote at @p; 0 when there is none. */
size_t mend_curly_at(const char *p, const char *end);

/** Length of the space at @p, JSON's or wide; 0 when there is none. */
size_t mend_space_at(const char *p, const char *end);

/** Behind the space at @p. */
const char *mend_skip_blank(const char *p, const char *end);

#endif
