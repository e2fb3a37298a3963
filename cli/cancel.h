#ifndef CLI_CANCEL_H
#define CLI_CANCEL_H

#include <stdbool.h>

#include "cli/operator.h"
#include "cli/verb.h"
#include "common/base/err.h"

/*
 * The steps of a cancel. The mark in the sink comes first: whoever builds the
 * job anew after its Redis was lost cancels it again.
 */

/**
 * Publish the mark of the newest generation, with who and when; fine when it is there.
 * *@generation is that one, for operator_cancel().
 */
MUST_CHECK bool cancel_mark(const struct operator_job *job, uint32_t *generation, struct err *err);

/** How the input of a cancelled job came to its end. */
enum cancel_cut {
    CANCEL_CUT_WHOLE,   /* all of it is registered: every request has its row */
    CANCEL_CUT_STOPPED, /* it ends where its producer stopped: what follows has no row */
    CANCEL_CUT_FAILED,  /* with @err */
};

/**
 * See to it that an OPEN job is sealed, since no job ends before. @input is
 * where its input can be read here; NULL: nowhere known. With it
 * sheaf-producer registers the rest; @err then has what the producer said on
 * standard error already, as ERR_NONE, and *@code how it ended. Else a producer
 * that still works is left to come to the end, and where none does (or @alone says that
 * none can) an inline job is sealed as it is; for a job that reads its input again
 * that is ERR_INPUT.
 */
MUST_CHECK enum cancel_cut cancel_finish_cut(const struct invocation *call, struct session *s,
                                             struct operator_job *job, const char *input,
                                             bool alone, int *code, struct err *err);

#endif
