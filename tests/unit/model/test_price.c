#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/model/price.h"

/* Prices are nano-units for a million tokens; -1 of cached is "as input". */
static const struct {
    const char *name, *currency;
    int64_t input, cached, output;
    unsigned percent;
    struct usage usage;
    bool batch;
    int64_t nano;
    const char *text;
} costs[] = {
    {"160K at 2 yuan",
     "CNY",                                           2000000000,
     -1,
     2000000000,                                                                   50,
     {.prompt = 160000},
     false,                                                                                                                          320000000,
     "¥0.32"                                                                                                                                                },
    {"96K",
     "CNY",                                           2000000000,
     -1,
     2000000000,                                                                   50,
     {.prompt = 90000, .completion = 6000},
     false,                                                                                                                          192000000,
     "¥0.19"                                                                                                                                                },
    {"120K",
     "CNY",                                           2000000000,
     -1,
     2000000000,                                                                   50,
     {.completion = 120000},
     false,                                                                                                                          240000000,
     "¥0.24"                                                                                                                                                },
    {"together",
     "CNY",                                           2000000000,
     -1,
     2000000000,                                                                   50,
     {.prompt = 376000},
     false,                                                                                                                          752000000,
     "¥0.75"                                                                                                                                                },
    {"together as a batch",
     "CNY",                                           2000000000,
     -1,
     2000000000,                                                                   50,
     {.prompt = 376000},
     true,                                                                                                                           376000000,
     "¥0.38"                                                                                                                                                },
    {"450 and 20 at 0.15 and 0.60",
     "USD",                                           150000000,
     -1,
     600000000,                                                                    50,
     {.prompt = 450, .completion = 20},
     false,                                                                                                                          79500,
     "$0.000080"                                                                                                                                             },
    {"4,500 and 200",
     "USD",                                           150000000,
     -1,
     600000000,                                                                    50,
     {.prompt = 4500, .completion = 200},
     false,                                                                                                                          795000,
     "$0.000795"                                                                                                                                             },
    {"the Batch API is half",
     "USD",                                           150000000,
     -1,
     600000000,                                                                    50,
     {.prompt = 4500, .completion = 200},
     true,                                                                                                                           397500,
     "$0.000398"                                                                                                                                             },
    {"a million tokens",
     "USD",                                           2500000000,
     -1,
     0,                                                                            50,
     {.prompt = 1000000},
     false,                                                                                                                          2500000000,
     "$2.50"                                                                                                                                                 },
    {"cached input is cheaper",
     "USD",                                           2500000000,
     1250000000,                                                      10000000000,
     50,                                                                                {.prompt = 1000000, .cached = 400000},
     false,                                                                                                                          2000000000,
     "$2.00"                                                                                                                                                 },
    {"and half of that in a batch",
     "USD",                                           2500000000,
     1250000000,                                                      10000000000,
     50,                                                                                {.prompt = 1000000, .cached = 400000},
     true,                                                                                                                           1000000000,
     "$1.00"                                                                                                                                                 },
    {"cached input of unknown price is input",
     "USD",                                           2500000000,
     -1,
     10000000000,                                                                  50,
     {.prompt = 1000000, .cached = 400000},
     false,                                                                                                                          2500000000,
     "$2.50"                                                                                                                                                 },
    {"more cached than prompt is all of it",
     "USD",                                           2500000000,
     0,                                                               0,
     50,                                                                                {.prompt = 10, .cached = 400000},
     false,                                                                                                                          0,
     "$0.00"                                                                                                                                                 },
    {"reasoning is in the completion",
     "USD",                                           0,
     -1,
     10000000000,                                                                  50,
     {.completion = 1000, .reasoning = 900},
     false,                                                                                                                          10000000,
     "$0.010000"                                                                                                                                             },
    {"nothing",                                "USD", 150000000,  -1, 600000000,   50,  {.prompt = 0},                         true, 0,           "$0.00"    },
    {"a free model",                           "CNY", 0,          0,  0,           100, {.prompt = 1u << 30, .completion = 5}, true, 0,           "¥0.00"   },
    {"half a nano is one",                     "USD", 1,          -1, 0,           100, {.prompt = 500000},                    true, 1,           "$0.000000"},
    {"less than half is none",                 "USD", 1,          -1, 0,           100, {.prompt = 499999},                    true, 0,           "$0.00"    },
    {"halves are rounded once, together",
     "USD",                                           1,
     -1,
     1,                                                                            100,
     {.prompt = 500000, .completion = 500000},
     false,                                                                                                                          1,
     "$0.000000"                                                                                                                                             },
    {"2 million rows",
     "USD",                                           150000000,
     -1,
     600000000,                                                                    50,
     {.prompt = 900000000, .completion = 40000000},
     true,                                                                                                                           79500000000,
     "$79.50"                                                                                                                                                },
};

static void a_cost_is_exact_to_the_nano_unit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
        struct price p = {.currency = costs[i].currency,
                          .input = costs[i].input,
                          .cached = costs[i].cached,
                          .output = costs[i].output,
                          .batch_percent = costs[i].percent};
        struct price_quote quote = price_quote_make(&p, costs[i].batch);
        char text[MONEY_TEXT_MAX];
        int64_t nano = -1;

        print_message("  %s\n", costs[i].name);
        assert_true(price_quote_cost(&quote, &costs[i].usage, &nano));
        assert_int_equal(nano, costs[i].nano);
        assert_string_equal(money_format(quote.currency, nano, text), costs[i].text);
    }
}

static void tokens_cost_the_most_when_nothing_is_cached(void **state)
{
    const struct price_quote quote = {"USD", 2000000000, 1000000000, 8000000000};
    int64_t nano = -1;

    (void)state;
    assert_true(price_quote_tokens(&quote, 1000000, 500000, &nano));
    assert_int_equal(nano, 6000000000);
}

static void a_cost_that_does_not_fit_is_refused(void **state)
{
    const struct price_quote dear = {"USD", INT64_MAX, INT64_MAX, INT64_MAX};
    const struct price_quote dollar = {"USD", 1000000000, 0, 1};
    int64_t nano = 17;

    (void)state;
    assert_false(price_quote_tokens(&dear, UINT64_MAX, UINT64_MAX, &nano));
    assert_false(price_quote_tokens(&dear, 0, UINT64_MAX, &nano));
    assert_false(price_quote_tokens(&dollar, UINT64_MAX, 0, &nano));
    assert_int_equal(nano, 17);
    /* 2^63 - 1 nano-units is the most */
    assert_true(price_quote_tokens(&dollar, 9223372036854775u, 807 * 1000000ull, &nano));
    assert_int_equal(nano, INT64_MAX);
    assert_false(price_quote_tokens(&dollar, 9223372036854775u, 808 * 1000000ull, &nano));
}

static const struct {
    const char *text;
    bool ok;
} quotes[] = {
    {"CNY:250000000:250000000:250000000", true },
    {"USD:0:0:0",                         true },
    {"USD:9223372036854775807:1:0",       true },
    {"USD:9223372036854775808:1:0",       false},
    {"EUR:1:1:1",                         false},
    {"cny:1:1:1",                         false},
    {"RMB:1:1:1",                         false},
    {"CNY:1:1",                           false},
    {"CNY:1:1:1:1",                       false},
    {"CNY:1:1:1 ",                        false},
    {"CNY:-1:1:1",                        false},
    {"CNY:01:1:1",                        false},
    {"CNY::1:1",                          false},
    {"CN:1:1:1",                          false},
    {"",                                  false},
};

static void a_quote_is_one_word_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
        struct price_quote quote = {"---", 1, 2, 3};
        char text[PRICE_QUOTE_TEXT_MAX];

        print_message("  %s\n", quotes[i].text);
        assert_int_equal(price_quote_parse(quotes[i].text, &quote), quotes[i].ok);
        if (quotes[i].ok)
            assert_string_equal(price_quote_format(&quote, text), quotes[i].text);
        else
            assert_string_equal(quote.currency, "---");
    }
}

static void the_longest_quote_fits(void **state)
{
    const struct price_quote quote = {"USD", INT64_MAX, INT64_MAX, INT64_MAX};
    char text[PRICE_QUOTE_TEXT_MAX];

    (void)state;
    assert_string_equal(price_quote_format(&quote, text),
                        "USD:9223372036854775807:9223372036854775807:9223372036854775807");
}

static void usage_adds_up_and_stops_at_the_largest_number(void **state)
{
    struct usage sum = {.prompt = 1, .cached = 2, .completion = 3, .reasoning = UINT64_MAX - 1};
    const struct usage more = {.prompt = 10, .cached = 20, .completion = 30, .reasoning = 2};

    (void)state;
    usage_add(&sum, &more);
    assert_int_equal(sum.prompt, 11);
    assert_int_equal(sum.cached, 22);
    assert_int_equal(sum.completion, 33);
    assert_true(sum.reasoning == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cost_is_exact_to_the_nano_unit),
        cmocka_unit_test(tokens_cost_the_most_when_nothing_is_cached),
        cmocka_unit_test(a_cost_that_does_not_fit_is_refused),
        cmocka_unit_test(a_quote_is_one_word_and_back),
        cmocka_unit_test(the_longest_quote_fits),
        cmocka_unit_test(usage_adds_up_and_stops_at_the_largest_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
