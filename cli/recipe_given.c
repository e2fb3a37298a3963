#include "cli/recipe_given.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/model/price_table.h"
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

static bool check_price(const struct price_table *prices, const char *provider, const char *model,
                        struct err *err)
{
    struct price_quote quote;

    return price_table_quote(prices, provider, model, true, &quote) ||
           err_set(
               err, ERR_USAGE,
               "no price is known for model \"%s\" of provider %s, and --max-cost needs it: "
               "give one in sheaf.yaml, for a million tokens: \"prices: {models: {\"%s\": "
               "{provider: %s, currency: %s, input: ..., output: ...}}}\", or leave the cap out",
               model, provider, model, provider, price_table_currency(prices, provider));
}

bool recipe_given_check_prices(const struct recipe_given *given, const struct options *o,
                               struct err *err)
{
    const struct recipe *recipe = given->recipe;
    struct price_table prices = {0};
    bool ok = true;

    if (o->max_cost == NULL)
        return true;
    if (!price_table_load(&o->prices, &prices, err))
        return false;
    for (size_t i = 0; ok && i < recipe->count; i++) {
        const struct analysis *a = &recipe->analyses[i];

        ok = check_price(&prices, o->provider, a->model, err) &&
             (a->image_count == 0 || check_price(&prices, o->provider, a->multimodal_model, err));
    }
    price_table_release(&prices);
    return ok;
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
