#include "tests/testlib/unit.h"

#include <string.h>

#include "cli/core/spending.h"

static struct job_view view_of(int64_t spent, int64_t left)
{
    return (struct job_view){.state = JOB_SEALED,
                             .currency = "CNY",
                             .spent_nano = spent,
                             .left_nano = left,
                             .max_cost_nano = -1};
}

static const char *text_of(const struct spending *s, struct buf *out,
                           void (*print)(const struct spending *, struct buf *))
{
    buf_clear(out);
    print(s, out);
    return out->data != NULL ? out->data : "";
}

static void money_that_is_not_known_is_not_shown(void **state)
{
    struct job_view view = {.max_cost_nano = -1};
    struct spending s = spending_from_view(&view);
    struct buf out = BUF_INIT(1000);

    (void)state;
    assert_string_equal(text_of(&s, &out, spending_print_plain), "");
    assert_string_equal(text_of(&s, &out, spending_print_text), "");
    assert_string_equal(text_of(&s, &out, spending_print_json), "null");
    buf_release(&out);
}

static void what_is_left_is_projected(void **state)
{
    struct job_view view = view_of(1490000000, 13110000000);
    struct buf out = BUF_INIT(1000);

    (void)state;
    view.max_cost_nano = 20 * MONEY_UNIT;
    view.est_input_tokens = 969;
    view.act_input_tokens = 1000;
    struct spending s = spending_from_view(&view);
    assert_string_equal(text_of(&s, &out, spending_print_plain),
                        " cost=¥1.49 projected=¥14.60 cap=¥20.00 estimate_error=-3.1%");
    assert_string_equal(text_of(&s, &out, spending_print_text),
                        "¥1.49, at the end ¥14.60, cap ¥20.00, tokens estimated -3.1 %");
    assert_string_equal(text_of(&s, &out, spending_print_json),
                        "{\"currency\":\"CNY\",\"spent_nano\":1490000000,"
                        "\"projected_nano\":14600000000,\"cap_nano\":20000000000,"
                        "\"estimate_error_permille\":-31}");
    buf_release(&out);
}

static void the_end_is_unknown_while_the_input_or_a_price_is(void **state)
{
    struct job_view view = view_of(0, 5);
    struct buf out = BUF_INIT(1000);

    (void)state;
    view.state = JOB_OPEN;
    struct spending s = spending_from_view(&view);
    assert_string_equal(text_of(&s, &out, spending_print_plain), " cost=¥0.00 projected=?");
    view.state = JOB_SEALED;
    view.left_unpriced = 1;
    s = spending_from_view(&view);
    assert_int_equal(s.projected, -1);
    view.left_unpriced = 0;
    view.unpriced = 1;
    s = spending_from_view(&view);
    assert_int_equal(s.projected, -1);
    buf_release(&out);
}

static void an_error_needs_answers_and_has_a_sign(void **state)
{
    static const struct {
        uint64_t estimated, actual;
        bool known;
        int64_t permille;
    } cases[] = {
        {0,          0,    false, 0   },
        {100,        0,    false, 0   },
        {100,        100,  true,  0   },
        {105,        100,  true,  50  },
        {900,        1000, true,  -100},
        {UINT64_MAX, 1,    false, 0   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct spending s = {.estimated_tokens = cases[i].estimated,
                                   .actual_tokens = cases[i].actual};
        int64_t permille = 0;

        assert_int_equal(spending_error(&s, &permille), cases[i].known);
        assert_int_equal(permille, cases[i].permille);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_that_is_not_known_is_not_shown),
        cmocka_unit_test(what_is_left_is_projected),
        cmocka_unit_test(the_end_is_unknown_while_the_input_or_a_price_is),
        cmocka_unit_test(an_error_needs_answers_and_has_a_sign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
