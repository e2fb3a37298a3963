#ifndef MODEL_PRICE_H
#define MODEL_PRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

/*
 * List prices of models, as data. Money is whole nano-units: 1 USD is 1,000,000,000. Standard
 * tier, per million tokens; cached input, long contexts and other tiers cost otherwise, so
 * this is for estimates and not for bills. What is not in the table has no price: it
 * is unknown and never 0.
 */

/** Room for price_format() and its NUL. */
#define PRICE_TEXT_MAX 40

struct price {
    const char *provider;   /* name of the profile */
    const char *model;      /* "gpt-4o-mini" */
    const char *currency;   /* ISO 4217: "USD" */
    int64_t input, output;  /* nano-units for 1,000,000 tokens */
    unsigned batch_percent; /* of these, what the Batch API costs: 50 */
    const char *checked;    /* the day somebody compared it with the vendor's page */
};

/** Where the table is from, for people: name, commit and date. */
extern const char price_source[];

/**
 * The price of @model at @provider; NULL: unknown. A model is the table's when its name is the
 * row's, or the row's followed by a snapshot: "-latest", or "-" and digits and further "-" only
 * ("gpt-4o-mini-2024-07-18"). Of several rows the longest name wins. "gpt-4o-audio" is none.
 */
const struct price *price_find(const char *provider, const char *model);

/**
 * What @input and @output tokens cost, rounded half up to a nano-unit; with the Batch API's factor
 * when
 * @batch. False, with *@nano as it was, when it does not fit in 63 bits.
 */
MUST_CHECK bool price_cost(const struct price *price, uint64_t input, uint64_t output, bool batch,
                           int64_t *nano);

/** "$0.000080": under one unit six decimals, else two, rounded half up. "CNY 1.50". Returns @out.
 */
const char *price_format(const char *currency, int64_t nano, char out[PRICE_TEXT_MAX]);

#endif
