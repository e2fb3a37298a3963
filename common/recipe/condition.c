#include "common/recipe/condition.h"

#include <stdlib.h>
#include <string.h>

#include "common/recipe/condition_parts.h"
#include "common/recipe/json_compact.h"
#include "common/rows/row_path.h"

void condition_free(struct condition *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->operand_count; i++) {
        free(c->operands[i].path);
        free(c->operands[i].json);
    }
    free(c->operands);
    free(c->nodes);
    free(c);
}

/* How two values stand to each other. */
enum order { ORDER_LESS, ORDER_EQUAL, ORDER_GREATER, ORDER_NONE };

static enum order order_of(int difference)
{
    if (difference == 0)
        return ORDER_EQUAL;
    return difference < 0 ? ORDER_LESS : ORDER_GREATER;
}

static bool has_escape(const struct json_value *s)
{
    return memchr(s->text, '\\', s->len) != NULL;
}

/* By the bytes of the decoded texts, one character after the other. */
static enum order compare_escaped(const struct json_value *a, const struct json_value *b)
{
    const char *p = a->text + 1;
    const char *q = b->text + 1;
    const char *p_end = a->text + a->len - 1;
    const char *q_end = b->text + b->len - 1;
    char left[8];
    char right[8];
    size_t m = 0;
    size_t n = 0;

    for (;;) {
        if (m == 0 && p < p_end)
            m = json_unit(&p, p_end, left);
        if (n == 0 && q < q_end)
            n = json_unit(&q, q_end, right);
        if (m == 0 || n == 0)
            return order_of((m > 0) - (n > 0));
        if (left[0] != right[0])
            return order_of((unsigned char)left[0] - (unsigned char)right[0]);
        memmove(left, left + 1, --m);
        memmove(right, right + 1, --n);
    }
}

static enum order compare_strings(const struct json_value *a, const struct json_value *b)
{
    size_t shorter = a->len < b->len ? a->len : b->len;

    if (has_escape(a) || has_escape(b))
        return compare_escaped(a, b);

    int difference = memcmp(a->text + 1, b->text + 1, shorter - 2);

    if (difference == 0)
        difference = (a->len > b->len) - (a->len < b->len);
    return order_of(difference);
}

static enum order compare_numbers(const struct json_value *a, const struct json_value *b)
{
    int64_t i = 0;
    int64_t j = 0;

    if (json_to_int64(a, &i) && json_to_int64(b, &j))
        return order_of((i > j) - (i < j));

    double x = strtod(a->text, NULL); /* what follows a number is never a part of one */
    double y = strtod(b->text, NULL);

    return order_of((x > y) - (x < y));
}

/* A text that reads as a number, as that number; anything else as it is. */
static struct json_value as_number(const struct json_value *value)
{
    struct json_value number;

    if (value->kind == JSON_STRING && json_scan(value->text + 1, value->len - 2, &number, NULL) &&
        number.kind == JSON_NUMBER)
        return number;
    return *value;
}

static bool is_nothing(const struct json_value *value)
{
    return value->kind == JSON_NULL || value->kind == JSON_ABSENT;
}

/* Of different kinds, or of kinds that have no order. */
static enum order compare_mixed(const struct json_value *a, const struct json_value *b)
{
    struct json_value x = as_number(a);
    struct json_value y = as_number(b);
    bool numbers = x.kind == JSON_NUMBER && y.kind == JSON_NUMBER;
    bool bools = a->kind == JSON_BOOL && b->kind == JSON_BOOL;

    if (numbers)
        return compare_numbers(&x, &y);
    return bools && a->len == b->len ? ORDER_EQUAL : ORDER_NONE;
}

static enum order compare(const struct json_value *a, const struct json_value *b)
{
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b) ? ORDER_EQUAL : ORDER_NONE;
    if (a->kind == JSON_STRING && b->kind == JSON_STRING)
        return compare_strings(a, b);
    return compare_mixed(a, b);
}

static bool satisfies(enum order order, enum comparison comparison)
{
    switch (comparison) {
    case CMP_EQ: return order == ORDER_EQUAL;
    case CMP_NE: return order != ORDER_EQUAL;
    case CMP_LT: return order == ORDER_LESS;
    case CMP_LE: return order == ORDER_LESS || order == ORDER_EQUAL;
    case CMP_GT: return order == ORDER_GREATER;
    case CMP_GE: return order == ORDER_GREATER || order == ORDER_EQUAL;
    }
    return false;
}

static struct json_value value_of(const struct condition *c, size_t i, const struct json_value *row)
{
    const struct operand *o = &c->operands[i];

    if (o->path != NULL)
        return row_at(row, o->path);
    return (struct json_value){o->kind, o->json, strlen(o->json)};
}

static bool is_in(const struct condition *c, const struct node *node, const struct json_value *row)
{
    struct json_value value = value_of(c, node->left, row);
    struct json_value element;

    for (size_t i = 0; i < node->list_len; i++) {
        element = value_of(c, node->right + i, row);
        if (compare(&value, &element) == ORDER_EQUAL)
            return true;
    }
    if (node->list_len > 0)
        return false;

    struct json_value list = value_of(c, node->right, row);
    struct json_iter it = json_iter_begin(&list);

    if (list.kind != JSON_ARRAY)
        return false;
    while (json_iter_next(&it, NULL, &element))
        if (compare(&value, &element) == ORDER_EQUAL)
            return true;
    return false;
}

static bool is_zero(const struct json_value *number)
{
    for (size_t i = 0; i < number->len && (number->text[i] | 0x20) != 'e'; i++)
        if (number->text[i] >= '1' && number->text[i] <= '9')
            return false;
    return true;
}

bool condition_truth(const struct json_value *value)
{
    switch (value->kind) {
    case JSON_ABSENT:
    case JSON_NULL: return false;
    case JSON_BOOL: return value->text[0] == 't';
    case JSON_NUMBER: return !is_zero(value);
    case JSON_STRING: return value->len > 2;
    case JSON_ARRAY:
    case JSON_OBJECT: {
        struct json_iter it = json_iter_begin(value);
        struct json_value first;

        return json_iter_next(&it, NULL, &first);
    }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the text, which is limited */
static bool holds(const struct condition *c, size_t at, const struct json_value *row)
{
    const struct node *node = &c->nodes[at];
    struct json_value left;
    struct json_value right;

    switch (node->kind) {
    case NODE_OR:
    case NODE_AND:
        for (size_t i = node->first; i != NODE_NONE; i = c->nodes[i].next)
            if (holds(c, i, row) == (node->kind == NODE_OR))
                return node->kind == NODE_OR;
        return node->kind == NODE_AND;
    case NODE_NOT: return !holds(c, node->first, row);
    case NODE_TRUTH: left = value_of(c, node->left, row); return condition_truth(&left);
    case NODE_COMPARE:
        left = value_of(c, node->left, row);
        right = value_of(c, node->right, row);
        return satisfies(compare(&left, &right), node->comparison);
    case NODE_IN: return is_in(c, node, row);
    }
    return false;
}

bool condition_holds(const struct condition *c, const struct json_value *row)
{
    return holds(c, c->root, row);
}

void condition_columns(const struct condition *c, condition_column_fn fn, void *arg)
{
    for (size_t i = 0; i < c->operand_count; i++)
        if (c->operands[i].path != NULL)
            fn(arg, c->operands[i].path, c->operands[i].column);
}
