#ifndef MERGE_REPORT_COST_H
#define MERGE_REPORT_COST_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/merge/report.h"

/* The money of a report: its sums are report_cost() of report.h. False past the limit of @out. */

/** The value of "cost" in the JSON report. @prices may be NULL. */
MUST_CHECK bool report_put_cost_json(struct buf *out, const struct report *report,
                                     const struct job_spec *spec, const struct price_table *prices);

/** Lines for people; none when nothing was billed. */
MUST_CHECK bool report_put_cost_text(struct buf *out, const struct report *report,
                                     const struct job_spec *spec, const struct price_table *prices);

#endif
