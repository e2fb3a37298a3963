#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "simulator/faults.h"
#include "simulator/quantity.h"

static const struct {
    const char *spec;
    bool good;
} specs[] = {
    {"lost-create",                      true },
    {"lost-create=1",                    true },
    {"lost-create=3@every",              true },
    {"lost-create=0.1",                  true },
    {"lost-create=1.0",                  true },
    {"lost-create=0",                    false},
    {"lost-create=-1",                   false},
    {"lost-create=1.5",                  false},
    {"lost-create=2@each",               false},
    {"lost-create=x",                    false},
    {"lost-create=0.1@every",            false},
    {"lost-create=99999999999999999999", false},
    {"lost-creat",                       false},
    {"lost-create ",                     false},
    {"",                                 false},
    {"rows-failed=0.2",                  true },
    {"rows-failed=1",                    true },
    {"rows-failed=0.2:always",           true },
    {"rows-failed=0.2:ever",             false},
    {"rows-failed",                      false},
    {"rows-failed=2",                    false},
    {"slow-download=100kB",              true },
    {"slow-download=0",                  false},
    {"slow-download",                    false},
    {"file-lag=200ms",                   true },
    {"file-lag=5",                       false},
    {"file-lag",                         false},
    {"poll-404=3",                       true },
    {"poll-404=0.5",                     false},
    {"no-range",                         true },
    {"truncate=off",                     true },
    {"nothing=off",                      false},
    {"clear",                            true },
    {"clear=1",                          false},
};

static void specs_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        struct faults f = {0};
        struct err err = {0};

        print_message("  %s\n", specs[i].spec);
        assert_int_equal(faults_arm(&f, specs[i].spec, &err), specs[i].good);
        assert_int_equal(err.kind, specs[i].good ? ERR_NONE : ERR_USAGE);
    }
}

/* Which of ten occasions are struck, as a string of digits. */
static void strikes(const char *spec, char out[11])
{
    struct faults f = {.seed = 5};

    assert_true(faults_arm(&f, spec, NULL));
    for (int i = 0; i < 10; i++)
        out[i] = faults_strike(&f, FAULT_TRUNCATE) ? '1' : '0';
    out[10] = '\0';
}

static void occasions_are_struck_as_said(void **state)
{
    static const struct {
        const char *spec;
        const char *struck;
    } cases[] = {
        {"truncate",         "1111111111"},
        {"truncate=1",       "1000000000"},
        {"truncate=4",       "0001000000"},
        {"truncate=3@every", "0010010010"},
        {"truncate=0.0",     "0000000000"},
        {"truncate=1.0",     "1111111111"},
        {"clear",            "0000000000"},
        {"no-range",         "0000000000"}
    };
    char got[11];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        strikes(cases[i].spec, got);
        assert_string_equal(got, cases[i].struck);
    }
}

static void a_share_is_a_share(void **state)
{
    struct faults f = {.seed = 7};
    unsigned hits = 0;

    (void)state;
    assert_true(faults_arm(&f, "truncate=0.25", NULL));
    for (int i = 0; i < 10000; i++)
        hits += faults_strike(&f, FAULT_TRUNCATE);
    assert_in_range(hits, 2300, 2700);
}

static void rows_get_another_chance_unless_always(void **state)
{
    struct faults f = {.seed = 7};
    unsigned first = 0;
    unsigned changed = 0;

    (void)state;
    assert_true(faults_arm(&f, "rows-failed=0.5", NULL));
    assert_true(faults_arm(&f, "rows-500=0.5:always", NULL));
    for (uint64_t body = 0; body < 1000; body++) {
        bool one = faults_strike_row(&f, FAULT_ROWS_FAILED, body, 0);

        first += one;
        assert_int_equal(one, faults_strike_row(&f, FAULT_ROWS_FAILED, body, 0));
        changed += one != faults_strike_row(&f, FAULT_ROWS_FAILED, body, 1);
        assert_int_equal(faults_strike_row(&f, FAULT_ROWS_500, body, 0),
                         faults_strike_row(&f, FAULT_ROWS_500, body, 1));
    }
    assert_in_range(first, 430, 570);
    assert_in_range(changed, 430, 570);
}

static void lines_are_armed_one_by_one(void **state)
{
    struct faults f = {0};
    struct err err = {0};
    char text[] = "poll-404=2\r\n\n  \ntruncate\n";
    char bad[] = "list-lag=1s\nwhat\n";

    (void)state;
    assert_true(faults_arm_lines(&f, text, &err));
    assert_int_equal(faults_number(&f, FAULT_POLL_404), 2);
    assert_true(f.of[FAULT_TRUNCATE].armed);
    assert_false(faults_arm_lines(&f, bad, &err));
    assert_non_null(strstr(err.msg, "what"));
}

static void arming_again_counts_anew(void **state)
{
    struct faults f = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_true(faults_arm(&f, "truncate=2", NULL));
        assert_false(faults_strike(&f, FAULT_TRUNCATE));
        assert_true(faults_strike(&f, FAULT_TRUNCATE));
        assert_false(faults_strike(&f, FAULT_TRUNCATE));
    }
    assert_true(faults_arm(&f, "truncate=off", NULL));
    assert_false(f.of[FAULT_TRUNCATE].armed);
}

static void quantities_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } durations[] = {
        {"200ms",  200    },
        {"5s",     5000   },
        {"2m",     120000 },
        {"1.5s",   1500   },
        {"0",      0      },
        {"1h",     3600000},
        {"5",      -1     },
        {"s",      -1     },
        {"-1s",    -1     },
        {"1e3s",   -1     },
        {"1.2.3s", -1     },
        {"",       -1     },
        {"5 s",    -1     },
        {"400d",   -1     },
        {"0x10s",  -1     }
    };
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {
        {"1024",  1024     },
        {"100kB", 100000   },
        {"200MB", 200000000},
        {"1GiB",  1 << 30  },
        {"2MiB",  2 << 20  },
        {"1XB",   -1       },
        {"",      -1       },
        {"-5",    -1       }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(durations); i++) {
        int64_t ms = -1;

        assert_int_equal(quantity_duration(durations[i].text, &ms), durations[i].ms >= 0);
        assert_int_equal(ms, durations[i].ms);
    }
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint64_t bytes = UINT64_MAX;

        assert_int_equal(quantity_size(sizes[i].text, &bytes), sizes[i].bytes >= 0);
        assert_true(bytes == (uint64_t)sizes[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specs_are_read_or_refused),
        cmocka_unit_test(occasions_are_struck_as_said),
        cmocka_unit_test(a_share_is_a_share),
        cmocka_unit_test(rows_get_another_chance_unless_always),
        cmocka_unit_test(lines_are_armed_one_by_one),
        cmocka_unit_test(arming_again_counts_anew),
        cmocka_unit_test(quantities_have_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
