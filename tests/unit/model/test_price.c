#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/model/price.h"

/* Which row a model's name finds. */
static const struct {
    const char *provider, *model, *row; /* NULL: unknown */
} names[] = {
    {"openai", "gpt-4o-mini",             "gpt-4o-mini"        },
    {"openai", "gpt-4o-mini-2024-07-18",  "gpt-4o-mini"        },
    {"openai", "gpt-4o-2024-11-20",       "gpt-4o"             },
    {"openai", "gpt-4o",                  "gpt-4o"             },
    {"openai", "gpt-4o-latest",           "gpt-4o"             },
    {"openai", "gpt-4o-audio",            NULL                 },
    {"openai", "gpt-4o-audio-2024-10-01", NULL                 },
    {"openai", "gpt-4oo",                 NULL                 },
    {"openai", "gpt-4o-",                 NULL                 },
    {"openai", "gpt-4",                   NULL                 },
    {"openai", "gpt-5",                   "gpt-5"              },
    {"openai", "gpt-5.2",                 "gpt-5.2"            },
    {"openai", "gpt-5.21",                NULL                 },
    {"openai", "",                        NULL                 },
    {"openai", "glm-4-air",               NULL                 },
    {"zhipu",  "glm-4-air",               "glm-4-air"          },
    {"zhipu",  "glm-4-air-250414",        "glm-4-air"          },
    {"zhipu",  "glm-4-flashx-250414",     "glm-4-flashx-250414"},
    {"zhipu",  "glm-4-flashx",            NULL                 },
    {"groq",   "openai/gpt-oss-120b",     "openai/gpt-oss-120b"},
    {"nobody", "gpt-4o",                  NULL                 },
};

static void a_model_is_found_by_its_name_or_its_snapshot(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct price *p = price_find(names[i].provider, names[i].model);

        print_message("  %s %s\n", names[i].provider, names[i].model);
        if (names[i].row == NULL) {
            assert_null(p);
            continue;
        }
        assert_non_null(p);
        assert_string_equal(p->model, names[i].row);
        assert_string_equal(p->provider, names[i].provider);
    }
}

/* Prices are nano-dollars for a million tokens. */
static const struct {
    const char *name;
    int64_t input, output;
    unsigned percent;
    uint64_t in, out;
    bool batch;
    int64_t nano;
    const char *text;
} costs[] = {
    {"450 and 20 at 0.15 and 0.60", 150000000,  600000000, 50,  450,       20,       false, 79500,       "$0.000080"},
    {"4,500 and 200",               150000000,  600000000, 50,  4500,      200,      false, 795000,      "$0.000795"},
    {"the Batch API is half",       150000000,  600000000, 50,  4500,      200,      true,  397500,      "$0.000398"},
    {"a million tokens",            2500000000, 0,         50,  1000000,   0,        false, 2500000000,  "$2.50"    },
    {"nothing",                     150000000,  600000000, 50,  0,         0,        true,  0,           "$0.000000"},
    {"a free model",                0,          0,         100, 1u << 30,  5,        true,  0,           "$0.000000"},
    {"half a nano is one",          1,          0,         50,  1000000,   0,        true,  1,           "$0.000000"},
    {"less than half is none",      1,          0,         49,  1000000,   0,        true,  0,           "$0.000000"},
    {"2 million rows",              150000000,  600000000, 50,  900000000, 40000000, true,  79500000000, "$79.50"   },
};

static void a_cost_is_exact_to_the_nano_unit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
        struct price p = {.currency = "USD",
                          .input = costs[i].input,
                          .output = costs[i].output,
                          .batch_percent = costs[i].percent};
        char text[PRICE_TEXT_MAX];
        int64_t nano = -1;

        print_message("  %s\n", costs[i].name);
        assert_true(price_cost(&p, costs[i].in, costs[i].out, costs[i].batch, &nano));
        assert_int_equal(nano, costs[i].nano);
        assert_string_equal(price_format("USD", nano, text), costs[i].text);
    }
}

static void a_cost_that_does_not_fit_is_refused(void **state)
{
    static const struct price dear = {
        .currency = "USD", .input = INT64_MAX, .output = INT64_MAX, .batch_percent = 50};
    static const struct price dollar = {
        .currency = "USD", .input = 1000000000, .output = 1, .batch_percent = 50};
    int64_t nano = 17;

    (void)state;
    assert_false(price_cost(&dear, UINT64_MAX, UINT64_MAX, true, &nano));
    assert_false(price_cost(&dear, 0, UINT64_MAX, false, &nano));
    assert_false(price_cost(&dollar, UINT64_MAX, 0, false, &nano));
    assert_int_equal(nano, 17);
    /* 2^63 - 1 nano-units is the most */
    assert_true(price_cost(&dollar, 9223372036854775u, 807 * 1000000ull, false, &nano));
    assert_int_equal(nano, INT64_MAX);
    assert_false(price_cost(&dollar, 9223372036854775u, 808 * 1000000ull, false, &nano));
}

static void the_table_says_what_its_source_says(void **state)
{
    const struct price *p = price_find("openai", "gpt-4o-mini");
    int64_t nano;

    (void)state;
    assert_int_equal(p->input, 150000000);
    assert_int_equal(p->output, 600000000);
    assert_true(price_cost(p, 450, 20, false, &nano));
    assert_int_equal(nano, 79500);
    assert_int_equal(price_find("zhipu", "glm-5-turbo")->output, 3034000000);
    assert_int_equal(price_find("zhipu", "glm-4-flash")->batch_percent, 100);
    assert_non_null(strstr(price_source, "genai-prices"));
}

static const struct {
    const char *currency;
    int64_t nano;
    const char *text;
} texts[] = {
    {"USD", 999999499,  "$0.999999"   },
    {"USD", 999999500,  "$1.000000"   },
    {"USD", 1000000000, "$1.00"       },
    {"USD", 1005000000, "$1.01"       },
    {"USD", -79500,     "-$0.000080"  },
    {"CNY", 1500000000, "CNY 1.50"    },
    {"CNY", 500,        "CNY 0.000001"},
};

static void money_is_written_with_as_many_decimals_as_it_needs(void **state)
{
    char text[PRICE_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(price_format(texts[i].currency, texts[i].nano, text), texts[i].text);
    (void)price_format("USD", INT64_MIN, text);
    assert_string_equal(text, "-$9223372036.85");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_found_by_its_name_or_its_snapshot),
        cmocka_unit_test(a_cost_is_exact_to_the_nano_unit),
        cmocka_unit_test(a_cost_that_does_not_fit_is_refused),
        cmocka_unit_test(the_table_says_what_its_source_says),
        cmocka_unit_test(money_is_written_with_as_many_decimals_as_it_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
