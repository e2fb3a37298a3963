#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/json/scan.h"
#include "common/recipe/decimal.h"

static struct decimal of(const char *text)
{
    struct json_value value;

    assert_true(json_scan(text, strlen(text), &value, NULL));
    return decimal_of(&value);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void numbers_are_ordered_by_value(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"0",                                                     "-0",                     0 },
        {"0",                                                     "0.000e99",               0 },
        {"1",                                                     "1.0",                    0 },
        {"1",                                                     "10e-1",                  0 },
        {"100",                                                   "1E+2",                   0 },
        {"0.05",                                                  "5e-2",                   0 },
        {"9007199254740993",                                      "9007199254740992",       1 },
        {"98249283749234923498293171823948729348710298301928331",
         "98249283749234923498293171823948729348710298301928330",                           1 },
        {"1e400",                                                 "1e399",                  1 },
        {"-1e400",                                                "1",                      -1},
        {"-2",                                                    "-1",                     -1},
        {"0.1",                                                   "0.10000000000000000001", -1},
        {"12",                                                    "123",                    -1},
        {"12.5",                                                  "12.49",                  1 },
        {"1e-400",                                                "0",                      1 },
        {"-1e-400",                                               "0",                      -1},
        {"1e99999999999999999999",                                "1e99999999999999999998", 0 }, /* as documented */
        {"1e99999999999999999999",                                "1e9",                    1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal a = of(cases[i].a);
        struct decimal b = of(cases[i].b);

        print_message("  %s %s\n", cases[i].a, cases[i].b);
        assert_int_equal(sign(decimal_compare(&a, &b)), cases[i].order);
        assert_int_equal(sign(decimal_compare(&b, &a)), -cases[i].order);
        if (cases[i].order == 0 && cases[i].a[1] != 'e')
            assert_true(decimal_hash(&a) == decimal_hash(&b));
    }
}

static void a_whole_number_is_an_integer_however_it_is_written(void **state)
{
    static const struct {
        const char *text;
        bool integer;
    } cases[] = {
        {"0",       true },
        {"-0.0",    true },
        {"3",       true },
        {"3.0",     true },
        {"3.5",     false},
        {"30e-1",   true },
        {"35e-1",   false},
        {"1e400",   true },
        {"0.5",     false},
        {"5e-1",    false},
        {"1.25e2",  true },
        {"1.255e2", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d = of(cases[i].text);

        print_message("  %s\n", cases[i].text);
        assert_int_equal(decimal_is_integer(&d), cases[i].integer);
    }
}

static void multiples_are_exact(void **state)
{
    static const struct {
        const char *d, *divisor;
        bool multiple;
    } cases[] = {
        {"10",                  "5",                  true },
        {"10",                  "3",                  false},
        {"0",                   "0.1",                true },
        {"0.3",                 "0.1",                true }, /* not with doubles */
        {"4.35",                "0.01",               true },
        {"4.355",               "0.01",               false},
        {"0.0075",              "0.0001",             true },
        {"0.00751",             "0.0001",             false},
        {"1e400",               "7",                  false},
        {"7e400",               "7",                  true },
        {"1e400",               "1024",               true },
        {"1e9",                 "1024",               false},
        {"1e10",                "1024",               true },
        {"-9",                  "3",                  true },
        {"1",                   "1e400",              false},
        {"999999999999999999",  "999999999999999999", true },
        {"1999999999999999998", "999999999999999999", true },
        {"1999999999999999997", "999999999999999999", false},
        {"1e308",               "0.123456789",        false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d = of(cases[i].d);
        struct decimal divisor = of(cases[i].divisor);

        print_message("  %s %s\n", cases[i].d, cases[i].divisor);
        assert_int_equal(decimal_is_multiple(&d, &divisor), cases[i].multiple);
    }
}

static void a_size_is_a_whole_number_from_zero(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        size_t size;
    } cases[] = {
        {"0",                   true,  0                 },
        {"-0",                  true,  0                 },
        {"12",                  true,  12                },
        {"12.0",                true,  12                },
        {"1.2e2",               true,  120               },
        {"999999999999999999",  true,  999999999999999999},
        {"9999999999999999999", false, 0                 },
        {"-1",                  false, 0                 },
        {"0.5",                 false, 0                 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal d = of(cases[i].text);
        size_t size = 0;

        print_message("  %s\n", cases[i].text);
        assert_int_equal(decimal_to_size(&d, &size), cases[i].ok);
        assert_int_equal(size, cases[i].size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_ordered_by_value),
        cmocka_unit_test(a_whole_number_is_an_integer_however_it_is_written),
        cmocka_unit_test(multiples_are_exact),
        cmocka_unit_test(a_size_is_a_whole_number_from_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
