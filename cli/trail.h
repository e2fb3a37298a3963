#ifndef CLI_TRAIL_H
#define CLI_TRAIL_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"

/*
 * Every verb that changes a job leaves a note of it in the job's sink, before it
 * changes anything: see common/sink/sink_trail.h. Without the sink at hand nothing
 * is changed.
 */

/** Most bytes of what a verb notes. */
#define TRAIL_WHAT_MAX 16384

/**
 * Note that @verb is about to be done to the job of @spec. @what: members of a
 * JSON object as trail_put_*() made them; NULL or empty for none. ERR_UNAVAILABLE
 * when the sink is not at hand.
 */
MUST_CHECK bool trail_note(const struct job_spec *spec, const char *verb, const struct buf *what,
                           struct err *err);

/** The same beside the jobs' folders, for `purge`. */
MUST_CHECK bool trail_note_beside(const struct job_spec *spec, const char *verb,
                                  const struct buf *what, struct err *err);

/* Add one member. @name needs no escapes. Past the limit it is left out. */

/** NULL and "" are null. */
void trail_put_text(struct buf *what, const char *name, const char *text);
void trail_put_count(struct buf *what, const char *name, uint64_t n);

#endif
