#ifndef SIMULATOR_EXECUTE_H
#define SIMULATOR_EXECUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "simulator/answer.h"
#include "simulator/faults.h"
#include "simulator/outlet.h"
#include "simulator/spoil.h"
#include "simulator/validate.h"

struct err;
struct sim;
struct sim_batch;

/* One batch to execute. */
struct execution {
    struct sim *sim;
    const struct sim_batch *batch; /* only its cancel_asked is looked at, under the lock */
    int input_fd;                  /* read from where it stands; borrowed */
    struct answer_style style;     /* borrowed texts */
    struct validate_rules rules;   /* by which bad lines are left out where they are */
    struct faults faults;
    uint64_t limit;   /* rows from the start that are executed */
    bool cancelled;   /* what becomes of the others: batch_cancelled, else batch_expired */
    bool only_errors; /* every row fails */
    bool lost;        /* every row is executed, and no line of it is written */
    bool empty_files, empty_error_file; /* are kept even without a byte */
    struct layout output_layout, error_layout;
    bool preview; /* only to look: nothing of it counts */
    /* what came out of it */
    struct outlet output, errors, ledger;
    uint64_t rows_ok, rows_bad;
    uint64_t output_lines, error_lines;
    bool any_expired;
    struct answer_usage usage;
};

/**
 * Write the output file, the error file and the ledger events of a batch and
 * count them in the simulator's ledger, unless it is a preview, which any thread
 * may make. Holds the lock only between blocks.
 * False when the simulator stops or a file can't be read or written.
 */
MUST_CHECK bool execute(struct execution *e, struct err *err);

/** Remove the files that were not moved elsewhere. */
void execution_release(struct execution *e);

#endif
