/* Reading a regular expression: one function for each rule of its grammar. */
#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/recipe/pattern.h"
#include "common/recipe/pattern_tree.h"

#define GROUP_DEPTH 50
#define REPEAT_MAX  1000 /* as n and m */
#define CODE_MAX    0x10FFFF

static size_t read_choice(struct pattern_reader *r);

size_t pattern_wrong(struct pattern_reader *r, const char *what)
{
    if (r->what == NULL)
        r->what = what;
    return PATTERN_NOTHING;
}

static void take(struct pattern_reader *r)
{
    r->more = json_chars_next(&r->chars, &r->c);
}

static bool next_is(const struct pattern_reader *r, char c)
{
    return r->more && r->c == (uint32_t)c;
}

static bool take_if(struct pattern_reader *r, char c)
{
    if (!next_is(r, c))
        return false;
    take(r);
    return true;
}

static size_t add_node(struct pattern_reader *r, struct pattern_node node)
{
    if (r->count == PATTERN_STEPS * 4)
        return pattern_wrong(r, "it is too long");
    if (r->count == r->cap) {
        r->cap = r->cap == 0 ? 32 : r->cap * 2;
        r->nodes = xrealloc(r->nodes, r->cap, sizeof(*r->nodes));
    }
    r->nodes[r->count] = node;
    return r->count++;
}

static size_t add_step(struct pattern_reader *r, enum pattern_op op, uint32_t c)
{
    return add_node(r, (struct pattern_node){
                           .op = PATTERN_NODE_STEP, .step = {.op = op, .c = c}
    });
}

/* Sets */

static void add_range(struct pattern_reader *r, uint32_t low, uint32_t high)
{
    struct pattern *out = r->out;

    if (out->range_count == r->range_cap) {
        r->range_cap = r->range_cap == 0 ? 32 : r->range_cap * 2;
        out->ranges = xrealloc(out->ranges, r->range_cap, sizeof(*out->ranges));
    }
    out->ranges[out->range_count++] = (struct pattern_range){low, high};
}

/* The ranges added since @first are a set. */
static size_t add_set(struct pattern_reader *r, size_t first, bool negated)
{
    struct pattern *out = r->out;
    struct pattern_set set = {first, out->range_count - first, negated};
    struct pattern_node node = {.op = PATTERN_NODE_STEP, .step = {.op = PATTERN_SET}};

    if (out->set_count == PATTERN_STEPS)
        return pattern_wrong(r, "it is too long");
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

static void add_ranges(struct pattern_reader *r, const struct pattern_range *ranges, size_t count,
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
static bool add_class(struct pattern_reader *r, uint32_t c)
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

static bool take_hex(struct pattern_reader *r, uint32_t *value)
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

static uint32_t take_hexes(struct pattern_reader *r, unsigned count)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++)
        if (!take_hex(r, &value))
            pattern_wrong(r, "an escape needs more hexadecimal digits");
    return value;
}

static uint32_t take_braced_hex(struct pattern_reader *r)
{
    uint32_t value = 0;

    while (value <= CODE_MAX && take_hex(r, &value))
        ;
    if (value > CODE_MAX || !take_if(r, '}'))
        pattern_wrong(r, "\\u{...} is not a code point");
    return value;
}

/* Behind \u. The two halves of a surrogate pair are one character. */
static uint32_t take_code_point(struct pattern_reader *r)
{
    if (take_if(r, '{'))
        return take_braced_hex(r);

    uint32_t high = take_hexes(r, 4);

    if (high < 0xD800 || high > 0xDBFF || !next_is(r, '\\'))
        return high;

    struct pattern_reader before = *r;

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

static uint32_t take_control(struct pattern_reader *r)
{
    uint32_t c = r->c;

    if (!r->more || !is_letter(c)) {
        pattern_wrong(r, "\\c needs a letter");
        return 0;
    }
    take(r);
    return c % 32;
}

/* What one character of an escape says that is neither a class nor an assertion. */
static uint32_t take_escaped(struct pattern_reader *r)
{
    uint32_t c = r->c;

    if (!r->more) {
        pattern_wrong(r, "a backslash at the end");
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
    case 'P':
        pattern_wrong(r, "\\p{...} is not supported; write ranges, such as [\\u4e00-\\u9fff]");
        return 0;
    case 'k': pattern_wrong(r, "references to groups are not supported"); return 0;
    default: break;
    }
    if (c >= '1' && c <= '9')
        pattern_wrong(r, "references to groups are not supported");
    else if (c == '0' && r->more && r->c >= '0' && r->c <= '9')
        pattern_wrong(r, "octal escapes are not in ECMA-262");
    else if (c >= 0x80 || is_letter(c) || c == '_')
        pattern_wrong(r, "an escape that ECMA-262 does not have");
    return c == '0' ? 0 : c;
}

/* [...] */

/*
 * One element of a class. True when it is a single character, *@c, that may begin a range; a
 * class such as \d has been added.
 */
static bool read_element(struct pattern_reader *r, uint32_t *c)
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

static void read_range(struct pattern_reader *r)
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
        pattern_wrong(r, "a class such as \\d cannot be an end of a range");
    else if (low > high)
        pattern_wrong(r, "a range is out of order");
    else
        add_range(r, low, high);
}

static size_t read_set(struct pattern_reader *r)
{
    bool negated = take_if(r, '^');
    size_t first = r->out->range_count;

    while (r->more && !next_is(r, ']') && r->what == NULL) {
        if (r->out->range_count > PATTERN_STEPS * 4)
            return pattern_wrong(r, "it is too long");
        read_range(r);
    }
    if (!take_if(r, ']'))
        return pattern_wrong(r, "a [ is not closed");
    return add_set(r, first, negated);
}

/* Atoms */

static size_t read_name(struct pattern_reader *r)
{
    while (r->more && !next_is(r, '>') &&
           (is_letter(r->c) || r->c == '_' || r->c == '$' || (r->c >= '0' && r->c <= '9')))
        take(r);
    return take_if(r, '>') ? 0 : pattern_wrong(r, "a group's name is not valid");
}

static size_t read_group_kind(struct pattern_reader *r)
{
    if (take_if(r, ':'))
        return 0;
    if (take_if(r, '<') && !next_is(r, '=') && !next_is(r, '!'))
        return read_name(r);
    return pattern_wrong(r, "look-around and flags are not supported");
}

/* NOLINTBEGIN(misc-no-recursion): up to GROUP_DEPTH */
static size_t read_group(struct pattern_reader *r)
{
    size_t node = PATTERN_NOTHING;

    if (take_if(r, '?') && read_group_kind(r) == PATTERN_NOTHING)
        return PATTERN_NOTHING;
    if (++r->depth > GROUP_DEPTH)
        return pattern_wrong(r, "its groups are nested too deeply");
    node = read_choice(r);
    r->depth--;
    if (!take_if(r, ')'))
        return pattern_wrong(r, "a group is not closed");
    return node;
}

static size_t read_escape(struct pattern_reader *r)
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

static size_t read_dot(struct pattern_reader *r)
{
    size_t first = r->out->range_count;

    add_range(r, '\n', '\n');
    add_range(r, '\r', '\r');
    add_range(r, 0x2028, 0x2029);
    return add_set(r, first, true);
}

static size_t read_atom(struct pattern_reader *r)
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
    case '{': return pattern_wrong(r, "nothing to repeat");
    case ']':
    case '}': return pattern_wrong(r, "a ] or } that closes nothing needs a backslash");
    default: return add_step(r, PATTERN_CHAR, c);
    }
}

/* Repetition */

static size_t read_count(struct pattern_reader *r)
{
    size_t n = 0;

    if (!r->more || r->c < '0' || r->c > '9')
        return pattern_wrong(r, "{...} must be {n}, {n,} or {n,m}");
    while (r->more && r->c >= '0' && r->c <= '9') {
        n = n * 10 + (r->c - '0');
        if (n > REPEAT_MAX)
            return pattern_wrong(r, "it repeats more than 1,000 times");
        take(r);
    }
    return n;
}

/* Behind the opening brace. */
static void read_counts(struct pattern_reader *r, size_t *min, size_t *max)
{
    *min = read_count(r);
    *max = *min;
    if (take_if(r, ','))
        *max = next_is(r, '}') ? PATTERN_FOREVER : read_count(r);
    if (!take_if(r, '}'))
        pattern_wrong(r, "{...} must be {n}, {n,} or {n,m}");
    else if (*max < *min)
        pattern_wrong(r, "{n,m} is out of order");
}

static bool is_assertion(const struct pattern_reader *r, size_t node)
{
    return r->nodes[node].op == PATTERN_NODE_STEP && r->nodes[node].step.op >= PATTERN_BEGIN;
}

static size_t read_repeated(struct pattern_reader *r)
{
    size_t min = 0;
    size_t max = PATTERN_FOREVER;
    bool group = next_is(r, '(');
    size_t node = read_atom(r);

    if (node == PATTERN_NOTHING || r->what != NULL)
        return PATTERN_NOTHING;
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
        return pattern_wrong(r, "nothing to repeat");
    return add_node(
        r, (struct pattern_node){.op = PATTERN_NODE_REPEAT, .a = node, .min = min, .max = max});
}

static size_t read_sequence(struct pattern_reader *r)
{
    size_t node = add_node(r, (struct pattern_node){.op = PATTERN_NODE_EMPTY});

    while (r->more && !next_is(r, '|') && !next_is(r, ')') && r->what == NULL) {
        size_t next = read_repeated(r);

        node = add_node(r, (struct pattern_node){.op = PATTERN_NODE_CAT, .a = node, .b = next});
    }
    return node;
}

static size_t read_choice(struct pattern_reader *r)
{
    size_t node = read_sequence(r);

    while (r->what == NULL && take_if(r, '|')) {
        size_t next = read_sequence(r);

        node = add_node(r, (struct pattern_node){.op = PATTERN_NODE_OR, .a = node, .b = next});
    }
    return node;
}

/* NOLINTEND(misc-no-recursion) */

size_t pattern_read(struct pattern_reader *r)
{
    size_t root = PATTERN_NOTHING;

    take(r);
    root = read_choice(r);
    if (r->what == NULL && r->more)
        (void)pattern_wrong(r, "a ) that closes nothing");
    return r->what == NULL ? root : PATTERN_NOTHING;
}
