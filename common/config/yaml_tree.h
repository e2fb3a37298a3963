#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/tree.h"

/*
 * A whole file as a tree: one YAML document that is a mapping, JSON among them (but for escapes of
 * surrogates, "\ud83d\ude00", which YAML does not have). Keys are compared as they are written.
 * Anchors, aliases, tags, merge keys and NULs are refused, and so is a key that names a secret:
 * what is read may be kept and shown. A value that is missing, ~ or null is the text "null" without
 * quotes. Errors are ERR_USAGE and start with "file:line:column: ".
 */

/** A larger file is refused. */
#define YAML_TREE_MAX_BYTES (1u << 20)

/** More nodes are refused, and deeper ones. */
#define YAML_TREE_MAX_NODES 16384
#define YAML_TREE_MAX_DEPTH 48

/**
 * Read @len bytes at @text, UTF-8; @name is what messages call the file. An empty document is an
 * error. The caller releases *@out; on failure it is empty.
 */
MUST_CHECK bool yaml_tree_parse(const char *name, const char *text, size_t len, struct tree *out,
                                struct err *err);

/** The member @key of the mapping at node @parent of @tree, or of the whole (TREE_ROOT): its node.
 */
#define TREE_ROOT ((size_t)-1)
#define TREE_NONE ((size_t)-1)

size_t yaml_tree_find(const struct tree *tree, size_t parent, const char *key);

/** The first node in @parent (TREE_ROOT: in the whole), or TREE_NONE. */
size_t yaml_tree_first(const struct tree *tree, size_t parent);

/** The one beside @i and behind it, or TREE_NONE. */
size_t yaml_tree_next(const struct tree *tree, size_t i);

/** Whether a node has no value at all: "x:" or "x: null", without quotes. */
bool yaml_tree_is_null(const struct tree_node *node);

#endif
