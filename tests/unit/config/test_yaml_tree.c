/* Any YAML file as a tree. */
#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/config/yaml_tree.h"

/* Of each node: depth, key, value ("-": none, quoted in quotes), place of the value and the key. */
static void print_tree(const struct tree *tree, struct buf *out)
{
    for (size_t i = 0; i < tree->count; i++) {
        const struct tree_node *n = &tree->nodes[i];
        const char *quote = n->quoted ? "'" : "";

        assert_true(buf_printf(out, "%u %s=%s%s%s %zu:%zu %zu:%zu\n", n->depth, n->key, quote,
                               n->value != NULL ? n->value : (n->list ? "[]" : "{}"), quote,
                               n->line, n->column, n->key_line, n->key_column));
    }
}

static void nodes_know_where_they_are(void **state)
{
    static const char text[] = "# a comment\n"
                               "model: glm\n"
                               "list:\n"
                               "  - name: \"x\"\n"
                               "    text: |\n"
                               "      one\n"
                               "      two\n"
                               "  - []\n"
                               "none:\n"
                               "a-b: 1\n"
                               "a_b: 'null'\n";
    struct buf have = BUF_INIT(4096);
    struct tree tree;

    (void)state;
    assert_true(yaml_tree_parse("t.yaml", text, sizeof(text) - 1, &tree, NULL));
    print_tree(&tree, &have);
    assert_string_equal(have.data, "0 model=glm 2:8 2:1\n"
                                   "0 list=[] 3:1 3:1\n"
                                   "1 ={} 4:5 4:5\n"
                                   "2 name='x' 4:11 4:5\n"
                                   "2 text='one\ntwo\n' 5:11 5:5\n"
                                   "1 =[] 8:5 8:5\n"
                                   "0 none=null 9:6 9:1\n"
                                   "0 a-b=1 10:6 10:1\n"
                                   "0 a_b='null' 11:6 11:1\n");
    assert_int_equal(yaml_tree_find(&tree, TREE_ROOT, "list"), 1);
    assert_int_equal(yaml_tree_find(&tree, TREE_ROOT, "name"), TREE_NONE);
    assert_int_equal(yaml_tree_first(&tree, 1), 2);
    assert_int_equal(yaml_tree_next(&tree, 2), 5);
    assert_int_equal(yaml_tree_next(&tree, 5), TREE_NONE);
    assert_int_equal(yaml_tree_first(&tree, 5), TREE_NONE);
    assert_int_equal(yaml_tree_find(&tree, 2, "text"), 4);
    assert_true(yaml_tree_is_null(&tree.nodes[6]));
    assert_false(yaml_tree_is_null(&tree.nodes[8]));
    tree_release(&tree);
    buf_release(&have);
}

static void json_is_yaml(void **state)
{
    static const char text[] =
        "{\n\t\"batch\": {\"model\": \"m\\u597d\", \"n\": 3},\n\t\"e\": []\n}\n";
    struct buf have = BUF_INIT(4096);
    struct tree tree;

    (void)state;
    assert_true(yaml_tree_parse("t.json", text, sizeof(text) - 1, &tree, NULL));
    print_tree(&tree, &have);
    assert_string_equal(have.data, "0 batch={} 2:2 2:2\n"
                                   "1 model='m好' 2:21 2:12\n"
                                   "1 n=3 2:37 2:32\n"
                                   "0 e=[] 3:2 3:2\n");
    tree_release(&tree);
    buf_release(&have);
}

static void what_is_not_allowed_is_told_by_its_place(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"",                      "t: the file must be one mapping; there is nothing in it"             },
        {"# only a comment\n",    "t: the file must be one mapping; there is nothing in it"             },
        {"text",                  "t:1:1: the file must be one mapping"                                 },
        {"- 1\n",                 "t:1:1: the file must be one mapping"                                 },
        {"a: 1\n---\nb: 2\n",     "t:2:1: the file must be one mapping"                                 },
        {"a: 1\na: 2\n",          "t:2:1: duplicate key \"a\", first in line 1"                         },
        {"a: {b: 1, b: 2}\n",     "t:1:11: duplicate key \"b\", first in line 1"                        },
        {"a: *x\n",               "t:1:4: aliases (*) are not allowed"                                  },
        {"a: &x 1\n",             "t:1:4: anchors (&) are not allowed"                                  },
        {"a: &x [1]\n",           "t:1:4: anchors (&) are not allowed"                                  },
        {"a: !t [1]\n",           "t:1:4: tags (!) are not allowed"                                     },
        {"a: !!str 1\n",          "t:1:4: tags (!) are not allowed"                                     },
        {"<<: {a: 1}\n",          "t:1:1: merge keys (<<) are not allowed"                              },
        {"a: \"\\0\"\n",          "t:1:4: text with a NUL is not allowed"                               },
        {"? [a]\n: 1\n",          "t:1:3: a key must be a word"                                         },
        {"a: {api_key: k}\n",     "t:1:5: \"api_key\": a configuration file may not hold a "
                              "secret; use api_key_file or the environment"},
        {"a: \"\\ud83d\\ude00\"", "t:1:7: found invalid Unicode character escape code"                  },
        {"a:\n\t- 1\n",           "t:2:1: found character that cannot start any token"                  },
        {"a: caf\xe9\n",          "t:1:7: incomplete UTF-8 octet sequence"                              },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tree tree;
        struct err err = {0};

        if (yaml_tree_parse("t", cases[i].text, strlen(cases[i].text), &tree, &err))
            fail_msg("accepted: %s", cases[i].text);
        assert_string_equal(err.msg, cases[i].wanted);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_int_equal(tree.count, 0);
        assert_null(tree.name);
    }
}

static void check_refused(const struct buf *text, const char *wanted)
{
    struct tree tree;
    struct err err = {0};

    assert_false(yaml_tree_parse("t", text->data, text->len, &tree, &err));
    assert_non_null(strstr(err.msg, wanted));
}

static void sizes_have_limits(void **state)
{
    struct buf text = BUF_INIT(4U << 20);

    (void)state;
    assert_true(buf_printf(&text, "a: "));
    for (unsigned i = 0; i < YAML_TREE_MAX_DEPTH; i++)
        assert_true(buf_append(&text, "[", 1));
    for (unsigned i = 0; i < YAML_TREE_MAX_DEPTH; i++)
        assert_true(buf_append(&text, "]", 1));
    struct tree tree;
    assert_true(yaml_tree_parse("t", text.data, text.len, &tree, NULL));
    tree_release(&tree);
    buf_clear(&text);
    assert_true(buf_printf(&text, "a: "));
    for (unsigned i = 0; i < 100000; i++)
        assert_true(buf_append(&text, "[", 1));
    check_refused(&text, "too much is nested here");
    buf_clear(&text);
    assert_true(buf_printf(&text, "a: ["));
    for (unsigned i = 0; i < YAML_TREE_MAX_NODES; i++)
        assert_true(buf_append(&text, "1,", 2));
    check_refused(&text, "too much is nested here");
    buf_clear(&text);
    assert_true(buf_printf(&text, "a: '%0*d'", (int)YAML_TREE_MAX_BYTES, 1));
    check_refused(&text, "t: larger than 1 MiB");
    buf_clear(&text);
    assert_true(buf_printf(&text, "? '%0*d'\n: 1\n", 300, 1));
    check_refused(&text, "t:1:3: a key of more than 256 bytes");
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_know_where_they_are),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(what_is_not_allowed_is_told_by_its_place),
        cmocka_unit_test(sizes_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
