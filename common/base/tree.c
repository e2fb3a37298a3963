#include "common/base/tree.h"

#include <stdlib.h>

#include "common/base/xmem.h"

void tree_add(struct tree *tree, const struct tree_node *node)
{
    struct tree_node copy = *node;

    copy.key = xstrdup(node->key);
    copy.value = xstrdup(node->value);
    if ((tree->count & (tree->count - 1)) == 0) /* the room is the next power of two */
        tree->nodes =
            xrealloc(tree->nodes, tree->count == 0 ? 1 : 2 * tree->count, sizeof(*tree->nodes));
    tree->nodes[tree->count++] = copy;
}

size_t tree_inside(const struct tree *tree, size_t i)
{
    size_t n = 0;

    while (i + n + 1 < tree->count && tree->nodes[i + n + 1].depth > tree->nodes[i].depth)
        n++;
    return n;
}

bool tree_fail(const struct tree *tree, size_t i, struct err *err)
{
    const struct tree_node *node = &tree->nodes[i];

    (void)err_wrap(err, "%s:%zu:%zu", tree->name, node->line, node->column);
    return err_one_line(err);
}

bool tree_fail_key(const struct tree *tree, size_t i, struct err *err)
{
    const struct tree_node *node = &tree->nodes[i];

    (void)err_wrap(err, "%s:%zu:%zu", tree->name, node->key_line, node->key_column);
    return err_one_line(err);
}

void tree_release(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->nodes[i].key);
        free(tree->nodes[i].value);
    }
    free(tree->nodes);
    free(tree->name);
    *tree = (struct tree){0};
}
