/* Reading a schema: one function a keyword. */
#include <stdlib.h>
#include <string.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/recipe/json_place.h"
#include "common/recipe/pattern.h"
#include "common/recipe/schema.h"
#include "common/recipe/schema_node.h"

#define DEPTH_MAX 100 /* schemas in schemas */

const char *const schema_type_names[SCHEMA_TYPE_COUNT] = {"null",   "boolean", "integer", "number",
                                                          "string", "array",   "object"};

struct parser {
    struct json_file file;
    struct schema *schema;
    unsigned depth;
    struct err *err;
};

static struct schema_node *parse_node(struct parser *p, const struct json_value *value);

static bool wrong(const struct parser *p, const struct json_value *at, const char *what)
{
    return json_place_fail(&p->file, at->text, p->err, "%s", what);
}

/* Elements or members of a container. */
static size_t count_of(const struct json_value *container)
{
    struct json_iter it = json_iter_begin(container);
    struct json_value value;
    size_t n = 0;

    while (json_iter_next(&it, NULL, &value))
        n++;
    return n;
}

/* One value for each of what @list has; at least one, so that it is never NULL. */
static struct json_value *values_for(const struct json_value *list)
{
    return xcalloc(count_of(list) + 1, sizeof(struct json_value));
}

/* Any value */

static bool unknown_type(const struct parser *p, const struct json_value *value)
{
    static const char needs[] = "type must be null, boolean, integer, number, string, array or "
                                "object, or a list of them";
    char word[80];
    struct nearest near = {.word = word};

    if (json_string_decode_cut(value, word, sizeof(word)) > 0)
        for (size_t i = 0; i < SCHEMA_TYPE_COUNT; i++)
            (void)nearest_look(&near, schema_type_names[i]);
    if (near.name == NULL)
        return wrong(p, value, needs);
    return json_place_fail(&p->file, value->text, p->err, "%s; did you mean \"%s\"?", needs,
                           near.name);
}

static bool add_type(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    for (size_t i = 0; i < SCHEMA_TYPE_COUNT; i++) {
        if (json_string_equals(value, schema_type_names[i])) {
            n->types |= 1u << i;
            return true;
        }
    }
    return unknown_type(p, value);
}

static bool take_type(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value one;

    if (value->kind != JSON_ARRAY)
        return add_type(p, n, value);
    while (json_iter_next(&it, NULL, &one))
        if (!add_type(p, n, &one))
            return false;
    return n->types != 0 || wrong(p, value, "type must name at least one type");
}

static bool take_enum(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);

    if (value->kind != JSON_ARRAY || count_of(value) == 0)
        return wrong(p, value, "enum must be a list of values");
    n->values = values_for(value);
    while (json_iter_next(&it, NULL, &n->values[n->value_count]))
        n->value_count++;
    return true;
}

static bool take_const(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    (void)p;
    n->constant = *value;
    return true;
}

static bool take_list(struct parser *p, struct schema_list *list, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value one;

    if (value->kind != JSON_ARRAY || count_of(value) == 0)
        return wrong(p, value, "expected a list of schemas");
    list->nodes = xcalloc(count_of(value), sizeof(struct schema_node *));
    while (json_iter_next(&it, NULL, &one)) {
        struct schema_node *node = parse_node(p, &one);

        if (node == NULL)
            return false;
        list->nodes[list->count++] = node;
    }
    return true;
}

static bool take_any(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_list(p, &n->any, value);
}

static bool take_one(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_list(p, &n->one, value);
}

static bool take_all(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_list(p, &n->all, value);
}

static bool take_not(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    n->forbidden = parse_node(p, value);
    return n->forbidden != NULL;
}

static bool take_ref(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    if (value->kind != JSON_STRING)
        return wrong(p, value, "$ref must be a string");
    n->ref_text = *value;
    return true;
}

static bool take_definitions(struct parser *p, struct schema_node *n,
                             const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value one;

    (void)n;
    if (value->kind != JSON_OBJECT)
        return wrong(p, value, "definitions must be an object of schemas");
    while (json_iter_next(&it, NULL, &one))
        if (parse_node(p, &one) == NULL)
            return false;
    return true;
}

/* Numbers */

static bool take_bound(struct parser *p, struct schema_node *n, const struct json_value *value,
                       enum schema_bound bound)
{
    if (value->kind != JSON_NUMBER)
        return wrong(p, value, "expected a number");
    n->bound[bound] = *value;
    n->bounds |= 1u << bound;
    return true;
}

static bool take_minimum(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_bound(p, n, value, BOUND_MINIMUM);
}

static bool take_maximum(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_bound(p, n, value, BOUND_MAXIMUM);
}

static bool take_above(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_bound(p, n, value, BOUND_ABOVE);
}

static bool take_below(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_bound(p, n, value, BOUND_BELOW);
}

static bool take_divisor(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    struct decimal d = {0};

    if (value->kind == JSON_NUMBER)
        d = decimal_of(value);
    if (d.count == 0 || d.negative || d.count > DECIMAL_DIVISOR_DIGITS)
        return wrong(p, value, "multipleOf must be a number above 0 with at most 18 digits");
    n->divisor = *value;
    return true;
}

/* How many */

static bool take_size(struct parser *p, size_t *size, const struct json_value *value)
{
    struct decimal d = {.negative = true, .count = 1};

    if (value->kind == JSON_NUMBER)
        d = decimal_of(value);
    return decimal_to_size(&d, size) || wrong(p, value, "expected a whole number from 0");
}

static bool take_min_length(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_size(p, &n->length.min, value);
}

static bool take_max_length(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_size(p, &n->length.max, value);
}

static bool take_min_items(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_size(p, &n->items_range.min, value);
}

static bool take_max_items(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return take_size(p, &n->items_range.max, value);
}

static bool take_min_members(struct parser *p, struct schema_node *n,
                             const struct json_value *value)
{
    return take_size(p, &n->members_range.min, value);
}

static bool take_max_members(struct parser *p, struct schema_node *n,
                             const struct json_value *value)
{
    return take_size(p, &n->members_range.max, value);
}

/* Strings, lists, objects */

static bool take_pattern(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    const char *what = NULL;

    if (value->kind != JSON_STRING)
        return wrong(p, value, "pattern must be a string");
    n->pattern_text = *value;
    n->pattern = pattern_parse(value, &what);
    return n->pattern != NULL ||
           json_place_fail(&p->file, value->text, p->err, "this pattern cannot be used: %s", what);
}

static bool take_items(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    if (value->kind == JSON_ARRAY)
        return wrong(p, value, "items must be one schema; a list of schemas is not supported");
    n->items = parse_node(p, value);
    return n->items != NULL;
}

static bool take_unique(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    if (value->kind != JSON_BOOL)
        return wrong(p, value, "uniqueItems must be true or false");
    n->unique = *value->text == 't';
    return true;
}

static bool take_properties(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value name;
    struct json_value one;

    if (value->kind != JSON_OBJECT)
        return wrong(p, value, "properties must be an object of schemas");
    n->properties = xcalloc(count_of(value) + 1, sizeof(*n->properties));
    while (json_iter_next(&it, &name, &one)) {
        const struct schema_node *node = parse_node(p, &one);

        if (node == NULL)
            return false;
        n->properties[n->property_count++] = (struct schema_property){name, node};
    }
    return true;
}

static bool take_required(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value name;

    if (value->kind != JSON_ARRAY)
        return wrong(p, value, "required must be a list of names");
    n->required = values_for(value);
    while (json_iter_next(&it, NULL, &name)) {
        if (name.kind != JSON_STRING)
            return wrong(p, &name, "required must be a list of names");
        n->required[n->required_count++] = name;
    }
    return true;
}

static bool take_additional(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    n->additional = parse_node(p, value);
    return n->additional != NULL;
}

static bool take_nothing(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    (void)p;
    (void)n;
    (void)value;
    return true;
}

/* A nested $id begins a schema of its own, against which the $refs in it would be resolved. */
/* cppcheck-suppress constParameter ; as the table below has it */
static bool take_id(struct parser *p, struct schema_node *n, const struct json_value *value)
{
    return n == p->schema->nodes[0] ||
           wrong(p, value, "$id is supported at the top of a schema only");
}

struct keyword {
    const char *name;
    bool (*take)(struct parser *, struct schema_node *, const struct json_value *);
    bool beside_ref; /* may stand beside $ref */
};

static const struct keyword keywords[] = {
    {"type",                 take_type,        false},
    {"enum",                 take_enum,        false},
    {"const",                take_const,       false},
    {"anyOf",                take_any,         false},
    {"oneOf",                take_one,         false},
    {"allOf",                take_all,         false},
    {"not",                  take_not,         false},
    {"$ref",                 take_ref,         true },
    {"$defs",                take_definitions, true },
    {"definitions",          take_definitions, true },
    {"minimum",              take_minimum,     false},
    {"maximum",              take_maximum,     false},
    {"exclusiveMinimum",     take_above,       false},
    {"exclusiveMaximum",     take_below,       false},
    {"multipleOf",           take_divisor,     false},
    {"minLength",            take_min_length,  false},
    {"maxLength",            take_max_length,  false},
    {"pattern",              take_pattern,     false},
    {"items",                take_items,       false},
    {"minItems",             take_min_items,   false},
    {"maxItems",             take_max_items,   false},
    {"uniqueItems",          take_unique,      false},
    {"properties",           take_properties,  false},
    {"required",             take_required,    false},
    {"additionalProperties", take_additional,  false},
    {"minProperties",        take_min_members, false},
    {"maxProperties",        take_max_members, false},
    {"title",                take_nothing,     true },
    {"description",          take_nothing,     true },
    {"default",              take_nothing,     true },
    {"examples",             take_nothing,     true },
    {"format",               take_nothing,     true },
    {"deprecated",           take_nothing,     true },
    {"readOnly",             take_nothing,     true },
    {"writeOnly",            take_nothing,     true },
    {"$schema",              take_nothing,     true },
    {"$id",                  take_id,          true },
    {"$anchor",              take_nothing,     true },
    {"$comment",             take_nothing,     true },
    {"contentEncoding",      take_nothing,     true },
    {"contentMediaType",     take_nothing,     true },
};

/* What JSON Schema has and this subset does not. */
static const char *const unsupported[] = {
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "additionalItems",
    "contains",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "id",
    "if",
    "maxContains",
    "minContains",
    "prefixItems",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
};

static const struct keyword *find_keyword(const struct json_value *name)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        if (json_string_equals(name, keywords[i].name))
            return &keywords[i];
    return NULL;
}

static bool unknown_keyword(struct parser *p, const struct json_value *name)
{
    char word[80];
    struct nearest near = {.word = word};

    (void)json_string_decode_cut(name, word, sizeof(word));
    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++)
        if (strcmp(word, unsupported[i]) == 0)
            return json_place_fail(&p->file, name->text, p->err,
                                   "the keyword \"%s\" is not supported", word);
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
        (void)nearest_look(&near, keywords[i].name);
    if (near.name == NULL)
        return json_place_fail(&p->file, name->text, p->err, "unknown keyword \"%s\"", word);
    return json_place_fail(&p->file, name->text, p->err,
                           "unknown keyword \"%s\"; did you mean \"%s\"?", word, near.name);
}

static bool take_keywords(struct parser *p, struct schema_node *n)
{
    struct json_iter it = json_iter_begin(&n->at);
    bool has_ref = json_member(&n->at, "$ref").kind != JSON_ABSENT;
    struct json_value name;
    struct json_value value;
    uint64_t seen = 0; /* keywords, one bit each */

    _Static_assert(ARRAY_LEN(keywords) <= 64, "a bit for each keyword");
    while (json_iter_next(&it, &name, &value)) {
        const struct keyword *k = find_keyword(&name);

        if (k == NULL)
            return unknown_keyword(p, &name);
        if ((seen >> (k - keywords) & 1) != 0)
            return json_place_fail(&p->file, name.text, p->err, "\"%s\" is there twice", k->name);
        seen |= (uint64_t)1 << (k - keywords);
        if (has_ref && !k->beside_ref)
            return json_place_fail(&p->file, name.text, p->err,
                                   "\"%s\" beside $ref is not supported; use allOf", k->name);
        if (!k->take(p, n, &value))
            return false;
    }
    return true;
}

static struct schema_node *add_node(struct schema *schema, const struct json_value *at)
{
    struct schema_node *n = xcalloc(1, sizeof(*n));

    if (schema->count % 16 == 0)
        schema->nodes = xrealloc(schema->nodes, schema->count + 16, sizeof(struct schema_node *));
    n->at = *at;
    n->length.max = SIZE_MAX;
    n->items_range.max = SIZE_MAX;
    n->members_range.max = SIZE_MAX;
    schema->nodes[schema->count++] = n;
    return n;
}

/* The schema keeps the node, also one that is broken. NULL with the error. */
static struct schema_node *parse_node(struct parser *p, const struct json_value *value)
{
    struct schema_node *n = add_node(p->schema, value);
    bool ok = true;

    n->never = value->kind == JSON_BOOL && *value->text == 'f';
    if (value->kind == JSON_OBJECT) {
        if (++p->depth > DEPTH_MAX)
            ok = wrong(p, value, "schemas are nested too deeply");
        ok = ok && take_keywords(p, n);
        p->depth--;
    } else if (value->kind != JSON_BOOL) {
        ok = wrong(p, value, "a schema must be an object, true or false");
    }
    return ok ? n : NULL;
}

struct schema *schema_parse(const char *name, const char *text, size_t len, struct err *err)
{
    struct schema *schema = xcalloc(1, sizeof(*schema));
    struct parser p = {.schema = schema, .err = err};
    struct json_value root;

    schema->text = xstrndup(text, len);
    schema->len = len;
    p.file = (struct json_file){name, schema->text, len};
    if (json_place_scan(&p.file, &root, err) && parse_node(&p, &root) != NULL &&
        schema_resolve(schema, name, err))
        return schema;
    schema_free(schema);
    return NULL;
}

static void free_node(struct schema_node *n)
{
    free(n->values);
    pattern_free(n->pattern);
    free(n->properties);
    free(n->required);
    free(n->all.nodes);
    free(n->any.nodes);
    free(n->one.nodes);
    free(n);
}

void schema_free(struct schema *schema)
{
    if (schema == NULL)
        return;
    for (size_t i = 0; i < schema->count; i++)
        free_node(schema->nodes[i]);
    free(schema->nodes);
    free(schema->text);
    free(schema);
}
