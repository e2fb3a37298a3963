/* What is JSON (RFC 8259) and what is not, one case a row. */
#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

#define TEXT(literal) literal, sizeof(literal) - 1

struct accepted {
    const char *text;
    size_t len;
    enum json_kind kind;
    const char *value; /* NULL: the whole text */
};

static const struct accepted accepted[] = {
    {TEXT("null"),                                                             JSON_NULL,   NULL         },
    {TEXT("true"),                                                             JSON_BOOL,   NULL         },
    {TEXT("false"),                                                            JSON_BOOL,   NULL         },
    {TEXT("0"),                                                                JSON_NUMBER, NULL         },
    {TEXT("-0"),                                                               JSON_NUMBER, NULL         },
    {TEXT("1"),                                                                JSON_NUMBER, NULL         },
    {TEXT("-1"),                                                               JSON_NUMBER, NULL         },
    {TEXT("10"),                                                               JSON_NUMBER, NULL         },
    {TEXT("1234567890"),                                                       JSON_NUMBER, NULL         },
    {TEXT("0.0"),                                                              JSON_NUMBER, NULL         },
    {TEXT("0.5"),                                                              JSON_NUMBER, NULL         },
    {TEXT("-0.5"),                                                             JSON_NUMBER, NULL         },
    {TEXT("1.000"),                                                            JSON_NUMBER, NULL         },
    {TEXT("0e0"),                                                              JSON_NUMBER, NULL         },
    {TEXT("0E+0"),                                                             JSON_NUMBER, NULL         },
    {TEXT("1e5"),                                                              JSON_NUMBER, NULL         },
    {TEXT("1E5"),                                                              JSON_NUMBER, NULL         },
    {TEXT("1e+5"),                                                             JSON_NUMBER, NULL         },
    {TEXT("1e-5"),                                                             JSON_NUMBER, NULL         },
    {TEXT("1e005"),                                                            JSON_NUMBER, NULL         },
    {TEXT("1.5e5"),                                                            JSON_NUMBER, NULL         },
    {TEXT("-1.5E-5"),                                                          JSON_NUMBER, NULL         },
    {TEXT("1e400"),                                                            JSON_NUMBER, NULL         },
    {TEXT("-1e-400"),                                                          JSON_NUMBER, NULL         },
    {TEXT("9223372036854775808"),                                              JSON_NUMBER, NULL         },
    {TEXT("18446744073709551616"),                                             JSON_NUMBER, NULL         },
    {TEXT("123456789012345678901234567890123456789012345678901234567890"),     JSON_NUMBER, NULL         },
    {TEXT("0.1234567890123456789012345678901234567890"),                       JSON_NUMBER, NULL         },
    {TEXT("\"\""),                                                             JSON_STRING, NULL         },
    {TEXT("\"a\""),                                                            JSON_STRING, NULL         },
    {TEXT("\" \""),                                                            JSON_STRING, NULL         },
    {TEXT("\"fifteen bytes..\""),                                              JSON_STRING, NULL         },
    {TEXT("\"sixteen bytes...\""),                                             JSON_STRING, NULL         },
    {TEXT("\"a string that is longer than thirty-two bytes\""),                JSON_STRING, NULL         },
    {TEXT("\"\\\"\""),                                                         JSON_STRING, NULL         },
    {TEXT("\"\\\\\""),                                                         JSON_STRING, NULL         },
    {TEXT("\"\\\\\\\"\""),                                                     JSON_STRING, NULL         },
    {TEXT("\"\\/\""),                                                          JSON_STRING, NULL         },
    {TEXT("\"/\""),                                                            JSON_STRING, NULL         },
    {TEXT("\"\\b\\f\\n\\r\\t\""),                                              JSON_STRING, NULL         },
    {TEXT("\"\\u0000\""),                                                      JSON_STRING, NULL         },
    {TEXT("\"\\u0041\""),                                                      JSON_STRING, NULL         },
    {TEXT("\"\\uabCD\""),                                                      JSON_STRING, NULL         },
    {TEXT("\"\\uFFFF\""),                                                      JSON_STRING, NULL         },
    {TEXT("\"\\ud83d\\ude00\""),                                               JSON_STRING, NULL         },
    {TEXT("\"\\ud800\""),                                                      JSON_STRING, NULL         },
    {TEXT("\"\\udc00\""),                                                      JSON_STRING, NULL         },
    {TEXT("\"\\udc00\\ud800\""),                                               JSON_STRING, NULL         },
    {TEXT("\"\\ud800\\n\""),                                                   JSON_STRING, NULL         },
    {TEXT("\"\x7F\""),                                                         JSON_STRING, NULL         },
    {TEXT("\"\xC2\x80\""),                                                     JSON_STRING, NULL         },
    {TEXT("\"\xDF\xBF\""),                                                     JSON_STRING, NULL         },
    {TEXT("\"\xE0\xA0\x80\""),                                                 JSON_STRING, NULL         },
    {TEXT("\"\xED\x9F\xBF\""),                                                 JSON_STRING, NULL         },
    {TEXT("\"\xEE\x80\x80\""),                                                 JSON_STRING, NULL         },
    {TEXT("\"\xEF\xBB\xBF\""),                                                 JSON_STRING, NULL         },
    {TEXT("\"\xEF\xBF\xBF\""),                                                 JSON_STRING, NULL         },
    {TEXT("\"\xE2\x80\xA8\xE2\x80\xA9\""),                                     JSON_STRING, NULL         },
    {TEXT("\"\xE4\xBD\xA0\xE5\xA5\xBD\xEF\xBC\x8C\xE4\xB8\x96\xE7\x95\x8C\""), JSON_STRING, NULL         },
    {TEXT("\"\xF0\x90\x80\x80\""),                                             JSON_STRING, NULL         },
    {TEXT("\"\xF0\x9F\x98\x80\""),                                             JSON_STRING, NULL         },
    {TEXT("\"\xF4\x8F\xBF\xBF\""),                                             JSON_STRING, NULL         },
    {TEXT("[]"),                                                               JSON_ARRAY,  NULL         },
    {TEXT("[ ]"),                                                              JSON_ARRAY,  NULL         },
    {TEXT("[1]"),                                                              JSON_ARRAY,  NULL         },
    {TEXT("[1,2]"),                                                            JSON_ARRAY,  NULL         },
    {TEXT("[ 1 , 2 ]"),                                                        JSON_ARRAY,  NULL         },
    {TEXT("[null,true,false,0,\"\",[],{}]"),                                   JSON_ARRAY,  NULL         },
    {TEXT("[[],[[]],[[],[]]]"),                                                JSON_ARRAY,  NULL         },
    {TEXT("[[[[[[[[1]]]]]]]]"),                                                JSON_ARRAY,  NULL         },
    {TEXT("[{\"a\":[{\"b\":[]}]}]"),                                           JSON_ARRAY,  NULL         },
    {TEXT("[\n1\r\n,\t2]"),                                                    JSON_ARRAY,  NULL         },
    {TEXT("{}"),                                                               JSON_OBJECT, NULL         },
    {TEXT("{ }"),                                                              JSON_OBJECT, NULL         },
    {TEXT("{\"a\":1}"),                                                        JSON_OBJECT, NULL         },
    {TEXT("{\"a\":1,\"b\":2}"),                                                JSON_OBJECT, NULL         },
    {TEXT("{ \"a\" : 1 , \"b\" : 2 }"),                                        JSON_OBJECT, NULL         },
    {TEXT("{\"a\":1,\"a\":2}"),                                                JSON_OBJECT, NULL         },
    {TEXT("{\"\":0}"),                                                         JSON_OBJECT, NULL         },
    {TEXT("{\"\\u0000\":0}"),                                                  JSON_OBJECT, NULL         },
    {TEXT("{\"a\":{\"b\":{\"c\":{}}}}"),                                       JSON_OBJECT, NULL         },
    {TEXT("{\"a\":[1,{\"b\":2},3],\"c\":4}"),                                  JSON_OBJECT, NULL         },
    {TEXT(" 1"),                                                               JSON_NUMBER, "1"          },
    {TEXT("1 "),                                                               JSON_NUMBER, "1"          },
    {TEXT("\t\r\n 1.5 \t\r\n"),                                                JSON_NUMBER, "1.5"        },
    {TEXT(" \"a\" "),                                                          JSON_STRING, "\"a\""      },
    {TEXT(" [ ] "),                                                            JSON_ARRAY,  "[ ]"        },
    {TEXT("\n{\"a\" : 1}\n"),                                                  JSON_OBJECT, "{\"a\" : 1}"},
    {TEXT(" true\r"),                                                          JSON_BOOL,   "true"       },
};

struct refused {
    const char *text;
    size_t len;
    size_t offset;
    const char *what;
};

#define VALUE   "expected a value"
#define NAME    "expected a member name"
#define COLON   "expected a colon"
#define DIGIT   "expected a digit"
#define BEHIND  "text behind the value"
#define BRACKET "expected a comma or a closing bracket"
#define BRACE   "expected a comma or a closing brace"
#define ENDS    "the text ends inside a string"
#define CONTROL "a control character in a string"
#define ESCAPE  "an invalid escape sequence"
#define UTF8    "invalid UTF-8"

static const struct refused refused[] = {
    {TEXT(""),                                   0,  VALUE  },
    {TEXT(" "),                                  1,  VALUE  },
    {TEXT("\n\n"),                               2,  VALUE  },
    {TEXT("\0"),                                 0,  VALUE  },
    {TEXT("\xEF\xBB\xBF{}"),                     0,  VALUE  },
    {TEXT("nul"),                                0,  VALUE  },
    {TEXT("nulll"),                              4,  BEHIND },
    {TEXT("Null"),                               0,  VALUE  },
    {TEXT("NULL"),                               0,  VALUE  },
    {TEXT("tru"),                                0,  VALUE  },
    {TEXT("True"),                               0,  VALUE  },
    {TEXT("truefalse"),                          4,  BEHIND },
    {TEXT("fals"),                               0,  VALUE  },
    {TEXT("FALSE"),                              0,  VALUE  },
    {TEXT("NaN"),                                0,  VALUE  },
    {TEXT("nan"),                                0,  VALUE  },
    {TEXT("Infinity"),                           0,  VALUE  },
    {TEXT("-Infinity"),                          1,  DIGIT  },
    {TEXT("undefined"),                          0,  VALUE  },
    {TEXT("'a'"),                                0,  VALUE  },
    {TEXT("a"),                                  0,  VALUE  },
    {TEXT("+1"),                                 0,  VALUE  },
    {TEXT("-"),                                  1,  DIGIT  },
    {TEXT("--1"),                                1,  DIGIT  },
    {TEXT("- 1"),                                1,  DIGIT  },
    {TEXT("00"),                                 1,  BEHIND },
    {TEXT("01"),                                 1,  BEHIND },
    {TEXT("-01"),                                2,  BEHIND },
    {TEXT("1."),                                 2,  DIGIT  },
    {TEXT("1.e5"),                               2,  DIGIT  },
    {TEXT(".5"),                                 0,  VALUE  },
    {TEXT("-.5"),                                1,  DIGIT  },
    {TEXT("1e"),                                 2,  DIGIT  },
    {TEXT("1e+"),                                3,  DIGIT  },
    {TEXT("1e-"),                                3,  DIGIT  },
    {TEXT("1e+-1"),                              3,  DIGIT  },
    {TEXT("1e5.5"),                              3,  BEHIND },
    {TEXT("1.2.3"),                              3,  BEHIND },
    {TEXT("0x10"),                               1,  BEHIND },
    {TEXT("1a"),                                 1,  BEHIND },
    {TEXT("1_000"),                              1,  BEHIND },
    {TEXT("1,000"),                              1,  BEHIND },
    {TEXT("1 2"),                                2,  BEHIND },
    {TEXT("1\0"),                                1,  BEHIND },
    {TEXT("\xEF\xBC\x91"),                       0,  VALUE  },
    {TEXT("\""),                                 1,  ENDS   },
    {TEXT("\"a"),                                2,  ENDS   },
    {TEXT("\"sixteen bytes..."),                 17, ENDS   },
    {TEXT("\"\\\""),                             3,  ENDS   },
    {TEXT("\"\\"),                               1,  ESCAPE },
    {TEXT("\"a\"b"),                             3,  BEHIND },
    {TEXT("\"a\"\"b\""),                         3,  BEHIND },
    {TEXT("\"\\a\""),                            1,  ESCAPE },
    {TEXT("\"\\'\""),                            1,  ESCAPE },
    {TEXT("\"\\0\""),                            1,  ESCAPE },
    {TEXT("\"\\x41\""),                          1,  ESCAPE },
    {TEXT("\"\\N\""),                            1,  ESCAPE },
    {TEXT("\"\\U0041\""),                        1,  ESCAPE },
    {TEXT("\"\\\n\""),                           1,  ESCAPE },
    {TEXT("\"\\\0\""),                           1,  ESCAPE },
    {TEXT("\"\\u\""),                            1,  ESCAPE },
    {TEXT("\"\\u1\""),                           1,  ESCAPE },
    {TEXT("\"\\u12\""),                          1,  ESCAPE },
    {TEXT("\"\\u123\""),                         1,  ESCAPE },
    {TEXT("\"\\u12"),                            1,  ESCAPE },
    {TEXT("\"\\u123g\""),                        1,  ESCAPE },
    {TEXT("\"\\u12-4\""),                        1,  ESCAPE },
    {TEXT("\"\\u 123\""),                        1,  ESCAPE },
    {TEXT("\"\\ud83d\\u\""),                     7,  ESCAPE },
    {TEXT("\"\0\""),                             1,  CONTROL},
    {TEXT("\"\x01\""),                           1,  CONTROL},
    {TEXT("\"\b\""),                             1,  CONTROL},
    {TEXT("\"\t\""),                             1,  CONTROL},
    {TEXT("\"\n\""),                             1,  CONTROL},
    {TEXT("\"\r\""),                             1,  CONTROL},
    {TEXT("\"\x1F\""),                           1,  CONTROL},
    {TEXT("\"more than sixteen\x1F and more\""), 18, CONTROL},
    {TEXT("\"\x80\""),                           1,  UTF8   },
    {TEXT("\"\xBF\""),                           1,  UTF8   },
    {TEXT("\"\xC0\x80\""),                       1,  UTF8   },
    {TEXT("\"\xC0\xAF\""),                       1,  UTF8   },
    {TEXT("\"\xC1\xBF\""),                       1,  UTF8   },
    {TEXT("\"\xC2\""),                           1,  UTF8   },
    {TEXT("\"\xC2"),                             1,  UTF8   },
    {TEXT("\"\xC2\xC2\x80\""),                   1,  UTF8   },
    {TEXT("\"\xE0\x80\x80\""),                   1,  UTF8   },
    {TEXT("\"\xE0\x9F\xBF\""),                   1,  UTF8   },
    {TEXT("\"\xE2\x80\""),                       1,  UTF8   },
    {TEXT("\"\xE2\x80"),                         1,  UTF8   },
    {TEXT("\"\xE2\x28\xA1\""),                   1,  UTF8   },
    {TEXT("\"\xED\xA0\x80\""),                   1,  UTF8   },
    {TEXT("\"\xED\xBF\xBF\""),                   1,  UTF8   },
    {TEXT("\"\xF0\x80\x80\x80\""),               1,  UTF8   },
    {TEXT("\"\xF0\x8F\xBF\xBF\""),               1,  UTF8   },
    {TEXT("\"\xF0\x9F\x98\""),                   1,  UTF8   },
    {TEXT("\"\xF0\x9F\x98"),                     1,  UTF8   },
    {TEXT("\"\xF4\x90\x80\x80\""),               1,  UTF8   },
    {TEXT("\"\xF5\x80\x80\x80\""),               1,  UTF8   },
    {TEXT("\"\xF8\x88\x80\x80\x80\""),           1,  UTF8   },
    {TEXT("\"\xFE\""),                           1,  UTF8   },
    {TEXT("\"\xFF\""),                           1,  UTF8   },
    {TEXT("\"\xE4\xBD\xA0\xFF\""),               4,  UTF8   },
    {TEXT("\"\\n\xFF\""),                        3,  UTF8   },
    {TEXT("["),                                  1,  VALUE  },
    {TEXT("[1"),                                 2,  BRACKET},
    {TEXT("[1,"),                                3,  VALUE  },
    {TEXT("[1,]"),                               3,  VALUE  },
    {TEXT("[,]"),                                1,  VALUE  },
    {TEXT("[,1]"),                               1,  VALUE  },
    {TEXT("[1,,2]"),                             3,  VALUE  },
    {TEXT("[1 2]"),                              3,  BRACKET},
    {TEXT("[1}"),                                2,  BRACKET},
    {TEXT("[1:2]"),                              2,  BRACKET},
    {TEXT("[\"a\":1]"),                          4,  BRACKET},
    {TEXT("]"),                                  0,  VALUE  },
    {TEXT("[]]"),                                2,  BEHIND },
    {TEXT("[[]"),                                3,  BRACKET},
    {TEXT("[1]x"),                               3,  BEHIND },
    {TEXT("[1] [2]"),                            4,  BEHIND },
    {TEXT("[/* no */1]"),                        1,  VALUE  },
    {TEXT("[1] // no"),                          4,  BEHIND },
    {TEXT("[\v1]"),                              1,  VALUE  },
    {TEXT("[\f1]"),                              1,  VALUE  },
    {TEXT("[\xC2\xA0"
          "1]"),
     1,                                              VALUE  },
    {TEXT("{"),                                  1,  NAME   },
    {TEXT("}"),                                  0,  VALUE  },
    {TEXT("{]"),                                 1,  NAME   },
    {TEXT("{\"a\""),                             4,  COLON  },
    {TEXT("{\"a\":"),                            5,  VALUE  },
    {TEXT("{\"a\":1"),                           6,  BRACE  },
    {TEXT("{\"a\":1,"),                          7,  NAME   },
    {TEXT("{\"a\":1,}"),                         7,  NAME   },
    {TEXT("{,}"),                                1,  NAME   },
    {TEXT("{\"a\":1,,\"b\":2}"),                 7,  NAME   },
    {TEXT("{\"a\" 1}"),                          5,  COLON  },
    {TEXT("{\"a\",1}"),                          4,  COLON  },
    {TEXT("{\"a\"::1}"),                         5,  VALUE  },
    {TEXT("{\"a\":}"),                           5,  VALUE  },
    {TEXT("{\"a\"}"),                            4,  COLON  },
    {TEXT("{\"a\":1]"),                          6,  BRACE  },
    {TEXT("{\"a\":1 \"b\":2}"),                  7,  BRACE  },
    {TEXT("{\"a\":1 2}"),                        7,  BRACE  },
    {TEXT("{a:1}"),                              1,  NAME   },
    {TEXT("{'a':1}"),                            1,  NAME   },
    {TEXT("{1:1}"),                              1,  NAME   },
    {TEXT("{null:1}"),                           1,  NAME   },
    {TEXT("{[]:1}"),                             1,  NAME   },
    {TEXT("{\"a\n\":1}"),                        3,  CONTROL},
    {TEXT("{\"\\q\":1}"),                        2,  ESCAPE },
    {TEXT("{\"a\":1}{}"),                        7,  BEHIND },
    {TEXT("{\"a\":1},"),                         7,  BEHIND },
    {TEXT("{\"a\":[1,{\"b\":tru}]}"),            13, VALUE  },
    {TEXT("{\"a\":{\"b\":1,}}"),                 12, NAME   },
    {TEXT("{}\0"),                               2,  BEHIND },
};

/* A copy whose end is the end of its memory: the address sanitizer sees any look behind it. */
static char *exact(const char *text, size_t len)
{
    char *copy = malloc(len == 0 ? 1 : len);

    assert_non_null(copy);
    memcpy(copy, text, len);
    return copy;
}

static void every_accepted_text_is_one_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        const struct accepted *c = &accepted[i];
        char *copy = exact(c->text, c->len);
        struct json_value root = {0};
        const char *want = c->value != NULL ? c->value : c->text;
        size_t want_len = c->value != NULL ? strlen(c->value) : c->len;

        print_message("  %s\n", c->text);
        assert_true(json_scan(copy, c->len, &root, NULL));
        assert_int_equal(root.kind, c->kind);
        assert_int_equal(root.len, want_len);
        assert_memory_equal(root.text, want, want_len);
        free(copy);
    }
}

static void every_refused_text_says_where_and_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const struct refused *c = &refused[i];
        char *copy = exact(c->text, c->len);
        struct json_value root = {0};
        struct json_error error = {0};

        print_message("  %s\n", c->text);
        assert_false(json_scan(copy, c->len, &root, &error));
        assert_int_equal(root.kind, JSON_ABSENT);
        assert_string_equal(error.what, c->what);
        assert_int_equal(error.offset, c->offset);
        assert_false(json_scan(copy, c->len, &root, NULL));
        free(copy);
    }
}

/* The same rows as a member's value: scanned by the other entry, at depth one. */
static void a_members_value_is_judged_the_same(void **state)
{
    static const char *const names[] = {"k"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(accepted) + ARRAY_LEN(refused); i++) {
        bool good = i < ARRAY_LEN(accepted);
        const char *part = good ? accepted[i].text : refused[i - ARRAY_LEN(accepted)].text;
        size_t part_len = good ? accepted[i].len : refused[i - ARRAY_LEN(accepted)].len;
        size_t len = 5 + part_len + 1;
        struct json_value out;

        assert_true(len < sizeof(text));
        memcpy(text, "{\"k\":", 5);
        memcpy(text + 5, part, part_len);
        text[5 + part_len] = '}';
        print_message("  %.*s\n", (int)len, text);

        char *copy = exact(text, len);

        assert_int_equal(json_scan_object(copy, len, names, 1, &out, NULL), good);
        assert_int_equal(out.kind, good ? accepted[i].kind : JSON_ABSENT);
        free(copy);
    }
}

/* No cut of a text that is open at its end is JSON. */
static void no_beginning_of_an_object_is_accepted(void **state)
{
    static const char text[] =
        "{\"a\\n\xE4\xBD\xA0\":[1.5e-3,true,null,{\"b\":\"\\ud83d\\ude00\"}],"
        "\"c\":{\"d\":[[],{}]},\"e\":\"a string longer than sixteen\"}";
    struct json_value root;

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char *copy = exact(text, len);
        struct json_error error = {0};

        assert_false(json_scan(copy, len, &root, &error));
        assert_true(error.offset <= len);
        free(copy);
    }
    assert_true(json_scan(text, sizeof(text) - 1, &root, NULL));
}

/* Every place of a special byte relative to a block of sixteen. */
static void a_special_byte_is_seen_at_every_place(void **state)
{
    char text[80];
    struct json_value root;

    (void)state;
    for (size_t at = 1; at < sizeof(text) - 1; at++) {
        memset(text, 'x', sizeof(text));
        text[0] = text[sizeof(text) - 1] = '"';
        assert_true(json_scan(text, sizeof(text), &root, NULL));
        text[at] = '\x01';
        assert_false(json_scan(text, sizeof(text), &root, NULL));
        text[at] = '\xFF';
        assert_false(json_scan(text, sizeof(text), &root, NULL));
        text[at] = '"';
        assert_false(json_scan(text, sizeof(text), &root, NULL));
        text[at] = '\\';
        assert_false(json_scan(text, sizeof(text), &root, NULL));
    }
}

static bool nested(size_t depth, char open, char close, bool object)
{
    static const char *const names[] = {"x"};
    static char text[8 * (JSON_DEPTH_MAX + 10)];
    struct json_value root;
    size_t len = 0;

    for (size_t i = 0; i < depth; i++) {
        text[len++] = open;
        if (open == '{') {
            memcpy(text + len, "\"x\":", 4);
            len += 4;
        }
    }
    text[len++] = '1';
    for (size_t i = 0; i < depth; i++)
        text[len++] = close;
    return object ? json_scan_object(text, len, names, 1, &root, NULL)
                  : json_scan(text, len, &root, NULL);
}

static void nesting_ends_at_its_limit(void **state)
{
    (void)state;
    assert_true(nested(JSON_DEPTH_MAX, '[', ']', false));
    assert_false(nested(JSON_DEPTH_MAX + 1, '[', ']', false));
    assert_true(nested(JSON_DEPTH_MAX, '{', '}', false));
    assert_false(nested(JSON_DEPTH_MAX + 1, '{', '}', false));
    assert_true(nested(JSON_DEPTH_MAX, '{', '}', true));
    assert_false(nested(JSON_DEPTH_MAX + 1, '{', '}', true));
}

static void a_million_open_brackets_cost_no_stack(void **state)
{
    enum { COUNT = 1000000 };
    char *text = malloc(COUNT);
    struct json_value root;
    struct json_error error;

    (void)state;
    assert_non_null(text);
    memset(text, '[', COUNT);
    assert_false(json_scan(text, COUNT, &root, &error));
    assert_string_equal(error.what, "nested too deeply");
    assert_int_equal(error.offset, JSON_DEPTH_MAX);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accepted_text_is_one_value),
        cmocka_unit_test(every_refused_text_says_where_and_why),
        cmocka_unit_test(a_members_value_is_judged_the_same),
        cmocka_unit_test(no_beginning_of_an_object_is_accepted),
        cmocka_unit_test(a_special_byte_is_seen_at_every_place),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(a_million_open_brackets_cost_no_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
