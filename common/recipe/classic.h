#ifndef RECIPE_CLASSIC_H
#define RECIPE_CLASSIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/recipe/recipe.h"

/*
 * The older format: a config.json with "batch" and "paths", and a folder with posts.json and the
 * vocabularies. It becomes a recipe with six analyses that is built in (docs/recipes.md, "The
 * older format"); what follows is the same as with a recipe file, the bundle too.
 */

struct classic {
    struct recipe recipe;
    char *posts;              /* path of posts.json */
    char *output;             /* path of the JSON array that is written */
    int64_t poll_interval_ms; /* 0: the file does not say */
    int64_t max_batches;      /* 0: the file does not say */
};

/** Whether the file at @path is a JSON object with "batch" and "paths". False too when unreadable.
 */
bool classic_is(const char *path);

/**
 * Read the file at @path and what its folders hold. @overrides (may be NULL) are as for
 * recipe_load(). ERR_USAGE starts with the place. The caller releases *@out.
 */
MUST_CHECK bool classic_load(const char *path, const struct recipe_overrides *overrides,
                             struct classic *out, struct err *err);

void classic_release(struct classic *classic);

#endif
