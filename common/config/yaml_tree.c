#include "common/config/yaml_tree.h"

#include <string.h>

#include "common/base/xmem.h"
#include "common/config/yaml_reader.h"

static bool read_all(struct yaml_reader *r, struct tree *out)
{
    static const char must_be[] = "the file must be one mapping";
    const struct yaml_rules rules = {.what = "a list",
                                     .max_nodes = YAML_TREE_MAX_NODES,
                                     .max_depth = YAML_TREE_MAX_DEPTH,
                                     .nulls = true,
                                     .exact = true};
    bool end;

    if (!yaml_reader_root(r, must_be, &end))
        return false;
    if (end)
        return err_set(r->err, ERR_USAGE, "%s: %s; there is nothing in it", r->name, must_be);
    return yaml_reader_mapping(r, &rules, out) && yaml_reader_root(r, must_be, &end) && end;
}

bool yaml_tree_parse(const char *name, const char *text, size_t len, struct tree *out,
                     struct err *err)
{
    struct yaml_reader r;

    *out = (struct tree){0};
    if (len > YAML_TREE_MAX_BYTES)
        return err_set(err, ERR_USAGE, "%s: larger than 1 MiB", name);
    if (!yaml_reader_open(&r, name, text, len, err))
        return false;
    out->name = xstrdup(name);
    bool ok = read_all(&r, out);
    if (!ok)
        tree_release(out);
    yaml_reader_close(&r);
    return ok;
}

size_t yaml_tree_first(const struct tree *tree, size_t parent)
{
    if (parent == TREE_ROOT)
        return tree->count > 0 ? 0 : TREE_NONE;
    return tree_inside(tree, parent) > 0 ? parent + 1 : TREE_NONE;
}

size_t yaml_tree_next(const struct tree *tree, size_t i)
{
    size_t next = i + 1 + tree_inside(tree, i);

    return next < tree->count && tree->nodes[next].depth == tree->nodes[i].depth ? next : TREE_NONE;
}

size_t yaml_tree_find(const struct tree *tree, size_t parent, const char *key)
{
    for (size_t i = yaml_tree_first(tree, parent); i != TREE_NONE; i = yaml_tree_next(tree, i)) {
        if (strcmp(tree->nodes[i].key, key) == 0)
            return i;
    }
    return TREE_NONE;
}

bool yaml_tree_is_null(const struct tree_node *node)
{
    return node->value != NULL && !node->quoted && strcmp(node->value, "null") == 0;
}
