#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/recipe/condition.h"

/* The row that all conditions are asked of. */
static const char row_text[] =
    "{\"content\":\"hello\",\"empty\":\"\",\"n\":3,\"big\":9007199254740993,\"real\":2.50,"
    "\"zero\":0.0e7,\"t\":true,\"f\":false,\"null\":null,\"tags\":[\"a\",\"sports\",3],"
    "\"none\":[],\"o\":{\"x\":1,\"deep\":{\"y\":\"z\"}},\"oo\":{},\"csv\":\"42\",\"date\":"
    "\"2026-05-01\",\"escaped\":\"\\u4f60\\u597d\",\"plain\":\"\xE4\xBD\xA0\xE5\xA5\xBD\","
    "\"user name\":\"Ann\",\"a.b\":\"dotted\",\"e400\":1e400,\"quote\":\"it's\","
    "\"\xE5\x86\x85\xE5\xAE\xB9\":\"\xE5\xA5\xBD\",\"neg\":-7,\"minus0\":-0,\"spaced\":\" 5 \","
    "\"nul\":\"a\\u0000b\",\"huge\":18446744073709551616,\"in_\":1}";

static const struct {
    const char *text;
    bool want;
} cases[] = {
    {"content != ''",                              true },
    {"content == 'hello'",                         true },
    {"content == \"hello\"",                       true },
    {"content=='hello'",                           true },
    {"'hello' == content",                         true },
    {"content == 'Hello'",                         false},
    {"content == 'hell'",                          false},
    {"content < 'hello!'",                         true },
    {"content <= 'hello'",                         true },
    {"content > 'hel'",                            true },
    {"content >= 'hello'",                         true },
    {"content < 'hello'",                          false},
    {"date >= '2026-01-01' and date < '2027'",     true },
    {"quote == 'it''s'",                           true },
    {"quote == \"it's\"",                          true },
    {"quote == 'it\\'s'",                          true },
    {"escaped == plain",                           true },
    {"escaped == '\xE4\xBD\xA0\xE5\xA5\xBD'",      true },
    {"escaped < '\xE4\xBD\xA1'",                   true },
    {"escaped > '\xE4\xBD\xA0'",                   true },
    {"escaped > plain",                            false},
    {"nul > 'a'",                                  true },
    {"nul == 'a'",                                 false},
    {"n == 3",                                     true },
    {"n == 3.0",                                   true },
    {"n == 30e-1",                                 true },
    {"n != 3",                                     false},
    {"n < 4 and n <= 3 and n > 2 and n >= 3",      true },
    {"n > 3",                                      false},
    {"3 < n",                                      false},
    {"neg < -6",                                   true },
    {"minus0 == 0",                                true },
    {"big == 9007199254740992",                    false},
    {"big > 9007199254740992",                     true },
    {"big == 9007199254740993",                    true },
    {"huge > 9223372036854775807",                 true },
    {"e400 > 1",                                   true },
    {"real == 2.5",                                true },
    {"real > 2",                                   true },
    {"csv == 42",                                  true },
    {"csv > 9",                                    true },
    {"csv == '42'",                                true },
    {"csv > '5'",                                  false},
    {"spaced == 5",                                true },
    {"content > 3",                                false},
    {"content < 3",                                false},
    {"content != 3",                               true },
    {"empty == 0",                                 false},
    {"t == true",                                  true },
    {"t == false",                                 false},
    {"f == false",                                 true },
    {"t != false",                                 true },
    {"t > false",                                  false},
    {"t == 'true'",                                false},
    {"null == null",                               true },
    {"missing == null",                            true },
    {"missing != null",                            false},
    {"content != null",                            true },
    {"content == null",                            false},
    {"missing == ''",                              false},
    {"missing != ''",                              true },
    {"missing < 1",                                false},
    {"missing <= null",                            true },
    {"missing == gone",                            true },
    {"tags == tags",                               false},
    {"content",                                    true },
    {"empty",                                      false},
    {"n",                                          true },
    {"zero",                                       false},
    {"t",                                          true },
    {"f",                                          false},
    {"null",                                       false},
    {"missing",                                    false},
    {"tags",                                       true },
    {"none",                                       false},
    {"o",                                          true },
    {"oo",                                         false},
    {"true",                                       true },
    {"not content",                                false},
    {"not not content",                            true },
    {"not missing",                                true },
    {"not n == 3",                                 false},
    {"not n == 4 and t",                           true },
    {"o.x == 1",                                   true },
    {"o.deep.y == 'z'",                            true },
    {"a.b == 'dotted'",                            true },
    {"tags.1 == 'sports'",                         true },
    {"`user name` == 'Ann'",                       true },
    {"`null` == null",                             true },
    {"\xE5\x86\x85\xE5\xAE\xB9 == '\xE5\xA5\xBD'", true },
    {"t or missing",                               true },
    {"missing or f or t",                          true },
    {"missing or f",                               false},
    {"t and f",                                    false},
    {"t and n and content",                        true },
    {"t or f and f",                               true },
    {"(t or f) and f",                             false},
    {"f and f or t",                               true },
    {"not (t and f)",                              true },
    {"((t))",                                      true },
    {"content in ['hello', 'x']",                  true },
    {"content in ['x','y']",                       false},
    {"content not in ['x','y']",                   true },
    {"content not in ['hello']",                   false},
    {"not content in ['hello']",                   false},
    {"n in [1, 2, 3]",                             true },
    {"n in ['3']",                                 true },
    {"csv in [42]",                                true },
    {"missing in [null, 'x']",                     true },
    {"'sports' in tags",                           true },
    {"'chess' in tags",                            false},
    {"3 in tags",                                  true },
    {"'chess' not in tags and t",                  true },
    {"'x' in none",                                false},
    {"'x' in content",                             false},
    {"'x' in o",                                   false},
    {"in_ == 1",                                   true },
};

static void test_what_a_condition_says_of_a_row(void **state)
{
    struct json_value row;

    (void)state;
    assert_true(json_scan(row_text, strlen(row_text), &row, NULL));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        struct condition *c = condition_parse(NULL, cases[i].text, &err);

        if (c == NULL)
            fail_msg("%s: %s", cases[i].text, err.msg);
        if (condition_holds(c, &row) != cases[i].want)
            fail_msg("%s: not %d", cases[i].text, cases[i].want);
        condition_free(c);
    }
}

static void test_order_is_whole(void **state)
{
    static const char *const values[] = {"'a'", "'b'", "'ab'", "''",   "1",    "-1",
                                         "1.5", "'7'", "true", "null", "1e99", "'\xE4\xBD\xA0'"};
    struct json_value row;

    (void)state;
    assert_true(json_scan("{}", 2, &row, NULL));
    for (size_t i = 0; i < ARRAY_LEN(values) * ARRAY_LEN(values); i++) {
        const char *a = values[i / ARRAY_LEN(values)];
        const char *b = values[i % ARRAY_LEN(values)];
        static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
        bool is[6];

        for (size_t k = 0; k < 6; k++) {
            struct buf text = BUF_INIT(100);

            assert_true(buf_printf(&text, "%s %s %s", a, signs[k], b));

            struct condition *c = condition_parse(NULL, text.data, NULL);

            is[k] = condition_holds(c, &row);
            condition_free(c);
            buf_release(&text);
        }
        assert_int_equal(is[0], !is[1]);
        assert_true(is[0] + is[2] + is[4] <= 1);
        assert_int_equal(is[3], is[0] || is[2]);
        assert_int_equal(is[5], is[0] || is[4]);
    }
}

static const struct {
    const char *text, *why;
} bad[] = {
    {"",               "when: column 1: expected a column or a value, found the end"                   },
    {"  ",             "when: column 3: expected a column or a value, found the end"                   },
    {"content !=",     "when: column 11: expected a column or a value, found the end"                  },
    {"content = 'x'",
     "when: column 9: expected and, or, a comparison or the end, found =; equal is =="                 },
    {"a && b",         "when: column 3: expected and, or, a comparison or the end, found &&; write and"},
    {"a || b",         "when: column 3: expected and, or, a comparison or the end, found ||; write or" },
    {"!a",             "when: column 1: expected a column or a value, found !; write not"              },
    {"\xE4\xBD\xA0 b", "when: column 3: expected and, or, a comparison or the end, found b"            },
    {"a == 'x",        "when: column 6: the quote is never closed"                                     },
    {"a == 007",       "when: column 6: 007 is not a number"                                           },
    {"a == -x",        "when: column 6: -x is not a number"                                            },
    {"a == 1.",        "when: column 6: 1. is not a number"                                            },
    {"(a",             "when: column 3: expected and, or or ), found the end"                          },
    {"a)",             "when: column 2: expected and, or, a comparison or the end, found )"            },
    {"a and",          "when: column 6: expected a column or a value, found the end"                   },
    {"and a",          "when: column 1: expected a column or a value, found and"                       },
    {"a not b",        "when: column 3: expected and, or, a comparison or the end, found not"          },
    {"a in []",        "when: column 7: expected a text in quotes or a number, found ]"                },
    {"a in ['x'",      "when: column 10: expected a comma or ], found the end"                         },
    {"a in ['x' 'y']", "when: column 11: expected a comma or ], found '"                               },
    {"a in [b]",       "when: column 7: expected a text in quotes or a number, found b"                },
    {"a in ['x',]",    "when: column 11: expected a text in quotes or a number, found ]"               },
    {"a in 'text'",    "when: column 12: expected [ or a column behind in"                             },
    {"a..b",           "when: column 1: \"a..b\" has an empty name in it"                              },
    {"`a",             "when: column 1: the backtick is never closed"                                  },
    {"``",             "when: column 1: an empty name"                                                 },
    {"a == b == c",    "when: column 8: expected and, or, a comparison or the end, found =="           },
};

static void test_a_wrong_condition_says_where_and_what_was_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};

        assert_null(condition_parse("when", bad[i].text, &err));
        if (strcmp(err.msg, bad[i].why) != 0)
            fail_msg("%s: got <%s>, want <%s>", bad[i].text, err.msg, bad[i].why);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(condition_parse(NULL, bad[i].text, NULL));
    }
}

static void test_parentheses_and_nots_go_only_so_deep(void **state)
{
    struct buf text = BUF_INIT(1000);
    struct err err = {0};

    (void)state;
    for (int i = 0; i < CONDITION_DEPTH_MAX; i++)
        assert_true(buf_printf(&text, i % 2 ? "(" : "not "));
    assert_true(buf_printf(&text, "a"));
    for (int i = 0; i < CONDITION_DEPTH_MAX / 2; i++)
        assert_true(buf_printf(&text, ")"));

    struct condition *c = condition_parse(NULL, text.data, &err);

    assert_non_null(c);
    condition_free(c);
    buf_clear(&text);
    for (int i = 0; i <= CONDITION_DEPTH_MAX; i++)
        assert_true(buf_printf(&text, "not "));
    assert_true(buf_printf(&text, "a"));
    assert_null(condition_parse(NULL, text.data, &err));
    assert_string_equal(err.msg, "column 132: more than 32 parentheses or nots inside each other");
    buf_release(&text);
}

static void test_a_long_chain_is_no_deep_one(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct json_value row;

    (void)state;
    assert_true(json_scan("{\"z\":1}", 7, &row, NULL));
    for (int i = 0; i < 10000; i++)
        assert_true(buf_printf(&text, "a%d or ", i));
    assert_true(buf_printf(&text, "z"));

    struct condition *c = condition_parse(NULL, text.data, NULL);

    assert_true(condition_holds(c, &row));
    condition_free(c);
    buf_release(&text);
}

static void note_column(void *arg, const char *path, size_t column)
{
    assert_true(buf_printf(arg, "%s:%zu ", path, column));
}

static void test_columns_are_told_with_their_places(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct condition *c = condition_parse(
        NULL, "\xE4\xBD\xA0 == 'x' and (b.c in [1] or `d e` > f) or 'x' in g", NULL);

    (void)state;
    condition_columns(c, note_column, &out);
    assert_string_equal(out.data, "\xE4\xBD\xA0:1 b.c:15 d e:29 f:37 g:50 ");
    condition_free(c);
    condition_free(NULL);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_condition_says_of_a_row),
        cmocka_unit_test(test_order_is_whole),
        cmocka_unit_test(test_a_wrong_condition_says_where_and_what_was_expected),
        cmocka_unit_test(test_parentheses_and_nots_go_only_so_deep),
        cmocka_unit_test(test_a_long_chain_is_no_deep_one),
        cmocka_unit_test(test_columns_are_told_with_their_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
