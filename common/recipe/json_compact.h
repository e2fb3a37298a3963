#ifndef RECIPE_JSON_COMPACT_H
#define RECIPE_JSON_COMPACT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

struct buf;

/*
 * JSON for people and models to read: no space between its parts, and characters as themselves
 * instead of as \uXXXX escapes. Values are taken from text that json_scan() checked.
 */

/**
 * Append @value. Escapes that JSON needs stay as they are written; a lone surrogate becomes
 * U+FFFD. Never longer than what it was. An absent value appends nothing. False, with nothing
 * appended, past the limit of @out.
 */
MUST_CHECK bool json_compact(struct buf *out, const struct json_value *value);

/**
 * The character or byte that the inside of a string begins with at *@p < @end, decoded; *@p moves
 * behind it. Returns its length in @out, 1 to 4.
 */
size_t json_unit(const char **p, const char *end, char out[4]);

#endif
