#include "tests/testlib/unit.h"

#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/json_chars.h"
#include "common/recipe/json_equal.h"

static struct json_value scan(const char *text)
{
    struct json_value value;

    assert_true(json_scan(text, strlen(text), &value, NULL));
    return value;
}

static uint64_t hash(const struct json_value *value)
{
    size_t work = SIZE_MAX;

    return json_hash(value, &work);
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
            assert_int_equal(hash(&a) == hash(&b), cases[i].equal);
    }
}

/* An object of @count members, from the first to the last or the other way round. */
static void put_members(struct buf *out, int count, bool reversed)
{
    for (int i = 0; i < count; i++)
        assert_true(buf_printf(out, "%s\"k%d\":%d", i == 0 ? "{" : ",",
                               reversed ? count - 1 - i : i, reversed ? count - 1 - i : i));
    assert_true(buf_append(out, "}", 1));
}

static void many_members_are_compared_in_little_time_whatever_their_order(void **state)
{
    struct buf left = BUF_INIT(1 << 22);
    struct buf right = BUF_INIT(1 << 22);
    struct json_value a, b;
    clock_t start = clock();

    (void)state;
    put_members(&left, 50000, false);
    put_members(&right, 50000, true);
    assert_true(json_scan(left.data, left.len, &a, NULL));
    assert_true(json_scan(right.data, right.len, &b, NULL));
    assert_true(json_equal(&a, &b));
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    buf_release(&left);
    buf_release(&right);
}

static void names_that_repeat_at_every_level_are_followed_once(void **state)
{
    struct buf text = BUF_INIT(1 << 16);
    struct json_value a;

    (void)state;
    for (int i = 0; i < 200; i++)
        assert_true(buf_printf(&text, "{\"x\":1,\"x\":2,\"x\":"));
    assert_true(buf_printf(&text, "3"));
    for (int i = 0; i < 200; i++)
        assert_true(buf_append(&text, "}", 1));
    assert_true(json_scan(text.data, text.len, &a, NULL));
    assert_true(json_equal(&a, &a));
    buf_release(&text);
}

static void what_is_too_much_to_compare_is_not_equal(void **state)
{
    struct buf text = BUF_INIT(1 << 22);
    struct json_value a;
    size_t work = 1000000;

    (void)state;
    put_members(&text, 1000, false);
    assert_true(json_scan(text.data, text.len, &a, NULL));
    assert_true(json_equal_within(&a, &a, &work));
    assert_in_range(work, 900000, 999999);
    work = 1000;
    assert_false(json_equal_within(&a, &a, &work));
    assert_int_equal(work, 0);
    work = 10;
    (void)json_hash(&a, &work);
    assert_int_equal(work, 0);
    buf_release(&text);
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
        cmocka_unit_test(many_members_are_compared_in_little_time_whatever_their_order),
        cmocka_unit_test(names_that_repeat_at_every_level_are_followed_once),
        cmocka_unit_test(what_is_too_much_to_compare_is_not_equal),
        cmocka_unit_test(characters_are_counted_as_they_decode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
