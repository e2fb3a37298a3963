#include "common/recipe/condition.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/recipe/json_compact.h"
#include "common/rows/row_path.h"

/* One operand: a column, or a literal. Literals are kept as JSON, so that all is compared alike. */
struct operand {
    char *path; /* owned; NULL: a literal */
    size_t column;
    char *json; /* owned; the literal */
    enum json_kind kind;
};

enum node_kind { NODE_OR, NODE_AND, NODE_NOT, NODE_TRUTH, NODE_COMPARE, NODE_IN };

enum comparison { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

#define NONE SIZE_MAX

struct node {
    enum node_kind kind;
    enum comparison comparison;
    size_t first;    /* child of OR, AND, NOT */
    size_t next;     /* sibling; NONE: the last */
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

struct parser {
    struct condition *c;
    const char *name, *text, *p;
    unsigned depth;
    struct err *err;
};

static size_t column_of(const struct parser *ps, const char *at)
{
    size_t column = 1;

    for (const char *p = ps->text; p < at; p++)
        if (((unsigned char)*p & 0xC0) != 0x80)
            column++;
    return column;
}

static bool fail(const struct parser *ps, const char *at)
{
    err_wrap(ps->err, "column %zu", column_of(ps, at));
    return ps->name != NULL && err_wrap(ps->err, "%s", ps->name);
}

static void skip_space(struct parser *ps)
{
    while (*ps->p != '\0' && strchr(" \t\r\n", *ps->p) != NULL)
        ps->p++;
}

/* Bytes of the word at @p: what a column's name without backticks may be made of. */
static size_t word_len(const char *p)
{
    return strcspn(p, " \t\r\n()[],=!<>'\"`&|");
}

static bool word_is(const struct parser *ps, const char *word)
{
    size_t len = word_len(ps->p);

    return len == strlen(word) && memcmp(ps->p, word, len) == 0;
}

static bool take_word(struct parser *ps, const char *word)
{
    skip_space(ps);
    if (!word_is(ps, word))
        return false;
    ps->p += strlen(word);
    return true;
}

static bool take_sign(struct parser *ps, const char *sign)
{
    skip_space(ps);
    if (strncmp(ps->p, sign, strlen(sign)) != 0)
        return false;
    ps->p += strlen(sign);
    return true;
}

/* What people write who come from elsewhere. */
static const char *hint(const char *p)
{
    static const struct {
        const char *sign, *hint;
    } hints[] = {
        {"&&", "; write and"  },
        {"||", "; write or"   },
        {"!",  "; write not"  },
        {"=",  "; equal is =="},
    };

    if (strncmp(p, "==", 2) == 0)
        return "";
    for (size_t i = 0; i < ARRAY_LEN(hints); i++)
        if (strncmp(p, hints[i].sign, strlen(hints[i].sign)) == 0)
            return hints[i].hint;
    return "";
}

static bool unexpected(struct parser *ps, const char *what)
{
    skip_space(ps);

    size_t len = word_len(ps->p);

    if (*ps->p == '\0') {
        err_set(ps->err, ERR_USAGE, "expected %s, found the end", what);
        return fail(ps, ps->p);
    }
    if (len == 0)
        len = strspn(ps->p, "&|=!<>");
    if (len == 0)
        len = 1;
    if (len > 40)
        len = 40;
    while (((unsigned char)ps->p[len] & 0xC0) == 0x80)
        len++;
    err_set(ps->err, ERR_USAGE, "expected %s, found %.*s%s", what, (int)len, ps->p, hint(ps->p));
    return fail(ps, ps->p);
}

static size_t add_node(struct parser *ps, struct node node)
{
    struct condition *c = ps->c;

    c->nodes = xrealloc(c->nodes, c->node_count + 1, sizeof(*c->nodes));
    c->nodes[c->node_count] = node;
    return c->node_count++;
}

/* Add an operand whose texts are taken. */
static void add_operand(struct parser *ps, struct operand operand)
{
    struct condition *c = ps->c;

    c->operands = xrealloc(c->operands, c->operand_count + 1, sizeof(*c->operands));
    c->operands[c->operand_count++] = operand;
}

/* The text between two of the same quotes; a quote in it is written twice or behind a backslash. */
static bool read_string(struct parser *ps)
{
    const char *start = ps->p;
    const char quote = *ps->p++;
    char *text = xcalloc(strlen(start) + 1, 1);
    struct buf json = BUF_INIT(8 * strlen(start));
    size_t len = 0;

    for (; *ps->p != '\0'; ps->p++) {
        bool twice = ps->p[0] == quote && ps->p[1] == quote;
        bool escaped = ps->p[0] == '\\' && (ps->p[1] == quote || ps->p[1] == '\\');

        if (twice || escaped)
            ps->p++;
        else if (*ps->p == quote)
            break;
        text[len++] = *ps->p;
    }

    bool closed = *ps->p++ == quote && json_string_encode(&json, text, len);

    free(text);
    if (!closed) {
        err_set(ps->err, ERR_USAGE, "the quote is never closed");
        return fail(ps, start);
    }
    add_operand(ps, (struct operand){.json = json.data, .kind = JSON_STRING});
    return true;
}

static bool read_backticks(struct parser *ps)
{
    const char *start = ps->p;
    const char *end = strchr(start + 1, '`');

    if (end == NULL || end == start + 1) {
        err_set(ps->err, ERR_USAGE, end == NULL ? "the backtick is never closed" : "an empty name");
        return fail(ps, start);
    }
    add_operand(ps, (struct operand){
                        .path = xstrndup(start + 1, (size_t)(end - start - 1)),
                        .column = column_of(ps, start),
                    });
    ps->p = end + 1;
    return true;
}

static bool read_number(struct parser *ps, size_t len)
{
    struct json_value number;
    const char *start = ps->p;

    if (!json_scan(start, len, &number, NULL) || number.kind != JSON_NUMBER) {
        err_set(ps->err, ERR_USAGE, "%.*s is not a number", (int)(len > 40 ? 40 : len), start);
        return fail(ps, start);
    }
    add_operand(ps, (struct operand){.json = xstrndup(start, len), .kind = JSON_NUMBER});
    ps->p += len;
    return true;
}

static bool read_constant(struct parser *ps)
{
    static const struct {
        const char *word;
        enum json_kind kind;
    } constants[] = {
        {"true",  JSON_BOOL},
        {"false", JSON_BOOL},
        {"null",  JSON_NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(constants); i++) {
        if (take_word(ps, constants[i].word)) {
            add_operand(ps, (struct operand){
                                .json = xstrdup(constants[i].word),
                                .kind = constants[i].kind,
                            });
            return true;
        }
    }
    return false;
}

static bool read_path(struct parser *ps, size_t len)
{
    char *path = xstrndup(ps->p, len);

    if (!row_path_check(path, ps->err)) {
        free(path);
        return fail(ps, ps->p);
    }
    add_operand(ps, (struct operand){.path = path, .column = column_of(ps, ps->p)});
    ps->p += len;
    return true;
}

static bool is_keyword(const struct parser *ps)
{
    return word_is(ps, "and") || word_is(ps, "or") || word_is(ps, "not") || word_is(ps, "in");
}

static bool read_literal(struct parser *ps, bool *is_literal)
{
    size_t len;

    skip_space(ps);
    *is_literal = true;
    if (*ps->p == '\'' || *ps->p == '"')
        return read_string(ps);
    len = word_len(ps->p);
    if (*ps->p == '-' ||
        (*ps->p >= '0' && *ps->p <= '9' && strspn(ps->p, "0123456789.eE+-") >= len))
        return read_number(ps, len);
    *is_literal = read_constant(ps);
    return *is_literal;
}

/* A column or a literal: the next operand of the condition. */
static bool read_operand(struct parser *ps, const char *what)
{
    bool is_literal = false;

    if (read_literal(ps, &is_literal))
        return true;
    if (is_literal)
        return false;
    if (*ps->p == '`')
        return read_backticks(ps);

    size_t len = word_len(ps->p);

    if (len == 0 || is_keyword(ps))
        return unexpected(ps, what);
    return read_path(ps, len);
}

/* ['a', 2]: literals, at least one. */
static bool read_list(struct parser *ps, size_t *count)
{
    *count = 0;
    do {
        bool is_literal = false;

        if (!read_literal(ps, &is_literal))
            return is_literal ? false : unexpected(ps, "a text in quotes or a number");
        ++*count;
    } while (take_sign(ps, ","));
    return take_sign(ps, "]") || unexpected(ps, "a comma or ]");
}

static bool take_comparison(struct parser *ps, enum comparison *out)
{
    static const struct {
        const char *sign;
        enum comparison comparison;
    } signs[] = {
        {"==", CMP_EQ},
        {"!=", CMP_NE},
        {"<=", CMP_LE},
        {">=", CMP_GE},
        {"<",  CMP_LT},
        {">",  CMP_GT},
    };

    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (take_sign(ps, signs[i].sign)) {
            *out = signs[i].comparison;
            return true;
        }
    }
    return false;
}

/* "in" or "not in" behind an operand; *@negated says which. */
static bool take_in(struct parser *ps, bool *negated)
{
    const char *start = ps->p;

    *negated = take_word(ps, "not");
    if (take_word(ps, "in"))
        return true;
    ps->p = start;
    return false;
}

static bool read_in(struct parser *ps, struct node node, bool negated, size_t *out)
{
    node.kind = NODE_IN;
    node.right = ps->c->operand_count;
    if (take_sign(ps, "[")) {
        if (!read_list(ps, &node.list_len))
            return false;
    } else if (!read_operand(ps, "[ or a column")) {
        return false;
    } else if (ps->c->operands[node.right].path == NULL) {
        err_set(ps->err, ERR_USAGE, "expected [ or a column behind in");
        return fail(ps, ps->p);
    }
    *out = add_node(ps, node);
    if (negated)
        *out = add_node(ps, (struct node){.kind = NODE_NOT, .first = *out, .next = NONE});
    return true;
}

static bool read_comparison(struct parser *ps, size_t *out)
{
    struct node node = {
        .kind = NODE_TRUTH,
        .next = NONE,
        .left = ps->c->operand_count,
    };
    bool negated = false;

    if (!read_operand(ps, "a column or a value"))
        return false;
    if (take_in(ps, &negated))
        return read_in(ps, node, negated, out);
    if (take_comparison(ps, &node.comparison)) {
        node.kind = NODE_COMPARE;
        node.right = ps->c->operand_count;
        if (!read_operand(ps, "a column or a value"))
            return false;
    }
    *out = add_node(ps, node);
    return true;
}

static bool read_any(struct parser *ps, size_t *out);

static bool deeper(struct parser *ps)
{
    if (ps->depth++ < CONDITION_DEPTH_MAX)
        return true;
    err_set(ps->err, ERR_USAGE, "more than %d parentheses or nots inside each other",
            CONDITION_DEPTH_MAX);
    return fail(ps, ps->p);
}

/* NOLINTNEXTLINE(misc-no-recursion): its depth is limited */
static bool read_one(struct parser *ps, size_t *out)
{
    size_t child = NONE;

    if (take_word(ps, "not")) {
        if (!deeper(ps) || !read_one(ps, &child))
            return false;
        ps->depth--;
        *out = add_node(ps, (struct node){.kind = NODE_NOT, .first = child, .next = NONE});
        return true;
    }
    if (!take_sign(ps, "("))
        return read_comparison(ps, out);
    if (!deeper(ps) || !read_any(ps, out))
        return false;
    ps->depth--;
    return take_sign(ps, ")") || unexpected(ps, "and, or or )");
}

/* One or more of @read with @word between them, as one node of @kind. */
/* NOLINTNEXTLINE(misc-no-recursion): its depth is limited */
static bool read_chain(struct parser *ps, const char *word, enum node_kind kind, size_t *out)
{
    size_t first = NONE;
    size_t last = NONE;

    do {
        size_t child = NONE;
        bool ok = kind == NODE_OR ? read_chain(ps, "and", NODE_AND, &child) : read_one(ps, &child);

        if (!ok)
            return false;
        if (last == NONE)
            first = child;
        else
            ps->c->nodes[last].next = child;
        last = child;
    } while (take_word(ps, word));
    *out = first != last ? add_node(ps, (struct node){.kind = kind, .first = first, .next = NONE})
                         : first;
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): its depth is limited */
static bool read_any(struct parser *ps, size_t *out)
{
    return read_chain(ps, "or", NODE_OR, out);
}

struct condition *condition_parse(const char *name, const char *text, struct err *err)
{
    struct err lost = {0};
    struct parser ps = {
        .c = xcalloc(1, sizeof(*ps.c)),
        .name = name,
        .text = text,
        .p = text,
        .err = err != NULL ? err : &lost,
    };

    if (read_any(&ps, &ps.c->root)) {
        skip_space(&ps);
        if (*ps.p == '\0')
            return ps.c;
        unexpected(&ps, "and, or, a comparison or the end");
    }
    condition_free(ps.c);
    return NULL;
}

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

static enum order compare(const struct json_value *a, const struct json_value *b)
{
    bool a_null = a->kind == JSON_NULL || a->kind == JSON_ABSENT;
    bool b_null = b->kind == JSON_NULL || b->kind == JSON_ABSENT;

    if (a_null || b_null)
        return a_null && b_null ? ORDER_EQUAL : ORDER_NONE;
    if (a->kind == JSON_STRING && b->kind == JSON_STRING)
        return compare_strings(a, b);
    if (a->kind == JSON_BOOL && b->kind == JSON_BOOL)
        return a->len == b->len ? ORDER_EQUAL : ORDER_NONE;
    if (a->kind == JSON_NUMBER || b->kind == JSON_NUMBER) {
        struct json_value x = as_number(a);
        struct json_value y = as_number(b);

        if (x.kind == JSON_NUMBER && y.kind == JSON_NUMBER)
            return compare_numbers(&x, &y);
    }
    return ORDER_NONE;
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
        for (size_t i = node->first; i != NONE; i = c->nodes[i].next)
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
