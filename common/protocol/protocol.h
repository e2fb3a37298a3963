#ifndef PROTOCOL_PROTOCOL_H
#define PROTOCOL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/model/batch.h"
#include "common/model/job_view.h"
#include "common/model/ordinal.h"
#include "common/model/price.h"

/*
 * The exactly-once protocol: one typed function for each Lua script. What the
 * scripts do, and why it is safe that Redis may forget, is in
 * docs/protocol.md.
 *
 * All functions start a call and return; @done(@arg) runs exactly once, later,
 * on the loop, unless the call is cancelled or the protocol freed. It may start
 * and cancel calls and free the protocol. What it is given is borrowed: valid
 * inside the callback only. @done may be NULL where nobody wants to know.
 *
 * A script whose reply was lost is sent again until the time limit is over, so
 * a callback sees an answer, or, with @err non-NULL and PROTOCOL_FAILED, that
 * the outcome is unknown or Redis has no room (ERR_TEMPORARY), that Redis refuses
 * the script (ERR_PERMANENT), or that a record is broken (ERR_INTERNAL).
 * It is always safe to make the same call again.
 */

struct redis_conn;
struct protocol;
struct protocol_call;

/** Answers of the scripts. Each function says which it can give, beside FAILED. */
enum protocol_answer {
    PROTOCOL_OK,
    PROTOCOL_DUP,      /* was done before */
    PROTOCOL_GONE,     /* no such record, any more */
    PROTOCOL_FENCED,   /* somebody else holds the lease now: stop, touch nothing */
    PROTOCOL_STATE,    /* the record is in another state than the caller believes */
    PROTOCOL_CURSOR,   /* the job's cursor is elsewhere: go there */
    PROTOCOL_FULL,     /* too much in flight: wait */
    PROTOCOL_NOJOB,    /* no such job */
    PROTOCOL_CONFLICT, /* the name belongs to another input */
    PROTOCOL_NEW,      /* the job was opened for the first time */
    PROTOCOL_RESUME,   /* the job exists and is this one */
    PROTOCOL_NONE,     /* nothing to do */
    PROTOCOL_MORE,     /* call again */
    PROTOCOL_BUSY,     /* the job has not ended; the queue for a turn is too long */
    PROTOCOL_HELD,     /* the provider wants no such calls for long */
    PROTOCOL_ENDED,    /* the job has ended (or was cancelled) */
    PROTOCOL_CKPT,     /* the checkpoint is elsewhere */
    PROTOCOL_FAILED,   /* no answer: see @err */
};

/** "OK", "DUP", ... as the scripts spell it; "FAILED". */
const char *protocol_answer_name(enum protocol_answer answer);

/** Which due set a record waits in: whose turn it is. */
enum protocol_role { PROTOCOL_CO, PROTOCOL_WK };

/** The callback of a call that has no result but its answer. */
typedef void (*protocol_fn)(enum protocol_answer answer, const struct err *err, void *arg);

/** The tick went back from @seen to @now: Redis was rolled back. Must not free the protocol. */
typedef void (*protocol_rollback_fn)(int64_t seen, int64_t now, void *arg);

/**
 * Borrows @conn, which must outlive it. @cell names the keys: "0" unless a
 * deployment has several. Free with protocol_free().
 */
struct protocol *protocol_new(struct redis_conn *conn, const char *cell);

/** Drops calls under way without calling back; Redis may still run them. NULL is fine. */
void protocol_free(struct protocol *protocol);

/** How long a call tries for an answer, from its start; 30,000 ms unless set. */
void protocol_set_timeout_ms(struct protocol *protocol, int64_t timeout_ms);

/**
 * Whose key this process has: ACCOUNT_ID_LEN hex digits, copied. Set it once, before the
 * first pack, claim, lane, rate or reap call: these abort without. Batches are packed for
 * this account and never claimed by another. Producers and reading verbs do not need it.
 */
void protocol_set_account(struct protocol *protocol, const char *account);

/**
 * Claims hand out a running batch, which is to be polled, at most once in @interval_ms on
 * average over all processes of the account, @burst at once: see protocol_rate_take(),
 * whose PROTOCOL_RATE_POLLS it is. Other records are claimed all the same. 0: only
 * protocol_rate_hold() delays.
 */
void protocol_pace_polls(struct protocol *protocol, int64_t interval_ms, uint32_t burst);

/**
 * Call @fn when a claim shows that Redis was rolled back: it lost leases and
 * more that were acknowledged. Runs before that claim's callback.
 */
void protocol_on_rollback(struct protocol *protocol, protocol_rollback_fn fn, void *arg);

/** The largest tick seen; 0 before the first claim. */
int64_t protocol_tick(const struct protocol *protocol);

/** No callback from now on; Redis may run it all the same. NULL is fine. */
void protocol_call_cancel(struct protocol_call *call);

/* ---- producer */

/** What the tokens of one lane cost. */
struct lane_quote {
    char lane[LANE_ID_LEN + 1];
    bool priced; /* false: nobody knows */
    struct price_quote quote;
};

/** What an open overwrites each time. 0 means no limit of that kind where marked. */
struct job_tunables {
    uint64_t max_inflight_shards; /* above 0 */
    uint64_t max_inflight_bytes;  /* of inline payloads in Redis, above 0 */
    uint64_t max_requests;        /* in a batch file; 0: the provider's limit only */
    uint64_t max_bytes;           /* of a batch file; 0: the provider's limit only */
    uint64_t max_batches;         /* alive at once over all lanes; 0: the lanes' limits only */
    uint64_t poll_ms;             /* longest time between polls; unit of the backoff */
    uint32_t max_attempts;
    uint32_t
        generation; /* the newest one in the sink; a smaller one than the record's is ignored */
    /*
     * The currency that the job's money is counted in; "": it has no cap, and nothing is counted.
     * A quote in another one is as good as none.
     */
    char currency[MONEY_CURRENCY_SIZE];
    int64_t max_cost_nano;           /* the cap, in @currency, up to MONEY_MOST; negative: none */
    const struct lane_quote *quotes; /* of the lanes that protocol_job_lanes() told; borrowed */
    size_t quote_count;
};

/** Where the cut of a job is: the next window, its offset and first line in the source. */
struct job_cursor {
    uint32_t window;
    uint64_t offset;
    uint64_t line; /* counts from 1 */
};

/** What job_open found. */
struct job_opened {
    const char *ji; /* the incarnation that counts: not the given one when it is resumed */
    enum job_state state;
    struct job_cursor cursor;
    const char *spec;        /* as it was opened first */
    const char *fingerprint; /* CONFLICT: of the job that has the name; else "" */
    const char *currency;    /* STATE: the one that its money is counted in; else "" */
};

typedef void (*protocol_open_fn)(enum protocol_answer answer, const struct job_opened *opened,
                                 const struct err *err, void *arg);

/** A lane of a job; @label is JSON: {"endpoint":...,"model":...}, "" when it is not known. */
struct job_lane {
    char lane[LANE_ID_LEN + 1];
    const char *label;
};

/** @lanes is NULL unless PROTOCOL_OK. */
typedef void (*protocol_lanes_fn)(enum protocol_answer answer, const struct job_lane *lanes,
                                  size_t count, const struct err *err, void *arg);

/** The lanes that the job has so far, for their quotes. Writes nothing. OK or NOJOB. */
struct protocol_call *protocol_job_lanes(struct protocol *protocol, const char *job,
                                         protocol_lanes_fn done, void *arg);

/**
 * NEW, RESUME, CONFLICT, or STATE: it has spent money in another currency than the given one, or
 * batches that were made with a price in that one are alive.
 * @opened is NULL when there is no answer. All texts are copied.
 * RESUME lifts the holds of the job's lanes, and the job's own when its reason is "budget": when
 * the cap leaves nothing to do, `pack` holds it again. A lower cap counts for all that is
 * not packed yet; what is, stays reserved. Batches that were packed when a price was not known get
 * their quote and their reservation.
 */
struct protocol_call *protocol_job_open(struct protocol *protocol, const char *job, const char *ji,
                                        const char *fingerprint, const char *site,
                                        const char *spec_json, const struct job_tunables *tunables,
                                        protocol_open_fn done, void *arg);

/** The requests of a window that belong to one lane. Set bits: nothing to do there. */
struct shard_put {
    uint32_t index; /* the lane's number within the window */
    char lane[LANE_ID_LEN + 1];
    uint32_t left;       /* clear bits; 0: all of it is settled in the sink already */
    uint64_t bytes;      /* upper bound of its lines in a batch file */
    uint64_t tokens;     /* input tokens, estimated */
    uint64_t est_output; /* most output tokens of the lines that say how many they want */
    uint32_t open_ended; /* lines that do not say it */
    uint64_t line_tokens,
        line_output; /* of its largest lines: input, and output of those that say */
    bool priced;     /* @quote is the price of the lane's tokens; false: nobody knows it */
    struct price_quote quote;
    uint64_t longest;    /* bytes of its longest line there */
    const uint8_t *mask; /* mask_bytes(window's requests) bytes; set: not this lane's, not
                            valid, or settled */
    const char *label;   /* JSON of what the lane is, kept for people */
};

/** One window, with all its shards. */
struct window_put {
    const char *job;
    uint32_t window;
    uint64_t offset0, offset1; /* in the source */
    uint64_t next_line;        /* number of the line at offset1, from 1 */
    uint32_t requests;         /* bits of a mask */
    uint32_t invalid;          /* lines that can't be sent; their evidence is in the sink */
    uint32_t ok, bad;          /* settled by evidence found in the sink after Redis was lost */
    uint32_t crc;              /* crc32c of the bytes offset0..offset1 */
    const void *payload;       /* inline; NULL with @payload_len 0 when re-read from the source */
    size_t payload_len;
    const struct shard_put *shards;
    size_t shard_count;
};

/** @cursor is where the job is now; NULL for NOJOB and without an answer. */
typedef void (*protocol_put_fn)(enum protocol_answer answer, const struct job_cursor *cursor,
                                enum job_state state, const struct err *err, void *arg);

/**
 * Register a window and move the cursor behind it: OK, DUP (somebody did),
 * CURSOR (go to @cursor), FULL (wait; nothing was written), NOJOB. Everything
 * is copied. Several may be under way; after the first that is neither OK nor
 * DUP the ones behind it answer CURSOR.
 */
struct protocol_call *protocol_shard_put(struct protocol *protocol, const struct window_put *window,
                                         protocol_put_fn done, void *arg);

/** The whole input is cut into @windows windows. OK, DUP, CURSOR or NOJOB. */
struct protocol_call *protocol_job_seal(struct protocol *protocol, const char *job,
                                        uint32_t windows, protocol_fn done, void *arg);

/** What a batch, or its share of one part, has cost by the evidence in the sink. */
struct batch_cost {
    char bid[BATCH_ID_LEN + 1];
    int64_t nano; /* in the job's currency */
};

/**
 * What the sink's evidence says has been spent, where Redis may have forgotten: the job has spent
 * at least the sum of those batches that will not be settled any more. One that is alive
 * is left out, as its own `done` counts it. Never lowers what is known; a batch may be given in
 * several pieces. @costs is copied. OK or NOJOB.
 */
struct protocol_call *protocol_job_spent(struct protocol *protocol, const char *job,
                                         const struct batch_cost *costs, size_t count,
                                         protocol_fn done, void *arg);

/* ---- records and leases */

/** A record that is ours until the lease ends. */
struct claim {
    bool is_part;
    struct batch batch; /* when it is a batch; released after the callback: batch_move() keeps it */
    uint32_t part;      /* when it is a part */
    int64_t now_ms;     /* Redis time */
    struct job_view job; /* its job, without the site's state and the batches */
};

/**
 * @claim for PROTOCOL_OK, else NULL. For NONE @wait_ms says after how long
 * something may be due by itself; -1 when nothing is known to come.
 */
typedef void (*protocol_claim_fn)(enum protocol_answer answer, struct claim *claim, int64_t wait_ms,
                                  const struct err *err, void *arg);

/**
 * The provider's limits of a batch, of a lane of this account, and of the account. What was
 * learned of the lane counts beside them. One shard alone is always sent, however large,
 * when nothing else uses the lane or the storage. 0: no limit of that kind.
 */
struct pack_limits {
    int64_t linger_ms;      /* an open job's lane waits this long to fill a batch */
    uint64_t max_requests;  /* of one file */
    uint64_t max_bytes;     /* of one file */
    uint64_t lane_batches;  /* alive at once */
    uint64_t lane_tokens;   /* enqueued at once */
    uint64_t lane_requests; /* enqueued at once */
    uint64_t account_files; /* stored at once, counted from pack to drop */
    uint64_t account_bytes; /* stored at once; results count once their sizes are known */
    uint32_t batch_files;   /* what one batch may come to count of account_files: 1 where only
                               inputs count, 3 with its results. 0 is 3 */
};

/**
 * Seal a new batch @bid (random, BATCH_ID_LEN) of the ready shards of some job
 * and lane of @site for this account, leased to @nonce in state BUILD. What it needs
 * of the budgets is reserved in the same script; of a job with a cap also what it may cost, and no
 * shard goes in that could pass the cap. When none can, and nothing of the job is under way that
 * could leave some over, the job is held for its budget. OK, NONE, or DUP (the name is taken).
 */
struct protocol_call *protocol_pack(struct protocol *protocol, const char *site, const char *bid,
                                    const char *nonce, int64_t lease_ms,
                                    const struct pack_limits *limits, protocol_claim_fn done,
                                    void *arg);

/**
 * Take the most overdue record of @role: a batch of this account, or a part of a job of
 * @site. OK or NONE. A running batch is given only when it may be polled by
 * protocol_pace_polls(), and the turn is taken with it; else it stays due, and for NONE
 * the time to the next turn counts as time until something is due. @nonce must be
 * fresh and random (BATCH_ID_LEN). When the reply is lost a record may stay leased without a
 * holder until the lease ends.
 */
struct protocol_call *protocol_claim(struct protocol *protocol, const char *site,
                                     enum protocol_role role, const char *nonce, int64_t lease_ms,
                                     protocol_claim_fn done, void *arg);

/** Keep the lease of a batch for @lease_ms from now. OK, FENCED or GONE. */
struct protocol_call *protocol_renew(struct protocol *protocol, const char *bid, const char *nonce,
                                     enum protocol_role role, int64_t lease_ms, protocol_fn done,
                                     void *arg);

/** The same for a part. */
struct protocol_call *protocol_renew_part(struct protocol *protocol, const char *job, uint32_t part,
                                          const char *nonce, int64_t lease_ms, protocol_fn done,
                                          void *arg);

/*
 * Fields of a batch record that advance may write; those of struct batch in a
 * comment. Times are Redis' milliseconds.
 */
#define BATCH_F_FILE     "file"    /* file */
#define BATCH_F_FILE_MS  "fts"     /* file_ms */
#define BATCH_F_INTENT   "its"     /* intent_ms; give PROTOCOL_NOW */
#define BATCH_F_RUN_MS   "rts"     /* run_ms */
#define BATCH_F_ENDED_MS "ets"     /* ended_ms */
#define BATCH_F_ENDPOINT "ep"      /* endpoint */
#define BATCH_F_REMOTE   "rem"     /* remote */
#define BATCH_F_CREATED  "rcr"     /* remote_created_ms */
#define BATCH_F_OUTPUT   "out"     /* output */
#define BATCH_F_ERROR    "err"     /* error */
#define BATCH_F_OBYTES   "ob"      /* output_bytes */
#define BATCH_F_EBYTES   "eb"      /* error_bytes */
#define BATCH_F_CHECK    "co"      /* checkpoint; "" with another pass, else `chunk` moves it */
#define BATCH_F_PASS     "pass"    /* pass */
#define BATCH_F_FAILURE  "fail"    /* failure */
#define BATCH_F_FREE     "free"    /* free_rest: "1" or "" */
#define BATCH_F_LOOKS    "looks"   /* looks */
#define BATCH_F_ROUNDS   "rounds"  /* rounds */
#define BATCH_F_RSTATUS  "rstat"   /* batch_view.remote_status */
#define BATCH_F_RDONE    "rdone"   /* batch_view.remote_done */
#define BATCH_F_RFAILED  "rfail"   /* batch_view.remote_failed */
#define BATCH_F_REFUSED  "refused" /* refused: JSON, at most 1 MB */
#define BATCH_F_TRIES    "tries"   /* tries */
#define BATCH_F_TRIES_OF "triesof" /* tries_of; says nothing where tries is 0 */
#define BATCH_F_ASKED    "asked"   /* asked */
#define BATCH_F_ALARM    "alarm"   /* alarm_ms; give PROTOCOL_NOW */
#define BATCH_F_STOP     "stop"    /* stop_ms; give PROTOCOL_NOW */
/* status_ms: kept by advance itself, when rstat or rem changes. Not to be written. */
#define BATCH_F_STATUS_MS "rsts"
/*
 * "1": the provider refused its create for want of room in the lane; it keeps what it has
 * reserved and is due at the given time, or as soon as a batch of the lane ends or the lane's
 * hold is lifted. Any other advance, and a claim, takes it back.
 */
#define BATCH_F_WAITS "waits"

/** As a field's value: the server's time of the script. */
#define PROTOCOL_NOW "@now"

/** One field to set; an empty or NULL value deletes it. */
struct protocol_field {
    const char *name;
    const char *value;
};

/** @now_ms is Redis' time; what PROTOCOL_NOW became. 0 without PROTOCOL_OK. */
typedef void (*protocol_advance_fn)(enum protocol_answer answer, int64_t now_ms,
                                    const struct err *err, void *arg);

/**
 * The one fenced move of a batch: aborts unless batch_may_move(@from, @to).
 * The record is next due for @role in @due_in_ms; until then the lease is kept.
 * A move into FETCH gives the provider's slot back. OK, FENCED, STATE or GONE;
 * a repeat that finds its own move done is OK.
 */
struct protocol_call *protocol_advance(struct protocol *protocol, const char *bid,
                                       const char *nonce, enum batch_state from,
                                       enum batch_state to, enum protocol_role role,
                                       int64_t due_in_ms, const struct protocol_field *fields,
                                       size_t field_count, protocol_advance_fn done, void *arg);

/** @members is NULL unless PROTOCOL_OK; in the order of the batch. */
typedef void (*protocol_members_fn)(enum protocol_answer answer, const struct member *members,
                                    size_t count, const struct err *err, void *arg);

/** What a batch is made of, masks as its file was built with. OK, FENCED or GONE. */
struct protocol_call *protocol_members(struct protocol *protocol, const char *bid,
                                       const char *nonce, protocol_members_fn done, void *arg);

/** @bytes is NULL unless PROTOCOL_OK. */
typedef void (*protocol_payload_fn)(enum protocol_answer answer, const void *bytes, size_t len,
                                    const struct err *err, void *arg);

/** The inline payload of a window. OK or GONE. */
struct protocol_call *protocol_payload(struct protocol *protocol, const char *job, uint32_t window,
                                       protocol_payload_fn done, void *arg);

/* ---- worker */

/** A chunk whose segments are durable in the sink. */
struct chunk_put {
    const char *remote;        /* the remote batch the bytes are of; "" for none */
    uint64_t offset0, offset1; /* of (output || error) */
    const void *masks;         /* settled, free and seen bits of all members */
    size_t masks_len;
    uint64_t ok, bad; /* settled by this chunk */
};

/** @checkpoint is where the record is: for OK the chunk's end, for CKPT elsewhere; else 0. */
typedef void (*protocol_chunk_fn)(enum protocol_answer answer, uint64_t checkpoint,
                                  const struct err *err, void *arg);

/** Move the checkpoint and renew the lease. OK (also for a repeat), CKPT, STATE, FENCED, GONE. */
struct protocol_call *protocol_chunk(struct protocol *protocol, const char *bid, const char *nonce,
                                     const struct chunk_put *chunk, int64_t lease_ms,
                                     protocol_chunk_fn done, void *arg);

/** What a batch leaves of one member. */
struct member_done {
    uint32_t window, index;
    uint32_t left;       /* clear bits of @mask; 0: settled */
    bool charged;        /* the try counts as a failure */
    bool untried;        /* and not @charged: it was no try at all, `attempt` stays */
    const uint8_t *mask; /* mask_bytes(lines) bytes */
    size_t mask_len;
    uint64_t bytes;       /* upper bound of what is left */
    uint64_t tokens;      /* input tokens of what is left, estimated, ... */
    uint64_t most_tokens; /* ... and never less than that of the lines that are left */
    uint64_t est_output;  /* as shard_put has them, and never less than what is left asks for */
    uint32_t open_ended;
};

/** What a batch has cost, and what its lines teach of its lane. */
struct batch_bill {
    bool priced;            /* @nano is known */
    int64_t nano;           /* in the currency of the batch's quote */
    uint64_t lines, output; /* answered lines that said what they took: how many, their answers */
    uint64_t est_input;     /* input tokens of lines whose estimate is known, never too many, ... */
    uint64_t input;         /* ... and as the provider counted; both 0: nothing is learned */
};

/**
 * FETCH -> CLEAN: every member is settled or ready again, all of them or none.
 * The evidence of each is durable in the sink. What was reserved of the job's cap for the batch is
 * free again, and @bill is spent instead, once. The record is due for a worker
 * in @clean_in_ms. OK (also for a repeat), STATE, FENCED or GONE.
 */
struct protocol_call *protocol_done(struct protocol *protocol, const char *bid, const char *nonce,
                                    int64_t clean_in_ms, const struct member_done *members,
                                    size_t count, const struct batch_bill *bill, protocol_fn done,
                                    void *arg);

/** Forget a CLEAN batch. OK, STATE, FENCED or GONE. */
struct protocol_call *protocol_drop(struct protocol *protocol, const char *bid, const char *nonce,
                                    protocol_fn done, void *arg);

/** The part's files are published. OK (also when it was done before), FENCED or GONE. */
struct protocol_call *protocol_part_done(struct protocol *protocol, const char *job, uint32_t part,
                                         const char *nonce, protocol_fn done, void *arg);

/** A shard to do again: what members gives, and its lane. */
struct shard_reopen {
    struct member member; /* window, index, left, lines, offset, length, first_line, crc, bytes,
                             longest, tokens, est_output, open_ended, line_tokens, line_output and
                             mask count */
    char lane[LANE_ID_LEN + 1];
    const void *payload; /* of its window, inline jobs only; NULL with @payload_len 0 */
    size_t payload_len;
};

/** @reopened shards were taken. */
typedef void (*protocol_reopen_fn)(enum protocol_answer answer, uint64_t reopened,
                                   const struct err *err, void *arg);

/**
 * Make settled shards of one part ready again: what of them is set in no mask has no evidence in
 * the sink, which has lost it, or which holds a resubmission that wants it again. @nonce
 * holds the lease of the part, which is merged anew afterwards; a repeat answers FENCED. OK,
 * FENCED or GONE.
 */
struct protocol_call *protocol_reopen(struct protocol *protocol, const char *job, const char *nonce,
                                      const struct shard_reopen *shards, size_t count,
                                      protocol_reopen_fn done, void *arg);

/* ---- operator */

/**
 * Resubmission @generation of the job (the newest, from 1) is published in the sink. @parts are
 * those that any resubmission lists, each with the newest one that does: what was merged before
 * that is merged again, and the merge finds what to reopen. Takes back a cancel of an
 * earlier generation and turns FINAL to SEALED. OK, also when it was done before; STATE (the job's
 * generation is newer), ENDED (this generation was cancelled) or NOJOB.
 */
struct protocol_call *protocol_generation(struct protocol *protocol, const char *job,
                                          uint32_t generation, const struct part_generation *parts,
                                          size_t count, protocol_fn done, void *arg);

/** Submit nothing new of this job. OK, DUP (it is held, perhaps for another reason), ENDED, NOJOB.
 */
struct protocol_call *protocol_job_hold(struct protocol *protocol, const char *job,
                                        const char *reason, const char *why, protocol_fn done,
                                        void *arg);

/**
 * Lift a hold of that @reason, NULL for any. With NULL or "operator" the holds of the job's lanes
 * are lifted too. OK, DUP (there was nothing to lift, or another reason keeps it held) or NOJOB.
 */
struct protocol_call *protocol_job_resume(struct protocol *protocol, const char *job,
                                          const char *reason, protocol_fn done, void *arg);

/**
 * Say what keeps a job from moving, for people and for `run`, which gives up when
 * it lasts; any progress takes it back, and so does @kind NULL. @kind: one of the
 * TROUBLE_ words. OK or NOJOB.
 */
struct protocol_call *protocol_job_note(struct protocol *protocol, const char *job,
                                        const char *kind, const char *why, protocol_fn done,
                                        void *arg);

/**
 * The same of what an accepted batch failed for: that another create is accepted does not take it
 * back, but the first batch that runs (its holder says so, with @kind NULL) or has results.
 */
struct protocol_call *protocol_job_note_failed(struct protocol *protocol, const char *job,
                                               const char *kind, const char *why, protocol_fn done,
                                               void *arg);

/**
 * Cancel, after the sink has the job's mark: settles up to @max waiting shards. Call again
 * while it answers MORE. @generation is the one that the mark was made in (job_view.generation
 * then): a newer one outranks it. OK, MORE, ENDED, STATE (outranked: nothing was done) or NOJOB.
 */
struct protocol_call *protocol_job_cancel(struct protocol *protocol, const char *job,
                                          uint32_t generation, uint32_t max, protocol_fn done,
                                          void *arg);

/**
 * Batches of which nothing is at the provider, and nothing was charged, go apart, up to @max a
 * call, and their shards are ready again as they were: those that could not be uploaded, such as
 * with a wrong key, those that nobody has taken up for a minute, and with @account (NULL: none) all
 * those of another account. A live holder finds its batch GONE. OK, MORE or NOJOB.
 */
struct protocol_call *protocol_job_unpack(struct protocol *protocol, const char *job,
                                          const char *account, uint32_t max, protocol_fn done,
                                          void *arg);

/** Forget a job that has ended. OK, BUSY or NOJOB. */
struct protocol_call *protocol_job_purge(struct protocol *protocol, const char *job,
                                         protocol_fn done, void *arg);

/**
 * What a refusal teaches of a lane of this account. The three shares are of what was in use at
 * the provider without the batch that was refused: 100 says that just this fits. Where nothing
 * else was in use, the cap becomes half of the refused batch. A lesson never raises a
 * cap; success does, slowly: each batch that brings results adds 5 % of its own tokens and
 * requests, twenty add one batch, ten that fill a file's cap add 5 % to it.
 */
struct lane_lesson {
    const char *bid;        /* the batch that was refused; NULL: none, or a single call */
    int64_t hold_ms;        /* nothing is packed for so long, unless a batch with results ends
                               before; 0: leave the hold */
    bool firm;              /* no batch that ends lifts it: what is missing is not room */
    const char *why;        /* words for a person; NULL is "" */
    unsigned tokens_pct;    /* of the tokens in use; 0: leave that cap */
    unsigned requests_pct;  /* of the requests in use; 0: leave that cap */
    unsigned batches_pct;   /* of the batches in use; 0: leave that cap */
    uint64_t file_requests; /* what one file may hold; 0: leave that cap */
    uint64_t file_bytes;    /* what one file may hold; 0: leave that cap */
};

/** As lane_lesson.hold_ms: until a person resumes the job, or its command is run again. */
#define LANE_HOLD_RESUME (INT64_C(100) * 365 * 24 * 3600 * 1000)

/**
 * Learn from a refusal, and hold the lane. Best before the advance that puts the batch off or
 * ends it: then the end of this batch does not lift the hold, which it else does until the
 * lesson comes. OK.
 */
struct protocol_call *protocol_lane_learn(struct protocol *protocol, const char *lane,
                                          const struct lane_lesson *lesson, protocol_fn done,
                                          void *arg);

/* ---- rates */

/** Calls whose number in time a provider limits. Each account has its own. */
enum protocol_rate { PROTOCOL_RATE_UPLOADS, PROTOCOL_RATE_CREATES, PROTOCOL_RATE_POLLS };

/** "uploads", "creates", "polls". */
const char *protocol_rate_name(enum protocol_rate rate);

/**
 * The interval with which no @window_ms sees more than @limit calls when @burst of them may
 * come at once. @burst is above 0 and not above @limit.
 */
int64_t protocol_rate_interval_ms(uint64_t limit, int64_t window_ms, uint32_t burst);

/** Wait @wait_ms, then call (OK) or ask again (BUSY, HELD). 0 when there is no answer. */
typedef void (*protocol_rate_fn)(enum protocol_answer answer, int64_t wait_ms,
                                 const struct err *err, void *arg);

/**
 * Take a turn: one in @interval_ms on average (0: no limit but a hold), @burst (1 at least) at once
 * when nobody has called for long. OK: the turn is ours @wait_ms from now; it does no harm to let
 * it pass, but one that is late by more than a few intervals should be taken anew. BUSY when that
 * would be in more than 15 minutes, HELD when that is for a hold: nothing was taken, come again in
 * @wait_ms. By Redis' clock, over all processes of the account.
 */
struct protocol_call *protocol_rate_take(struct protocol *protocol, enum protocol_rate rate,
                                         int64_t interval_ms, uint32_t burst, protocol_rate_fn done,
                                         void *arg);

/**
 * The provider said so: no turn of anybody that is taken from now on comes before @for_ms
 * from now, and then without a burst. Never shortens an earlier hold. OK.
 */
struct protocol_call *protocol_rate_hold(struct protocol *protocol, enum protocol_rate rate,
                                         int64_t for_ms, protocol_fn done, void *arg);

/* ---- accounts */

/** @count jobs were found so. */
typedef void (*protocol_count_fn)(enum protocol_answer answer, uint64_t count,
                                  const struct err *err, void *arg);

/**
 * Look for batches of other accounts of @site that have been due for @overdue_ms: nobody has
 * their key. Each job of these gets TROUBLE_ACCOUNT, which names the account. At most 100
 * accounts are looked at. OK.
 */
struct protocol_call *protocol_account_note(struct protocol *protocol, const char *site,
                                            int64_t overdue_ms, protocol_count_fn done, void *arg);

/* ---- sites */

/** @since_ms: Redis time of the first failure in a row; 0 after SITE_OK. */
typedef void (*protocol_site_fn)(enum protocol_answer answer, int64_t since_ms,
                                 const struct err *err, void *arg);

/** What was just seen of a provider. A repeated SITE_OK writes nothing. OK. */
struct protocol_call *protocol_site_note(struct protocol *protocol, const char *site,
                                         enum site_state state, const char *why,
                                         protocol_site_fn done, void *arg);

/** @view is NULL unless PROTOCOL_OK. */
typedef void (*protocol_view_fn)(enum protocol_answer answer, const struct job_view *view,
                                 const struct err *err, void *arg);

/**
 * What a person wants to know of a job, its lanes and their accounts. Writes nothing. OK or NOJOB.
 */
struct protocol_call *protocol_job_view(struct protocol *protocol, const char *job,
                                        protocol_view_fn done, void *arg);

/** @rows is NULL unless PROTOCOL_OK; oldest first. @now_ms is Redis' time. */
typedef void (*protocol_list_fn)(enum protocol_answer answer, const struct job_row *rows,
                                 size_t count, int64_t now_ms, const struct err *err, void *arg);

/** All jobs, at most 10,000. Writes nothing. OK. */
struct protocol_call *protocol_job_list(struct protocol *protocol, protocol_list_fn done,
                                        void *arg);

#endif
