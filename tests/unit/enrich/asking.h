#ifndef TESTS_UNIT_ENRICH_ASKING_H
#define TESTS_UNIT_ENRICH_ASKING_H

#include <stddef.h>

#include "common/enrich/render.h"
#include "common/recipe/recipe.h"
#include "tests/testlib/scratch.h"

/* A recipe of a few analyses, put together by hand, and rows in a folder of the test's own. */
struct asking {
    char path[SCRATCH_PATH_MAX];
    char rows_path[SCRATCH_PATH_MAX + 16];
    struct recipe recipe;
    struct rows *rows;
};

void asking_make(struct asking *a);
void asking_free(struct asking *a);

/* One more analysis with this prompt; its other members may be changed until the next one. */
struct analysis *asking_add(struct asking *a, const char *name, const char *prompt);

/* Further members of its bodies, in place of none. */
void asking_parameters(struct analysis *one, const char *parameters);

/* A template; fails the test when it is none. */
struct template *asking_template(const char *text);

/* Write the rows (JSON lines), and open them. */
void asking_rows(struct asking *a, const char *text);

#endif
