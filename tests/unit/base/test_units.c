#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/units.h"

static const struct {
    const char *text;
    int64_t ms;
} durations[] = {
    {"0s",            0                  },
    {"200ms",         200                },
    {"5s",            5000               },
    {"10m",           600000             },
    {"24h",           86400000           },
    {"7d",            604800000          },
    {"1h30m",         5400000            },
    {"1d2h3m4s5ms",   93784005           },
    {"1.5h",          5400000            },
    {"0.25s",         250                },
    {"1.2345s",       1234               },
    {"1m0.5s",        60500              },
    {"106751991167d", 9223372036828800000},
};

static void durations_have_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        int64_t ms = -1;
        struct err err = {0};

        print_message("  %s\n", durations[i].text);
        assert_true(units_parse_duration(durations[i].text, &ms, &err));
        assert_int_equal(ms, durations[i].ms);
    }
}

static const struct {
    const char *text;
    const char *msg;
} bad_durations[] = {
    {"5",                     "\"5\" needs a unit, such as 5s"                             },
    {"0",                     "\"0\" needs a unit, such as 0s"                             },
    {"",                      "\"\" is not a duration such as 200ms, 5s, 10m or 1h30m"     },
    {"s",                     "\"s\" is not a duration such as 200ms, 5s, 10m or 1h30m"    },
    {"5 s",                   "\"5 s\" is not a duration such as 200ms, 5s, 10m or 1h30m"  },
    {"-5s",                   "\"-5s\" is not a duration such as 200ms, 5s, 10m or 1h30m"  },
    {"5S",                    "\"5S\" is not a duration such as 200ms, 5s, 10m or 1h30m"   },
    {"5sec",                  "\"5sec\" is not a duration such as 200ms, 5s, 10m or 1h30m" },
    {"30m1h",                 "\"30m1h\" is not a duration such as 200ms, 5s, 10m or 1h30m"},
    {"1h1h",                  "\"1h1h\" is not a duration such as 200ms, 5s, 10m or 1h30m" },
    {"1h30",                  "\"1h30\" is not a duration such as 200ms, 5s, 10m or 1h30m" },
    {"1.5ms",                 "\"1.5ms\" is not a duration such as 200ms, 5s, 10m or 1h30m"},
    {"1.s",                   "\"1.s\" is not a duration such as 200ms, 5s, 10m or 1h30m"  },
    {"106751991168d",         "\"106751991168d\" is too large"                             },
    {"99999999999999999999s", "\"99999999999999999999s\" is too large"                     },
};

static void a_bad_duration_is_quoted_and_leaves_the_output_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_durations); i++) {
        int64_t ms = -1;
        struct err err = {0};

        assert_false(units_parse_duration(bad_durations[i].text, &ms, &err));
        assert_string_equal(err.msg, bad_durations[i].msg);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_int_equal(ms, -1);
    }
}

static const struct {
    const char *text;
    uint64_t bytes;
} sizes[] = {
    {"0",                   0                  },
    {"4096",                4096               },
    {"1MB",                 1000000            },
    {"1mb",                 1000000            },
    {"10kB",                10000              },
    {"7B",                  7                  },
    {"100MiB",              104857600          },
    {"1KiB",                1024               },
    {"1.5GB",               1500000000         },
    {"0.5KiB",              512                },
    {"2GiB",                2147483648         },
    {"3TB",                 3000000000000      },
    {"1TiB",                1099511627776      },
    {"9223372036854775807", 9223372036854775807},
};

static void sizes_may_have_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t bytes = 1;
        struct err err = {0};

        print_message("  %s\n", sizes[i].text);
        assert_true(units_parse_size(sizes[i].text, &bytes, &err));
        assert_int_equal(bytes, sizes[i].bytes);
    }
}

static void a_bad_size_is_quoted(void **state)
{
    static const char *const bad[] = {"", "MB", "200 MB", "-1", "1M", "1.5", "0x10", "1e6", "1MBx"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t bytes = 1;
        char want[100];
        struct err err = {0};

        assert_false(units_parse_size(bad[i], &bytes, &err));
        (void)snprintf(want, sizeof(want), "\"%s\" is not a size such as 4096, 1MB or 100MiB",
                       bad[i]);
        assert_string_equal(err.msg, want);
        assert_int_equal(bytes, 1);
    }
}

static void a_size_past_63_bits_is_too_large(void **state)
{
    static const char *const bad[] = {"9223372036854775808", "9223372TB", "8388608TiB"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t bytes = 1;
        struct err err = {0};

        print_message("  %s\n", bad[i]);
        assert_int_equal(units_parse_size(bad[i], &bytes, &err), i == 1);
        if (i != 1)
            assert_non_null(strstr(err.msg, "is too large"));
    }
}

static void counts_are_plain_integers(void **state)
{
    static const char *const bad[] = {"",   "-",  "50,000", "1.5", "0x10",
                                      " 1", "1 ", "+1",     "1k",  "--1"};
    int64_t n = 0;
    struct err err = {0};

    (void)state;
    assert_true(units_parse_count("50000", &n, &err));
    assert_int_equal(n, 50000);
    assert_true(units_parse_count("-7", &n, &err));
    assert_int_equal(n, -7);
    assert_true(units_parse_count("9223372036854775807", &n, &err));
    assert_int_equal(n, INT64_MAX);
    assert_false(units_parse_count("9223372036854775808", &n, &err));
    assert_string_equal(err.msg, "\"9223372036854775808\" is too large");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char want[100];

        assert_false(units_parse_count(bad[i], &n, &err));
        (void)snprintf(want, sizeof(want), "\"%s\" is not a whole number", bad[i]);
        assert_string_equal(err.msg, want);
    }
}

static const struct {
    int64_t ms;
    const char *text;
} shown_durations[] = {
    {0,         "0s"              },
    {850,       "850ms"           },
    {1000,      "1s"              },
    {12999,     "12s"             },
    {59999,     "59s"             },
    {60000,     "1m"              },
    {330000,    "5m30s"           },
    {5040000,   "1h24m"           },
    {3605000,   "1h"              },
    {86400000,  "1d"              },
    {183600000, "2d3h"            },
    {-1500,     "-1s"             },
    {INT64_MIN, "-106751991167d7h"},
};

static void durations_show_two_units_rounded_down(void **state)
{
    char out[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shown_durations); i++)
        assert_string_equal(units_format_duration(shown_durations[i].ms, out),
                            shown_durations[i].text);
}

static const struct {
    uint64_t bytes;
    const char *text;
} shown_sizes[] = {
    {0,          "0 B"    },
    {999,        "999 B"  },
    {1000,       "1.0 kB" },
    {41299999,   "41.2 MB"},
    {99999999,   "99.9 MB"},
    {412900000,  "412 MB" },
    {999999999,  "999 MB" },
    {1000000000, "1.0 GB" },
    {UINT64_MAX, "18.4 EB"},
};

static void sizes_show_three_digits_rounded_down(void **state)
{
    char out[UNITS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shown_sizes); i++)
        assert_string_equal(units_format_size(shown_sizes[i].bytes, out), shown_sizes[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(a_bad_duration_is_quoted_and_leaves_the_output_alone),
        cmocka_unit_test(sizes_may_have_units),
        cmocka_unit_test(a_bad_size_is_quoted),
        cmocka_unit_test(a_size_past_63_bits_is_too_large),
        cmocka_unit_test(counts_are_plain_integers),
        cmocka_unit_test(durations_show_two_units_rounded_down),
        cmocka_unit_test(sizes_show_three_digits_rounded_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
