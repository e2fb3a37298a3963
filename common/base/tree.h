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
    char *value; /* owned; NULL: a mapping or a list; "null" without quotes: nothing */
    unsigned depth;
    bool quoted;         /* the value was in quotes, or a block: text, whatever it looks like */
    bool list;           /* without a value: a list, not a mapping */
    size_t line, column; /* of the value, where there is one, else of the key; from 1 */
    size_t key_line, key_column; /* of the key; in a list the same as line and column */
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

/** The same with the place of its key. */
bool tree_fail_key(const struct tree *tree, size_t i, struct err *err);

/** Free everything; the struct is empty afterwards. */
void tree_release(struct tree *tree);

#endif
