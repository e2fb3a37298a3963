#include "cli/cost_line.h"

#include <inttypes.h>
#include <string.h>

#include "cli/core/json_put.h"
#include "common/merge/report.h"
#include "common/model/money.h"
#include "common/model/price_table.h"

static void put_money(struct buf *out, const char *before, const char *currency, int64_t nano)
{
    char text[MONEY_TEXT_MAX];

    json_put_raw(out, before);
    json_put_raw(out, money_format(currency, nano, text));
}

/* "7.25": without the zeros at its end. */
static const char *rate_text(int64_t nano, char out[MONEY_TEXT_MAX])
{
    size_t len = strlen(money_format_exact(nano, out));

    while (len > 2 && out[len - 1] == '0' && out[len - 2] != '.')
        out[--len] = '\0';
    return out;
}

/* In the other currency too, where there is a rate. */
static void put_other(struct buf *out, const struct price_table *prices,
                      const struct report_cost *cost)
{
    const char *other = strcmp(cost->currency, "CNY") == 0 ? "USD" : "CNY";
    char rate[MONEY_TEXT_MAX];
    int64_t nano = 0;

    if (prices == NULL || !price_convert(prices, cost->currency, other, cost->nano, &nano))
        return;
    put_money(out, " (", other, nano);
    json_put_raw_fmt(out, " at %s of %s)", rate_text(prices->fx.usdcny, rate), prices->fx.as_of);
}

void cost_line_put(const struct report *report, const struct job_spec *spec,
                   const struct price_table *prices, struct buf *out)
{
    struct report_cost cost = {0};

    if (report->spend.count == 0)
        return;
    report_cost(report, spec, prices, &cost);
    if (!cost.known) {
        json_put_raw(out, "  cost     ? (no price is known for some model)\n");
        return;
    }
    put_money(out, "  cost     ", cost.currency, cost.nano);
    put_other(out, prices, &cost);
    put_money(out, ", expected ", cost.currency, cost.likely_nano);
    if (cost.realtime_known)
        put_money(out, ", without a batch ", cost.currency, cost.realtime_nano);
    if (cost.wasted_nano > 0)
        put_money(out, ", wasted ", cost.currency, cost.wasted_nano);
    json_put_raw(out, "\n");
}

void cost_line_put_json(const struct report *report, const struct job_spec *spec,
                        const struct price_table *prices, struct buf *out)
{
    struct report_cost cost = {0};

    report_cost(report, spec, prices, &cost);
    if (report->spend.count == 0 || !cost.known) {
        json_put_raw(out, "null");
        return;
    }
    json_put_raw(out, "{\"currency\":");
    json_put_text(out, cost.currency);
    json_put_raw_fmt(
        out, ",\"nano\":%" PRId64 ",\"expected_nano\":%" PRId64 ",\"wasted_nano\":%" PRId64 "}",
        cost.nano, cost.likely_nano, cost.wasted_nano);
}
