#ifndef CLI_RESUBMIT_FILTER_H
#define CLI_RESUBMIT_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/*
 * Which failed rows are sent again: `--code` and `--shard`. Without any, all of them. Of several
 * codes one has to fit, of several ranges one has to hold the window; both, where both are given.
 */

/** Plain data; zeroed is empty: everything fits. resubmit_filter_release() frees. */
struct resubmit_filter {
    char **codes;
    size_t code_count;
    struct {
        uint32_t from, to; /* windows, both included */
    } * ranges;
    size_t range_count;
};

void resubmit_filter_release(struct resubmit_filter *f);

/**
 * Add the codes of @list, separated by commas: a cause as `sheaf failures` prints it ("400
 * content_filter"), or its code alone, or its HTTP status alone. ERR_USAGE for an empty one, and
 * for invalid_request_line: such lines cannot be sent.
 */
MUST_CHECK bool resubmit_filter_add_codes(struct resubmit_filter *f, const char *list,
                                          struct err *err);

/** Add windows: "3", "3-7", "3,5,8-9". ERR_USAGE when that is not what @list is. */
MUST_CHECK bool resubmit_filter_add_shards(struct resubmit_filter *f, const char *list,
                                           struct err *err);

/**
 * Whether a failed row fits: @arg is a struct resubmit_filter, the rest as a resubmit_wants_fn of
 * common/merge/resubmit.h.
 */
bool resubmit_filter_fits(void *arg, uint32_t window, int64_t status, const char *code);

#endif
