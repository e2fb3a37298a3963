#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/provider_error.h"

/* An error body and what is read from it. Texts are the providers' own where they are known. */
/* clang-format off */
static const struct {
    const char *name;
    long status;
    const char *body;
    const char *code;
    const char *message;
    int64_t line;
    int64_t retry_after_ms;
} bodies[] = {
    {"OpenAI's error object", 429,
     "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":\"insufficient_quota\","
     "\"param\":null,\"code\":\"insufficient_quota\"}}",
     "insufficient_quota", "You exceeded your current quota", -1, -1},
    {"the type stands in for a code that is null", 400,
     "{\"error\":{\"message\":\"Invalid file format for Batch API. Must be .jsonl\","
     "\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}",
     "invalid_request_error", "Invalid file format for Batch API. Must be .jsonl", -1, -1},
    {"Zhipu's code of digits", 401, "{\"error\":{\"code\":\"1002\",\"message\":\"token\"}}", "1002",
     "token", -1, -1},
    {"a code that is a number", 500, "{\"error\":{\"code\":1234,\"message\":\"net\"}}", "1234",
     "net", -1, -1},
    {"code and message at the top with HTTP 200", 200, "{\"code\":\"1210\",\"message\":\"bad\"}",
     "1210", "bad", -1, -1},
    {"an error object with HTTP 200", 200, "{\"error\":{\"code\":\"1113\",\"message\":\"owed\"}}",
     "1113", "owed", -1, -1},
    {"a success has no error even with a code in it", 200,
     "{\"id\":\"batch_1\",\"code\":0,\"message\":\"ok\",\"error\":null}", "", "", -1, -1},
    {"so is a batch whose error is a text", 200, "{\"id\":\"b\",\"error\":\"broken\"}", "", "", -1, -1},
    {"but not an error object beside an id", 200, "{\"id\":\"b\",\"error\":{\"code\":\"1113\"}}", "1113", "",
     -1, -1},
    {"an error that is a text with HTTP 200", 200, "{\"error\":\"broken\"}", "", "broken", -1, -1},
    {"a listing is a success", 200, "{\"data\":[],\"code\":200,\"message\":\"ok\"}", "", "", -1,
     -1},
    {"an error that is a text is a message", 404, "{\"error\":\"no such batch\"}", "",
     "no such batch", -1, -1},
    {"with a message beside it, it is a code", 429,
     "{\"error\":\"too_many_requests\",\"message\":\"slow\",\"retry_after_seconds\":30}",
     "too_many_requests", "slow", -1, 30000},
    {"a negative wait is none", 429, "{\"retry_after_seconds\":-5}", "", "", -1, -1},
    {"a wait with a fraction", 429, "{\"retry_after_seconds\":0.25}", "", "", -1, 250},
    {"a wait that is a text", 429, "{\"retry_after_seconds\":\"7\"}", "", "", -1, 7000},
    {"a wait inside the error", 429, "{\"error\":{\"code\":\"c\",\"retry_after_seconds\":3}}", "c", "", -1, 3000},
    {"a wait of nonsense", 429, "{\"retry_after_seconds\":\"abc\"}", "", "", -1, -1},
    {"a wait of ages", 429, "{\"retry_after_seconds\":1e300}", "", "", -1, -1},
    {"plain text, white space made one", 400, "Malformed JSON\r\n  on line 17, byte 4\n", "",
     "Malformed JSON on line 17, byte 4", 17, -1},
    {"no line in another word", 400, "offline 3", "", "offline 3", -1, -1},
    {"a line in Chinese", 400,
     "{\"error\":{\"code\":\"1214\",\"message\":\"\xe7\xac\xac 3 \xe8\xa1\x8c\"}}", "1214",
     "\xe7\xac\xac 3 \xe8\xa1\x8c", 3, -1},
    {"a line as a member", 400, "{\"error\":{\"message\":\"m\",\"line\":9}}", "", "m", 9, -1},
    {"of a web page the title", 502,
     "\n<html><head><title>502 Bad Gateway</title></head><body>x</body></html>", "",
     "502 Bad Gateway", -1, -1},
    {"a web page without one says nothing", 502, "<html><body>oops</body></html>", "", "", -1, -1},
    {"FastAPI's detail", 404, "{\"detail\":\"Not Found\"}", "", "Not Found", -1, -1},
    {"nothing", 500, "", "", "", -1, -1},
    {"text with HTTP 200 is no error", 200, "OK", "", "", -1, -1},
    {"null", 500, "null", "", "null", -1, -1},
    {"members of other types", 400, "{\"error\":{\"code\":{},\"message\":[1]}}", "", "", -1, -1},
};
/* clang-format on */

static void error_bodies_are_read_in_any_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct provider_error_body out;

        print_message("  %s\n", bodies[i].name);
        provider_error_parse(bodies[i].status, bodies[i].body, strlen(bodies[i].body), &out);
        assert_string_equal(out.code, bodies[i].code);
        assert_string_equal(out.message, bodies[i].message);
        assert_int_equal(out.line, bodies[i].line);
        assert_int_equal(out.retry_after_ms, bodies[i].retry_after_ms);
    }
}

static void a_long_message_is_cut_between_characters(void **state)
{
    char body[1024];
    struct provider_error_body out;
    size_t len = 0;

    (void)state;
    body[len++] = 'a';
    for (; len < 901; len += 3)
        memcpy(body + len, "\xe8\xa1\x8c", 3);
    body[len] = '\0';
    provider_error_parse(500, body, len, &out);
    assert_int_equal(strlen(out.message), 253); /* 1 + 84 * 3; one more would need 257 */
}

#define ANSWER(op, status) PROVIDER_OP_##op, HTTP_ANSWERED, status

/* clang-format off */
static const struct {
    const char *name;
    enum provider_operation op;
    enum http_outcome outcome;
    long status;
    const char *code;
    const char *message;
    int64_t line;
    enum provider_class class;
} verdicts[] = {
    /* outcome */
    {"refused connection", PROVIDER_OP_CREATE, HTTP_NOT_SENT, 0, "", "", -1, PROVIDER_NOT_SENT},
    {"lost reply to a create", PROVIDER_OP_CREATE, HTTP_UNKNOWN, 0, "", "", -1, PROVIDER_AMBIGUOUS},
    {"half a reply to a create", PROVIDER_OP_CREATE, HTTP_UNKNOWN, 200, "", "", -1,
     PROVIDER_AMBIGUOUS},
    {"a refusal cut in its text", PROVIDER_OP_CREATE, HTTP_UNKNOWN, 401, "", "", -1, PROVIDER_AUTH},
    {"a gateway's error cut", PROVIDER_OP_CREATE, HTTP_UNKNOWN, 502, "", "", -1,
     PROVIDER_AMBIGUOUS},
    {"too large a reply to a create", PROVIDER_OP_CREATE, HTTP_ABORTED, 200, "", "", -1,
     PROVIDER_AMBIGUOUS},
    {"too large a listing", PROVIDER_OP_LIST, HTTP_ABORTED, 200, "", "", -1, PROVIDER_ABORTED},
    {"a file that cannot be read", PROVIDER_OP_UPLOAD, HTTP_ABORTED, 0, "", "", -1,
     PROVIDER_ABORTED},
    {"a download cut", PROVIDER_OP_CONTENT, HTTP_UNKNOWN, 206, "", "", -1, PROVIDER_TRUNCATED},
    {"a download that never began", PROVIDER_OP_CONTENT, HTTP_UNKNOWN, 0, "", "", -1,
     PROVIDER_AMBIGUOUS},
    /* success */
    {"200", ANSWER(CREATE, 200), "", "", -1, PROVIDER_NONE},
    {"201", ANSWER(UPLOAD, 201), "", "", -1, PROVIDER_NONE},
    {"202", ANSWER(CREATE, 202), "", "", -1, PROVIDER_NONE},
    {"deleting what is gone", ANSWER(FILE_DELETE, 404), "", "Cannot find file", -1, PROVIDER_NONE},
    /* what may have been carried out */
    {"408 to a create", ANSWER(CREATE, 408), "", "", -1, PROVIDER_AMBIGUOUS},
    {"409 to a create", ANSWER(CREATE, 409), "", "", -1, PROVIDER_AMBIGUOUS},
    {"500 to a create", ANSWER(CREATE, 500), "", "", -1, PROVIDER_AMBIGUOUS},
    {"a code in a 500 is no promise", ANSWER(CREATE, 500), "model_not_found", "", -1,
     PROVIDER_AMBIGUOUS},
    {"529 to a create", ANSWER(CREATE, 529), "", "", -1, PROVIDER_AMBIGUOUS},
    {"an unknown error in a 200 to a create", ANSWER(CREATE, 200), "9999", "?", -1,
     PROVIDER_AMBIGUOUS},
    {"Zhipu: network error", ANSWER(CREATE, 400), "1234", "", -1, PROVIDER_AMBIGUOUS},
    {"Zhipu: such a request exists", ANSWER(CREATE, 400), "1231", "", -1, PROVIDER_AMBIGUOUS},
    {"an unknown error in a 200 to a get", ANSWER(GET, 200), "9999", "?", -1, PROVIDER_UNKNOWN},
    {"503 to a get", ANSWER(GET, 503), "", "", -1, PROVIDER_AMBIGUOUS},
    /* slow down, or stop */
    {"429", ANSWER(GET, 429), "", "", -1, PROVIDER_RATE_LIMIT},
    {"429 with OpenAI's code", ANSWER(UPLOAD, 429), "rate_limit_exceeded", "", -1,
     PROVIDER_RATE_LIMIT},
    {"429 naming batches to a create", ANSWER(CREATE, 429), "rate_limit_exceeded",
     "Rate limit of 2000 batches per hour", -1, PROVIDER_QUOTA_CREATES},
    {"429 to a create", ANSWER(CREATE, 429), "", "", -1, PROVIDER_RATE_LIMIT},
    {"no money at OpenAI", ANSWER(CREATE, 429), "insufficient_quota", "", -1, PROVIDER_BILLING},
    {"402", ANSWER(CREATE, 402), "", "", -1, PROVIDER_BILLING},
    {"Zhipu: arrears come as 429", ANSWER(CREATE, 429), "1113", "", -1, PROVIDER_BILLING},
    {"Zhipu: arrears in a 200", ANSWER(CREATE, 200), "1113", "", -1, PROVIDER_BILLING},
    {"Zhipu: plan over", ANSWER(CREATE, 429), "1309", "", -1, PROVIDER_BILLING},
    {"Zhipu: daily quota", ANSWER(CREATE, 429), "1304", "", -1, PROVIDER_QUOTA_TIME},
    {"Zhipu: usage cap", ANSWER(CREATE, 429), "1308", "", -1, PROVIDER_QUOTA_TIME},
    {"Zhipu: concurrency", ANSWER(CREATE, 429), "1302", "", -1, PROVIDER_RATE_LIMIT},
    {"Azure refuses the create at once", ANSWER(CREATE, 400), "token_limit_exceeded", "", -1,
     PROVIDER_QUOTA_ENQUEUED},
    {"OpenAI says it in words", ANSWER(CREATE, 429), "",
     "Enqueued token limit reached for gpt-4o-mini. Please try again once some in_progress "
     "batches have been completed.",
     -1, PROVIDER_QUOTA_ENQUEUED},
    {"too many files", ANSWER(UPLOAD, 400), "", "The number of files exceeds the limit", -1,
     PROVIDER_QUOTA_FILES},
    /* who we are */
    {"401", ANSWER(MODELS, 401), "", "", -1, PROVIDER_AUTH},
    {"403", ANSWER(CREATE, 403), "", "", -1, PROVIDER_AUTH},
    {"403 on one file says nothing about the key", ANSWER(CONTENT, 403), "", "", -1, PROVIDER_REFUSED},
    {"Zhipu: 434", ANSWER(CREATE, 434), "", "", -1, PROVIDER_AUTH},
    {"Zhipu: bad token in a 200", ANSWER(GET, 200), "1001", "", -1, PROVIDER_AUTH},
    /* what it is about */
    {"no such batch", ANSWER(GET, 404), "", "No batch found", -1, PROVIDER_NOT_FOUND},
    {"no such input", ANSWER(CREATE, 400), "invalid_request", "Cannot find file file-1", -1,
     PROVIDER_NOT_FOUND},
    {"cancel what has ended", ANSWER(CANCEL, 409), "", "", -1, PROVIDER_CONFLICT_STATE},
    {"no such model", ANSWER(CREATE, 400), "model_not_found", "", -1, PROVIDER_MODEL_UNSUPPORTED},
    {"Zhipu: the model is not on the list", ANSWER(UPLOAD, 400), "1210",
     "\xe6\xa8\xa1\xe5\x9e\x8b\xe5\x90\x8d\xe7\xa7\xb0\xe9\x94\x99\xe8\xaf\xaf", -1,
     PROVIDER_MODEL_UNSUPPORTED},
    {"Zhipu: a custom_id is too short", ANSWER(UPLOAD, 400), "1214", "", -1, PROVIDER_INVALID_LINE},
    {"Zhipu: bad parameter of a create", ANSWER(CREATE, 400), "1214", "", -1, PROVIDER_REFUSED},
    {"Zhipu: too large", ANSWER(UPLOAD, 435), "", "", -1, PROVIDER_INVALID_FILE},
    {"413", ANSWER(UPLOAD, 413), "", "", -1, PROVIDER_INVALID_FILE},
    {"413 with a line", ANSWER(UPLOAD, 413), "", "", 4, PROVIDER_INVALID_FILE},
    {"not JSONL", ANSWER(UPLOAD, 400), "", "Must be .jsonl", -1, PROVIDER_INVALID_FILE},
    {"a line is named", ANSWER(UPLOAD, 400), "", "bad JSON on line 4", 4, PROVIDER_INVALID_LINE},
    {"refused content", ANSWER(UPLOAD, 400), "1301", "", -1, PROVIDER_CONTENT_POLICY},
    {"a wrong request", ANSWER(CREATE, 400), "missing_required_parameter", "", -1,
     PROVIDER_REFUSED},
    /* OpenAI, while it validates (answers quoted in ogx-ai/ogx) */
    {"bad JSON", ANSWER(VALIDATION, 400), "invalid_json_line",
     "This line is not parseable as valid JSON.", 3, PROVIDER_INVALID_LINE},
    {"no custom_id", ANSWER(VALIDATION, 400), "missing_required_parameter",
     "Missing required parameter: 'custom_id'.", 2, PROVIDER_INVALID_LINE},
    {"another URL", ANSWER(VALIDATION, 400), "invalid_url", "The URL provided for this request "
     "does not match the batch endpoint.", 1, PROVIDER_INVALID_LINE},
    {"an unknown model", ANSWER(VALIDATION, 400), "model_not_found",
     "The provided model 'x' is not supported by the Batch API.", 1, PROVIDER_MODEL_UNSUPPORTED},
    {"no model", ANSWER(VALIDATION, 400), "invalid_request", "Model parameter is required.", 1,
     PROVIDER_INVALID_LINE},
    {"stream", ANSWER(VALIDATION, 400), "streaming_unsupported", "Chat Completions: Streaming is "
     "not supported in the Batch API.", 1, PROVIDER_INVALID_LINE},
    {"no file", ANSWER(VALIDATION, 400), "invalid_request", "Cannot find file file-1, or "
     "organization org-1 does not have access to it.", -1, PROVIDER_NOT_FOUND},
    {"a duplicate", ANSWER(VALIDATION, 400), "duplicate_custom_id", "The custom_id for this "
     "request is a duplicate of another request.", 4, PROVIDER_INVALID_LINE},
    {"two models", ANSWER(VALIDATION, 400), "model_mismatch", "", -1, PROVIDER_INVALID_FILE},
    {"two models, as it was called", ANSWER(VALIDATION, 400), "mismatched_model", "", 2,
     PROVIDER_INVALID_FILE},
    {"empty", ANSWER(VALIDATION, 400), "empty_file", "", -1, PROVIDER_INVALID_FILE},
    {"too many requests in it", ANSWER(VALIDATION, 400), "too_many_tasks", "", -1,
     PROVIDER_INVALID_FILE},
    {"the queue is full", ANSWER(VALIDATION, 400), "token_limit_exceeded", "Enqueued token limit "
     "reached for gpt-4o-mini in organization org-1. Limit: 2,000,000 enqueued tokens.", -1,
     PROVIDER_QUOTA_ENQUEUED},
    {"what nobody knows", ANSWER(VALIDATION, 400), "odd", "", -1, PROVIDER_UNKNOWN},
    {"nothing at all", ANSWER(VALIDATION, 400), "", "", -1, PROVIDER_UNKNOWN},
    {"too large an upload", ANSWER(UPLOAD, 400), "invalid_request_error", "File is too large.", -1,
     PROVIDER_INVALID_FILE},
    {"a bad window", ANSWER(CREATE, 400), "invalid_value", "completion_window", -1,
     PROVIDER_REFUSED},
    {"metadata of another type", ANSWER(CREATE, 400), "invalid_type", "Invalid type for "
     "'metadata.tags': expected a string, but got an array instead.", -1, PROVIDER_REFUSED},
    {"cancelling a completed batch", ANSWER(CANCEL, 409), "invalid_request_error",
     "Cannot cancel a batch with status 'completed'.", -1, PROVIDER_CONFLICT_STATE},
    {"a hard limit", ANSWER(CREATE, 400), "billing_hard_limit_reached", "", -1, PROVIDER_BILLING},
    /* Azure (its Batch how-to) */
    {"Azure: another URL", ANSWER(VALIDATION, 400), "url_mismatch", "", 1, PROVIDER_INVALID_LINE},
    {"Azure: empty, as it was called", ANSWER(VALIDATION, 400), "empty_batch", "", -1,
     PROVIDER_INVALID_FILE},
    {"Azure: the blob was changed", ANSWER(VALIDATION, 400), "input_modified", "", -1,
     PROVIDER_INVALID_FILE},
    {"Azure: no right to the blob", ANSWER(VALIDATION, 400), "input_no_permissions", "", -1,
     PROVIDER_AUTH},
    {"Azure: a byte order mark", ANSWER(VALIDATION, 400), "", "Validation failed: A valid model "
     "deployment name couldn't be extracted from the input file.", -1, PROVIDER_INVALID_FILE},
    {"Azure: no such deployment", ANSWER(CREATE, 404), "DeploymentNotFound", "", -1,
     PROVIDER_MODEL_UNSUPPORTED},
    {"Azure: fail fast", ANSWER(CREATE, 400), "token_limit_exceeded", "The number of enqueued "
     "tokens has surpassed the configured limit of 30K for the deployment", -1,
     PROVIDER_QUOTA_ENQUEUED},
    /* Zhipu (BigModel, error codes) */
    {"1000", ANSWER(GET, 401), "1000", "", -1, PROVIDER_AUTH},
    {"1002", ANSWER(GET, 401), "1002", "", -1, PROVIDER_AUTH},
    {"1003", ANSWER(GET, 401), "1003", "", -1, PROVIDER_AUTH},
    {"1004", ANSWER(GET, 401), "1004", "", -1, PROVIDER_AUTH},
    {"1100", ANSWER(CREATE, 200), "1100", "", -1, PROVIDER_AMBIGUOUS},
    {"1110", ANSWER(CREATE, 429), "1110", "", -1, PROVIDER_AUTH},
    {"1111", ANSWER(CREATE, 429), "1111", "", -1, PROVIDER_AUTH},
    {"1112", ANSWER(CREATE, 429), "1112", "", -1, PROVIDER_AUTH},
    {"1120", ANSWER(CREATE, 429), "1120", "", -1, PROVIDER_AUTH},
    {"1121", ANSWER(CREATE, 429), "1121", "", -1, PROVIDER_AUTH},
    {"1200", ANSWER(CREATE, 400), "1200", "", -1, PROVIDER_AMBIGUOUS},
    {"1211", ANSWER(UPLOAD, 400), "1211", "", -1, PROVIDER_MODEL_UNSUPPORTED},
    {"1212", ANSWER(UPLOAD, 400), "1212", "", -1, PROVIDER_INVALID_LINE},
    {"1213", ANSWER(UPLOAD, 400), "1213", "", -1, PROVIDER_INVALID_LINE},
    {"1215", ANSWER(UPLOAD, 200), "1215", "", -1, PROVIDER_INVALID_LINE},
    {"1213 to a create, inside a 200", ANSWER(CREATE, 200), "1213", "", -1, PROVIDER_REFUSED},
    {"1214 to a create, inside a 200", ANSWER(CREATE, 200), "1214", "", -1, PROVIDER_REFUSED},
    {"1220", ANSWER(CREATE, 403), "1220", "", -1, PROVIDER_AUTH},
    {"1221", ANSWER(CREATE, 400), "1221", "", -1, PROVIDER_REFUSED},
    {"1222", ANSWER(CREATE, 200), "1222", "", -1, PROVIDER_REFUSED},
    {"1230", ANSWER(CREATE, 400), "1230", "", -1, PROVIDER_AMBIGUOUS},
    {"1261", ANSWER(UPLOAD, 400), "1261", "", -1, PROVIDER_INVALID_LINE},
    {"1300", ANSWER(UPLOAD, 400), "1300", "", -1, PROVIDER_CONTENT_POLICY},
    {"1303", ANSWER(UPLOAD, 429), "1303", "", -1, PROVIDER_RATE_LIMIT},
    {"no such batch says 1214 as well", ANSWER(GET, 404), "1214", "No batch found", -1,
     PROVIDER_NOT_FOUND},
    {"so does too large a file", ANSWER(UPLOAD, 435), "1214", "File is too large.", -1,
     PROVIDER_INVALID_FILE},
    {"uploads too frequent", ANSWER(UPLOAD, 429), "", "\xe4\xb8\x8a\xe4\xbc\xa0\xe6\x96\x87"
     "\xe4\xbb\xb6\xe9\xa2\x91\xe7\x8e\x87\xe8\xbf\x87\xe5\xbf\xab", -1, PROVIDER_RATE_LIMIT},
    /* DashScope (Model Studio, error codes) */
    {"DashScope: throttled", ANSWER(CREATE, 429), "Throttling.RateQuota", "", -1,
     PROVIDER_RATE_LIMIT},
    {"DashScope: throttled, not as 429", ANSWER(GET, 400), "Throttling", "", -1,
     PROVIDER_RATE_LIMIT},
    {"DashScope: arrears", ANSWER(CREATE, 400), "Arrearage", "", -1, PROVIDER_BILLING},
    {"DashScope: the key", ANSWER(CREATE, 401), "InvalidApiKey", "", -1, PROVIDER_AUTH},
    {"DashScope: the file", ANSWER(CREATE, 400), "InvalidFile", "", -1, PROVIDER_INVALID_FILE},
    {"DashScope: a parameter", ANSWER(CREATE, 400), "InvalidParameter", "", -1, PROVIDER_REFUSED},
    {"DashScope: no batch", ANSWER(GET, 404), "BatchNotFound", "", -1, PROVIDER_NOT_FOUND},
    {"DashScope: it has ended", ANSWER(CANCEL, 409), "InvalidState", "", -1,
     PROVIDER_CONFLICT_STATE},
    {"DashScope: it has ended, not as 409", ANSWER(CANCEL, 400), "InvalidState", "", -1,
     PROVIDER_CONFLICT_STATE},
    {"DashScope: another URL", ANSWER(VALIDATION, 400), "mismatched_url", "", 1,
     PROVIDER_INVALID_LINE},
    {"DashScope: content", ANSWER(UPLOAD, 400), "DataInspectionFailed", "", -1,
     PROVIDER_CONTENT_POLICY},
    /* Groq (groq/groq-python) */
    {"Groq: a method", ANSWER(VALIDATION, 400), "invalid_method",
     "Invalid value: 'GET'. Supported values are: 'POST'", 4, PROVIDER_INVALID_LINE},
    {"Groq: over its plan", ANSWER(CREATE, 403), "not_available_for_plan", "", -1, PROVIDER_AUTH},
    /* Doubleword (doublewordai/control-layer) */
    {"Doubleword: a line", ANSWER(UPLOAD, 400), "", "Invalid JSON on line 5, byte offset 17", 5,
     PROVIDER_INVALID_LINE},
    {"Doubleword: no right to the model", ANSWER(UPLOAD, 403), "", "Model 'x' is not accessible", -1,
     PROVIDER_MODEL_UNSUPPORTED},
    {"Doubleword: too large", ANSWER(UPLOAD, 413), "", "Payload too large", -1,
     PROVIDER_INVALID_FILE},
    {"Doubleword: no JSONL", ANSWER(UPLOAD, 422), "", "Unprocessable", -1, PROVIDER_INVALID_FILE},
    {"Doubleword: uploads at once", ANSWER(UPLOAD, 429), "too_many_requests", "Too many "
     "concurrent uploads", -1, PROVIDER_RATE_LIMIT},
    {"Doubleword: closed", ANSWER(UPLOAD, 503), "", "Service unavailable", -1, PROVIDER_AMBIGUOUS},
    {"Doubleword: no credits", ANSWER(CREATE, 402), "", "Account balance too low", -1,
     PROVIDER_BILLING},
    {"Doubleword: no file", ANSWER(CREATE, 404), "", "File not found", -1, PROVIDER_NOT_FOUND},
    {"Doubleword: capacity", ANSWER(CREATE, 429), "too_many_requests", "Insufficient capacity", -1,
     PROVIDER_RATE_LIMIT},
    {"418", ANSWER(GET, 418), "", "", -1, PROVIDER_REFUSED},
    {"a redirect of a create", ANSWER(CREATE, 307), "", "", -1, PROVIDER_REFUSED},
    {"no status that exists", ANSWER(GET, 999), "", "", -1, PROVIDER_UNKNOWN},
};
/* clang-format on */

static void answers_become_classes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        print_message("  %s\n", verdicts[i].name);
        assert_string_equal(provider_class_name(provider_classify(
                                verdicts[i].op, verdicts[i].outcome, verdicts[i].status,
                                verdicts[i].code, verdicts[i].message, verdicts[i].line)),
                            provider_class_name(verdicts[i].class));
    }
}

/* The rule that money hangs on: only a clear no may lead to a second create. */
static void nothing_unclear_about_a_create_is_taken_for_a_refusal(void **state)
{
    static const long unclear[] = {0, 100, 200, 201, 299, 500, 502, 503, 504, 529, 599};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unclear); i++) {
        enum provider_class class = provider_classify(PROVIDER_OP_CREATE, HTTP_UNKNOWN, unclear[i],
                                                      "insufficient_quota", "batches", 1);

        assert_int_equal(class, PROVIDER_AMBIGUOUS);
    }
}

static void every_class_and_operation_has_its_own_name(void **state)
{
    (void)state;
    for (int a = 0; a <= PROVIDER_UNKNOWN; a++) {
        assert_string_not_equal(provider_class_name((enum provider_class)a), "?");
        for (int b = 0; b < a; b++)
            assert_string_not_equal(provider_class_name((enum provider_class)a),
                                    provider_class_name((enum provider_class)b));
    }
    for (int a = 0; a <= PROVIDER_OP_VALIDATION; a++)
        assert_string_not_equal(provider_operation_name((enum provider_operation)a), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_bodies_are_read_in_any_shape),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(answers_become_classes),
        cmocka_unit_test(nothing_unclear_about_a_create_is_taken_for_a_refusal),
        cmocka_unit_test(every_class_and_operation_has_its_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
