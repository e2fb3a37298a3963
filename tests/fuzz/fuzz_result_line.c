/* A provider's line, whatever it holds: taken when it is one JSON object, and only then. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/json/result_line.h"

static void check_slice(struct slice s, const char *text, size_t size)
{
    struct json_value root;

    if (s.len == 0)
        return;
    FUZZ_CHECK(s.p >= text && s.p + s.len <= text + size);
    FUZZ_CHECK(json_scan(s.p, s.len, &root, NULL));
    FUZZ_CHECK(root.len == s.len && root.kind != JSON_NULL);
}

static void check_value(const struct json_value *value, const char *text, size_t size)
{
    struct json_value root;

    if (value->kind == JSON_ABSENT)
        return;
    FUZZ_CHECK(value->text >= text && value->text + value->len <= text + size);
    FUZZ_CHECK(json_scan(value->text, value->len, &root, NULL));
    FUZZ_CHECK(root.len == value->len && root.kind == value->kind);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct result_line r;
    struct json_value root;
    bool object = json_scan(text, size, &root, NULL) && root.kind == JSON_OBJECT;

    FUZZ_CHECK(result_line_parse(text, size, &r, NULL) == object);
    if (!object)
        return 0;
    check_slice(r.id, text, size);
    check_slice(r.response, text, size);
    check_slice(r.error, text, size);
    check_value(&r.body, text, size);
    check_value(&r.choices, text, size);
    FUZZ_CHECK(strnlen(r.custom_id, sizeof(r.custom_id)) < sizeof(r.custom_id));
    FUZZ_CHECK(strnlen(r.code, sizeof(r.code)) < sizeof(r.code));
    FUZZ_CHECK(strnlen(r.message, sizeof(r.message)) < sizeof(r.message));
    FUZZ_CHECK(r.status_code >= -1 && r.prompt_tokens >= -1 && r.completion_tokens >= -1);
    FUZZ_CHECK(r.cached_tokens >= -1 && r.reasoning_tokens >= -1);
    return 0;
}
