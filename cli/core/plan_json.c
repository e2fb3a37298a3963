/* The JSON half of plan_print.h. */
#include <inttypes.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "cli/core/limits_print.h"
#include "cli/core/plan_print.h"

static void put_count(struct buf *out, const char *name, uint64_t n)
{
    json_put_raw_fmt(out, "\"%s\":%" PRIu64 ",", name, n);
}

static void put_counts(struct buf *out, const struct plan_count *c)
{
    put_count(out, "requests", c->requests);
    put_count(out, "bytes", c->bytes);
    put_count(out, "longest_bytes", c->longest);
    put_count(out, "input_tokens", c->tokens);
    put_count(out, "max_output_tokens", c->max_output);
    put_count(out, "open_ended", c->open_ended);
}

/* null where it is not known, and of nothing: 0 is what is free. */
static void put_price(struct buf *out, const struct plan_price *p)
{
    json_put_raw(out, "\"price\":");
    if (!p->known || p->currency[0] == '\0') {
        json_put_raw(out, "null");
        return;
    }
    json_put_raw(out, "{\"currency\":");
    json_put_text(out, p->currency);
    json_put_raw_fmt(out,
                     ",\"batch_nano\":%" PRId64 ",\"realtime_nano\":%" PRId64
                     ",\"input_nano\":%" PRId64 ",\"reserved_nano\":%" PRId64 "}",
                     p->batch, p->realtime, p->input, p->reserved);
}

static void put_analyses(struct buf *out, const struct plan *plan)
{
    json_put_raw(out, plan->recipe == NULL ? "null" : "[");
    for (size_t i = 0; i < plan->analysis_count; i++) {
        const struct plan_analysis *a = &plan->analyses[i];
        struct plan_count sum = a->count[0];

        plan_count_add(&sum, &a->count[1]);
        json_put_raw(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        json_put_text(out, a->name);
        json_put_raw(out, ",");
        put_counts(out, &sum);
        put_count(out, "with_image", a->count[1].requests);
        put_count(out, "rows", a->rows);
        put_count(out, "skipped", a->skipped);
        put_count(out, "problems", a->problems);
        put_count(out, "packs", a->packs);
        put_price(out, &a->price);
        json_put_raw(out, "}");
    }
    json_put_raw(out, plan->recipe == NULL ? "" : "]");
}

static void put_lanes(struct buf *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->lane_count; i++) {
        const struct plan_lane *lane = &plan->lanes[i];

        json_put_raw(out, i > 0 ? ",{\"endpoint\":" : "{\"endpoint\":");
        json_put_text(out, lane->endpoint);
        json_put_raw(out, ",\"model\":");
        json_put_text(out, lane->model);
        json_put_raw(out, ",");
        put_counts(out, &lane->count);
        put_count(out, "batches", lane->batches);
        put_count(out, "max_requests", lane->max_requests);
        put_count(out, "max_bytes", lane->max_bytes);
        put_price(out, &lane->price);
        json_put_raw(out, "}");
    }
}

static void put_problems(struct buf *out, const struct plan *plan)
{
    for (size_t i = 0; i < plan->problem_count; i++) {
        const struct plan_problem *p = &plan->problems[i];

        json_put_raw(out, i > 0 ? ",{\"file\":" : "{\"file\":");
        json_put_text(out, p->file);
        json_put_raw_fmt(out, ",\"line\":%" PRIu64 ",\"analysis\":", p->at.line);
        json_put_text(out, p->at.analysis);
        json_put_raw(out, ",\"code\":");
        json_put_text(out, p->code);
        json_put_raw(out, ",\"why\":");
        json_put_text(out, p->why);
        json_put_raw(out, "}");
    }
}

static void put_prompts(struct buf *out, const struct plan *plan)
{
    const char *before = "";

    for (size_t i = 0; i < PLAN_PROMPTS; i++) {
        const char *analysis = NULL;
        const struct plan_sample *s = plan_prompt(plan, i, &analysis);

        if (s == NULL)
            continue;
        json_put_raw_fmt(out, "%s{\"analysis\":", before);
        json_put_text(out, analysis);
        json_put_raw(out, ",");
        put_count(out, "row", s->row);
        put_count(out, "rows", s->rows);
        put_count(out, "system_bytes", s->system_len);
        put_count(out, "prompt_bytes", s->prompt_len);
        json_put_raw(out, "\"system\":");
        json_put_text(out, s->system);
        json_put_raw(out, ",\"prompt\":");
        json_put_text(out, s->prompt);
        json_put_raw(out, "}");
        before = ",";
    }
}

static void put_cap(struct buf *out, const struct plan *plan)
{
    enum plan_cap cap = plan_cap(plan);

    if (cap == PLAN_CAP_NONE) {
        json_put_raw(out, "null");
        return;
    }
    json_put_raw(out, "{\"currency\":");
    json_put_text(out, plan->cap_currency);
    json_put_raw_fmt(out, ",\"nano\":%" PRId64 ",\"state\":", plan->cap);
    json_put_text(out, plan_cap_name(cap));
    json_put_raw(out, "}");
}

static void put_fx(struct buf *out, const struct price_fx *fx)
{
    if (fx->usdcny == 0) {
        json_put_raw(out, "null");
        return;
    }
    json_put_raw_fmt(out, "{\"usdcny_nano\":%" PRId64 ",\"as_of\":", fx->usdcny);
    json_put_text(out, fx->as_of);
    json_put_raw(out, "}");
}

static void put_limits(struct buf *out, const struct plan *plan)
{
    const struct provider_profile *built_in = provider_profile_find(plan->profile->name);
    const struct limits_view view = {
        .profile = plan->profile->name,
        .now = plan->limits,
        .profile_limits = built_in != NULL ? &built_in->limits : NULL,
    };

    limits_print_json(&view, out);
}

void plan_print_json(const struct plan *plan, struct buf *out)
{
    json_put_raw(out, "{\"schema\":1,\"input\":");
    json_put_text(out, plan->input);
    json_put_raw(out, ",\"provider\":");
    json_put_text(out, plan->profile->name);
    json_put_raw(out, ",\"recipe\":");
    json_put_text(out, plan->recipe);
    json_put_raw(out, ",\"rows\":");
    json_put_count(out, plan->recipe != NULL ? (int64_t)plan->rows : -1);
    json_put_raw(out, ",\"bad_rows\":");
    json_put_count(out, plan->recipe != NULL ? (int64_t)plan->bad_rows : -1);
    json_put_raw(out, ",");
    put_counts(out, &plan->total);
    put_count(out, "batches", plan->batches);
    put_count(out, "invalid", plan->invalid);
    put_count(out, "token_margin_percent", PLAN_MARGIN_PERCENT);
    put_count(out, "open_ended_output_tokens", PLAN_OPEN_OUTPUT);
    put_price(out, &plan->price);
    json_put_raw(out, ",\"unpriced_model\":");
    json_put_text(out, plan->unpriced);
    json_put_raw(out, ",\"fx\":");
    put_fx(out, &plan->prices->fx);
    json_put_raw(out, ",\"max_cost\":");
    put_cap(out, plan);
    json_put_raw(out, ",\"lanes\":[");
    put_lanes(out, plan);
    json_put_raw(out, "],\"analyses\":");
    put_analyses(out, plan);
    json_put_raw(out, ",\"problems\":[");
    put_problems(out, plan);
    json_put_raw(out, "],\"prompts\":[");
    put_prompts(out, plan);
    json_put_raw(out, "],\"limits\":");
    put_limits(out, plan);
    json_put_raw(out, "}\n");
}
