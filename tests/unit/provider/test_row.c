#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/row.h"

/* What one result line says, and what became of its request. */
/* clang-format off */
static const struct {
    const char *name;
    int64_t status;
    const char *code, *message;
    bool has_error;
    enum row_class class;
} rows[] = {
    {"a result", 200, "", "", false, ROW_OK},
    {"a result in 201", 201, "", "", false, ROW_OK},
    {"an error in a 200", 200, "", "", true, ROW_UNKNOWN},
    {"a refusal in a 200", 200, "content_filter", "", true, ROW_CONTENT_POLICY},
    {"the window ended", -1, "batch_expired", "This request could not be executed before the "
     "completion window expired.", true, ROW_EXPIRED},
    {"cancelled", -1, "batch_cancelled", "", true, ROW_CANCELLED},
    {"canceled", -1, "batch_canceled", "", true, ROW_CANCELLED},
    {"timed out", -1, "request_timeout", "", true, ROW_TIMEOUT},
    {"timed out, as a status", 408, "", "", true, ROW_TIMEOUT},
    {"a code wins over the status", 500, "batch_expired", "", true, ROW_EXPIRED},
    {"busy", 429, "", "", true, ROW_RATE},
    {"busy, with its code", 429, "rate_limit_exceeded", "", true, ROW_RATE},
    {"busy, DashScope", 429, "Throttling.AllocationQuota", "", true, ROW_RATE},
    {"busy, Zhipu", 200, "1302", "", true, ROW_RATE},
    {"busy, Zhipu", 429, "1303", "", true, ROW_RATE},
    {"429 for money", 429, "insufficient_quota", "", true, ROW_QUOTA},
    {"arrears, Zhipu", 429, "1113", "", true, ROW_QUOTA},
    {"a day's quota, Zhipu", 429, "1304", "", true, ROW_QUOTA},
    {"a plan, Zhipu", 429, "1309", "", true, ROW_QUOTA},
    {"arrears, DashScope", 400, "Arrearage", "", true, ROW_QUOTA},
    {"402", 402, "", "", true, ROW_QUOTA},
    {"500", 500, "server_error", "", true, ROW_SERVER},
    {"503", 503, "", "", true, ROW_SERVER},
    {"529", 529, "", "", true, ROW_SERVER},
    {"status 0", 0, "", "", true, ROW_SERVER},
    {"status 0 without an error", 0, "", "", false, ROW_SERVER},
    {"an error of the server without a status", -1, "InternalError", "", true, ROW_SERVER},
    {"a conflict", 409, "", "", true, ROW_SERVER},
    {"network, Zhipu", 400, "1234", "", true, ROW_SERVER},
    {"401", 401, "", "", true, ROW_AUTH},
    {"403", 403, "", "", true, ROW_AUTH},
    {"the key, Zhipu", 200, "1002", "", true, ROW_AUTH},
    {"no such model", 404, "model_not_found", "", true, ROW_MODEL},
    {"no such model, Zhipu", 400, "1211", "", true, ROW_MODEL},
    {"no such model, Zhipu, at upload", -1, "1210",
     "\xe6\xa8\xa1\xe5\x9e\x8b\xe5\x90\x8d\xe7\xa7\xb0\xe9\x94\x99\xe8\xaf\xaf", true, ROW_MODEL},
    {"another wrong parameter, Zhipu", 400, "1210", "wrong", true, ROW_BAD},
    {"no such deployment, Azure", 404, "DeploymentNotFound", "", true, ROW_MODEL},
    {"content, OpenAI", 400, "content_policy_violation", "", true, ROW_CONTENT_POLICY},
    {"content, Zhipu", 400, "1301", "", true, ROW_CONTENT_POLICY},
    {"content, Zhipu", 400, "1300", "", true, ROW_CONTENT_POLICY},
    {"content, DashScope", 400, "DataInspectionFailed", "", true, ROW_CONTENT_POLICY},
    {"content, in lower case", 400, "data_inspection_failed", "", true, ROW_CONTENT_POLICY},
    {"content, Azure in words", 400, "invalid_request_error", "The response was filtered due to "
     "the prompt triggering Azure OpenAI's content management policy.", true, ROW_CONTENT_POLICY},
    {"too long", 400, "context_length_exceeded", "", true, ROW_TOO_LONG},
    {"too long, Zhipu", 400, "1261", "", true, ROW_TOO_LONG},
    {"too long, in words", 400, "invalid_request_error", "This model's maximum context length is "
     "8192 tokens.", true, ROW_TOO_LONG},
    {"too long, DashScope", 400, "InvalidParameter", "Range of input length should be [1, 30720]",
     true, ROW_TOO_LONG},
    {"a context length in a 500 is the server's", 500, "", "maximum context length", true, ROW_SERVER},
    {"wrong", 400, "invalid_value", "", true, ROW_BAD},
    {"wrong, Zhipu", 400, "1214", "", true, ROW_BAD},
    {"no such path", 404, "", "", true, ROW_BAD},
    {"too large", 413, "", "", true, ROW_BAD},
    {"422", 422, "", "", true, ROW_BAD},
    {"a code that nobody knows, without a status", -1, "odd", "", true, ROW_UNKNOWN},
    {"nothing at all", -1, "", "", false, ROW_UNKNOWN},
    {"a redirect", 302, "", "", false, ROW_UNKNOWN},
};
/* clang-format on */

static void every_line_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("  %s\n", rows[i].name);
        assert_string_equal(row_class_name(provider_row_classify(
                                rows[i].status, rows[i].code, rows[i].message, rows[i].has_error)),
                            row_class_name(rows[i].class));
    }
}

/* A result that was paid for is never thrown away, whatever its status line. */
static void only_a_2xx_without_an_error_is_a_result(void **state)
{
    (void)state;
    for (int64_t status = -1; status < 700; status++) {
        bool ok = status >= 200 && status <= 299;

        assert_int_equal(provider_row_classify(status, "", "", false) == ROW_OK, ok);
        assert_int_not_equal(provider_row_classify(status, "", "", true), ROW_OK);
    }
}

static void every_class_has_its_own_name_and_is_reached(void **state)
{
    (void)state;
    for (int a = 0; a < ROW_CLASSES; a++) {
        bool reached = false;

        assert_string_not_equal(row_class_name((enum row_class)a), "?");
        for (int b = 0; b < a; b++)
            assert_string_not_equal(row_class_name((enum row_class)a),
                                    row_class_name((enum row_class)b));
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            reached = reached || rows[i].class == (enum row_class)a;
        assert_true(reached);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_has_its_class),
        cmocka_unit_test(only_a_2xx_without_an_error_is_a_result),
        cmocka_unit_test(every_class_has_its_own_name_and_is_reached),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
