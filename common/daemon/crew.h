#ifndef DAEMON_CREW_H
#define DAEMON_CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/model/batch.h"
#include "common/protocol/protocol.h"

struct daemon;

/**
 * Claims what is due for one role, keeps the leases of what is being worked
 * on, and stops work whose lease was lost. Leases decide who works, never who
 * is right: every later step shows the claim's nonce to Redis.
 */
struct crew;

/** One claimed record being worked on: a member of the user's own struct. */
struct work {
    TAILQ_ENTRY(work) entry;
    struct crew *crew;
    bool is_part;
    uint32_t part;
    char job[JOB_NAME_MAX + 1];
    char bid[BATCH_ID_LEN + 1];   /* when it is a batch */
    char nonce[BATCH_ID_LEN + 1]; /* of the claim */
    int64_t claimed_ms;           /* Redis time of the claim ... */
    int64_t claimed_mono_ms;      /* ... and the monotonic clock then */
    bool renewing;                /* a renewal is under way */
    bool leaving;                 /* work_leave() */
    bool lost;                    /* lost() has run */
};

struct crew_hooks {
    enum protocol_role role;
    unsigned limit; /* records worked on at once */
    /* A record is ours: take what is needed of @claim, then crew_begin(). */
    void (*claimed)(struct claim *claim, const char *nonce, void *arg);
    /* Nothing is due: try something else, then crew_rest(). NULL: rest at once. */
    void (*idle)(void *arg);
    /*
     * The record is somebody else's now: drop everything, touch nothing at the
     * provider, and call crew_end() before or after returning.
     */
    void (*lost)(struct work *work, void *arg);
    void *arg;
};

/** Borrows @daemon. Starts to claim. Free with crew_free(). */
struct crew *crew_new(struct daemon *daemon, const struct crew_hooks *hooks);

/** Runs lost() of all work under way, which must end it at once. NULL is fine. */
void crew_free(struct crew *crew);

/**
 * The process is to end: claim nothing more, drop what is under way (lost() of
 * each runs) and give its leases back, so that nobody has to wait for them.
 * Redis has been told when the loop has turned a little longer.
 */
void crew_stop(struct crew *crew);

/** The record of @claim, held under @nonce, is being worked on. */
void crew_begin(struct crew *crew, struct work *work, const struct claim *claim, const char *nonce);

/**
 * The caller sends the last move of @work now: no renewal may follow it. It would
 * still fit, as the nonce does, and put off by a whole lease what the move has
 * made due. crew_end() when the move is answered.
 */
void work_leave(struct work *work);

/** The work is over, or was given away; the crew claims again. @work is the caller's. */
void crew_end(struct work *work);

/** After idle(): claim again in @wait_ms (-1: unknown), at most a quarter of a second from now. */
void crew_rest(struct crew *crew, int64_t wait_ms);

/** Whose crew it is, and which role it claims for. */
struct daemon *crew_daemon(const struct crew *crew);
enum protocol_role crew_role(const struct crew *crew);

/** Redis' time now, as far as can be told from the claim. */
int64_t work_redis_now_ms(const struct work *work);

#endif
