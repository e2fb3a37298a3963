#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/config/config.h"
#include "common/model/price_table.h"

/* The table of a configuration file with @text. */
static bool load(const char *text, struct price_table *out, struct err *err)
{
    struct tree tree = {0};
    const struct config_branch branches[] = {
        {"prices", &tree},
        {NULL,     NULL },
    };
    const struct settings none = {.program = "test"};
    bool ok = config_read_text(&none, "sheaf.yaml", text, strlen(text), branches, err) &&
              price_table_load(&tree, out, err);

    tree_release(&tree);
    return ok;
}

static struct price_table good(const char *text)
{
    struct price_table table = {0};
    struct err err = {0};

    if (!load(text, &table, &err))
        fail_msg("%s", err.msg);
    return table;
}

/* Which built-in row a model's name finds. */
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
        const struct price *p = price_find(NULL, names[i].provider, names[i].model);

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

static void the_table_says_what_its_source_says(void **state)
{
    const struct price *mini = price_find(NULL, "openai", "gpt-4o-mini");
    const struct price *air = price_find(NULL, "zhipu", "glm-4-air");
    const struct price *flash = price_find(NULL, "zhipu", "glm-4-flash");

    (void)state;
    assert_int_equal(mini->input, 150000000);
    assert_int_equal(mini->cached, 75000000);
    assert_int_equal(mini->output, 600000000);
    assert_string_equal(mini->currency, "USD");
    assert_string_equal(air->currency, "CNY");
    assert_int_equal(air->input, 500000000);
    assert_int_equal(air->output, 500000000);
    assert_string_equal(air->checked, "2026-05-23");
    assert_non_null(strstr(air->source, "7.25"));
    assert_int_equal(flash->input + flash->output, 0);
    assert_int_equal(flash->batch_percent, 100);
    assert_int_equal(price_find(NULL, "zhipu", "glm-5-turbo")->output, 22000000000);
    assert_non_null(strstr(price_source, "genai-prices"));
}

#define AIR "{provider: zhipu, currency: CNY, input: 0.25, output: 0.75}"

static void the_file_goes_before_the_built_in_rows(void **state)
{
    struct price_table t =
        good("prices:\n"
             "  models:\n"
             "    glm-4-air: {provider: zhipu, currency: RMB, input: 0.0145, cached: 0.01,\n"
             "                output: 1, batch-factor: 0.4, checked: 2026-11-20, source: ours}\n"
             "    gpt-4o: {currency: usd, input: 3, output: 12}\n"
             "    free: {provider: mine, currency: CNY, input: 0, output: 0}\n");
    const struct price *p = price_find(&t, "zhipu", "glm-4-air-250414");

    (void)state;
    assert_string_equal(p->currency, "CNY");
    assert_int_equal(p->input, 14500000);
    assert_int_equal(p->cached, 10000000);
    assert_int_equal(p->output, 1000000000);
    assert_int_equal(p->batch_percent, 40);
    assert_string_equal(p->checked, "2026-11-20");
    assert_string_equal(p->source, "ours");
    p = price_find(&t, "openai", "gpt-4o-2024-11-20"); /* for all providers */
    assert_int_equal(p->input, 3000000000);
    assert_int_equal(p->cached, -1);
    assert_int_equal(p->batch_percent, 50); /* as the built-in row of that name */
    assert_string_equal(p->source, "sheaf.yaml");
    assert_non_null(price_find(&t, "nobody", "gpt-4o"));
    assert_null(price_find(&t, "zhipu", "free"));
    assert_int_equal(price_find(&t, "mine", "free")->batch_percent, 100);
    assert_int_equal(price_find(&t, "openai", "gpt-4o-mini")->input, 150000000); /* built in */
    price_table_release(&t);
}

static void a_row_for_the_provider_goes_before_one_for_all(void **state)
{
    struct price_table t = good("prices: {models: {m: [{currency: USD, input: 1, output: 1},\n"
                                "  {provider: mine, currency: CNY, input: 2, output: 2}]}}");

    (void)state;
    assert_int_equal(price_find(&t, "mine", "m")->input, 2000000000);
    assert_int_equal(price_find(&t, "other", "m")->input, 1000000000);
    price_table_release(&t);
}

static void a_provider_bills_in_its_currency(void **state)
{
    struct price_table t =
        good("prices: {models: {glm-4-air: {provider: zhipu, currency: USD, input: 1, output: 1},\n"
             "                  m: {currency: CNY, input: 1, output: 1}}}");
    struct price_table none = good("");

    (void)state;
    assert_string_equal(price_table_currency(&none, "zhipu"), "CNY");
    assert_string_equal(price_table_currency(&none, "dashscope"), "CNY");
    assert_string_equal(price_table_currency(&none, "openai"), "USD");
    assert_string_equal(price_table_currency(&none, "mine"), "USD");
    assert_string_equal(price_table_currency(NULL, "zhipu"), "CNY");
    assert_string_equal(price_table_currency(&t, "zhipu"), "USD");
    assert_string_equal(price_table_currency(&t, "openai"), "USD");
    assert_string_equal(price_table_currency(&t, "mine"), "CNY");
    price_table_release(&t);
    price_table_release(&none);
}

static void a_quote_is_in_the_currency_that_is_billed(void **state)
{
    struct price_table t = good("prices: {fx: {USDCNY: 7, as_of: 2026-11-20},\n"
                                "  models: {m: {currency: CNY, input: 7, output: 14}}}");
    struct price_quote q = {"---", 0, 0, 0};

    (void)state;
    assert_true(price_table_quote(&t, "zhipu", "glm-4-air", true, &q));
    assert_string_equal(q.currency, "CNY");
    assert_int_equal(q.input, 250000000);
    assert_int_equal(q.cached, 125000000);
    assert_int_equal(q.output, 250000000);
    assert_true(price_table_quote(&t, "openai", "m", false, &q)); /* of the row in yuan */
    assert_string_equal(q.currency, "USD");
    assert_int_equal(q.input, 1000000000);
    assert_int_equal(q.output, 2000000000);
    assert_false(price_table_quote(&t, "openai", "unheard-of", true, &q));
    price_table_release(&t);

    t = good("prices: {fx: {USDCNY: none}, models: {m: {currency: CNY, input: 7, output: 14}}}");
    assert_false(price_table_quote(&t, "openai", "m", false, &q));
    assert_int_equal(q.input, 1000000000);
    price_table_release(&t);
}

static const struct {
    const char *from, *to;
    int64_t nano, result; /* -1: refused */
} conversions[] = {
    {"USD", "CNY", 1000000000,  7250000000         },
    {"CNY", "USD", 7250000000,  1000000000         },
    {"CNY", "USD", 20000000000, 2758620690         },
    {"CNY", "USD", 1,           0                  },
    {"CNY", "USD", 4,           1                  },
    {"USD", "USD", 17,          17                 },
    {"EUR", "EUR", 17,          17                 },
    {"EUR", "USD", 17,          -1                 },
    {"USD", "EUR", 17,          -1                 },
    {"USD", "CNY", INT64_MAX,   -1                 },
    {"CNY", "USD", INT64_MAX,   1272189246462727698},
};

static void money_is_converted_at_a_dated_rate(void **state)
{
    struct price_table t = good("");

    (void)state;
    assert_int_equal(t.fx.usdcny, 7250000000);
    assert_string_equal(t.fx.as_of, "2026-05-23");
    assert_false(t.fx.configured);
    for (size_t i = 0; i < ARRAY_LEN(conversions); i++) {
        int64_t out = -1;

        print_message("  %s %s %lld\n", conversions[i].from, conversions[i].to,
                      (long long)conversions[i].nano);
        assert_int_equal(
            price_convert(&t, conversions[i].from, conversions[i].to, conversions[i].nano, &out),
            conversions[i].result >= 0);
        assert_int_equal(out, conversions[i].result);
    }
    price_table_release(&t);
}

static void without_a_rate_nothing_is_converted(void **state)
{
    struct price_table t = good("prices: {fx: {USDCNY: none}}");
    int64_t out = -1;

    (void)state;
    assert_false(price_convert(&t, "USD", "CNY", 1, &out));
    assert_false(price_convert(NULL, "USD", "CNY", 1, &out));
    assert_int_equal(out, -1);
    assert_true(price_convert(&t, "USD", "USD", 1, &out));
    price_table_release(&t);
    t = good("prices: {fx: {USDCNY: 7.1, as_of: 2024-02-29}}");
    assert_int_equal(t.fx.usdcny, 7100000000);
    assert_string_equal(t.fx.as_of, "2024-02-29");
    assert_true(t.fx.configured);
    price_table_release(&t);
}

#define MODELS "prices:\n  models:\n    m: "

static const struct {
    const char *name, *text, *message;
} bad[] = {
    {"a key beside models",  "prices:\n  model: {}",
     "sheaf.yaml:2:3: unknown key \"model\"; did you mean \"models\"?"                                                                                                       },
    {"a key of a row",       MODELS "{currency: CNY, inptu: 1}",
     "sheaf.yaml:3:31: unknown key \"inptu\"; did you mean \"input\"?"                                                                                                       },
    {"a key like none",      MODELS "{zzzzzz: 1}",                                                       "sheaf.yaml:3:17: unknown key \"zzzzzz\""                           },
    {"a key of the rate",    "prices: {fx: {USDCNY: 7, asof: 2026-01-01}}",
     "sheaf.yaml:1:32: unknown key \"asof\"; did you mean \"as_of\"?"                                                                                                        },
    {"another pair",         "prices: {fx: {EURCNY: 7, as_of: 2026-01-01}}",
     "sheaf.yaml:1:23: unknown key \"EURCNY\""                                                                                                                               },
    {"a negative price",     MODELS "{currency: CNY, input: -1, output: 1}",
     "sheaf.yaml:3:31: input: \"-1\" is not a decimal number from 0 on, like 0.5"                                                                                            },
    {"no number",            MODELS "{currency: CNY, input: .nan, output: 1}",
     "sheaf.yaml:3:31: input: \".nan\" is not a decimal number from 0 on, like 0.5"                                                                                          },
    {"too many digits",      MODELS "{currency: CNY, input: 0.1234567891, output: 1}",
     "sheaf.yaml:3:31: input: \"0.1234567891\" has more than 9 decimals"                                                                                                     },
    {"too much",             MODELS "{currency: CNY, input: 99999999999, output: 1}",
     "sheaf.yaml:3:31: input: \"99999999999\" is too large"                                                                                                                  },
    {"another currency",     MODELS "{currency: EUR, input: 1, output: 1}",
     "sheaf.yaml:3:19: currency: \"EUR\" is not known; it can be CNY or USD"                                                                                                 },
    {"no currency",          MODELS "{input: 1, output: 1}",                                             "sheaf.yaml:3:5: m: has no currency"                                },
    {"no input",             MODELS "{currency: CNY, output: 1}",                                        "sheaf.yaml:3:5: m: has no input"                                   },
    {"no output",            MODELS "{currency: CNY, input: 1}",                                         "sheaf.yaml:3:5: m: has no output"                                  },
    {"nothing",              MODELS "{}",                                                                "sheaf.yaml:3:5: m: has no currency"                                },
    {"one value",            MODELS "5",                                                                 "sheaf.yaml:3:8: m: needs a mapping, not one value"                 },
    {"a list of values",     MODELS "[5]",                                                               "sheaf.yaml:3:9: m: needs a mapping, not one value"                 },
    {"a list of models",     "prices: {models: [m]}",
     "sheaf.yaml:1:19: models: needs a mapping of models' names"                                                                                                             },
    {"a mapping as price",   MODELS "{currency: CNY, input: {a: 1}, output: 1}",
     "sheaf.yaml:3:24: input: needs one value"                                                                                                                               },
    {"a factor over 1",      MODELS "{currency: CNY, input: 1, output: 1, batch_factor: 1.5}",
     "sheaf.yaml:3:59: batch_factor: \"1.5\" is not a factor from 0 to 1 with at most two decimals,"
     " like 0.5"                                                                                                                                                             },
    {"a fine factor",        MODELS "{currency: CNY, input: 1, output: 1, batch_factor: 0.333}",
     "sheaf.yaml:3:59: batch_factor: \"0.333\" is not a factor from 0 to 1 with at most two "
     "decimals, like 0.5"                                                                                                                                                    },
    {"a half of a nano",     MODELS "{currency: CNY, input: 0.000000001, output: 1, batch_factor: 0.5}",
     "sheaf.yaml:3:5: m: a price times batch_factor has more than nine decimals"                                                                                             },
    {"no day",               MODELS "{currency: CNY, input: 1, output: 1, checked: 2026-02-29}",
     "sheaf.yaml:3:54: checked: \"2026-02-29\" is not a day, like 2026-11-20"                                                                                                },
    {"no leap year",         MODELS "{currency: CNY, input: 1, output: 1, checked: 1900-02-29}",
     "sheaf.yaml:3:54: checked: \"1900-02-29\" is not a day, like 2026-11-20"                                                                                                },
    {"a month",              MODELS "{currency: CNY, input: 1, output: 1, checked: 2026-13-01}",
     "sheaf.yaml:3:54: checked: \"2026-13-01\" is not a day, like 2026-11-20"                                                                                                },
    {"words",                MODELS "{currency: CNY, input: 1, output: 1, checked: yesterday}",
     "sheaf.yaml:3:54: checked: \"yesterday\" is not a day, like 2026-11-20"                                                                                                 },
    {"a rate without a day", "prices: {fx: {USDCNY: 7.25}}",
     "sheaf.yaml:1:10: fx: needs both USDCNY and as_of, the day of the rate"                                                                                                 },
    {"a day without a rate", "prices: {fx: {as_of: 2026-11-20}}",
     "sheaf.yaml:1:10: fx: needs both USDCNY and as_of, the day of the rate"                                                                                                 },
    {"a rate of nothing",    "prices: {fx: {USDCNY: 0, as_of: 2026-11-20}}",
     "sheaf.yaml:1:23: USDCNY: a rate is more than 0"                                                                                                                        },
    {"two currencies",
     "prices: {models: {a: " AIR ",\n b: {provider: zhipu, currency: USD, input: "
     "1, output: 1}}}",                                                                                  "sheaf.yaml:2:2: zhipu bills in one currency: a is in CNY, b in USD"},
    {"one model twice",      "prices: {models: {a: [" AIR ", " AIR "]}}",
     "sheaf.yaml:1:84: a has two prices at zhipu"                                                                                                                            },
};

static void a_bad_price_is_told_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct price_table t = {0};
        struct err err = {0};

        print_message("  %s\n", bad[i].name);
        assert_false(load(bad[i].text, &t, &err));
        assert_string_equal(err.msg, bad[i].message);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(t.rows);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_found_by_its_name_or_its_snapshot),
        cmocka_unit_test(the_table_says_what_its_source_says),
        cmocka_unit_test(the_file_goes_before_the_built_in_rows),
        cmocka_unit_test(a_row_for_the_provider_goes_before_one_for_all),
        cmocka_unit_test(a_provider_bills_in_its_currency),
        cmocka_unit_test(a_quote_is_in_the_currency_that_is_billed),
        cmocka_unit_test(money_is_converted_at_a_dated_rate),
        cmocka_unit_test(without_a_rate_nothing_is_converted),
        cmocka_unit_test(a_bad_price_is_told_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
