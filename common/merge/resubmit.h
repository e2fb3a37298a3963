#ifndef MERGE_RESUBMIT_H
#define MERGE_RESUBMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"

struct sink;

/*
 * A resubmission, in three steps that may each be the last one of a process:
 *
 *     choose    failed rows of the merged parts, written to a nameless file
 *     publish   it becomes gen-<n> in the sink: the resubmission is decided
 *     tell      protocol_generation(): Redis merges the parts again, finds the rows
 *               without a result of this generation, and sends them
 *
 * Whoever comes later (the same command, a `run`, a producer) sees gen-<n> in the sink and
 * tells Redis again, which changes nothing the second time. One resubmission is under way at
 * a time: until all its parts are merged the number stays the same, so the same choice joins
 * it and another one is refused.
 */

/** How a job stands to resubmissions. */
struct resubmit_state {
    uint32_t newest; /* generation in the sink, 0: none */
    bool under_way;  /* it lists parts that are not merged yet */
    uint64_t rows;   /* that it sends again, 0 without one */
};

MUST_CHECK bool resubmit_look(struct sink *sink, struct resubmit_state *out, struct err *err);

/** What is sent again of one lane. */
struct resubmit_lane {
    char lane[33];
    char label[512]; /* JSON for people: {"endpoint":...,"model":...} */
    char model[256];
    uint64_t requests;
    uint64_t bytes;  /* upper bound, in batch files */
    uint64_t tokens; /* of the input, a rough guess from its bytes */
};

struct resubmit_counts {
    uint64_t failed;             /* rows in the error files */
    uint64_t invalid;            /* of these: lines that cannot be sent, never chosen */
    uint64_t rows, windows;      /* chosen */
    uint32_t parts;              /* with chosen rows */
    bool lanes_known;            /* false: the input cannot be read here */
    char lanes_why[256];         /* why not */
    struct resubmit_lane *lanes; /* in order of appearance */
    size_t lane_count;
    uint64_t ok;                /* rows with a result, and */
    uint64_t completion_tokens; /* ... what they have cost: what an answer takes, on average */
};

/**
 * Whether a failed row is wanted: @window as `--shard` counts, @status of HTTP (0 and below:
 * none) and the provider's or our own @code ("" for none). Lines that are not valid are
 * not asked for.
 */
typedef bool (*resubmit_wants_fn)(void *arg, uint32_t window, int64_t status, const char *code);

/** A choice that is not published yet. */
struct resubmit;

/**
 * Choose among the failed rows of the job of @spec, which has @windows windows in @parts parts,
 * all of them merged: ERR_TEMPORARY when one is not. @state as resubmit_look() gave it: with
 * a resubmission under way the choice is made as it was made then. The input is read
 * where it can be, to count lanes; where it cannot, that is no failure, but one that has changed
 * is ERR_INPUT: its rows cannot be sent again. Borrows @sink and @spec. NULL (with
 * @err) on failure. Free with resubmit_free(). Blocks.
 */
struct resubmit *resubmit_choose(struct sink *sink, const struct job_spec *spec, uint32_t parts,
                                 uint32_t windows, const struct resubmit_state *state,
                                 resubmit_wants_fn wants, void *arg, struct err *err);

/** Drops what is not published. NULL is fine. */
void resubmit_free(struct resubmit *r);

/** Lives as long as @r. */
const struct resubmit_counts *resubmit_counts(const struct resubmit *r);

enum resubmit_published {
    RESUBMIT_NEW,   /* the choice is generation *@number */
    RESUBMIT_SAME,  /* it was under way already: joined */
    RESUBMIT_OTHER, /* another one is under way: wait for its end */
};

/**
 * Publish the choice, which has rows. Whatever @out says, protocol_generation(*@number) comes next:
 * it completes what somebody else may have left half done.
 */
MUST_CHECK bool resubmit_publish(struct resubmit *r, enum resubmit_published *out, uint32_t *number,
                                 struct err *err);

#endif
