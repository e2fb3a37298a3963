#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/nearest.h"

static void a_mistyped_word_finds_its_name(void **state)
{
    static const char *const names[] = {"run", "submit", "status", "watch", "wait", NULL};
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"statsu",                                       "status"},
        {"stats",                                        "status"},
        {"sumbit",                                       "submit"},
        {"rum",                                          "run"   },
        {"x",                                            NULL    },
        {"",                                             NULL    },
        {"deploy",                                       NULL    },
        {"statusstatusstatusstatusstatusstatusstatusss", NULL    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = nearest_of(cases[i].word, names);

        print_message("  %s\n", cases[i].word);
        if (cases[i].want == NULL)
            assert_null(got);
        else
            assert_string_equal(got, cases[i].want);
    }
}

static void every_kind_of_failure_has_the_documented_exit_code(void **state)
{
    static const struct {
        enum err_kind kind;
        int code;
    } cases[] = {
        {ERR_NONE,        0 },
        {ERR_TEMPORARY,   8 },
        {ERR_PERMANENT,   1 },
        {ERR_INTERNAL,    1 },
        {ERR_USAGE,       2 },
        {ERR_AUTH,        4 },
        {ERR_NO_JOB,      5 },
        {ERR_UNAVAILABLE, 9 },
        {ERR_INPUT,       11},
        {ERR_CONFLICT,    12},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(err_exit_code(cases[i].kind), cases[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistyped_word_finds_its_name),
        cmocka_unit_test(every_kind_of_failure_has_the_documented_exit_code),
    };
    return cmocka_run_group_tests_name("words", tests, NULL, NULL);
}
