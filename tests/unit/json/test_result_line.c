#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/json/result_line.h"

static const struct {
    const char *name;
    const char *text;
    const char *custom_id;
    const char *id, *response, *error; /* raw; "" is absent or null */
    int64_t status_code;
    bool body_has_error;
    const char *code, *message;
    int64_t prompt, completion, cached, reasoning;
} cases[] = {
    {"a chat completion",
     "{\"id\":\"batch_req_1\",\"custom_id\":\"r-2\",\"response\":{\"status_code\":200,"
     "\"request_id\":\"q\",\"body\":{\"choices\":[{\"message\":{\"content\":\"\\\"error\\\":1\"}}],"
     "\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":15,\"total_tokens\":39,"
     "\"prompt_tokens_details\":{\"cached_tokens\":7},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":3}}}},\"error\":null}",                                            "r-2", "\"batch_req_1\"",
     "{\"status_code\":200,"
     "\"request_id\":\"q\",\"body\":{\"choices\":[{\"message\":{\"content\":\"\\\"error\\\":1\"}}],"
     "\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":15,\"total_tokens\":39,"
     "\"prompt_tokens_details\":{\"cached_tokens\":7},"
     "\"completion_tokens_details\":{\"reasoning_tokens\":3}}}}",                                                                                                                                                                      "",                                                                   200, false, "",              "",                      24, 15, 7,  3 },
    {"members in another order, without id and error",
     "{\"response\":{\"body\":{\"usage\":{\"completion_tokens\":1,\"prompt_tokens\":2}},"
     "\"status_code\":200},\"custom_id\":\"x\"}",                                                                            "x",   "",
     "{\"body\":{\"usage\":{\"completion_tokens\":1,\"prompt_tokens\":2}},\"status_code\":200}",                                                                                                                                       "",
     200,                                                                                                                                                                                                                                                                                                         false, "",              "",                      2,  1,  -1, -1},
    {"the Responses API",
     "{\"custom_id\":\"x\",\"response\":{\"status_code\":200,\"body\":{\"error\":null,\"usage\":{"
     "\"input_tokens\":5,\"output_tokens\":6,\"input_tokens_details\":{\"cached_tokens\":4},"
     "\"output_tokens_details\":{\"reasoning_tokens\":2}}}}}",                                                               "x",   "",
     "{\"status_code\":200,\"body\":{\"error\":null,\"usage\":{"
     "\"input_tokens\":5,\"output_tokens\":6,\"input_tokens_details\":{\"cached_tokens\":4},"
     "\"output_tokens_details\":{\"reasoning_tokens\":2}}}}",                                                                                                                                                                          "",                                                                   200, false, "",              "",                      5,  6,  4,  2 },
    {"an expired request",
     "{\"id\":\"b\",\"custom_id\":\"r-3\",\"response\":null,\"error\":{\"code\":\"batch_expired\","
     "\"message\":\"could not be executed\"}}",                                                                              "r-3", "\"b\"",           "",                                                                             "{\"code\":\"batch_expired\",\"message\":\"could not be executed\"}", -1,
     false,                                                                                                                                                                                                                                                                                                              "batch_expired", "could not be executed", -1, -1, -1, -1},
    {"an error in the body",
     "{\"custom_id\":\"x\",\"response\":{\"status_code\":400,\"body\":{\"error\":{\"message\":"
     "\"bad\",\"type\":\"invalid_request_error\",\"code\":\"too_long\"}}},\"error\":null}",                                  "x",   "",
     "{\"status_code\":400,\"body\":{\"error\":{\"message\":"
     "\"bad\",\"type\":\"invalid_request_error\",\"code\":\"too_long\"}}}",                                                                                                                                                            "",                                                                   400, true,  "too_long",      "bad",                   -1, -1, -1, -1},
    {"an error in the body that has only a type",
     "{\"response\":{\"status_code\":400,\"body\":{\"error\":{\"type\":\"t\",\"code\":null}}}}",                             "",
     "",                                                                                                                                               "{\"status_code\":400,\"body\":{\"error\":{\"type\":\"t\",\"code\":null}}}",    "",                                                                   400, true,
     "t",                                                                                                                                                                                                                                                                                                                                 "",                      -1, -1, -1, -1},
    {"a code that is a number",
     "{\"response\":{\"status_code\":200,\"body\":{\"error\":{\"code\":1214,\"message\":\"m\"}}}}",                          "",    "",                "{\"status_code\":200,\"body\":{\"error\":{\"code\":1214,\"message\":\"m\"}}}", "",
     200,                                                                                                                                                                                                                                                                                                         true,  "1214",          "m",                     -1, -1, -1, -1},
    {"a code of digits",                               "{\"error\":{\"code\":\"1301\"}}",                                    "",    "",                "",                                                                             "{\"code\":\"1301\"}",                                                -1,
     false,                                                                                                                                                                                                                                                                                                              "1301",          "",                      -1, -1, -1, -1},
    {"the line's own error comes before the body's",
     "{\"response\":{\"body\":{\"error\":{\"code\":\"b\",\"message\":\"bm\"}}},\"error\":{\"code\":"
     "\"a\"}}",                                                                                                              "",    "",                "{\"body\":{\"error\":{\"code\":\"b\",\"message\":\"bm\"}}}",                   "{\"code\":\"a\"}",                                                   -1,
     true,                                                                                                                                                                                                                                                                                                               "a",             "bm",                    -1, -1, -1, -1},
    {"an error that is a string",                      "{\"error\":\"something\"}",                                          "",    "",                "",                                                                             "\"something\"",                                                      -1,
     false,                                                                                                                                                                                                                                                                                                              "",              "something",             -1, -1, -1, -1},
    {"an error in the body that is a string",
     "{\"response\":{\"status_code\":500,\"body\":{\"error\":\"oops\"}}}",                                                   "",    "",
     "{\"status_code\":500,\"body\":{\"error\":\"oops\"}}",                                                                                                                                                                            "",                                                                   500, true,  "",              "oops",                  -1, -1, -1,
     -1                                                                                                                                                                                                                                                                                                                                                                          },
    {"status code 0",                                  "{\"custom_id\":\"x\",\"response\":{\"status_code\":0,\"body\":{}}}", "x",   "",
     "{\"status_code\":0,\"body\":{}}",                                                                                                                                                                                                "",                                                                   0,   false, "",              "",                      -1, -1, -1, -1},
    {"a body that is a string",
     "{\"custom_id\":\"x\",\"response\":{\"status_code\":502,\"body\":\"{\\\"error\\\":1}\"}}",                              "x",
     "",                                                                                                                                               "{\"status_code\":502,\"body\":\"{\\\"error\\\":1}\"}",                         "",                                                                   502, false, "",              "",                      -1, -1, -1,
     -1                                                                                                                                                                                                                                                                                                                                                                          },
    {"numbers that are no counts",
     "{\"response\":{\"status_code\":\"200\",\"body\":{\"usage\":{\"prompt_tokens\":1.5,"
     "\"completion_tokens\":-3,\"prompt_tokens_details\":null,\"completion_tokens_details\":[1]}}}"
     "}",                                                                                                                    "",    "",
     "{\"status_code\":\"200\",\"body\":{\"usage\":{\"prompt_tokens\":1.5,"
     "\"completion_tokens\":-3,\"prompt_tokens_details\":null,\"completion_tokens_details\":[1]}}}",                                                                                                                                   "",                                                                   -1,  false, "",              "",                      -1, -1, -1, -1},
    {"nulls everywhere",
     "{\"id\":null,\"custom_id\":null,\"response\":null,\"error\":null,\"x\":null}",                                         "",    "",                "",                                                                             "",
     -1,                                                                                                                                                                                                                                                                                                          false, "",              "",                      -1, -1, -1, -1},
    {"values of other types",                          "{\"id\":1,\"custom_id\":2,\"response\":[3],\"error\":false}",        "",
     "1",                                                                                                                                              "[3]",                                                                          "false",                                                              -1,  false, "",              "",                      -1, -1, -1, -1},
    {"nothing",                                        "{}",                                                                 "",    "",                "",                                                                             "",                                                                   -1,  false, "",              "",                      -1, -1, -1, -1},
    {"an escaped custom_id",                           "{\"custom_id\":\"\\u0061\\/b\"}",                                    "a/b", "",                "",                                                                             "",                                                                   -1,  false, "",
     "",                                                                                                                                                                                                                                                                                                                                                           -1, -1, -1, -1},
    {"a custom_id with NUL",                           "{\"custom_id\":\"a\\u0000b\"}",                                      "",    "",                "",                                                                             "",                                                                   -1,  false, "",              "",                      -1,
     -1,                                                                                                                                                                                                                                                                                                                                                                   -1, -1},
    {"space and a carriage return",                    " { \"custom_id\" : \"x\" } \r",                                      "x",   "",                "",                                                                             "",                                                                   -1,  false, "",
     "",                                                                                                                                                                                                                                                                                                                                                           -1, -1, -1, -1},
};

static void assert_slice(struct slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    if (got.len > 0)
        assert_memory_equal(got.p, want, got.len);
}

static void every_shape_of_line_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct result_line r;

        print_message("  %s\n", cases[i].name);
        assert_true(result_line_parse(cases[i].text, strlen(cases[i].text), &r, NULL));
        assert_string_equal(r.custom_id, cases[i].custom_id);
        assert_slice(r.id, cases[i].id);
        assert_slice(r.response, cases[i].response);
        assert_slice(r.error, cases[i].error);
        assert_int_equal(r.status_code, cases[i].status_code);
        assert_int_equal(r.body_has_error, cases[i].body_has_error);
        assert_string_equal(r.code, cases[i].code);
        assert_string_equal(r.message, cases[i].message);
        assert_int_equal(r.prompt_tokens, cases[i].prompt);
        assert_int_equal(r.completion_tokens, cases[i].completion);
        assert_int_equal(r.cached_tokens, cases[i].cached);
        assert_int_equal(r.reasoning_tokens, cases[i].reasoning);
    }
}

static void only_an_object_is_a_result_line(void **state)
{
    static const char *const texts[] = {"", "[]", "null", "{\"id\":", "{} {}", "{\"id\":\"\xFF\"}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct result_line r = {.status_code = 4711};
        struct json_error error = {0};

        print_message("  %s\n", texts[i]);
        assert_false(result_line_parse(texts[i], strlen(texts[i]), &r, &error));
        assert_non_null(error.what);
        assert_int_equal(r.status_code, 4711);
    }
}

static void long_texts_are_cut_and_a_long_id_is_not_taken(void **state)
{
    char text[2048];
    char xs[600];
    struct result_line r;

    (void)state;
    memset(xs, 'x', sizeof(xs));
    for (int len = 63; len <= 66; len++) {
        (void)snprintf(
            text, sizeof(text),
            "{\"custom_id\":\"%.*s\",\"error\":{\"code\":\"%.*s\",\"message\":\"%.*s\"}}", len, xs,
            len, xs, 600, xs);
        assert_true(result_line_parse(text, strlen(text), &r, NULL));
        assert_int_equal(strlen(r.custom_id), len <= 64 ? len : 0);
        assert_int_equal(strlen(r.code), 63);
        assert_int_equal(strlen(r.message), 255);
    }
    (void)snprintf(text, sizeof(text), "{\"error\":{\"code\":1%0100d}}", 0);
    assert_true(result_line_parse(text, strlen(text), &r, NULL));
    assert_int_equal(strlen(r.code), 63);
}

static void the_body_and_its_choices_are_handed_out(void **state)
{
    static const struct {
        const char *text, *body, *choices; /* "" is absent */
    } bodies[] = {
        {"{\"response\":{\"body\":{\"choices\":[1],\"usage\":{}}}}",
         "{\"choices\":[1],\"usage\":{}}",                                                                       "[1]" },
        {"{\"response\":{\"body\":{\"choices\":null}}}",                            "{\"choices\":null}",        "null"},
        {"{\"response\":{\"body\":\"{\\\"choices\\\":[1]}\"}}",                     "\"{\\\"choices\\\":[1]}\"", ""    },
        {"{\"response\":{\"body\":null}}",                                          "null",                      ""    },
        {"{\"response\":{\"choices\":[1]}}",                                        "",                          ""    },
        {"{\"response\":[{\"body\":{}}],\"body\":{\"choices\":[]},\"choices\":[]}", "",                          ""    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct result_line r;

        print_message("  %s\n", bodies[i].text);
        assert_true(result_line_parse(bodies[i].text, strlen(bodies[i].text), &r, NULL));
        assert_int_equal(r.body.kind == JSON_ABSENT, bodies[i].body[0] == '\0');
        assert_int_equal(r.choices.kind == JSON_ABSENT, bodies[i].choices[0] == '\0');
        assert_slice((struct slice){r.body.text, r.body.len}, bodies[i].body);
        assert_slice((struct slice){r.choices.text, r.choices.len}, bodies[i].choices);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_of_line_is_understood),
        cmocka_unit_test(the_body_and_its_choices_are_handed_out),
        cmocka_unit_test(only_an_object_is_a_result_line),
        cmocka_unit_test(long_texts_are_cut_and_a_long_id_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
