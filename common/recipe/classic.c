#include "common/recipe/classic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/units.h"
#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"
#include "common/json/scan.h"
#include "common/recipe/classic_text.h"
#include "common/recipe/recipe_loader.h"

#define BUILT_IN        "the built-in recipe"
#define POST_PARTIAL    "builtin/post"
#define DATA_DIR_PRESET "data"
#define OUTPUT_PRESET   "enhanced_blogs.json"
#define TASKS_MAX       1000
#define TOKENS_MAX      1000000
#define CEILING         "    parameters: {max_tokens: " /* how a line of classic.yaml begins */

/* What every question begins with. */
static const char post_partial[] = "{{#if username}}发布者：{{username}}\n{{else}}{{#if "
                                   "user_name}}发布者：{{user_name}}\n{{/if}}{{/if}}"
                                   "{{#if publish_time}}时间：{{publish_time}}\n{{/if}}"
                                   "博文：{{content}}";

/* Of the vocabularies those that an analysis cannot do without; the others may be missing. */
static const char *const needed[] = {"sentiment_attributes.json", "topics.json",
                                     "publisher_objects.json"};

static const char *const batch_keys[] = {
    "model", "multimodal_model", "max_concurrent_tasks", "poll_interval", "max_tokens", NULL};
static const char *const paths_keys[] = {"data_dir", "enhanced_output", NULL};

static bool read_file(const char *path, char **text, size_t *len, struct err *err)
{
    char here[] = ".";

    if (recipe_read_file(here, path, YAML_TREE_MAX_BYTES, text, len, err))
        return true;
    return err_wrap(err, "%s", path);
}

static bool is_branch(const struct tree *tree, const char *key)
{
    size_t i = yaml_tree_find(tree, TREE_ROOT, key);

    return i != TREE_NONE && tree->nodes[i].value == NULL && !tree->nodes[i].list;
}

bool classic_is(const char *path)
{
    struct json_value root;
    struct tree tree = {0};
    char *text;
    size_t len;

    if (!read_file(path, &text, &len, NULL))
        return false;
    bool is = json_scan(text, len, &root, NULL) && root.kind == JSON_OBJECT &&
              yaml_tree_parse(path, text, len, &tree, NULL) && is_branch(&tree, "batch") &&
              is_branch(&tree, "paths");
    tree_release(&tree);
    free(text);
    return is;
}

/* ---- the file ---- */

struct classic_load {
    struct recipe_loader file; /* the config.json: for its nodes */
    struct classic *out;
    const char *path;
    char *folder; /* of the file, as it was named */
    char *data_dir;
    char *model, *multimodal_model;
    uint64_t max_tokens; /* of every answer; 0: as classic.yaml has it */
};

/* @path from the file's folder. */
static char *resolved(const struct classic_load *c, const char *path)
{
    char *whole = NULL;

    if (path[0] == '/')
        return xstrdup(path);
    if (asprintf(&whole, "%s%s", c->folder, path) < 0)
        abort();
    return whole;
}

static char *in_data_dir(const struct classic_load *c, const char *name)
{
    char *whole = NULL;

    if (asprintf(&whole, "%s/%s", c->data_dir, name) < 0)
        abort();
    return whole;
}

static bool take_path(struct classic_load *c, size_t paths, const char *key, const char *preset,
                      char **out)
{
    char *text = NULL;

    if (!node_take_text(&c->file, paths, key, &text))
        return false;
    *out = resolved(c, text != NULL ? text : preset);
    free(text);
    return true;
}

/* A bare number is seconds. */
static bool take_interval(struct classic_load *c, size_t batch)
{
    size_t at = node_find(&c->file, batch, "poll_interval");
    const char *text;
    char with_unit[64];

    if (at == TREE_NONE)
        return true;
    if (!node_text(&c->file, at, &text))
        return false;
    bool bare = text[strspn(text, "0123456789.")] == '\0';
    (void)snprintf(with_unit, sizeof(with_unit), "%s%s", text, bare ? "s" : "");
    if (units_parse_duration(with_unit, &c->out->poll_interval_ms, NULL) &&
        c->out->poll_interval_ms > 0)
        return true;
    (void)err_set(c->file.err, ERR_USAGE,
                  "poll_interval: needs seconds, or a time such as \"30s\", not \"%s\"", text);
    return node_fail(&c->file, at);
}

static bool take_batch(struct classic_load *c, size_t batch)
{
    uint64_t tasks = 0;

    if (!node_mapping(&c->file, batch) || !node_keys(&c->file, batch, batch_keys) ||
        !node_take_text(&c->file, batch, "model", &c->model) ||
        !node_take_text(&c->file, batch, "multimodal_model", &c->multimodal_model) ||
        !node_take_count(&c->file, batch, "max_concurrent_tasks", 1, TASKS_MAX, &tasks) ||
        !node_take_count(&c->file, batch, "max_tokens", 1, TOKENS_MAX, &c->max_tokens) ||
        !take_interval(c, batch))
        return false;
    c->out->max_batches = (int64_t)tasks;
    return true;
}

static bool take_paths(struct classic_load *c, size_t paths)
{
    if (!node_keys(&c->file, paths, paths_keys) ||
        !take_path(c, paths, "data_dir", DATA_DIR_PRESET, &c->data_dir) ||
        !take_path(c, paths, "enhanced_output", OUTPUT_PRESET, &c->out->output))
        return false;
    c->out->posts = in_data_dir(c, "posts.json");
    if (access(c->out->posts, R_OK) == 0)
        return true;
    return err_set(c->file.err, ERR_USAGE, "%s: there are no posts that can be read",
                   c->out->posts);
}

static bool take_branches(struct classic_load *c)
{
    size_t batch = node_find(&c->file, TREE_ROOT, "batch");
    size_t paths = node_find(&c->file, TREE_ROOT, "paths");
    bool has_model;

    if (batch == TREE_NONE || paths == TREE_NONE)
        return err_set(c->file.err, ERR_USAGE, "%s: needs \"batch\" and \"paths\"", c->path);
    if (!take_batch(c, batch) || !take_paths(c, paths))
        return false;
    has_model = c->model != NULL || (c->file.overrides != NULL && c->file.overrides->model != NULL);
    return has_model || node_refuse(&c->file, batch, "batch: has no model");
}

/* ---- the recipe ---- */

/* `KEY: "TEXT"` in a line of its own. */
static void put_setting(struct buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    if (!buf_printf(out, "%s: ", key) || !json_string_encode(out, text, strlen(text)) ||
        !buf_append(out, "\n", 1))
        abort(); /* the limit is that of any recipe, a config.json is shorter */
}

static bool is_needed(const char *name)
{
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (strcmp(needed[i], name) == 0)
            return true;
    }
    return false;
}

/* Whether the section that needs the file @name is there; *@ok is false when it must be. */
static bool has_file(const struct classic_load *c, const char *name, bool *ok)
{
    char *path = in_data_dir(c, name);
    bool there = access(path, F_OK) == 0;

    if (!there && is_needed(name))
        *ok = err_set(c->file.err, ERR_USAGE, "%s: is not there", path);
    free(path);
    return there;
}

static bool put_line(const struct classic_load *c, const char *line, size_t len, struct buf *out)
{
    if (c->max_tokens > 0 && strncmp(line, CEILING, strlen(CEILING)) == 0)
        return buf_printf(out, CEILING "%" PRIu64 "}\n", c->max_tokens);
    return buf_append(out, line, len);
}

/* Copy classic.yaml without the sections whose file is missing, and with the file's ceiling. */
static bool put_sections(const struct classic_load *c, struct buf *out)
{
    bool keep = true, ok = true;

    for (const char *line = classic_text, *next; ok && *line != '\0'; line = next) {
        char name[64];

        next = strchr(line, '\n') + 1;
        if (sscanf(line, "#@ %63s", name) == 1)
            keep = has_file(c, name, &ok);
        else if (keep && !put_line(c, line, (size_t)(next - line), out))
            abort();
    }
    return ok;
}

static char *copy_of(const char *text, size_t *len)
{
    *len = strlen(text);
    return xstrdup(text);
}

/* The built-in partial, else a file of the data folder. */
static bool read_source(void *arg, const char *path, size_t max_bytes, char **text, size_t *len,
                        struct err *err)
{
    if (strcmp(path, POST_PARTIAL) != 0)
        return recipe_read_file(arg, path, max_bytes, text, len, err);
    *text = copy_of(post_partial, len);
    return true;
}

static bool build(struct classic_load *c, const struct buf *text)
{
    struct recipe *r = &c->out->recipe;
    const struct recipe_source source = {read_source, c->data_dir};
    struct tree tree;
    struct recipe_loader l = {.tree = &tree,
                              .source = &source,
                              .overrides = c->file.overrides,
                              .recipe = r,
                              .shown = c->data_dir,
                              .err = c->file.err};

    if (!yaml_tree_parse(BUILT_IN, text->data, text->len, &tree, c->file.err))
        return false;
    r->name = xstrdup(c->path);
    r->folder = realpath(c->data_dir, NULL);
    if (r->folder == NULL)
        r->folder = xstrdup(c->data_dir);
    bool ok = recipe_build(&l);
    tree_release(&tree);
    return ok;
}

static bool load(struct classic_load *c)
{
    struct buf text = BUF_INIT(RECIPE_MAX_BYTES);

    if (!take_branches(c))
        return false;
    put_setting(&text, "model", c->model);
    put_setting(&text, "multimodal_model", c->multimodal_model);
    bool ok = put_sections(c, &text) && build(c, &text);
    buf_release(&text);
    return ok;
}

static bool load_text(struct classic_load *c, const char *text, size_t len)
{
    struct tree tree;

    if (!yaml_tree_parse(c->path, text, len, &tree, c->file.err))
        return false;
    c->file.tree = &tree;
    bool ok = load(c);
    c->file.tree = NULL;
    tree_release(&tree);
    return ok;
}

bool classic_load(const char *path, const struct recipe_overrides *overrides, struct classic *out,
                  struct err *err)
{
    const char *slash = strrchr(path, '/');
    char *text;
    size_t len;
    struct classic_load c = {.out = out, .path = path};

    *out = (struct classic){0};
    if (!read_file(path, &text, &len, err))
        return false;
    c.file = (struct recipe_loader){.overrides = overrides, .err = err};
    c.folder = xstrndup(path, slash == NULL ? 0 : (size_t)(slash - path) + 1);
    bool ok = load_text(&c, text, len);
    if (!ok)
        classic_release(out);
    free(c.folder);
    free(c.data_dir);
    free(c.model);
    free(c.multimodal_model);
    free(text);
    return ok;
}

void classic_release(struct classic *classic)
{
    recipe_release(&classic->recipe);
    free(classic->posts);
    free(classic->output);
    *classic = (struct classic){0};
}
