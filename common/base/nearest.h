#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * "Did you mean": which name a mistyped word most likely means. Dashes and
 * underscores are the same. Mistakes are counted in letters (code points of UTF-8), two letters
 * that changed places are one, and the longer the words, the more there may be.
 */

/** Whether the two are the same name. */
bool nearest_same(const char *a, const char *b);

/** A search among names that are not in one list: start with {.word = ...}. */
struct nearest {
    const char *word;
    const char *name; /* the nearest of those shown so far; NULL: none is near */
    size_t distance;  /* of it */
};

/** Show it one more name. True when that is the nearest so far. */
bool nearest_look(struct nearest *n, const char *name);

/** The one of @names (NULL-terminated) that @word most likely means; NULL: none is near. */
const char *nearest_of(const char *word, const char *const *names);

#endif
