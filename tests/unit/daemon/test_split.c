#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/daemon/split.h"
#include "common/model/mask.h"

/* "1" is a line that was not asked for. */
static struct member member_of(const char *bits)
{
    struct member m = {.lines = (uint32_t)strlen(bits)};

    for (uint32_t i = 0; i < m.lines; i++) {
        if (bits[i] == '1')
            mask_set(m.mask, i);
    }
    m.left = mask_left(m.mask, m.lines);
    return m;
}

static void the_first_lines_that_are_left_stay(void **state)
{
    static const struct {
        const char *before;
        uint32_t asked;
        const char *after;
    } cases[] = {
        {"0000000000", 0,  "0000000000"},
        {"0000000000", 3,  "0001111111"},
        {"1010000000", 3,  "1010011111"},
        {"1111111110", 1,  "1111111110"},
        {"0000000000", 10, "0000000000"},
        {"0000000000", 99, "0000000000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct member got = member_of(cases[i].before);
        struct member want = member_of(cases[i].after);

        print_message("  %s, %u\n", cases[i].before, cases[i].asked);
        split_narrow(&got, cases[i].asked);
        assert_int_equal(got.left, want.left);
        assert_memory_equal(got.mask, want.mask, sizeof(got.mask));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_lines_that_are_left_stay),
    };
    return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
