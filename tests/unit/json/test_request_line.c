#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/request_line.h"

#define BODY "\"body\":{\"model\":\"m\"}"

static const struct {
    const char *text;
    const char *preset;
    const char *custom_id;
    const char *url;
    const char *body;
    const char *model;
    bool has_model;
} good[] = {
    {"{\"custom_id\":\"r-1\",\"method\":\"POST\",\"url\":\"/v1/embeddings\"," BODY "}", NULL,
     "\"r-1\"",                                                                                                     "/v1/embeddings",   "{\"model\":\"m\"}",                             "m",            true },
    {"{" BODY ",\"url\":\"/x\",\"custom_id\":\"\"}",                                    NULL,    "\"\"",            "/x",               "{\"model\":\"m\"}",                             "m",
     true                                                                                                                                                                                                     },
    {"{" BODY "}",                                                                      NULL,    "",                REQUEST_URL_PRESET, "{\"model\":\"m\"}",                             "m",            true },
    {"{" BODY "}",                                                                      "other", "",                REQUEST_URL_PRESET, "{\"model\":\"m\"}",                             "m",            true },
    {"{\"body\":{}}",                                                                   "glm-4", "",                REQUEST_URL_PRESET, "{}",                                            "glm-4",        false},
    {"{\"body\":{\"x\":{\"model\":\"inner\"}}}",                                        "outer", "",                REQUEST_URL_PRESET,
     "{\"x\":{\"model\":\"inner\"}}",                                                                                                                                                    "outer",        false},
    {"{\"custom_id\":7," BODY "}",                                                      NULL,    "",                REQUEST_URL_PRESET, "{\"model\":\"m\"}",                             "m",            true },
    {"{\"custom_id\":null," BODY "}",                                                   NULL,    "",                REQUEST_URL_PRESET, "{\"model\":\"m\"}",                             "m",            true },
    {"{\"custom_id\":\"\\ud800\\\"\"," BODY "}",                                        NULL,    "\"\\ud800\\\"\"", REQUEST_URL_PRESET,
     "{\"model\":\"m\"}",                                                                                                                                                                "m",            true },
    {"{\"url\":\"\\/v1\\u002Fx\"," BODY "}",                                            NULL,    "",                "/v1/x",            "{\"model\":\"m\"}",                             "m",            true },
    {"{\"b\\u006fdy\":{ \"m\\u006fdel\" : \"\\u4f60\" } }",                             NULL,    "",                REQUEST_URL_PRESET,
     "{ \"m\\u006fdel\" : \"\\u4f60\" }",                                                                                                                                                "\xE4\xBD\xA0", true },
    {"{\"extra\":[1,{}]," BODY ",\"more\":null}",                                       NULL,    "",                REQUEST_URL_PRESET, "{\"model\":\"m\"}",
     "m",                                                                                                                                                                                                true },
    {"{\"body\":1," BODY "}",                                                           NULL,    "",                REQUEST_URL_PRESET, "{\"model\":\"m\"}",                             "m",            true },
    {" {\"body\" : {\"model\":\"a\",\"model\":\"b\",\"n\":1e400} } \r",                 NULL,    "",
     REQUEST_URL_PRESET,                                                                                                                "{\"model\":\"a\",\"model\":\"b\",\"n\":1e400}", "b",            true },
};

static const struct {
    const char *text;
    const char *preset;
    const char *custom_id;
    const char *why;
} bad[] = {
    {"",                                                         NULL,     "",         "not valid JSON at byte 1: expected a value"              },
    {"{\"custom_id\" \"x\"}",                                    NULL,     "",         "not valid JSON at byte 14: expected a colon"             },
    {"{\"custom_id\":\"x\"",                                     NULL,     "\"x\"",
     "not valid JSON at byte 17: expected a comma or a closing brace"                                                                            },
    {"{\"custom_id\":\"x\"," BODY "} {}",                        NULL,     "\"x\"",
     "not valid JSON at byte 40: text behind the value"                                                                                          },
    {"{\"custom_id\":\"torn\",\"body\":{\"mod",                  NULL,     "\"torn\"",
     "not valid JSON at byte 33: the text ends inside a string"                                                                                  },
    {"{\"a\":[1,{}],\"custom\\u005fid\":\"y\",!",                NULL,     "\"y\"",
     "not valid JSON at byte 34: expected a member name"                                                                                         },
    {"{\"custom_id\":\"x",                                       NULL,     "",         "not valid JSON at byte 16: the text ends inside a string"},
    {"{\"custom_id\":7,",                                        NULL,     "",         "not valid JSON at byte 16: expected a member name"       },
    {"{\"body\":{\"custom_id\":\"no\"",                          NULL,     "",
     "not valid JSON at byte 26: expected a comma or a closing brace"                                                                            },
    {"[{\"custom_id\":\"x\"",                                    NULL,     "",
     "not valid JSON at byte 18: expected a comma or a closing brace"                                                                            },
    {"[1]",                                                      NULL,     "",         "not a JSON object"                                       },
    {"\"x\"",                                                    NULL,     "",         "not a JSON object"                                       },
    {"{}",                                                       NULL,     "",         "no body"                                                 },
    {"{\"custom_id\":\"x\"}",                                    NULL,     "\"x\"",    "no body"                                                 },
    {"{\"custom_id\":1}",                                        NULL,     "",         "no body"                                                 },
    {"{\"custom_id\":\"x\",\"body\":[]}",                        NULL,     "\"x\"",    "body is not an object"                                   },
    {"{\"custom_id\":\"x\",\"body\":null}",                      NULL,     "\"x\"",    "body is not an object"                                   },
    {"{\"custom_id\":\"x\",\"body\":\"{}\"}",                    NULL,     "\"x\"",    "body is not an object"                                   },
    {"{\"custom_id\":\"x\",\"body\":{}}",                        NULL,     "\"x\"",    "no model"                                                },
    {"{\"custom_id\":\"x\",\"body\":{}}",                        "",       "\"x\"",    "no model"                                                },
    {"{\"custom_id\":\"x\",\"body\":{\"model\":null}}",          "preset", "\"x\"",    "model is not a string"                                   },
    {"{\"custom_id\":\"x\",\"body\":{\"model\":4}}",             NULL,     "\"x\"",    "model is not a string"                                   },
    {"{\"custom_id\":\"x\",\"body\":{\"model\":\"\"}}",          "preset", "\"x\"",    "model is empty"                                          },
    {"{\"custom_id\":\"x\",\"body\":{\"model\":\"a\\u0000b\"}}", NULL,     "\"x\"",
     "model has a NUL character in it"                                                                                                           },
    {"{\"custom_id\":\"x\",\"method\":\"GET\"," BODY "}",        NULL,     "\"x\"",    "method is not POST"                                      },
    {"{\"custom_id\":\"x\",\"method\":\"post\"," BODY "}",       NULL,     "\"x\"",    "method is not POST"                                      },
    {"{\"custom_id\":\"x\",\"method\":null," BODY "}",           NULL,     "\"x\"",    "method is not POST"                                      },
    {"{\"custom_id\":\"x\",\"url\":\"/a\\\"b\"," BODY "}",       NULL,     "\"x\"",
     "url is not a path like /v1/chat/completions"                                                                                               },
    {"{\"custom_id\":\"x\",\"url\":\"/中\"," BODY "}",          NULL,     "\"x\"",
     "url is not a path like /v1/chat/completions"                                                                                               },
    {"{\"custom_id\":\"x\",\"url\":\"https://h/v1\"," BODY "}",  NULL,     "\"x\"",
     "url is not a path like /v1/chat/completions"                                                                                               },
    {"{\"custom_id\":\"x\",\"url\":5," BODY "}",                 NULL,     "\"x\"",    "url is not a string"                                     },
    {"{\"custom_id\":\"x\",\"url\":null," BODY "}",              NULL,     "\"x\"",    "url is not a string"                                     },
    {"{\"custom_id\":\"x\",\"url\":\"\"," BODY "}",              NULL,     "\"x\"",    "url is empty"                                            },
};

static void assert_slice(struct slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    if (got.len > 0)
        assert_memory_equal(got.p, want, got.len);
}

static void a_line_that_can_be_sent_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct request_line line;
        char why[REQUEST_WHY_SIZE] = "";

        print_message("  %s\n", good[i].text);
        assert_true(
            request_line_parse(good[i].text, strlen(good[i].text), good[i].preset, &line, why));
        assert_string_equal(why, "");
        assert_slice(line.custom_id, good[i].custom_id);
        assert_slice(line.body, good[i].body);
        assert_string_equal(line.url, good[i].url);
        assert_string_equal(line.model, good[i].model);
        assert_int_equal(line.has_model, good[i].has_model);
    }
}

static void a_line_that_cannot_be_sent_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct request_line line;
        char why[REQUEST_WHY_SIZE] = "";

        print_message("  %s\n", bad[i].text);
        assert_false(
            request_line_parse(bad[i].text, strlen(bad[i].text), bad[i].preset, &line, why));
        assert_string_equal(why, bad[i].why);
        assert_slice(line.custom_id, bad[i].custom_id);
    }
}

/* {"body":{"model":"aaa..."},"url":"/bbb..."} */
static bool parse_lengths(size_t model, size_t url, char why[REQUEST_WHY_SIZE])
{
    char text[1024];
    char names[512];
    struct request_line line;

    memset(names, 'a', sizeof(names));
    (void)snprintf(text, sizeof(text), "{\"body\":{\"model\":\"%.*s\"},\"url\":\"/%.*s\"}",
                   (int)model, names, (int)url - 1, names);
    if (!request_line_parse(text, strlen(text), NULL, &line, why))
        return false;
    assert_int_equal(strlen(line.model), model);
    assert_int_equal(strlen(line.url), url);
    return true;
}

static void long_names_are_refused_not_cut(void **state)
{
    char why[REQUEST_WHY_SIZE];

    (void)state;
    assert_true(parse_lengths(REQUEST_MODEL_MAX, REQUEST_URL_MAX, why));
    assert_false(parse_lengths(REQUEST_MODEL_MAX + 1, REQUEST_URL_MAX, why));
    assert_string_equal(why, "model is too long");
    assert_false(parse_lengths(REQUEST_MODEL_MAX, REQUEST_URL_MAX + 1, why));
    assert_string_equal(why, "url is too long");
}

static void a_line_over_the_limit_is_refused(void **state)
{
    static const char start[] = "{\"body\":{\"model\":\"m\"}";
    char *text = malloc(REQUEST_LINE_MAX_BYTES + 1);
    struct request_line line;
    char why[REQUEST_WHY_SIZE];

    (void)state;
    assert_non_null(text);
    memset(text, ' ', REQUEST_LINE_MAX_BYTES + 1);
    memcpy(text, start, sizeof(start) - 1);
    text[REQUEST_LINE_MAX_BYTES - 1] = '}';
    assert_true(request_line_parse(text, REQUEST_LINE_MAX_BYTES, NULL, &line, why));
    assert_false(request_line_parse(text, REQUEST_LINE_MAX_BYTES + 1, NULL, &line, why));
    assert_string_equal(why, "longer than 16 MB");
    assert_int_equal(line.custom_id.len, 0);
    free(text);
}

static const struct {
    const char *body;
    const char *sent;
} bodies[] = {
    {"{\"model\":\"own\", \"n\":1}", "{\"model\":\"own\", \"n\":1}"                         },
    {"{\"n\":1}",                    "{\"model\":\"the \\\"default\\\"\",\"n\":1}"          },
    {"{ \"n\" : 1.50e+1 }",          "{\"model\":\"the \\\"default\\\"\", \"n\" : 1.50e+1 }"},
    {"{}",                           "{\"model\":\"the \\\"default\\\"\"}"                  },
    {"{ \t }",                       "{\"model\":\"the \\\"default\\\"\" \t }"              },
};

static void the_users_bytes_are_sent_with_a_model_put_in(void **state)
{
    static const char preset[] = "the \"default\"";
    struct buf member = BUF_INIT(100);

    (void)state;
    assert_true(request_model_member(preset, &member));
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        char text[256];
        char why[REQUEST_WHY_SIZE];
        struct request_line line;
        struct slice parts[3];
        struct buf sent = BUF_INIT(1000);
        struct json_value root;

        print_message("  %s\n", bodies[i].body);
        (void)snprintf(text, sizeof(text), "{\"body\":%s}", bodies[i].body);
        assert_true(request_line_parse(text, strlen(text), preset, &line, why));

        size_t n = request_body_parts(&line, (struct slice){member.data, member.len}, parts);

        for (size_t k = 0; k < n; k++)
            assert_true(buf_append(&sent, parts[k].p, parts[k].len));
        assert_string_equal(sent.data, bodies[i].sent);
        assert_true(json_scan(sent.data, sent.len, &root, NULL));
        buf_release(&sent);
    }
    buf_release(&member);
}

static void a_member_past_the_limit_appends_nothing(void **state)
{
    (void)state;
    for (size_t max = 0; max < strlen("\"model\":\"m\","); max++) {
        struct buf b = BUF_INIT(max);

        assert_false(request_model_member("m", &b));
        assert_int_equal(b.len, 0);
        buf_release(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_that_can_be_sent_is_taken_apart),
        cmocka_unit_test(a_line_that_cannot_be_sent_says_why),
        cmocka_unit_test(long_names_are_refused_not_cut),
        cmocka_unit_test(a_line_over_the_limit_is_refused),
        cmocka_unit_test(the_users_bytes_are_sent_with_a_model_put_in),
        cmocka_unit_test(a_member_past_the_limit_appends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
