#ifndef TESTS_RECIPE_FIXTURE_H
#define TESTS_RECIPE_FIXTURE_H

#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/recipe/recipe.h"

/* A folder of its own for recipes and their files: it becomes the current one. */
struct kitchen {
    char folder[32];
    char before[512];
};

static inline void kitchen_open(struct kitchen *k)
{
    (void)snprintf(k->folder, sizeof(k->folder), "/tmp/sheaf-recipe-XXXXXX");
    assert_non_null(mkdtemp(k->folder));
    assert_non_null(getcwd(k->before, sizeof(k->before)));
    assert_int_equal(chdir(k->folder), 0);
    assert_int_equal(mkdir("data", 0700), 0);
}

static inline void kitchen_write(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static inline void kitchen_close(const struct kitchen *k)
{
    char command[64];

    assert_int_equal(chdir(k->before), 0);
    (void)snprintf(command, sizeof(command), "rm -r %s", k->folder);
    assert_int_equal(system(command), 0);
}

/* Where the analysis of that name is in the recipe; recipe->count: nowhere. */
static inline size_t kitchen_place(const struct recipe *recipe, const char *name)
{
    size_t i = 0;

    while (i < recipe->count && strcmp(recipe->analyses[i].name, name) != 0)
        i++;
    return i;
}

/* The analysis of that name; fails without. */
static inline const struct analysis *kitchen_find(const struct recipe *recipe, const char *name)
{
    size_t i = kitchen_place(recipe, name);

    if (i == recipe->count)
        fail_msg("there is no analysis \"%s\"", name);
    return &recipe->analyses[i];
}

/* Write recipe.yaml and load it as that. */
static inline bool kitchen_load(const char *text, const struct recipe_overrides *overrides,
                                struct recipe *out, struct err *err)
{
    kitchen_write("recipe.yaml", text);
    return recipe_load("recipe.yaml", overrides, out, err);
}

#endif
