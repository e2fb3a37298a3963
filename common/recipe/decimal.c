#include "common/recipe/decimal.h"

#include "common/json/scan.h"

#define EXPONENT_MAX 1000000000000000 /* so that sums of exponents and lengths cannot overflow */

/* The number behind "e"; @p is at its sign or first digit. */
static int64_t read_exponent(const char *p, const char *end)
{
    int64_t n = 0;
    bool negative = *p == '-';

    if (*p == '-' || *p == '+')
        p++;
    for (; p < end; p++)
        if (n < EXPONENT_MAX)
            n = n * 10 + (*p - '0');
    if (n > EXPONENT_MAX)
        n = EXPONENT_MAX;
    return negative ? -n : n;
}

/* One digit more; @seen counts them from the first significant one. */
static void read_digit(struct decimal *d, const char *p, bool fraction, size_t *seen)
{
    if (d->digits == NULL && *p == '0') {
        d->exponent -= fraction ? 1 : 0;
        return;
    }
    if (d->digits == NULL)
        d->digits = p;
    ++*seen;
    if (*p != '0')
        d->count = *seen;
    d->exponent += fraction ? 0 : 1;
}

struct decimal decimal_of(const struct json_value *number)
{
    const char *p = number->text;
    const char *end = p + number->len;
    struct decimal d = {.negative = *p == '-'};
    size_t seen = 0;
    bool fraction = false;

    if (d.negative)
        p++;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.')
            fraction = true;
        else
            read_digit(&d, p, fraction, &seen);
    }
    if (d.digits == NULL)
        return (struct decimal){0}; /* -0 is 0 */
    if (p < end)
        d.exponent += read_exponent(p + 1, end);
    return d;
}

/* The next digit; the caller counts them. */
static int take_digit(const char **p)
{
    if (**p == '.')
        ++*p;
    return *(*p)++ - '0';
}

/* Both not zero, signs aside. */
static int compare_size(const struct decimal *a, const struct decimal *b)
{
    const char *p = a->digits;
    const char *q = b->digits;

    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int difference = take_digit(&p) - take_digit(&q);

        if (difference != 0)
            return difference;
    }
    return (a->count > b->count) - (a->count < b->count);
}

static int sign(const struct decimal *d)
{
    if (d->count == 0)
        return 0;
    return d->negative ? -1 : 1;
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    if (sign(a) != sign(b))
        return sign(a) - sign(b);
    return sign(a) == 0 ? 0 : sign(a) * compare_size(a, b);
}

bool decimal_is_integer(const struct decimal *d)
{
    return d->count == 0 || d->exponent >= (int64_t)d->count;
}

uint64_t decimal_hash(const struct decimal *d)
{
    const char *p = d->digits;
    uint64_t h = (uint64_t)d->exponent * 2 + (d->negative ? 1 : 0);

    for (size_t i = 0; i < d->count; i++)
        h = (h ^ (uint64_t)take_digit(&p)) * 0x100000001B3;
    return h;
}

static uint64_t digits_modulo(const struct decimal *d, uint64_t modulus)
{
    const char *p = d->digits;
    uint64_t rest = 0; /* below 10^18, so ten times that fits */

    for (size_t i = 0; i < d->count; i++)
        rest = (rest * 10 + (uint64_t)take_digit(&p)) % modulus;
    return rest;
}

/*
 * As integers D, M without zeros at their ends: is D * 10^d a multiple of M * 10^m? With d < m
 * never, because D does not end in 0. Else M has to divide D * 10^(d-m); M below 10^18 has no more
 * than 59 factors of 2 or 5, so that further tens change nothing.
 */
bool decimal_is_multiple(const struct decimal *d, const struct decimal *divisor)
{
    int64_t tens =
        (d->exponent - (int64_t)d->count) - (divisor->exponent - (int64_t)divisor->count);
    uint64_t modulus = digits_modulo(divisor, UINT64_MAX);
    uint64_t rest = 0;

    if (d->count == 0)
        return true;
    if (tens < 0 || modulus == 0)
        return false;
    rest = digits_modulo(d, modulus);
    for (int64_t i = 0; i < tens && i < 60; i++)
        rest = rest * 10 % modulus;
    return rest == 0;
}

bool decimal_to_size(const struct decimal *d, size_t *out)
{
    const char *p = d->digits;
    size_t n = 0;

    if (sign(d) < 0 || !decimal_is_integer(d) || d->exponent > 18)
        return false;
    for (int64_t i = 0; d->count > 0 && i < d->exponent; i++)
        n = n * 10 + (i < (int64_t)d->count ? (size_t)take_digit(&p) : 0);
    *out = n;
    return true;
}
