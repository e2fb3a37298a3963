#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "producer/core/quotes.h"

static struct price_table table_with_rate(void)
{
    return (struct price_table){
        .fx = {.usdcny = 8 * MONEY_UNIT, .as_of = "2026-11-20"}
    };
}

static void a_cap_is_put_into_the_currency_that_is_billed(void **state)
{
    static const struct {
        const char *provider, *cap, *currency;
        int64_t nano;
    } cases[] = {
        {"zhipu",  "20CNY", "CNY", 20 * MONEY_UNIT},
        {"zhipu",  "$5",    "CNY", 40 * MONEY_UNIT},
        {"openai", "$5",    "USD", 5 * MONEY_UNIT },
        {"openai", "20CNY", "USD", 2500000000     },
        {"openai", NULL,    "USD", -1             },
        {"openai", "",      "USD", -1             },
        {"openai", "0USD",  "USD", 0              },
    };
    struct price_table table = table_with_rate();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct quotes q;

        print_message("  %s of %s\n", cases[i].cap == NULL ? "no cap" : cases[i].cap,
                      cases[i].provider);
        assert_true(quotes_init(&q, &table, cases[i].provider, cases[i].cap, NULL));
        assert_string_equal(q.currency, cases[i].currency);
        assert_int_equal(q.cap, cases[i].nano);
    }
}

static void a_cap_that_cannot_be_read_or_put_into_that_currency_is_refused(void **state)
{
    static const struct {
        const char *cap, *says;
    } cases[] = {
        {"20",    "--max-cost"                  },
        {"lots",  "--max-cost"                  },
        {"20CNY", "provider openai bills in USD"},
    };
    struct price_table without = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct quotes q;
        struct err err = {0};

        print_message("  %s\n", cases[i].cap);
        assert_false(quotes_init(&q, &without, "openai", cases[i].cap, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.msg, cases[i].says));
    }
}

static void a_model_has_the_quote_of_the_batch_api(void **state)
{
    struct price_table table = table_with_rate();
    struct price_quote quote;
    struct quotes q;
    bool priced;

    (void)state;
    assert_true(quotes_init(&q, &table, "openai", "$5", NULL));
    assert_true(quotes_of(&q, "gpt-4o-mini", &priced, &quote, NULL));
    assert_true(priced);
    assert_string_equal(quote.currency, "USD");
    assert_int_equal(quote.input, 75000000);
    assert_int_equal(quote.output, 300000000);
}

static void a_model_without_a_price_is_refused_under_a_cap_only(void **state)
{
    struct price_table table = table_with_rate();
    struct price_quote quote;
    struct quotes q;
    struct err err = {0};
    bool priced = true;

    (void)state;
    assert_true(quotes_init(&q, &table, "openai", NULL, NULL));
    assert_true(quotes_of(&q, "nobody-knows", &priced, &quote, NULL));
    assert_false(priced);
    assert_true(quotes_init(&q, &table, "openai", "0USD", NULL));
    assert_false(quotes_of(&q, "nobody-knows", &priced, &quote, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_non_null(strstr(err.msg, "\"nobody-knows\" of provider openai"));
    assert_non_null(strstr(err.msg, "prices: {models: {nobody-knows: {provider: openai, "
                                    "currency: USD, input: "));
}

static void a_label_names_its_model(void **state)
{
    static const struct {
        const char *label, *model;
    } cases[] = {
        {"{\"endpoint\":\"/v1/chat/completions\",\"model\":\"gpt-4o\"}", "gpt-4o"},
        {"{\"model\":\"\\u6a21\\u578b\"}",                               "模型"},
        {"{\"endpoint\":\"/v1\"}",                                       NULL    },
        {"{}",                                                           NULL    },
        {"",                                                             NULL    },
        {"{\"model\":7}",                                                NULL    },
    };
    char model[QUOTES_MODEL_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  '%s'\n", cases[i].label);
        assert_int_equal(quotes_label_model(cases[i].label, model), cases[i].model != NULL);
        if (cases[i].model != NULL)
            assert_string_equal(model, cases[i].model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cap_is_put_into_the_currency_that_is_billed),
        cmocka_unit_test(a_cap_that_cannot_be_read_or_put_into_that_currency_is_refused),
        cmocka_unit_test(a_model_has_the_quote_of_the_batch_api),
        cmocka_unit_test(a_model_without_a_price_is_refused_under_a_cap_only),
        cmocka_unit_test(a_label_names_its_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
