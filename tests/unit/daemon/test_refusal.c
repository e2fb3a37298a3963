#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/daemon/refusal.h"

/* What is read back, as the worker does it. */
static size_t read_back(const struct buf *refused, struct remote_error *out, size_t cap)
{
    return remote_errors_parse(refused->data, strlen(refused->data), out, cap);
}

static void a_refused_line_is_kept_in_the_providers_words(void **state)
{
    struct provider_error error = {.class = PROVIDER_INVALID_LINE, .line = 3, .code = "1214"};
    struct remote_error back[2];
    struct buf refused = REFUSAL_BUF;

    (void)state;
    (void)snprintf(error.message, sizeof(error.message), "custom_id \"1\"\nis too short");
    refusal_of_error(&error, &refused);
    assert_int_equal(read_back(&refused, back, 2), 1);
    assert_int_equal(back[0].line, 3);
    assert_string_equal(back[0].code, "1214");
    assert_string_equal(back[0].message, error.message);
    buf_release(&refused);
}

static void without_a_code_the_class_is_one_and_without_a_line_all_are_meant(void **state)
{
    struct provider_error error = {.class = PROVIDER_MODEL_UNSUPPORTED, .line = -1};
    struct remote_error back[2];
    struct buf refused = REFUSAL_BUF;

    (void)state;
    refusal_of_error(&error, &refused);
    assert_int_equal(read_back(&refused, back, 2), 1);
    assert_int_equal(back[0].line, -1);
    assert_string_equal(back[0].code, "model_unsupported");
    buf_release(&refused);
}

static void of_a_failed_batch(void **state)
{
    static const struct {
        const char *name, *errors;
        size_t count;
        int64_t line;
        const char *code;
    } cases[] = {
        {"the named lines",               "[{\"code\":\"a\",\"line\":2},{\"code\":\"b\",\"line\":9}]",    2, 2,  "a" },
        {"and no others",                 "[{\"code\":\"a\",\"line\":null},{\"code\":\"b\",\"line\":9}]", 1, 9,
         "b"                                                                                                         },
        {"the first where none is named", "[{\"code\":\"a\"},{\"code\":\"b\"}]",                          1, -1, "a" },
        {"nothing where nothing is said", "[]",                                                           0, 0,  NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct remote_error back[4];
        struct buf refused = REFUSAL_BUF;
        char json[256];
        struct remote_batch batch = {.json = json};

        print_message("  %s\n", cases[i].name);
        (void)snprintf(json, sizeof(json), "{\"id\":\"b\",\"errors\":{\"data\":%s}}",
                       cases[i].errors);
        batch.json_len = strlen(json);
        refusal_of_batch(&batch, &refused);
        assert_int_equal(read_back(&refused, back, 4), cases[i].count);
        if (cases[i].count > 0) {
            assert_int_equal(back[0].line, cases[i].line);
            assert_string_equal(back[0].code, cases[i].code);
        }
        buf_release(&refused);
    }
}

static void too_many_lines_are_cut_and_can_still_be_read(void **state)
{
    static struct remote_error back[REFUSAL_LINES_MAX];
    struct buf json = BUF_INIT(8u << 20);
    struct buf refused = REFUSAL_BUF;
    struct remote_batch batch = {0};

    (void)state;
    assert_true(buf_printf(&json, "{\"id\":\"b\",\"errors\":["));
    for (int i = 1; i <= 5000; i++)
        assert_true(buf_printf(&json, "%s{\"code\":\"c\",\"message\":\"%0200d\",\"line\":%d}",
                               i == 1 ? "" : ",", i, i));
    assert_true(buf_printf(&json, "]}"));
    batch.json = json.data;
    batch.json_len = json.len;
    refusal_of_batch(&batch, &refused);
    assert_true(refused.len <= REFUSAL_MAX_BYTES);
    size_t count = read_back(&refused, back, REFUSAL_LINES_MAX);
    assert_true(count > 1000 && count <= REFUSAL_LINES_MAX);
    assert_int_equal(back[count - 1].line, (int)count);
    buf_release(&refused);
    buf_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_line_is_kept_in_the_providers_words),
        cmocka_unit_test(without_a_code_the_class_is_one_and_without_a_line_all_are_meant),
        cmocka_unit_test(of_a_failed_batch),
        cmocka_unit_test(too_many_lines_are_cut_and_can_still_be_read),
    };
    return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
