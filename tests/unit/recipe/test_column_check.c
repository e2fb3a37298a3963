/* Columns that no row has. */
#include "tests/unit/recipe/recipe_fixture.h"

#include "common/recipe/column_check.h"

#define ONE(text) "model: m\nanalyses:\n  - name: a\n" text

static int set_up(void **state)
{
    static struct kitchen kitchen;

    kitchen_open(&kitchen);
    kitchen_write("data/prompt.md", "About\n  {{contnet}}\n");
    kitchen_write("data/part.md", "{{user.nmae}}");
    *state = &kitchen;
    return 0;
}

static int tear_down(void **state)
{
    kitchen_close(*state);
    return 0;
}

static const char *const rows[] = {
    "{\"id\":1,\"content\":\"x\",\"user\":{\"name\":\"n\"}}\n",
    "{\"id\":2,\"content\":null,\"tags\":[{\"w\":1}]}\n",
    "[1]\n",
};

/* The message, "" when there is none. */
static const char *check(const char *text, size_t times, struct err *err)
{
    struct recipe r;

    *err = (struct err){0};
    if (!kitchen_load(text, NULL, &r, err))
        fail_msg("%s", err->msg);
    struct column_check *c = column_check_new(&r);
    for (size_t i = 0; i < times * 3; i++) {
        struct json_value row;

        assert_true(json_scan(rows[i % 3], strlen(rows[i % 3]), &row, NULL));
        column_check_row(c, &row);
    }
    if (column_check_done(c, err))
        assert_string_equal(err->msg, "");
    else
        assert_int_equal(err->kind, ERR_USAGE);
    column_check_free(c);
    recipe_release(&r);
    return err->msg;
}

static void a_column_that_no_row_has_is_told_by_its_place(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {ONE("    prompt: \"{{content}} {{user.name}} {{tags}} {{id}}\"\n"), ""                 },
        {ONE("    prompt_file: data/prompt.md\n"),
         "data/prompt.md:2:5: no row has a column \"contnet\"; did you mean \"content\"?"       },
        {ONE("    prompt: \"{{> data/part.md}}\"\n"),
         "data/part.md:1:3: no row has a column \"user.nmae\"; did you mean \"user.name\"?"     },
        {ONE("    prompt: \"{{zebra}}\"\n"),
         "recipe.yaml:4:13: prompt:1:3: no row has a column \"zebra\""                          },
        {ONE("    prompt: \"{{vocabulry}}\"\n"),
         "recipe.yaml:4:13: prompt:1:3: no row has a column \"vocabulry\"; did you mean "
         "\"vocabulary\"?"                                                                      },
        {ONE("    prompt: \"{{_idx}}\"\n"),
         "recipe.yaml:4:13: prompt:1:3: no row has a column \"_idx\"; did you mean \"_id\"?"    },
        {ONE("    prompt: p\n    when: vocabulry\n"),
         "recipe.yaml:5:11: when: column 1: no row has a column \"vocabulry\""                  },
        {ONE("    prompt: p\n    system: \"{{ids}}\"\n"),
         "recipe.yaml:5:13: system:1:3: no row has a column \"ids\"; did you mean \"id\"?"      },
        {ONE("    prompt: p\n    images: \"{{pic}}\"\n"),
         "recipe.yaml:5:13: images:1:3: no row has a column \"pic\""                            },
        {ONE("    prompt: p\n    when: tag == 'x'\n"),
         "recipe.yaml:5:11: when: column 1: no row has a column \"tag\"; did you mean \"tags\"?"},
        {ONE("    prompt: \"{{zebra | default: \\\"\\\"}}{{#if zebra}}{{zebra}}{{/if}}"
             "{{#each zebras}}{{this.x}}{{/each}}\"\n"),
         ""                                                                                     },
        {ONE("    prompt: \"{{zebra | default: \\\"\\\"}} {{zebra}}\"\n"),
         "recipe.yaml:4:13: prompt:1:27: no row has a column \"zebra\""                         },
        {ONE("    prompt: \"{{zebra}} {{zebra | default: \\\"\\\"}}\"\n"),
         "recipe.yaml:4:13: prompt:1:3: no row has a column \"zebra\""                          },
        {"id_field: idd\n" ONE("    prompt: p\n"),
         "recipe.yaml:1:11: id_field: no row has a column \"idd\"; did you mean \"id\"?"        },
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(check(cases[i].text, 1, &err), cases[i].wanted);
}

static void without_rows_nothing_is_known(void **state)
{
    struct err err;

    (void)state;
    assert_string_equal(check(ONE("    prompt: \"{{zebra}}\"\n"), 0, &err), "");
}

static void how_many_rows_were_seen_is_said(void **state)
{
    struct err err;

    (void)state;
    assert_string_equal(
        check(ONE("    prompt: \"{{zebra}}\"\n"), 500, &err),
        "recipe.yaml:4:13: prompt:1:3: none of the first 1000 rows has a column \"zebra\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_that_no_row_has_is_told_by_its_place),
        cmocka_unit_test(without_rows_nothing_is_known),
        cmocka_unit_test(how_many_rows_were_seen_is_said),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
