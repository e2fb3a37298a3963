#ifndef WORKER_CORE_TALLY_H
#define WORKER_CORE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/batch.h"
#include "common/model/bill.h"
#include "common/model/outcome.h"
#include "common/model/usage.h"

/** What the lines of one part took. */
struct tally_part {
    uint32_t part;
    struct usage usage; /* of the lines that say it, ... */
    uint64_t lines;     /* ... so many */
    uint64_t guessed;   /* successes that do not say it */
};

/**
 * Which tasks of one batch are settled. Members are sorted by window. A task
 * is a member only if its bit was clear when the file was built: any other
 * result line is alien, even one of the same job.
 *
 * Four bits a task: settled (answered, or refused for good), free (its failure is not charged),
 * seen (it got a line) and billed (what it took is counted). They travel as one blob: the counters,
 * then what each part took, then for each member its settled, free, seen and billed bytes. So
 * whoever takes over counts no line twice, in whatever pass it comes.
 */
struct tally {
    const struct member *members; /* borrowed, sorted by window */
    size_t count;
    struct tally_part *parts; /* that the members are of, in order */
    size_t part_count;
    size_t *at; /* offset of each member's bits in @blob */
    uint8_t *blob;
    size_t blob_len;
    uint64_t lines, alien, garbled, duplicate; /* of all result lines of this pass so far */
    uint64_t seen;                             /* tasks that got a line, in any pass */
    uint64_t unpaid;                           /* of these: failed for want of money */
    uint64_t ok, failed; /* newly settled by this process; the caller may reset them */
};

/**
 * Start with @blob (@len bytes; NULL for none), as an earlier worker left it;
 * a blob of another length is ignored, but the older one without anything about bills is
 * read: what was settled stays so. tally_release() frees.
 */
void tally_init(struct tally *t, const struct member *members, size_t count, const uint8_t *blob,
                size_t len);
void tally_release(struct tally *t);

/** The files are read from their beginning once more: the lines are counted anew. */
void tally_begin_pass(struct tally *t);

/** Order for qsort() of members: by window. */
int tally_compare_members(const void *a, const void *b);

/** The member that asked for @ordinal, or NULL when this batch did not. */
const struct member *tally_member(const struct tally *t, uint64_t ordinal);

/** Note one result line; false when it is alien, for tally_member() says NULL. */
bool tally_note(struct tally *t, uint64_t ordinal, enum outcome outcome);

/**
 * The task that line @line (from 1) of the batch's input file asked for; @members
 * in the order of the file, not sorted. False when the file has no such line.
 */
bool tally_file_line(const struct member *members, size_t count, int64_t line, uint64_t *ordinal);

/** Note a result line with a custom_id that is no wire id of the job. */
void tally_note_alien(struct tally *t);

/** Note a result line that could not be read. */
void tally_note_garbled(struct tally *t);

/** The line that was noted last failed for want of money. */
void tally_note_unpaid(struct tally *t);

/**
 * A line of @ordinal, which tally_note() took, says that it took @usage, or, with NULL, is a
 * success that says nothing. The first of a task counts.
 */
void tally_note_usage(struct tally *t, uint64_t ordinal, const struct usage *usage);

/**
 * What the lines of @parts[@index] have cost, at the quote of @batch. Estimates are their share of
 * what was estimated of their members.
 */
void tally_bill(const struct tally *t, size_t index, const struct batch *batch, struct bill *out);

/** Input tokens of some of a batch's lines: as estimated when they were cut, and as counted. */
struct tally_lesson {
    uint64_t estimated, counted;
};

/**
 * What the lines of the batch teach of estimates. Which lines of a member were billed is known,
 * what was estimated of each is not: @estimated is never more than that of the lines @counted is
 * of, so what is learned is never too little. A part where that would be far off teaches nothing.
 */
void tally_teach(const struct tally *t, struct tally_lesson *out);

/**
 * The most that @left lines of a member can have of @total, what all of its lines have, when none
 * has more than @most.
 */
uint64_t tally_at_most(uint64_t total, uint32_t left, uint64_t most);

/** Write the counters into the blob, so that it can be stored. */
void tally_seal(struct tally *t);

/** How a member leaves its batch. */
struct verdict {
    uint32_t left;      /* tasks to send again; 0: the shard is settled */
    uint32_t exhausted; /* tasks settled just now because no try is left */
    bool charged;       /* counts as a failure of the shard */
    bool untried;       /* it was no try: a queue was full, money is used up */
    uint8_t mask[MEMBER_MASK_BYTES];
};

/** How a batch has ended. */
struct tally_end {
    bool billed;    /* the provider worked on it: what got no line counts as a failure; else
                       everything unanswered is free */
    bool refused;   /* it refused all of it for good: everything is settled */
    bool had_a_try; /* the provider took it; false: a queue was full, a file was refused */
    uint32_t max_attempts;
};

/**
 * The batch has ended. At @max_attempts charged failures what failed is settled; what was
 * free goes on. But a shard that was tried max(20, 5 x @max_attempts) times is settled by a
 * batch that had its try and settled nothing at all. One with lines that failed for want of
 * money had none.
 */
void tally_verdict(const struct tally *t, size_t index, const struct tally_end *end,
                   struct verdict *out);

#endif
