/* The recipes in examples/ load, and their rows have the columns they name. */
#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/recipe/column_check.h"
#include "common/recipe/recipe.h"
#include "common/rows/rows.h"

static const struct {
    const char *recipe, *rows;
    size_t analyses;
    uint64_t count;
} examples[] = {
    {"posts/recipe.yaml",     "posts/posts.jsonl",     6, 60 },
    {"relations/recipe.yaml", "relations/pairs.csv",   1, 34 },
    {"behaviour/recipe.yaml", "behaviour/users.jsonl", 1, 120},
};

static const char *path_of(const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s", EXAMPLES, name);
    return out;
}

static uint64_t look_at_rows(const char *path, const struct recipe *recipe)
{
    struct column_check *check = column_check_new(recipe);
    struct err err = {0};
    struct rows *rows = rows_open(path, &recipe->rows, &err);
    uint64_t count = 0;
    bool end = false;

    if (rows == NULL)
        fail_msg("%s", err.msg);
    while (!end) {
        struct row row;

        if (!rows_next(rows, &row, &end, &err))
            fail_msg("%s", err.msg);
        if (end)
            break;
        assert_null(row.problem);
        column_check_row(check, &row.object);
        count++;
    }
    if (!column_check_done(check, &err))
        fail_msg("%s", err.msg);
    column_check_free(check);
    rows_close(rows);
    return count;
}

static void each_example_fits_its_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        char path[512];
        struct recipe recipe;
        struct err err = {0};

        if (!recipe_load(path_of(examples[i].recipe, path), NULL, &recipe, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(recipe.count, examples[i].analyses);
        assert_int_equal(look_at_rows(path_of(examples[i].rows, path), &recipe), examples[i].count);
        recipe_release(&recipe);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_example_fits_its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
