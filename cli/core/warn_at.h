#ifndef CLI_WARN_AT_H
#define CLI_WARN_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/** Shares that --warn-at takes, at most. */
#define WARN_AT_MAX 16

/** At which shares of its cap a job's spending is told, each once. Plain data; zeroed: at none. */
struct warn_at {
    unsigned percent[WARN_AT_MAX]; /* rising */
    size_t count;
    size_t told; /* of them, so many */
};

/** Read "50%,80%" (the sign may be missing, order does not matter). ERR_USAGE names what is wrong.
 */
MUST_CHECK bool warn_at_parse(const char *text, struct warn_at *out, struct err *err);

/**
 * The highest share that @spent of @cap (nano-units) has reached and that was not told yet; all up
 * to it are told then. 0: nothing is to be said.
 */
unsigned warn_at_due(struct warn_at *w, int64_t spent, int64_t cap);

#endif
