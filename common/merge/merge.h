#ifndef MERGE_MERGE_H
#define MERGE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/batch.h"
#include "common/model/job_spec.h"

/*
 * The merge of one part: a pure function of the part's segments, its evidence
 * and its requests. Every request comes out exactly once, in input order, as a
 * success in out/ or as an error in dead/.
 *
 *     segments  ──sorted stream──┐
 *     evidence  ──times asked────┼─> per ordinal: the best line ─> out, dead
 *     requests  ──user's ids─────┘                                 then rep
 *
 * The set of files merged is fixed in the sink (in/) before the first result is
 * published, so that two merges at different times cannot disagree.
 */

struct merge;
struct sink;

enum merge_result {
    MERGE_MORE,   /* call again */
    MERGE_DONE,   /* everything is published, by us or by somebody else */
    MERGE_HOLES,  /* ordinals without evidence: nothing was published; merge_holes() */
    MERGE_FAILED, /* with @err */
};

/** Tasks of one window that nothing is known of. */
struct merge_hole {
    uint32_t window;
    uint32_t lines;                  /* requests in the window = bits of the mask */
    uint32_t left;                   /* clear bits */
    uint8_t mask[MEMBER_MASK_BYTES]; /* a clear bit is a hole */
};

/**
 * Prepare to merge @part, whose windows are [part * PART_WINDOWS, + @windows).
 * @cancelled: what has no evidence becomes an error "job_cancelled" instead of
 * a hole. Borrows @sink and @spec. Free with merge_free().
 */
struct merge *merge_new(struct sink *sink, const struct job_spec *spec, uint32_t part,
                        uint32_t windows, bool cancelled);

/** Drops what was not published. NULL is fine. */
void merge_free(struct merge *m);

/**
 * Go on for at most @max_records records (or one file's worth of preparation),
 * a few milliseconds for 1,000. ERR_INPUT: the input is not what it was when
 * the requests were sent. After anything but MERGE_MORE only merge_holes() and
 * merge_free() are left.
 */
MUST_CHECK enum merge_result merge_step(struct merge *m, uint32_t max_records, struct err *err);

/** The holes in order of window, after MERGE_HOLES. Lives as long as @m. */
const struct merge_hole *merge_holes(const struct merge *m, size_t *count);

/** merge_step() to the end, for callers without an event loop. */
MUST_CHECK enum merge_result merge_run(struct merge *m, struct err *err);

#endif
