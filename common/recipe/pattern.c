/*
 * Reading a regular expression: text -> tree -> steps. The tree is an array of nodes; {n,m}
 * emits a node several times.
 */
#include "common/recipe/pattern.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/recipe/json_chars.h"
#include "common/recipe/pattern_program.h"

#define GROUP_DEPTH 50
#define REPEAT_MAX  1000 /* as n and m */
#define FOREVER     SIZE_MAX
#define NOTHING     SIZE_MAX /* no node */
#define CODE_MAX    0x10FFFF

enum node_op { NODE_EMPTY, NODE_STEP, NODE_CAT, NODE_OR, NODE_REPEAT };

struct node {
    enum node_op op;
    struct pattern_step step; /* of NODE_STEP */
    size_t a, b;              /* nodes */
    size_t min, max;          /* of NODE_REPEAT */
};

struct reader {
    struct json_chars chars;
    uint32_t c; /* the character that comes next */
    bool more;  /* false: there is none */
    unsigned depth;
    const char *what; /* set once something is wrong */
    struct node *nodes;
    size_t count, cap;
    struct pattern *out;
    size_t set_cap, range_cap;
    size_t emitted; /* nodes, those of {n} again and again */
};

static size_t read_choice(struct reader *r);

static size_t wrong(struct reader *r, const char *what)
{
    if (r->what == NULL)
        r->what = what;
    return NOTHING;
}

static void take(struct reader *r)
{
    r->more = json_chars_next(&r->chars, &r->c);
}

static bool next_is(const struct reader *r, char c)
{
    return r->more && r->c == (uint32_t)c;
}

static bool take_if(struct reader *r, char c)
{
    if (!next_is(r, c))
        return false;
    take(r);
    return true;
}

static size_t add_node(struct reader *r, struct node node)
{
    if (r->count == PATTERN_STEPS * 4)
        return wrong(r, "it is too long");
    if (r->count == r->cap) {
        r->cap = r->cap == 0 ? 32 : r->cap * 2;
        r->nodes = xrealloc(r->nodes, r->cap, sizeof(*r->nodes));
    }
    r->nodes[r->count] = node;
    return r->count++;
}

static size_t add_step(struct reader *r, enum pattern_op op, uint32_t c)
{
    return add_node(r, (struct node){.op = NODE_STEP, .step = {.op = op, .c = c}});
}

/* Sets */

static void add_range(struct reader *r, uint32_t low, uint32_t high)
{
    struct pattern *out = r->out;

    if (out->range_count == r->range_cap) {
        r->range_cap = r->range_cap == 0 ? 32 : r->range_cap * 2;
        out->ranges = xrealloc(out->ranges, r->range_cap, sizeof(*out->ranges));
    }
    out->ranges[out->range_count++] = (struct pattern_range){low, high};
}

/* The ranges added since @first are a set. */
static size_t add_set(struct reader *r, size_t first, bool negated)
{
    struct pattern *out = r->out;
    struct pattern_set set = {first, out->range_count - first, negated};
    struct node node = {.op = NODE_STEP, .step = {.op = PATTERN_SET}};

    if (out->set_count == PATTERN_STEPS)
        return wrong(r, "it is too long");
    if (out->set_count == r->set_cap) {
        r->set_cap = r->set_cap == 0 ? 8 : r->set_cap * 2;
        out->sets = xrealloc(out->sets, r->set_cap, sizeof(*out->sets));
    }
    node.step.x = (uint16_t)out->set_count;
    out->sets[out->set_count++] = set;
    return add_node(r, node);
}

static const struct pattern_range digits[] = {
    {'0', '9'}
};
static const struct pattern_range words[] = {
    {'0', '9'},
    {'A', 'Z'},
    {'_', '_'},
    {'a', 'z'}
};
/* ECMA-262, WhiteSpace and LineTerminator */
static const struct pattern_range spaces[] = {
    {'\t',   '\r'  },
    {' ',    ' '   },
    {0xA0,   0xA0  },
    {0x1680, 0x1680},
    {0x2000, 0x200A},
    {0x2028, 0x2029},
    {0x202F, 0x202F},
    {0x205F, 0x205F},
    {0x3000, 0x3000},
    {0xFEFF, 0xFEFF},
};

static void add_ranges(struct reader *r, const struct pattern_range *ranges, size_t count,
                       bool negated)
{
    uint32_t from = 0;

    for (size_t i = 0; i < count; i++) {
        if (!negated)
            add_range(r, ranges[i].low, ranges[i].high);
        else if (ranges[i].low > from)
            add_range(r, from, ranges[i].low - 1);
        from = ranges[i].high + 1;
    }
    if (negated)
        add_range(r, from, CODE_MAX);
}

/* The ranges of \d and its like; false when @c names none. */
static bool add_class(struct reader *r, uint32_t c)
{
    switch (c) {
    case 'd': add_ranges(r, digits, ARRAY_LEN(digits), false); return true;
    case 'D': add_ranges(r, digits, ARRAY_LEN(digits), true); return true;
    case 'w': add_ranges(r, words, ARRAY_LEN(words), false); return true;
    case 'W': add_ranges(r, words, ARRAY_LEN(words), true); return true;
    case 's': add_ranges(r, spaces, ARRAY_LEN(spaces), false); return true;
    case 'S': add_ranges(r, spaces, ARRAY_LEN(spaces), true); return true;
    default: return false;
    }
}

/* Escapes: behind the backslash */

static bool take_hex(struct reader *r, uint32_t *value)
{
    uint32_t c = r->c | 0x20;

    if (!r->more)
        return false;
    if (r->c >= '0' && r->c <= '9')
        *value = *value * 16 + (r->c - '0');
    else if (c >= 'a' && c <= 'f')
        *value = *value * 16 + (c - 'a' + 10);
    else
        return false;
    take(r);
    return true;
}

static uint32_t take_hexes(struct reader *r, unsigned count)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++)
        if (!take_hex(r, &value))
            wrong(r, "an escape needs more hexadecimal digits");
    return value;
}

static uint32_t take_braced_hex(struct reader *r)
{
    uint32_t value = 0;

    while (value <= CODE_MAX && take_hex(r, &value))
        ;
    if (value > CODE_MAX || !take_if(r, '}'))
        wrong(r, "\\u{...} is not a code point");
    return value;
}

/* Behind \u. The two halves of a surrogate pair are one character. */
static uint32_t take_code_point(struct reader *r)
{
    if (take_if(r, '{'))
        return take_braced_hex(r);

    uint32_t high = take_hexes(r, 4);

    if (high < 0xD800 || high > 0xDBFF || !next_is(r, '\\'))
        return high;

    struct reader before = *r;

    take(r);
    if (take_if(r, 'u') && !next_is(r, '{')) {
        uint32_t low = take_hexes(r, 4);

        if (low >= 0xDC00 && low <= 0xDFFF)
            return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }
    r->chars = before.chars; /* not the other half: it is read again for what it is */
    r->c = before.c;
    r->more = before.more;
    return high;
}

static bool is_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static uint32_t take_control(struct reader *r)
{
    uint32_t c = r->c;

    if (!r->more || !is_letter(c)) {
        wrong(r, "\\c needs a letter");
        return 0;
    }
    take(r);
    return c % 32;
}

/* What one character of an escape says that is neither a class nor an assertion. */
static uint32_t take_escaped(struct reader *r)
{
    uint32_t c = r->c;

    if (!r->more) {
        wrong(r, "a backslash at the end");
        return 0;
    }
    take(r);
    switch (c) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'v': return '\v';
    case 'f': return '\f';
    case 'r': return '\r';
    case 'x': return take_hexes(r, 2);
    case 'u': return take_code_point(r);
    case 'c': return take_control(r);
    case 'p':
    case 'P': wrong(r, "\\p{...} is not supported; write ranges, such as [\\u4e00-\\u9fff]"); return 0;
    case 'k': wrong(r, "references to groups are not supported"); return 0;
    default: break;
    }
    if (c >= '1' && c <= '9')
        wrong(r, "references to groups are not supported");
    else if (c == '0' && r->more && r->c >= '0' && r->c <= '9')
        wrong(r, "octal escapes are not in ECMA-262");
    else if (c >= 0x80 || is_letter(c) || c == '_')
        wrong(r, "an escape that ECMA-262 does not have");
    return c == '0' ? 0 : c;
}

/* [...] */

/*
 * One element of a class. True when it is a single character, *@c, that may begin a range; a
 * class such as \d has been added.
 */
static bool read_element(struct reader *r, uint32_t *c)
{
    *c = r->c;
    take(r);
    if (*c != '\\')
        return true;
    if (r->more && add_class(r, r->c)) {
        take(r);
        return false;
    }
    if (take_if(r, 'b')) {
        *c = '\b';
        return true;
    }
    *c = take_escaped(r);
    return true;
}

static void read_range(struct reader *r)
{
    uint32_t low = 0;
    uint32_t high = 0;
    bool single = read_element(r, &low);

    if (!next_is(r, '-')) {
        if (single)
            add_range(r, low, low);
        return;
    }
    take(r);
    if (!r->more || next_is(r, ']')) { /* a dash at the end is a dash */
        if (single)
            add_range(r, low, low);
        add_range(r, '-', '-');
        return;
    }
    if (!read_element(r, &high) || !single)
        wrong(r, "a class such as \\d cannot be an end of a range");
    else if (low > high)
        wrong(r, "a range is out of order");
    else
        add_range(r, low, high);
}

static size_t read_set(struct reader *r)
{
    bool negated = take_if(r, '^');
    size_t first = r->out->range_count;

    while (r->more && !next_is(r, ']') && r->what == NULL) {
        if (r->out->range_count > PATTERN_STEPS * 4)
            return wrong(r, "it is too long");
        read_range(r);
    }
    if (!take_if(r, ']'))
        return wrong(r, "a [ is not closed");
    return add_set(r, first, negated);
}

/* Atoms */

static size_t read_name(struct reader *r)
{
    while (r->more && !next_is(r, '>') && (is_letter(r->c) || r->c == '_' || r->c == '$' ||
                                           (r->c >= '0' && r->c <= '9')))
        take(r);
    return take_if(r, '>') ? 0 : wrong(r, "a group's name is not valid");
}

static size_t read_group_kind(struct reader *r)
{
    if (take_if(r, ':'))
        return 0;
    if (take_if(r, '<') && !next_is(r, '=') && !next_is(r, '!'))
        return read_name(r);
    return wrong(r, "look-around and flags are not supported");
}

static size_t read_group(struct reader *r)
{
    size_t node = NOTHING;

    if (take_if(r, '?') && read_group_kind(r) == NOTHING)
        return NOTHING;
    if (++r->depth > GROUP_DEPTH)
        return wrong(r, "its groups are nested too deeply");
    node = read_choice(r);
    r->depth--;
    if (!take_if(r, ')'))
        return wrong(r, "a group is not closed");
    return node;
}

static size_t read_escape(struct reader *r)
{
    size_t first = r->out->range_count;

    if (take_if(r, 'b'))
        return add_step(r, PATTERN_BOUNDARY, 0);
    if (take_if(r, 'B'))
        return add_step(r, PATTERN_NOT_BOUNDARY, 0);
    if (r->more && add_class(r, r->c)) {
        take(r);
        return add_set(r, first, false);
    }
    return add_step(r, PATTERN_CHAR, take_escaped(r));
}

static size_t read_dot(struct reader *r)
{
    size_t first = r->out->range_count;

    add_range(r, '\n', '\n');
    add_range(r, '\r', '\r');
    add_range(r, 0x2028, 0x2029);
    return add_set(r, first, true);
}

static size_t read_atom(struct reader *r)
{
    uint32_t c = r->c;

    take(r);
    switch (c) {
    case '(': return read_group(r);
    case '[': return read_set(r);
    case '\\': return read_escape(r);
    case '.': return read_dot(r);
    case '^': return add_step(r, PATTERN_BEGIN, 0);
    case '$': return add_step(r, PATTERN_END, 0);
    case '*':
    case '+':
    case '?':
    case '{': return wrong(r, "nothing to repeat");
    case ']':
    case '}': return wrong(r, "a ] or } that closes nothing needs a backslash");
    default: return add_step(r, PATTERN_CHAR, c);
    }
}

/* Repetition */

static size_t read_count(struct reader *r)
{
    size_t n = 0;

    if (!r->more || r->c < '0' || r->c > '9')
        return wrong(r, "{...} must be {n}, {n,} or {n,m}");
    while (r->more && r->c >= '0' && r->c <= '9') {
        n = n * 10 + (r->c - '0');
        if (n > REPEAT_MAX)
            return wrong(r, "it repeats more than 1,000 times");
        take(r);
    }
    return n;
}

/* Behind the opening brace. */
static void read_counts(struct reader *r, size_t *min, size_t *max)
{
    *min = read_count(r);
    *max = *min;
    if (take_if(r, ','))
        *max = next_is(r, '}') ? FOREVER : read_count(r);
    if (!take_if(r, '}'))
        wrong(r, "{...} must be {n}, {n,} or {n,m}");
    else if (*max < *min)
        wrong(r, "{n,m} is out of order");
}

static bool is_assertion(const struct reader *r, size_t node)
{
    return r->nodes[node].op == NODE_STEP && r->nodes[node].step.op >= PATTERN_BEGIN;
}

static size_t read_repeated(struct reader *r)
{
    size_t min = 0;
    size_t max = FOREVER;
    bool group = next_is(r, '(');
    size_t node = read_atom(r);

    if (node == NOTHING || r->what != NULL)
        return NOTHING;
    if (take_if(r, '{'))
        read_counts(r, &min, &max);
    else if (take_if(r, '+'))
        min = 1;
    else if (take_if(r, '?'))
        max = 1;
    else if (!take_if(r, '*'))
        return node;
    (void)take_if(r, '?'); /* a lazy one matches the same strings */
    if (!group && is_assertion(r, node))
        return wrong(r, "nothing to repeat");
    return add_node(r, (struct node){.op = NODE_REPEAT, .a = node, .min = min, .max = max});
}

static size_t read_sequence(struct reader *r)
{
    size_t node = add_node(r, (struct node){.op = NODE_EMPTY});

    while (r->more && !next_is(r, '|') && !next_is(r, ')') && r->what == NULL) {
        size_t next = read_repeated(r);

        node = add_node(r, (struct node){.op = NODE_CAT, .a = node, .b = next});
    }
    return node;
}

static size_t read_choice(struct reader *r)
{
    size_t node = read_sequence(r);

    while (r->what == NULL && take_if(r, '|')) {
        size_t next = read_sequence(r);

        node = add_node(r, (struct node){.op = NODE_OR, .a = node, .b = next});
    }
    return node;
}

/* Tree to steps */

static void emit(struct reader *r, size_t node);

static size_t put(struct reader *r, struct pattern_step step)
{
    if (r->out->count == PATTERN_STEPS)
        return wrong(r, "it is too long");
    r->out->steps[r->out->count] = step;
    return r->out->count++;
}

/* The split at @at leads on behind it, and to @target. */
static void aim(struct reader *r, size_t at, size_t target)
{
    if (r->what != NULL)
        return;
    r->out->steps[at].x = (uint16_t)(at + 1);
    r->out->steps[at].y = (uint16_t)target;
}

static void emit_choice(struct reader *r, const struct node *n)
{
    size_t split = put(r, (struct pattern_step){.op = PATTERN_SPLIT});

    emit(r, n->a);

    size_t jump = put(r, (struct pattern_step){.op = PATTERN_JUMP});

    aim(r, split, r->out->count);
    emit(r, n->b);
    if (r->what == NULL)
        r->out->steps[jump].x = (uint16_t)r->out->count;
}

/* x{2,4} as xx(x(x)?)?, x{2,} as xx(x)* */
static void emit_repeat(struct reader *r, const struct node *n)
{
    for (size_t i = 0; i < n->min && r->what == NULL; i++)
        emit(r, n->a);
    if (n->max == FOREVER) {
        size_t split = put(r, (struct pattern_step){.op = PATTERN_SPLIT});

        emit(r, n->a);
        put(r, (struct pattern_step){.op = PATTERN_JUMP, .x = (uint16_t)split});
        aim(r, split, r->out->count);
        return;
    }

    size_t first = r->out->count;

    for (size_t i = n->min; i < n->max && r->what == NULL; i++) {
        put(r, (struct pattern_step){.op = PATTERN_SPLIT, .y = UINT16_MAX});
        emit(r, n->a);
    }
    for (size_t i = first; i < r->out->count && r->what == NULL; i++)
        if (r->out->steps[i].op == PATTERN_SPLIT && r->out->steps[i].y == UINT16_MAX)
            aim(r, i, r->out->count);
}

static void emit(struct reader *r, size_t node)
{
    if (r->what != NULL)
        return;
    if (r->emitted++ > PATTERN_STEPS * 16) { /* many times nothing */
        wrong(r, "it is too long");
        return;
    }

    const struct node *n = &r->nodes[node];

    switch (n->op) {
    case NODE_EMPTY: break;
    case NODE_STEP: put(r, n->step); break;
    case NODE_CAT:
        emit(r, n->a);
        emit(r, n->b);
        break;
    case NODE_OR: emit_choice(r, n); break;
    case NODE_REPEAT: emit_repeat(r, n); break;
    }
}

struct pattern *pattern_parse(const struct json_value *string, const char **what)
{
    struct reader r = {.chars = json_chars_begin(string)};

    r.out = xcalloc(1, sizeof(*r.out));
    r.out->steps = xcalloc(PATTERN_STEPS, sizeof(*r.out->steps));
    take(&r);

    size_t root = read_choice(&r);

    if (r.what == NULL && r.more)
        wrong(&r, "a ) that closes nothing");
    emit(&r, root);
    put(&r, (struct pattern_step){.op = PATTERN_MATCH});
    free(r.nodes);
    if (r.what == NULL) {
        r.out->steps = xrealloc(r.out->steps, r.out->count, sizeof(*r.out->steps));
        return r.out;
    }
    *what = r.what;
    pattern_free(r.out);
    return NULL;
}

size_t pattern_steps(const struct pattern *pattern)
{
    return pattern->count;
}

void pattern_free(struct pattern *pattern)
{
    if (pattern == NULL)
        return;
    free(pattern->steps);
    free(pattern->sets);
    free(pattern->ranges);
    free(pattern);
}
