#include "common/merge/lineage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/merge/inputs.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/sink.h"

#define TASKS ((size_t)PART_WINDOWS * 1024)

/* A generation of the part that is merged, and what from. */
struct ancestor {
    uint32_t number;
    struct inputs inputs;
};

struct lineage {
    uint32_t part, generation;
    struct ancestor *ancestors; /* oldest first; none in the first run */
    size_t count;
    uint32_t *task_of; /* by task: its generation; NULL in the first run */
    uint64_t listed;
};

void lineage_free(struct lineage *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->count; i++)
        inputs_release(&l->ancestors[i].inputs);
    free(l->ancestors);
    free(l->task_of);
    free(l);
}

static bool add_ancestor(struct lineage *l, struct sink *sink, uint32_t number, struct err *err)
{
    bool found = false;

    l->ancestors = xrealloc(l->ancestors, l->count + 1, sizeof(*l->ancestors));
    struct ancestor *a = &l->ancestors[l->count++];
    *a = (struct ancestor){.number = number};
    if (!inputs_load(sink, l->part, number, &a->inputs, &found, err))
        return false;
    return found || err_set(err, ERR_PERMANENT,
                            "%s: part %" PRIu32 " was resubmitted and generation %" PRIu32
                            " of it is not merged",
                            sink_path(sink), l->part, number);
}

static size_t task_index(uint64_t ordinal)
{
    return (size_t)(ordinal_window(ordinal) % PART_WINDOWS) * 1024 + ordinal_line(ordinal);
}

/* The newest comes last, so it stays. */
static bool mark_tasks(struct lineage *l, const struct generations *g, uint32_t number,
                       struct err *err)
{
    struct rowset *set = generations_open(g, number, err);
    struct rowset_window w;

    if (set == NULL || !rowset_read_part(set, l->part, err)) {
        rowset_free(set);
        return false;
    }
    l->listed = 0;
    while (rowset_next(set, &w)) {
        l->listed += w.left;
        for (uint32_t i = 0; i < w.lines; i++) {
            if (!mask_get(w.mask, i))
                l->task_of[task_index(ordinal_make(w.window, i))] = number;
        }
    }
    rowset_free(set);
    return true;
}

/* Generation @number and those before it, oldest first. */
static bool follow(struct lineage *l, struct sink *sink, const struct generations *g,
                   struct err *err)
{
    uint32_t *numbers = xcalloc((size_t)generations_newest(g) + 1, sizeof(*numbers));
    size_t count = 0;
    bool ok = true;

    for (uint32_t n = l->generation; n > 0; n = generations_of_part(g, l->part, n))
        numbers[count++] = n;
    l->task_of = xcalloc(TASKS, sizeof(*l->task_of));
    ok = add_ancestor(l, sink, 0, err);
    for (size_t i = count; ok && i-- > 0;) {
        ok = mark_tasks(l, g, numbers[i], err);
        if (ok && i > 0)
            ok = add_ancestor(l, sink, numbers[i], err);
    }
    free(numbers);
    return ok;
}

struct lineage *lineage_new(struct sink *sink, uint32_t part, uint32_t below, struct err *err)
{
    struct generations *g = generations_load(sink, err);
    struct lineage *l = xcalloc(1, sizeof(*l));
    bool ok = g != NULL;

    l->part = part;
    if (ok)
        l->generation = generations_of_part(g, part, below);
    if (ok && l->generation > 0)
        ok = follow(l, sink, g, err);
    generations_free(g);
    if (ok)
        return l;
    lineage_free(l);
    return NULL;
}

uint32_t lineage_generation(const struct lineage *l)
{
    return l->generation;
}

uint32_t lineage_previous(const struct lineage *l)
{
    return l->ancestors[l->count - 1].number;
}

static int compare_name(const void *a, const void *b)
{
    return strcmp(a, *(char *const *)b);
}

uint32_t lineage_of_file(const struct lineage *l, const char *name)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct inputs *in = &l->ancestors[i].inputs;

        if (in->count != 0 &&
            bsearch(name, in->names, in->count, sizeof(*in->names), compare_name) != NULL)
            return l->ancestors[i].number;
    }
    return l->generation;
}

uint32_t lineage_of_task(const struct lineage *l, uint64_t ordinal)
{
    return l->task_of == NULL ? 0 : l->task_of[task_index(ordinal)];
}

bool lineage_was_cancelled(const struct lineage *l, uint64_t ordinal)
{
    uint32_t generation = lineage_of_task(l, ordinal);

    for (size_t i = 0; i < l->count; i++) {
        if (l->ancestors[i].number >= generation && l->ancestors[i].inputs.cancelled)
            return true;
    }
    return false;
}

uint64_t lineage_listed(const struct lineage *l)
{
    return l->listed;
}
