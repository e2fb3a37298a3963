/* Running a compiled expression: all the places where it may be, one character after the other. */
#include <string.h>

#include "common/json/scan.h"
#include "common/recipe/json_chars.h"
#include "common/recipe/pattern.h"
#include "common/recipe/pattern_program.h"

#define NO_CHAR UINT32_MAX /* before the first and behind the last */

struct place_set {
    uint16_t steps[PATTERN_STEPS];
    size_t count;
};

struct matcher {
    const struct pattern *pattern;
    uint32_t before, after;       /* the characters around the place where we are */
    uint32_t seen[PATTERN_STEPS]; /* round in which a step was reached last */
    uint32_t round;
    uint16_t stack[PATTERN_STEPS]; /* steps to follow; each is there once a round */
};

static bool is_word(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= 'a' && c <= 'z');
}

static bool in_set(const struct pattern *pattern, const struct pattern_set *set, uint32_t c)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct pattern_range *range = &pattern->ranges[set->first + i];

        if (c >= range->low && c <= range->high)
            return !set->negated;
    }
    return set->negated;
}

/* Whether the place where we are is as @op says; true for what is no assertion. */
static bool holds(const struct matcher *m, enum pattern_op op)
{
    bool boundary = false;

    if (op == PATTERN_BEGIN)
        return m->before == NO_CHAR;
    if (op == PATTERN_END)
        return m->after == NO_CHAR;
    if (op != PATTERN_BOUNDARY && op != PATTERN_NOT_BOUNDARY)
        return true;
    boundary = is_word(m->before) != is_word(m->after);
    return boundary == (op == PATTERN_BOUNDARY);
}

static size_t push(struct matcher *m, size_t depth, size_t step)
{
    if (m->seen[step] == m->round)
        return depth;
    m->seen[step] = m->round;
    m->stack[depth] = (uint16_t)step;
    return depth + 1;
}

/* Add @step and all that can be reached from it without a character. True at a match. */
static bool reach(struct matcher *m, struct place_set *places, size_t step)
{
    size_t depth = push(m, 0, step);

    while (depth > 0) {
        size_t at = m->stack[--depth];
        const struct pattern_step *s = &m->pattern->steps[at];

        switch (s->op) {
        case PATTERN_MATCH: return true;
        case PATTERN_CHAR:
        case PATTERN_SET: places->steps[places->count++] = (uint16_t)at; break;
        case PATTERN_SPLIT:
            depth = push(m, depth, s->x);
            depth = push(m, depth, s->y);
            break;
        case PATTERN_JUMP: depth = push(m, depth, s->x); break;
        case PATTERN_BEGIN:
        case PATTERN_END:
        case PATTERN_BOUNDARY:
        case PATTERN_NOT_BOUNDARY:
            if (holds(m, s->op))
                depth = push(m, depth, at + 1);
            break;
        }
    }
    return false;
}

static bool takes(const struct pattern *pattern, const struct pattern_step *s, uint32_t c)
{
    return s->op == PATTERN_CHAR ? s->c == c : in_set(pattern, &pattern->sets[s->x], c);
}

/* From @here over @c, which is now behind us, to @there. True at a match. */
static bool advance(struct matcher *m, const struct place_set *here, struct place_set *there,
                    uint32_t c)
{
    there->count = 0;
    m->round++;
    for (size_t i = 0; i < here->count; i++) {
        size_t at = here->steps[i];

        if (takes(m->pattern, &m->pattern->steps[at], c) && reach(m, there, at + 1))
            return true;
    }
    return reach(m, there, 0); /* it may also begin here */
}

bool pattern_match(const struct pattern *pattern, const struct json_value *string)
{
    struct json_chars chars = json_chars_begin(string);
    struct matcher m;
    struct place_set sets[2];
    uint32_t c = 0;

    m.pattern = pattern;
    m.round = 1;
    memset(m.seen, 0, pattern->count * sizeof(m.seen[0]));
    m.before = NO_CHAR;
    m.after = json_chars_next(&chars, &c) ? c : NO_CHAR;
    sets[0].count = 0;
    if (reach(&m, &sets[0], 0))
        return true;
    for (size_t i = 0; m.after != NO_CHAR; i ^= 1) {
        m.before = m.after;
        m.after = json_chars_next(&chars, &c) ? c : NO_CHAR;
        if (advance(&m, &sets[i], &sets[i ^ 1], m.before))
            return true;
    }
    return false;
}
