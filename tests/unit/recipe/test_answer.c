#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/recipe/answer.h"
#include "common/recipe/schema.h"

#define MAX_BYTES ((size_t)1 << 20)

static struct schema *schema_of(const char *text)
{
    struct err err = {0};
    struct schema *schema = schema_parse("s.json", text, strlen(text), &err);

    if (schema == NULL)
        fail_msg("%s", err.msg);
    return schema;
}

static struct vocabulary *vocabulary_of(const char *text)
{
    struct err err = {0};
    struct vocabulary *vocabulary = vocabulary_parse("v.json", text, strlen(text), NULL, &err);

    if (vocabulary == NULL)
        fail_msg("%s", err.msg);
    return vocabulary;
}

/* What is in a body */

/* Whoever has found the choices already hears the same. */
static void assert_same_by_choices(const struct json_value *body,
                                   const struct answer_content *wanted, bool good, const char *why)
{
    struct json_value choices = json_member(body, "choices");
    struct answer_scratch scratch;
    struct answer_content content;
    char said[WHY_MAX] = "";

    if (choices.kind != JSON_ARRAY)
        return;
    answer_scratch_init(&scratch, MAX_BYTES);
    assert_int_equal(answer_choices(&choices, &scratch, &content, said), good);
    assert_int_equal(content.cut, wanted->cut);
    if (good) {
        assert_int_equal(content.text.len, wanted->text.len);
        assert_memory_equal(content.text.p, wanted->text.p, content.text.len);
    } else {
        assert_string_equal(said, why);
    }
    answer_scratch_release(&scratch);
}

static const struct {
    const char *body, *text; /* NULL: there is none */
    bool cut;
    const char *why;
} shapes[] = {
    {"{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"a\\n\\u4f53\"},"
     "\"finish_reason\":\"stop\"}]}",                                                      "a\n体",       false, NULL                                                                },
    {"{\"choices\":[{\"message\":{\"content\":\"a\",\"refusal\":null},\"finish_reason\":"
     "\"length\"}]}",                                                                      "a",            true,  NULL                                                                },
    {"{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
     "\"image_url\"},{\"type\":\"text\",\"text\":\"b\"}]}}]}",                             "ab",           false, NULL                                                                },
    {"{\"choices\":[{\"message\":{\"content\":\"first\"}},{\"message\":{\"content\":\"second\"}"
     "}]}",                                                                                "first",        false, NULL                                                                },
    {"{\"choices\":[{\"text\":\"plain\",\"finish_reason\":\"stop\"}]}",                         "plain",        false, NULL                                                                },
    {"{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I can't.\"}}]}",               NULL,           false,
     "the model refused: \"I can't.\""                                                                                                                                                     },
    {"{\"choices\":[{\"message\":{\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}}]}",
     NULL,                                                                                                      false, "the model refused: \"no\""                                         },
    {"{\"choices\":[{\"message\":{\"content\":\"half\"},\"finish_reason\":\"content_filter\"}]"
     "}",                                                                                  NULL,           false, "the provider's filter stepped in: finish_reason \"content_filter\""},
    {"{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"sensitive\"}]}",        NULL,
     false,                                                                                                            "the provider's filter stepped in: finish_reason \"sensitive\""     },
    {"{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"length\"}]}",           NULL,           true,
     "cut off at the limit of output tokens before there was any text"                                                                                                                     },
    {"{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":[{}]}}]}",                    NULL,           false,
     "there is no text in the answer"                                                                                                                                                      },
    {"{\"choices\":[{\"message\":{\"content\":7}}]}",                                           NULL,           false,
     "there is no text in the answer"                                                                                                                                                      },
    {"{\"choices\":[]}",                                                                        NULL,           false, "there is no text in the answer"                                    },
    {"{\"choices\":[null]}",                                                                    NULL,           false, "there is no text in the answer"                                    },
    {"{\"status\":\"completed\",\"output\":[{\"type\":\"reasoning\",\"content\":[{\"type\":"
     "\"output_text\",\"text\":\"hidden\"}]},{\"type\":\"message\",\"content\":[{\"type\":"
     "\"output_text\",\"text\":\"a\"},{\"type\":\"output_text\",\"text\":\"b\"}]}]}",      "ab",           false, NULL                                                                },
    {"{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"},"
     "\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]"
     "}]}",                                                                                "a",            true,  NULL                                                                },
    {"{\"incomplete_details\":{\"reason\":\"content_filter\"},\"output\":[]}",                  NULL,           false,
     "the provider's filter stepped in: finish_reason \"content_filter\""                                                                                                                  },
    {"{\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"refusal\",\"refusal\":"
     "\"no\"}]}]}",                                                                        NULL,           false, "the model refused: \"no\""                                         },
    {"{\"output\":[]}",                                                                         NULL,           false, "there is no text in the answer"                                    },
    {"{\"object\":\"list\",\"data\":[{\"embedding\":[0.5, -1e-3],\"index\":0}]}",               "[0.5, -1e-3]",
     false,                                                                                                            NULL                                                                },
    {"{\"data\":[]}",                                                                           NULL,           false, "the response has no choices, no output and no data"                },
    {"{}",                                                                                      NULL,           false, "the response has no choices, no output and no data"                },
    {"null",                                                                                    NULL,           false, "the response has no choices, no output and no data"                },
    {"[1]",                                                                                     NULL,           false, "the response has no choices, no output and no data"                },
};

static void the_text_is_found_in_the_shapes_of_the_apis(void **state)
{
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct json_value body;
        struct answer_content content;
        char why[WHY_MAX] = "";

        print_message("  %s\n", shapes[i].body);
        assert_true(json_scan(shapes[i].body, strlen(shapes[i].body), &body, NULL));
        assert_int_equal(answer_content(&body, &scratch, &content, why), shapes[i].text != NULL);
        assert_same_by_choices(&body, &content, shapes[i].text != NULL, why);
        assert_string_equal(why, shapes[i].why != NULL ? shapes[i].why : "");
        assert_int_equal(content.cut, shapes[i].cut);
        if (shapes[i].text == NULL)
            continue;
        assert_int_equal(content.text.len, strlen(shapes[i].text));
        assert_memory_equal(content.text.p, shapes[i].text, content.text.len);
    }
    answer_scratch_release(&scratch);
}

static void a_text_over_the_limit_is_no_answer(void **state)
{
    static const char body_text[] = "{\"choices\":[{\"message\":{\"content\":\"0123456789\"}}]}";
    struct answer_scratch scratch;
    struct answer_content content;
    struct json_value body;
    char why[WHY_MAX] = "";

    (void)state;
    answer_scratch_init(&scratch, 8);
    assert_true(json_scan(body_text, strlen(body_text), &body, NULL));
    assert_false(answer_content(&body, &scratch, &content, why));
    assert_string_equal(why, "the answer is too long");
    answer_scratch_release(&scratch);
}

/* One answer */

static void judge(const struct answer_rule *rule, const char *text, bool cut,
                  struct answer_scratch *scratch, struct answer *out)
{
    struct answer_content content = {
        .text = {text, strlen(text)},
          .cut = cut
    };

    answer_judge(rule, &content, scratch, out);
}

static void assert_answer(const struct answer *a, const char *json, unsigned repairs,
                          const char *why)
{
    if (a->verdict == ANSWER_INVALID)
        print_message("    %s\n", a->why);
    assert_string_equal(a->why, why != NULL ? why : "");
    assert_int_equal(a->repairs, repairs);
    if (json == NULL) {
        assert_int_equal(a->verdict, ANSWER_INVALID);
        assert_null(a->json.p);
        return;
    }
    assert_int_equal(a->verdict, repairs == 0 ? ANSWER_OK : ANSWER_REPAIRED);
    assert_int_equal(a->json.len, strlen(json));
    assert_memory_equal(a->json.p, json, a->json.len);
}

#define BIT(repair) (1u << REPAIR_##repair)
#define POLARITY                                                                       \
    "{\"type\":\"object\",\"required\":[\"polarity\"],\"additionalProperties\":false," \
    "\"properties\":{\"polarity\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}}}"

static const struct {
    const char *text;
    bool repair, cut;
    const char *json; /* NULL: it is not valid */
    unsigned repairs;
    const char *why;
} texts[] = {
    {"{\"polarity\": 3}",                           false, false, "{\"polarity\":3}", 0,                         NULL                                    },
    {"\n {\n  \"polarity\": 3\n}\n",                true,  false, "{\"polarity\":3}", 0,                         NULL                                    },
    {"{\"polarity\": 3}",                           true,  true,  "{\"polarity\":3}", 0,                         NULL                                    },
    {"```json\n{\"polarity\": 3}\n```",             true,  false, "{\"polarity\":3}", BIT(FENCE),                NULL                                    },
    {"```json\n{\"polarity\": 3}\n```",             false, false, NULL,               0,                         "not JSON: expected a value"            },
    {"{'polarity': 3,}",                            true,  false, "{\"polarity\":3}", BIT(QUOTES) | BIT(COMMAS), NULL                                    },
    {"<think>3?</think>{\"polarity\": 3}",          true,  false, "{\"polarity\":3}", BIT(THINKING),             NULL                                    },
 /* Prose, another language, numbers as words, extra members */
    {"情感极性是三。",                       true,  false, NULL,               0,                         "not JSON: there is no JSON value in it"},
    {"I think the sentiment is neutral.",           true,  false, NULL,               0,
     "not JSON: there is no JSON value in it"                                                                                                            },
    {"{\"polarity\": \"三\"}",                     true,  false, NULL,               0,
     "polarity: expected an integer, got a string (\"三\")"                                                                                             },
    {"{\"polarity\": \"three\"}",                   true,  false, NULL,               0,
     "polarity: expected an integer, got a string (\"three\")"                                                                                           },
    {"{\"polarity\": three}",                       true,  false, NULL,               0,                         "not JSON: it cannot be mended"         },
    {"{\"极性\": 3}",                             true,  false, NULL,               0,                         "极性: such a member is not allowed"  },
    {"{\"polarity\": 3, \"comment\": \"neutral\"}", true,  false, NULL,               0,
     "comment: such a member is not allowed"                                                                                                             },
    {"{\"polarity\": 9}",                           true,  false, NULL,               0,                         "polarity: expected at most 5, got 9"   },
    {"```json\n{\"polarity\": 9}\n```",             true,  false, NULL,               0,
     "polarity: expected at most 5, got 9"                                                                                                               },
    {"3",                                           true,  false, NULL,               0,                         "expected an object, got 3"             },
    {"{\"polarity\": ",                             true,  true,  NULL,               0,
     "cut off at the limit of output tokens: not JSON: it was cut off before anything in it "
     "was "
     "complete"                                                                                                                                          },
    {"{\"polarity\": 3",                            true,  true,  NULL,               0,
     "cut off at the limit of output tokens: not JSON: it was cut off before anything in it "
     "was "
     "complete"                                                                                                                                          },
    {"{\"polarity\": 3, \"com",                     true,  true,  "{\"polarity\":3}", BIT(CUT),                  NULL                                    },
    {"",                                            true,  false, NULL,               0,                         "the answer is empty"                   },
    {"\xE3\x80\x80\n",                              false, false, NULL,               0,                         "the answer is empty"                   },
    {"<think>hm",                                   true,  true,  NULL,               0,
     "cut off at the limit of output tokens: not JSON: there is nothing behind the thinking"                                                             },
};

static void a_json_answer_is_valid_mended_or_not(void **state)
{
    struct schema *schema = schema_of(POLARITY);
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct answer_rule rule = {
            .type = ANSWER_JSON, .repair = texts[i].repair, .schema = schema};
        struct answer answer;

        print_message("  %s\n", texts[i].text);
        judge(&rule, texts[i].text, texts[i].cut, &scratch, &answer);
        assert_answer(&answer, texts[i].json, texts[i].repairs, texts[i].why);
    }
    answer_scratch_release(&scratch);
    schema_free(schema);
}

static void a_vocabulary_catches_words_of_the_models_own(void **state)
{
    static const struct {
        const char *text, *json, *why;
    } cases[] = {
        {"{\"topics\":[{\"topic\":\"体育\",\"sub\":\"足球\"}]}",
         "{\"topics\":[{\"topic\":\"体育\",\"sub\":\"足球\"}]}",                            NULL                                                                 },
        {"{\"topics\":[{\"topic\":\"\\u4f53\\u80b2\",\"sub\":\"足球\"}]}",
         "{\"topics\":[{\"topic\":\"体育\",\"sub\":\"足球\"}]}",                            NULL                                                                 },
        {"{\"topics\":[{\"topic\":\"Sports\",\"sub\":\"Football\"}]}",       NULL,
         "topics[0].topic: \"Sports\" is not in the vocabulary"                                                                                                      },
        {"{\"topics\":[{\"topic\":\"體育\",\"sub\":\"足球\"}]}",         NULL,
         "topics[0].topic: \"體育\" is not in the vocabulary"                                                                                                      },
        {"{\"topics\":[{\"topic\":\"体育\",\"sub\":\"足球\"},{\"topic\":\"娱乐\",\"sub\":\"足球\"}]"
         "}",                                                       NULL,              "topics[1].sub: \"足球\" is not below \"娱乐\" in the vocabulary"},
        {"{\"topics\":[\"体育\"]}",                                        NULL,
         "topics[0]: expected an object with a term, got a string (\"体育\")"                                                                                      },
        {"{\"topic\":\"体育\"}",                                           NULL,              "topics: expected a term of the vocabulary, got nothing"             },
        {"{\"topics\":[]}",                                                  "{\"topics\":[]}", NULL                                                                 },
    };
    struct vocabulary *v = vocabulary_of("{\"体育\":[\"足球\",\"篮球\"],\"娱乐\":[\"电影\"]}");
    struct answer_rule rule = {
        .type = ANSWER_JSON, .repair = true, .vocabulary = v, .where = {"topics", "topic", "sub"}
    };
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer answer;

        print_message("  %s\n", cases[i].text);
        judge(&rule, cases[i].text, false, &scratch, &answer);
        assert_answer(&answer, cases[i].json, 0, cases[i].why);
    }
    answer_scratch_release(&scratch);
    vocabulary_free(v);
}

static void a_text_answer_is_trimmed_and_not_empty(void **state)
{
    static const struct {
        const char *text;
        bool repair, cut;
        const char *json;
        unsigned repairs;
        const char *why;
    } cases[] = {
        {"正面",                             false, false, "\"正面\"",                       0,             NULL                 },
        {" \n 正面\t\xE3\x80\x80\xC2\xA0\n", false, false, "\"正面\"",                       0,             NULL                 },
        {"\xEF\xBB\xBF"
         "a b",                       false, false, "\"a b\"",                          0,             NULL                 },
        {"say \"hi\"\nand go",                 false, false, "\"say \\\"hi\\\"\\nand go\"",      0,             NULL                 },
        {"e\xCC\x81",                          false, false, "\"e\xCC\x81\"",                    0,             NULL                 }, /* never normalised */
        {"",                                   false, false, NULL,                               0,             "the answer is empty"},
        {" \n\xE3\x80\x80",                    true,  false, NULL,                               0,             "the answer is empty"},
        {"<think>正?</think>\n正面",        true,  false, "\"正面\"",                       BIT(THINKING), NULL                 },
        {"<think>正?</think>\n正面",        false, false, "\"<think>正?</think>\\n正面\"", 0,             NULL                 },
        {"<think>正?",                        true,  true,  NULL,                               0,
         "cut off at the limit of output tokens: the answer is empty"                                                                },
        {"half a sen",                         true,  true,  "\"half a sen\"",                   BIT(CUT),      NULL                 },
        {"half a sen",                         false, true,  NULL,                               0,
         "cut off at the limit of output tokens: the text is not complete"                                                           },
        {"```\n正面\n```",                   true,  false, "\"```\\n正面\\n```\"",           0,             NULL                 }, /* only JSON is mended */
    };
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer_rule rule = {.type = ANSWER_TEXT, .repair = cases[i].repair};
        struct answer answer;

        print_message("  %s\n", cases[i].text);
        judge(&rule, cases[i].text, cases[i].cut, &scratch, &answer);
        assert_answer(&answer, cases[i].json, cases[i].repairs, cases[i].why);
    }
    answer_scratch_release(&scratch);
}

static void a_text_answer_can_have_a_schema_and_a_vocabulary(void **state)
{
    struct schema *schema = schema_of("{\"maxLength\":2}");
    struct vocabulary *v = vocabulary_of("[\"正面\",\"负面\",\"不好说\"]");
    struct answer_rule rule = {.type = ANSWER_TEXT, .schema = schema, .vocabulary = v};
    struct answer_scratch scratch;
    struct answer answer;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    judge(&rule, "负面\n", false, &scratch, &answer);
    assert_answer(&answer, "\"负面\"", 0, NULL);
    judge(&rule, "中性", false, &scratch, &answer);
    assert_answer(&answer, NULL, 0, "\"中性\" is not in the vocabulary");
    judge(&rule, "不好说", false, &scratch, &answer);
    assert_answer(&answer, NULL, 0, "expected at most 2 characters, got 3");
    answer_scratch_release(&scratch);
    schema_free(schema);
    vocabulary_free(v);
}

static void what_is_valid_json_never_comes_to_repair(void **state)
{
    struct answer_rule rule = {.type = ANSWER_JSON, .repair = true};
    struct answer_scratch scratch;
    struct answer answer;
    char text[401];

    (void)state;
    memset(text, '[', 200); /* deeper than what is mended */
    memset(text + 200, ']', 200);
    text[400] = '\0';
    answer_scratch_init(&scratch, MAX_BYTES);
    judge(&rule, text, false, &scratch, &answer);
    assert_answer(&answer, text, 0, NULL);
    text[399] = ' ';
    judge(&rule, text, false, &scratch, &answer);
    assert_answer(&answer, NULL, 0, "not JSON: it cannot be mended");
    answer_scratch_release(&scratch);
}

static void a_pattern_catches_another_language(void **state)
{
    struct schema *schema = schema_of("{\"pattern\":\"^[\\u4e00-\\u9fff，。、：；！？0-9]+$\"}");
    struct answer_rule rule = {.type = ANSWER_TEXT, .schema = schema};
    struct answer_scratch scratch;
    struct answer answer;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    judge(&rule, "作者很高兴，给了5分。", false, &scratch, &answer);
    assert_int_equal(answer.verdict, ANSWER_OK);
    judge(&rule, "The author is happy.", false, &scratch, &answer);
    assert_answer(&answer, NULL, 0,
                  "expected a match of \"^[\\u4e00-\\u9fff，。、：；！？0-9]+$\", got a string "
                  "(\"The author is happy.\")");
    answer_scratch_release(&scratch);
    schema_free(schema);
}

static void words_are_read_back_as_they_are_named(void **state)
{
    enum answer_type type = ANSWER_TEXT;

    (void)state;
    assert_true(answer_type_parse("json", &type));
    assert_int_equal(type, ANSWER_JSON);
    assert_true(answer_type_parse("text", &type));
    assert_int_equal(type, ANSWER_TEXT);
    assert_false(answer_type_parse("JSON", &type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_found_in_the_shapes_of_the_apis),
        cmocka_unit_test(a_text_over_the_limit_is_no_answer),
        cmocka_unit_test(a_json_answer_is_valid_mended_or_not),
        cmocka_unit_test(a_vocabulary_catches_words_of_the_models_own),
        cmocka_unit_test(a_text_answer_is_trimmed_and_not_empty),
        cmocka_unit_test(a_text_answer_can_have_a_schema_and_a_vocabulary),
        cmocka_unit_test(what_is_valid_json_never_comes_to_repair),
        cmocka_unit_test(a_pattern_catches_another_language),
        cmocka_unit_test(words_are_read_back_as_they_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
