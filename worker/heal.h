#ifndef WORKER_HEAL_H
#define WORKER_HEAL_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/merge/merge.h"
#include "common/model/job_spec.h"
#include "common/protocol/protocol.h"

struct event_base;
struct heal;

/** The shards that the holes are in; or NULL and why they cannot be found. Borrowed. */
typedef void (*heal_done_fn)(const struct shard_reopen *shards, size_t count, const struct err *err,
                             void *arg);

/**
 * Some tasks of a part have no evidence: the sink has lost what it held. Find
 * their shards by cutting the input again, a window each turn of the loop.
 * Borrows @base and @spec, copies @holes. @done runs once, later. Never NULL.
 */
struct heal *heal_new(struct event_base *base, const struct job_spec *spec,
                      const struct merge_hole *holes, size_t count, heal_done_fn done, void *arg);

/** NULL is fine; safe inside @done. */
void heal_free(struct heal *heal);

#endif
