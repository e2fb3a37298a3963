#ifndef PRODUCER_CORE_QUOTES_H
#define PRODUCER_CORE_QUOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/money.h"
#include "common/model/price_table.h"

/* What the tokens of a job's models cost, by the price table, and what a cap asks of that. */

/** Room for the name of a model and its NUL. */
#define QUOTES_MODEL_SIZE 256

/** Whose prices, and how much may be spent. Borrowed. */
struct quotes {
    const struct price_table *prices;
    const char *provider;               /* name of its profile */
    char currency[MONEY_CURRENCY_SIZE]; /* that it bills in */
    int64_t cap;                        /* nano-units; -1: none */
};

/**
 * Fill @out. @cap is an amount of money in any currency ("20CNY"; NULL or "": none); it is put into
 * the one that is billed with the table's rate of exchange. ERR_USAGE when it is no amount, or
 * there is no rate.
 */
MUST_CHECK bool quotes_init(struct quotes *out, const struct price_table *prices,
                            const char *provider, const char *cap, struct err *err);

/**
 * What the tokens of @model cost in the Batch API; *@priced false: nobody knows. ERR_USAGE when
 * that is so and there is a cap: then nothing could be promised. The message names the model, and
 * says how to set a price.
 */
MUST_CHECK bool quotes_of(const struct quotes *q, const char *model, bool *priced,
                          struct price_quote *out, struct err *err);

/** The model that a lane's label names: {"endpoint":...,"model":...}. False: none. */
MUST_CHECK bool quotes_label_model(const char *label, char model[QUOTES_MODEL_SIZE]);

#endif
