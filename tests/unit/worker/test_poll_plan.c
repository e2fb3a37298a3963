#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "worker/core/poll_plan.h"

static const struct {
    const char *name;
    int64_t bound, minimum, age, want;
} cases[] = {
    {"a new batch waits the minimum",         60000,   30000, 0,        30000 },
    {"a tenth of the age",                    600000,  30000, 1000000,  100000},
    {"never later than the bound",            60000,   30000, 1000000,  60000 },
    {"a bound below the minimum is obeyed",   200,     30000, 0,        200   },
    {"never later than ten minutes",          3600000, 30000, 86400000, 600000},
    {"an age below zero (clock turned back)", 60000,   30000, -5000,    30000 },
};

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct poll_plan plan = {.bound_ms = cases[i].bound, .minimum_ms = cases[i].minimum};

        print_message("  %s\n", cases[i].name);
        assert_int_equal(poll_plan_next_ms(&plan, cases[i].age), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};
    return cmocka_run_group_tests_name("poll_plan", tests, NULL, NULL);
}
