#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"
#include "common/recipe/recipe_loader.h"
#include "common/rows/row_path.h"

#define URL_PRESET "/v1/chat/completions"
#define URL_END    "/chat/completions"
#define URL_MAX    127

static const char *const recipe_keys[] = {"provider", "model", "multimodal_model", "defaults",
                                          "id_field", "input", "keep_raw",         "url",
                                          "analyses", NULL};
static const char *const input_keys[] = {"format", "encoding", NULL};

static bool take_id_field(struct recipe_loader *l)
{
    struct recipe *r = l->recipe;
    size_t at = node_find(l, TREE_ROOT, "id_field");

    if (at == TREE_NONE)
        return true;
    if (!node_take_text(l, TREE_ROOT, "id_field", &r->id_field))
        return false;
    r->id_line = l->tree->nodes[at].line;
    r->id_column = l->tree->nodes[at].column;
    if (row_path_check(r->id_field, l->err))
        return true;
    (void)err_wrap(l->err, "id_field");
    return node_fail(l, at);
}

static bool take_format(struct recipe_loader *l, size_t at)
{
    const char *words[ROWS_TEXTS + 2] = {NULL};
    size_t node = node_find(l, at, "format");
    const char *name;

    if (node == TREE_NONE)
        return true;
    if (!node_text(l, node, &name))
        return false;
    if (rows_format_parse(name, &l->recipe->rows.format))
        return true;
    for (size_t i = 0; i <= ROWS_TEXTS; i++)
        words[i] = rows_format_name((enum rows_format)i);
    return node_refuse_word(l, node, "format: needs auto, jsonl, json, csv, tsv or texts", name,
                            words);
}

static bool take_encoding(struct recipe_loader *l, size_t at)
{
    size_t node = node_find(l, at, "encoding");

    return node_take_text(l, at, "encoding", &l->recipe->encoding) &&
           (rows_encoding_check(l->recipe->encoding, l->err) || node_fail(l, node));
}

static bool take_input(struct recipe_loader *l)
{
    struct recipe *r = l->recipe;
    size_t at = node_find(l, TREE_ROOT, "input");

    if (at != TREE_NONE && (!node_mapping(l, at) || !node_keys(l, at, input_keys) ||
                            !take_format(l, at) || !take_encoding(l, at)))
        return false;
    if (l->overrides != NULL && l->overrides->format != ROWS_AUTO)
        r->rows.format = l->overrides->format;
    if (l->overrides != NULL && l->overrides->encoding != NULL) {
        free(r->encoding);
        r->encoding = xstrdup(l->overrides->encoding);
    }
    r->rows.encoding = r->encoding;
    return true;
}

static bool url_is_good(const char *url)
{
    size_t len = strlen(url), end = strlen(URL_END);

    return url[0] == '/' && len >= end && len <= URL_MAX && strcspn(url, " \t\r\n\"\\?#") == len &&
           strcmp(url + len - end, URL_END) == 0;
}

/* The same for every analysis: the answers of other endpoints are of another kind. */
static bool take_url(struct recipe_loader *l, char **url)
{
    size_t at = node_find(l, TREE_ROOT, "url");

    *url = xstrdup(URL_PRESET);
    if (!node_take_text(l, TREE_ROOT, "url", url))
        return false;
    if (url_is_good(*url))
        return true;
    (void)err_set(l->err, ERR_USAGE, "url: needs a path that ends in " URL_END ", not \"%s\"",
                  *url);
    return node_fail(l, at);
}

static bool take_analyses(struct recipe_loader *l, size_t at, const char *url)
{
    struct recipe *r = l->recipe;
    bool keep_raw = false;
    size_t count = 0;

    for (size_t i = yaml_tree_first(l->tree, at); i != TREE_NONE; i = yaml_tree_next(l->tree, i))
        count++;
    if (!l->tree->nodes[at].list || count == 0)
        return node_refuse(l, at, "analyses: needs a list of analyses");
    if (count > RECIPE_MAX_ANALYSES)
        return node_refuse(l, at, "analyses: too many");
    if (!node_take_bool(l, TREE_ROOT, "keep_raw", &keep_raw))
        return false;
    r->analyses = xcalloc(count, sizeof(*r->analyses));
    r->count = count;
    count = 0;
    for (size_t i = yaml_tree_first(l->tree, at); i != TREE_NONE; i = yaml_tree_next(l->tree, i)) {
        struct analysis *a = &r->analyses[count++];

        a->url = xstrdup(url);
        a->keep_raw = keep_raw;
        if (!recipe_build_analysis(l, i, a))
            return false;
    }
    return true;
}

/* What makes it this recipe and no other: content, overrides, files. */
static void make_digest(struct recipe *r)
{
    struct sha256 *sha = sha256_new();
    const char *model = r->model_override != NULL ? r->model_override : "";

    sha256_update(sha, r->content, strlen(r->content) + 1);
    sha256_update(sha, model, strlen(model) + 1);
    for (size_t i = 0; i < r->file_count; i++) {
        sha256_update(sha, r->files[i].path, strlen(r->files[i].path) + 1);
        sha256_update(sha, r->files[i].sha256, SHA256_HEX_LEN + 1);
    }
    sha256_finish(sha, r->digest);
    sha256_free(sha);
}

bool recipe_build(struct recipe_loader *l)
{
    struct recipe *r = l->recipe;
    size_t at = node_find(l, TREE_ROOT, "analyses");
    char *url = NULL;

    if (!node_keys(l, TREE_ROOT, recipe_keys))
        return false;
    if (at == TREE_NONE)
        return err_set(l->err, ERR_USAGE, "%s: has no analyses", l->tree->name);
    if (l->overrides != NULL)
        r->model_override = xstrdup(l->overrides->model);
    bool ok = node_take_text(l, TREE_ROOT, "provider", &l->recipe->provider) && take_id_field(l) &&
              take_input(l) && take_url(l, &url) && take_analyses(l, at, url) &&
              node_json(l, TREE_ROOT, &r->content, NULL);
    free(url);
    if (ok)
        make_digest(r);
    return ok;
}

/* The folder of the file at @path, absolute. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? xstrdup(".") : xstrndup(path, (size_t)(slash - path) + 1);
    char *whole = realpath(folder, NULL);

    if (whole == NULL)
        return folder;
    free(folder);
    return whole;
}

static bool load_text(const char *text, size_t len, const struct recipe_overrides *overrides,
                      struct recipe *r, struct err *err)
{
    const struct recipe_source source = {recipe_read_file, r->folder};
    struct tree tree;
    struct recipe_loader l = {.tree = &tree,
                              .source = &source,
                              .overrides = overrides,
                              .recipe = r,
                              .text = text,
                              .err = err};

    if (!yaml_tree_parse(r->name, text, len, &tree, err))
        return false;
    bool ok = recipe_build(&l);
    tree_release(&tree);
    return ok;
}

bool recipe_load(const char *path, const struct recipe_overrides *overrides, struct recipe *out,
                 struct err *err)
{
    char here[] = ".";
    char *text;
    size_t len;

    *out = (struct recipe){0};
    if (!recipe_read_file(here, path, YAML_TREE_MAX_BYTES, &text, &len, err))
        return err_wrap(err, "%s", path);
    out->name = xstrdup(path);
    out->folder = folder_of(path);
    bool ok = load_text(text, len, overrides, out, err);
    if (!ok)
        recipe_release(out);
    free(text);
    return ok;
}
