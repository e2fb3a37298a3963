#ifndef BASE_TREE_H
#define BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

/*
 * A part of a configuration file as plain data, for whoever understands it:
 * the nodes in the order of the file, each with its depth. What belongs to a
 * node follows it and is deeper.
 *
 *     providers:                    (not a node: the tree is what is in it)
 *       mine:                       depth 0, key "mine", no value
 *         like: openai              depth 1, key "like", value "openai"
 *         key_env: [A, B]           depth 1, key "key_env", no value;
 *                                   depth 2, key "", values "A" and "B"
 */
struct tree_node {
    char *key;   /* owned; "" in a list; dashes are as written */
    char *value; /* owned; NULL: a mapping or a list */
    unsigned depth;
    size_t line, column; /* of the value, where there is one, else of the key; from 1 */
};

struct tree {
    struct tree_node *nodes; /* owned; tree_release() */
    size_t count;
    char *name; /* owned: what messages call the file; NULL: there was none */
};

/** Append a copy. */
void tree_add(struct tree *tree, const struct tree_node *node);

/** Nodes that belong to node @i, those deeper down among them. */
size_t tree_inside(const struct tree *tree, size_t i);

/** Put "file:line:column: " of node @i before the message in @err; false. */
bool tree_fail(const struct tree *tree, size_t i, struct err *err);

/** Free everything; the struct is empty afterwards. */
void tree_release(struct tree *tree);

#endif
