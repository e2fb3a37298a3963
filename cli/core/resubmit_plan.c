#include "cli/core/resubmit_plan.h"

#include <inttypes.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/units.h"
#include "common/model/money.h"
#include "common/model/price_table.h"

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return by == 0 ? 1 : n / by + (n % by != 0);
}

/* Of one lane: a batch file holds no other. */
static uint64_t batches_of(const struct resubmit_plan_facts *f, const struct resubmit_plan_lane *l)
{
    uint64_t by_count = divide_up(l->requests, f->max_requests);
    uint64_t by_bytes = divide_up(l->bytes, f->max_bytes);

    return by_count > by_bytes ? by_count : by_bytes;
}

/* What @rows answers take when they are as long as those that came; -1 when none came. */
static int64_t answers(const struct resubmit_plan_facts *f, uint64_t rows)
{
    if (rows == 0)
        return 0;
    if (f->ok == 0)
        return -1;
    return (int64_t)(f->completion_tokens / f->ok * rows +
                     f->completion_tokens % f->ok * rows / f->ok);
}

/* Whose price it is: the user's own, or one that is built in. */
static void note_source(const struct resubmit_plan_facts *f, const char *model,
                        struct resubmit_plan *plan)
{
    const struct price *price = price_find(f->prices, f->provider, model);
    bool own = false;

    for (size_t i = 0; f->prices != NULL && i < f->prices->count; i++)
        own = own || price == &f->prices->rows[i];
    plan->configured = plan->configured || own;
    plan->listed = plan->listed || !own;
}

/* False when it is not known. All lanes have to be in one currency. */
static bool add_cost(const struct resubmit_plan_facts *f, const struct resubmit_plan_lane *l,
                     struct resubmit_plan *plan)
{
    struct price_quote quote;
    int64_t output = answers(f, l->requests);
    int64_t nano;

    if (!price_table_quote(f->prices, f->provider, l->model, true, &quote) ||
        (output < 0 && quote.output != 0) ||
        (plan->currency != NULL && strcmp(plan->currency, quote.currency) != 0) ||
        !price_quote_tokens(&quote, l->tokens, output < 0 ? 0 : (uint64_t)output, &nano))
        return false;
    plan->currency = money_currency(quote.currency);
    note_source(f, l->model, plan);
    money_add(&plan->nano, nano);
    return true;
}

void resubmit_plan_make(const struct resubmit_plan_facts *facts, struct resubmit_plan *out)
{
    struct resubmit_plan plan = {.output_tokens = answers(facts, facts->rows)};
    bool priced = facts->lanes != NULL && facts->lane_count > 0;

    for (size_t i = 0; facts->lanes != NULL && i < facts->lane_count; i++) {
        const struct resubmit_plan_lane *lane = &facts->lanes[i];

        plan.batches += (int64_t)batches_of(facts, lane);
        plan.bytes += (int64_t)lane->bytes;
        plan.input_tokens += (int64_t)lane->tokens;
        priced = priced && add_cost(facts, lane, &plan);
    }
    if (facts->lanes == NULL) {
        plan.batches = -1;
        plan.bytes = -1;
        plan.input_tokens = -1;
    }
    if (!priced) {
        plan.nano = facts->rows == 0 ? 0 : -1; /* of nothing, in whatever currency */
        plan.currency = NULL;
    }
    *out = plan;
}

static void put_number(struct buf *out, const char *name, int64_t n)
{
    if (n < 0)
        json_put_raw_fmt(out, "  %-14s ?\n", name);
    else
        json_put_raw_fmt(out, "  %-14s %" PRId64 "\n", name, n);
}

static void put_bytes(struct buf *out, int64_t bytes)
{
    char text[UNITS_TEXT_MAX];

    json_put_raw_fmt(out, "  %-14s %s\n", "bytes",
                     bytes < 0 ? "?" : units_format_size((uint64_t)bytes, text));
}

static void put_price(struct buf *out, const struct resubmit_plan *plan)
{
    char text[MONEY_TEXT_MAX];

    if (plan->nano < 0)
        json_put_raw_fmt(out, "  %-14s ?\n", "price");
    else
        json_put_raw_fmt(out, "  %-14s about %s, by %s%s%s%s\n", "price",
                         money_format(plan->currency, plan->nano, text),
                         plan->configured ? "the configured prices" : "",
                         plan->configured && plan->listed ? " and " : "",
                         plan->listed ? "the list of " : "", plan->listed ? price_source : "");
}

static void put_lanes(struct buf *out, const struct resubmit_plan_facts *f)
{
    if (f->lanes == NULL) {
        json_put_raw(out, "  lanes          ?  (");
        json_put_clean(out, f->lanes_why);
        json_put_raw(out, ")\n");
        return;
    }
    json_put_raw_fmt(out, "  %-14s %zu\n", "lanes", f->lane_count);
    for (size_t i = 0; i < f->lane_count; i++) {
        json_put_raw_fmt(out, "  %12" PRIu64 "   ", f->lanes[i].requests);
        json_put_clean(out, f->lanes[i].model);
        json_put_raw(out, "  ");
        json_put_clean(out, f->lanes[i].label);
        json_put_raw(out, "\n");
    }
}

void resubmit_plan_print(const struct resubmit_plan_facts *f, const struct resubmit_plan *plan,
                         struct buf *out)
{
    json_put_raw_fmt(out, "%" PRIu64 " of %" PRIu64 " failed rows of job ", f->rows, f->failed);
    json_put_clean(out, f->job);
    json_put_raw(out, " would be sent again");
    if (f->invalid > 0)
        json_put_raw_fmt(out, "; %" PRIu64 " can never be sent", f->invalid);
    json_put_raw(out, "\n");
    if (f->rows == 0)
        return;
    put_number(out, "generation", f->generation);
    put_number(out, "windows", (int64_t)f->windows);
    put_lanes(out, f);
    put_number(out, "batches", plan->batches);
    put_bytes(out, plan->bytes);
    put_number(out, "input tokens", plan->input_tokens);
    put_number(out, "output tokens", plan->output_tokens);
    put_price(out, plan);
}

static void put_lanes_json(struct buf *out, const struct resubmit_plan_facts *f)
{
    json_put_raw(out, f->lanes == NULL ? "null" : "[");
    for (size_t i = 0; f->lanes != NULL && i < f->lane_count; i++) {
        const struct resubmit_plan_lane *lane = &f->lanes[i];

        json_put_raw(out, i > 0 ? ",{\"model\":" : "{\"model\":");
        json_put_text(out, lane->model);
        json_put_raw(out, ",\"label\":");
        json_put_text(out, lane->label);
        json_put_raw_fmt(out,
                         ",\"requests\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"tokens\":%" PRIu64 "}",
                         lane->requests, lane->bytes, lane->tokens);
    }
    json_put_raw(out, f->lanes == NULL ? "" : "]");
}

static void put_member(struct buf *out, const char *name, int64_t n)
{
    json_put_raw_fmt(out, ",\"%s\":", name);
    json_put_count(out, n);
}

void resubmit_plan_print_json(const struct resubmit_plan_facts *f, const struct resubmit_plan *plan,
                              struct buf *out)
{
    json_put_raw(out, "{\"schema\":1,\"job\":");
    json_put_text(out, f->job);
    put_member(out, "generation", f->generation);
    put_member(out, "failed", (int64_t)f->failed);
    put_member(out, "invalid", (int64_t)f->invalid);
    put_member(out, "rows", (int64_t)f->rows);
    put_member(out, "windows", (int64_t)f->windows);
    json_put_raw(out, ",\"lanes\":");
    put_lanes_json(out, f);
    put_member(out, "batches", plan->batches);
    put_member(out, "bytes", plan->bytes);
    put_member(out, "input_tokens", plan->input_tokens);
    put_member(out, "output_tokens", plan->output_tokens);
    put_member(out, "price_nano", plan->nano);
    json_put_raw(out, ",\"currency\":");
    json_put_text(out, plan->currency);
    json_put_raw(out, "}");
}
