#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/tree.h"
#include "common/base/xmem.h"

static void add(struct tree *tree, unsigned depth, const char *key, const char *value)
{
    char name[16], text[16];
    struct tree_node node = {.depth = depth, .line = tree->count + 1, .column = 3};

    (void)snprintf(name, sizeof(name), "%s", key);
    (void)snprintf(text, sizeof(text), "%s", value != NULL ? value : "");
    node.key = name;
    node.value = value != NULL ? text : NULL;
    tree_add(tree, &node); /* copies */
    memset(name, 'x', sizeof(name) - 1);
}

static void what_belongs_to_a_node_follows_it(void **state)
{
    struct tree tree = {0};

    (void)state;
    add(&tree, 0, "a", NULL);
    add(&tree, 1, "b", NULL);
    add(&tree, 2, "c", "1");
    add(&tree, 1, "d", "2");
    add(&tree, 0, "e", "3");
    assert_string_equal(tree.nodes[2].key, "c");
    assert_string_equal(tree.nodes[2].value, "1");
    assert_null(tree.nodes[0].value);
    assert_int_equal(tree_inside(&tree, 0), 3);
    assert_int_equal(tree_inside(&tree, 1), 1);
    assert_int_equal(tree_inside(&tree, 2), 0);
    assert_int_equal(tree_inside(&tree, 4), 0);
    tree_release(&tree);
    assert_int_equal(tree.count, 0);
}

static void a_failure_names_the_place_in_one_line(void **state)
{
    struct tree tree = {.name = xstrdup("sheaf.yaml")};
    struct err err = {0};

    (void)state;
    add(&tree, 0, "a", "1");
    (void)err_set(&err, ERR_USAGE, "bad \"x\ny\"");
    assert_false(tree_fail(&tree, 0, &err));
    assert_string_equal(err.msg, "sheaf.yaml:1:3: bad \"x?y\"");
    assert_int_equal(err.kind, ERR_USAGE);
    assert_false(tree_fail(&tree, 0, NULL));
    tree_release(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_belongs_to_a_node_follows_it),
        cmocka_unit_test(a_failure_names_the_place_in_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
