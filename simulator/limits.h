#ifndef SIMULATOR_LIMITS_H
#define SIMULATOR_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/window.h"

struct options;
struct request;
struct sim;
struct sim_batch;
struct verdict;

/* What is counted in spans of time. */
enum rate_id { RATE_UPLOADS, RATE_CREATES, RATE_POLLS, RATE_COUNT };

/* How often something was asked for. Guarded by the simulator's lock. */
struct rate {
    uint64_t limit;      /* of @taken; 0: none */
    struct window asked; /* every request */
    struct window taken; /* those that were let through */
    uint64_t refused;    /* for being too many */
};

/** The limits that @opt declares. Zeroed @rates; free with limits_release(). */
void limits_init(struct rate rates[RATE_COUNT], const struct options *opt);
void limits_release(struct rate rates[RATE_COUNT]);

/**
 * Count the request @rq and let it pass. False, with it answered by 429, when
 * its route had as many as it may have. Takes the lock.
 */
MUST_CHECK bool limits_pass(struct request *rq);

/** The x-ratelimit headers of the reply to @rq, where they are asked for. Takes the lock. */
void limits_put_headers(struct request *rq);

/**
 * Whether one more file of @bytes can be stored. False, with @rq answered, when
 * not. Needs the lock.
 */
MUST_CHECK bool limits_store(struct request *rq, uint64_t bytes);

/** Whether a batch more may live. False, with @rq answered, when not. Needs the lock. */
MUST_CHECK bool limits_live(struct request *rq);

/**
 * Whether the queue of the model has room for an input that was found to be
 * @v. False with the error's message in @message. Needs the lock.
 */
MUST_CHECK bool limits_queue(const struct sim *sim, const struct verdict *v, struct buf *message);

/** The totals as JSON members, a comma before each. Needs the lock. */
void limits_write(const struct rate rates[RATE_COUNT], struct buf *out);

#endif
