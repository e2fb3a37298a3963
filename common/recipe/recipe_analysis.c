#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"
#include "common/recipe/condition.h"
#include "common/recipe/recipe_loader.h"
#include "common/recipe/template.h"
#include "common/rows/row_path.h"

static const char *const analysis_keys[] = {
    "name",     "prompt",     "prompt_file",      "system", "system_file",
    "images",   "when",       "parameters",       "answer", "vocabulary",
    "tries",    "on_invalid", "default",          "output", "pack",
    "keep_raw", "model",      "multimodal_model", NULL};
static const char *const pack_keys[] = {"rows", "max_tokens", "id", "answer", NULL};

/* ---- name ---- */

static bool name_is_good(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return len > 0 && len <= RECIPE_NAME_MAX && name[len] == '\0';
}

static bool take_name(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "name");

    if (at == TREE_NONE)
        return node_refuse(l, node, "an analysis needs a name");
    if (!node_take_text(l, node, "name", &a->name))
        return false;
    if (!name_is_good(a->name)) {
        (void)err_set(l->err, ERR_USAGE,
                      "name: \"%s\": letters, digits, _ and - only, at most %d of them", a->name,
                      RECIPE_NAME_MAX);
        return node_fail(l, at);
    }
    for (size_t i = 0; i < l->recipe->count; i++) {
        const struct analysis *other = &l->recipe->analyses[i];

        if (other != a && other->name != NULL && strcmp(other->name, a->name) == 0) {
            (void)err_set(l->err, ERR_USAGE, "name: there is an analysis \"%s\" already", a->name);
            return node_fail(l, at);
        }
    }
    return true;
}

/* ---- prompts ---- */

static bool read_partial(void *arg, const char *path, const char **text, size_t *len,
                         struct err *err)
{
    const struct recipe_file *file = loader_file_at(arg, path, RECIPE_MAX_BYTES, err);

    if (file == NULL)
        return false;
    *text = file->text;
    *len = file->len;
    return true;
}

static bool parse_template(struct recipe_loader *l, const struct template_text *text,
                           struct template **out)
{
    const struct template_files files = {read_partial, l};

    *out = template_parse_part(text, &files, l->err);
    return *out != NULL;
}

static bool inline_template(struct recipe_loader *l, size_t node, struct template **out)
{
    struct node_block block;
    const char *text;

    if (!node_text(l, node, &text))
        return false;
    size_t len = strlen(text);
    if (node_block(l, node, &block)) {
        const struct template_text part = {l->tree->name, text, len, block.line, block.indent};

        return parse_template(l, &part, out);
    }
    char *name = node_name(l, node);
    bool ok = parse_template(l, &(struct template_text){name, text, len, 1, 0}, out);
    free(name);
    return ok;
}

/* The end of the file's last line is no part of the prompt. */
static size_t without_newline(const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    return len > 0 && text[len - 1] == '\r' ? len - 1 : len;
}

static bool file_template(struct recipe_loader *l, size_t node, struct template **out)
{
    const struct recipe_file *file = loader_file(l, node, RECIPE_MAX_BYTES);

    if (file == NULL)
        return false;
    char *name = loader_shown(l, file->path);
    char *text = xstrndup(file->text, without_newline(file->text, file->len)); /* files may move */
    bool ok = parse_template(l, &(struct template_text){name, text, strlen(text), 1, 0}, out);
    free(text);
    free(name);
    return ok;
}

/* From @key or @file_key, of which one at most may be there; *@at: which it was, or TREE_NONE. */
static bool take_template(struct recipe_loader *l, size_t node, const char *key,
                          const char *file_key, struct template **out, size_t *at)
{
    size_t text = node_find(l, node, key), file = node_find(l, node, file_key);

    *at = text != TREE_NONE ? text : file;
    if (text != TREE_NONE && file != TREE_NONE) {
        (void)err_set(l->err, ERR_USAGE, "%s and %s: only one of them", key, file_key);
        return node_fail(l, file);
    }
    if (text != TREE_NONE)
        return inline_template(l, text, out);
    return file == TREE_NONE || file_template(l, file, out);
}

static bool take_image(struct recipe_loader *l, size_t node, struct analysis *a)
{
    if (a->image_count == RECIPE_MAX_IMAGES)
        return node_refuse(l, node, "images: too many templates");
    a->images = xrealloc(a->images, a->image_count + 1, sizeof(struct template *));
    a->images[a->image_count] = NULL;
    return inline_template(l, node, &a->images[a->image_count++]);
}

/* One template, or a list of them. */
static bool take_images(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "images");

    if (at == TREE_NONE)
        return true;
    if (!l->tree->nodes[at].list)
        return take_image(l, at, a);
    for (size_t i = yaml_tree_first(l->tree, at); i != TREE_NONE; i = yaml_tree_next(l->tree, i)) {
        if (!take_image(l, i, a))
            return false;
    }
    return a->image_count > 0 || node_refuse(l, at, "images: has no template");
}

static bool take_when(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "when");
    const char *text;

    if (at == TREE_NONE)
        return true;
    if (!node_text(l, at, &text))
        return false;
    a->when_name = node_name(l, at);
    a->when = condition_parse(a->when_name, text, l->err);
    return a->when != NULL;
}

static bool take_prompts(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t prompt, system;

    if (!take_template(l, node, "prompt", "prompt_file", &a->prompt, &prompt) ||
        !take_template(l, node, "system", "system_file", &a->system, &system) ||
        !take_images(l, node, a) || !take_when(l, node, a))
        return false;
    if (a->prompt == NULL)
        return node_refuse(l, node, "an analysis needs a prompt, or a prompt_file");
    if (a->pack_rows == 0 && template_has_rows(a->prompt))
        return node_refuse(l, prompt, "{{#rows}} is for packs only; add pack: {rows: 20}");
    if (a->pack_rows > 0 && !template_has_rows(a->prompt))
        return node_refuse(l, prompt, "the prompt of a pack needs {{#rows}}...{{/rows}}");
    if (a->pack_rows > 0 && a->system != NULL && template_uses_row(a->system))
        return node_refuse(l, system, "the system prompt of a pack cannot use a row's columns");
    if (a->system != NULL && template_has_rows(a->system))
        return node_refuse(l, system, "{{#rows}} is for the prompt of a pack only");
    return true;
}

/* Whether the one path is the other, or lies in it. */
static bool collide(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    const char *longer = n > m ? a : b;
    size_t shorter = n > m ? m : n;

    return memcmp(a, b, shorter) == 0 && (longer[shorter] == '\0' || longer[shorter] == '.');
}

static bool take_output(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "output");

    a->output = xstrdup(a->name);
    if (!node_take_text(l, node, "output", &a->output))
        return false;
    if (at == TREE_NONE)
        at = node_find(l, node, "name");
    if (!row_path_check(a->output, l->err)) {
        (void)err_wrap(l->err, "output");
        return node_fail(l, at);
    }
    if (collide(a->output, "_sheaf"))
        return node_refuse(l, at, "output: _sheaf is where it is said what became of the answers");
    for (size_t i = 0; i < l->recipe->count; i++) {
        const struct analysis *other = &l->recipe->analyses[i];

        if (other == a || other->output == NULL || !collide(a->output, other->output))
            continue;
        (void)err_set(l->err, ERR_USAGE,
                      "output: \"%s\" collides with \"%s\" of the analysis \"%s\"", a->output,
                      other->output, other->name);
        return node_fail(l, at);
    }
    return true;
}

/* ---- packs ---- */

static bool take_pack(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t at = node_find(l, node, "pack");
    uint64_t rows = RECIPE_PACK_PRESET;

    if (at == TREE_NONE)
        return true;
    a->pack_id = xstrdup("id");
    if (!node_mapping(l, at) || !node_keys(l, at, pack_keys) ||
        !node_take_count(l, at, "rows", 1, RECIPE_PACK_MAX, &rows) ||
        !node_take_count(l, at, "max_tokens", 1, INT64_MAX, &a->pack_tokens) ||
        !node_take_text(l, at, "id", &a->pack_id) ||
        !node_take_text(l, at, "answer", &a->pack_answer))
        return false;
    a->pack_rows = (uint32_t)rows;
    if (a->pack_answer != NULL && strcmp(a->pack_answer, a->pack_id) == 0)
        return node_refuse(l, at, "pack: id and answer are the same member");
    return true;
}

static bool check_pack(struct recipe_loader *l, size_t node, const struct analysis *a)
{
    size_t at = node_find(l, node, "pack");

    return a->pack_rows == 0 || a->image_count == 0 ||
           node_refuse(l, at, "pack: an analysis with images asks about one row at a time");
}

/* ---- the request ---- */

/* Members of the body that are not the recipe's to choose. */
static bool check_parameters(struct recipe_loader *l, size_t at)
{
    static const char *const ours[] = {"model", "messages", "stream", "input", "prompt"};

    for (size_t i = yaml_tree_first(l->tree, at); i != TREE_NONE; i = yaml_tree_next(l->tree, i)) {
        const char *key = l->tree->nodes[i].key;

        for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++) {
            if (strcmp(key, ours[k]) != 0)
                continue;
            (void)err_set(l->err, ERR_USAGE, "%s: is no parameter; Sheaf writes it itself", key);
            return tree_fail_key(l->tree, i, l->err);
        }
    }
    return true;
}

/* The members of @from that @own (TREE_NONE: nobody) does not have. */
static bool put_parameters(struct recipe_loader *l, size_t from, size_t own, struct buf *out)
{
    for (size_t i = from == TREE_NONE ? TREE_NONE : yaml_tree_first(l->tree, from); i != TREE_NONE;
         i = yaml_tree_next(l->tree, i)) {
        const char *key = l->tree->nodes[i].key;
        char *json;
        size_t len;

        if (own != TREE_NONE && node_find(l, own, key) != TREE_NONE)
            continue;
        if (!node_json(l, i, &json, &len))
            return false;
        bool ok = (out->len == 0 || buf_append(out, ",", 1)) &&
                  json_string_encode(out, key, strlen(key)) && buf_append(out, ":", 1) &&
                  buf_append(out, json, len);
        free(json);
        if (!ok)
            return node_refuse(l, i, "parameters: too long");
    }
    return true;
}

static bool take_parameters(struct recipe_loader *l, size_t node, struct analysis *a)
{
    size_t defaults = node_find(l, TREE_ROOT, "defaults"), own = node_find(l, node, "parameters");
    struct buf out = BUF_INIT(RECIPE_MAX_BYTES);

    if ((defaults != TREE_NONE && (!node_mapping(l, defaults) || !check_parameters(l, defaults))) ||
        (own != TREE_NONE && (!node_mapping(l, own) || !check_parameters(l, own))))
        return false;
    bool ok = put_parameters(l, defaults, own, &out) && put_parameters(l, own, TREE_NONE, &out);
    a->parameters = xstrdup(out.data != NULL ? out.data : "");
    buf_release(&out);
    return ok;
}

static bool take_models(struct recipe_loader *l, size_t node, struct analysis *a)
{
    const struct recipe_overrides *o = l->overrides;

    if (!node_take_text(l, TREE_ROOT, "model", &a->model) ||
        !node_take_text(l, TREE_ROOT, "multimodal_model", &a->multimodal_model))
        return false;
    if (o != NULL && o->model != NULL) {
        free(a->model);
        a->model = xstrdup(o->model);
    }
    if (!node_take_text(l, node, "model", &a->model) ||
        !node_take_text(l, node, "multimodal_model", &a->multimodal_model))
        return false;
    if (a->model == NULL)
        return node_refuse(l, node,
                           "no model: name one here, for the whole recipe, or with --model");
    if (a->multimodal_model == NULL)
        a->multimodal_model = xstrdup(a->model);
    return true;
}

bool recipe_build_analysis(struct recipe_loader *l, size_t node, struct analysis *out)
{
    const struct tree_node *n = &l->tree->nodes[node];

    if (n->value != NULL || n->list)
        return node_refuse(l, node, "an analysis needs a mapping");
    return node_keys(l, node, analysis_keys) && take_name(l, node, out) &&
           take_output(l, node, out) && take_models(l, node, out) &&
           take_parameters(l, node, out) && take_pack(l, node, out) && take_prompts(l, node, out) &&
           recipe_build_answer(l, node, out) && check_pack(l, node, out) &&
           node_take_bool(l, node, "keep_raw", &out->keep_raw);
}
