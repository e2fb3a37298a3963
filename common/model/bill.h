#ifndef MODEL_BILL_H
#define MODEL_BILL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/model/usage.h"

/**
 * What a batch, or its share of one part, has cost. A line is billed once, by the first one of its
 * task that says what it took; the lines of a task that a server repeats are one answer. An
 * answer that does not say it is billed as it was estimated.
 */
struct bill {
    struct usage usage;  /* of the lines that say what they took, ... */
    uint64_t lines;      /* ... so many, ... */
    uint64_t est_input;  /* ... and their input tokens as they were estimated when they were cut */
    uint64_t guessed;    /* answers that do not say it */
    bool priced;         /* the price is known; else both amounts are 0 */
    int64_t nano;        /* of all these lines, in the currency of the batch's quote */
    int64_t likely_nano; /* what they were expected to cost when the batch was packed */
};

#endif
