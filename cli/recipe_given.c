#include "cli/recipe_given.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/recipe/column_check.h"
#include "common/rows/rows.h"

bool recipe_given_is_classic(const struct options *o)
{
    return o->recipe == NULL && o->config != NULL && classic_is(o->config);
}

/* What the recipe is made for goes before a default and the configuration file. */
static bool adopt_provider(struct options *o, const char *provider, struct err *err)
{
    if (provider == NULL || options_origin(o, "provider") == SETTING_FROM_FLAG ||
        options_origin(o, "provider") == SETTING_FROM_ENVIRONMENT)
        return true;
    return options_set(o, "provider", provider, err);
}

/* A number of the file, unless something that goes before the file says it. */
static bool adopt(struct options *o, const char *name, int64_t value, const char *unit,
                  struct err *err)
{
    char text[32];

    if (value == 0 || options_origin(o, name) == SETTING_FROM_FLAG ||
        options_origin(o, name) == SETTING_FROM_ENVIRONMENT)
        return true;
    (void)snprintf(text, sizeof(text), "%" PRId64 "%s", value, unit);
    return options_set(o, name, text, err);
}

static bool load_classic(struct options *o, const struct recipe_overrides *overrides,
                         struct recipe_given *out, struct err *err)
{
    const struct classic *c = &out->classic;

    if (!classic_load(o->config, overrides, &out->classic, err))
        return false;
    if (!adopt(o, "poll-interval", c->poll_interval_ms, "ms", err) ||
        !adopt(o, "max-batches", c->max_batches, "", err)) {
        classic_release(&out->classic);
        return false;
    }
    out->recipe = &c->recipe;
    out->input = c->posts;
    out->output = c->output;
    return true;
}

bool recipe_given_load(struct invocation *call, struct recipe_given *out, struct err *err)
{
    struct options *o = &call->options;
    struct recipe_overrides overrides = {.model = o->model, .encoding = o->encoding};
    const char *input = verb_arg(call, 0);

    *out = (struct recipe_given){0};
    if (o->input_format != NULL && !rows_format_parse(o->input_format, &overrides.format))
        return err_set(err, ERR_USAGE,
                       "--input-format: \"%s\" is none; there are jsonl, json, csv, tsv and texts",
                       o->input_format);
    if (recipe_given_is_classic(o)) {
        if (!load_classic(o, &overrides, out, err))
            return false;
    } else {
        if (!recipe_load(o->recipe, &overrides, &out->own, err))
            return false;
        out->recipe = &out->own;
    }
    if (input != NULL)
        out->input = input;
    if (o->output != NULL)
        out->output = o->output;
    if (adopt_provider(o, out->recipe->provider, err))
        return true;
    recipe_given_release(out);
    return false;
}

void recipe_given_release(struct recipe_given *given)
{
    if (given->recipe == &given->own)
        recipe_release(&given->own);
    else if (given->recipe != NULL)
        classic_release(&given->classic);
    *given = (struct recipe_given){0};
}

bool recipe_given_check_rows(const struct recipe_given *given, const char *path, struct err *err)
{
    struct rows *rows = rows_open(path, &given->recipe->rows, err);
    struct column_check *check;
    struct row row;
    bool end = false;
    bool ok = true;

    if (rows == NULL)
        return false;
    check = column_check_new(given->recipe);
    for (unsigned i = 0; ok && !end && i < COLUMN_CHECK_ROWS; i++) {
        ok = rows_next(rows, &row, &end, err);
        if (ok && !end)
            column_check_row(check, &row.object);
    }
    ok = ok && column_check_done(check, err);
    column_check_free(check);
    rows_close(rows);
    return ok;
}
