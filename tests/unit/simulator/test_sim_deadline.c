#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "simulator/deadline.h"

#define NO 9999U

static const struct {
    const char *dialect, *window;
    unsigned hours; /* NO: refused */
} windows[] = {
    {"openai",     "24h",                   24           },
    {"openai",     "48h",                   NO           },
    {"openai",     "1d",                    NO           },
    {"openai",     "",                      NO           },
    {"zhipu",      "24h",                   24           },
    {"zhipu",      "whatever",              24           },
    {"zhipu",      NULL,                    24           },
    {"azure",      "48h",                   24           }, /* the batch fails, the create does not */
    {"dashscope",  "24h",                   24           },
    {"dashscope",  "336h",                  336          },
    {"dashscope",  "14d",                   336          },
    {"dashscope",  "1d",                    24           },
    {"dashscope",  "23h",                   NO           },
    {"dashscope",  "337h",                  NO           },
    {"dashscope",  "024h",                  NO           },
    {"dashscope",  "24",                    NO           },
    {"dashscope",  "24hours",               NO           },
    {"dashscope",  "-24h",                  NO           },
    {"dashscope",  " 24h",                  NO           },
    {"dashscope",  "99999999999999999999h", NO           },
    {"groq",       "168h",                  168          },
    {"groq",       "7d",                    168          },
    {"groq",       "8d",                    NO           },
    {"groq",       "1h",                    NO           },
    {"doubleword", "24h",                   24           },
    {"doubleword", "1h",                    1            },
    {"doubleword", "background",            DEADLINE_NONE},
    {"doubleword", "2h",                    NO           },
};

static void each_window_means_what_the_dialect_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(windows); i++) {
        const struct dialect_batches *d = &dialect_find(windows[i].dialect)->batches;
        unsigned hours = NO;

        print_message("  %s %s\n", windows[i].dialect,
                      windows[i].window != NULL ? windows[i].window : "(none)");
        bool ok = deadline_hours(d, windows[i].window, &hours);
        assert_int_equal(ok, windows[i].hours != NO);
        if (ok)
            assert_int_equal(hours, windows[i].hours);
    }
}

static void a_batch_ends_by_itself_as_its_provider_does_it(void **state)
{
    (void)state;
    assert_int_equal(deadline_end(&dialect_find("openai")->batches, 1000, 1500), 1500);
    assert_int_equal(deadline_end(&dialect_find("azure")->batches, 1000, 1500), INT64_MAX);
    assert_int_equal(deadline_end(&dialect_find("zhipu")->batches, 1000, 1500), 1000 + 7 * 500);
    assert_int_equal(deadline_end(&dialect_find("doubleword")->batches, 1000, 0), INT64_MAX);
}

static void rows_are_done_as_time_goes_by(void **state)
{
    static const struct {
        int64_t total, created, delay, at, done;
    } cases[] = {
        {100, 1000, 1000, 1000, 0  },
        {100, 1000, 1000, 500,  0  },
        {100, 1000, 1000, 1500, 50 },
        {100, 1000, 1000, 1999, 99 },
        {100, 1000, 1000, 2000, 100},
        {100, 1000, 1000, 9000, 100},
        {3,   0,    1000, 400,  1  },
        {100, 1000, 0,    9000, 0  },
        {0,   1000, 1000, 1500, 0  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(
            deadline_rows(cases[i].total, cases[i].created, cases[i].delay, cases[i].at),
            cases[i].done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_window_means_what_the_dialect_says),
        cmocka_unit_test(a_batch_ends_by_itself_as_its_provider_does_it),
        cmocka_unit_test(rows_are_done_as_time_goes_by),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
