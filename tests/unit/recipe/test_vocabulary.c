#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/recipe/vocabulary.h"

static struct vocabulary *parse(const char *text, const char *path, struct err *err)
{
    return vocabulary_parse("v.json", text, strlen(text), path, err);
}

static void every_shape_reads_as_the_same_tree(void **state)
{
    static const struct {
        const char *text, *path, *lines;
    } cases[] = {
        {"[\"正面\", \"负面\"]",                                                      NULL,     "- 正面\n- 负面"                        },
        {"[{\"name\":\"体育\",\"children\":[\"足球\",\"篮球\"]},\"财经\"]",       NULL,
         "- 体育\n  - 足球\n  - 篮球\n- 财经"                                                                                           },
        {"{\"体育\":[\"足球\",\"篮球\"],\"财经\":[]}",                            NULL,     "- 体育\n  - 足球\n  - 篮球\n- 财经"},
        {"{\"体育\":{\"球类\":[\"足球\"]},\"财经\":null}",                        NULL,
         "- 体育\n  - 球类\n    - 足球\n- 财经"                                                                                         },
        {"[{\"label\":\"a\",\"items\":[{\"title\":\"b\",\"sub\":[\"c\"]}],\"id\":7}]",    NULL,
         "- a\n  - b\n    - c"                                                                                                                  },
        {"[{\"value\":\"a\",\"sub\":{\"x\":[],\"y\":[\"z\"]}}]",                          NULL,
         "- a\n  - x\n  - y\n    - z"                                                                                                           },
        {"[{\"parent_topic\":\"a\",\"sub_topics\":[\"x\"]},{\"category\":\"b\",\"subcategories\":"
         "[\"y\"]},{\"topic\":\"c\",\"subtopics\":[]},{\"type\":\"d\"}]",        NULL,     "- a\n  - x\n- b\n  - y\n- c\n- d"          },
        {"[{\"type\":\"kind\",\"name\":\"a\"}]",                                          NULL,     "- a"                                       },
        {"{\"v\":1,\"topics\":[\"a\"]}",                                                  "topics", "- a"                                       },
        {"{\"a\":{\"b\":{\"c\":[\"x\"]}}}",                                               "a.b.c",  "- x"                                       },
        {"{\"a.b\":[\"x\"],\"a\":{\"b\":[\"y\"]}}",                                       "a.b",    "- x"                                       },
        {"[{\"name\":\"a\",\"children\":[\"x\"]},{\"name\":\"b\",\"children\":[\"x\"]}]", NULL,
         "- a\n  - x\n- b\n  - x"                                                                                                               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct buf text = BUF_INIT(10000);
        struct vocabulary *v = parse(cases[i].text, cases[i].path, &err);

        print_message("  %s %s\n", cases[i].text, err.msg);
        assert_non_null(v);
        assert_true(vocabulary_text(v, &text));
        assert_string_equal(text.data, cases[i].lines);
        vocabulary_free(v);
        buf_release(&text);
    }
}

static void a_mistake_in_a_vocabulary_is_named_with_its_place(void **state)
{
    static const struct {
        const char *text, *path, *message;
    } cases[] = {
        {"[\"a\",\n \"b\",\n \"a\"]",                 NULL,     "v.json:3:2: the term \"a\" is there twice"                        },
        {"{\"a\":[\"x\",\"x\"]}",                     NULL,     "v.json:1:11: the term \"x\" is there twice"                       },
        {"[\"\"]",                                    NULL,     "v.json:1:2: a term is empty or has a control character in it"     },
        {"[\"a\\nb\"]",                               NULL,     "v.json:1:2: a term is empty or has a control character in it"     },
        {"[\"a\\u0000b\"]",                           NULL,     "v.json:1:2: a term is empty or has a control character in it"     },
        {"[]",                                        NULL,     "v.json:1:1: the vocabulary has no term"                           },
        {"{}",                                        NULL,     "v.json:1:1: the vocabulary has no term"                           },
        {"[1]",                                       NULL,
         "v.json:1:2: expected a term: a string, or an object with \"name\" and perhaps "
         "\"children\""                                                                                                            },
        {"[{\"nam\":\"a\"}]",                         NULL,
         "v.json:1:2: expected a term: a string, or an object with \"name\" and perhaps "
         "\"children\""                                                                                                            },
        {"[[\"a\"]]",                                 NULL,
         "v.json:1:2: expected a term: a string, or an object with \"name\" and perhaps "
         "\"children\""                                                                                                            },
        {"\"a\"",                                     NULL,
         "v.json:1:1: expected a list of terms, or an object of terms and their children"                                          },
        {"null",                                      NULL,
         "v.json:1:1: expected a list of terms, or an object of terms and their children"                                          },
        {"{\"a\":\"b\"}",                             NULL,
         "v.json:1:6: expected a list of terms, or an object of terms and their children"                                          },
        {"{\"topics\":[\"a\"]}",                      "topic",
         "v.json:1:1: there is no \"topic\" here (path topic); did you mean \"topics\"?"                                           },
        {"{\"a\":{\"worlds\":[],\"words\":[\"x\"]}}", "a.wrds",
         "v.json:1:6: there is no \"wrds\" here (path a.wrds); did you mean \"words\"?"                                            },
        {"{\"topics\":[\"a\"]}",                      "list",   "v.json:1:1: there is no \"list\" here (path list)"                },
        {"[\"topics\"]",                              "topic",  "v.json:1:1: there is no \"topic\" here (path topic)"              },
        {"{\"a\":{\"b\":[\"x\"]}}",                   "a.c",    "v.json:1:6: there is no \"c\" here (path a.c)"                    },
        {"[\"a\"",                                    NULL,     "v.json:1:5: not valid JSON: expected a comma or a closing bracket"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};

        print_message("  %s\n", cases[i].text);
        assert_null(parse(cases[i].text, cases[i].path, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_string_equal(err.msg, cases[i].message);
    }
}

static void too_many_levels_are_refused(void **state)
{
    static const char deep[] = "{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{"
                               "\"a\":{\"a\":{\"a\":{\"a\":"
                               "{\"a\":{\"a\":{\"a\":{\"a\":null}}}}}}}}}}}}}}}}}";
    struct err err = {0};

    (void)state;
    assert_null(parse(deep, NULL, &err));
    assert_non_null(strstr(err.msg, "terms are nested too deeply"));
}

#define TREE                                                                                                       \
    "{\"体育\":{\"球类\":[\"足球\",\"篮球\"]},\"娱乐\":[\"电影\",\"其他\"],\"财经\":[\"其他\"]," \
    "\"其它\":[],"                                                                                               \
    "\"a/b\":[\"c/d\"]}"

static const struct {
    const char *at, *parent, *child, *answer;
    const char *why; /* NULL: fine */
} places[] = {
    {NULL,     NULL, NULL, "\"体育\"",                                                       NULL                                                    },
    {NULL,     NULL, NULL, "\"\\u4f53\\u80b2\"",                                               NULL                                                    },
    {NULL,     NULL, NULL, "\"足球\"",                                                       NULL                                                    },
    {NULL,     NULL, NULL, "\"体育/球类/足球\"",                                         NULL                                                    },
    {NULL,     NULL, NULL, "\"球类/足球\"",                                                NULL                                                    },
    {NULL,     NULL, NULL, "\"a/b\"",                                                          NULL                                                    },
    {NULL,     NULL, NULL, "\"a/b/c/d\"",                                                      NULL                                                    },
    {NULL,     NULL, NULL, "\"c/d\"",                                                          NULL                                                    },
    {NULL,     NULL, NULL, "\"娱乐/足球\"",                                                "\"娱乐/足球\" is not in the vocabulary"            },
    {NULL,     NULL, NULL, "\"体育-球类/足球\"",                                         "\"体育-球类/足球\" is not in the vocabulary"     },
    {NULL,     NULL, NULL, "\"/足球\"",                                                      "\"/足球\" is not in the vocabulary"                  },
    {NULL,     NULL, NULL, "\"足球/\"",                                                      "\"足球/\" is not in the vocabulary"                  },
    {NULL,     NULL, NULL, "\"体育/足球\"",                                                "\"体育/足球\" is not in the vocabulary"            },
    {NULL,     NULL, NULL, "\"体育 \"",                                                      "\"体育 \" is not in the vocabulary"                  },
    {NULL,     NULL, NULL, "\"\"",                                                             "\"\" is not in the vocabulary"                         },
    {NULL,     NULL, NULL, "\"Sports\"",                                                       "\"Sports\" is not in the vocabulary"                   },
    {NULL,     NULL, NULL, "\"体育\\u0000\"",                                                "\"体育\xEF\xBF\xBD\" is not in the vocabulary"       },
    {NULL,     NULL, NULL, "3",                                                                "expected a term of the vocabulary, got 3"              },
    {NULL,     NULL, NULL, "null",                                                             "expected a term of the vocabulary, got null"           },
    {NULL,     NULL, NULL, "{}",                                                               "expected a term of the vocabulary, got an object"      },
    {NULL,     NULL, NULL, "[\"体育\",\"娱乐\"]",                                          NULL                                                    },
    {NULL,     NULL, NULL, "[]",                                                               NULL                                                    },
    {NULL,     NULL, NULL, "[\"体育\",\"科技\"]",                                          "[1]: \"科技\" is not in the vocabulary"              },
    {"topics", NULL, NULL, "{\"topics\":[\"体育\",\"科技\"]}",
     "topics[1]: \"科技\" is not in the vocabulary"                                                                                                  },
    {"topics", NULL, NULL, "{\"topics\":\"体育\"}",                                          NULL                                                    },
    {"topics", NULL, NULL, "{\"topic\":\"体育\"}",
     "topics: expected a term of the vocabulary, got nothing"                                                                                          },
    {"topics", NULL, NULL, "\"体育\"",                                                       "topics: expected a term of the vocabulary, got nothing"},
    {"a.b",    NULL, NULL, "{\"a\":[{\"b\":\"体育\"},{\"b\":[\"科技\"]}]}",
     "a[1].b[0]: \"科技\" is not in the vocabulary"                                                                                                  },
    {"a.b",    NULL, NULL, "{\"a.b\":\"体育\",\"a\":{\"b\":\"科技\"}}",                    NULL                                                    },
    {"t",      "p",  "c",  "{\"t\":[{\"p\":\"娱乐\",\"c\":\"电影\"},{\"p\":\"其它\"}]}", NULL                                                    },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"财经\",\"c\":\"其他\"}}",                      NULL                                                    },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"娱乐\",\"c\":[\"电影\",\"其他\"]}}",         NULL                                                    },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"球类\",\"c\":\"足球\"}}",                      NULL                                                    },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"体育\",\"c\":\"足球\"}}",
     "t.c: \"足球\" is not below \"体育\" in the vocabulary"                                                                                       },
    {"t",      "p",  "c",  "{\"t\":[{\"p\":\"娱乐\",\"c\":[\"电影\",\"足球\"]}]}",
     "t[0].c[1]: \"足球\" is not below \"娱乐\" in the vocabulary"                                                                                 },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"娱乐\",\"c\":\"财经\"}}",
     "t.c: \"财经\" is not below \"娱乐\" in the vocabulary"                                                                                       },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"科技\",\"c\":\"电影\"}}",
     "t.p: \"科技\" is not in the vocabulary"                                                                                                        },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"娱乐\"}}",
     "t.c: expected a term of the vocabulary, got nothing"                                                                                             },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"娱乐\",\"c\":null}}",
     "t.c: expected a term of the vocabulary, got null"                                                                                                },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"其它\",\"c\":null}}",                            NULL                                                    },
    {"t",      "p",  "c",  "{\"t\":{\"p\":\"其它\",\"c\":\"电影\"}}",
     "t.c: \"电影\" is not below \"其它\" in the vocabulary"                                                                                       },
    {"t",      "p",  "c",  "{\"t\":{\"c\":\"电影\"}}",
     "t.p: expected a term of the vocabulary, got nothing"                                                                                             },
    {"t",      "p",  "c",  "{\"t\":\"娱乐\"}",
     "t: expected an object with a term, got a string (\"娱乐\")"                                                                                    },
    {"t",      "p",  NULL, "{\"t\":{\"p\":\"娱乐\",\"c\":7}}",                               NULL                                                    },
    {NULL,     "p",  "c",  "{\"p\":\"娱乐\",\"c\":\"电影\"}",                              NULL                                                    },
    {NULL,     "p",  "c",  "[{\"p\":\"娱乐\",\"c\":\"歌\"}]",
     "[0].c: \"歌\" is not below \"娱乐\" in the vocabulary"                                                                                        },
};

static void terms_are_found_where_the_rule_says(void **state)
{
    struct err err = {0};
    struct vocabulary *v = parse(TREE, NULL, &err);

    (void)state;
    assert_non_null(v);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct vocabulary_rule rule = {places[i].at, places[i].parent, places[i].child};
        struct json_value value;
        char why[WHY_MAX] = "";

        print_message("  %s\n", places[i].answer);
        assert_true(json_scan(places[i].answer, strlen(places[i].answer), &value, NULL));
        assert_int_equal(vocabulary_check(v, &rule, &value, why), places[i].why == NULL);
        assert_string_equal(why, places[i].why == NULL ? "" : places[i].why);
        assert_int_equal(vocabulary_check(v, &rule, &value, NULL), places[i].why == NULL);
    }
    vocabulary_free(v);
}

static void a_term_too_long_for_the_file_is_refused_and_never_found(void **state)
{
    struct err err = {0};
    struct vocabulary_rule rule = {0};
    struct buf text = BUF_INIT(1 << 20);
    struct json_value root;
    struct vocabulary *v = parse("[\"a\"]", NULL, &err);

    (void)state;
    assert_true(buf_printf(&text, "[\"%0600d\"]", 1));
    assert_null(parse(text.data, NULL, &err));
    assert_string_equal(err.msg, "v.json:1:2: a term is longer than 511 bytes");
    buf_clear(&text);
    assert_true(buf_printf(&text, "\"%05000d\"", 1));
    assert_true(json_scan(text.data, text.len, &root, NULL));
    assert_false(vocabulary_check(v, &rule, &root, NULL));
    vocabulary_free(v);
    buf_release(&text);
}

static void a_large_vocabulary_is_found_term_by_term(void **state)
{
    struct err err = {0};
    struct vocabulary_rule rule = {0};
    struct buf text = BUF_INIT(1 << 22);
    struct json_value root;

    (void)state;
    for (size_t i = 0; i < 20000; i++)
        assert_true(buf_printf(&text, "%s\"term %zu\"", i == 0 ? "[" : ",", i));
    assert_true(buf_append(&text, "]", 1));

    struct vocabulary *v = parse(text.data, NULL, &err);

    assert_non_null(v);
    assert_true(json_scan(text.data, text.len, &root, NULL));
    assert_true(vocabulary_check(v, &rule, &root, NULL));
    vocabulary_free(v);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_reads_as_the_same_tree),
        cmocka_unit_test(a_mistake_in_a_vocabulary_is_named_with_its_place),
        cmocka_unit_test(too_many_levels_are_refused),
        cmocka_unit_test(terms_are_found_where_the_rule_says),
        cmocka_unit_test(a_term_too_long_for_the_file_is_refused_and_never_found),
        cmocka_unit_test(a_large_vocabulary_is_found_term_by_term),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
