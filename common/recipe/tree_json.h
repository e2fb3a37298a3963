#ifndef RECIPE_TREE_JSON_H
#define RECIPE_TREE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/tree.h"
#include "common/json/scan.h"

struct buf;

/*
 * Between a file's tree and JSON. A value without quotes is null when it is empty, ~ or null;
 * true or false when it says so; a number when JSON calls it one (3, -0.5, 1e6); else, and in
 * quotes, it is a string. So what YAML 1.1 took for a truth or a number (yes, 0x10, 1_000) is text.
 */

/** Append node @i (TREE_ROOT: the whole) as compact JSON. False past the limit of @out. */
MUST_CHECK bool tree_to_json(const struct tree *tree, size_t i, struct buf *out);

/**
 * The tree of a scanned JSON object, as if it had been read from a file; places are 0. What is
 * nested deeper than YAML_TREE_MAX_DEPTH is left out: what tree_to_json() wrote never is. The
 * caller releases *@out.
 */
void tree_from_json(const char *name, const struct json_value *object, struct tree *out);

#endif
