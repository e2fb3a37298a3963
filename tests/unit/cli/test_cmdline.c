#include "tests/testlib/unit.h"

#include <string.h>

#include "cli/cmdline.h"
#include "common/base/attr.h"

static void only_what_was_set_and_what_the_program_takes_is_passed_on(void **state)
{
    char words[][40] = {"sheaf",          "--max-requests=100", "--max-bytes=1MiB",
                        "--lease=1500ms", "--workers=3",        "--payload=inline",
                        "--model=a b",    "--redis=unix:/s",    "-v"};
    char *argv[ARRAY_LEN(words) + 1];
    static const char *const want[] = {
        "x",        "--model=a b", "--max-requests=100", "--max-bytes=1048576", "--lease=1500ms",
        "--verbose"};
    static const char *const but[] = {"payload", "redis", NULL};
    struct options o;
    struct settings_args args;
    struct err err = {0};
    struct cmdline w = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        argv[i] = words[i];
    argv[ARRAY_LEN(words)] = NULL;
    assert_true(options_load(&o, OPT_COMMON | OPT_RUN, "sheaf run", (int)ARRAY_LEN(words), argv,
                             &args, &err));
    cmdline_add(&w, "x");
    cmdline_add_options(&w, &o, OPT_COMMON | OPT_PRODUCER, but);
    assert_int_equal(w.count, ARRAY_LEN(want));
    for (size_t i = 0; i < w.count; i++)
        assert_string_equal(w.items[i], want[i]);
    assert_null(w.items[w.count]);
    cmdline_release(&w);
    settings_args_release(&args);
    options_release(&o);
}

static void programs_that_are_not_beside_us_are_left_to_path(void **state)
{
    struct cmdline w = {0};

    (void)state;
    cmdline_add_program(&w, "sheaf-nobody");
    assert_string_equal(w.items[0], "sheaf-nobody");
    cmdline_add_program(&w, "test_cmdline");
    assert_int_equal(w.items[1][0], '/');
    cmdline_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_set_and_what_the_program_takes_is_passed_on),
        cmocka_unit_test(programs_that_are_not_beside_us_are_left_to_path),
    };
    return cmocka_run_group_tests_name("cmdline", tests, NULL, NULL);
}
