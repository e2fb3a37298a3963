#include <stdio.h>
#include <stdlib.h>

#include "cli/core/plan_print.h"
#include "cli/plan_read.h"
#include "cli/recipe_given.h"
#include "cli/verb.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/model/price_table.h"
#include "common/provider/profile.h"

/* A line a lane, and some for each analysis: far more than anybody has. */
#define OUTPUT_MAX (64u << 20)

/* What a plan borrows. */
struct grounds {
    struct provider_profile_box box;
    struct provider_limits limits;
    struct price_table prices;
    struct recipe_given given;
};

static void grounds_release(struct grounds *g)
{
    recipe_given_release(&g->given);
    price_table_release(&g->prices);
    provider_profile_release(&g->box);
}

static bool read_cap(const struct options *o, struct plan *plan, struct err *err)
{
    if (o->max_cost == NULL)
        return true;
    return money_parse(o->max_cost, plan->cap_currency, &plan->cap, err) ||
           err_wrap(err, "--max-cost");
}

/* Everything that the command line and its files can have wrong. */
static bool prepare(const struct options *o, struct grounds *g, struct plan *plan, struct err *err)
{
    if (!provider_profile_load(o->provider, &o->providers, &g->box, err) ||
        !provider_check_base_url(&g->box.profile, o->base_url, err) ||
        !price_table_load(&o->prices, &g->prices, err) || !read_cap(o, plan, err))
        return false;
    g->limits = provider_limits_at(&g->box.profile, o->base_url);
    if (o->max_batches > 0 &&
        (g->limits.batches_alive == 0 || (uint64_t)o->max_batches < g->limits.batches_alive))
        g->limits.batches_alive = (uint32_t)o->max_batches;
    plan->profile = &g->box.profile;
    plan->limits = &g->limits;
    plan->prices = &g->prices;
    plan->max_requests = (uint64_t)o->max_requests;
    plan->max_bytes = o->max_bytes;
    return true;
}

/* A recipe may name its provider, so it comes before prices and limits. */
static bool load_recipe(struct invocation *call, struct grounds *g, struct plan *plan,
                        struct err *err)
{
    const struct options *o = &call->options;

    plan->input = verb_arg(call, 0);
    if (o->recipe == NULL && !recipe_given_is_classic(o))
        return (o->input_format == NULL && o->encoding == NULL) ||
               err_set(err, ERR_USAGE, "--input-format and --encoding are for rows: with --recipe");
    if (!recipe_given_load(call, &g->given, err))
        return false;
    plan->recipe = g->given.recipe->name;
    plan->input = g->given.input;
    return true;
}

static bool read_input(const struct options *o, const struct grounds *g, struct plan *plan,
                       struct err *err)
{
    if (plan->input == NULL)
        return err_set(err, ERR_USAGE, "INPUT is missing");
    if (g->given.recipe != NULL)
        return plan_read_rows(plan, plan->input, g->given.recipe, err);
    return plan_read_requests(plan, plan->input, o->model, err);
}

static void print(const struct plan *plan, bool json)
{
    struct buf text = BUF_INIT(OUTPUT_MAX);

    if (json)
        plan_print_json(plan, &text);
    else
        plan_print_text(plan, &text);
    (void)fwrite(text.data, 1, text.len, stdout);
    if (!json && plan->recipe == NULL && plan->total.requests == 0 && plan->invalid > 0)
        (void)fputs("\n  rows that are no requests need a --recipe\n", stdout);
    buf_release(&text);
}

static int run(struct invocation *call)
{
    struct grounds g = {0};
    struct plan *plan = xcalloc(1, sizeof(*plan));
    struct err err = {0};
    int code = EXIT_CODE_OK;

    if (load_recipe(call, &g, plan, &err) && prepare(&call->options, &g, plan, &err) &&
        read_input(&call->options, &g, plan, &err)) {
        plan_finish(plan);
        print(plan, call->options.json);
    } else {
        code = verb_fail(call, &err, NULL);
    }
    plan_release(plan);
    free(plan);
    grounds_release(&g);
    return code;
}

const struct verb cmd_plan = {
    .name = "plan",
    .usage = "INPUT [--recipe FILE]",
    .summary = "say what a job would take: requests, batches, tokens, money",
    .does =
        "Reads all of INPUT (requests, or rows with --recipe) and says what a job of it would\n"
        "be: requests, batches, tokens and money by model and analysis, what cannot be sent and\n"
        "why, limits, and five prompts as they would be sent. No network, no key, no Redis, and\n"
        "nothing is written.",
    .exits =
        "0 (also when some of it cannot be sent), 2 the recipe or a template is wrong, or the\n"
        "rows lack a column; 11 INPUT cannot be read",
    .example = "sheaf plan posts.jsonl --recipe recipe.yaml --provider zhipu --max-cost 20CNY",
    .groups = OPT_COMMON | OPT_CHECK | OPT_READ | OPT_PLAN,
    .max_args = 1,
    .run = run,
};
