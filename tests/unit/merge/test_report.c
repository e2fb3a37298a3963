#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/json/scan.h"
#include "common/merge/report.h"

static struct report example(void)
{
    struct report r = {
        .requests = 1000,
        .ok = 999,
        .failed = 1,
        .attempts = 1003,
        .duplicates = 2,
        .tokens = {.prompt = 10,     .completion = 20, .cached = 3, .reasoning = 4},
        .wasted = {.prompt = 5,  .completion = 6                 },
        .out = {.bytes = 7,.sha256 = "aa"},
        .dead = {.bytes = 8,   .sha256 = "bb"                    },
    };

    report_count_code(&r, "rare", 1);
    report_count_code(&r, "often \"q\"", 40);
    report_add_batch(&r, "b2");
    report_add_batch(&r, "b1");
    report_add_batch(&r, "b2");
    return r;
}

static void a_parts_report_comes_back_as_it_was(void **state)
{
    struct report r = example();
    struct report back = {0};
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    assert_true(report_write_part(&r, &out));
    assert_true(report_parse_part(out.data, out.len, &back, NULL));
    assert_int_equal(back.requests, 1000);
    assert_int_equal(back.tokens.reasoning, 4);
    assert_int_equal(back.wasted.completion, 6);
    assert_int_equal(back.dead.bytes, 8);
    assert_string_equal(back.out.sha256, "aa");
    assert_int_equal(back.code_count, 2);
    assert_string_equal(back.codes[0].code, "often \"q\"");
    assert_int_equal(back.codes[0].count, 40);
    assert_int_equal(back.batch_count, 2);
    assert_string_equal(back.batches[0], "b1");
    for (size_t i = 0; i + 1 < out.len; i++) {
        struct report cut = {0};

        assert_false(report_parse_part(out.data, i, &cut, NULL));
    }
    report_release(&r);
    report_release(&back);
    buf_release(&out);
}

static void parts_add_up(void **state)
{
    struct report total = {0};
    struct report r = example();

    (void)state;
    report_add(&total, &r);
    report_add_batch(&r, "b3");
    report_add(&total, &r);
    assert_int_equal(total.requests, 2000);
    assert_int_equal(total.out.bytes, 14);
    assert_int_equal(total.batch_count, 3);
    report_sort_codes(&total);
    assert_int_equal(total.codes[0].count, 80);
    assert_int_equal(total.codes[1].count, 2);
    report_release(&r);
    report_release(&total);
}

static void codes_beyond_the_limit_are_counted_together(void **state)
{
    struct report r = {0};
    uint64_t sum = 0;

    (void)state;
    for (int i = 0; i < 3 * REPORT_MAX_CODES; i++) {
        char code[32];

        (void)snprintf(code, sizeof(code), "code-%d", i % (REPORT_MAX_CODES + 500));
        report_count_code(&r, code, 1);
    }
    report_sort_codes(&r);
    assert_int_equal(r.code_count, REPORT_MAX_CODES + 1);
    assert_string_equal(r.codes[0].code, "(other)");
    assert_int_equal(r.codes[0].count, 1000);
    for (size_t i = 0; i < r.code_count; i++)
        sum += r.codes[i].count;
    assert_int_equal(sum, 3 * REPORT_MAX_CODES);
    report_release(&r);
}

static void the_document_is_json_with_nulls_for_what_is_unknown(void **state)
{
    struct job_spec spec = {.job = "a \"b\"", .ji = "abc123def456", .note = "备注"};
    struct report_times times = {0};
    struct report_paths paths = {.dead = "/x/e"};
    struct report r = example();
    struct buf out = BUF_INIT(1 << 20);
    struct json_value doc;

    (void)state;
    r.out.sha256[0] = '\0';
    assert_true(report_write_json(&r, &spec, &times, &paths, &out));
    assert_true(json_scan(out.data, out.len, &doc, NULL));
    struct json_value job = json_member(&doc, "job");
    struct json_value created = json_member(&doc, "created");
    struct json_value files = json_member(&doc, "files");
    struct json_value output = json_member(&files, "output");
    struct json_value path = json_member(&output, "path");
    struct json_value sha = json_member(&output, "sha256");
    assert_true(json_string_equals(&job, "a \"b\""));
    assert_true(json_is_null(&created) && json_is_null(&path) && json_is_null(&sha));
    report_release(&r);
    buf_release(&out);
}

static void text_rounds_shares_down(void **state)
{
    struct job_spec spec = {.job = "j"};
    struct report_times times = {1700000000000, 1700000090000, NULL};
    struct report r = example();
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    r.requests = 1000000;
    r.ok = 999999;
    assert_true(report_write_text(&r, &spec, &times, &out));
    assert_non_null(strstr(out.data, "999999 (99.9%)"));
    assert_non_null(strstr(out.data, "1m30s"));
    assert_non_null(strstr(out.data, "often \"q\""));
    assert_null(strstr(out.data, "note"));
    report_release(&r);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_parts_report_comes_back_as_it_was),
        cmocka_unit_test(parts_add_up),
        cmocka_unit_test(codes_beyond_the_limit_are_counted_together),
        cmocka_unit_test(the_document_is_json_with_nulls_for_what_is_unknown),
        cmocka_unit_test(text_rounds_shares_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
