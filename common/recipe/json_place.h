#ifndef RECIPE_JSON_PLACE_H
#define RECIPE_JSON_PLACE_H

#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct json_value;

/** A JSON file that a recipe names, for messages about places in it. Borrowed. */
struct json_file {
    const char *name;
    const char *text;
    size_t len;
};

/** ERR_USAGE, "name:line:column: ...", of the character at @at in the text. Returns false. */
bool json_place_fail(const struct json_file *file, const char *at, struct err *err, const char *fmt,
                     ...) PRINTF_LIKE(4, 5);

/** Scan the whole text; ERR_USAGE with the place where it is not JSON. */
MUST_CHECK bool json_place_scan(const struct json_file *file, struct json_value *root,
                                struct err *err);

#endif
