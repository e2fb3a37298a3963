#ifndef PROTOCOL_PROTOCOL_REAPER_H
#define PROTOCOL_PROTOCOL_REAPER_H

#include "common/protocol/protocol.h"

/*
 * The calls of the reaper, which removes from a provider what no record knows. As
 * those of protocol.h: one function a script, repeated safely. Each account has its own
 * rounds: a key shows the files of its account only. They are those of protocol_set_account().
 */

/** Something at the provider that an earlier round saw. */
struct reap_note {
    char id[REMOTE_ID_MAX + 1];
    int64_t since_ms; /* Redis time when it was seen first */
};

/** A job of this Redis, by its incarnation. */
struct reap_job {
    char ji[JOB_JI_LEN + 1];
    bool ended;
};

/** A round is ours until the lease ends. */
struct reap_claimed {
    int64_t now_ms; /* Redis time */
    const struct reap_note *notes;
    size_t note_count;
    const struct reap_job *jobs; /* the newest 10,000 */
    size_t job_count;
};

/** @claimed for PROTOCOL_OK, else NULL; for BUSY and NONE ask again in @wait_ms. */
typedef void (*protocol_reap_claim_fn)(enum protocol_answer answer,
                                       const struct reap_claimed *claimed, int64_t wait_ms,
                                       const struct err *err, void *arg);

/**
 * Begin a round over the account if the last one ended @max_age_ms ago, or asked for
 * one by now. One process at a time: BUSY while another has the lease. @nonce
 * is random and of this process alone: with it a round may be begun anew. OK, BUSY
 * or NONE.
 */
struct protocol_call *protocol_reap_claim(struct protocol *protocol, const char *nonce,
                                          int64_t lease_ms, int64_t max_age_ms,
                                          protocol_reap_claim_fn done, void *arg);

/** What is known of a batch. */
struct reap_record {
    bool exists;
    enum batch_state state;
    char file[REMOTE_ID_MAX + 1]; /* "": none yet */
};

/** @records is NULL unless PROTOCOL_OK; one for each name, in their order. */
typedef void (*protocol_reap_look_fn)(enum protocol_answer answer,
                                      const struct reap_record *records, size_t count,
                                      const struct err *err, void *arg);

/** Look up @count batches and keep the lease. The names are copied. OK or FENCED. */
struct protocol_call *protocol_reap_look(struct protocol *protocol, const char *nonce,
                                         int64_t lease_ms, const char *const *bids, size_t count,
                                         protocol_reap_look_fn done, void *arg);

/**
 * The round is over, the next is due in @next_ms. @ids is all that is to be
 * remembered: what was not noted before is stamped, the rest forgotten. OK or FENCED.
 */
struct protocol_call *protocol_reap_done(struct protocol *protocol, const char *nonce,
                                         int64_t next_ms, const char *const *ids, size_t count,
                                         protocol_fn done, void *arg);

#endif
