#ifndef RECIPE_JSON_PATH_H
#define RECIPE_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/recipe/why.h"

struct json_value;

/*
 * Where in an answer a value is, for words such as "topics[2].score: expected an integer". A
 * chain on the stack of those who walk; nothing is written until somebody asks.
 */
struct json_path {
    const struct json_path *up;    /* NULL: the answer itself */
    const struct json_value *name; /* of a member, raw; NULL: see @word */
    const char *word;              /* of a member; NULL: an element */
    size_t index;                  /* of an element */
};

/** Write "PLACE: @words", or @words alone for the answer itself. @why may be NULL. Returns false.
 */
bool json_path_fail(const struct json_path *path, char why[WHY_MAX], const char *words);

/** The same for "@expected, got @value". */
bool json_path_fail_got(const struct json_path *path, char why[WHY_MAX], const char *expected,
                        const struct json_value *value);

/** Room for a value in words. */
#define JSON_SHOWN_MAX 96

/** A value in words: an array, a string ("three"), 3.5. Returns @out, or words that are static. */
const char *json_show(const struct json_value *value, char out[JSON_SHOWN_MAX]);

#endif
