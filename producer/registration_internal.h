#ifndef PRODUCER_REGISTRATION_INTERNAL_H
#define PRODUCER_REGISTRATION_INTERNAL_H

/* Shared by the files of the registration only. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/input/shard_plan.h"
#include "common/input/window.h"
#include "common/merge/spent.h"
#include "producer/registration.h"

struct coverage;
struct cut;
struct loop_timer;
struct sink;

/*
 *   start ─► bills ─► job_lanes ─► job_open ─► job.json ─► job_spent ─► window ─► shard_put ─┬─ OK:
 * next window ▲                  ├─ FULL: wait, the same again └──────────────────┴─ CURSOR, DUP:
 * go where it says behind the last ─► job_seal
 *
 * A job that the sink knows to be resubmitted is told so to Redis first, whatever
 * Redis knows: protocol_generation() changes nothing the second time.
 */
struct registration {
    struct event_base *base;
    struct protocol *protocol;
    struct registration_plan plan;
    registration_done_fn done;
    void *arg;
    struct job_spec spec; /* the one that counts */
    struct sink *sink;
    struct cut *cut;
    struct loop_timer *turn;
    struct protocol_call *step;
    bool known_to_sink;        /* the sink had the job before */
    struct spent_list spent;   /* its bills there, read before it is opened */
    uint32_t generation;       /* the newest in the sink, 0: none */
    uint32_t last_window;      /* that a resubmitted job ends before; 0: the input says */
    bool mending;              /* the sink has lost lines of an inline job: give them back */
    bool recovering;           /* Redis did not know a job that the sink knows */
    struct job_cursor cursor;  /* as the job was opened, and ... */
    enum job_state state;      /* ... in this state */
    struct coverage *coverage; /* of @covered_part */
    uint32_t covered_part;
    int64_t failing_since_ms; /* monotonic; 0: the last call was answered */

    struct window window; /* being registered; its bytes are the cutter's */
    struct shard_plan shards;
    struct buf payload;
    bool has_window;
    uint32_t windows;
};

/** Most bytes of a manifest of ids. */
#define REGISTRATION_IDS_MAX (256u << 20)

/** The registration has ended; @err NULL: well. */
void registration_end(struct registration *r, const struct err *err);

/** Forget the window that is being registered, if there is one. */
void registration_drop_window(struct registration *r);

/** After a call without an answer: true when a turn comes to try again; else it has ended. */
bool registration_retry(struct registration *r, const struct err *err);

/** Open the job, or find it, and go to where its cut is; then turns come. */
void registration_open(struct registration *r);

/** Put what the sink keeps of the inline window @r->window back there. */
MUST_CHECK bool registration_mend_window(struct registration *r, struct err *err);

#endif
