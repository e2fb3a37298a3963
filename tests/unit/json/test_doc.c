#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/json/doc.h"

static struct json_object *parse(const char *text)
{
    struct json_object *doc = NULL;
    struct err err = {0};

    assert_true(doc_parse(text, strlen(text), &doc, &err));
    assert_non_null(doc);
    return doc;
}

static void members_are_read_by_type(void **state)
{
    struct json_object *d =
        parse("{\"s\":\"text\",\"e\":\"\",\"n\":null,\"i\":42,\"d\":1.5,\"b\":true,\"f\":false,"
              "\"big\":9223372036854775808,\"neg\":-5,\"a\":[1,\"two\",null],"
              "\"o\":{\"p\":{\"q\":\"deep\"}}}");

    (void)state;
    assert_string_equal(doc_string(d, "s"), "text");
    assert_null(doc_string(d, "e"));
    assert_string_equal(doc_string_or_empty(d, "e"), "");
    assert_null(doc_string(d, "n"));
    assert_null(doc_string_or_empty(d, "n"));
    assert_null(doc_string(d, "i"));
    assert_null(doc_string(d, "missing"));
    assert_string_equal(doc_string(d, "o.p.q"), "deep");
    assert_null(doc_string(d, "o.x.q"));
    assert_null(doc_string(d, "s.p"));
    assert_null(doc_string(d, "n.p"));
    assert_int_equal(doc_int(d, "i", -1), 42);
    assert_int_equal(doc_int(d, "neg", -1), -5);
    assert_int_equal(doc_int(d, "s", -1), -1);
    assert_int_equal(doc_int(d, "d", -1), -1);
    assert_int_equal(doc_int(d, "n", -1), -1);
    assert_int_equal(doc_int(d, "big", -1), -1);
    assert_int_equal(doc_int(d, "missing", 7), 7);
    assert_true(doc_real(d, "d", 0) > 1.4 && doc_real(d, "d", 0) < 1.6);
    assert_true(doc_real(d, "i", 0) > 41 && doc_real(d, "s", -2) < -1);
    assert_true(doc_bool(d, "b", false));
    assert_false(doc_bool(d, "f", true));
    assert_true(doc_bool(d, "i", true));
    assert_int_equal(doc_count(d, "a"), 3);
    assert_int_equal(doc_count(d, "o"), 0);
    assert_string_equal(doc_string(doc_at(d, "a", 1), NULL), "two");
    assert_int_equal(doc_int(doc_at(d, "a", 0), NULL, -1), 1);
    assert_null(doc_at(d, "a", 2));
    assert_null(doc_at(d, "a", 3));
    assert_null(doc_at(d, "o", 0));
    assert_non_null(doc_member(d, "o.p"));
    assert_null(doc_member(d, "n"));
    assert_string_equal(doc_text(d, "o"), "{\"p\":{\"q\":\"deep\"}}");
    assert_null(doc_text(d, "missing"));
    doc_free(d);
}

static void kinds_tell_null_from_absent(void **state)
{
    struct json_object *d =
        parse("{\"n\":null,\"b\":true,\"i\":1,\"d\":1.5,\"s\":\"\",\"a\":[],\"o\":{}}");

    (void)state;
    assert_int_equal(doc_kind(d, "n"), JSON_NULL);
    assert_int_equal(doc_kind(d, "b"), JSON_BOOL);
    assert_int_equal(doc_kind(d, "i"), JSON_NUMBER);
    assert_int_equal(doc_kind(d, "d"), JSON_NUMBER);
    assert_int_equal(doc_kind(d, "s"), JSON_STRING);
    assert_int_equal(doc_kind(d, "a"), JSON_ARRAY);
    assert_int_equal(doc_kind(d, "o"), JSON_OBJECT);
    assert_int_equal(doc_kind(d, NULL), JSON_OBJECT);
    assert_int_equal(doc_kind(d, "x"), JSON_ABSENT);
    assert_int_equal(doc_kind(NULL, "x"), JSON_ABSENT);
    assert_null(doc_string(NULL, "x"));
    assert_int_equal(doc_count(NULL, NULL), 0);
    doc_free(d);
    doc_free(NULL);
}

static void any_value_but_null_is_a_document(void **state)
{
    static const char *const texts[] = {"1",    "-1.5",  "\"s\"",   " [1] ",       "{}\n",
                                        "true", "1e400", "[1e400]", "\"\\u0000\"", "\"\\ud800\""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        print_message("  %s\n", texts[i]);
        doc_free(parse(texts[i]));
    }
}

static void what_is_not_json_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"",           0},
        {"{",          1},
        {"{} x",       4},
        {"{'a':1}",    7},
        {"[1,]",       4},
        {"{}\0",       3},
        {"\"\0\"",     3},
        {"\"\xFF\"",   3},
        {"// c\n{}",   7},
        {"NaN",        3},
        {"{\"a\":01}", 8},
        {"null",       4},
        {"<html>",     6},
        {"\"\t\"",     3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_object *doc = NULL;
        struct err err = {0};

        print_message("  %s\n", cases[i].text);
        assert_false(doc_parse(cases[i].text, cases[i].len, &doc, &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
        assert_null(doc);
    }
}

static void nesting_ends_at_its_limit(void **state)
{
    char text[2 * (JSON_DEPTH_MAX + 1) + 1];
    struct json_object *doc = NULL;
    struct err err = {0};

    (void)state;
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        text[depth] = '1';
        memset(text + depth + 1, ']', depth);
        assert_int_equal(doc_parse(text, 2 * depth + 1, &doc, &err), depth <= JSON_DEPTH_MAX);
        if (depth <= JSON_DEPTH_MAX)
            doc_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read_by_type),
        cmocka_unit_test(kinds_tell_null_from_absent),
        cmocka_unit_test(any_value_but_null_is_a_document),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(nesting_ends_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
