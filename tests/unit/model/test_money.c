#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/model/money.h"

static const struct {
    const char *text;
    const char *currency; /* NULL: refused */
    int64_t nano;
} amounts[] = {
    {"20CNY",                 "CNY", 20000000000     },
    {"20 CNY",                "CNY", 20000000000     },
    {"20cny",                 "CNY", 20000000000     },
    {"CNY20",                 "CNY", 20000000000     },
    {"CNY 20",                "CNY", 20000000000     },
    {"¥20",                  "CNY", 20000000000     },
    {"￥20",                 "CNY", 20000000000     },
    {"￥ 20.5",              "CNY", 20500000000     },
    {"RMB20",                 "CNY", 20000000000     },
    {"20rmb",                 "CNY", 20000000000     },
    {"20元",                 "CNY", 20000000000     },
    {"$5",                    "USD", 5000000000      },
    {"US$5",                  "USD", 5000000000      },
    {"5USD",                  "USD", 5000000000      },
    {"0.5usd",                "USD", 500000000       },
    {" 5 USD ",               "USD", 5000000000      },
    {"0.000000001USD",        "USD", 1               },
    {"0.0000000010USD",       "USD", 1               },
    {"0CNY",                  "CNY", 0               },
    {"1,000,000CNY",          "CNY", 1000000000000000},
    {"9223372036.854775807$", "USD", INT64_MAX       },
    {"9223372036.854775808$", NULL,  0               },
    {"99999999999999999999$", NULL,  0               },
    {"0.0000000001USD",       NULL,  0               },
    {"20",                    NULL,  0               },
    {"",                      NULL,  0               },
    {"CNY",                   NULL,  0               },
    {"twenty CNY",            NULL,  0               },
    {"-5USD",                 NULL,  0               },
    {"+5USD",                 NULL,  0               },
    {"5USD CNY",              NULL,  0               },
    {"$5USD",                 NULL,  0               },
    {"¥5CNY",                NULL,  0               },
    {"5.USD",                 NULL,  0               },
    {".5USD",                 NULL,  0               },
    {"5,5USD",                NULL,  0               },
    {"1,0000USD",             NULL,  0               },
    {"5e3USD",                NULL,  0               },
    {"0x5USD",                NULL,  0               },
    {"nanUSD",                NULL,  0               },
    {"5EUR",                  NULL,  0               },
    {"5USDT",                 NULL,  0               },
    {"50%",                   NULL,  0               },
};

static void an_amount_is_read_as_people_write_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(amounts); i++) {
        char currency[MONEY_CURRENCY_SIZE] = "---";
        int64_t nano = -7;
        struct err err = {0};
        bool ok = money_parse(amounts[i].text, currency, &nano, &err);

        print_message("  %s %s\n", amounts[i].text, err.msg);
        assert_int_equal(ok, amounts[i].currency != NULL);
        assert_int_equal(nano, ok ? amounts[i].nano : -7);
        assert_string_equal(currency, ok ? amounts[i].currency : "---");
        assert_int_equal(err.kind, ok ? ERR_NONE : ERR_USAGE);
    }
}

static void a_refusal_says_what_would_be_taken(void **state)
{
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano;
    struct err err = {0};

    (void)state;
    assert_false(money_parse("20", currency, &nano, &err));
    assert_string_equal(err.msg,
                        "\"20\" is not an amount of money; write 20CNY, ¥20, RMB20, 5USD or $5");
    assert_false(money_parse("0.0000000001USD", currency, &nano, &err));
    assert_string_equal(err.msg, "\"0.0000000001USD\" has more than 9 decimals");
    assert_false(money_parse("9999999999999USD", currency, &nano, &err));
    assert_string_equal(err.msg, "\"9999999999999USD\" is too large");
}

static const struct {
    const char *text;
    int64_t nano; /* -1: refused */
} decimals[] = {
    {"0.0145",               14500000  },
    {"7.25",                 7250000000},
    {"5",                    5000000000},
    {"0",                    0         },
    {"0.5000000000000",      500000000 },
    {"007",                  7000000000},
    {"-1",                   -1        },
    {"1.0000000001",         -1        },
    {"NaN",                  -1        },
    {".inf",                 -1        },
    {"1e3",                  -1        },
    {"1,000",                -1        },
    {"",                     -1        },
    {"5 ",                   -1        },
    {"1.2.3",                -1        },
    {"9223372036.854775807", INT64_MAX },
    {"9223372036.854775808", -1        },
};

static void a_decimal_is_read_to_the_last_digit(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(decimals); i++) {
        int64_t nano = -1;

        print_message("  %s\n", decimals[i].text);
        assert_int_equal(money_parse_decimal(decimals[i].text, &nano, NULL), decimals[i].nano >= 0);
        assert_int_equal(nano, decimals[i].nano);
    }
}

static const struct {
    const char *currency;
    int64_t nano;
    const char *text, *exact;
} texts[] = {
    {"CNY", 320000000,   "¥0.32",          "0.320000000"          },
    {"CNY", 192000000,   "¥0.19",          "0.192000000"          },
    {"CNY", 376000000,   "¥0.38",          "0.376000000"          },
    {"USD", 79500,       "$0.000080",       "0.000079500"          },
    {"USD", 795000,      "$0.000795",       "0.000795000"          },
    {"USD", -79500,      "-$0.000080",      "-0.000079500"         },
    {"USD", 99999499,    "$0.099999",       "0.099999499"          },
    {"USD", 99999500,    "$0.100000",       "0.099999500"          },
    {"USD", 100000000,   "$0.10",           "0.100000000"          },
    {"USD", 999999499,   "$1.00",           "0.999999499"          },
    {"USD", 1005000000,  "$1.01",           "1.005000000"          },
    {"USD", 79500000000, "$79.50",          "79.500000000"         },
    {"USD", 0,           "$0.00",           "0.000000000"          },
    {"USD", 499,         "$0.000000",       "0.000000499"          },
    {"CNY", 1500000000,  "¥1.50",          "1.500000000"          },
    {"EUR", 1500000000,  "EUR 1.50",        "1.500000000"          },
    {"USD", INT64_MIN,   "-$9223372036.85", "-9223372036.854775808"},
};

static void money_is_written_with_as_many_decimals_as_it_needs(void **state)
{
    char text[MONEY_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_string_equal(money_format(texts[i].currency, texts[i].nano, text), texts[i].text);
        assert_string_equal(money_format_exact(texts[i].nano, text), texts[i].exact);
    }
}

static void a_sum_stops_at_the_most_that_there_is(void **state)
{
    int64_t sum = 5;

    (void)state;
    money_add(&sum, 7);
    assert_int_equal(sum, 12);
    money_add(&sum, INT64_MAX);
    assert_int_equal(sum, INT64_MAX);
    money_add(&sum, 1);
    assert_int_equal(sum, INT64_MAX);
}

static void a_currency_is_known_by_its_names(void **state)
{
    (void)state;
    assert_string_equal(money_currency("cny"), "CNY");
    assert_string_equal(money_currency("RMB"), "CNY");
    assert_string_equal(money_currency("Usd"), "USD");
    assert_null(money_currency("EUR"));
    assert_null(money_currency("$"));
    assert_null(money_currency(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_amount_is_read_as_people_write_it),
        cmocka_unit_test(a_refusal_says_what_would_be_taken),
        cmocka_unit_test(a_decimal_is_read_to_the_last_digit),
        cmocka_unit_test(money_is_written_with_as_many_decimals_as_it_needs),
        cmocka_unit_test(a_sum_stops_at_the_most_that_there_is),
        cmocka_unit_test(a_currency_is_known_by_its_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
