#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "simulator/intake.h"
#include "simulator/validate.h"

#define CHAT     "/v1/chat/completions"
#define LINE(id) LINE_OF(id, CHAT, "m")
#define LINE_OF(id, url, model)                                    \
    "{\"custom_id\":\"" id "\",\"method\":\"POST\",\"url\":\"" url \
    "\",\"body\":{\"model\":\"" model "\",\"messages\":[]}}\n"
#define TEN "0123456789"

static int file_of(const void *text, size_t len)
{
    int fd = memfd_create("input", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* One input and what becomes of a batch of it. */
/* clang-format off */
static const struct {
    const char *dialect, *endpoint, *text;
    uint64_t max;
    bool fails;
    uint64_t total;
    const char *errors; /* the codes, each with "@line " */
} batches[] = {
    {"openai", CHAT, LINE("a") LINE("b"), 2, false, 2, ""},
    {"openai", CHAT, "\n" LINE("a") " \r\n" LINE("b"), 2, false, 2, ""},
    {"openai", CHAT, LINE("a") LINE("b") LINE("c"), 2, true, 3, "too_many_tasks@0 "},
    {"openai", CHAT, "", 2, true, 0, "empty_file@0 "},
    {"openai", CHAT, "\n \n", 2, true, 0, "empty_file@0 "},
    {"openai", CHAT, "\n" LINE("a") "\nx\n" LINE("a"), 9, true, 1,
     "invalid_json_line@4 duplicate_custom_id@5 "},
    {"openai", CHAT, LINE_OF("a", "/v1/embeddings", "m"), 9, true, 0, "invalid_url@1 "},
    {"openai", CHAT, LINE_OF("a", "/chat/completions", "m"), 9, true, 0, "invalid_url@1 "},
    {"openai", CHAT, LINE("a") LINE_OF("b", CHAT, "n"), 9, true, 1, "model_mismatch@2 "},
    {"openai", CHAT, "\xef\xbb\xbf" LINE("a"), 9, true, 0, "invalid_json_line@1 "},
    {"openai", CHAT, LINE_OF("a", CHAT, "batch-test-model"), 9, true, 0, "model_not_found@1 "},
    {"azure", CHAT, LINE_OF("a", "/chat/completions", "m") LINE("b"), 9, false, 2, ""},
    {"azure", "/chat/completions", LINE_OF("a", "/chat/completions", "m") LINE("b"), 9, false, 2,
     ""},
    {"azure", CHAT, LINE_OF("a", "/v1/responses", "m"), 9, true, 0, "url_mismatch@1 "},
    {"azure", CHAT, "\xef\xbb\xbf" LINE("a"), 9, true, 0, "invalid_request@0 "},
    {"groq", CHAT, "x\n" LINE("a") LINE_OF("b", CHAT, "n"), 9, false, 2, "invalid_json_line@1 "},
    {"groq", CHAT, "x\n", 9, true, 0, "invalid_json_line@1 "},
    {"groq", CHAT, LINE("a") LINE("a"), 9, true, 1, "duplicate_custom_id@2 "},
    {"groq", CHAT, "x\n" LINE("a") LINE("a"), 9, true, 1,
     "invalid_json_line@1 duplicate_custom_id@3 "},
    {"dashscope", "/v1/chat/ds-test", LINE_OF("a", "/v1/chat/ds-test", "batch-test-model"), 9,
     false, 1, ""},
    {"dashscope", "/v1/chat/ds-test", LINE_OF("a", "/v1/chat/ds-test", "m"), 9, true, 0,
     "model_not_found@1 "},
};
/* clang-format on */

/* The codes and lines of @errors, as the table has them. */
static void summarise(const char *errors, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    while ((errors = strstr(errors, "{\"code\":\"")) != NULL) {
        errors += strlen("{\"code\":\"");
        const char *line = strstr(errors, "\"line\":") + strlen("\"line\":");
        n += (size_t)snprintf(out + n, size - n, "%.*s@%ld ", (int)strcspn(errors, "\""), errors,
                              strtol(line, NULL, 10));
    }
}

static void each_input_is_judged_as_the_dialect_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(batches); i++) {
        const struct dialect *d = dialect_find(batches[i].dialect);
        struct validate_rules rules =
            validate_rules(&d->lines, batches[i].endpoint, batches[i].max);
        int fd = file_of(batches[i].text, strlen(batches[i].text));
        struct err err = {0};
        struct verdict v;
        char found[200];

        print_message("  %zu %s: %.40s\n", i, batches[i].dialect, batches[i].errors);
        verdict_init(&v);
        assert_true(validate_batch(fd, &rules, &v, &err));
        summarise(v.errors.len != 0 ? v.errors.data : "", found, sizeof(found));
        assert_string_equal(found, batches[i].errors);
        assert_int_equal(v.fails, batches[i].fails);
        assert_int_equal(v.total, batches[i].total);
        verdict_release(&v);
        (void)close(fd);
    }
}

static void at_most_a_hundred_errors_are_listed(void **state)
{
    struct validate_rules rules = validate_rules(&dialect_find("openai")->lines, CHAT, 1000);
    char text[400];
    struct err err = {0};
    struct verdict v;
    char found[200 * 30];

    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 == 0 ? 'x' : '\n';
    int fd = file_of(text, sizeof(text));
    verdict_init(&v);
    assert_true(validate_batch(fd, &rules, &v, &err));
    summarise(v.errors.data, found, sizeof(found));
    assert_non_null(strstr(found, "@100 "));
    assert_null(strstr(found, "@101 "));
    verdict_release(&v);
    (void)close(fd);
}

static void embeddings_and_the_test_model_have_limits_of_their_own(void **state)
{
    const struct dialect_lines *zhipu = &dialect_find("zhipu")->lines;
    const struct dialect_lines *dashscope = &dialect_find("dashscope")->lines;

    (void)state;
    assert_int_equal(validate_rules(zhipu, "/v4/embeddings", 50000).max_requests, 10000);
    assert_int_equal(validate_rules(zhipu, "/v4/embeddings", 5).max_requests, 5);
    assert_int_equal(validate_rules(zhipu, "/v4/chat/completions", 50000).max_requests, 50000);
    assert_int_equal(validate_rules(dashscope, "/v1/chat/ds-test", 50000).max_requests, 100);
    assert_int_equal(validate_rules(dashscope, "/v1/chat/ds-test", 50000).max_bytes, 1000000);
    assert_int_equal(validate_rules(dashscope, "/v1/embeddings", 50000).max_requests, 50000);
}

#define ZLINE(id, model) LINE_OF(id, "/v4/chat/completions", model)

/* One upload and its answer. */
/* clang-format off */
static const struct {
    const char *dialect, *filename, *text;
    unsigned status; /* 0: taken */
    const char *zhipu_code, *message;
} uploads[] = {
    {"openai", "a.jsonl", LINE("a") "x\n", 0, NULL, NULL},
    {"openai", "A.JSONL", LINE("a"), 0, NULL, NULL},
    {"openai", "a.json", LINE("a"), 400, NULL, "Must be .jsonl"},
    {"openai", "jsonl", LINE("a"), 400, NULL, "Must be .jsonl"},
    {"openai", "a.jsonl", "x\n" LINE("a"), 400, NULL, "Must be .jsonl"},
    {"openai", "a.jsonl", "\n\nx\n", 400, NULL, "Must be .jsonl"},
    {"openai", "a.jsonl", "", 400, NULL, "Must be .jsonl"},
    {"openai", "a.jsonl", "\n\n", 0, NULL, NULL},
    {"openai", "a.jsonl", "\xef\xbb\xbf" LINE("a"), 400, NULL, "Must be .jsonl"},
    {"azure", "a.jsonl", "\xef\xbb\xbf" LINE("a"), 0, NULL, NULL},
    {"azure", "a.jsonl", "", 0, NULL, NULL},
    {"groq", "a.jsonl", "x\n", 0, NULL, NULL},
    {"zhipu", "a.jsonl", ZLINE("123456", "m"), 0, NULL, NULL},
    {"zhipu", "a.jsonl", ZLINE("12345", "m"), 400, "1214", "line 1, 6 to 64"},
    {"zhipu", "a.jsonl", "\n" ZLINE("123456", "m") ZLINE(TEN TEN TEN TEN TEN TEN "12345", "m"), 400,
     "1214", "line 3"},
    {"zhipu", "a.jsonl", ZLINE(TEN TEN TEN TEN TEN TEN "1234", "m"), 0, NULL, NULL},
    {"zhipu", "a.jsonl", "{\"body\":{}}\n", 400, "1214", "line 1"},
    {"zhipu", "a.jsonl", ZLINE("123456", "no-such-model"), 400, "1210", "模型名称错误"},
    {"zhipu", "a.jsonl", ZLINE("123456", "m") "x\n", 400, "1210", "line 2 is not JSON"},
    {"doubleword", "a.jsonl", LINE("a") "\n" LINE("b"), 0, NULL, NULL},
    {"doubleword", "a.jsonl", "\n" LINE("a") "x\n", 400, NULL, "Invalid JSON on line 2"},
    {"doubleword", "a.jsonl", "{\"custom_id\":\"a\"}\n", 400, NULL, "missing field `method`"},
    {"doubleword", "a.jsonl", "{}\n\xff\n", 400, NULL, "missing field `custom_id`"},
    {"doubleword", "a.jsonl", "\n \"\xff\"\n", 400, NULL, "near line 1 at byte offset 3."},
    {"doubleword", "a.jsonl", LINE(""), 400, NULL, "custom_id is 0 characters"},
    {"doubleword", "a.jsonl", LINE(TEN TEN TEN TEN TEN TEN "12345"), 400, NULL, "is 65 characters"},
    {"doubleword", "a.jsonl", LINE("a\\nb"), 400, NULL, "HTTP header"},
    {"doubleword", "a.jsonl", LINE_OF("a", "/nope", "m"), 400, NULL, "path '/nope'"},
    {"doubleword", "a.jsonl", LINE_OF("a", CHAT, "no-such-model"), 403, NULL, "not available"},
    {"doubleword", "a.jsonl", "\n", 400, NULL, "no valid request templates"},
};
/* clang-format on */

static void each_upload_is_taken_or_refused_as_the_dialect_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(uploads); i++) {
        const struct dialect *d = dialect_find(uploads[i].dialect);
        int fd = file_of(uploads[i].text, strlen(uploads[i].text));
        struct intake_refusal r = {0};

        print_message("  %zu %s: %s\n", i, uploads[i].dialect,
                      uploads[i].message != NULL ? uploads[i].message : "taken");
        bool ok = intake_check(fd, uploads[i].filename, d, &r);
        assert_int_equal(ok, uploads[i].status == 0);
        assert_int_equal(r.status, uploads[i].status);
        if (uploads[i].message != NULL)
            assert_non_null(strstr(r.message, uploads[i].message));
        if (uploads[i].zhipu_code != NULL)
            assert_string_equal(r.zhipu_code, uploads[i].zhipu_code);
        (void)close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_input_is_judged_as_the_dialect_does),
        cmocka_unit_test(at_most_a_hundred_errors_are_listed),
        cmocka_unit_test(embeddings_and_the_test_model_have_limits_of_their_own),
        cmocka_unit_test(each_upload_is_taken_or_refused_as_the_dialect_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
