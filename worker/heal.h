#ifndef WORKER_HEAL_H
#define WORKER_HEAL_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/merge/merge.h"
#include "common/model/job_spec.h"
#include "common/protocol/protocol.h"

struct event_base;
struct heal;
struct sink;

/** The shards that the holes are in; or NULL and why they cannot be found. Borrowed. */
typedef void (*heal_done_fn)(const struct shard_reopen *shards, size_t count, const struct err *err,
                             void *arg);

/**
 * Some tasks of @part have no evidence: they were resubmitted, or the sink has lost what it held.
 * Find their shards by cutting the input again, or from the lines that the sink kept of an
 * inline job, a window each turn of the loop. Of an inline job at most 64 MB of lines are
 * given; the holes that are left are found again when these are settled. Borrows @base, @sink and
 * @spec, copies @holes. @done runs once, later. Never NULL.
 */
struct heal *heal_new(struct event_base *base, struct sink *sink, const struct job_spec *spec,
                      uint32_t part, const struct merge_hole *holes, size_t count,
                      heal_done_fn done, void *arg);

/** NULL is fine; safe inside @done. */
void heal_free(struct heal *heal);

#endif
