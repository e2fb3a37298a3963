#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/hash.h"
#include "simulator/line.h"
#include "simulator/text.h"

static const struct {
    const char *text;
    bool valid;
} grammar[] = {
    {"{}",                                                                      true },
    {" { } \r",                                                                 true },
    {"{\"a\":1}",                                                               true },
    {"{\"a\":[]}",                                                              true },
    {"{\"a\":[1,[2,{\"b\":[{}]}],\"x\"]}",                                      true },
    {"{\"a\":{\"b\":{\"c\":null}},\"d\":true}",                                 true },
    {"{\"body\":{\"a\":[1,2],\"b\":{}},\"x\":false}",                           true },
    {"{\"body\":3}",                                                            true },
    {"{\"a\":-0.5e+10,\"b\":0,\"c\":1E5,\"d\":123456789012345678901234567890}", true },
    {"{\"a\":\"\\u00e9\\n\\\"\\\\\\/\\b\\f\\r\\t\"}",                           true },
    {"{\"a\":\"\\ud800 alone\"}",                                               true },
    {"{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}",                        true },
    {"{\"a\":\"plain text that is longer than eight bytes\"}",                  true },
    {"",                                                                        false},
    {"[]",                                                                      false},
    {"null",                                                                    false},
    {"{",                                                                       false},
    {"{}}",                                                                     false},
    {"{} {}",                                                                   false},
    {"{,}",                                                                     false},
    {"{\"a\"}",                                                                 false},
    {"{\"a\":}",                                                                false},
    {"{\"a\":1,}",                                                              false},
    {"{\"a\":1 \"b\":2}",                                                       false},
    {"{a:1}",                                                                   false},
    {"{'a':1}",                                                                 false},
    {"{\"a\":[1,]}",                                                            false},
    {"{\"a\":[,1]}",                                                            false},
    {"{\"a\":[1 2]}",                                                           false},
    {"{\"a\":[1}",                                                              false},
    {"{\"a\":{\"b\":1]}",                                                       false},
    {"{\"a\":01}",                                                              false},
    {"{\"a\":1.}",                                                              false},
    {"{\"a\":.5}",                                                              false},
    {"{\"a\":+1}",                                                              false},
    {"{\"a\":1e}",                                                              false},
    {"{\"a\":-}",                                                               false},
    {"{\"a\":NaN}",                                                             false},
    {"{\"a\":tru}",                                                             false},
    {"{\"a\":\"open}",                                                          false},
    {"{\"a\":\"\\x\"}",                                                         false},
    {"{\"a\":\"\\u12g4\"}",                                                     false},
    {"{\"a\":\"\\u12\"}",                                                       false},
    {"{\"a\":\"tab\there\"}",                                                   false},
    {"{\"a\":\"long enough for the fast path \x01\"}",                          false},
    {"{\"a\":\"\xc0\xaf\"}",                                                    false},
    {"{\"a\":\"\xed\xa0\x80\"}",                                                false},
    {"{\"a\":\"\xf4\x90\x80\x80\"}",                                            false},
    {"{\"a\":\"\xe2\x82\"}",                                                    false},
    {"{\"a\":\"\xff\"}",                                                        false},
    {"\xef\xbb\xbf{}",                                                          false},
    {"{\"body\":{\"a\":1,}}",                                                   false},
    {"{\"body\":{\"a\":1}",                                                     false},
    {"{\"body\":{\"a\" 1}}",                                                    false},
};

static void only_json_objects_are_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(grammar); i++) {
        size_t len = strlen(grammar[i].text);
        struct line line;
        /* an exact copy on the heap, so that a sanitizer sees a read past its end */
        char *copy = malloc(len == 0 ? 1 : len);

        assert_non_null(copy);
        memcpy(copy, grammar[i].text, len);
        print_message("  %s\n", grammar[i].text);
        assert_int_equal(line_scan(copy, len, &line), grammar[i].valid);
        free(copy);
    }
}

static void no_prefix_of_a_line_is_a_line(void **state)
{
    static const char text[] = "{\"custom_id\":\"a\\u00e9\",\"body\":{\"model\":\"m\",\"x\":[1.5e3,"
                               "{\"y\":null}],\"s\":\"long text without escapes\"},\"z\":true}";
    struct line line;

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++)
        assert_false(line_scan(text, n, &line));
    assert_true(line_scan(text, sizeof(text) - 1, &line));
}

static void assert_slice(struct slice s, const char *text)
{
    if (text == NULL) {
        assert_null(s.p);
        return;
    }
    assert_int_equal(s.n, strlen(text));
    assert_memory_equal(s.p, text, s.n);
}

static void members_are_raw_slices(void **state)
{
    static const char text[] =
        "{ \"custom_id\" : \"a\\u0062\" "
        ",\"method\":\"POST\",\"url\":\"/v1/x\",\"other\":{\"model\":"
        "\"no\"},\"body\": {\"model\":\"m-1\",\"messages\":[{\"model\":\"no\"}],\"stream\":true,"
        "\"sim_answer\":\"hi\",\"sim_status\":429,\"sim_raw_content\":[1]} }";
    struct line line;

    (void)state;
    assert_true(line_scan(text, sizeof(text) - 1, &line));
    assert_slice(line.custom_id, "\"a\\u0062\"");
    assert_slice(line.method, "\"POST\"");
    assert_slice(line.url, "\"/v1/x\"");
    assert_slice(line.model, "\"m-1\"");
    assert_slice(line.messages, "[{\"model\":\"no\"}]");
    assert_slice(line.stream, "true");
    assert_slice(line.sim_answer, "\"hi\"");
    assert_slice(line.sim_status, "429");
    assert_slice(line.sim_raw_content, "[1]");
    assert_slice(line.input, NULL);
    assert_int_equal(line.body.p[0], '{');
    assert_int_equal(line.body.p[line.body.n - 1], '}');
    assert_true(slice_means(line.custom_id, "ab"));
    assert_false(slice_means(line.custom_id, "a\\u0062"));
}

static void the_last_of_repeated_members_counts(void **state)
{
    static const char text[] = "{\"body\":{\"model\":\"one\",\"input\":1},\"custom_id\":\"x\","
                               "\"custom\\u005fid\":\"y\",\"body\":{\"model\":\"two\"}}";
    struct line line;

    (void)state;
    assert_true(line_scan(text, sizeof(text) - 1, &line));
    assert_slice(line.model, "\"two\"");
    assert_slice(line.input, NULL);
    assert_slice(line.custom_id, "\"y\"");
}

static void nesting_ends_at_its_limit(void **state)
{
    struct line line;

    (void)state;
    for (size_t depth = LINE_DEPTH_MAX - 1; depth <= LINE_DEPTH_MAX + 1; depth++) {
        struct buf b = TEXT_INIT;

        text_put(&b, "{\"a\":");
        for (size_t i = 0; i < depth; i++)
            text_put(&b, "[");
        for (size_t i = 0; i < depth; i++)
            text_put(&b, "]");
        text_put(&b, "}");
        assert_int_equal(line_scan(b.data, b.len, &line), depth <= LINE_DEPTH_MAX);
        buf_release(&b);
    }
}

static const struct {
    const char *json;
    const char *decoded;
} decodings[] = {
    {"\"\"",                           ""                 },
    {"\"plain\"",                      "plain"            },
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"  },
    {"\"a\\u00e9b\"",                  "a\xc3\xa9"
                      "b"            },
    {"\"\\u20ac\"",                    "\xe2\x82\xac"     },
    {"\"\\ud83d\\ude00!\"",            "\xf0\x9f\x98\x80!"},
    {"\"\\ud83d!\"",                   "\xef\xbf\xbd!"    },
    {"\"\\ud83d\\u0041\"",             "\xef\xbf\xbd"
                           "A"  },
    {"\"\\ude00\"",                    "\xef\xbf\xbd"     },
};

static void strings_decode(void **state)
{
    struct buf out = TEXT_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(decodings); i++) {
        struct slice s = {decodings[i].json, strlen(decodings[i].json)};
        size_t n = strlen(decodings[i].decoded);

        print_message("  %s\n", decodings[i].json);
        slice_decode(s, &out);
        assert_int_equal(out.len, n);
        assert_memory_equal(n == 0 ? "" : out.data, decodings[i].decoded, n);
        assert_true(slice_hash(s, &out) == hash_fnv(decodings[i].decoded, n));
    }
    buf_release(&out);
}

static void inputs_are_counted(void **state)
{
    static const struct {
        const char *json;
        size_t count;
    } cases[] = {
        {"\"text\"",              1},
        {"[\"a\",\"b\" , \"c\"]", 3},
        {"[[1,2],[3]]",           2},
        {"[1,2,3]",               1},
        {"[]",                    1},
        {"[\"a\"]",               1},
        {"[\"a,b\",[\"c\"]]",     2}
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice s = {cases[i].json, strlen(cases[i].json)};

        assert_int_equal(slice_count_inputs(s), cases[i].count);
    }
    assert_int_equal(slice_count_inputs((struct slice){0}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_json_objects_are_lines),
        cmocka_unit_test(no_prefix_of_a_line_is_a_line),
        cmocka_unit_test(members_are_raw_slices),
        cmocka_unit_test(the_last_of_repeated_members_counts),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(strings_decode),
        cmocka_unit_test(inputs_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
