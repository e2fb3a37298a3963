#include "producer/quotes.h"

#include <string.h>

#include "common/json/request_line.h"
#include "common/json/scan.h"

bool quotes_cap(const struct price_table *prices, const char *provider, const char *text,
                struct job_tunables *tunables, struct err *err)
{
    const char *billed = price_table_currency(prices, provider);
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano;

    memcpy(tunables->currency, billed, strlen(billed) + 1);
    tunables->max_cost_nano = -1;
    if (text == NULL || text[0] == '\0')
        return true;
    if (!money_parse(text, currency, &nano, err))
        return err_wrap(err, "--max-cost");
    if (!price_convert(prices, currency, billed, nano, &tunables->max_cost_nano))
        return err_set(err, ERR_USAGE,
                       "--max-cost is in %s and provider %s bills in %s: give it in %s, or a rate "
                       "under \"prices: {fx: {USDCNY: ..., as_of: ...}}\"",
                       currency, provider, billed, billed);
    return true;
}

bool quotes_of_model(const struct price_table *prices, const char *provider, const char *model,
                     const struct job_tunables *tunables, bool *priced, struct price_quote *out,
                     struct err *err)
{
    *priced = price_table_quote(prices, provider, model, true, out);
    if (*priced && strcmp(out->currency, tunables->currency) != 0)
        *priced = false;
    if (*priced || tunables->max_cost_nano < 0)
        return true;
    return err_set(err, ERR_USAGE,
                   "no price in %s is known for model \"%s\" of provider %s, and --max-cost needs "
                   "it: give one in sheaf.yaml, for a million tokens: \"prices: {models: {\"%s\": "
                   "{provider: %s, currency: %s, input: ..., output: ...}}}\", or leave the cap out",
                   tunables->currency, model, provider, model, provider, tunables->currency);
}

bool quotes_of_lanes(const struct price_table *prices, const char *provider,
                     const struct job_lane *lanes, size_t count,
                     const struct job_tunables *tunables, struct lane_quote *out, struct err *err)
{
    char model[REQUEST_MODEL_MAX + 1];
    struct json_value label;

    for (size_t i = 0; i < count; i++) {
        out[i] = (struct lane_quote){0};
        memcpy(out[i].lane, lanes[i].lane, sizeof(out[i].lane));
        if (!json_scan(lanes[i].label, strlen(lanes[i].label), &label, NULL))
            continue;
        struct json_value name = json_member(&label, "model");
        if (!json_string_decode(&name, model, sizeof(model), NULL))
            continue;
        if (!quotes_of_model(prices, provider, model, tunables, &out[i].priced, &out[i].quote, err))
            return false;
    }
    return true;
}
