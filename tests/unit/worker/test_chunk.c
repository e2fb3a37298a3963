#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "worker/core/chunk.h"

static const struct {
    const char *name;
    const char *data;
    uint64_t chunk_bytes;
    bool ends;
    size_t want;
} cases[] = {
    {"short data waits for more",                 "abc\n",       10, false, 0},
    {"the end of the file ends the chunk",        "abc\n",       10, true,  4},
    {"a last line without newline belongs to it", "abc\nd",      10, true,  5},
    {"the first newline at the limit is the cut", "aa\nb\ncc\n", 2,  false, 3},
    {"a newline before the limit is not",         "aa\nb\ncc\n", 3,  false, 5},
    {"a line over the limit is taken whole",      "aaaaaaaa\nb", 2,  false, 9},
    {"a long line without newline waits",         "aaaaaaaaaa",  2,  false, 0},
    {"nothing at the end is nothing",             "",            2,  true,  0},
};

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(
            chunk_cut(cases[i].data, strlen(cases[i].data), cases[i].chunk_bytes, cases[i].ends),
            cases[i].want);
    }
}

/* However the bytes arrive, the cut is the same: that is what lets two workers share a file. */
static void cut_does_not_depend_on_how_much_has_arrived(void **state)
{
    static const char file[] = "one\ntwo two\nthree\nfour\n";
    (void)state;

    size_t cut = chunk_cut(file, strlen(file), 5, true);
    for (size_t len = 0; len <= strlen(file); len++) {
        size_t got = chunk_cut(file, len, 5, false);
        assert_true(got == 0 || got == cut || len == strlen(file));
        assert_int_equal(got, len >= 12 ? 12 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(cut_does_not_depend_on_how_much_has_arrived),
    };
    return cmocka_run_group_tests_name("chunk", tests, NULL, NULL);
}
