#ifndef CLI_RESUBMIT_PLAN_H
#define CLI_RESUBMIT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/model/price_table.h"

/*
 * What a resubmission will take: batches, tokens and money, from what was counted. Pure.
 * Numbers that are not known are -1 and printed as "?".
 */

/** One lane, as counted. */
struct resubmit_plan_lane {
    const char *model;
    const char *label; /* for people */
    uint64_t requests, bytes, tokens;
};

/** What is known. */
struct resubmit_plan_facts {
    const char *job;
    uint32_t generation;                     /* that it would become */
    uint64_t failed, invalid, rows, windows; /* as resubmit_counts */
    const struct resubmit_plan_lane *lanes;  /* NULL: they are not known */
    size_t lane_count;
    const char *lanes_why;            /* why not */
    const char *provider;             /* name of the profile */
    const struct price_table *prices; /* NULL: the built-in ones */
    uint64_t max_requests;            /* of a batch file; 0: no limit */
    uint64_t max_bytes;               /* of a batch file; 0: no limit */
    uint64_t ok;                      /* rows with a result, and ... */
    uint64_t
        completion_tokens; /* ... the tokens of their answers: what an answer takes on average */
};

/** The sums. */
struct resubmit_plan {
    int64_t batches;       /* at least so many */
    int64_t bytes;         /* upper bound */
    int64_t input_tokens;  /* a rough guess */
    int64_t output_tokens; /* as the rows with a result had, on average */
    int64_t nano;          /* money; -1 when a model's price or the answers' length is not known */
    const char *currency;  /* NULL with @nano -1, and when there are no rows */
    bool listed;           /* a price in @nano is of the built-in list, ... */
    bool configured;       /* ... or of the configuration file */
};

void resubmit_plan_make(const struct resubmit_plan_facts *facts, struct resubmit_plan *out);

/** Lines for people. */
void resubmit_plan_print(const struct resubmit_plan_facts *facts, const struct resubmit_plan *plan,
                         struct buf *out);

/** One JSON object without a newline. */
void resubmit_plan_print_json(const struct resubmit_plan_facts *facts,
                              const struct resubmit_plan *plan, struct buf *out);

#endif
