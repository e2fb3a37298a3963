#ifndef MERGE_COVERAGE_H
#define MERGE_COVERAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct sink;

/**
 * Which tasks of a part the sink holds a final answer for (a success, or an
 * error that will not change), for a producer that registers a job again
 * because Redis forgot it. Of a resubmitted part all that its newest generation does not
 * list is settled; what it lists is when it has a success, or failed for good since.
 */
struct coverage;

/** Borrows @sink. NULL (with @err) on failure. Free with coverage_free(). */
struct coverage *coverage_new(struct sink *sink, uint32_t part, struct err *err);

/** NULL is fine. */
void coverage_free(struct coverage *c);

/** Read one more file. *@done: that was all. */
MUST_CHECK bool coverage_step(struct coverage *c, bool *done, struct err *err);

/** coverage_step() to the end, for callers without an event loop. */
MUST_CHECK bool coverage_run(struct coverage *c, struct err *err);

/**
 * After the end: the part is merged in its newest generation (or its merge cannot change
 * any more): all is settled.
 */
bool coverage_is_final(const struct coverage *c);

/**
 * After the end: how many of the @settled tasks of @window are errors. Of a final part, or a
 * resubmitted one, only the sum over its windows, asked in order, is right: it takes from
 * the part's count.
 */
uint32_t coverage_failed(struct coverage *c, uint32_t window, uint32_t settled);

/**
 * After the end: MEMBER_MASK_BYTES bytes for @window of this part; a set bit is
 * settled. All bits are set when the part is final. Lives as long as @c.
 */
const uint8_t *coverage_mask(const struct coverage *c, uint32_t window);

#endif
