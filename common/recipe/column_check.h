#ifndef RECIPE_COLUMN_CHECK_H
#define RECIPE_COLUMN_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/recipe.h"

/*
 * Whether the rows have the columns that the templates and conditions of a recipe name. JSON rows
 * have no header, so it is learned from the first COLUMN_CHECK_ROWS of them: a column that none of
 * them has is a mistake, unless the template says what to do without it.
 *
 *     struct column_check *check = column_check_new(&recipe);
 *     while (a row, at most COLUMN_CHECK_ROWS of them)
 *         column_check_row(check, &row.object);
 *     ok = column_check_done(check, &err);
 *     column_check_free(check);
 */

/** Rows that are worth looking at. */
#define COLUMN_CHECK_ROWS 1000

struct column_check;

/** Never NULL. Borrows @recipe. */
struct column_check *column_check_new(const struct recipe *recipe);

/** Look at one row; anything but an object says nothing. */
void column_check_row(struct column_check *check, const struct json_value *object);

/**
 * ERR_USAGE for the first column that was in no row: "prompts/topics.md:3:7: no row has a column
 * "contnet"; did you mean "content"?" True when no row was an object: there is nothing to learn.
 */
MUST_CHECK bool column_check_done(const struct column_check *check, struct err *err);

/** NULL is fine. */
void column_check_free(struct column_check *check);

#endif
