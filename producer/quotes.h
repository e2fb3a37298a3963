#ifndef PRODUCER_QUOTES_H
#define PRODUCER_QUOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/price_table.h"
#include "common/protocol/protocol.h"

/* What the tokens of a job's lanes cost, by the price table, and what a cap asks of it. Pure. */

/**
 * The cap @text ("20CNY"; NULL: none) into @tunables, in the currency that @provider bills in, with
 * the table's rate of exchange where it is another one. ERR_USAGE when it is no amount of money, or
 * there is no rate.
 */
MUST_CHECK bool quotes_cap(const struct price_table *prices, const char *provider,
                           const char *text, struct job_tunables *tunables, struct err *err);

/**
 * The quote of @model; *@priced false: nobody knows it. ERR_USAGE where @tunables have a cap and it
 * is not known: nothing could be said of what it costs. The message names the model and how to
 * set a price.
 */
MUST_CHECK bool quotes_of_model(const struct price_table *prices, const char *provider,
                                const char *model, const struct job_tunables *tunables,
                                bool *priced, struct price_quote *out, struct err *err);

/**
 * The quotes of @lanes, whose labels name the models; @out has room for @count. A lane without a
 * label that can be read has no quote. Fails as quotes_of_model() does.
 */
MUST_CHECK bool quotes_of_lanes(const struct price_table *prices, const char *provider,
                                const struct job_lane *lanes, size_t count,
                                const struct job_tunables *tunables, struct lane_quote *out,
                                struct err *err);

#endif
