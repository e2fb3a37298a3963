#ifndef RECIPE_SCHEMA_NODE_H
#define RECIPE_SCHEMA_NODE_H

/* Between the files of schema.h: a schema as it is kept. */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/json/scan.h"
#include "common/recipe/decimal.h"

struct pattern;
struct err;

/** The words of `type`, in the order of their names. */
enum schema_type {
    SCHEMA_NULL,
    SCHEMA_BOOLEAN,
    SCHEMA_INTEGER,
    SCHEMA_NUMBER,
    SCHEMA_STRING,
    SCHEMA_ARRAY,
    SCHEMA_OBJECT,
};

#define SCHEMA_TYPE_COUNT 7

/** Bounds of numbers, as bits and as places in struct schema_node. */
enum schema_bound { BOUND_MINIMUM, BOUND_MAXIMUM, BOUND_ABOVE, BOUND_BELOW };

#define SCHEMA_BOUND_COUNT 4

/** From and to how many: of code points, elements, members. */
struct schema_range {
    size_t min, max; /* SIZE_MAX: no end */
};

struct schema_property {
    struct json_value name;
    const struct schema_node *node;
};

struct schema_list {
    struct schema_node **nodes; /* the list is owned, the nodes are not */
    size_t count;
};

/** One schema. Values and texts are borrowed from the text of struct schema. */
struct schema_node {
    struct json_value at;      /* the schema itself */
    bool never;                /* false: nothing is valid */
    unsigned types;            /* bits 1u << enum schema_type; 0: any */
    struct json_value *values; /* owned: of enum */
    size_t value_count;
    struct json_value constant; /* absent: there is none */
    unsigned bounds;            /* bits 1u << enum schema_bound */
    struct json_value bound[SCHEMA_BOUND_COUNT];
    struct json_value divisor; /* absent: there is none */
    struct schema_range length, items_range, members_range;
    struct pattern *pattern; /* owned */
    struct json_value pattern_text;
    bool unique;
    struct schema_property *properties; /* owned */
    size_t property_count;
    struct json_value *required; /* owned */
    size_t required_count;
    const struct schema_node *additional, *items;
    struct schema_node *forbidden; /* of not */
    struct schema_list all, any, one;
    struct json_value ref_text; /* absent: there is no $ref */
    struct schema_node *ref;
    bool open, done; /* while loops are looked for */
};

struct schema {
    char *text; /* owned copy */
    size_t len;
    struct schema_node **nodes; /* all of them, owned; [0] is the root */
    size_t count;
};

/** "null", "boolean", ... */
extern const char *const schema_type_names[SCHEMA_TYPE_COUNT];

/**
 * Resolve each $ref and refuse those that lead nowhere or back to themselves without going
 * deeper into the answer.
 */
MUST_CHECK bool schema_resolve(struct schema *schema, const char *name, struct err *err);

#endif
