#ifndef SIMULATOR_FILTER_H
#define SIMULATOR_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct sim_batch;

#define FILTER_IDS_MAX    200
#define FILTER_INPUTS_MAX 20

/* Which batches a listing shows. Texts are borrowed; NULL and zero mean: no matter. */
struct filter {
    const char *status;          /* words with commas between; case does not matter */
    bool status_groups;          /* "in_progress" and "cancelled" stand for what leads there too */
    const char *inputs;          /* ids of input files with commas between */
    const char *name;            /* part of the metadata's ds_name */
    const char *search;          /* part of the id, the metadata or the input's name; not case */
    int64_t after_ms, before_ms; /* created later, earlier than this (unix) */
    const char *ids[FILTER_IDS_MAX];
    size_t id_count;
    bool ascending; /* oldest first */
};

/** Whether @batch, whose input was called @input_name (NULL: not known), is one of them. */
bool filter_matches(const struct filter *f, const struct sim_batch *batch, const char *input_name);

/**
 * Read Azure's $filter: comparisons of created_at (gt, ge, lt, le, unix
 * seconds) and status (eq 'Word') with "and" between. @scratch (@size bytes)
 * keeps the status. False when it is something else.
 */
MUST_CHECK bool filter_read_azure(struct filter *f, const char *text, char *scratch, size_t size);

/** Read DashScope's "yyyyMMddHHmmss", taken for UTC, as unix milliseconds; false when it is none.
 */
MUST_CHECK bool filter_read_time(const char *text, int64_t *ms);

#endif
