#ifndef CLI_FINISH_H
#define CLI_FINISH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/merge/report.h"
#include "common/model/job_spec.h"
#include "common/model/job_view.h"

struct sink;

/** What is needed of a job to publish its output or report on it. Plain data. */
struct finish {
    struct job_spec spec;
    enum job_state state;
    bool cancelled;
    uint32_t parts;
    uint64_t requests;         /* known so far; 0 when only the sink was asked */
    struct report_times times; /* Redis' clock */
};

/** ERR_PERMANENT when the job's specification cannot be read. */
MUST_CHECK bool finish_from_view(struct finish *f, const struct job_view *view, struct err *err);

/** Write OUTPUT and its companions, as publish_output() does. Blocks. */
MUST_CHECK bool finish_publish(const struct finish *f, const char *output, bool overwrite,
                               struct report *report, bool *adopted, struct err *err);

/**
 * Mark in the sink that the resubmission of @report was brought to its end here, OUTPUT included;
 * nothing without one. Until then the same resubmission completes it and begins none.
 */
void finish_mark(const struct finish *f, const struct report *report);

/** *@marked: finish_mark() was called of resubmission @generation. */
MUST_CHECK bool finish_is_marked(struct sink *sink, uint32_t generation, bool *marked,
                                 struct err *err);

/** The report of a job that has ended, without writing anything. The caller releases it. */
MUST_CHECK bool finish_collect(const struct finish *f, struct report *report, struct err *err);

/** The summary for people: rows, the most frequent causes, the files. @output NULL: no files. */
MUST_CHECK bool finish_print(const struct finish *f, const struct report *report,
                             const char *output, bool adopted, struct buf *out);

/** The same as one JSON object, message_type "summary", without a newline; the files may be null.
 */
MUST_CHECK bool finish_print_json(const struct finish *f, const struct report *report,
                                  const char *output, int exit_code, struct buf *out);

#endif
