#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "common/tokens/calibration.h"

static const struct {
    const char *name;
    struct calibration c;
    unsigned permille;
    int error;
    uint64_t tokens, applied;
} cases[] = {
    {"nothing is known",            {0, 0},           1000, 0,        500, 500},
    {"too little is known",         {999, 2000},      1000, -500,     500, 500},
    {"all was right",               {1000, 1000},     1000, 0,        500, 500},
    {"a tenth too low",             {100000, 110000}, 1100, -90,      500, 550},
    {"a quarter too high",          {125000, 100000}, 800,  250,      500, 400},
    {"what is left over rounds up", {3000, 4000},     1333, -250,     100, 134},
    {"a half of a thousandth",      {2000, 2001},     1001, 0,        1,   2  },
    {"not believed: too little",    {100000, 1},      250,  99999000, 100, 25 },
    {"not believed: too much",      {1000, 1000000},  4000, -999,     100, 400},
    {"nothing was used",            {100000, 0},      250,  0,        100, 25 },
    {"nothing is nothing",          {100000, 110000}, 1100, -90,      0,   0  },
};

static void an_estimate_is_put_right_by_what_came_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(calibration_permille(&cases[i].c), cases[i].permille);
        assert_int_equal(calibration_error_permille(&cases[i].c), cases[i].error);
        assert_int_equal(calibration_apply(&cases[i].c, cases[i].tokens), cases[i].applied);
    }
}

static void old_answers_weigh_ever_less(void **state)
{
    struct calibration c = {0, 0};

    (void)state;
    for (int i = 0; i < 100; i++)
        calibration_note(&c, 1000000, 2000000);
    assert_int_equal(calibration_permille(&c), 2000);
    assert_true(c.estimated <= CALIBRATION_WINDOW);
    for (int i = 0; i < 100; i++)
        calibration_note(&c, 1000000, 1000000);
    assert_in_range(calibration_permille(&c), 1000, 1010);
}

static void a_window_that_is_full_is_not_halved_yet(void **state)
{
    struct calibration c = {0, 0};

    (void)state;
    calibration_note(&c, CALIBRATION_WINDOW, CALIBRATION_WINDOW / 2);
    assert_int_equal(c.estimated, CALIBRATION_WINDOW);
    calibration_note(&c, 2, 3);
    assert_int_equal(c.estimated, CALIBRATION_WINDOW / 2 + 1);
    assert_int_equal(c.actual, CALIBRATION_WINDOW / 4 + 1);
}

static void sums_do_not_overflow(void **state)
{
    struct calibration c = {0, 0};

    (void)state;
    calibration_note(&c, 5, UINT64_MAX);
    calibration_note(&c, UINT64_MAX, UINT64_MAX);
    assert_in_range(calibration_permille(&c), CALIBRATION_PERMILLE_LOW, CALIBRATION_PERMILLE_HIGH);
    assert_true(calibration_apply(&c, UINT64_MAX) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_estimate_is_put_right_by_what_came_back),
        cmocka_unit_test(old_answers_weigh_ever_less),
        cmocka_unit_test(a_window_that_is_full_is_not_halved_yet),
        cmocka_unit_test(sums_do_not_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
