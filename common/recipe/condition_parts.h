#ifndef RECIPE_CONDITION_PARTS_H
#define RECIPE_CONDITION_PARTS_H

/* What a condition is once it is parsed: between the files of condition.h, not for others. */

#include <stddef.h>
#include <stdint.h>

#include "common/recipe/condition.h"

/** A column, or a literal. Literals are kept as JSON, so that all is compared alike. */
struct operand {
    char *path; /* owned; NULL: a literal */
    size_t column;
    char *json; /* owned; the literal */
    enum json_kind kind;
};

enum node_kind { NODE_OR, NODE_AND, NODE_NOT, NODE_TRUTH, NODE_COMPARE, NODE_IN };

enum comparison { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

/** No node. */
#define NODE_NONE SIZE_MAX

struct node {
    enum node_kind kind;
    enum comparison comparison;
    size_t first;    /* child of OR, AND, NOT */
    size_t next;     /* sibling; NODE_NONE: the last */
    size_t left;     /* operands */
    size_t right;    /* of IN: the first of a list of literals, or a column */
    size_t list_len; /* literals in the list of IN */
};

struct condition {
    struct node *nodes;
    size_t node_count;
    struct operand *operands; /* in the order of the text */
    size_t operand_count;
    size_t root;
};

#endif
