#ifndef RECIPE_CONDITION_H
#define RECIPE_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"

/*
 * Whether an analysis asks about a row: `when: "content != '' and not (lang in ['en', 'fr'])"`.
 * The grammar and what is compared how: docs/recipes.md, "Conditions". Parsed once; asking is pure
 * and allocates nothing.
 */
struct condition;

/** Deepest nesting of parentheses and `not`. */
#define CONDITION_DEPTH_MAX 32

/**
 * Parse NUL-terminated UTF-8. All is copied; free with condition_free(). NULL: ERR_USAGE,
 * "@name: column 9: expected ..."; without the name when @name is NULL.
 */
struct condition *condition_parse(const char *name, const char *text, struct err *err);

/** NULL is fine. */
void condition_free(struct condition *c);

/**
 * Whether it is true of @row: a checked JSON object, part of a longer text or followed by a NUL or
 * a newline. Never fails: a column that is missing is as one that is null.
 */
bool condition_holds(const struct condition *c, const struct json_value *row);

/**
 * What counts as something in `when: tags` and {{#if tags}}: everything but an absent value, null,
 * false, "", a zero, [] and {}.
 */
bool condition_truth(const struct json_value *value);

/** One use of a column; @path is as row_at() takes it, @column from 1 in characters. */
typedef void (*condition_column_fn)(void *arg, const char *path, size_t column);

/** Call @fn for each use of a column, in the order of the text. */
void condition_columns(const struct condition *c, condition_column_fn fn, void *arg);

#endif
