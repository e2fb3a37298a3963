#ifndef RECIPE_JSON_EQUAL_H
#define RECIPE_JSON_EQUAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_value;

/**
 * Whether two scanned values are equal as JSON Schema has it: numbers by value (1 is 1.0), strings
 * as they decode, lists in order, objects whatever the order of their members.
 */
bool json_equal(const struct json_value *a, const struct json_value *b);

/**
 * The same with a limit: takes from *@work by how much is read and ordered, one for 16 to 64 bytes.
 * False with *@work 0 when that did not suffice; less than half a second for a million.
 */
bool json_equal_within(const struct json_value *a, const struct json_value *b, size_t *work);

/**
 * Equal values have equal hashes, unless a member's name is repeated in one of them. Takes from
 * *@work as above; means nothing when it is 0 after.
 */
uint64_t json_hash(const struct json_value *value, size_t *work);

#endif
