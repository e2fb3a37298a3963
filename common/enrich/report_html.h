#ifndef ENRICH_REPORT_HTML_H
#define ENRICH_REPORT_HTML_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct enrich_report;
struct job_spec;
struct report;
struct report_times;

/*
 * A report as one HTML page that needs nothing else: no network, no script, style and bars
 * inside; light or dark as the reader's system is, and fit to be printed. The same
 * report gives the same bytes. Every text is escaped.
 */

/**
 * Append the page to @out. @enriched: of a recipe job, else NULL; @jobs: the report of the job, or
 * of all of a recipe job's rounds together. False past the limit of @out.
 */
MUST_CHECK bool report_html_write(const struct report *jobs, const struct enrich_report *enriched,
                                  const struct job_spec *spec, const struct report_times *times,
                                  struct buf *out);

#endif
