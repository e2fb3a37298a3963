#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/rate.h"

static const struct {
    const char *text;
    int64_t ms; /* -1: none */
} durations[] = {
    {"1s",                       1000                  },
    {"6m0s",                     360000                },
    {"20ms",                     20                    },
    {"0s",                       0                     },
    {"2m59.56s",                 179560                },
    {"7.66s",                    7660                  },
    {"1h30m",                    5400000               },
    {"1h0m0s",                   3600000               },
    {"1d",                       86400000              },
    {"12",                       12000                 },
    {"0",                        0                     },
    {"0.5",                      500                   },
    {"0.0001s",                  1                     },
    {"720h",                     30 * INT64_C(86400000)},
    {"721h",                     -1                    },
    {"99999999999999999999999s", -1                    },
    {"",                         -1                    },
    {"abc",                      -1                    },
    {"-1",                       -1                    },
    {"-1s",                      -1                    },
    {"1x",                       -1                    },
    {"s",                        -1                    },
    {"1s2",                      -1                    },
    {"1 s",                      -1                    },
    {"1..5s",                    -1                    },
    {".",                        -1                    },
    {"inf",                      -1                    },
    {"nan",                      -1                    },
    {"1e3",                      -1                    },
};

static void durations_are_read_as_providers_write_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        print_message("  %s\n", durations[i].text);
        assert_int_equal(rate_duration_ms(durations[i].text), durations[i].ms);
    }
}

/* clang-format off */
static const struct {
    const char *name, *lines;
    struct rate_left requests, tokens;
    bool no_repeat;
} heads[] = {
    {"nothing", "", {-1, -1}, {-1, -1}, false},
    {"OpenAI's",
     "x-ratelimit-limit-requests: 500\nx-ratelimit-remaining-requests: 0\n"
     "x-ratelimit-reset-requests: 6m0s\nx-ratelimit-remaining-tokens: 149984\n"
     "x-ratelimit-reset-tokens: 6ms\n",
     {0, 360000}, {149984, 6}, false},
    {"remaining alone", "x-ratelimit-remaining-requests: 0\n", {0, -1}, {-1, -1}, false},
    {"values that make no sense",
     "x-ratelimit-remaining-requests: many\nx-ratelimit-reset-requests: soon\n"
     "x-ratelimit-remaining-tokens: -5\nx-ratelimit-reset-tokens: -5s\n",
     {-1, -1}, {-1, -1}, false},
    {"a value that is too long",
     "x-ratelimit-remaining-requests: 00000000000000000000000000000000000000\n",
     {-1, -1}, {-1, -1}, false},
    {"the first of two", "x-ratelimit-remaining-tokens: 7\nx-ratelimit-remaining-tokens: 9\n",
     {-1, -1}, {7, -1}, false},
    {"a longer name is another", "x-ratelimit-remaining-tokens-project: 0\n",
     {-1, -1}, {-1, -1}, false},
    {"do not repeat", "x-should-retry: false\n", {-1, -1}, {-1, -1}, true},
    {"in capitals", "x-should-retry: FALSE\n", {-1, -1}, {-1, -1}, true},
    {"repeat", "x-should-retry: true\n", {-1, -1}, {-1, -1}, false},
    {"without a last line end", "x-should-retry: false", {-1, -1}, {-1, -1}, true},
    {"without a value", "x-should-retry:\nx-ratelimit-remaining-requests:\n",
     {-1, -1}, {-1, -1}, false},
};
/* clang-format on */

static void headers_tell_what_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct rate_headers have;

        print_message("  %s\n", heads[i].name);
        rate_headers_read(heads[i].lines, &have);
        assert_int_equal(have.requests.remaining, heads[i].requests.remaining);
        assert_int_equal(have.requests.reset_ms, heads[i].requests.reset_ms);
        assert_int_equal(have.tokens.remaining, heads[i].tokens.remaining);
        assert_int_equal(have.tokens.reset_ms, heads[i].tokens.reset_ms);
        assert_int_equal(have.no_repeat, heads[i].no_repeat);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_as_providers_write_them),
        cmocka_unit_test(headers_tell_what_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
