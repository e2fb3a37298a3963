#ifndef CLI_CORE_SAMPLE_H
#define CLI_CORE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "cli/core/progress.h"
#include "common/model/job_view.h"

/** Room for a job's state in words. */
#define SAMPLE_STATE_MAX 64

/** What a job is doing, for people: "cutting", "running", "held: budget", ... Returns @out. */
const char *sample_state(const struct job_view *view, char out[SAMPLE_STATE_MAX]);

/** The words behind that state, of the provider or whoever caused it; "" for none. Borrowed. */
const char *sample_why(const struct job_view *view);

/** Rows that failed so far, the ones that could not be sent included. */
uint64_t sample_failed(const struct job_view *view);

/** Rows that are settled. */
uint64_t sample_integrated(const struct job_view *view);

/** What the progress display shows of @view at @at_ms (monotonic); @state is borrowed. */
void sample_from_view(const struct job_view *view, int64_t at_ms, const char *state,
                      struct progress_sample *sample);

#endif
