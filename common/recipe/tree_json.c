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

static bool put_inside(const struct tree *tree, size_t parent, bool list, struct buf *out)
{
    bool first = true;

    for (size_t i = yaml_tree_first(tree, parent); i != TREE_NONE; i = yaml_tree_next(tree, i)) {
        const char *key = tree->nodes[i].key;

        if ((!first && !put(out, ",")) ||
            (!list && !(json_string_encode(out, key, strlen(key)) && put(out, ":"))) ||
            !tree_to_json(tree, i, out))
            return false;
        first = false;
    }
    return true;
}

/* Recursion goes as deep as the tree: YAML_TREE_MAX_DEPTH. */
bool tree_to_json(const struct tree *tree, size_t i, struct buf *out)
{
    bool list = i != TREE_ROOT && tree->nodes[i].list;

    if (i != TREE_ROOT && tree->nodes[i].value != NULL)
        return put_scalar(out, &tree->nodes[i]);
    return put(out, list ? "[" : "{") && put_inside(tree, i, list, out) &&
           put(out, list ? "]" : "}");
}

static char *decoded(const struct json_value *value)
{
    char *text = xcalloc(value->len + 1, 1);

    if (!json_string_decode(value, text, value->len + 1, NULL))
        text[0] = '\0';
    return text;
}

static void add(struct tree *out, const struct json_value *container, unsigned depth)
{
    struct json_iter it = json_iter_begin(container);
    struct json_value name, value;

    while (depth < YAML_TREE_MAX_DEPTH && json_iter_next(&it, &name, &value)) {
        struct tree_node node = {.depth = depth, .list = value.kind == JSON_ARRAY};
        bool nested = value.kind == JSON_ARRAY || value.kind == JSON_OBJECT;

        node.quoted = value.kind == JSON_STRING;
        node.key = name.kind == JSON_STRING ? decoded(&name) : xstrdup("");
        if (!nested)
            node.value = node.quoted ? decoded(&value) : xstrndup(value.text, value.len);
        tree_add(out, &node);
        free(node.key);
        free(node.value);
        if (nested)
            add(out, &value, depth + 1);
    }
}

void tree_from_json(const char *name, const struct json_value *object, struct tree *out)
{
    *out = (struct tree){.name = xstrdup(name)};
    add(out, object, 0);
}
