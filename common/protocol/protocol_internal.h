#ifndef PROTOCOL_PROTOCOL_INTERNAL_H
#define PROTOCOL_PROTOCOL_INTERNAL_H

#include "common/protocol/protocol.h"
#include "common/protocol/protocol_reaper.h"
#include "common/protocol/protocol_scripts.h"
#include "common/protocol/protocol_words.h"
#include "common/redis/redis_reply.h"

/* What the files of this folder share: how one call is started and delivered. */

/** The caller's callback, of the type that the call's function takes. */
union protocol_callback {
    protocol_fn plain;
    protocol_open_fn open;
    protocol_put_fn put;
    protocol_lanes_fn lanes;
    protocol_claim_fn claim;
    protocol_advance_fn advance;
    protocol_members_fn members;
    protocol_payload_fn payload;
    protocol_chunk_fn chunk;
    protocol_reopen_fn reopen;
    protocol_site_fn site;
    protocol_rate_fn rate;
    protocol_count_fn count;
    protocol_view_fn view;
    protocol_list_fn list;
    protocol_reap_claim_fn reap_claim;
    protocol_reap_look_fn reap_look;
};

/** What came of one call; all of it borrowed. */
struct protocol_result {
    enum protocol_answer answer;
    const struct redis_reply *reply; /* NULL for PROTOCOL_FAILED; readers accept that */
    const struct err *err;           /* NULL unless PROTOCOL_FAILED */
    struct protocol *protocol;
    union protocol_callback done;
    void *arg;
};

/** Turns a reply into what the caller's callback takes, and calls it, last of all. */
typedef void (*protocol_deliver_fn)(const struct protocol_result *result);

/** deliver_plain() is the one for protocol_fn. */
void deliver_plain(const struct protocol_result *result);

/**
 * Run @script with @words, which are taken. @repeat_is_ok: DUP can only be the
 * caller's own repeat, and is delivered as OK.
 */
struct protocol_call *protocol_start(struct protocol *protocol, enum protocol_script script,
                                     struct words *words, bool repeat_is_ok,
                                     protocol_deliver_fn deliver, union protocol_callback done,
                                     void *arg);

/** Note the tick of a claim; tells about a rollback. */
void protocol_note_tick(struct protocol *protocol, int64_t tick);

/** Whose key this process has. Aborts when protocol_set_account() was not called. */
const char *protocol_account(const struct protocol *protocol);

/** What protocol_pace_polls() said; 0 for no limit. */
void protocol_poll_pace(const struct protocol *protocol, int64_t *interval_ms, uint32_t *burst);

/** "co" or "wk". */
const char *protocol_role_name(enum protocol_role role);

#endif
