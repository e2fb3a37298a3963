#ifndef CLI_COST_LINE_H
#define CLI_COST_LINE_H

#include "common/base/buf.h"

struct job_spec;
struct price_table;
struct report;

/**
 * What a job cost, for its summary:
 *     "  cost  ¥14.31 ($1.97 at 7.25 of 2026-11-20), expected ¥14.80, without a batch ¥28.62,
 * wasted ¥0.04\n"
 * "?" where a price is not known. Nothing when nothing was billed. @prices NULL: the built-in ones.
 */
void cost_line_put(const struct report *report, const struct job_spec *spec,
                   const struct price_table *prices, struct buf *out);

/** The same as a JSON object, null when nothing was billed or its price is not known. */
void cost_line_put_json(const struct report *report, const struct job_spec *spec,
                        const struct price_table *prices, struct buf *out);

#endif
