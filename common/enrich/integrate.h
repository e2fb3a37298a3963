#ifndef ENRICH_INTEGRATE_H
#define ENRICH_INTEGRATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/enrich/enrich_report.h"
#include "common/enrich/judge.h"
#include "common/rows/rows.h"

/** A recipe job whose rounds have left nothing open. Everything is borrowed. */
struct enrich_job {
    const struct recipe *recipe;
    const char *input; /* the rows, as rows_open() takes it */
    const struct rows_options *options;
    const struct enrich_round *rounds; /* from the first on */
    size_t round_count;
    bool closed; /* no round comes after: what is open is given up; else it is an error */
    const struct enrich_money *money;
};

/**
 * Write OUTPUT, its errors file and its report: one row for each row of the input, in order, with
 * the answers at their paths. OUTPUT's form follows from its extension. All three are written
 * without a name, synced, and named: errors, report, OUTPUT last (common/merge/publish_set.h). They
 * are the files of round 1's job, so that publish_check() and a repeat know them; a repeat makes
 * the same bytes, finds them there and writes nothing: *@adopted (may be NULL). An
 * OUTPUT that the job did not make is ERR_CONFLICT, unless @overwrite. ERR_INPUT: the rows are not
 * what they were. ERR_TEMPORARY: some pair is still open. Fills @report (the caller releases it)
 * on success. Blocks for as long as reading all rows and results takes; memory does not grow with
 * either.
 */
MUST_CHECK bool enrich_integrate(const struct enrich_job *job, const char *output, bool overwrite,
                                 const struct report_times *times, struct enrich_report *report,
                                 bool *adopted, struct err *err);

#endif
