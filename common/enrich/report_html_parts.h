#ifndef ENRICH_REPORT_HTML_PARTS_H
#define ENRICH_REPORT_HTML_PARTS_H

/* The sections of the page; for the files of report_html.h only. */

#include <stdbool.h>

#include "common/base/attr.h"

struct buf;
struct enrich_report;

/** The style sheet, with its element. */
MUST_CHECK bool report_html_style(struct buf *out);

/** All analyses in one table, then a section for each: causes, repairs, answers. */
MUST_CHECK bool report_html_analyses(struct buf *out, const struct enrich_report *report);

#endif
