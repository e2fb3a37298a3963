#include "cli/core/plan_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/base/attr.h"
#include "common/base/units.h"

enum { CELL_MAX = 64 };

/* Right-aligned in @width columns, and never glued to what is before it. */
static void put_cell(struct buf *out, int width, const char *fmt, ...) PRINTF_LIKE(3, 4);

static void put_cell(struct buf *out, int width, const char *fmt, ...)
{
    char text[CELL_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (const char *p = text; *p != '\0'; p++)
        width -= ((unsigned char)*p & 0xC0) != 0x80;
    json_put_raw_fmt(out, "%*s%s", width > 0 ? width + 1 : 1, "", text);
}

static const char *money(const struct plan_price *price, int64_t nano, char out[MONEY_TEXT_MAX])
{
    if (!price->known)
        (void)snprintf(out, MONEY_TEXT_MAX, "?");
    else if (price->currency[0] == '\0')
        (void)snprintf(out, MONEY_TEXT_MAX, "-");
    else
        (void)money_format(price->currency, nano, out);
    return out;
}

/* The numbers that all tables have. */
static void put_counts(struct buf *out, const struct plan_count *c, const struct plan_price *price)
{
    char text[MONEY_TEXT_MAX];

    put_cell(out, 13, "%" PRIu64, c->tokens);
    put_cell(out, 14, "%" PRIu64, c->max_output + c->open_ended * PLAN_OPEN_OUTPUT);
    put_cell(out, 12, "%s", money(price, price->batch, text));
    put_cell(out, 12, "%s", money(price, price->realtime, text));
}

static void put_heads(struct buf *out)
{
    put_cell(out, 13, "input tokens");
    put_cell(out, 14, "answer tokens");
    put_cell(out, 12, "as a batch");
    put_cell(out, 12, "realtime");
}

static void put_analyses(struct buf *out, const struct plan *plan)
{
    json_put_raw(out, "\n  ");
    put_cell(out, 9, "requests");
    put_cell(out, 9, "rows");
    put_cell(out, 9, "skipped");
    put_cell(out, 9, "problems");
    put_heads(out);
    json_put_raw(out, "  analysis\n");
    for (size_t i = 0; i < plan->analysis_count; i++) {
        const struct plan_analysis *a = &plan->analyses[i];
        struct plan_count sum = a->count[0];

        plan_count_add(&sum, &a->count[1]);
        json_put_raw(out, "  ");
        put_cell(out, 9, "%" PRIu64, sum.requests);
        put_cell(out, 9, "%" PRIu64, a->rows);
        put_cell(out, 9, "%" PRIu64, a->skipped);
        put_cell(out, 9, "%" PRIu64, a->problems);
        put_counts(out, &sum, &a->price);
        json_put_raw_fmt(out, "  %s", a->name);
        if (a->packs > 0)
            json_put_raw_fmt(out, ", %" PRIu64 " packs", a->packs);
        json_put_raw(out, "\n");
    }
}

static void put_lane(struct buf *out, const struct plan_lane *lane)
{
    char size[UNITS_TEXT_MAX];

    json_put_raw(out, "  ");
    put_cell(out, 9, "%" PRIu64, lane->count.requests);
    put_cell(out, 9, "%" PRIu64, lane->batches);
    put_cell(out, 9, "%s", units_format_size(lane->count.bytes, size));
    put_cell(out, 9, "%s", units_format_size(lane->count.longest, size));
    put_counts(out, &lane->count, &lane->price);
    json_put_raw(out, "  ");
    json_put_clean(out, lane->model);
    json_put_raw(out, " ");
    json_put_clean(out, lane->endpoint);
    json_put_raw(out, "\n");
}

static void put_lanes(struct buf *out, const struct plan *plan)
{
    json_put_raw(out, "\n  ");
    put_cell(out, 9, "requests");
    put_cell(out, 9, "batches");
    put_cell(out, 9, "bytes");
    put_cell(out, 9, "longest");
    put_heads(out);
    json_put_raw(out, "  model\n");
    for (size_t i = 0; i < plan->lane_count; i++)
        put_lane(out, &plan->lanes[i]);
    json_put_raw(out, "\n");
}

/* " ($0.04)": in the other currency, where there is a rate. */
static void put_other(struct buf *out, const struct plan *plan, int64_t nano)
{
    const char *other = strcmp(plan->price.currency, "CNY") == 0 ? "USD" : "CNY";
    int64_t converted = 0;

    if (price_convert(plan->prices, plan->price.currency, other, nano, &converted)) {
        char text[MONEY_TEXT_MAX];

        json_put_raw_fmt(out, " (%s)", money_format(other, converted, text));
    }
}

static void put_rate(struct buf *out, const struct plan *plan)
{
    const struct price_fx *fx = &plan->prices->fx;

    if (fx->usdcny > 0) {
        char rate[MONEY_TEXT_MAX];

        json_put_raw_fmt(out, "; 1 USD is %s of %s", money_format("CNY", fx->usdcny, rate),
                         fx->as_of);
    }
}

static void put_price(struct buf *out, const struct plan *plan)
{
    const struct plan_price *p = &plan->price;
    char text[MONEY_TEXT_MAX];

    if (!p->known) {
        json_put_raw(out, "  price        ?");
        if (plan->unpriced != NULL) {
            json_put_raw(out, "  (no price is known for ");
            json_put_clean(out, plan->unpriced);
            json_put_raw_fmt(out, " at %s: `prices:` in sheaf.yaml can say it)",
                             plan->profile->name);
        }
        json_put_raw(out, "\n");
        return;
    }
    if (p->currency[0] == '\0')
        return;
    json_put_raw_fmt(out, "  price        at most %s", money(p, p->batch, text));
    put_other(out, plan, p->batch);
    json_put_raw_fmt(out, " as a batch, %s", money(p, p->realtime, text));
    put_other(out, plan, p->realtime);
    json_put_raw_fmt(out, " without; the input alone %s", money(p, p->input, text));
    put_rate(out, plan);
    json_put_raw(out, "\n");
}

static void put_cap(struct buf *out, const struct plan *plan)
{
    char cap[MONEY_TEXT_MAX];
    char need[MONEY_TEXT_MAX];
    enum plan_cap state = plan_cap(plan);

    if (state == PLAN_CAP_NONE)
        return;
    json_put_raw_fmt(out, "  cap          %s: ", money_format(plan->cap_currency, plan->cap, cap));
    switch (state) {
    case PLAN_CAP_NONE:
    case PLAN_CAP_UNKNOWN: json_put_raw(out, "refused, for what it costs is not known\n"); return;
    case PLAN_CAP_ENOUGH: json_put_raw(out, "enough\n"); return;
    case PLAN_CAP_TIGHT: json_put_raw(out, "may be too low"); break;
    case PLAN_CAP_TOO_LOW: json_put_raw(out, "too low"); break;
    }
    json_put_raw_fmt(out, "; %s surely is enough\n",
                     money(&plan->price, plan->price.reserved, need));
}

static void put_tokens(struct buf *out, const struct plan *plan)
{
    const struct plan_count *c = &plan->total;

    json_put_raw_fmt(out,
                     "  tokens       %" PRIu64 " of input, within %d %%; answers at most %" PRIu64,
                     c->tokens, PLAN_MARGIN_PERCENT, c->max_output);
    if (c->open_ended > 0)
        json_put_raw_fmt(out,
                         ", and %" PRIu64 " answers without a limit, reckoned with as %d tokens "
                         "each",
                         c->open_ended, PLAN_OPEN_OUTPUT);
    json_put_raw(out, "\n");
}

static void put_limits(struct buf *out, const struct plan *plan)
{
    const struct provider_limits *l = plan->limits;
    uint64_t requests = l->max_requests;
    uint64_t bytes = provider_max_bytes(plan->profile);
    char size[UNITS_TEXT_MAX];

    if (plan->max_requests > 0 && plan->max_requests < requests)
        requests = plan->max_requests;
    if (plan->max_bytes > 0 && plan->max_bytes < bytes)
        bytes = plan->max_bytes;
    json_put_raw_fmt(out, "  limits       %s: %" PRIu64 " requests and %s a batch file",
                     plan->profile->name, requests, units_format_size(bytes, size));
    if (l->max_line_bytes > 0)
        json_put_raw_fmt(out, ", %s a line", units_format_size(l->max_line_bytes, size));
    json_put_raw_fmt(out, ", %" PRIu32 " batches of a model at once", l->batches_alive);
    if (l->enqueued_tokens > 0)
        json_put_raw_fmt(out, ", %" PRIu64 " tokens", l->enqueued_tokens);
    if (l->enqueued_requests > 0)
        json_put_raw_fmt(out, ", %" PRIu64 " requests", l->enqueued_requests);
    json_put_raw(out, "\n");
}

/* "a.txt, line 3, topics: "; nothing of a row that could not be read: its cause begins so. */
static void put_at(struct buf *out, const struct plan_problem *p)
{
    if (p->code != NULL && p->at.analysis == NULL)
        return;
    if (p->file != NULL) {
        json_put_clean(out, p->file);
        json_put_raw(out, ", ");
    }
    json_put_raw_fmt(out, "line %" PRIu64, p->at.line);
    if (p->at.analysis != NULL)
        json_put_raw_fmt(out, ", %s", p->at.analysis);
    json_put_raw(out, ": ");
}

static void put_problem(struct buf *out, const struct plan_problem *p)
{
    json_put_raw(out, "    ");
    put_at(out, p);
    if (p->code != NULL)
        json_put_raw_fmt(out, "%s: ", p->code);
    json_put_clean(out, p->why);
    json_put_raw(out, "\n");
}

static void put_problems(struct buf *out, const struct plan *plan)
{
    if (plan->invalid == 0)
        return;
    json_put_raw_fmt(out, "\n  %" PRIu64 " cannot be sent", plan->invalid);
    if (plan->invalid > plan->problem_count)
        json_put_raw_fmt(out, "; the first %zu are", plan->problem_count);
    json_put_raw(out, "\n");
    for (size_t i = 0; i < plan->problem_count; i++)
        put_problem(out, &plan->problems[i]);
}

/* Each line behind a bar, so that nobody takes it for ours. */
static void put_text(struct buf *out, const char *name, const char *text, uint64_t len)
{
    size_t kept = strlen(text);

    json_put_raw_fmt(out, "    %s\n", name);
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\n");
        char line[PLAN_PROMPT_BYTES + 1];

        (void)snprintf(line, sizeof(line), "%.*s", (int)n, p);
        json_put_raw(out, "    | ");
        json_put_clean(out, line);
        json_put_raw(out, "\n");
        p += n + (p[n] != '\0');
    }
    if (len > kept)
        json_put_raw_fmt(out, "    ... %" PRIu64 " bytes more\n", len - kept);
}

static void put_prompts(struct buf *out, const struct plan *plan)
{
    for (size_t i = 0; i < PLAN_PROMPTS; i++) {
        const char *analysis = NULL;
        const struct plan_sample *sample = plan_prompt(plan, i, &analysis);

        if (sample == NULL)
            continue;
        json_put_raw_fmt(out, "\n  %s of row %" PRIu64, analysis, sample->row);
        if (sample->rows > 1)
            json_put_raw_fmt(out, " and %" PRIu64 " more", sample->rows - 1);
        json_put_raw(out, "\n");
        if (sample->system_len > 0)
            put_text(out, "system", sample->system, sample->system_len);
        put_text(out, "prompt", sample->prompt, sample->prompt_len);
    }
}

static void put_head(struct buf *out, const struct plan *plan)
{
    json_put_clean(out, plan->input);
    json_put_raw_fmt(out, " at %s", plan->profile->name);
    if (plan->recipe != NULL) {
        json_put_raw(out, " by ");
        json_put_clean(out, plan->recipe);
        json_put_raw_fmt(out, ": %" PRIu64 " rows", plan->rows);
        if (plan->bad_rows > 0)
            json_put_raw_fmt(out, ", %" PRIu64 " of them bad", plan->bad_rows);
        json_put_raw_fmt(out, ", %" PRIu64 " requests", plan->total.requests);
    } else {
        json_put_raw_fmt(out, ": %" PRIu64 " requests", plan->total.requests);
    }
    json_put_raw_fmt(out, ", at least %" PRIu64 " batch%s\n", plan->batches,
                     plan->batches == 1 ? "" : "es");
}

void plan_print_text(const struct plan *plan, struct buf *out)
{
    put_head(out, plan);
    if (plan->analysis_count > 0)
        put_analyses(out, plan);
    if (plan->lane_count > 0) {
        put_lanes(out, plan);
        put_tokens(out, plan);
        put_price(out, plan);
        put_cap(out, plan);
    }
    put_limits(out, plan);
    put_problems(out, plan);
    put_prompts(out, plan);
}
