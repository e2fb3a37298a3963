#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/recipe/schema.h"

static struct schema *parse(const char *text, struct err *err)
{
    return schema_parse("s.json", text, strlen(text), err);
}

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"{\n  \"type\": \"object\",\n  \"propertes\": {}\n}",
     "s.json:3:3: unknown keyword \"propertes\"; did you mean \"properties\"?"                                                                        },
    {"{\"additionalproperties\": false}",
     "s.json:1:2: unknown keyword \"additionalproperties\"; did you mean "
     "\"additionalProperties\"?"                                                                                                                      },
    {"{\"wurst\": 1}",                                                          "s.json:1:2: unknown keyword \"wurst\""                               },
    {"{\"properties\": {\"情感\": {\"enums\": [1]}}}",
     "s.json:1:24: unknown keyword \"enums\"; did you mean \"enum\"?"                                                                                 },
    {"{\"prefixItems\": []}",                                                   "s.json:1:2: the keyword \"prefixItems\" is not supported"            },
    {"{\"if\": true}",                                                          "s.json:1:2: the keyword \"if\" is not supported"                     },
    {"{\"type\": \"int\"}",                                                     "s.json:1:10: type must be null, boolean, integer, number, string, "
                            "array or object, or a list of them; did you mean \"integer\"?"                                },
    {"{\"type\": [\"array\", \"strng\"]}",
     "s.json:1:20: type must be null, boolean, integer, number, "
     "string, array or object, or a list of them; did you mean \"string\"?"                                                                           },
    {"{\"type\": 3}",                                                           "s.json:1:10: type must be null, boolean, integer, number, string, "
                      "array or object, or a list of them"                                                                       },
    {"{\"type\": []}",                                                          "s.json:1:10: type must name at least one type"                       },
    {"{\"enum\": []}",                                                          "s.json:1:10: enum must be a list of values"                          },
    {"{\"anyOf\": {}}",                                                         "s.json:1:11: expected a list of schemas"                             },
    {"{\"oneOf\": []}",                                                         "s.json:1:11: expected a list of schemas"                             },
    {"{\"not\": 1}",                                                            "s.json:1:9: a schema must be an object, true or false"               },
    {"[]",                                                                      "s.json:1:1: a schema must be an object, true or false"               },
    {"{\"minimum\": \"1\"}",                                                    "s.json:1:13: expected a number"                                      },
    {"{\"exclusiveMinimum\": true}",                                            "s.json:1:22: expected a number"                                      },
    {"{\"multipleOf\": 0}",
     "s.json:1:16: multipleOf must be a number above 0 with at most 18 digits"                                                                        },
    {"{\"multipleOf\": -1}",
     "s.json:1:16: multipleOf must be a number above 0 with at most 18 digits"                                                                        },
    {"{\"multipleOf\": 1234567890123456789}",
     "s.json:1:16: multipleOf must be a number above 0 with at most 18 digits"                                                                        },
    {"{\"minLength\": -1}",                                                     "s.json:1:15: expected a whole number from 0"                         },
    {"{\"maxItems\": 1.5}",                                                     "s.json:1:14: expected a whole number from 0"                         },
    {"{\"minProperties\": null}",                                               "s.json:1:19: expected a whole number from 0"                         },
    {"{\"uniqueItems\": 1}",                                                    "s.json:1:17: uniqueItems must be true or false"                      },
    {"{\"items\": [{}]}",
     "s.json:1:11: items must be one schema; a list of schemas is not supported"                                                                      },
    {"{\"required\": [1]}",                                                     "s.json:1:15: required must be a list of names"                       },
    {"{\"required\": true}",                                                    "s.json:1:14: required must be a list of names"                       },
    {"{\"properties\": []}",                                                    "s.json:1:16: properties must be an object of schemas"                },
    {"{\"$defs\": []}",                                                         "s.json:1:11: definitions must be an object of schemas"               },
    {"{\"pattern\": \"(\"}",                                                    "s.json:1:13: this pattern cannot be used: a group is not closed"     },
    {"{\"pattern\": 1}",                                                        "s.json:1:13: pattern must be a string"                               },
    {"{\"type\": \"null\",\n\"type\": \"null\"}",                               "s.json:2:1: \"type\" is there twice"                                 },
    {"{\"$ref\": \"http://x/y\"}",
     "s.json:1:10: $ref must be \"#\" or \"#/...\", inside the same schema"                                                                           },
    {"{\"$ref\": 1}",                                                           "s.json:1:10: $ref must be a string"                                  },
    {"{\"$ref\": \"#x\"}",                                                      "s.json:1:10: $ref must be \"#\" or \"#/...\", inside the same schema"},
    {"{\"$ref\": \"#/$defs/a\"}",                                               "s.json:1:10: there is no schema at $ref \"#/$defs/a\""               },
    {"{\"title\": \"x\", \"items\": {\"$ref\": \"#/title\"}}",
     "s.json:1:34: there is no schema at $ref \"#/title\""                                                                                            },
    {"{\"$ref\": \"#/$defs/a\", \"type\": \"null\", \"$defs\": {\"a\": true}}",
     "s.json:1:23: \"type\" beside $ref is not supported; use allOf"                                                                                  },
    {"{\"$ref\": \"#\"}",                                                       "s.json:1:1: this schema refers to itself without end"                },
    {"{\"$defs\": {\"a\": {\"$ref\": \"#/$defs/b\"}, \"b\": {\"allOf\": [{\"$ref\": "
     "\"#/$defs/a\"}]}}}",                                                 "s.json:1:17: this schema refers to itself without end"               },
    {"{\"not\": {\"anyOf\": [{}, {\"$ref\": \"#\"}]}}",
     "s.json:1:1: this schema refers to itself without end"                                                                                           },
    {"{\"properties\": {\"a\": {\"$id\": \"x\"}}}",
     "s.json:1:30: $id is supported at the top of a schema only"                                                                                      },
    {"{\"type\": }",                                                            "s.json:1:10: not valid JSON: expected a value"                       },
    {"",                                                                        "s.json:1:1: not valid JSON: expected a value"                        },
};

static void a_mistake_in_a_schema_is_named_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct err err = {0};

        print_message("  %s\n", mistakes[i].text);
        assert_null(parse(mistakes[i].text, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_string_equal(err.msg, mistakes[i].message);
    }
}

#define POLARITY                                                                       \
    "{\"type\":\"object\",\"required\":[\"polarity\"],\"additionalProperties\":false," \
    "\"properties\":{\"polarity\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}," \
    "\"why\":{\"type\":[\"string\",\"null\"],\"maxLength\":4}}}"
#define TOPICS                                                                                  \
    "{\"type\":\"object\",\"properties\":{\"topics\":{\"type\":\"array\",\"minItems\":1,"       \
    "\"maxItems\":3,\"uniqueItems\":true,\"items\":{\"$ref\":\"#/$defs/topic\"}}},"             \
    "\"$defs\":{\"topic\":{\"type\":\"object\",\"properties\":{\"name\":{\"enum\":[\"体育\"," \
    "\"财经\"]},\"score\":{\"type\":\"integer\"},\"code\":{\"pattern\":\"^[A-Z]+$\"}}}}}"
#define TREE                                                                             \
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"children\":{" \
    "\"items\":{\"$ref\":\"#\"}}},\"required\":[\"name\"]}"
#define CHOICE "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"required\":[\"a\"]}]}"

static const struct {
    const char *schema, *value;
    const char *why; /* NULL: it is valid */
} answers[] = {
    {POLARITY,                                                                                "{\"polarity\":3}",                                                   NULL                                                   },
    {POLARITY,                                                                                "{\"polarity\":3.0,\"why\":null}",                                    NULL                                                   },
    {POLARITY,                                                                                "{\"polarity\":\"三\"}",                                             "polarity: expected an integer, got a string (\"三\")"},
    {POLARITY,                                                                                "{\"polarity\":\"3\"}",                                               "polarity: expected an integer, got a string (\"3\")"  },
    {POLARITY,                                                                                "{\"polarity\":3.5}",                                                 "polarity: expected an integer, got 3.5"               },
    {POLARITY,                                                                                "{\"polarity\":6}",                                                   "polarity: expected at most 5, got 6"                  },
    {POLARITY,                                                                                "{\"polarity\":0}",                                                   "polarity: expected at least 1, got 0"                 },
    {POLARITY,                                                                                "{}",                                                                 "polarity: is missing"                                 },
    {POLARITY,                                                                                "3",                                                                  "expected an object, got 3"                            },
    {POLARITY,                                                                                "[{\"polarity\":3}]",                                                 "expected an object, got an array"                     },
    {POLARITY,                                                                                "{\"polarity\":3,\"comment\":\"x\"}",                                 "comment: such a member is not allowed"                },
    {POLARITY,                                                                                "{\"polarity\":3,\"why\":true}",                                      "why: expected null or a string, got true"             },
    {POLARITY,                                                                                "{\"polarity\":3,\"why\":\"情感极性的\"}",
     "why: expected at most 4 characters, got 5"                                                                                                                                                                           },
    {TOPICS,                                                                                  "{\"topics\":[{\"name\":\"体育\",\"score\":1}]}",                   NULL                                                   },
    {TOPICS,                                                                                  "{\"topics\":[{\"score\":1},{\"score\":2},{\"score\":\"high\"}]}",
     "topics[2].score: expected an integer, got a string (\"high\")"                                                                                                                                                       },
    {TOPICS,                                                                                  "{\"topics\":[]}",                                                    "topics: expected at least 1 element, got 0"           },
    {TOPICS,                                                                                  "{\"topics\":[{},{\"score\":1},{\"score\":2},{\"score\":3}]}",
     "topics: expected at most 3 elements, got 4"                                                                                                                                                                          },
    {TOPICS,                                                                                  "{\"topics\":[{\"score\":1},{\"score\":1.0}]}",
     "topics: expected elements that differ, got one twice"                                                                                                                                                                },
    {TOPICS,                                                                                  "{\"topics\":[{\"name\":\"娱乐\"}]}",
     "topics[0].name: expected one of \"体育\", \"财经\", got a string (\"娱乐\")"                                                                                                                                   },
    {TOPICS,                                                                                  "{\"topics\":[{\"code\":\"ab\"}]}",
     "topics[0].code: expected a match of \"^[A-Z]+$\", got a string (\"ab\")"                                                                                                                                             },
    {TREE,                                                                                    "{\"name\":\"a\",\"children\":[{\"name\":\"b\",\"children\":[]}]}",   NULL                                                   },
    {TREE,                                                                                    "{\"name\":\"a\",\"children\":[{\"name\":\"b\",\"children\":[{}]}]}",
     "children[0].children[0].name: is missing"                                                                                                                                                                            },
    {CHOICE,                                                                                  "null",                                                               NULL                                                   },
    {CHOICE,                                                                                  "{}",                                                                 "a: is missing"                                        },
    {CHOICE,                                                                                  "1",                                                                  "expected a value that fits one of the schemas, got 1" },
    {"{\"oneOf\":[{\"minimum\":1},{\"maximum\":5}]}",                                         "3",
     "expected a value that fits only one of the schemas"                                                                                                                                                                  },
    {"{\"oneOf\":[{\"type\":\"string\"},{\"maximum\":5}]}",                                   "7",
     "expected a value that fits one of the schemas, got 7"                                                                                                                                                                },
    {"{\"not\":{\"type\":\"null\"}}",                                                         "null",                                                               "expected a value that does not fit, got null"         },
    {"{\"const\":{\"a\":1}}",                                                                 "{\"a\":1.0}",                                                        NULL                                                   },
    {"{\"const\":\"yes\"}",                                                                   "\"no\"",                                                             "expected a string (\"yes\"), got a string (\"no\")"   },
    {"false",                                                                                 "1",                                                                  "expected nothing, got 1"                              },
    {"true",                                                                                  "1",                                                                  NULL                                                   },
    {"{\"exclusiveMinimum\":0}",                                                              "0",                                                                  "expected more than 0, got 0"                          },
    {"{\"exclusiveMaximum\":1}",                                                              "1.0",                                                                "expected less than 1, got 1.0"                        },
    {"{\"maximum\":9007199254740992}",                                                        "9007199254740993",
     "expected at most 9007199254740992, got 9007199254740993"                                                                                                                                                             },
    {"{\"multipleOf\":0.5}",                                                                  "0.75",                                                               "expected a multiple of 0.5, got 0.75"                 },
    {"{\"minProperties\":1}",                                                                 "{}",                                                                 "expected at least 1 member, got 0"                    },
    {"{\"allOf\":[{\"type\":\"object\"},{\"required\":[\"b\"]}]}",                            "{}",                                                                 "b: is missing"                                        },
    {"{\"format\":\"date\",\"title\":\"t\",\"default\":1,\"examples\":[],\"$comment\":\"\"}",
     "\"no date\"",                                                                                                                                                 NULL                                                   },
};

static void why_an_answer_is_not_valid_names_place_and_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct err err = {0};
        struct schema *schema = parse(answers[i].schema, &err);
        struct json_value value;
        char why[WHY_MAX] = "";

        print_message("  %s %s\n", answers[i].value, err.msg);
        assert_non_null(schema);
        assert_true(json_scan(answers[i].value, strlen(answers[i].value), &value, NULL));
        assert_int_equal(schema_check(schema, &value, why), answers[i].why == NULL);
        assert_string_equal(why, answers[i].why == NULL ? "" : answers[i].why);
        assert_int_equal(schema_check(schema, &value, NULL), answers[i].why == NULL);
        schema_free(schema);
    }
}

static void a_reference_is_a_pointer_with_its_escapes(void **state)
{
    static const struct {
        const char *ref;
        bool finds;
    } cases[] = {
        {"#/$defs/a~1b",       true },
        {"#/$defs/a~0b",       true },
        {"#/$defs/a%25b",      true },
        {"#/$defs/a%20b",      true },
        {"#/%24defs/a%20b",    true },
        {"#/$defs/a/b",        false},
        {"#/anyOf/1",          true },
        {"#/anyOf/2",          false},
        {"#/anyOf/1x",         false},
        {"#/$defs/a%2",        false},
        {"#/$defs/list/items", true },
        {"#/$defs/list/type",  false},
        {"#/properties/here",  true },
        {"#/",                 false},
        {"#/$defs",            false},
    };
    char text[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct json_value value;
        struct schema *schema = NULL;

        print_message("  %s\n", cases[i].ref);
        (void)snprintf(text, sizeof(text),
                       "{\"$defs\":{\"a/b\":false,\"a~b\":false,\"a%%b\":false,\"a b\":false,"
                       "\"list\":{\"type\":\"array\",\"items\":false}},\"anyOf\":[true,false],"
                       "\"properties\":{\"here\":false,\"there\":{\"$ref\":\"%s\"}}}",
                       cases[i].ref);
        schema = parse(text, &err);
        assert_int_equal(schema != NULL, cases[i].finds);
        if (schema == NULL)
            continue;
        assert_true(json_scan("{\"there\":1}", 11, &value, NULL));
        assert_false(schema_check(schema, &value, NULL));
        schema_free(schema);
    }
}

static void long_words_are_cut_at_a_character(void **state)
{
    struct err err = {0};
    struct buf value = BUF_INIT(1 << 16);
    struct schema *schema =
        parse("{\"additionalProperties\":{\"items\":{\"type\":\"null\"}}}", &err);
    struct json_value root;
    char why[WHY_MAX];

    (void)state;
    assert_true(buf_printf(&value, "{\""));
    for (size_t i = 0; i < 100; i++)
        assert_true(buf_printf(&value, "情"));
    assert_true(buf_printf(&value, "\":[\""));
    for (size_t i = 0; i < 100; i++)
        assert_true(buf_printf(&value, "感\\n"));
    assert_true(buf_printf(&value, "\"]}"));
    assert_true(json_scan(value.data, value.len, &root, NULL));
    assert_false(schema_check(schema, &root, why));
    assert_true(strlen(why) < WHY_MAX);
    assert_non_null(strstr(why, "expected null, got a string (\"感?感?"));

    struct buf encoded = BUF_INIT(1 << 16); /* what is not UTF-8 would become U+FFFD */

    assert_true(json_string_encode(&encoded, why, strlen(why)));
    assert_null(strstr(encoded.data, "\xEF\xBF\xBD"));
    buf_release(&encoded);
    buf_release(&value);
    schema_free(schema);
}

/* A value that is @open many times, then @close many times. */
static void nest(struct buf *out, const char *open, const char *inner, const char *close, size_t n)
{
    out->len = 0;
    for (size_t i = 0; i < n; i++)
        assert_true(buf_append(out, open, strlen(open)));
    assert_true(buf_append(out, inner, strlen(inner)));
    for (size_t i = 0; i < n; i++)
        assert_true(buf_append(out, close, strlen(close)));
}

static void the_deepest_value_can_be_checked(void **state)
{
    struct err err = {0};
    struct buf value = BUF_INIT(1 << 20);
    struct schema *schema = parse("{\"items\":{\"$ref\":\"#\"},\"uniqueItems\":true}", &err);
    struct json_value root;

    (void)state;
    nest(&value, "[", "[1,1]", "]", JSON_DEPTH_MAX - 1);
    assert_true(json_scan(value.data, value.len, &root, NULL));
    assert_false(schema_check(schema, &root, NULL));
    nest(&value, "[", "[1,2]", "]", JSON_DEPTH_MAX - 1);
    assert_true(json_scan(value.data, value.len, &root, NULL));
    assert_true(schema_check(schema, &root, NULL));
    buf_release(&value);
    schema_free(schema);
}

static void a_schema_that_branches_at_every_level_ends(void **state)
{
    struct err err = {0};
    struct buf value = BUF_INIT(1 << 20);
    struct schema *schema =
        parse("{\"anyOf\":[{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"b\"]},"
              "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"c\"]}]}",
              &err);
    struct json_value root;
    char why[WHY_MAX] = "";
    clock_t start = clock();

    (void)state;
    nest(&value, "{\"a\":", "{}", "}", 200);
    assert_true(json_scan(value.data, value.len, &root, NULL));
    assert_false(schema_check(schema, &root, why));
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    buf_release(&value);
    schema_free(schema);
}

static void it_ends_also_where_every_branch_fails_at_the_bottom(void **state)
{
    struct err err = {0};
    struct buf value = BUF_INIT(1 << 20);
    struct schema *schema = parse("{\"anyOf\":[{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}},"
                                  "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}},"
                                  "{\"const\":1}]}",
                                  &err);
    struct json_value root;
    char why[WHY_MAX] = "";

    (void)state;
    nest(&value, "[", "2", "]", 60);
    assert_true(json_scan(value.data, value.len, &root, NULL));
    assert_false(schema_check(schema, &root, why));
    assert_string_equal(why, "it takes too much to check this answer");
    buf_release(&value);
    schema_free(schema);
}

static void many_elements_are_compared_in_little_time(void **state)
{
    struct err err = {0};
    struct buf value = BUF_INIT(1 << 24);
    struct schema *schema = parse("{\"uniqueItems\":true}", &err);
    struct json_value root;
    clock_t start = clock();

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        assert_true(buf_printf(&value, "%s{\"id\":%zu}", i == 0 ? "[" : ",", i));
    assert_true(buf_append(&value, "]", 1));
    assert_true(json_scan(value.data, value.len, &root, NULL));
    assert_true(schema_check(schema, &root, NULL));
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    buf_release(&value);
    schema_free(schema);
}

/* An object of @count members, from the first to the last or the other way round. */
static void put_members(struct buf *out, int count, bool reversed)
{
    for (int i = 0; i < count; i++)
        assert_true(
            buf_printf(out, "%s\"k%d\":1", i == 0 ? "{" : ",", reversed ? count - 1 - i : i));
    assert_true(buf_append(out, "}", 1));
}

static void equal_objects_of_many_members_are_found_in_little_time(void **state)
{
    static const char *const words[] = {"const", "enum", "uniqueItems"};
    clock_t start = clock();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        bool unique = strcmp(words[i], "uniqueItems") == 0;
        bool list = unique || strcmp(words[i], "enum") == 0;
        struct buf text = BUF_INIT(1 << 22);
        struct buf value = BUF_INIT(1 << 22);
        struct json_value root;
        struct schema *schema;
        struct err err = {0};

        assert_true(buf_printf(&text, "{\"%s\":%s", words[i], unique ? "true" : list ? "[" : ""));
        if (!unique)
            put_members(&text, 20000, false);
        assert_true(buf_printf(&text, "%s}", list && !unique ? "]" : ""));
        assert_true(!unique || buf_append(&value, "[", 1));
        put_members(&value, 20000, true);
        if (unique) {
            assert_true(buf_append(&value, ",", 1));
            put_members(&value, 20000, false);
            assert_true(buf_append(&value, "]", 1));
        }
        schema = parse(text.data, &err);
        assert_non_null(schema);
        assert_true(json_scan(value.data, value.len, &root, NULL));
        assert_int_equal(schema_check(schema, &root, NULL), !unique);
        schema_free(schema);
        buf_release(&text);
        buf_release(&value);
    }
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

static void a_long_text_deep_inside_is_not_read_over_at_every_level_for_ever(void **state)
{
    static const char *const schemas[] = {
        "{\"uniqueItems\":true,\"items\":{\"$ref\":\"#\"}}",
        "{\"items\":{\"$ref\":\"#\"}}",
    };
    struct buf inner = BUF_INIT(1 << 23);
    struct buf value = BUF_INIT(1 << 23);
    struct json_value root;
    char why[WHY_MAX];
    clock_t start = clock();

    (void)state;
    assert_true(buf_append(&inner, "\"", 1));
    while (inner.len < 4000000)
        assert_true(buf_printf(&inner, "many words of little sense, "));
    assert_true(buf_append(&inner, "\"", 1));
    nest(&value, "[1,", inner.data, "]", 1000);
    assert_true(json_scan(value.data, value.len, &root, NULL));
    for (size_t i = 0; i < ARRAY_LEN(schemas); i++) {
        struct err err = {0};
        struct schema *schema = parse(schemas[i], &err);

        assert_false(schema_check(schema, &root, why));
        assert_string_equal(why, "it takes too much to check this answer");
        schema_free(schema);
    }
    assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
    buf_release(&inner);
    buf_release(&value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_in_a_schema_is_named_with_its_place),
        cmocka_unit_test(why_an_answer_is_not_valid_names_place_and_value),
        cmocka_unit_test(a_reference_is_a_pointer_with_its_escapes),
        cmocka_unit_test(long_words_are_cut_at_a_character),
        cmocka_unit_test(the_deepest_value_can_be_checked),
        cmocka_unit_test(a_schema_that_branches_at_every_level_ends),
        cmocka_unit_test(it_ends_also_where_every_branch_fails_at_the_bottom),
        cmocka_unit_test(many_elements_are_compared_in_little_time),
        cmocka_unit_test(equal_objects_of_many_members_are_found_in_little_time),
        cmocka_unit_test(a_long_text_deep_inside_is_not_read_over_at_every_level_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
