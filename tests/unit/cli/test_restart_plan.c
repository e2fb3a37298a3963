#include "tests/testlib/unit.h"

#include "cli/core/restart_plan.h"
#include "common/base/attr.h"

static void waits_grow_while_it_keeps_dying_and_begin_anew_after_a_good_life(void **state)
{
    static const struct {
        int64_t lived_ms, want_wait_ms;
        unsigned want_deaths;
    } lives[] = {
        {5,     0,    1},
        {5,     250,  2},
        {5,     500,  3},
        {9999,  1000, 4},
        {5,     2000, 5},
        {5,     4000, 6},
        {5,     5000, 7},
        {5,     5000, 8},
        {10000, 0,    1},
        {5,     250,  2},
    };
    struct restart_plan plan = {0};
    int64_t now_ms = 1000;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        restart_plan_started(&plan, now_ms);
        now_ms += lives[i].lived_ms;
        int64_t wait_ms = restart_plan_died(&plan, 1, now_ms);

        assert_int_equal(wait_ms, lives[i].want_wait_ms);
        assert_int_equal(plan.deaths, lives[i].want_deaths);
        if (plan.deaths == 1)
            assert_int_equal(plan.failing_ms, now_ms);
        now_ms += wait_ms;
    }
}

static void killing_makes_no_wait_longer(void **state)
{
    struct restart_plan plan = {0};
    int64_t now_ms = 1000;

    (void)state;
    for (unsigned i = 1; i <= 50; i++) {
        restart_plan_started(&plan, now_ms);
        now_ms += 5;
        assert_int_equal(restart_plan_died(&plan, i % 2 == 0 ? -9 : -15, now_ms), i == 1 ? 0 : 250);
        assert_int_equal(plan.deaths, i);
        assert_int_equal(plan.faults, 0);
    }
    (void)restart_plan_died(&plan, -11, now_ms); /* a crash is a fault */
    assert_int_equal(plan.faults, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killing_makes_no_wait_longer),
        cmocka_unit_test(waits_grow_while_it_keeps_dying_and_begin_anew_after_a_good_life),
    };
    return cmocka_run_group_tests_name("restart_plan", tests, NULL, NULL);
}
