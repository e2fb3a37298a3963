#ifndef ENRICH_RESULTS_H
#define ENRICH_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/result_line.h"
#include "common/json/scan.h"

struct buf;
struct sink;

/*
 * The results of one round's job in the order of its requests: the merged parts in its sink, each
 * in its newest generation, successes (out/) and failures (dead/) merged by the custom_id that is
 * expected next. Every request of a job has one line in one of the two. Of a job that was cancelled
 * before all was cut, the requests at the end have none.
 */

/** Where a result's line is, so that it can be read again. */
struct result_place {
    uint64_t offset; /* in its file */
    uint32_t len;    /* with its newline; 0: there is no line */
    uint32_t part;
    bool dead; /* in dead/, else out/ */
};

/** One result. Borrowed until the next call for the results. */
struct result {
    bool found;        /* false: the job has no line for this request, nor for any behind it */
    bool ok;           /* it is a success: from out/ */
    struct slice line; /* without its newline */
    struct result_line fields;
    struct result_place place;
};

struct results;

/** Parts [0, @parts) of @sink (borrowed), which are merged. NULL (with @err) on failure. */
struct results *results_open(struct sink *sink, uint32_t parts, struct err *err);

/** NULL is fine. */
void results_close(struct results *results);

/**
 * The result of the request with @custom_id, the next one of the round. ERR_PERMANENT, with both
 * ids, when neither file goes on with it: the map is not that of this job.
 */
MUST_CHECK bool results_next(struct results *results, const char *custom_id, struct result *out,
                             struct err *err);

/** ERR_PERMANENT when there are results behind the last one that was asked for. */
MUST_CHECK bool results_end(struct results *results, struct err *err);

/**
 * Read a line again, into @out (cleared first) without its newline. May be called between, and
 * for any place that results_next() gave. ERR_UNAVAILABLE when reading fails.
 */
MUST_CHECK bool results_reread(struct results *results, const struct result_place *place,
                               struct buf *out, struct err *err);

#endif
