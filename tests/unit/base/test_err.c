#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/err.h"

static void setting_fills_kind_and_message_and_says_false(void **state)
{
    struct err err = {.retry_after_ms = 7};

    (void)state;
    assert_false(err_set(&err, ERR_CONFLICT, "job %s: %d lines", "j1", 3));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_int_equal(err.retry_after_ms, 0);
    assert_string_equal(err.msg, "job j1: 3 lines");
}

static void a_caller_without_interest_passes_null(void **state)
{
    (void)state;
    assert_false(err_set(NULL, ERR_INTERNAL, "nobody reads this"));
    assert_false(err_wrap(NULL, "nor this"));
}

static void wrapping_puts_context_before_the_message_and_keeps_the_rest(void **state)
{
    struct err err = {0};

    (void)state;
    err_set(&err, ERR_TEMPORARY, "timed out");
    err.retry_after_ms = 1500;
    assert_false(err_wrap(&err, "batch %s", "b-17"));
    assert_false(err_wrap(&err, "job %s", "j1"));
    assert_string_equal(err.msg, "job j1: batch b-17: timed out");
    assert_int_equal(err.kind, ERR_TEMPORARY);
    assert_int_equal(err.retry_after_ms, 1500);
}

static void long_messages_are_cut_and_stay_text(void **state)
{
    struct err err = {0};
    char inner[2 * sizeof(err.msg)], outer[2 * sizeof(err.msg)];

    (void)state;
    memset(inner, 'i', sizeof(inner) - 1);
    inner[sizeof(inner) - 1] = '\0';
    memset(outer, 'o', sizeof(outer) - 1);
    outer[sizeof(outer) - 1] = '\0';

    err_set(&err, ERR_PERMANENT, "%s", inner);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    err_wrap(&err, "short");
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_memory_equal(err.msg, "short: iii", 10);
    err_wrap(&err, "%s", outer);
    assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
    assert_null(strchr(err.msg, 'i'));
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = ERR_NONE; a <= ERR_CONFLICT; a++) {
        assert_string_not_equal(err_kind_name((enum err_kind)a), "unknown");
        for (int b = ERR_NONE; b < a; b++)
            assert_string_not_equal(err_kind_name((enum err_kind)a),
                                    err_kind_name((enum err_kind)b));
    }
    assert_string_equal(err_kind_name(ERR_TEMPORARY), "temporary");
}

static void kinds_become_the_exit_codes_that_are_documented(void **state)
{
    static const struct {
        enum err_kind kind;
        int code;
    } cases[] = {
        {ERR_NONE,        0 },
        {ERR_PERMANENT,   1 },
        {ERR_INTERNAL,    1 },
        {ERR_USAGE,       2 },
        {ERR_AUTH,        4 },
        {ERR_NO_JOB,      5 },
        {ERR_TEMPORARY,   8 },
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
        cmocka_unit_test(setting_fills_kind_and_message_and_says_false),
        cmocka_unit_test(a_caller_without_interest_passes_null),
        cmocka_unit_test(wrapping_puts_context_before_the_message_and_keeps_the_rest),
        cmocka_unit_test(long_messages_are_cut_and_stay_text),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(kinds_become_the_exit_codes_that_are_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
