#include "common/recipe/json_equal.h"

#include <string.h>

#include "common/json/scan.h"
#include "common/recipe/decimal.h"
#include "common/recipe/json_chars.h"

static bool strings_equal(const struct json_value *a, const struct json_value *b)
{
    struct json_chars left = json_chars_begin(a);
    struct json_chars right = json_chars_begin(b);
    uint32_t c = 0;
    uint32_t d = 0;

    if (a->len == b->len && memcmp(a->text, b->text, a->len) == 0)
        return true;
    if (memchr(a->text, '\\', a->len) == NULL && memchr(b->text, '\\', b->len) == NULL)
        return false;
    while (json_chars_next(&left, &c))
        if (!json_chars_next(&right, &d) || c != d)
            return false;
    return !json_chars_next(&right, &d);
}

static bool numbers_equal(const struct json_value *a, const struct json_value *b)
{
    struct decimal left = decimal_of(a);
    struct decimal right = decimal_of(b);

    return decimal_compare(&left, &right) == 0;
}

/* The value of the last member with that name; absent when there is none. */
static struct json_value find(const struct json_value *object, const struct json_value *wanted)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value found = {.kind = JSON_ABSENT};
    struct json_value name;
    struct json_value value;

    while (json_iter_next(&it, &name, &value))
        if (strings_equal(&name, wanted))
            found = value;
    return found;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as JSON, up to JSON_DEPTH_MAX */
/* Whether each member of @a is in @b and, with @deep, has the same value there. */
static bool members_in(const struct json_value *a, const struct json_value *b, bool deep)
{
    struct json_iter it = json_iter_begin(a);
    struct json_value name;
    struct json_value value;

    while (json_iter_next(&it, &name, &value)) {
        struct json_value other = find(b, &name);

        if (other.kind == JSON_ABSENT)
            return false;
        if (!deep)
            continue;
        value = find(a, &name); /* of repeated names the last one counts */
        if (!json_equal(&value, &other))
            return false;
    }
    return true;
}

static bool lists_equal(const struct json_value *a, const struct json_value *b)
{
    struct json_iter left = json_iter_begin(a);
    struct json_iter right = json_iter_begin(b);
    struct json_value x;
    struct json_value y;

    while (json_iter_next(&left, NULL, &x))
        if (!json_iter_next(&right, NULL, &y) || !json_equal(&x, &y))
            return false;
    return !json_iter_next(&right, NULL, &y);
}

bool json_equal(const struct json_value *a, const struct json_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JSON_ABSENT:
    case JSON_NULL: return true;
    case JSON_BOOL: return *a->text == *b->text;
    case JSON_NUMBER: return numbers_equal(a, b);
    case JSON_STRING: return strings_equal(a, b);
    case JSON_ARRAY: return lists_equal(a, b);
    case JSON_OBJECT: return members_in(a, b, true) && members_in(b, a, false);
    }
    return false;
}

static uint64_t mix(uint64_t h, uint64_t n)
{
    h = (h ^ n) * 0x9E3779B97F4A7C15;
    return h ^ h >> 29;
}

static uint64_t hash_string(const struct json_value *string)
{
    struct json_chars chars = json_chars_begin(string);
    uint64_t h = 5;
    uint32_t c = 0;

    while (json_chars_next(&chars, &c))
        h = mix(h, c);
    return h;
}

/* A sum, whatever the order. */
static uint64_t hash_object(const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    uint64_t sum = 0;

    while (json_iter_next(&it, &name, &value))
        sum += mix(hash_string(&name), json_hash(&value));
    return mix(7, sum);
}

static uint64_t hash_list(const struct json_value *list)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value value;
    uint64_t h = 6;

    while (json_iter_next(&it, NULL, &value))
        h = mix(h, json_hash(&value));
    return h;
}

uint64_t json_hash(const struct json_value *value)
{
    struct decimal d;

    switch (value->kind) {
    case JSON_ABSENT:
    case JSON_NULL: return 1;
    case JSON_BOOL: return *value->text == 't' ? 2 : 3;
    case JSON_NUMBER: d = decimal_of(value); return mix(4, decimal_hash(&d));
    case JSON_STRING: return hash_string(value);
    case JSON_ARRAY: return hash_list(value);
    case JSON_OBJECT: return hash_object(value);
    }
    return 0;
}
/* NOLINTEND(misc-no-recursion) */
