#ifndef RECIPE_JSON_CHARS_H
#define RECIPE_JSON_CHARS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_value;

/** A walk over the code points of a scanned JSON string, as they decode. Plain data. */
struct json_chars {
    const char *p;
    const char *end;
};

/** Start at the first one; @string is a string (also a member's name). */
struct json_chars json_chars_begin(const struct json_value *string);

/** The next one; two escapes that are a surrogate pair are one, a lone surrogate is itself. */
bool json_chars_next(struct json_chars *chars, uint32_t *c);

/** How many there are. */
size_t json_chars_count(const struct json_value *string);

#endif
