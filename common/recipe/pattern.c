/* From a tree to steps; {n,m} makes a node into steps several times. */
#include "common/recipe/pattern.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/recipe/pattern_tree.h"

static void emit(struct pattern_reader *r, size_t node);

static size_t put(struct pattern_reader *r, struct pattern_step step)
{
    if (r->out->count == PATTERN_STEPS)
        return pattern_wrong(r, "it is too long");
    r->out->steps[r->out->count] = step;
    return r->out->count++;
}

/* The split at @at leads on behind it, and to @target. */
static void aim(struct pattern_reader *r, size_t at, size_t target)
{
    if (r->what != NULL)
        return;
    r->out->steps[at].x = (uint16_t)(at + 1);
    r->out->steps[at].y = (uint16_t)target;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the tree, and only as often as there are steps */
static void emit_choice(struct pattern_reader *r, const struct pattern_node *n)
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
static void emit_repeat(struct pattern_reader *r, const struct pattern_node *n)
{
    for (size_t i = 0; i < n->min && r->what == NULL; i++)
        emit(r, n->a);
    if (n->max == PATTERN_FOREVER) {
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

static void emit(struct pattern_reader *r, size_t node)
{
    if (r->what != NULL)
        return;
    if (r->emitted++ > PATTERN_STEPS * 16) { /* many times nothing */
        pattern_wrong(r, "it is too long");
        return;
    }

    const struct pattern_node *n = &r->nodes[node];

    switch (n->op) {
    case PATTERN_NODE_EMPTY: break;
    case PATTERN_NODE_STEP: put(r, n->step); break;
    case PATTERN_NODE_CAT:
        emit(r, n->a);
        emit(r, n->b);
        break;
    case PATTERN_NODE_OR: emit_choice(r, n); break;
    case PATTERN_NODE_REPEAT: emit_repeat(r, n); break;
    }
}

/* NOLINTEND(misc-no-recursion) */

struct pattern *pattern_parse(const struct json_value *string, const char **what)
{
    struct pattern_reader r = {.chars = json_chars_begin(string)};

    r.out = xcalloc(1, sizeof(*r.out));
    r.out->steps = xcalloc(PATTERN_STEPS, sizeof(*r.out->steps));
    emit(&r, pattern_read(&r));
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
