#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "cli/core/failures.h"
#include "common/base/attr.h"

static void add(struct failures *f, int64_t status, const char *code, const char *id,
                const char *message)
{
    const struct failure row = {status, code, message, 0};
    struct failure_sample *sample = failures_add(f, &row);

    if (sample != NULL)
        failure_sample_fill(sample, (uint32_t)f->rows - 1, id, message);
}

static void rows_are_counted_by_status_and_code(void **state)
{
    struct failures f = {0};
    char name[96];

    (void)state;
    for (int i = 0; i < 5; i++)
        add(&f, 400, "content_filter", "a", "no");
    add(&f, 500, "", "b", "oops");
    add(&f, 500, "content_filter", "c", "");
    for (int i = 0; i < 2; i++)
        add(&f, -1, "missing_result", NULL, "");
    add(&f, 0, "missing_result", NULL, "");
    failures_sort(&f);
    assert_int_equal(f.rows, 10);
    assert_int_equal(f.count, 4);
    assert_int_equal(f.causes[0].count, 5);
    assert_int_equal(f.causes[0].sample_count, FAILURES_SAMPLES);
    assert_string_equal(failure_cause_name(&f.causes[0], name), "400 content_filter");
    assert_int_equal(f.causes[1].count, 3);
    assert_string_equal(failure_cause_name(&f.causes[1], name), "missing_result");
    assert_string_equal(failure_cause_name(&f.causes[2], name), "500");
    assert_string_equal(failure_cause_name(&f.causes[3], name), "500 content_filter");
    failures_release(&f);
}

static void counts_stay_exact_when_there_are_too_many_causes(void **state)
{
    struct failures f = {0};
    struct failures_scope scope = {.job = "j", .parts = 1, .rows = 99999, .ended = true};
    struct buf out = BUF_INIT(4 << 20);
    uint64_t kept = 0;
    char code[32];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < FAILURES_MAX_CAUSES + 10; i++) {
            (void)snprintf(code, sizeof(code), "code-%d", i);
            add(&f, 400, code, "x", "m");
        }
    }
    failures_sort(&f);
    assert_int_equal(f.count, FAILURES_MAX_CAUSES);
    assert_int_equal(f.others, 20);
    for (size_t i = 0; i < f.count; i++)
        kept += f.causes[i].count;
    assert_int_equal(kept + f.others, f.rows);
    failures_print(&f, &scope, &out);
    assert_non_null(strstr(out.data, "8012  other causes"));
    failures_release(&f);
    buf_release(&out);
}

static void the_line_is_read_off_the_message(void **state)
{
    static const struct {
        const char *message, *want;
        int64_t line;
    } cases[] = {
        {"line 7: not JSON",                     "not JSON",                             7            },
        {"line 1234567890123: x",                "x",                                    1234567890123},
        {"line 7",                               "line 7",                               -1           },
        {"line : x",                             "line : x",                             -1           },
        {"line 7 of the poem",                   "line 7 of the poem",                   -1           },
        {"Line 7: x",                            "Line 7: x",                            -1           },
        {"",                                     "",                                     -1           },
        {"line 1234567890123456789012345: much", "line 1234567890123456789012345: much", -1           },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct failure_sample sample;

        failure_sample_fill(&sample, 7, NULL, cases[i].message);
        assert_int_equal(sample.shard, 7);
        assert_int_equal(sample.line, cases[i].line);
        assert_string_equal(sample.message, cases[i].want);
        assert_false(sample.has_id);
    }
}

static void every_cause_has_a_remedy(void **state)
{
    static const struct {
        int64_t status;
        const char *code, *want;
    } cases[] = {
        {0,   "invalid_request_line",    "correct it in the input"},
        {0,   "missing_result",          "send it again"          },
        {0,   "job_cancelled",           "send it again"          },
        {200, "missing_result",          "the message says"       },
        {400, "context_length_exceeded", "too long"               },
        {400, "content_filter",          "change the prompt"      },
        {404, "model_not_found",         "model's name"           },
        {0,   "model_unsupported",       "model's name"           },
        {0,   "invalid_line",            "as the message says"    },
        {0,   "content_policy",          "change the prompt"      },
        {401, "",                        "key"                    },
        {429, "rate_limit_exceeded",     "later"                  },
        {429, "insufficient_quota",      "top up"                 },
        {422, "whatever",                "as the message says"    },
        {503, "whatever",                "send it again"          },
        {0,   "whatever",                "the message says"       },
        {200, "",                        "the message says"       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct failures f = {0};

        print_message("  %d %s\n", (int)cases[i].status, cases[i].code);
        add(&f, cases[i].status, cases[i].code, NULL, "");
        assert_non_null(strstr(failure_help(&f.causes[0]), cases[i].want));
        failures_release(&f);
    }
}

static void what_may_pass_when_sent_again_is_told_apart(void **state)
{
    static const struct {
        int64_t status;
        const char *code;
        bool want;
    } cases[] = {
        {0,   "missing_result",          true },
        {0,   "invalid_request_line",    false},
        {500, "",                        true },
        {429, "",                        true },
        {400, "content_filter",          false},
        {400, "context_length_exceeded", false},
        {404, "model_not_found",         false},
        {422, "",                        false},
        {429, "insufficient_quota",      true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct failures f = {0};

        print_message("  %d %s\n", (int)cases[i].status, cases[i].code);
        add(&f, cases[i].status, cases[i].code, NULL, "");
        assert_int_equal(failure_may_pass(&f.causes[0]), cases[i].want);
        failures_release(&f);
    }
}

static void the_first_and_the_last_time_are_kept(void **state)
{
    static const int64_t times[] = {0, 1795548060000, 1795548000999, 0, 1795548030000};
    struct failures f = {0};
    struct failures_scope scope = {.job = "j", .parts = 1, .rows = 9, .ended = true};
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const struct failure row = {500, "late", "m", times[i]};

        (void)failures_add(&f, &row);
    }
    const struct failure unknown = {501, "when", "m", 0};
    (void)failures_add(&f, &unknown);
    failures_sort(&f);
    assert_int_equal(f.causes[0].first_ms, 1795548000999);
    assert_int_equal(f.causes[0].last_ms, 1795548060000);
    assert_int_equal(f.causes[1].first_ms, 0);
    failures_print_json(&f, &scope, &out);
    assert_non_null(strstr(out.data, "\"first_seen_ms\":1795548000999,"
                                     "\"last_seen_ms\":1795548060000,"));
    assert_non_null(strstr(out.data, "\"first_seen_ms\":null,\"last_seen_ms\":null,"));
    buf_clear(&out);
    failures_print(&f, &scope, &out);
    assert_non_null(strstr(out.data, "500 late, 2026-11-24T19:20:00Z to 2026-11-24T19:21:00Z\n"));
    assert_non_null(strstr(out.data, "501 when\n"));
    failures_release(&f);
    buf_release(&out);
}

static void what_is_printed_says_how_far_it_goes(void **state)
{
    struct failures f = {0};
    struct failures_scope scope = {.job = "j\033", .parts = 1, .rows = 512, .not_merged = 88};
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    add(&f, 400, "bad", "id\n1", "two\nlines");
    failures_sort(&f);
    failures_print(&f, &scope, &out);
    assert_non_null(strstr(out.data, "job j?: 1 of 512 rows failed, 1 cause\n"));
    assert_non_null(strstr(out.data, "1 parts are merged, 88 rows are not"));
    assert_non_null(strstr(out.data, "id?1: two?lines\n"));
    buf_clear(&out);
    failures_print_json(&f, &scope, &out);
    assert_non_null(strstr(out.data, "\"not_merged_rows\":88,\"failed\":1,"));
    assert_non_null(strstr(out.data, "{\"custom_id\":\"id\\u000a1\",\"shard\":0,\"line\":null,"));
    buf_clear(&out);
    scope.ended = true;
    failures_print(&f, &scope, &out);
    assert_null(strstr(out.data, "merged"));
    failures_release(&f);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_counted_by_status_and_code),
        cmocka_unit_test(counts_stay_exact_when_there_are_too_many_causes),
        cmocka_unit_test(the_line_is_read_off_the_message),
        cmocka_unit_test(every_cause_has_a_remedy),
        cmocka_unit_test(what_may_pass_when_sent_again_is_told_apart),
        cmocka_unit_test(the_first_and_the_last_time_are_kept),
        cmocka_unit_test(what_is_printed_says_how_far_it_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
