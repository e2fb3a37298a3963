/* Checking an answer. The way to each place is kept on the stack and written only when asked. */
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/recipe/json_chars.h"
#include "common/recipe/json_equal.h"
#include "common/recipe/json_path.h"
#include "common/recipe/pattern.h"
#include "common/recipe/schema.h"
#include "common/recipe/schema_node.h"

/*
 * Values looked at, anyOf and recursion may look at one often, and bytes passed over on the way to
 * those in them. About half a second.
 */
#define WORK_MAX     4000000
#define BYTES_PASSED 256 /* one of work */

/* Schemas applied inside one another: two for each level of the deepest value, and some. */
#define DEPTH_MAX 2200

/* What needs room on the stack does not become a part of what calls itself. */
#define NOT_INLINE __attribute__((noinline))

struct checker {
    size_t work;    /* left */
    unsigned depth; /* of check() in check() */
    char *why;      /* WHY_MAX bytes; NULL while nobody asks */
};

static bool check(struct checker *c, const struct schema_node *n, const struct json_value *value,
                  const struct json_path *place);

static bool spend(struct checker *c, size_t work)
{
    c->work -= work < c->work ? work : c->work;
    return c->work > 0;
}

static bool fail(const struct checker *c, const struct json_path *place, const char *words)
{
    return json_path_fail(place, c->why, words);
}

static bool fail_got(const struct checker *c, const struct json_path *place, const char *expected,
                     const struct json_value *value)
{
    return json_path_fail_got(place, c->why, expected, value);
}

/* Types and values */

static unsigned types_of(const struct json_value *value, unsigned asked)
{
    struct decimal d;

    switch (value->kind) {
    case JSON_ABSENT: return 0;
    case JSON_NULL: return 1u << SCHEMA_NULL;
    case JSON_BOOL: return 1u << SCHEMA_BOOLEAN;
    case JSON_STRING: return 1u << SCHEMA_STRING;
    case JSON_ARRAY: return 1u << SCHEMA_ARRAY;
    case JSON_OBJECT: return 1u << SCHEMA_OBJECT;
    case JSON_NUMBER: break;
    }
    if ((asked & 1u << SCHEMA_INTEGER) == 0)
        return 1u << SCHEMA_NUMBER;
    d = decimal_of(value);
    return 1u << SCHEMA_NUMBER | (decimal_is_integer(&d) ? 1u << SCHEMA_INTEGER : 0);
}

NOT_INLINE static bool fail_type(const struct checker *c, const struct schema_node *n,
                                 const struct json_value *value, const struct json_path *place)
{
    struct buf words = BUF_INIT(120);
    const char *before = "expected ";

    if (c->why == NULL)
        return false;
    for (unsigned i = 0; i < SCHEMA_TYPE_COUNT; i++) {
        const char *name = schema_type_names[i];
        const char *article = strchr("aio", name[0]) != NULL ? "an " : "a ";

        if ((n->types >> i & 1) == 0)
            continue;
        if (i == SCHEMA_NULL)
            article = "";
        (void)!buf_printf(&words, "%s%s%s", before, article, name);
        before = " or ";
    }
    (void)fail_got(c, place, words.data, value);
    buf_release(&words);
    return false;
}

NOT_INLINE static bool fail_enum(const struct checker *c, const struct schema_node *n,
                                 const struct json_value *value, const struct json_path *place)
{
    struct buf words = BUF_INIT(140);

    if (c->why == NULL)
        return false;
    (void)!buf_printf(&words, "expected one of ");
    for (size_t i = 0; i < n->value_count; i++) {
        if (!buf_printf(&words, "%s%.*s", i > 0 ? ", " : "", (int)n->values[i].len,
                        n->values[i].text)) {
            (void)!buf_printf(&words, "%s...", i > 0 ? ", " : "");
            break;
        }
    }
    (void)fail_got(c, place, words.data, value);
    buf_release(&words);
    return false;
}

NOT_INLINE static bool check_enum(struct checker *c, const struct schema_node *n,
                                  const struct json_value *value, const struct json_path *place)
{
    if (!spend(c, n->value_count / 8))
        return false;
    for (size_t i = 0; i < n->value_count; i++)
        if (json_equal_within(&n->values[i], value, &c->work))
            return true;
    return fail_enum(c, n, value, place);
}

NOT_INLINE static bool check_const(struct checker *c, const struct schema_node *n,
                                   const struct json_value *value, const struct json_path *place)
{
    char shown[JSON_SHOWN_MAX];
    char words[WHY_MAX];

    if (json_equal_within(&n->constant, value, &c->work))
        return true;
    if (c->why == NULL)
        return false;
    (void)why_set(words, "expected %s", json_show(&n->constant, shown));
    return fail_got(c, place, words, value);
}

/* Numbers */

static bool within(enum schema_bound bound, int order)
{
    switch (bound) {
    case BOUND_MINIMUM: return order >= 0;
    case BOUND_MAXIMUM: return order <= 0;
    case BOUND_ABOVE: return order > 0;
    case BOUND_BELOW: return order < 0;
    }
    return false;
}

NOT_INLINE static bool check_number(const struct checker *c, const struct schema_node *n,
                                    const struct json_value *value, const struct json_path *place)
{
    static const char *const words[SCHEMA_BOUND_COUNT] = {"at least", "at most", "more than",
                                                          "less than"};
    char expected[JSON_SHOWN_MAX];
    struct decimal d = decimal_of(value);

    for (unsigned i = 0; i < SCHEMA_BOUND_COUNT && n->bounds != 0; i++) {
        if ((n->bounds >> i & 1) == 0)
            continue;

        struct decimal limit = decimal_of(&n->bound[i]);

        if (within((enum schema_bound)i, decimal_compare(&d, &limit)))
            continue;
        (void)snprintf(expected, sizeof(expected), "expected %s %.*s", words[i],
                       (int)n->bound[i].len, n->bound[i].text);
        return fail_got(c, place, expected, value);
    }
    if (n->divisor.kind == JSON_ABSENT)
        return true;

    struct decimal divisor = decimal_of(&n->divisor);

    if (decimal_is_multiple(&d, &divisor))
        return true;
    (void)snprintf(expected, sizeof(expected), "expected a multiple of %.*s", (int)n->divisor.len,
                   n->divisor.text);
    return fail_got(c, place, expected, value);
}

/* How many */

NOT_INLINE static bool check_range(const struct checker *c, const struct schema_range *range,
                                   size_t count, const char *unit, const struct json_path *place)
{
    char words[JSON_SHOWN_MAX];
    bool few = count < range->min;
    size_t limit = few ? range->min : range->max;

    if (count >= range->min && count <= range->max)
        return true;
    (void)snprintf(words, sizeof(words), "expected at %s %zu %s%s, got %zu", few ? "least" : "most",
                   limit, unit, limit == 1 ? "" : "s", count);
    return fail(c, place, words);
}

NOT_INLINE static bool check_string(struct checker *c, const struct schema_node *n,
                                    const struct json_value *value, const struct json_path *place)
{
    char expected[WHY_MAX];

    if ((n->length.min > 0 || n->length.max != SIZE_MAX) &&
        !check_range(c, &n->length, json_chars_count(value), "character", place))
        return false;
    if (n->pattern == NULL)
        return true;
    if (!spend(c, value->len * pattern_steps(n->pattern) / 64))
        return false;
    if (pattern_match(n->pattern, value))
        return true;
    (void)why_set(expected, "expected a match of %.*s",
                  (int)(n->pattern_text.len < 80 ? n->pattern_text.len : 80), n->pattern_text.text);
    return fail_got(c, place, expected, value);
}

/* Lists */

struct hashed {
    uint64_t hash;
    struct json_value value;
};

static int compare_hashes(const void *a, const void *b)
{
    const struct hashed *left = a;
    const struct hashed *right = b;

    return (left->hash > right->hash) - (left->hash < right->hash);
}

/* Of @count values ordered by hash: two that are equal, or not. */
static bool has_equals(struct checker *c, const struct hashed *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count && values[j].hash == values[i].hash; j++)
            if (!spend(c, 1) || json_equal_within(&values[i].value, &values[j].value, &c->work))
                return true;
    return false;
}

NOT_INLINE static bool check_unique(struct checker *c, const struct json_value *list, size_t count,
                                    const struct json_path *place)
{
    struct json_iter it = json_iter_begin(list);
    struct hashed few[16];
    struct hashed *values = few;
    struct json_value value;
    bool equal = false;

    if (count > ARRAY_LEN(few))
        values = xcalloc(count, sizeof(*values));
    for (size_t i = 0; json_iter_next(&it, NULL, &value); i++)
        values[i] = (struct hashed){json_hash(&value, &c->work), value};
    qsort(values, count, sizeof(*values), compare_hashes);
    equal = has_equals(c, values, count);
    if (values != few)
        free(values);
    return !equal || fail(c, place, "expected elements that differ, got one twice");
}

/* NOLINTBEGIN(misc-no-recursion): up to DEPTH_MAX */
static bool check_list(struct checker *c, const struct schema_node *n,
                       const struct json_value *list, const struct json_path *place)
{
    struct json_iter it = json_iter_begin(list);
    struct json_path here = {.up = place};
    struct json_value value;
    size_t count = 0;

    for (; json_iter_next(&it, NULL, &value); count++) {
        here.index = count;
        if (n->items != NULL && !check(c, n->items, &value, &here))
            return false;
    }
    return check_range(c, &n->items_range, count, "element", place) &&
           (!n->unique || count < 2 ||
            (spend(c, list->len / 8) && check_unique(c, list, count, place)));
}

/* Objects */

static const struct schema_node *node_of(const struct schema_node *n, const struct json_value *name)
{
    for (size_t i = 0; i < n->property_count; i++)
        if (json_equal(&n->properties[i].name, name))
            return n->properties[i].node;
    return n->additional;
}

static bool has_member(const struct json_value *object, const struct json_value *wanted)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;

    while (json_iter_next(&it, &name, &value))
        if (json_equal(&name, wanted))
            return true;
    return false;
}

static bool check_required(struct checker *c, const struct schema_node *n,
                           const struct json_value *object, size_t count,
                           const struct json_path *place)
{
    for (size_t i = 0; i < n->required_count; i++) {
        struct json_path there = {.up = place, .name = &n->required[i]};

        if (!spend(c, count / 8))
            return false;
        if (!has_member(object, &n->required[i]))
            return fail(c, &there, "is missing");
    }
    return true;
}

static bool check_object(struct checker *c, const struct schema_node *n,
                         const struct json_value *object, const struct json_path *place)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    struct json_path here = {.up = place, .name = &name};
    size_t count = 0;

    for (; json_iter_next(&it, &name, &value); count++) {
        const struct schema_node *member = node_of(n, &name);

        if (!spend(c, n->property_count / 8))
            return false;
        if (member != NULL && member == n->additional && member->never)
            return fail(c, &here, "such a member is not allowed");
        if (member != NULL && !check(c, member, &value, &here))
            return false;
    }
    return check_range(c, &n->members_range, count, "member", place) &&
           check_required(c, n, object, count, place);
}

/* Schemas in schemas */

static bool check_all(struct checker *c, const struct schema_node *n,
                      const struct json_value *value, const struct json_path *place)
{
    for (size_t i = 0; i < n->all.count; i++)
        if (!check(c, n->all.nodes[i], value, place))
            return false;
    return true;
}

/* How many of @list fit; stops behind the second. Nobody asks why one does not. */
static size_t count_fits(struct checker *c, const struct schema_list *list,
                         const struct json_value *value, const struct json_path *place)
{
    char *why = c->why;
    size_t fits = 0;

    c->why = NULL;
    for (size_t i = 0; i < list->count && fits < 2; i++)
        if (check(c, list->nodes[i], value, place))
            fits++;
    c->why = why;
    return fits;
}

/* None fits: say so with what is wrong by the first one that takes a value of this type. */
NOT_INLINE static bool fail_choice(struct checker *c, const struct schema_list *list,
                                   const struct json_value *value, const struct json_path *place)
{
    if (c->why == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const struct schema_node *n =
            list->nodes[i]->ref != NULL ? list->nodes[i]->ref : list->nodes[i];

        if (n->types != 0 && (n->types & types_of(value, n->types)) != 0)
            return check(c, n, value, place);
    }
    return fail_got(c, place, "expected a value that fits one of the schemas", value);
}

static bool check_choices(struct checker *c, const struct schema_node *n,
                          const struct json_value *value, const struct json_path *place)
{
    if (n->any.count > 0 && count_fits(c, &n->any, value, place) == 0)
        return fail_choice(c, &n->any, value, place);
    if (n->one.count > 0) {
        size_t fits = count_fits(c, &n->one, value, place);

        if (fits == 0)
            return fail_choice(c, &n->one, value, place);
        if (fits > 1)
            return fail(c, place, "expected a value that fits only one of the schemas");
    }
    return true;
}

static bool check_not(struct checker *c, const struct schema_node *n,
                      const struct json_value *value, const struct json_path *place)
{
    char *why = c->why;
    bool fits = false;

    if (n->forbidden == NULL)
        return true;
    c->why = NULL;
    fits = check(c, n->forbidden, value, place);
    c->why = why;
    return !fits || fail_got(c, place, "expected a value that does not fit", value);
}

static bool check_parts(struct checker *c, const struct schema_node *n,
                        const struct json_value *value, const struct json_path *place)
{
    switch (value->kind) {
    case JSON_NUMBER: return check_number(c, n, value, place);
    case JSON_STRING: return check_string(c, n, value, place);
    case JSON_ARRAY: return check_list(c, n, value, place);
    case JSON_OBJECT: return check_object(c, n, value, place);
    case JSON_ABSENT:
    case JSON_NULL:
    case JSON_BOOL: break;
    }
    return true;
}

static bool check_node(struct checker *c, const struct schema_node *n,
                       const struct json_value *value, const struct json_path *place)
{
    if (n->never)
        return fail_got(c, place, "expected nothing", value);
    if (n->ref != NULL)
        return check(c, n->ref, value, place);
    if (n->types != 0 && (n->types & types_of(value, n->types)) == 0)
        return fail_type(c, n, value, place);
    if (n->value_count > 0 && !check_enum(c, n, value, place))
        return false;
    if (n->constant.kind != JSON_ABSENT && !check_const(c, n, value, place))
        return false;
    return check_parts(c, n, value, place) && check_all(c, n, value, place) &&
           check_choices(c, n, value, place) && check_not(c, n, value, place);
}

static bool check(struct checker *c, const struct schema_node *n, const struct json_value *value,
                  const struct json_path *place)
{
    bool ok = false;

    if (c->depth == DEPTH_MAX)
        c->work = 0;
    if (!spend(c, value->len / BYTES_PASSED + 1))
        return false;
    c->depth++;
    ok = check_node(c, n, value, place);
    c->depth--;
    return ok;
}

/* NOLINTEND(misc-no-recursion) */

bool schema_check(const struct schema *schema, const struct json_value *value, char why[WHY_MAX])
{
    struct checker c = {.work = WORK_MAX, .why = why};
    struct json_path root = {.up = NULL};
    bool ok = check(&c, schema->nodes[0], value, &root);

    if (c.work > 0)
        return ok;
    return why_set(why, "it takes too much to check this answer");
}
