#include "common/recipe/tree_json.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"

static bool put(struct buf *out, const char *text)
{
    return buf_append(out, text, strlen(text));
}

/* What a value without quotes is in JSON, or NULL for a string. */
static const char *plain_value(const char *text)
{
    static const char *const words[][2] = {
        {"",      "null" },
        {"~",     "null" },
        {"null",  "null" },
        {"Null",  "null" },
        {"NULL",  "null" },
        {"true",  "true" },
        {"True",  "true" },
        {"TRUE",  "true" },
        {"false", "false"},
        {"False", "false"},
        {"FALSE", "false"}
    };
    struct json_value number;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i][0]) == 0)
            return words[i][1];
    }
    return json_scan(text, strlen(text), &number, NULL) && number.kind == JSON_NUMBER ? text : NULL;
}

static bool put_scalar(struct buf *out, const struct tree_node *node)
{
    const char *plain = node->quoted ? NULL : plain_value(node->value);

    return plain != NULL ? put(out, plain)
                         : json_string_encode(out, node->value, strlen(node->value));
}

/* What stands before node @i when it is not the first of its list or mapping. */
static bool put_name(struct buf *out, const struct tree_node *node, bool first, bool list)
{
    return (first || put(out, ",")) &&
           (list || (json_string_encode(out, node->key, strlen(node->key)) && put(out, ":")));
}

/* The brackets that end, from @depth down to @to. */
static bool close_levels(struct buf *out, const bool lists[], unsigned depth, unsigned to)
{
    for (; depth > to; depth--) {
        if (!put(out, lists[depth - 1] ? "]" : "}"))
            return false;
    }
    return true;
}

/* The nodes from @from to before @end, the inside of one list or mapping that is open. */
static bool put_nodes(const struct tree *tree, size_t from, size_t end, bool list, struct buf *out)
{
    bool lists[YAML_TREE_MAX_DEPTH + 2] = {list}; /* of each open level */
    unsigned open = 1;
    bool first = true;

    for (size_t i = from; i < end; i++) {
        const struct tree_node *node = &tree->nodes[i];
        unsigned level = node->depth - tree->nodes[from].depth + 1;

        if (!close_levels(out, lists, open, level) || !put_name(out, node, first, lists[level - 1]))
            return false;
        open = level;
        if (!(node->value != NULL ? put_scalar(out, node) : put(out, node->list ? "[" : "{")))
            return false;
        if (node->value == NULL)
            lists[open++] = node->list;
        first = i + 1 < end && tree->nodes[i + 1].depth > node->depth;
    }
    return close_levels(out, lists, open, 0);
}

bool tree_to_json(const struct tree *tree, size_t i, struct buf *out)
{
    if (i == TREE_ROOT)
        return put(out, "{") && put_nodes(tree, 0, tree->count, false, out);

    const struct tree_node *node = &tree->nodes[i];
    if (node->value != NULL)
        return put_scalar(out, node);
    return put(out, node->list ? "[" : "{") &&
           put_nodes(tree, i + 1, i + 1 + tree_inside(tree, i), node->list, out);
}

static char *decoded(const struct json_value *value)
{
    char *text = xcalloc(value->len + 1, 1);

    if (!json_string_decode(value, text, value->len + 1, NULL))
        text[0] = '\0';
    return text;
}

static void add_node(struct tree *out, unsigned depth, const struct json_value *name,
                     const struct json_value *value)
{
    struct tree_node node = {.depth = depth, .list = value->kind == JSON_ARRAY};

    node.quoted = value->kind == JSON_STRING;
    node.key = name->kind == JSON_STRING ? decoded(name) : xstrdup("");
    if (value->kind != JSON_ARRAY && value->kind != JSON_OBJECT)
        node.value = node.quoted ? decoded(value) : xstrndup(value->text, value->len);
    tree_add(out, &node);
    free(node.key);
    free(node.value);
}

void tree_from_json(const char *name, const struct json_value *object, struct tree *out)
{
    struct json_iter levels[YAML_TREE_MAX_DEPTH] = {json_iter_begin(object)};
    unsigned depth = 0;

    *out = (struct tree){.name = xstrdup(name)};
    for (;;) {
        struct json_value key = {0};
        struct json_value value;

        if (!json_iter_next(&levels[depth], &key, &value)) {
            if (depth-- == 0)
                return;
            continue;
        }
        add_node(out, depth, &key, &value);
        if ((value.kind == JSON_ARRAY || value.kind == JSON_OBJECT) &&
            depth + 1 < YAML_TREE_MAX_DEPTH)
            levels[++depth] = json_iter_begin(&value);
    }
}
