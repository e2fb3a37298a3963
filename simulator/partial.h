#ifndef SIMULATOR_PARTIAL_H
#define SIMULATOR_PARTIAL_H

#include <stdbool.h>

#include "common/base/attr.h"

struct request;
struct sim_file;

/* A result file of a batch that still runs, seen before its time. */
struct partial {
    char *batch_id; /* owned; NULL: the file is whole */
    bool errors;    /* it is the error file */
};

/** Whether @file belongs to a batch that still runs, and to which. Needs the lock. */
void partial_find(struct partial *p, const struct request *rq, const struct sim_file *file);

/**
 * Turn the opened content of rq->reply into lines as Doubleword gives them: of
 * a running batch those that are there by now, from "skip" on, at most "limit"
 * of them; with the headers X-Incomplete and X-Last-Line, without ranges.
 * Releases @p. False, with the request answered, when that can't be done.
 */
MUST_CHECK bool partial_give(struct request *rq, struct partial *p);

#endif
