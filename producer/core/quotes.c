#include "producer/core/quotes.h"

#include <string.h>

#include "common/json/scan.h"

bool quotes_init(struct quotes *out, const struct price_table *prices, const char *provider,
                 const char *cap, struct err *err)
{
    struct quotes q = {.prices = prices, .provider = provider, .cap = -1};
    const char *billed = price_table_currency(prices, provider);
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano;

    memcpy(q.currency, billed, strlen(billed) + 1);
    if (cap != NULL && cap[0] != '\0') {
        if (!money_parse(cap, currency, &nano, err))
            return err_wrap(err, "--max-cost");
        if (!price_convert(prices, currency, billed, nano, &q.cap))
            return err_set(err, ERR_USAGE,
                           "--max-cost is in %s, and provider %s bills in %s: give it in %s, or a "
                           "rate under \"prices: {fx: {USDCNY: ..., as_of: ...}}\"",
                           currency, provider, billed, billed);
        if (q.cap > MONEY_MOST)
            return err_set(err, ERR_USAGE,
                           "--max-cost is more than a job's money is counted to: 9,007,199 %s",
                           billed);
    }
    *out = q;
    return true;
}

bool quotes_of(const struct quotes *q, const char *model, bool *priced, struct price_quote *out,
               struct err *err)
{
    *priced = price_table_quote(q->prices, q->provider, model, true, out) &&
              strcmp(out->currency, q->currency) == 0;
    if (*priced || q->cap < 0)
        return true;
    return err_set(
        err, ERR_USAGE,
        "no price in %s is known for model \"%s\" of provider %s, and --max-cost needs "
        "it: give one in sheaf.yaml, for a million tokens: \"prices: {models: {%s: "
        "{provider: %s, currency: %s, input: ..., output: ...}}}\"; or leave the cap out",
        q->currency, model, q->provider, model, q->provider, q->currency);
}

bool quotes_label_model(const char *label, char model[QUOTES_MODEL_SIZE])
{
    struct json_value doc;

    if (!json_scan(label, strlen(label), &doc, NULL))
        return false;
    struct json_value name = json_member(&doc, "model");
    return json_string_decode(&name, model, QUOTES_MODEL_SIZE, NULL);
}
