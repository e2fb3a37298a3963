#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/nearest.h"
#include "common/base/units.h"
#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"
#include "common/recipe/recipe_loader.h"
#include "common/recipe/tree_json.h"

#define KEYS_TEXT_MAX 400 /* bytes of the list of keys in a message */

bool node_fail(struct recipe_loader *l, size_t node)
{
    return tree_fail(l->tree, node, l->err);
}

bool node_refuse(struct recipe_loader *l, size_t node, const char *why)
{
    (void)err_set(l->err, ERR_USAGE, "%s", why);
    return node_fail(l, node);
}

bool node_refuse_word(struct recipe_loader *l, size_t node, const char *needs, const char *word,
                      const char *const *words)
{
    const char *near = nearest_of(word, words);

    if (near == NULL)
        (void)err_set(l->err, ERR_USAGE, "%s, not \"%s\"", needs, word);
    else
        (void)err_set(l->err, ERR_USAGE, "%s, not \"%s\"; did you mean \"%s\"?", needs, word, near);
    return node_fail(l, node);
}

size_t node_find(const struct recipe_loader *l, size_t parent, const char *key)
{
    return yaml_tree_find(l->tree, parent, key);
}

static bool is_known(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

/* "a, b and c" */
static bool put_all(struct buf *out, const char *const *keys)
{
    bool ok = true;

    for (size_t i = 0; ok && keys[i] != NULL; i++) {
        const char *before = i == 0 ? "" : keys[i + 1] == NULL ? " and " : ", ";

        ok = buf_printf(out, "%s%s", before, keys[i]);
    }
    return ok;
}

/* Which key was meant, or which ones there are. */
static void unknown_key(struct recipe_loader *l, const char *key, const char *const *keys)
{
    struct buf all = BUF_INIT(KEYS_TEXT_MAX);
    const char *near = nearest_of(key, keys);

    if (near != NULL)
        (void)err_set(l->err, ERR_USAGE, "unknown key \"%s\"; did you mean \"%s\"?", key, near);
    else if (put_all(&all, keys))
        (void)err_set(l->err, ERR_USAGE, "unknown key \"%.100s\"; there are %s", key, all.data);
    else
        (void)err_set(l->err, ERR_USAGE, "unknown key \"%s\"", key);
    buf_release(&all);
}

bool node_keys(struct recipe_loader *l, size_t parent, const char *const *keys)
{
    for (size_t i = yaml_tree_first(l->tree, parent); i != TREE_NONE;
         i = yaml_tree_next(l->tree, i)) {
        const char *key = l->tree->nodes[i].key;

        if (is_known(key, keys))
            continue;
        unknown_key(l, key, keys);
        return tree_fail_key(l->tree, i, l->err);
    }
    return true;
}

bool node_text(struct recipe_loader *l, size_t node, const char **out)
{
    const struct tree_node *n = &l->tree->nodes[node];

    if (n->value == NULL)
        (void)err_set(l->err, ERR_USAGE, "%s: needs one value, not a %s", n->key,
                      n->list ? "list" : "mapping");
    else if (n->value[0] == '\0' || yaml_tree_is_null(n))
        (void)err_set(l->err, ERR_USAGE, "%s: has no value", n->key);
    else {
        *out = n->value;
        return true;
    }
    (void)node_fail(l, node);
    return false;
}

bool node_take_text(struct recipe_loader *l, size_t parent, const char *key, char **out)
{
    size_t node = node_find(l, parent, key);
    const char *text = NULL;

    if (node == TREE_NONE)
        return true;
    if (!node_text(l, node, &text))
        return false;
    free(*out);
    *out = xstrdup(text);
    return true;
}

bool node_take_bool(struct recipe_loader *l, size_t parent, const char *key, bool *out)
{
    size_t node = node_find(l, parent, key);
    const char *text = NULL;

    if (node == TREE_NONE)
        return true;
    if (!node_text(l, node, &text))
        return false;
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        (void)err_set(l->err, ERR_USAGE, "%s: needs true or false, not \"%s\"", key, text);
        return node_fail(l, node);
    }
    *out = strcmp(text, "true") == 0;
    return true;
}

bool node_take_count(struct recipe_loader *l, size_t parent, const char *key, uint64_t min,
                     uint64_t max, uint64_t *out)
{
    size_t node = node_find(l, parent, key);
    const char *text = NULL;
    int64_t count;

    if (node == TREE_NONE)
        return true;
    if (!node_text(l, node, &text))
        return false;
    if (!units_parse_count(text, &count, NULL) || count < 0 || (uint64_t)count < min ||
        (uint64_t)count > max) {
        (void)err_set(l->err, ERR_USAGE,
                      "%s: needs a whole number from %" PRIu64 " to %" PRIu64 ", not \"%s\"", key,
                      min, max, text);
        return node_fail(l, node);
    }
    *out = (uint64_t)count;
    return true;
}

bool node_mapping(struct recipe_loader *l, size_t node)
{
    const struct tree_node *n = &l->tree->nodes[node];

    if (n->value == NULL && !n->list && tree_inside(l->tree, node) > 0)
        return true;
    (void)err_set(l->err, ERR_USAGE, "%s: needs a mapping", n->key);
    return node_fail(l, node);
}

bool node_json(struct recipe_loader *l, size_t node, char **out, size_t *len)
{
    struct buf json = BUF_INIT(RECIPE_MAX_DATA_BYTES);

    if (!tree_to_json(l->tree, node, &json)) {
        buf_release(&json);
        (void)err_set(l->err, ERR_USAGE, "too much to be one JSON value");
        return node == TREE_ROOT ? false : node_fail(l, node);
    }
    *out = json.data;
    if (len != NULL)
        *len = json.len;
    return true;
}

char *node_name(const struct recipe_loader *l, size_t node)
{
    const struct tree_node *n = &l->tree->nodes[node];
    char *name = NULL;

    if (asprintf(&name, "%s:%zu:%zu: %s", l->tree->name, n->line, n->column,
                 n->key[0] != '\0' ? n->key : "images") < 0)
        abort();
    return name;
}
