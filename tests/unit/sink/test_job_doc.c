#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/sink/job_doc.h"

static struct job_spec example(void)
{
    return (struct job_spec){
        .job = "订单 \"2026\".jsonl",
        .ji = "abc123def456",
        .fingerprint = "00ff",
        .source = "/data/in put.jsonl",
        .sink = "dir:/srv/sink",
        .provider = "openai",
        .base_url = "https://api.openai.com",
        .site = "s1",
        .model = "gpt-4o-mini",
        .note = "line\nbreak",
        .inline_payload = true,
        .window_lines = 1000,
        .window_bytes = 2000000,
        .max_line_bytes = 6000000,
        .chunk_bytes = JOB_CHUNK_BYTES,
        .max_attempts = 3,
    };
}

static void a_job_comes_back_as_it_was(void **state)
{
    struct job_spec spec = example();
    struct job_spec back;
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    assert_true(job_doc_write(&spec, &out));
    assert_true(job_doc_parse(out.data, out.len, &back, NULL));
    assert_string_equal(back.job, spec.job);
    assert_string_equal(back.ji, spec.ji);
    assert_string_equal(back.fingerprint, spec.fingerprint);
    assert_string_equal(back.source, spec.source);
    assert_string_equal(back.sink, spec.sink);
    assert_string_equal(back.provider, spec.provider);
    assert_string_equal(back.base_url, spec.base_url);
    assert_string_equal(back.site, spec.site);
    assert_string_equal(back.model, spec.model);
    assert_string_equal(back.note, spec.note);
    assert_true(back.inline_payload);
    assert_int_equal(back.window_lines, 1000);
    assert_int_equal(back.window_bytes, 2000000);
    assert_int_equal(back.max_line_bytes, 6000000);
    assert_int_equal(back.chunk_bytes, JOB_CHUNK_BYTES);
    assert_int_equal(back.max_attempts, 3);
    buf_release(&out);
}

static void version_1_knows_no_limit_of_a_line(void **state)
{
    static const char old[] =
        "{\"version\":1,\"job\":\"j\",\"ji\":\"abc123def456\",\"fingerprint\":\"\",\"source\":\"\","
        "\"sink\":\"\",\"provider\":\"openai\",\"base_url\":\"\",\"site\":\"\",\"model\":\"\","
        "\"note\":\"\",\"inline\":false,\"window_lines\":7,\"window_bytes\":8,\"chunk_bytes\":9,"
        "\"max_attempts\":3}";
    struct job_spec back;

    (void)state;
    assert_true(job_doc_parse(old, strlen(old), &back, NULL));
    assert_int_equal(back.max_line_bytes, 0);
    assert_int_equal(back.window_lines, 7);
    assert_int_equal(back.chunk_bytes, 9);
}

static void members_of_tomorrow_are_passed_over(void **state)
{
    struct job_spec spec = example();
    struct job_spec back;
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    assert_true(job_doc_write(&spec, &out));
    out.len--;
    assert_true(buf_printf(&out, ",\"later\":{\"x\":[1]}}"));
    assert_true(job_doc_parse(out.data, out.len, &back, NULL));
    buf_release(&out);
}

/* What is replaced in a good document, and by what. */
static const struct {
    const char *from, *to;
} broken[] = {
    {"\"version\":2",         "\"version\":3"        },
    {"\"version\":2",         "\"version\":0"        },
    {"\"version\":2",         "\"virsion\":2"        },
    {"\"max_line_bytes\"",    "\"max_lime_bytes\""   },
    {"\"window_lines\":1000", "\"window_lines\":1001"},
    {"\"window_lines\":1000", "\"window_lines\":0000"},
    {"\"max_attempts\":3",    "\"max_attempts\":0"   },
    {"\"inline\":true",       "\"inline\":null"      },
    {"abc123def456",          "abc123def45/"         },
    {"\"ji\"",                "\"jj\""               },
    {"openai.com",            "o\\u0000.com"         },
};

static void documents_that_are_wrong_are_refused(void **state)
{
    struct job_spec spec = example();
    struct job_spec back;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct buf out = BUF_INIT(1 << 20);
        struct err err = {0};

        print_message("  %s\n", broken[i].to);
        assert_true(job_doc_write(&spec, &out));
        char *at = strstr(out.data, broken[i].from);
        assert_non_null(at);
        size_t keep = strlen(broken[i].from);
        struct buf bad = BUF_INIT(1 << 20);
        assert_true(buf_append(&bad, out.data, (size_t)(at - out.data)));
        assert_true(buf_append(&bad, broken[i].to, strlen(broken[i].to)));
        assert_true(buf_append(&bad, at + keep, strlen(at + keep)));
        assert_false(job_doc_parse(bad.data, bad.len, &back, &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
        buf_release(&bad);
        buf_release(&out);
    }
}

static void cut_documents_are_refused(void **state)
{
    struct job_spec spec = example();
    struct job_spec back;
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    assert_true(job_doc_write(&spec, &out));
    for (size_t i = 0; i < out.len; i++)
        assert_false(job_doc_parse(out.data, i, &back, NULL));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_comes_back_as_it_was),
        cmocka_unit_test(version_1_knows_no_limit_of_a_line),
        cmocka_unit_test(members_of_tomorrow_are_passed_over),
        cmocka_unit_test(documents_that_are_wrong_are_refused),
        cmocka_unit_test(cut_documents_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
