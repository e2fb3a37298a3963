#ifndef MODEL_PRICE_TABLE_H
#define MODEL_PRICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/base/tree.h"
#include "common/model/price.h"

/*
 * The list prices that are known: built-in rows, and before them what "prices:" of the
 * configuration file says:
 *
 *     prices:
 *       fx: {USDCNY: 7.25, as_of: 2026-11-20}
 *       models:
 *         glm-4-air: {provider: zhipu, currency: CNY, input: 0.5, cached: 0.25, output: 0.5,
 *                     batch_factor: 0.5, checked: 2026-11-20, source: bigmodel.cn/pricing}
 *
 * Money is for a million tokens. provider is optional: without it the row is for all of them.
 */

/** Room for a day and its NUL: "2026-11-20". */
#define PRICE_DAY_SIZE 11

/** Where the built-in rows are from, for people: name, commit and date. */
extern const char price_source[];

/** A rate of exchange. */
struct price_fx {
    int64_t usdcny;             /* nano-CNY for 1 USD; 0: not known */
    char as_of[PRICE_DAY_SIZE]; /* the day of it */
    bool configured;            /* by the user; else built in */
};

/** The table. {0} is the built-in rows without a rate of exchange. */
struct price_table {
    struct price *rows; /* owned: those of the configuration file, in its order */
    size_t count;
    struct price_fx fx;
    char **owned; /* the rows' strings */
    size_t owned_count;
};

/**
 * The built-in table, with what is in @prices (NULL or empty: nothing) before it. ERR_USAGE with
 * "file:line:column: " before the message: unknown keys (did you mean), a number that is no plain
 * decimal from 0 on or has more than nine decimals, a factor that is no whole percentage, a day
 * that there is none, a rate without a day, rows of one provider in two currencies.
 * price_table_release() frees.
 */
MUST_CHECK bool price_table_load(const struct tree *prices, struct price_table *out,
                                 struct err *err);
void price_table_release(struct price_table *table);

/**
 * The price of @model at @provider; NULL: unknown. A model is the row's when its name is, or the
 * row's followed by a snapshot: "-latest", or "-" and digits and further "-" only
 * ("gpt-4o-mini-2024-07-18"). "gpt-4o-audio" is none. Rows of the file go before built-in ones,
 * those that name the provider before those for all; of several the longest name wins.
 * @table NULL: the built-in rows.
 */
const struct price *price_find(const struct price_table *table, const char *provider,
                               const char *model);

/**
 * The currency that @provider bills in: that of the file's rows that name it; else "CNY" for zhipu
 * and dashscope and "USD" for the other built-in providers; for one that is not built in
 * that of the file's first row for all providers; else "USD".
 */
const char *price_table_currency(const struct price_table *table, const char *provider);

/**
 * What @model costs at @provider, in the currency that it bills in: price_find(),
 * price_quote_make(), and the rate of exchange where the row is in the other currency. False: not
 * known ("?").
 */
MUST_CHECK bool price_table_quote(const struct price_table *table, const char *provider,
                                  const char *model, bool batch, struct price_quote *out);

/**
 * @nano of the currency @from in the currency @to, rounded half up. False, with *@out as it was:
 * there is no rate for these two, or it does not fit.
 */
MUST_CHECK bool price_convert(const struct price_table *table, const char *from, const char *to,
                              int64_t nano, int64_t *out);

#endif
