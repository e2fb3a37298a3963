#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/model/ordinal.h"

static void what_is_written_is_read_back(void **state)
{
    static const struct {
        uint32_t window, line;
        const char *text;
    } cases[] = {
        {0,                  0,   "k3f9-0000000-000"},
        {123,                200, "k3f9-000007b-0c8"},
        {ORDINAL_MAX_WINDOW, 999, "k3f9-fffffff-3e7"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t o = ordinal_make(cases[i].window, cases[i].line);
        uint64_t back = 0;
        char text[WIRE_ID_LEN + 1];

        ordinal_format(o, "k3f9xyz00000", text);
        assert_string_equal(text, cases[i].text);
        assert_true(ordinal_parse(text, "k3f9xyz00000", &back));
        assert_true(back == o);
        assert_int_equal(ordinal_window(o), cases[i].window);
        assert_int_equal(ordinal_line(o), cases[i].line);
    }
}

static void what_is_not_ours_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "request-1",
        "k3f9-000007b-0c",
        "k3f9-000007b-0c88",
        "k3f8-000007b-0c8",
        "k3f9-000007B-0c8",
        "k3f9-000007b-3e8",
        "k3f9_000007b-0c8",
        "k3f9-000007b_0c8",
        "k3f9-00000 b-0c8",
    };
    uint64_t o = 7;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        print_message("  \"%s\"\n", texts[i]);
        assert_false(ordinal_parse(texts[i], "k3f9", &o));
        assert_int_equal(o, 7);
    }
}

static void ordinals_sort_in_input_order(void **state)
{
    (void)state;
    assert_true(ordinal_make(0, 999) < ordinal_make(1, 0));
    assert_true(ordinal_make(1, 0) < ordinal_make(1, 1));
    assert_int_equal(ordinal_part(ordinal_make(PART_WINDOWS - 1, 999)), 0);
    assert_int_equal(ordinal_part(ordinal_make(PART_WINDOWS, 0)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_is_not_ours_is_refused),
        cmocka_unit_test(ordinals_sort_in_input_order),
    };
    return cmocka_run_group_tests_name("ordinal", tests, NULL, NULL);
}
