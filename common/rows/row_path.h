#ifndef ROWS_ROW_PATH_H
#define ROWS_ROW_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"

/*
 * Dotted paths into a row: "a.b" is member b of member a, "items.0.name" the name in the first
 * element of items. A member whose own name has the dot in it wins: in {"a.b":1,"a":{"b":2}} the
 * path "a.b" is 1. In general, at each object the member whose name is the longest beginning of the
 * path (up to a dot or its end) is taken; of two members of one name the last.
 */

/** Names in a path at most. */
#define ROW_PATH_NAMES_MAX 32

/**
 * Whether @path can be one: not empty, no empty name between its dots, at most ROW_PATH_NAMES_MAX
 * names. ERR_USAGE: "output \"a..b\": has an empty name" (without what the caller puts before it).
 */
MUST_CHECK bool row_path_check(const char *path, struct err *err);

/** The value at @path in @object; absent when there is none. Lives as long as the object's text. */
struct json_value row_at(const struct json_value *object, const char *path);

/**
 * How much of @path the member name @name (a raw JSON string) is: its length in @path when it is
 * all of it or ends before a dot, else 0. An empty name is never any of it.
 */
size_t row_path_match(const struct json_value *name, const char *path);

#endif
