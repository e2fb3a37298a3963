#ifndef CLI_REPORT_PAGE_H
#define CLI_REPORT_PAGE_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/config/options.h"

struct enrich_report;
struct job_spec;
struct report;
struct report_times;
struct sink;

/** A report that is shown. Borrowed. */
struct report_page {
    const struct report *jobs;
    const struct enrich_report *enriched; /* of a recipe job, with its rounds in @jobs; else NULL */
    const struct job_spec *spec;
    const struct report_times *times;
    struct sink *sink; /* with the trail */
};

/**
 * Append it to @text for people, or with --json for programs; with --html it is a page and goes
 * into that file, which appears whole or not at all.
 */
MUST_CHECK bool report_page_put(const struct report_page *page, const struct options *o,
                                struct buf *text, struct err *err);

#endif
