#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/core/failures.h"
#include "cli/core/resubmit_filter.h"
#include "cli/core/resubmit_plan.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/config/options.h"

struct sink;

/**
 * Which failed rows `sheaf resubmit` sends again, and why they have failed. Zeroed is
 * empty; selection_release() frees.
 */
struct selection {
    struct resubmit_filter filter;
    struct failures all;  /* causes of every failed row that could be sent again */
    struct failures fits; /* of those that are chosen */
};

void selection_release(struct selection *s);

/** Take --code and --shard. ERR_USAGE. */
MUST_CHECK bool selection_parse(struct selection *s, const struct options *o, struct err *err);

/** A resubmit_wants_fn (common/merge/resubmit.h); @arg is the selection, which counts. */
bool selection_wants(void *arg, uint32_t window, int64_t status, const char *code);

/**
 * Once all rows were shown: ERR_USAGE for a --code that no row of the job failed with, now
 * or before one of its @generations resubmissions, also when no row fails; with "did you mean". A
 * code that has been sent again with success is fine: the same command may be repeated.
 */
MUST_CHECK bool selection_check(struct selection *s, struct sink *sink, uint32_t generations,
                                struct err *err);

/**
 * The causes of what is chosen, for people: one line each, with its share by rows of what @plan
 * says of tokens and money.
 */
void selection_print(struct selection *s, const struct resubmit_plan *plan, struct buf *out);

/** The same as a JSON array. */
void selection_print_json(struct selection *s, const struct resubmit_plan *plan, struct buf *out);

#endif
