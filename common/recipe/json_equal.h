#ifndef RECIPE_JSON_EQUAL_H
#define RECIPE_JSON_EQUAL_H

#include <stdbool.h>
#include <stdint.h>

struct json_value;

/**
 * Whether two scanned values are equal as JSON Schema has it: numbers by value (1 is 1.0), strings
 * as they decode, lists in order, objects whatever the order of their members.
 */
bool json_equal(const struct json_value *a, const struct json_value *b);

/** Equal values have equal hashes, unless a member's name is repeated in one of them. */
uint64_t json_hash(const struct json_value *value);

#endif
