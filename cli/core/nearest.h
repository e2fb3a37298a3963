#ifndef CLI_CORE_NEAREST_H
#define CLI_CORE_NEAREST_H

/** The one of @names (NULL-terminated) that a mistyped @word most likely means; NULL: none is near.
 */
const char *nearest_name(const char *word, const char *const *names);

#endif
