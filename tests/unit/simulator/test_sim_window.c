#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "simulator/window.h"

static void what_is_a_span_old_counts_no_more(void **state)
{
    static const struct {
        int64_t at, count, peak;
    } steps[] = {
        {0,    1, 1},
        {10,   2, 2},
        {99,   3, 3},
        {100,  3, 3}, /* that of 0 has gone */
        {109,  4, 4},
        {110,  4, 4},
        {1000, 1, 4},
    };
    struct window w = {.span_ms = 100};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        window_add(&w, steps[i].at);
        assert_int_equal(window_count(&w, steps[i].at), steps[i].count);
        assert_int_equal(w.peak, steps[i].peak);
    }
    window_release(&w);
}

static void one_waits_until_the_oldest_has_gone(void **state)
{
    struct window w = {.span_ms = 100};

    (void)state;
    assert_int_equal(window_wait_ms(&w, 1, 0), 0);
    window_add(&w, 0);
    window_add(&w, 30);
    assert_int_equal(window_wait_ms(&w, 3, 50), 0);
    assert_int_equal(window_wait_ms(&w, 2, 50), 50);
    assert_int_equal(window_wait_ms(&w, 1, 50), 80);
    assert_int_equal(window_wait_ms(&w, 2, 100), 0);
    assert_int_equal(window_wait_ms(&w, 1, 129), 1);
    assert_int_equal(window_wait_ms(&w, 1, 130), 0);
    window_release(&w);
}

static void many_are_kept_in_order_while_the_ring_grows(void **state)
{
    struct window w = {.span_ms = 1000};

    (void)state;
    for (int64_t t = 0; t < 5000; t++) {
        window_add(&w, t);
        assert_int_equal(window_count(&w, t), t < 1000 ? t + 1 : 1000);
        assert_int_equal(w.at[w.head], t < 1000 ? 0 : t - 999);
    }
    assert_int_equal(w.peak, 1000);
    window_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_span_old_counts_no_more),
        cmocka_unit_test(one_waits_until_the_oldest_has_gone),
        cmocka_unit_test(many_are_kept_in_order_while_the_ring_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
