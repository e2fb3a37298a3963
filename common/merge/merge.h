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
 * success in out/ or as an error in dead/. After a resubmission the part is
 * merged again, into out.g<n>/ and so on; what it lists and no batch has answered since
 * is a hole, which is how the worker learns what to send.
 *
 *     segments  ──sorted stream──┐
 *     evidence  ──times asked────┼─> per ordinal: the best line ─> out, dead, bad
 *     requests  ──user's ids─────┤                                 then rep
 *     gen-<n>   ──what counts────┘
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
    uint32_t crc;                    /* crc32c of the window when it was sent first */
    uint8_t mask[MEMBER_MASK_BYTES]; /* a clear bit is a hole */
};

/** What is merged. */
struct merge_plan {
    uint32_t part;
    uint32_t windows;    /* that it has: [part * PART_WINDOWS, + windows) */
    bool cancelled;      /* what has no evidence becomes an error "job_cancelled", not a hole */
    uint32_t generation; /* that Redis knows of: the sink must have it, or nothing is merged */
};

/** Borrows @sink and @spec, copies @plan. Free with merge_free(). */
struct merge *merge_new(struct sink *sink, const struct job_spec *spec,
                        const struct merge_plan *plan);

/** Drops what was not published. NULL is fine. */
void merge_free(struct merge *m);

/**
 * Go on for at most @max_records records (or one file's worth of preparation),
 * a few milliseconds for 1,000. ERR_INPUT: the input is not what it was when
 * the requests were sent. ERR_UNAVAILABLE: the sink lacks a generation that Redis knows of. After
 * anything but MERGE_MORE only merge_holes() and merge_free() are left.
 */
MUST_CHECK enum merge_result merge_step(struct merge *m, uint32_t max_records, struct err *err);

/** The holes in order of window, after MERGE_HOLES. Lives as long as @m. */
const struct merge_hole *merge_holes(const struct merge *m, size_t *count);

/**
 * After MERGE_HOLES: the generation that the holes are the rows of, when nothing of it has come to
 * the sink yet; 0: results are missing that were there.
 */
uint32_t merge_resubmits(const struct merge *m);

/** merge_step() to the end, for callers without an event loop. */
MUST_CHECK enum merge_result merge_run(struct merge *m, struct err *err);

#endif
