#include "cli/core/plan_sum.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"

void plan_release(struct plan *plan)
{
    for (size_t i = 0; i < plan->lane_count; i++) {
        free(plan->lanes[i].endpoint);
        free(plan->lanes[i].model);
    }
    for (size_t i = 0; i < plan->analysis_count; i++)
        plan_spread_release(&plan->analyses[i].spread);
    for (size_t i = 0; i < plan->problem_count; i++) {
        free(plan->problems[i].file);
        free(plan->problems[i].why);
    }
    free(plan->lanes);
    free(plan->analyses);
    *plan = (struct plan){0};
}

void plan_count_add(struct plan_count *sum, const struct plan_count *more)
{
    sum->requests += more->requests;
    sum->bytes += more->bytes;
    sum->tokens += more->tokens;
    sum->max_output += more->max_output;
    sum->open_ended += more->open_ended;
    if (more->longest > sum->longest)
        sum->longest = more->longest;
}

struct plan_lane *plan_lane_for(struct plan *plan, const char *endpoint, const char *model)
{
    struct plan_lane *lane;

    for (size_t i = plan->lane_count; i-- > 0;) {
        lane = &plan->lanes[i];
        if (strcmp(lane->model, model) == 0 && strcmp(lane->endpoint, endpoint) == 0)
            return lane;
    }
    plan->lanes = xrealloc(plan->lanes, plan->lane_count + 1, sizeof(*plan->lanes));
    lane = &plan->lanes[plan->lane_count++];
    *lane = (struct plan_lane){.endpoint = xstrdup(endpoint), .model = xstrdup(model)};
    return lane;
}

void plan_problem_add(struct plan *plan, const struct plan_at *at, const char *code,
                      const char *why)
{
    struct plan_problem *problem = &plan->problems[plan->problem_count];

    plan->invalid++;
    if (plan->problem_count == PLAN_PROBLEMS_MAX)
        return;
    *problem = (struct plan_problem){*at, code, xstrdup(at->file), xstrdup(why)};
    problem->at.file = problem->file;
    plan->problem_count++;
}

static uint64_t divide_up(uint64_t n, uint64_t by)
{
    return by == 0 ? 1 : n / by + (n % by != 0);
}

static uint64_t batches_of(const struct plan_lane *lane)
{
    uint64_t by_count = divide_up(lane->count.requests, lane->max_requests);
    uint64_t by_bytes = divide_up(lane->count.bytes, lane->max_bytes);

    if (lane->count.requests == 0)
        return 0;
    return by_count > by_bytes ? by_count : by_bytes;
}

static struct plan_price price_of(const struct plan *plan, const char *model,
                                  const struct plan_count *c)
{
    const char *provider = plan->profile->name;
    struct plan_price price = {.known = false};
    struct price_quote batch;
    struct price_quote realtime;
    uint64_t output = c->max_output + c->open_ended * PLAN_OPEN_OUTPUT;
    uint64_t margin = c->tokens * PLAN_MARGIN_PERCENT / 100;

    if (c->requests == 0)
        return (struct plan_price){.known = true};
    if (!price_table_quote(plan->prices, provider, model, true, &batch) ||
        !price_table_quote(plan->prices, provider, model, false, &realtime))
        return price;
    memcpy(price.currency, batch.currency, sizeof(price.currency));
    price.known = price_quote_tokens(&batch, c->tokens, 0, &price.input) &&
                  price_quote_tokens(&batch, c->tokens, output, &price.batch) &&
                  price_quote_tokens(&batch, c->tokens + margin, output, &price.reserved) &&
                  price_quote_tokens(&realtime, c->tokens, output, &price.realtime);
    return price;
}

/* What is not known makes the sum unknown. */
static void price_add(struct plan_price *sum, const struct plan_price *more)
{
    bool other = sum->currency[0] != '\0' && more->currency[0] != '\0' &&
                 strcmp(sum->currency, more->currency) != 0;

    sum->known = sum->known && more->known && !other;
    if (sum->currency[0] == '\0')
        memcpy(sum->currency, more->currency, sizeof(sum->currency));
    money_add(&sum->input, more->input);
    money_add(&sum->batch, more->batch);
    money_add(&sum->realtime, more->realtime);
    money_add(&sum->reserved, more->reserved);
}

/* The requests of an analysis are of the lane of their model. */
static void finish_analysis(struct plan *plan, struct plan_analysis *a)
{
    a->price = (struct plan_price){.known = true};
    for (size_t i = 0; i < 2; i++) {
        struct plan_price price = price_of(plan, a->models[i], &a->count[i]);

        price_add(&a->price, &price);
        if (a->count[i].requests > 0)
            plan_count_add(&plan_lane_for(plan, a->url, a->models[i])->count, &a->count[i]);
    }
}

/* What one batch file of the lane may hold. */
static void limit_lane(const struct plan *plan, struct plan_lane *lane)
{
    lane->max_requests = provider_max_requests(plan->profile, lane->endpoint);
    lane->max_bytes = provider_max_bytes(plan->profile);
    if (plan->max_requests > 0 && plan->max_requests < lane->max_requests)
        lane->max_requests = plan->max_requests;
    if (plan->max_bytes > 0 && plan->max_bytes < lane->max_bytes)
        lane->max_bytes = plan->max_bytes;
    lane->batches = batches_of(lane);
}

void plan_finish(struct plan *plan)
{
    plan->price = (struct plan_price){.known = true};
    for (size_t i = 0; i < plan->analysis_count; i++)
        finish_analysis(plan, &plan->analyses[i]);
    for (size_t i = 0; i < plan->lane_count; i++) {
        struct plan_lane *lane = &plan->lanes[i];

        limit_lane(plan, lane);
        plan->batches += lane->batches;
        lane->price = price_of(plan, lane->model, &lane->count);
        if (!lane->price.known && plan->unpriced == NULL)
            plan->unpriced = lane->model;
        plan_count_add(&plan->total, &lane->count);
        price_add(&plan->price, &lane->price);
    }
}

const char *plan_cap_name(enum plan_cap cap)
{
    switch (cap) {
    case PLAN_CAP_NONE: return "none";
    case PLAN_CAP_UNKNOWN: return "unknown";
    case PLAN_CAP_ENOUGH: return "enough";
    case PLAN_CAP_TIGHT: return "tight";
    case PLAN_CAP_TOO_LOW: return "too_low";
    }
    return "?";
}

enum plan_cap plan_cap(const struct plan *plan)
{
    const struct plan_price *p = &plan->price;
    int64_t cap = plan->cap;

    if (plan->cap_currency[0] == '\0')
        return PLAN_CAP_NONE;
    if (!p->known)
        return PLAN_CAP_UNKNOWN;
    if (p->currency[0] != '\0' && strcmp(plan->cap_currency, p->currency) != 0 &&
        !price_convert(plan->prices, plan->cap_currency, p->currency, plan->cap, &cap))
        return PLAN_CAP_UNKNOWN;
    if (p->reserved <= cap)
        return PLAN_CAP_ENOUGH;
    return p->input <= cap ? PLAN_CAP_TIGHT : PLAN_CAP_TOO_LOW;
}

const struct plan_sample *plan_prompt(const struct plan *plan, size_t i, const char **analysis)
{
    const struct plan_analysis *asked[PLAN_PROMPTS] = {NULL};
    size_t n = 0;

    for (size_t k = 0; k < plan->analysis_count && n < PLAN_PROMPTS; k++)
        if (plan->analyses[k].spread.count > 0)
            asked[n++] = &plan->analyses[k];
    if (n == 0 || i >= PLAN_PROMPTS)
        return NULL;

    const struct plan_spread *spread = &asked[i % n]->spread;

    *analysis = asked[i % n]->name;
    if (spread->count >= PLAN_PROMPTS)
        return plan_spread_pick(spread, i, PLAN_PROMPTS);
    return i / n < spread->count ? &spread->kept[i / n] : NULL; /* never one twice */
}
