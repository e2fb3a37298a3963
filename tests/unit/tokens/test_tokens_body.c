#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/tokens/tokens.h"

static struct tokens_estimate of_body(const char *text)
{
    struct json_value body;
    struct tokens_estimate estimate = {.input = UINT64_MAX};

    assert_true(json_scan(text, strlen(text), &body, NULL));
    assert_true(tokens_of_body(TOKENS_O200K, &body, &estimate));
    return estimate;
}

/* Around one message and the answer. */
#define FRAME (4 + 3)

/* Bodies beside the texts that are in them and what else they take. */
static const struct {
    const char *name, *body, *text;
    uint64_t more;
} bodies[] = {
    {"a string",                        "{\"messages\":[{\"role\":\"user\",\"content\":\"hello there\"}]}",      "hello there",
     FRAME                                                                                                                                                             },
    {"two messages",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"be nice\"},{\"role\":\"user\",\"content\":"
     "\"hello there\"}]}",                                                                                       "be nice hello there",         FRAME + 4              },
    {"parts",
     "{\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"hello there\"},{\"type\":\"text\","
     "\"text\":\" you\"}]}]}",                                                                                   "hello there you",             FRAME                  },
    {"an image",
     "{\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"what is it\"},{\"type\":"
     "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAABBBBCCCC\"}}]}]}",                        "what is it",                  FRAME + TOKENS_AN_IMAGE},
    {"an image of the other API",
     "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"what is "
     "it\"},{\"type\":\"input_image\",\"image_url\":\"https://example.com/a.png\"}]}]}",                         "what is it",                  FRAME + TOKENS_AN_IMAGE},
    {"an image by its file's id",
     "{\"input\":[{\"content\":[{\"type\":\"input_image\",\"file_id\":\"f\"}]}]}",                               "",
     FRAME + TOKENS_AN_IMAGE                                                                                                                                           },
    {"escapes are characters",
     "{\"messages\":[{\"content\":\"\\u4f60\\u597d\\uff0c\\n\\\"world\\\"\\t\\/\\ud83d\\udc49\"}]}",             "你好，\n\"world\"\t/👉", FRAME                  },
    {"input of embeddings",             "{\"input\":\"hello there\"}",                                           "hello there",                 0                      },
    {"several inputs",                  "{\"input\":[\"hello there\",\" you\"]}",                                "hello there you",             0                      },
    {"input as tokens",                 "{\"input\":[1,2,3]}",                                                   "",                            3                      },
    {"several inputs as tokens",        "{\"input\":[[1,2,3],[4,5]]}",                                           "",                            5                      },
    {"lists too deep are not followed", "{\"input\":[[[1,2,3]]]}",                                               "",                            0                      },
    {"a prompt",                        "{\"prompt\":\"hello there\"}",                                          "hello there",                 0                      },
    {"prompts",                         "{\"prompt\":[\"hello there\",\" you\"]}",                               "hello there you",             0                      },
    {"instructions",                    "{\"instructions\":\"be nice\",\"input\":\"hello there\"}",
     "be nice hello there",                                                                                                                     0                      },
    {"a system text",                   "{\"system\":\"be nice\",\"messages\":[{\"content\":\"hello there\"}]}",
     "be nice hello there",                                                                                                                     FRAME                  },
    {"system parts",
     "{\"system\":[{\"type\":\"text\",\"text\":\"be nice\"}],\"messages\":[{\"content\":\"a\"}]}",               "be nice a",                   FRAME                  },
    {"no content",                      "{\"messages\":[{\"role\":\"user\",\"content\":null},{}]}",              "",                            FRAME + 4              },
    {"no messages",                     "{\"messages\":[]}",                                                     "",                            0                      },
    {"messages that are none",          "{\"messages\":\"hello\"}",                                              "",                            0                      },
    {"nothing",                         "{}",                                                                    "",                            0                      },
    {"the last member counts",          "{\"input\":\"a b c d e\",\"input\":\"hello there\"}",                   "hello there",
     0                                                                                                                                                                 },
    {"members written otherwise",       "{\"inp\\u0075t\":\"hello there\"}",                                     "hello there",                 0                      },
    {"a tool",                          "{\"tools\":[{\"name\":\"f\"}]}",                                        "[{\"name\":\"f\"}]",          0                      },
    {"no tool",                         "{\"tools\":null}",                                                      "",                            0                      },
    {"what the model said",
     "{\"messages\":[{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"b c\"}]}",                "a b c",                       FRAME                  },
};

static void a_body_takes_what_its_texts_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        uint64_t text = tokens_of_text(TOKENS_O200K, bodies[i].text, strlen(bodies[i].text));

        print_message("  %s\n", bodies[i].name);
        assert_int_equal(of_body(bodies[i].body).input, text + bodies[i].more);
        assert_int_equal(of_body(bodies[i].body).max_output, 0);
    }
}

static void an_escaped_text_takes_what_the_text_does(void **state)
{
    const uint64_t plain = of_body("{\"input\":\"今天天气很好，我们去公园玩。\"}").input;
    const uint64_t escaped =
        of_body(
            "{\"input\":\"\\u4eca\\u5929\\u5929\\u6C14\\u5f88\\u597d\\uff0c\\u6211\\u4eec\\u53bb"
            "\\u516c\\u56ed\\u73a9\\u3002\"}")
            .input;

    (void)state;
    assert_int_equal(plain, escaped);
    assert_in_range(plain, 8, 16);
    (void)of_body("{\"input\":\"\\ud800 \\udc00 \\ud800\\n \\ud83d\"}"); /* lone surrogates */
}

static const struct {
    const char *body;
    uint64_t most;
} ceilings[] = {
    {"{\"max_tokens\":200}",                                               200       },
    {"{\"max_completion_tokens\":300,\"max_tokens\":200}",                 300       },
    {"{\"max_output_tokens\":100}",                                        100       },
    {"{\"max_tokens\":200,\"n\":3}",                                       600       },
    {"{\"max_tokens\":200,\"n\":0}",                                       200       },
    {"{\"max_tokens\":200,\"n\":\"3\"}",                                   200       },
    {"{\"max_tokens\":0}",                                                 0         },
    {"{\"max_tokens\":-1}",                                                0         },
    {"{\"max_tokens\":null}",                                              0         },
    {"{\"max_tokens\":\"200\"}",                                           0         },
    {"{\"max_tokens\":2.5}",                                               0         },
    {"{\"max_tokens\":9223372036854775807}",                               UINT32_MAX},
    {"{\"max_tokens\":2,\"n\":9223372036854775807}",                       UINT32_MAX},
    {"{\"max_completion_tokens\":null,\"max_tokens\":9}",                  9         },
    {"{\"max_tokens\":9,\"prompt\":\"a\"}",                                9         },
    {"{\"max_tokens\":9,\"prompt\":[\"a\",\"b\",\"c\"]}",                  27        },
    {"{\"max_tokens\":9,\"prompt\":[1,2,3]}",                              9         },
    {"{\"max_tokens\":9,\"prompt\":[[1,2],[3]]}",                          18        },
    {"{\"max_tokens\":9,\"prompt\":[]}",                                   9         },
    {"{\"max_tokens\":9,\"n\":2,\"best_of\":5}",                           45        },
    {"{\"max_tokens\":9,\"n\":5,\"best_of\":2}",                           45        },
    {"{\"max_tokens\":9,\"best_of\":3,\"prompt\":[\"a\",\"b\"]}",          54        },
    {"{\"max_tokens\":9,\"best_of\":4294967295,\"prompt\":[\"a\",\"b\"]}", UINT32_MAX},
};

static void a_ceiling_is_for_all_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ceilings); i++) {
        print_message("  %s\n", ceilings[i].body);
        assert_int_equal(of_body(ceilings[i].body).max_output, ceilings[i].most);
    }
}

static void what_is_no_object_is_no_body(void **state)
{
    struct json_value body = {JSON_STRING, "\"a\"", 3};
    struct tokens_estimate estimate = {.input = 17};

    (void)state;
    assert_false(tokens_of_body(TOKENS_O200K, &body, &estimate));
    body = (struct json_value){JSON_ABSENT, NULL, 0};
    assert_false(tokens_of_body(TOKENS_O200K, &body, &estimate));
    assert_int_equal(estimate.input, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_takes_what_its_texts_do),
        cmocka_unit_test(an_escaped_text_takes_what_the_text_does),
        cmocka_unit_test(a_ceiling_is_for_all_choices),
        cmocka_unit_test(what_is_no_object_is_no_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
