#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/pattern.h"

static struct json_value encode(struct buf *out, const char *text)
{
    out->len = 0;
    assert_true(json_string_encode(out, text, strlen(text)));
    return (struct json_value){JSON_STRING, out->data, out->len};
}

static struct pattern *parse(const char *text, const char **what)
{
    struct buf json = BUF_INIT(1 << 20);
    struct json_value value = encode(&json, text);
    struct pattern *pattern = pattern_parse(&value, what);

    buf_release(&json);
    return pattern;
}

static bool match(const struct pattern *pattern, const char *text)
{
    struct buf json = BUF_INIT(1 << 20);
    struct json_value value = encode(&json, text);
    bool matches = pattern_match(pattern, &value);

    buf_release(&json);
    return matches;
}

static const struct {
    const char *pattern, *text;
    bool matches;
} matches[] = {
    {"",                                "",             true },
    {"",                                "x",            true },
    {"b",                               "abc",          true },
    {"^b",                              "abc",          false},
    {"^abc$",                           "abc",          true },
    {"^abc$",                           "abc\n",        false}, /* $ is the end, no line's */
    {"^b",                              "a\nb",         false},
    {"a.c",                             "abc",          true },
    {"a.c",                             "a\nc",         false},
    {"a.c",                             "a情c",        true },
    {"^.$",                             "😀",         true },
    {"^..$",                            "情感",       true },
    {"^[\\u4e00-\\u9fff]+$",            "情感",       true },
    {"^[\\u4e00-\\u9fff]+$",            "情感a",      false},
    {"^[一-龥]{2,4}$",                "情感极性", true },
    {"^[一-龥]{2,4}$",                "情",          false},
    {"^\\ud83d\\ude00$",                "😀",         true },
    {"^\\u{1F600}$",                    "😀",         true },
    {"^[\\u{1F600}-\\u{1F64F}]$",       "😀",         true },
    {"^(a|bc)*d$",                      "abcad",        true },
    {"^(a|bc)*d$",                      "abad",         false},
    {"^(?:ab|cd)+$",                    "abcd",         true },
    {"^(?<year>\\d{4})-\\d\\d$",        "2026-11",      true },
    {"^\\d+$",                          "１２",       false}, /* ASCII digits only */
    {"^\\w+$",                          "a_9",          true },
    {"^\\w+$",                          "é",           false},
    {"^\\W$",                           "é",           true },
    {"^\\s$",                           "\xE3\x80\x80", true },
    {"^\\s$",                           "\xC2\xA0",     true },
    {"^\\S$",                           "\xEF\xBB\xBF", false},
    {"^\\D\\S$",                        "ab",           true },
    {"\\bcat\\b",                       "a cat.",       true },
    {"\\bcat\\b",                       "concat",       false},
    {"\\Bcat",                          "concat",       true },
    {"^x?y*z+$",                        "zz",           true },
    {"^x{0}$",                          "",             true },
    {"^x{3}$",                          "xxx",          true },
    {"^x{3}$",                          "xxxx",         false},
    {"^x{2,}$",                         "xxxx",         true },
    {"^x{2,}$",                         "x",            false},
    {"^x{1,3}?y$",                      "xxxy",         true },
    {"^x{1,3}y$",                       "xxxxy",        false},
    {"^(x{2}){2}$",                     "xxxx",         true },
    {"^(x{2}){2}$",                     "xxx",          false},
    {"^a*?b+?c??$",                     "aabb",         true },
    {"^[^abc]$",                        "d",            true },
    {"^[^abc]$",                        "b",            false},
    {"^[a-c-]+$",                       "a-b",          true },
    {"^[-a]+$",                         "-a",           true },
    {"^[\\d.]+$",                       "1.5",          true },
    {"^[\\w-]+$",                       "a-b",          true },
    {"^[\\D]$",                         "5",            false},
    {"^[^\\s\\S]$",                     "a",            false},
    {"[]",                              "a",            false},
    {"^[^]$",                           "\n",           true },
    {"^[\\]\\\\]+$",                    "]\\",          true },
    {"^[\\b]$",                         "\b",           true },
    {"^\\x41\\t\\cJ\\0?$",              "A\t\n",        true },
    {"^\\^\\$\\.\\*\\/\\-$",            "^$.*/-",       true },
    {"^(|a)+$",                         "aaa",          true },
    {"^(a*)*$",                         "aaab",         false},
    {"(^a|b$)",                         "cb",           true },
    {"^(?:)$",                          "",             true },
    {"a||b",                            "",             true },
    {"^(正面|负面|中性)$",        "负面",       true },
    {"^(正面|负面|中性)$",        "正面的",    false},
    {"^[a-z]+(-[a-z]+)*$",              "a-b-c",        true },
    {"^(?:\\d{3}|\\d{5})(?:-\\d{4})?$", "12345-6789",   true },
};

static void expressions_match_as_ecma_262_has_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        const char *what = NULL;
        struct pattern *pattern = parse(matches[i].pattern, &what);

        print_message("  /%s/ %s%s\n", matches[i].pattern, matches[i].text,
                      what != NULL ? what : "");
        assert_non_null(pattern);
        assert_int_equal(match(pattern, matches[i].text), matches[i].matches);
        pattern_free(pattern);
    }
}

static void what_cannot_be_kept_is_refused(void **state)
{
    static const struct {
        const char *pattern, *what;
    } cases[] = {
        {"(a",                             "a group is not closed"                                             },
        {"a)",                             "a ) that closes nothing"                                           },
        {"[a",                             "a [ is not closed"                                                 },
        {"[b-a]",                          "a range is out of order"                                           },
        {"[\\d-z]",                        "a class such as \\d cannot be an end of a range"                   },
        {"[a-\\w]",                        "a class such as \\d cannot be an end of a range"                   },
        {"*a",                             "nothing to repeat"                                                 },
        {"a**",                            "nothing to repeat"                                                 },
        {"a{2}{3}",                        "nothing to repeat"                                                 },
        {"^*",                             "nothing to repeat"                                                 },
        {"\\b+",                           "nothing to repeat"                                                 },
        {"a{",                             "{...} must be {n}, {n,} or {n,m}"                                  },
        {"a{1,2",                          "{...} must be {n}, {n,} or {n,m}"                                  },
        {"a{,2}",                          "{...} must be {n}, {n,} or {n,m}"                                  },
        {"a{3,2}",                         "{n,m} is out of order"                                             },
        {"a{1001}",                        "it repeats more than 1,000 times"                                  },
        {"a}",                             "a ] or } that closes nothing needs a backslash"                    },
        {"a]",                             "a ] or } that closes nothing needs a backslash"                    },
        {"(?=a)",                          "look-around and flags are not supported"                           },
        {"(?!a)",                          "look-around and flags are not supported"                           },
        {"(?<=a)",                         "look-around and flags are not supported"                           },
        {"(?<!a)",                         "look-around and flags are not supported"                           },
        {"(?i)a",                          "look-around and flags are not supported"                           },
        {"(?<1-a>x)",                      "a group's name is not valid"                                       },
        {"(a)\\1",                         "references to groups are not supported"                            },
        {"(?<n>a)\\k<n>",                  "references to groups are not supported"                            },
        {"\\p{Han}",                       "\\p{...} is not supported; write ranges, such as [\\u4e00-\\u9fff]"},
        {"\\Aa\\Z",                        "an escape that ECMA-262 does not have"                             },
        {"\\_",                            "an escape that ECMA-262 does not have"                             },
        {"\\01",                           "octal escapes are not in ECMA-262"                                 },
        {"\\x4",                           "an escape needs more hexadecimal digits"                           },
        {"\\u12",                          "an escape needs more hexadecimal digits"                           },
        {"\\u{110000}",                    "\\u{...} is not a code point"                                      },
        {"\\c1",                           "\\c needs a letter"                                                },
        {"a\\",                            "a backslash at the end"                                            },
        {"(((a{100}){100}){100})",         "it is too long"                                                    },
        {"((({1000}){1000}){1000})",       "nothing to repeat"                                                 },
        {"(?:(?:(?:){1000}){1000}){1000}", "it is too long"                                                    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *what = NULL;
        struct pattern *pattern = parse(cases[i].pattern, &what);

        print_message("  /%s/\n", cases[i].pattern);
        assert_null(pattern);
        assert_string_equal(what, cases[i].what);
    }
}

static void deep_groups_are_refused(void **state)
{
    char text[400] = "";
    const char *what = NULL;

    (void)state;
    memset(text, '(', 100);
    memset(text + 100, ')', 100);
    assert_null(parse(text, &what));
    assert_string_equal(what, "its groups are nested too deeply");
}

static void the_time_is_proportional_to_the_length(void **state)
{
    static const char *const evil[] = {"^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(x+x+)+y",
                                       "^(([a-z])+.)+[A-Z]([a-z])+$"};
    char text[20001];
    clock_t start = clock();

    (void)state;
    memset(text, 'a', sizeof(text) - 2);
    text[sizeof(text) - 2] = '!';
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
        const char *what = NULL;
        struct pattern *pattern = parse(evil[i], &what);

        assert_non_null(pattern);
        assert_false(match(pattern, text));
        pattern_free(pattern);
    }
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC); /* it takes some milliseconds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_match_as_ecma_262_has_them),
        cmocka_unit_test(what_cannot_be_kept_is_refused),
        cmocka_unit_test(deep_groups_are_refused),
        cmocka_unit_test(the_time_is_proportional_to_the_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
