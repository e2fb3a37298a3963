#ifndef RECIPE_DECIMAL_H
#define RECIPE_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct json_value;

/*
 * A JSON number as the decimal it is written as: exact, whatever its size. Exponents beyond 10^15
 * are the same as that.
 */
struct decimal {
    bool negative;
    const char
        *digits;      /* borrowed: from the first digit that is not 0; a point may be among them */
    size_t count;     /* significant digits, without zeros at the end; 0: the number is zero */
    int64_t exponent; /* the number is 0.DIGITS times 10 to this */
};

/** Of a number that was scanned; borrows its text. */
struct decimal decimal_of(const struct json_value *number);

/** Below 0, 0, above 0: as @a is less than, equal to, greater than @b. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

/** Whether it is whole: 3, 3.0, 30e-1. */
bool decimal_is_integer(const struct decimal *d);

/** Equal numbers have equal hashes. */
uint64_t decimal_hash(const struct decimal *d);

/** Most significant digits of a divisor. */
#define DECIMAL_DIVISOR_DIGITS 18

/** Whether @d is a whole multiple of @divisor: above zero, within DECIMAL_DIVISOR_DIGITS. */
bool decimal_is_multiple(const struct decimal *d, const struct decimal *divisor);

/** True, with *@out, for a whole number from 0 that fits. */
MUST_CHECK bool decimal_to_size(const struct decimal *d, size_t *out);

#endif
