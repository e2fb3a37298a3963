#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"
#include "common/recipe/recipe_loader.h"
#include "common/recipe/schema.h"
#include "common/recipe/template.h"

static const char *const answer_keys[] = {"type", "schema", "repair", NULL};
static const char *const vocabulary_keys[] = {"file",   "terms", "path", "at",
                                              "parent", "child", NULL};

/* The words of `on_invalid`, in the order of the enum. */
static const char *const on_invalid_words[] = {"retry", "default", "fail", NULL};

/* ---- what an answer must be ---- */

static bool schema_from(struct recipe_loader *l, size_t at, struct analysis *a)
{
    char *text;
    size_t len;

    if (l->tree->nodes[at].value != NULL) {
        const struct recipe_file *file = loader_file(l, at, RECIPE_MAX_DATA_BYTES);
        char *name = file != NULL ? loader_shown(l, file->path) : NULL;

        if (file != NULL)
            a->schema = schema_parse(name, file->text, file->len, l->err);
        free(name);
        return a->schema != NULL;
    }
    if (!node_json(l, at, &text, &len))
        return false;
    char *name = node_name(l, at);
    a->schema = schema_parse(name, text, len, l->err);
    free(name);
    free(text);
    return a->schema != NULL;
}

/* Without a word about it, a schema says that the answer is JSON. */
static bool take_type(struct recipe_loader *l, size_t node, struct analysis *a)
{
    const char *const words[] = {answer_type_name(ANSWER_TEXT), answer_type_name(ANSWER_JSON),
                                 NULL};
    size_t at = node == TREE_NONE ? TREE_NONE : node_find(l, node, "type");
    const char *type;

    a->answer.type =
        a->schema != NULL || a->answer.repair || (a->pack_rows > 0 && a->pack_answer == NULL)
            ? ANSWER_JSON
            : ANSWER_TEXT;
    if (at == TREE_NONE)
        return true;
    if (!node_text(l, at, &type))
        return false;
    if (answer_type_parse(type, &a->answer.type))
        return true;
    return node_refuse_word(l, at, "type: needs text or json", type, words);
}

static bool take_answer(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "answer");

    if (at == TREE_NONE)
        return take_type(l, TREE_NONE, a);
    if (!node_mapping(l, at) || !node_keys(l, at, answer_keys) ||
        !node_take_bool(l, at, "repair", &a->answer.repair))
        return false;
    size_t schema = node_find(l, at, "schema");
    if (schema != TREE_NONE && !schema_from(l, schema, a))
        return false;
    a->answer.schema = a->schema;
    return take_type(l, at, a);
}

static bool parse_vocabulary(struct recipe_loader *l, const char *name, const char *text,
                             size_t len, const char *path, struct analysis *a)
{
    struct buf words = BUF_INIT(RECIPE_MAX_DATA_BYTES);

    a->vocabulary = vocabulary_parse(name, text, len, path, l->err);
    if (a->vocabulary == NULL)
        return false;
    if (!vocabulary_text(a->vocabulary, &words)) {
        buf_release(&words);
        return err_set(l->err, ERR_USAGE, "%s: too large", name);
    }
    a->vocabulary_text = words.data;
    return true;
}

static bool vocabulary_file(struct recipe_loader *l, size_t at, const char *path,
                            struct analysis *a)
{
    const struct recipe_file *file = loader_file(l, at, RECIPE_MAX_DATA_BYTES);

    if (file == NULL)
        return false;
    char *name = loader_shown(l, file->path);
    bool ok = parse_vocabulary(l, name, file->text, file->len, path, a);
    free(name);
    return ok;
}

static bool vocabulary_terms(struct recipe_loader *l, size_t at, const char *path,
                             struct analysis *a)
{
    char *text;
    size_t len;

    if (!node_json(l, at, &text, &len))
        return false;
    char *name = node_name(l, at);
    bool ok = parse_vocabulary(l, name, text, len, path, a);
    free(name);
    free(text);
    return ok;
}

static bool vocabulary_of(struct recipe_loader *l, size_t at, struct analysis *a)
{
    size_t file = node_find(l, at, "file"), terms = node_find(l, at, "terms");
    char *path = NULL;

    if ((file == TREE_NONE) == (terms == TREE_NONE))
        return node_refuse(l, at, "vocabulary: needs a file, or terms");
    bool ok = node_take_text(l, at, "path", &path);
    if (ok)
        ok = file != TREE_NONE ? vocabulary_file(l, file, path, a)
                               : vocabulary_terms(l, terms, path, a);
    free(path);
    return ok;
}

static bool take_where(struct recipe_loader *l, size_t at, struct analysis *a)
{
    if (!node_take_text(l, at, "at", &a->vocabulary_at) ||
        !node_take_text(l, at, "parent", &a->vocabulary_parent) ||
        !node_take_text(l, at, "child", &a->vocabulary_child))
        return false;
    a->answer.where = (struct vocabulary_rule){
        .at = a->vocabulary_at, .parent = a->vocabulary_parent, .child = a->vocabulary_child};
    if (a->vocabulary_child != NULL && a->vocabulary_parent == NULL)
        return node_refuse(l, at, "vocabulary: a child needs a parent");
    if (a->answer.type == ANSWER_TEXT && (a->vocabulary_at != NULL || a->vocabulary_parent != NULL))
        return node_refuse(l, at, "vocabulary: at, parent and child need answer: {type: json}");
    return true;
}

/* A file's name alone, or a mapping. */
static bool take_vocabulary(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "vocabulary");

    if (at == TREE_NONE)
        return true;
    if (l->tree->nodes[at].value != NULL) {
        if (!vocabulary_file(l, at, NULL, a))
            return false;
    } else if (!node_mapping(l, at) || !node_keys(l, at, vocabulary_keys) ||
               !vocabulary_of(l, at, a) || !take_where(l, at, a)) {
        return false;
    }
    a->answer.vocabulary = a->vocabulary;
    return true;
}

/* {{vocabulary}} where there is none. */
static bool check_vocabulary(struct recipe_loader *l, size_t node, const struct analysis *a)
{
    if (a->vocabulary != NULL || (!template_uses_vocabulary(a->prompt) &&
                                  (a->system == NULL || !template_uses_vocabulary(a->system))))
        return true;
    return node_refuse(l, node, "{{vocabulary}} is used, and the analysis has no vocabulary");
}

/* ---- what becomes of it ---- */

static bool take_on_invalid(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "on_invalid"), tries = node_find(l, node, "tries");
    uint64_t count = RECIPE_TRIES_PRESET;
    const char *word = on_invalid_words[ON_INVALID_RETRY];
    unsigned how = 0;

    if (at != TREE_NONE && !node_text(l, at, &word))
        return false;
    while (on_invalid_words[how] != NULL && strcmp(on_invalid_words[how], word) != 0)
        how++;
    if (on_invalid_words[how] == NULL)
        return node_refuse_word(l, at, "on_invalid: needs retry, default or fail", word,
                                on_invalid_words);
    a->on_invalid = (enum on_invalid)how;
    if (!node_take_count(l, node, "tries", 1, RECIPE_TRIES_MAX, &count))
        return false;
    if (tries != TREE_NONE && a->on_invalid != ON_INVALID_RETRY)
        return node_refuse(l, tries, "tries: needs on_invalid: retry");
    a->tries = a->on_invalid == ON_INVALID_RETRY ? (unsigned)count : 1;
    return true;
}

/* A default of text is a string, also when it looks like a number. */
static bool fallback_json(struct recipe_loader *l, size_t at, struct analysis *a)
{
    const struct tree_node *n = &l->tree->nodes[at];
    struct buf json = BUF_INIT(RECIPE_MAX_BYTES);

    if (a->answer.type == ANSWER_JSON || n->value == NULL || yaml_tree_is_null(n))
        return node_json(l, at, &a->fallback, NULL);
    if (!json_string_encode(&json, n->value, strlen(n->value)))
        return node_refuse(l, at, "default: too long");
    a->fallback = json.data;
    return true;
}

static bool check_fallback(struct recipe_loader *l, size_t at, const struct analysis *a)
{
    struct json_value value;
    char why[WHY_MAX] = "expected a text";
    bool ok = json_scan(a->fallback, strlen(a->fallback), &value, NULL);

    if (ok && a->answer.type == ANSWER_TEXT)
        ok = value.kind == JSON_STRING;
    ok = ok && answer_check(&a->answer, &value, why);
    if (ok)
        return true;
    (void)err_set(l->err, ERR_USAGE, "default: is no valid answer: %s", why);
    return node_fail(l, at);
}

static bool take_fallback(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "default"), how = node_find(l, node, "on_invalid");

    if (at == TREE_NONE)
        return a->on_invalid != ON_INVALID_DEFAULT ||
               node_refuse(l, how, "on_invalid: default: there is no default");
    if (a->on_invalid == ON_INVALID_FAIL)
        return node_refuse(l, at, "default: is never used with on_invalid: fail");
    return fallback_json(l, at, a) && check_fallback(l, at, a);
}

bool recipe_build_answer(struct recipe_loader *l, size_t node, struct analysis *a)
{
    return take_answer(l, node, a) && take_vocabulary(l, node, a) && check_vocabulary(l, node, a) &&
           take_on_invalid(l, node, a) && take_fallback(l, node, a);
}
