/* YAML values as JSON, and back. */
#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/config/yaml_tree.h"
#include "common/recipe/tree_json.h"

static const struct {
    const char *yaml, *json;
} cases[] = {
    {"a: 3",                                "{\"a\":3}"                                          },
    {"a: \"3\"",                            "{\"a\":\"3\"}"                                      },
    {"a: '3'",                              "{\"a\":\"3\"}"                                      },
    {"a: -0.50\nb: 1e6\nc: 00\nd: +1",      "{\"a\":-0.50,\"b\":1e6,\"c\":\"00\",\"d\":\"+1\"}"  },
    {"a: .5\nb: 0x1F\nc: 1_000\nd: 1.",
     "{\"a\":\".5\",\"b\":\"0x1F\",\"c\":\"1_000\",\"d\":\"1.\"}"                                },
    {"a: true\nb: False\nc: yes\nd: on",    "{\"a\":true,\"b\":false,\"c\":\"yes\",\"d\":\"on\"}"},
    {"a:\nb: ~\nc: null\nd: NULL\ne: \"\"",
     "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":\"\"}"                                  },
    {"a: 'null'\nb: \"~\"",                 "{\"a\":\"null\",\"b\":\"~\"}"                       },
    {"a: {}\nb: []\nc: [[], {}]",           "{\"a\":{},\"b\":[],\"c\":[[],{}]}"                  },
    {"a: {b: [1, two, {c: 3}]}\nd: 4",      "{\"a\":{\"b\":[1,\"two\",{\"c\":3}]},\"d\":4}"      },
    {"a: |\n  x\n  y\nb: >\n  x\n  y\n",    "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\"}"              },
    {"a: |\n  3\n",                         "{\"a\":\"3\\n\"}"                                   },
    {"\"k \\\"q\\\"\": \"\\t好\\u2028\"",  "{\"k \\\"q\\\"\":\"\\t好\xe2\x80\xa8\"}"           },
    {"1: 2",                                "{\"1\":2}"                                          },
};

static void values_become_what_they_look_like(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf json = BUF_INIT(4096);
        struct tree tree;
        struct err err = {0};

        if (!yaml_tree_parse("t", cases[i].yaml, strlen(cases[i].yaml), &tree, &err))
            fail_msg("%s: %s", cases[i].yaml, err.msg);
        assert_true(tree_to_json(&tree, TREE_ROOT, &json));
        assert_string_equal(json.data, cases[i].json);
        tree_release(&tree);
        buf_release(&json);
    }
}

static void json_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf json = BUF_INIT(4096);
        struct json_value root;
        struct tree tree;

        assert_true(json_scan(cases[i].json, strlen(cases[i].json), &root, NULL));
        tree_from_json("t", &root, &tree);
        assert_true(tree_to_json(&tree, TREE_ROOT, &json));
        assert_string_equal(json.data, cases[i].json);
        tree_release(&tree);
        buf_release(&json);
    }
}

static void one_node_is_a_value_too(void **state)
{
    struct buf json = BUF_INIT(8);
    struct tree tree;

    (void)state;
    assert_true(yaml_tree_parse("t", "a: {b: [1, 2]}\nc: long enough", 29, &tree, NULL));
    assert_true(tree_to_json(&tree, yaml_tree_find(&tree, 0, "b"), &json));
    assert_string_equal(json.data, "[1,2]");
    buf_clear(&json);
    assert_false(tree_to_json(&tree, yaml_tree_find(&tree, TREE_ROOT, "c"), &json));
    buf_release(&json);
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_what_they_look_like),
        cmocka_unit_test(json_comes_back_as_it_was),
        cmocka_unit_test(one_node_is_a_value_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
