/*
 * Any bytes as a text: no crash, a cut text has at most the tokens asked for and ends between
 * characters. Any JSON as a body; a JSON string takes what it takes decoded.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/tokens/tokens.h"

static void check_text(enum tokens_family family, const char *text, size_t len)
{
    uint64_t all = tokens_of_text(family, text, len);
    size_t cut = tokens_cut(family, text, len, all / 2);

    FUZZ_CHECK(len > 0 || all == 0);
    FUZZ_CHECK(tokens_of_text(family, text, cut) <= all / 2);
    FUZZ_CHECK(tokens_cut(family, text, len, all) == len);
}

static void check_string(enum tokens_family family, const struct json_value *value)
{
    char *text = malloc(value->len + 1), *body = malloc(value->len + 16);
    struct json_value parsed;
    struct tokens_estimate estimate;
    size_t len = 0;

    FUZZ_CHECK(text != NULL && body != NULL);
    FUZZ_CHECK(json_string_decode(value, text, value->len + 1, &len));
    int size = snprintf(body, value->len + 16, "{\"prompt\":%.*s}", (int)value->len, value->text);
    FUZZ_CHECK(json_scan(body, (size_t)size, &parsed, NULL));
    FUZZ_CHECK(tokens_of_body(family, &parsed, &estimate));
    FUZZ_CHECK(estimate.input == tokens_of_text(family, text, len));
    free(text);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct json_value value;
    struct tokens_estimate estimate;

    for (enum tokens_family f = TOKENS_O200K; f <= TOKENS_GLM; f++)
        check_text(f, text, size);
    if (!json_scan(text, size, &value, NULL))
        return 0;
    FUZZ_CHECK(tokens_of_body(TOKENS_QWEN3, &value, &estimate) == (value.kind == JSON_OBJECT));
    if (value.kind == JSON_STRING)
        check_string(TOKENS_DEEPSEEK3, &value);
    return 0;
}
