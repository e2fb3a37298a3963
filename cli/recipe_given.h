#ifndef CLI_RECIPE_GIVEN_H
#define CLI_RECIPE_GIVEN_H

#include <stdbool.h>

#include "cli/verb.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/classic.h"
#include "common/recipe/recipe.h"

/**
 * What a command line says of a recipe: the one of --recipe, or the one that a configuration file
 * of the older format stands for, with what it says instead of arguments.
 */
struct recipe_given {
    const struct recipe *recipe; /* one of the two below */
    const char *input;           /* INPUT, else what the older format says; NULL: nothing does */
    const char *output;          /* -o, else the same; NULL: nothing does */
    struct recipe own;
    struct classic classic;
};

/** Whether --config is a file of the older format, which is a job by itself. */
bool recipe_given_is_classic(const struct options *o);

/**
 * Read it. Settings that only the older format says (the time between polls, batches at once) go
 * into the options of @call unless a flag or a variable gave them. ERR_USAGE with the place in
 * the file. The caller releases *@out.
 */
MUST_CHECK bool recipe_given_load(struct invocation *call, struct recipe_given *out,
                                  struct err *err);
void recipe_given_release(struct recipe_given *given);

/**
 * With --max-cost every model of the recipe needs a price: ERR_USAGE names the first without, and
 * how to give one.
 */
MUST_CHECK bool recipe_given_check_prices(const struct recipe_given *given, const struct options *o,
                                          struct err *err);

/**
 * Whether the rows at @path (which can be read again) have the columns that the recipe names, as
 * far as the first rows tell. ERR_USAGE with the place in the template, ERR_INPUT when they cannot
 * be read.
 */
MUST_CHECK bool recipe_given_check_rows(const struct recipe_given *given, const char *path,
                                        struct err *err);

#endif
