#ifndef MODEL_PRICE_H
#define MODEL_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/money.h"
#include "common/model/usage.h"

/*
 * What a model costs. Money is whole nano-units (common/model/money.h). List prices of the standard
 * tier: long contexts and other tiers cost otherwise, so this is for estimates and budgets and not
 * for bills. What has no price is unknown and never 0.
 */

/** A row of the price table. Strings live as long as the table. */
struct price {
    const char *provider;   /* name of the profile; NULL: any */
    const char *model;      /* "gpt-4o-mini" */
    const char *currency;   /* the one of the list: "USD", "CNY" */
    int64_t input;          /* nano-units for 1,000,000 tokens */
    int64_t cached;         /* the same for input that the provider had cached; -1: as input */
    int64_t output;         /* the same; reasoning is output */
    unsigned batch_percent; /* of these, what the Batch API costs: 50 */
    const char *checked;    /* the day somebody compared it with the vendor's page: "2026-05-23" */
    const char *source;     /* where it is from, for people */
};

/**
 * What tokens cost in one job: the factor of the Batch API is in it already. Nano-units for
 * 1,000,000 tokens, in the currency that is billed.
 */
struct price_quote {
    char currency[MONEY_CURRENCY_SIZE];
    int64_t input, cached, output;
};

/** Room for price_quote_format() and its NUL. */
#define PRICE_QUOTE_TEXT_MAX 72

/**
 * The quote of @price; with the factor of the Batch API when @batch. A price whose half is no whole
 * number of nano-units is rounded up.
 */
struct price_quote price_quote_make(const struct price *price, bool batch);

/** One word for records and fields: "CNY:250000000:250000000:250000000". Returns @out. */
const char *price_quote_format(const struct price_quote *quote, char out[PRICE_QUOTE_TEXT_MAX]);

/** The reverse; false for anything that price_quote_format() does not write. */
MUST_CHECK bool price_quote_parse(const char *text, struct price_quote *out);

/**
 * What @usage costs, rounded half up to a nano-unit once, at the end. Reasoning is in the
 * completion, cached input in the prompt; more cached than prompt counts as all of it. False, with
 * *@nano as it was, when it does not fit in 63 bits.
 */
MUST_CHECK bool price_quote_cost(const struct price_quote *quote, const struct usage *usage,
                                 int64_t *nano);

/** The most @input and @output tokens can cost: nothing is cached. Otherwise as above. */
MUST_CHECK bool price_quote_tokens(const struct price_quote *quote, uint64_t input, uint64_t output,
                                   int64_t *nano);

#endif
