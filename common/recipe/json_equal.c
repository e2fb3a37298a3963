#include "common/recipe/json_equal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/recipe/decimal.h"
#include "common/recipe/json_chars.h"

/* Bytes that are one unit of work: of what is looked at once, and of members, which are ordered. */
#define BYTES_LOOKED_AT 64
#define BYTES_ORDERED   16

static bool spend(size_t *work, size_t units)
{
    *work -= units < *work ? units : *work;
    return *work > 0;
}

/* By the characters that they decode to. */
static int compare_strings(const struct json_value *a, const struct json_value *b)
{
    struct json_chars left = json_chars_begin(a);
    struct json_chars right = json_chars_begin(b);
    uint32_t c = 0;
    uint32_t d = 0;

    while (json_chars_next(&left, &c)) {
        if (!json_chars_next(&right, &d))
            return 1;
        if (c != d)
            return c < d ? -1 : 1;
    }
    return json_chars_next(&right, &d) ? -1 : 0;
}

static bool strings_equal(const struct json_value *a, const struct json_value *b)
{
    if (a->len == b->len && memcmp(a->text, b->text, a->len) == 0)
        return true;
    if (memchr(a->text, '\\', a->len) == NULL && memchr(b->text, '\\', b->len) == NULL)
        return false;
    return compare_strings(a, b) == 0;
}

static bool numbers_equal(const struct json_value *a, const struct json_value *b)
{
    struct decimal left = decimal_of(a);
    struct decimal right = decimal_of(b);

    return decimal_compare(&left, &right) == 0;
}

struct member {
    struct json_value name, value;
};

/* By name, those of one name as they stand. */
static int compare_members(const void *a, const void *b)
{
    const struct member *left = a;
    const struct member *right = b;
    int order = compare_strings(&left->name, &right->name);

    if (order != 0)
        return order;
    return (left->name.text > right->name.text) - (left->name.text < right->name.text);
}

/* The members in order, of repeated names the last one; to be freed. */
static struct member *order_members(const struct json_value *object, size_t *count)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    struct member *members = NULL;
    size_t n = 0;

    while (json_iter_next(&it, &name, &value))
        n++;
    members = xcalloc(n + 1, sizeof(*members));
    it = json_iter_begin(object);
    for (size_t i = 0; json_iter_next(&it, &name, &value); i++)
        members[i] = (struct member){name, value};
    qsort(members, n, sizeof(*members), compare_members);
    *count = 0;
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || compare_strings(&members[i].name, &members[i + 1].name) != 0)
            members[(*count)++] = members[i];
    return members;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as JSON, up to JSON_DEPTH_MAX */
static bool objects_equal(const struct json_value *a, const struct json_value *b, size_t *work)
{
    size_t left_count = 0;
    size_t right_count = 0;
    struct member *left = NULL;
    struct member *right = NULL;
    bool equal = false;

    if (!spend(work, (a->len + b->len) / BYTES_ORDERED + 1))
        return false;
    left = order_members(a, &left_count);
    right = order_members(b, &right_count);
    equal = left_count == right_count;
    for (size_t i = 0; equal && i < left_count; i++)
        equal = compare_strings(&left[i].name, &right[i].name) == 0 &&
                json_equal_within(&left[i].value, &right[i].value, work);
    free(left);
    free(right);
    return equal;
}

static bool lists_equal(const struct json_value *a, const struct json_value *b, size_t *work)
{
    struct json_iter left = json_iter_begin(a);
    struct json_iter right = json_iter_begin(b);
    struct json_value x;
    struct json_value y;

    while (json_iter_next(&left, NULL, &x))
        if (!json_iter_next(&right, NULL, &y) || !json_equal_within(&x, &y, work))
            return false;
    return !json_iter_next(&right, NULL, &y);
}

bool json_equal_within(const struct json_value *a, const struct json_value *b, size_t *work)
{
    if (a->kind != b->kind || !spend(work, (a->len + b->len) / BYTES_LOOKED_AT))
        return false;
    switch (a->kind) {
    case JSON_ABSENT:
    case JSON_NULL: return true;
    case JSON_BOOL: return *a->text == *b->text;
    case JSON_NUMBER: return numbers_equal(a, b);
    case JSON_STRING: return strings_equal(a, b);
    case JSON_ARRAY: return lists_equal(a, b, work);
    case JSON_OBJECT: return objects_equal(a, b, work);
    }
    return false;
}

bool json_equal(const struct json_value *a, const struct json_value *b)
{
    size_t work = SIZE_MAX;

    return json_equal_within(a, b, &work);
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
static uint64_t hash_object(const struct json_value *object, size_t *work)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    uint64_t sum = 0;

    while (json_iter_next(&it, &name, &value))
        sum += mix(hash_string(&name), json_hash(&value, work));
    return mix(7, sum);
}

static uint64_t hash_list(const struct json_value *list, size_t *work)
{
    struct json_iter it = json_iter_begin(list);
    struct json_value value;
    uint64_t h = 6;

    while (json_iter_next(&it, NULL, &value))
        h = mix(h, json_hash(&value, work));
    return h;
}

uint64_t json_hash(const struct json_value *value, size_t *work)
{
    struct decimal d;

    if (!spend(work, value->len / BYTES_LOOKED_AT))
        return 0;
    switch (value->kind) {
    case JSON_ABSENT:
    case JSON_NULL: return 1;
    case JSON_BOOL: return *value->text == 't' ? 2 : 3;
    case JSON_NUMBER: d = decimal_of(value); return mix(4, decimal_hash(&d));
    case JSON_STRING: return hash_string(value);
    case JSON_ARRAY: return hash_list(value, work);
    case JSON_OBJECT: return hash_object(value, work);
    }
    return 0;
}
/* NOLINTEND(misc-no-recursion) */
