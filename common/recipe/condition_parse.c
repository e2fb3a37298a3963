/* The parsing half of condition.h: text to nodes. */
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/recipe/condition_parts.h"
#include "common/rows/row_path.h"

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
        *out = add_node(ps, (struct node){.kind = NODE_NOT, .first = *out, .next = NODE_NONE});
    return true;
}

static bool read_comparison(struct parser *ps, size_t *out)
{
    struct node node = {
        .kind = NODE_TRUTH,
        .next = NODE_NONE,
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
    size_t child = NODE_NONE;

    if (take_word(ps, "not")) {
        if (!deeper(ps) || !read_one(ps, &child))
            return false;
        ps->depth--;
        *out = add_node(ps, (struct node){.kind = NODE_NOT, .first = child, .next = NODE_NONE});
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
    size_t first = NODE_NONE;
    size_t last = NODE_NONE;

    do {
        size_t child = NODE_NONE;
        bool ok = kind == NODE_OR ? read_chain(ps, "and", NODE_AND, &child) : read_one(ps, &child);

        if (!ok)
            return false;
        if (last == NODE_NONE)
            first = child;
        else
            ps->c->nodes[last].next = child;
        last = child;
    } while (take_word(ps, word));
    *out = first != last
               ? add_node(ps, (struct node){.kind = kind, .first = first, .next = NODE_NONE})
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
