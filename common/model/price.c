#include "common/model/price.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLION 1000000

/* Tokens have 64 bits and a price 63: their product needs 127. */
__extension__ typedef unsigned __int128 wide;

static int64_t factored(int64_t price, unsigned percent)
{
    return (int64_t)(((wide)price * percent + 50) / 100);
}

struct price_quote price_quote_make(const struct price *price, bool batch)
{
    unsigned percent = batch ? price->batch_percent : 100;
    int64_t cached = price->cached < 0 ? price->input : price->cached;
    struct price_quote quote = {
        .input = factored(price->input, percent),
        .cached = factored(cached, percent),
        .output = factored(price->output, percent),
    };

    (void)snprintf(quote.currency, sizeof(quote.currency), "%s", price->currency);
    return quote;
}

const char *price_quote_format(const struct price_quote *quote, char out[PRICE_QUOTE_TEXT_MAX])
{
    (void)snprintf(out, PRICE_QUOTE_TEXT_MAX, "%s:%" PRId64 ":%" PRId64 ":%" PRId64,
                   quote->currency, quote->input, quote->cached, quote->output);
    return out;
}

/* A number as it is written: no sign, no zero before it. *@text moves behind it. */
static bool take_number(const char **text, int64_t *out)
{
    const char *p = *text;
    int64_t n = 0;

    if (*p == '0' && p[1] >= '0' && p[1] <= '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > (INT64_MAX - (*p - '0')) / 10)
            return false;
        n = n * 10 + (*p - '0');
    }
    if (p == *text)
        return false;
    *out = n;
    *text = p;
    return true;
}

bool price_quote_parse(const char *text, struct price_quote *out)
{
    struct price_quote quote = {.input = 0};
    int64_t *const numbers[] = {&quote.input, &quote.cached, &quote.output};
    size_t len = strcspn(text, ":");

    if (len != sizeof(quote.currency) - 1)
        return false;
    memcpy(quote.currency, text, len);
    if (money_currency(quote.currency) == NULL ||
        strcmp(money_currency(quote.currency), quote.currency) != 0)
        return false;
    text += len;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (*text++ != ':' || !take_number(&text, numbers[i]))
            return false;
    }
    if (*text != '\0')
        return false;
    *out = quote;
    return true;
}

bool price_quote_cost(const struct price_quote *quote, const struct usage *usage, int64_t *nano)
{
    uint64_t cached = usage->cached < usage->prompt ? usage->cached : usage->prompt;
    wide parts[] = {
        (wide)(usage->prompt - cached) * (wide)quote->input,
        (wide)cached * (wide)quote->cached,
        (wide)usage->completion * (wide)quote->output,
    };
    wide sum = MILLION / 2;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (parts[i] > ~(wide)0 / 4) /* so that the sum cannot overflow */
            return false;
        sum += parts[i];
    }
    if (sum / MILLION > INT64_MAX)
        return false;
    *nano = (int64_t)(sum / MILLION);
    return true;
}

bool price_quote_tokens(const struct price_quote *quote, uint64_t input, uint64_t output,
                        int64_t *nano)
{
    const struct usage usage = {.prompt = input, .completion = output};

    return price_quote_cost(quote, &usage, nano);
}
