/*
 * Any bytes as a recipe, with a few files it may name: no crash, no leak, a refusal is one line of
 * ERR_USAGE, and what is taken comes back the same from its bundle. And any bytes as a bundle.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/config/yaml_tree.h"
#include "common/recipe/bundle.h"
#include "common/recipe/column_check.h"
#include "common/recipe/recipe_loader.h"

static const struct bundle_input input = {"/rows", "r", ROWS_JSONL};

/* The files there are. */
static bool read_file(void *arg, const char *path, size_t max_bytes, char **text, size_t *len,
                      struct err *err)
{
    static const char *const files[][2] = {
        {"p",   "Say {{x}} {{> q}}"                                                  },
        {"q",   "\xef\xbb\xbf{{y | default: \"\"}}\r\n"                              },
        {"s",   "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}"},
        {"v",   "{\"a\":[\"b\"],\"c\":[]}"                                           },
        {"bad", "\xff"                                                               },
    };

    (void)arg;
    (void)max_bytes;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(path, files[i][0]) != 0)
            continue;
        *text = xstrdup(files[i][1]);
        *len = strlen(*text);
        return true;
    }
    return err_set(err, ERR_USAGE, "is not there");
}

static void check_message(const struct err *err)
{
    FUZZ_CHECK(err->kind == ERR_USAGE);
    FUZZ_CHECK(err->msg[0] != '\0' && strchr(err->msg, '\n') == NULL);
}

static void check_bundle(const struct recipe *recipe)
{
    struct buf bundle = BUF_INIT(BUNDLE_MAX_BYTES);
    struct recipe again;
    struct err err = {0};

    FUZZ_CHECK(bundle_write(recipe, &input, &bundle));
    FUZZ_CHECK(recipe_from_bundle(bundle.data, bundle.len, &again, &err));
    FUZZ_CHECK(strcmp(again.digest, recipe->digest) == 0);
    FUZZ_CHECK(again.count == recipe->count && again.file_count == recipe->file_count);
    FUZZ_CHECK(bundle_compare(&again, &input, bundle.data, bundle.len, &err));
    recipe_release(&again);
    buf_release(&bundle);
}

static void check_columns(const struct recipe *recipe)
{
    static const char row[] = "{\"x\":1,\"y\":{\"z\":[2]}}\n";
    struct column_check *check = column_check_new(recipe);
    struct json_value object;
    struct err err = {0};

    FUZZ_CHECK(json_scan(row, sizeof(row) - 1, &object, NULL));
    column_check_row(check, &object);
    if (!column_check_done(check, &err))
        check_message(&err);
    column_check_free(check);
}

static void as_recipe(const char *text, size_t len)
{
    const struct recipe_source source = {read_file, NULL};
    struct recipe recipe = {0};
    struct err err = {0};
    struct tree tree;
    struct recipe_loader l = {.tree = &tree, .source = &source, .recipe = &recipe, .err = &err};

    if (!yaml_tree_parse("recipe.yaml", text, len, &tree, &err)) {
        check_message(&err);
        return;
    }
    recipe.name = xstrdup("recipe.yaml");
    recipe.folder = xstrdup("/");
    if (recipe_build(&l)) {
        check_bundle(&recipe);
        check_columns(&recipe);
    } else {
        check_message(&err);
    }
    recipe_release(&recipe);
    tree_release(&tree);
}

static void as_bundle(const char *text, size_t len)
{
    struct bundle_origin origin;
    struct recipe recipe;
    struct err err = {0};

    if (recipe_from_bundle(text, len, &recipe, &err))
        recipe_release(&recipe);
    else
        FUZZ_CHECK(err.kind == ERR_USAGE || err.kind == ERR_PERMANENT);
    if (bundle_origin(text, len, &origin, &err))
        bundle_origin_release(&origin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;

    if (size > 0 && text[0] == '{')
        as_bundle(text, size);
    as_recipe(text, size);
    return 0;
}
