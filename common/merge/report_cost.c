#include "common/merge/report_cost.h"

#include <inttypes.h>
#include <string.h>

#include "common/json/scan.h"

__extension__ typedef unsigned __int128 wide;

/* @n x @by / @of, to the nearest. */
static uint64_t scaled(uint64_t n, uint64_t by, uint64_t of)
{
    return (uint64_t)(((wide)n * by + of / 2) / of);
}

/* What a spend row costs without a batch; false: there is no list price. */
static bool realtime_cost(const struct spend *s, const struct job_spec *spec,
                          const struct price_table *prices, const char *currency, int64_t *nano)
{
    struct price_quote quote;
    struct usage usage = s->usage;
    uint64_t metered = s->requests - s->guessed;

    if (s->guessed > 0 && metered == 0)
        return false;
    if (s->guessed > 0) { /* they are like those that say what they took */
        usage.prompt += scaled(usage.prompt, s->guessed, metered);
        usage.cached += scaled(usage.cached, s->guessed, metered);
        usage.completion += scaled(usage.completion, s->guessed, metered);
    }
    return price_table_quote(prices, spec->provider, s->model, false, &quote) &&
           strcmp(quote.currency, currency) == 0 && price_quote_cost(&quote, &usage, nano);
}

/* That something was billed in; else the one that the provider bills in. */
static const char *currency_of(const struct report *report, const struct job_spec *spec,
                               const struct price_table *prices)
{
    for (size_t i = 0; i < report->spend.count; i++) {
        if (report->spend.items[i].currency[0] != '\0')
            return report->spend.items[i].currency;
    }
    return price_table_currency(prices, spec->provider);
}

static bool is_priced(const struct spend *s, const char *currency)
{
    return s->currency[0] != '\0' && strcmp(s->currency, currency) == 0;
}

void report_cost(const struct report *report, const struct job_spec *spec,
                 const struct price_table *prices, struct report_cost *out)
{
    *out = (struct report_cost){.known = true, .realtime_known = true};
    memcpy(out->currency, currency_of(report, spec, prices), sizeof(out->currency));
    for (size_t i = 0; i < report->spend.count; i++) {
        const struct spend *s = &report->spend.items[i];
        int64_t nano;

        if (s->requests == 0)
            continue;
        out->known = out->known && is_priced(s, out->currency);
        if (is_priced(s, out->currency)) {
            money_add(&out->nano, s->nano);
            money_add(&out->likely_nano, s->likely_nano);
        }
        if (realtime_cost(s, spec, prices, out->currency, &nano))
            money_add(&out->realtime_nano, nano);
        else
            out->realtime_known = false;
        out->est_input += s->est_input;
        out->act_input += s->usage.prompt;
    }
    for (size_t i = 0; i < WASTES; i++)
        money_add(&out->wasted_nano, report->wastes[i].nano);
}

/* ---- for programs */

/* Exact and as a number; null when it is not known. */
static bool put_amount(struct buf *out, const char *name, bool known, int64_t nano)
{
    char text[MONEY_TEXT_MAX];

    if (!known)
        return buf_printf(out, "    \"%s\": null,\n    \"%s_nano\": null,\n", name, name);
    return buf_printf(out, "    \"%s\": \"%s\",\n    \"%s_nano\": %" PRId64 ",\n", name,
                      money_format_exact(nano, text), name, nano);
}

static bool put_text(struct buf *out, const char *text)
{
    return json_string_encode(out, text, strlen(text));
}

/* Whether row @i is the first of its model (or day) in the list, so each is written once. */
static bool is_first(const struct spend_list *list, size_t i, bool by_day)
{
    for (size_t k = 0; k < i; k++) {
        if (by_day ? strcmp(list->items[k].day, list->items[i].day) == 0
                   : strcmp(list->items[k].model, list->items[i].model) == 0)
            return false;
    }
    return true;
}

/* All rows of the model (or day) of row @i, as one; @currency "" when some cost is not known. */
static struct spend sum_of(const struct spend_list *list, size_t i, bool by_day,
                           const char *currency)
{
    struct spend sum = {0};
    const struct spend *of = &list->items[i];

    memcpy(sum.model, of->model, sizeof(sum.model));
    memcpy(sum.day, of->day, sizeof(sum.day));
    memcpy(sum.currency, currency, strlen(currency) + 1);
    for (size_t k = i; k < list->count; k++) {
        const struct spend *s = &list->items[k];

        if (by_day ? strcmp(s->day, of->day) != 0 : strcmp(s->model, of->model) != 0)
            continue;
        sum.requests += s->requests;
        sum.guessed += s->guessed;
        usage_add(&sum.usage, &s->usage);
        if (is_priced(s, currency))
            money_add(&sum.nano, s->nano);
        else
            sum.currency[0] = '\0';
    }
    return sum;
}

static bool put_nano(struct buf *out, const struct spend *s)
{
    if (s->currency[0] == '\0')
        return buf_printf(out, ", \"nano\": null}");
    return buf_printf(out, ", \"nano\": %" PRId64 "}", s->nano);
}

static bool put_model(struct buf *out, const struct spend *s)
{
    const struct usage *u = &s->usage;

    return buf_printf(out, "{\"model\": ") &&
           (s->model[0] == '\0' ? buf_printf(out, "null") : put_text(out, s->model)) &&
           buf_printf(out,
                      ", \"requests\": %" PRIu64 ", \"without_usage\": %" PRIu64
                      ", \"prompt_tokens\": %" PRIu64 ", \"cached_tokens\": %" PRIu64
                      ", \"completion_tokens\": %" PRIu64 ", \"reasoning_tokens\": %" PRIu64,
                      s->requests, s->guessed, u->prompt, u->cached, u->completion, u->reasoning) &&
           put_nano(out, s);
}

static bool put_day(struct buf *out, const struct spend *s)
{
    return buf_printf(out, "{\"day\": ") &&
           (s->day[0] == '\0' ? buf_printf(out, "null") : put_text(out, s->day)) &&
           buf_printf(out, ", \"requests\": %" PRIu64, s->requests) && put_nano(out, s);
}

static bool put_rows(struct buf *out, const char *name, const struct spend_list *list, bool by_day,
                     const char *currency)
{
    bool ok = buf_printf(out, "    \"%s\": [", name);
    bool any = false;

    for (size_t i = 0; ok && i < list->count; i++) {
        if (!is_first(list, i, by_day))
            continue;
        struct spend sum = sum_of(list, i, by_day, currency);

        ok = buf_printf(out, any ? ",\n      " : "\n      ") &&
             (by_day ? put_day(out, &sum) : put_model(out, &sum));
        any = true;
    }
    return ok && buf_printf(out, any ? "\n    ],\n" : "],\n");
}

static bool put_unknown(struct buf *out, const struct spend_list *list, const char *currency)
{
    bool ok = buf_printf(out, "    \"unknown_models\": [");
    bool any = false;

    for (size_t i = 0; ok && i < list->count; i++) {
        if (!is_first(list, i, false) || sum_of(list, i, false, currency).currency[0] != '\0')
            continue;
        ok = buf_printf(out, any ? ", " : "") && put_text(out, list->items[i].model);
        any = true;
    }
    return ok && buf_printf(out, "],\n");
}

static bool put_wasted(struct buf *out, const struct report *report)
{
    bool ok = buf_printf(out, "    \"wasted\": {");

    for (size_t i = 0; ok && i < WASTES; i++) {
        const struct waste_sum *w = &report->wastes[i];

        ok = buf_printf(out,
                        "%s\n      \"%s\": {\"lines\": %" PRIu64 ", \"without_price\": %" PRIu64
                        ", \"nano\": %" PRId64 "}",
                        i == 0 ? "" : ",", waste_name((enum waste)i), w->lines, w->unpriced,
                        w->nano);
    }
    return ok && buf_printf(out, "\n    },\n");
}

static bool put_fx(struct buf *out, const struct report_cost *cost,
                   const struct price_table *prices)
{
    char rate[MONEY_TEXT_MAX];
    int64_t usd, cny;

    if (prices == NULL || prices->fx.usdcny <= 0 || !cost->known ||
        !price_convert(prices, cost->currency, "USD", cost->nano, &usd) ||
        !price_convert(prices, cost->currency, "CNY", cost->nano, &cny))
        return buf_printf(out, "    \"fx\": null\n");
    return buf_printf(out, "    \"fx\": {\"USDCNY\": \"%s\", \"as_of\": ",
                      money_format_exact(prices->fx.usdcny, rate)) &&
           put_text(out, prices->fx.as_of) &&
           buf_printf(out, ", \"usd_nano\": %" PRId64 ", \"cny_nano\": %" PRId64 "}\n", usd, cny);
}

bool report_put_cost_json(struct buf *out, const struct report *report, const struct job_spec *spec,
                          const struct price_table *prices)
{
    struct report_cost cost;

    report_cost(report, spec, prices, &cost);
    return buf_printf(out, "{\n    \"currency\": \"%s\",\n", cost.currency) &&
           put_amount(out, "total", cost.known, cost.nano) &&
           put_amount(out, "known", true, cost.nano) &&
           put_amount(out, "estimated", cost.known, cost.likely_nano) &&
           put_amount(out, "realtime", cost.realtime_known, cost.realtime_nano) &&
           put_unknown(out, &report->spend, cost.currency) &&
           put_rows(out, "by_model", &report->spend, false, cost.currency) &&
           put_rows(out, "by_day", &report->spend, true, cost.currency) &&
           put_wasted(out, report) &&
           buf_printf(out,
                      "    \"input_tokens\": {\"estimated\": %" PRIu64 ", \"actual\": %" PRIu64
                      "},\n",
                      cost.est_input, cost.act_input) &&
           put_fx(out, &cost, prices) && buf_printf(out, "  }");
}

/* ---- for people */

/* " (+3.4 %)": how far @was is from @is. */
static bool put_error(struct buf *out, uint64_t was, uint64_t is)
{
    uint64_t apart = was > is ? was - is : is - was;

    if (is == 0)
        return true;
    uint64_t tenths = apart > UINT64_MAX / 1000 ? apart / is * 1000 : (apart * 1000 + is / 2) / is;
    return buf_printf(out, " (%s%" PRIu64 ".%" PRIu64 " %%)", was >= is ? "+" : "-", tenths / 10,
                      tenths % 10);
}

/* Without the noughts at its end: "7.25". */
static const char *rate_text(int64_t nano, char out[MONEY_TEXT_MAX])
{
    size_t len = strlen(money_format_exact(nano, out));

    while (len > 2 && out[len - 1] == '0' && out[len - 2] != '.')
        out[--len] = '\0';
    return out;
}

/* The same in the other currency. */
static bool put_converted(struct buf *out, const struct report_cost *cost,
                          const struct price_table *prices)
{
    const char *other = strcmp(cost->currency, "USD") == 0 ? "CNY" : "USD";
    char text[MONEY_TEXT_MAX], rate[MONEY_TEXT_MAX];
    int64_t nano;

    if (prices == NULL || prices->fx.usdcny <= 0 ||
        !price_convert(prices, cost->currency, other, cost->nano, &nano))
        return true;
    return buf_printf(out, " (%s at %s of %s)", money_format(other, nano, text),
                      rate_text(prices->fx.usdcny, rate), prices->fx.as_of);
}

static bool put_unknown_text(struct buf *out, const struct spend_list *list,
                             const struct report_cost *cost)
{
    char text[MONEY_TEXT_MAX];
    bool ok = buf_printf(out, "?, and %s of what has a price; no price is known of",
                         money_format(cost->currency, cost->nano, text));
    bool any = false;

    for (size_t i = 0; ok && i < list->count; i++) {
        if (!is_first(list, i, false) || sum_of(list, i, false, cost->currency).currency[0] != '\0')
            continue;
        ok = buf_printf(out, "%s ", any ? "," : "") &&
             (list->items[i].model[0] == '\0' ? buf_printf(out, "older batches")
                                              : put_text(out, list->items[i].model));
        any = true;
    }
    return ok;
}

static bool put_total(struct buf *out, const struct report *report, const struct report_cost *cost,
                      const struct price_table *prices)
{
    char text[MONEY_TEXT_MAX];

    if (!buf_printf(out, "%-16s ", "cost"))
        return false;
    if (!cost->known)
        return put_unknown_text(out, &report->spend, cost) && buf_printf(out, "\n");
    return buf_printf(out, "%s", money_format(cost->currency, cost->nano, text)) &&
           put_converted(out, cost, prices) && buf_printf(out, "\n") &&
           buf_printf(out, "%-16s %s", "estimated",
                      money_format(cost->currency, cost->likely_nano, text)) &&
           put_error(out, (uint64_t)cost->likely_nano, (uint64_t)cost->nano) &&
           buf_printf(out, "\n");
}

bool report_put_cost_text(struct buf *out, const struct report *report, const struct job_spec *spec,
                          const struct price_table *prices)
{
    struct report_cost cost;
    char text[MONEY_TEXT_MAX];

    if (report->spend.count == 0)
        return true;
    report_cost(report, spec, prices, &cost);
    return put_total(out, report, &cost, prices) &&
           buf_printf(out, "%-16s %s\n", "realtime",
                      cost.realtime_known ? money_format(cost.currency, cost.realtime_nano, text)
                                          : "?") &&
           (cost.wasted_nano == 0 ||
            buf_printf(out, "%-16s %s\n", "wasted",
                       money_format(cost.currency, cost.wasted_nano, text))) &&
           (cost.act_input == 0 ||
            (buf_printf(out, "%-16s %" PRIu64 " input tokens, %" PRIu64 " counted", "estimate",
                        cost.est_input, cost.act_input) &&
             put_error(out, cost.est_input, cost.act_input) && buf_printf(out, "\n")));
}
