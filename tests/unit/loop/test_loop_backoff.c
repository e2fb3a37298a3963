#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "common/loop/loop_backoff.h"

static const struct {
    const char *name;
    unsigned attempt;
    int64_t base_ms, cap_ms;
    uint32_t random;
    int64_t want_ms;
} cases[] = {
    {"the least random number gives no wait",      5,          50, 5000,      0,              0        },
    {"the first repeat waits at most the base",    0,          50, 5000,      UINT32_MAX,     50       },
    {"each further one at most twice as long",     3,          50, 5000,      UINT32_MAX,     400      },
    {"but never longer than the cap",              7,          50, 5000,      UINT32_MAX,     5000     },
    {"however many tries there were",              UINT32_MAX, 50, 5000,      UINT32_MAX,     5000     },
    {"a cap below the base wins",                  0,          50, 20,        UINT32_MAX,     20       },
    {"half the random numbers give half the wait", 1,          50, 5000,      UINT32_MAX / 2, 50       },
    {"a huge cap does not overflow",               200,        1,  INT64_MAX, UINT32_MAX,     INT32_MAX},
};

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(
            backoff_ms(cases[i].attempt, cases[i].base_ms, cases[i].cap_ms, cases[i].random),
            cases[i].want_ms);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(each_case)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
