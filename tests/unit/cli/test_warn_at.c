#include "tests/testlib/unit.h"

#include <string.h>

#include "cli/core/warn_at.h"

static void shares_are_read_in_any_order(void **state)
{
    struct warn_at w;
    struct err err = {0};

    (void)state;
    assert_true(warn_at_parse("80%,50,100%", &w, &err));
    assert_int_equal(w.count, 3);
    assert_int_equal(w.percent[0], 50);
    assert_int_equal(w.percent[1], 80);
    assert_int_equal(w.percent[2], 100);
}

static void what_is_no_share_is_named(void **state)
{
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"",         "\"\""   },
        {"0%",       "\"0%\"" },
        {"101",      "\"101\""},
        {"50%,,80%", "\"\""   },
        {"50,x",     "\"x\""  },
        {"-5",       "\"-5\"" },
        {"1000%",    "1000%"  },
        {"%",        "\"%\""  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct warn_at w = {0};
        struct err err = {0};

        assert_false(warn_at_parse(cases[i].text, &w, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.msg, cases[i].named));
        assert_int_equal(w.count, 0);
    }
}

static void each_share_is_told_once_and_the_highest_of_several(void **state)
{
    struct warn_at w;
    struct err err = {0};

    (void)state;
    assert_true(warn_at_parse("50,80,90", &w, &err));
    assert_int_equal(warn_at_due(&w, 49, 100), 0);
    assert_int_equal(warn_at_due(&w, 50, 100), 50);
    assert_int_equal(warn_at_due(&w, 60, 100), 0);
    assert_int_equal(warn_at_due(&w, 95, 100), 90);
    assert_int_equal(warn_at_due(&w, 100, 100), 0);
}

static void a_share_is_never_told_too_early(void **state)
{
    struct warn_at w;
    struct err err = {0};

    (void)state;
    assert_true(warn_at_parse("50", &w, &err));
    assert_int_equal(warn_at_due(&w, 3, 7), 0); /* 3 of 7 is less than half */
    assert_int_equal(warn_at_due(&w, 4, 7), 50);
    assert_true(warn_at_parse("99", &w, &err));
    assert_int_equal(warn_at_due(&w, INT64_MAX - 1, INT64_MAX), 99); /* and nothing overflows */
    assert_int_equal(warn_at_due(&w, INT64_MAX, 0), 0);              /* without a cap */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_read_in_any_order),
        cmocka_unit_test(what_is_no_share_is_named),
        cmocka_unit_test(each_share_is_told_once_and_the_highest_of_several),
        cmocka_unit_test(a_share_is_never_told_too_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
