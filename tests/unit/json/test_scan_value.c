/* Looking things up, walking, decoding and encoding. */
#include "tests/testlib/unit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"

static struct json_value scan(const char *text)
{
    struct json_value root = {0};

    assert_true(json_scan(text, strlen(text), &root, NULL));
    return root;
}

static void assert_raw(const struct json_value *value, const char *want)
{
    if (want == NULL) {
        assert_int_equal(value->kind, JSON_ABSENT);
        return;
    }
    assert_int_not_equal(value->kind, JSON_ABSENT);
    assert_int_equal(value->len, strlen(want));
    assert_memory_equal(value->text, want, value->len);
}

/* Members "a" and "body" of an object. */
static const struct {
    const char *text;
    const char *a;
    const char *body;
} lookups[] = {
    {"{}",                                                                     NULL,           NULL           },
    {"{\"a\":1}",                                                              "1",            NULL           },
    {"{\"body\":{},\"a\":[1,2]}",                                              "[1,2]",        "{}"           },
    {"{ \"a\" : 1 , \"body\" : { \"a\" : 2 } }",                               "1",            "{ \"a\" : 2 }"},
    {"{\"x\":{\"a\":1,\"body\":2}}",                                           NULL,           NULL           },
    {"{\"a\":1,\"a\":\"last\"}",                                               "\"last\"",     NULL           },
    {"{\"a\":1,\"\\u0061\":2}",                                                "2",            NULL           },
    {"{\"b\\u006fdy\":null}",                                                  NULL,           "null"         },
    {"{\"\\u0062\\u006F\\u0064\\u0079\":true}",                                NULL,           "true"         },
    {"{\"bod\":1,\"bodyy\":2,\"ody\":3,\"\":4,\"A\":5,\"aa\":6}",              NULL,           NULL           },
    {"{\"body\\u0000\":1,\"a\\u0000\":2}",                                     NULL,           NULL           },
    {"{\"a\\n\":1}",                                                           NULL,           NULL           },
    {"{\"a\":\"]}{[\\\"\",\"body\":\"\\\\\"}",                                 "\"]}{[\\\"\"", "\"\\\\\""     },
    {"{\"q\":\"\\\\\\\"}\",\"a\":-1.5e+3}",                                    "-1.5e+3",      NULL           },
    {"{\"q\":[[{\"z\":[\"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\"]}],{}],\"a\":\"\"}", "\"\"",         NULL           },
    {"{\"a\":1 \t\r\n}",                                                       "1",            NULL           },
    {"{\"a\":true}",                                                           "true",         NULL           },
};

static void members_are_found_in_one_pass(void **state)
{
    static const char *const names[] = {"a", "body"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        struct json_value out[2];

        print_message("  %s\n", lookups[i].text);
        assert_true(
            json_scan_object(lookups[i].text, strlen(lookups[i].text), names, 2, out, NULL));
        assert_raw(&out[0], lookups[i].a);
        assert_raw(&out[1], lookups[i].body);
    }
}

static void members_are_found_in_a_value(void **state)
{
    static const char *const names[] = {"a", "body"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        struct json_value root = scan(lookups[i].text);
        struct json_value out[2];
        struct json_value one;

        print_message("  %s\n", lookups[i].text);
        json_members(&root, names, 2, out);
        assert_raw(&out[0], lookups[i].a);
        assert_raw(&out[1], lookups[i].body);
        one = json_member(&root, "body");
        assert_raw(&one, lookups[i].body);
    }
}

static void nothing_has_members_but_an_object(void **state)
{
    static const char *const texts[] = {"[1,2]", "\"a\"", "1", "null", "true", "[]"};
    struct json_value absent = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value root = scan(texts[i]);
        struct json_value out = json_member(&root, "a");

        assert_raw(&out, NULL);
    }
    absent = json_member(&absent, "a");
    assert_raw(&absent, NULL);
}

static void a_text_that_is_no_object_says_so(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        const char *what;
    } cases[] = {
        {"[1]",              0,  "not an object"                        },
        {"  \"a\"",          2,  "not an object"                        },
        {"null",             0,  "not an object"                        },
        {"[1",               2,  "expected a comma or a closing bracket"},
        {"",                 0,  "expected a value"                     },
        {"{\"a\":1,\"b\"2}", 10, "expected a colon"                     },
    };
    static const char *const names[] = {"a"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value out = scan("1");
        struct json_error error = {0};
        size_t len = strlen(cases[i].text);

        print_message("  %s\n", cases[i].text);
        assert_false(json_scan_object(cases[i].text, len, names, 1, &out, &error));
        assert_raw(&out, NULL);
        assert_int_equal(error.offset, cases[i].offset);
        assert_string_equal(error.what, cases[i].what);
        assert_false(json_scan_object(cases[i].text, len, names, 1, &out, NULL));
    }
    assert_false(json_scan_object(NULL, 0, names, 0, NULL, NULL));
}

static void a_walk_meets_every_element_once(void **state)
{
    static const struct {
        const char *text;
        const char *names[4];
        const char *values[4];
        size_t count;
    } cases[] = {
        {"[]",                                              {NULL},    {NULL},                               0},
        {"[ ]",                                             {NULL},    {NULL},                               0},
        {"{}",                                              {NULL},    {NULL},                               0},
        {"1",                                               {NULL},    {NULL},                               0},
        {"\"[1]\"",                                         {NULL},    {NULL},                               0},
        {"[1]",                                             {NULL},    {"1"},                                1},
        {"[ 1 , [2,3] ,{\"a\":4},\"]\"]",                   {NULL},    {"1", "[2,3]", "{\"a\":4}", "\"]\""}, 4},
        {"[null,true,false,-0.5]",                          {NULL},    {"null", "true", "false", "-0.5"},    4},
        {"{\"a\":1}",                                       {"\"a\""}, {"1"},                                1},
        {"{ \"a\" : { } , \"b\\\"\" : [ ] , \"\" : \"\" }",
         {"\"a\"", "\"b\\\"\"", "\"\""},
         {"{ }", "[ ]", "\"\""},
         3                                                                                                    },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value root = scan(cases[i].text);
        struct json_iter it = json_iter_begin(&root);
        struct json_value name;
        struct json_value value;
        size_t count = 0;

        print_message("  %s\n", cases[i].text);
        while (json_iter_next(&it, &name, &value)) {
            assert_true(count < cases[i].count);
            assert_raw(&name, cases[i].names[count]);
            assert_raw(&value, cases[i].values[count]);
            count++;
        }
        assert_int_equal(count, cases[i].count);
        assert_false(json_iter_next(&it, NULL, &value));
    }
}

static const struct {
    const char *raw;
    const char *text;
    size_t len;
} strings[] = {
    {"\"\"",                                    "",                                             0 },
    {"\"abc\"",                                 "abc",                                          3 },
    {"\"a\\\"b\\\\c\\/d\"",                     "a\"b\\c/d",                                    7 },
    {"\"\\b\\f\\n\\r\\t\"",                     "\b\f\n\r\t",                                   5 },
    {"\"\\u0041\\u00e9\\u4F60\"",               "A\xC3\xA9\xE4\xBD\xA0",                        6 },
    {"\"\\u0000x\"",                            "\0x",                                          2 },
    {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF", 11},
    {"\"\\ud83d\\ude00\"",                      "\xF0\x9F\x98\x80",                             4 },
    {"\"\\uD800\\uDC00\"",                      "\xF0\x90\x80\x80",                             4 },
    {"\"\\udbff\\udfff\"",                      "\xF4\x8F\xBF\xBF",                             4 },
    {"\"\\ud800\"",                             "\xEF\xBF\xBD",                                 3 },
    {"\"\\ud800x\"",                            "\xEF\xBF\xBDx",                                4 },
    {"\"\\ude00\\ud83d\"",                      "\xEF\xBF\xBD\xEF\xBF\xBD",                     6 },
    {"\"\\ud83d\\ud83d\\ude00\"",               "\xEF\xBF\xBD\xF0\x9F\x98\x80",                 7 },
    {"\"\\udc00\\ude00\"",                      "\xEF\xBF\xBD\xEF\xBF\xBD",                     6 },
    {"\"\\ud83d\\n\"",                          "\xEF\xBF\xBD\n",                               4 },
    {"\"\xE4\xBD\xA0\xE5\xA5\xBD\"",            "\xE4\xBD\xA0\xE5\xA5\xBD",                     6 },
};

static void strings_decode_to_utf8(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        struct json_value v = scan(strings[i].raw);
        size_t len = 99;
        char *out = malloc(strings[i].len + 1);

        assert_non_null(out);
        print_message("  %s\n", strings[i].raw);
        assert_true(json_string_decode(&v, out, strings[i].len + 1, &len));
        assert_int_equal(len, strings[i].len);
        assert_memory_equal(out, strings[i].text, len + 1);
        assert_true(json_string_decode(&v, out, strings[i].len + 1, NULL));
        for (size_t cap = 0; cap <= strings[i].len; cap++)
            assert_false(json_string_decode(&v, out, cap, &len));
        assert_int_equal(len, strings[i].len);
        free(out);
    }
}

static void a_decoded_string_equals_its_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        struct json_value v = scan(strings[i].raw);
        bool has_nul = strlen(strings[i].text) != strings[i].len;

        print_message("  %s\n", strings[i].raw);
        assert_int_equal(json_string_equals(&v, strings[i].text), !has_nul);
        assert_false(json_string_equals(&v, "something else"));
        for (size_t k = 0; k < ARRAY_LEN(strings); k++)
            if (k != i && strcmp(strings[k].text, strings[i].text) != 0)
                assert_false(json_string_equals(&v, strings[k].text));
    }

    struct json_value number = scan("1");
    struct json_value prefix = scan("\"ab\"");
    struct json_value escaped = scan("\"a\\u0062\"");

    assert_false(json_string_equals(&number, "1"));
    assert_false(json_string_equals(&prefix, "a"));
    assert_false(json_string_equals(&prefix, "abc"));
    assert_false(json_string_equals(&escaped, "a"));
    assert_false(json_string_equals(&escaped, "abc"));
    assert_true(json_string_equals(&escaped, "ab"));
}

static void readable_text_is_cut_between_characters(void **state)
{
    static const struct {
        const char *raw;
        size_t cap;
        const char *text;
    } cases[] = {
        {"\"abcdef\"",                    4,  "abc"             },
        {"\"abcdef\"",                    7,  "abcdef"          },
        {"\"abcdef\"",                    1,  ""                },
        {"\"a\xE4\xBD\xA0\xE5\xA5\xBD\"", 5,  "a\xE4\xBD\xA0"   },
        {"\"a\xE4\xBD\xA0\xE5\xA5\xBD\"", 7,  "a\xE4\xBD\xA0"   },
        {"\"a\xE4\xBD\xA0\xE5\xA5\xBD\"", 4,  "a"               },
        {"\"\xF0\x9F\x98\x80\"",          4,  ""                },
        {"\"\xF0\x9F\x98\x80\"",          5,  "\xF0\x9F\x98\x80"},
        {"\"ab\\u4f60c\"",                5,  "ab"              },
        {"\"ab\\u4f60c\"",                6,  "ab\xE4\xBD\xA0"  },
        {"\"ab\\nc\"",                    4,  "ab\n"            },
        {"\"a\\u0000b\"",                 20,
         "a\xEF\xBF\xBD"
         "b"                                                    },
        {"12",                            20, ""                },
        {"null",                          20, ""                },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value v = scan(cases[i].raw);
        char out[32];

        print_message("  %s\n", cases[i].raw);
        assert_int_equal(json_string_decode_cut(&v, out, cases[i].cap), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
}

static void only_strings_decode(void **state)
{
    static const char *const texts[] = {"1", "null", "[\"a\"]", "{\"a\":\"b\"}", "true"};
    struct json_value absent = {0};
    char out[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct json_value v = scan(texts[i]);

        assert_false(json_string_decode(&v, out, sizeof(out), NULL));
    }
    assert_false(json_string_decode(&absent, out, sizeof(out), NULL));
    assert_false(json_string_equals(&absent, ""));
}

static void whole_numbers_are_taken_strictly(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t n;
    } cases[] = {
        {"0",                          true,  0        },
        {"-0",                         true,  0        },
        {"7",                          true,  7        },
        {"-12",                        true,  -12      },
        {"9223372036854775807",        true,  INT64_MAX},
        {"-9223372036854775808",       true,  INT64_MIN},
        {"9223372036854775808",        false, 0        },
        {"-9223372036854775809",       false, 0        },
        {"92233720368547758070",       false, 0        },
        {"18446744073709551616",       false, 0        },
        {"99999999999999999999999999", false, 0        },
        {"1.0",                        false, 0        },
        {"1e3",                        false, 0        },
        {"\"1\"",                      false, 0        },
        {"true",                       false, 0        },
        {"null",                       false, 0        },
        {"[1]",                        false, 0        },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value v = scan(cases[i].text);
        int64_t n = 4711;

        print_message("  %s\n", cases[i].text);
        assert_int_equal(json_to_int64(&v, &n), cases[i].ok);
        assert_true(n == (cases[i].ok ? cases[i].n : 4711));
    }
}

static void null_is_null_and_absent_is_not(void **state)
{
    struct json_value null = scan("null");
    struct json_value other = scan("0");
    struct json_value absent = {0};

    (void)state;
    assert_true(json_is_null(&null));
    assert_false(json_is_null(&other));
    assert_false(json_is_null(&absent));
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(json_kind_name(JSON_ABSENT), "absent");
    assert_string_equal(json_kind_name(JSON_NULL), "null");
    assert_string_equal(json_kind_name(JSON_BOOL), "bool");
    assert_string_equal(json_kind_name(JSON_NUMBER), "number");
    assert_string_equal(json_kind_name(JSON_STRING), "string");
    assert_string_equal(json_kind_name(JSON_ARRAY), "array");
    assert_string_equal(json_kind_name(JSON_OBJECT), "object");
}

static const struct {
    const char *text;
    size_t len;
    const char *raw;
} encodings[] = {
    {"",                                    0,  "\"\""                                    },
    {"abc",                                 3,  "\"abc\""                                 },
    {"a\"b\\c/d",                           7,  "\"a\\\"b\\\\c/d\""                       },
    {"\b\f\n\r\t",                          5,  "\"\\u0008\\u000c\\n\\r\\t\""             },
    {"\0\x1F\x7F",                          3,  "\"\\u0000\\u001f\x7F\""                  },
    {"\xE4\xBD\xA0 \xF0\x9F\x98\x80",       8,  "\"\xE4\xBD\xA0 \xF0\x9F\x98\x80\""       },
    {"a\xFF"
     "b",                              3,
     "\"a\xEF\xBF\xBD"
     "b\""                                                                                },
    {"\xE4\xBD",                            2,  "\"\xEF\xBF\xBD\xEF\xBF\xBD\""            },
    {"\xED\xA0\x80",                        3,  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"a text of more than sixteen bytes\n", 34, "\"a text of more than sixteen bytes\\n\""},
};

static void text_is_encoded_as_a_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        struct buf b = BUF_INIT(1000);

        print_message("  %s\n", encodings[i].raw);
        assert_true(json_string_encode(&b, encodings[i].text, encodings[i].len));
        assert_string_equal(b.data, encodings[i].raw);
        (void)scan(b.data);
        buf_release(&b);
    }
}

static void encoding_past_the_limit_appends_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        size_t need = strlen(encodings[i].raw);

        for (size_t max = 0; max < need; max++) {
            struct buf b = BUF_INIT(max + 2);

            assert_true(buf_append(&b, "x:", 2));
            assert_false(json_string_encode(&b, encodings[i].text, encodings[i].len));
            assert_string_equal(b.data, "x:");
            assert_int_equal(b.len, 2);
            buf_release(&b);
        }
    }
}

static void what_is_encoded_decodes_to_itself(void **state)
{
    struct buf b = BUF_INIT(100);
    struct json_value v;
    char out[8];
    size_t len = 0;

    (void)state;
    for (unsigned c = 0; c < 0x80; c++) {
        char text[2] = {(char)c, '!'};

        buf_clear(&b);
        assert_true(json_string_encode(&b, text, 2));
        v = scan(b.data);
        assert_true(json_string_decode(&v, out, sizeof(out), &len));
        assert_int_equal(len, 2);
        assert_memory_equal(out, text, 2);
    }
    buf_release(&b);
}

/* [STRING,1] in memory that ends with it; STRING is @len bytes with @escape at @at. */
static void walk_over_string(size_t len, size_t at, const char *escape)
{
    size_t size = len + 6;
    char *text = malloc(size);
    struct json_value root;
    struct json_value value;
    struct json_value first;

    assert_non_null(text);
    memset(text, 'x', size);
    memcpy(text, "[\"", 2);
    if (at + 2 <= len)
        memcpy(text + 2 + at, escape, 2);
    memcpy(text + 2 + len, "\",1]", 4);
    assert_true(json_scan(text, size, &root, NULL));
    struct json_iter it = json_iter_begin(&root);
    assert_true(json_iter_next(&it, NULL, &first));
    assert_int_equal(first.len, len + 2);
    assert_true(json_iter_next(&it, NULL, &value));
    assert_raw(&value, "1");
    assert_false(json_iter_next(&it, NULL, &value));
    free(text);
}

static void a_walk_passes_over_strings_of_any_length(void **state)
{
    (void)state;
    for (size_t len = 0; len < 80; len++) {
        for (size_t at = 0; at <= len; at++) {
            walk_over_string(len, at, "\\\"");
            walk_over_string(len, at, "\\\\");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found_in_one_pass),
        cmocka_unit_test(members_are_found_in_a_value),
        cmocka_unit_test(nothing_has_members_but_an_object),
        cmocka_unit_test(a_text_that_is_no_object_says_so),
        cmocka_unit_test(a_walk_meets_every_element_once),
        cmocka_unit_test(a_walk_passes_over_strings_of_any_length),
        cmocka_unit_test(strings_decode_to_utf8),
        cmocka_unit_test(a_decoded_string_equals_its_text),
        cmocka_unit_test(readable_text_is_cut_between_characters),
        cmocka_unit_test(only_strings_decode),
        cmocka_unit_test(whole_numbers_are_taken_strictly),
        cmocka_unit_test(null_is_null_and_absent_is_not),
        cmocka_unit_test(every_kind_has_a_name),
        cmocka_unit_test(text_is_encoded_as_a_string),
        cmocka_unit_test(encoding_past_the_limit_appends_nothing),
        cmocka_unit_test(what_is_encoded_decodes_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
