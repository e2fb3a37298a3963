/* The calls around records and leases: pack, claim, renew, advance, and reading a batch's members.
 */

#include "common/protocol/protocol_internal.h"
#include "common/protocol/protocol_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

#define FILES_OF_A_BATCH 3 /* input, output, errors */

/* "job:part" into @part; the job's name is in the record too. */
static uint32_t part_number(const char *id)
{
    const char *colon = strrchr(id, ':');

    return colon != NULL ? (uint32_t)strtoul(colon + 1, NULL, 10) : 0;
}

/* {OK, kind, id, now, record, job}: what claim and pack answer. */
static void parse_claim(const struct redis_reply *reply, struct claim *claim)
{
    const char *id = redis_reply_str(reply, 2);

    claim->is_part = strcmp(redis_reply_str(reply, 1), "p") == 0;
    claim->now_ms = redis_reply_int(reply, 3, 0);
    if (claim->is_part)
        claim->part = part_number(id);
    else
        reply_batch(redis_reply_at(reply, 4), id, &claim->batch);
    reply_job(redis_reply_at(reply, 5), claim->now_ms, &claim->job);
}

static void deliver_leased(const struct protocol_result *r)
{
    struct claim claim = {0};

    if (r->answer != PROTOCOL_OK) {
        r->done.claim(r->answer, NULL, redis_reply_int(r->reply, 1, -1), r->err, r->arg);
        return;
    }
    parse_claim(r->reply, &claim);
    r->done.claim(r->answer, &claim, -1, NULL, r->arg);
    batch_release(&claim.batch);
}

static void deliver_claim(const struct protocol_result *r)
{
    int64_t tick = redis_reply_int(r->reply, r->answer == PROTOCOL_OK ? 6 : 2, -1);

    if (tick >= 0)
        protocol_note_tick(r->protocol, tick);
    deliver_leased(r);
}

struct protocol_call *protocol_pack(struct protocol *p, const char *site, const char *bid,
                                    const char *nonce, int64_t lease_ms,
                                    const struct pack_limits *limits, protocol_claim_fn done,
                                    void *arg)
{
    struct words w = {0};

    words_text(&w, site);
    words_text(&w, protocol_account(p));
    words_text(&w, bid);
    words_text(&w, nonce);
    words_number(&w, lease_ms);
    words_number(&w, limits->linger_ms);
    words_unsigned(&w, limits->max_requests);
    words_unsigned(&w, limits->max_bytes);
    words_unsigned(&w, limits->lane_batches);
    words_unsigned(&w, limits->lane_tokens);
    words_unsigned(&w, limits->lane_requests);
    words_unsigned(&w, limits->account_files);
    words_unsigned(&w, limits->account_bytes);
    words_unsigned(&w, limits->batch_files != 0 ? limits->batch_files : FILES_OF_A_BATCH);
    return protocol_start(p, SCRIPT_PACK, &w, false, deliver_leased,
                          (union protocol_callback){.claim = done}, arg);
}

struct protocol_call *protocol_claim(struct protocol *p, const char *site, enum protocol_role role,
                                     const char *nonce, int64_t lease_ms, protocol_claim_fn done,
                                     void *arg)
{
    struct words w = {0};
    int64_t interval_ms = 0;
    uint32_t burst = 0;

    protocol_poll_pace(p, &interval_ms, &burst);
    words_text(&w, site);
    words_text(&w, protocol_account(p));
    words_text(&w, protocol_role_name(role));
    words_text(&w, nonce);
    words_number(&w, lease_ms);
    words_number(&w, interval_ms);
    words_unsigned(&w, burst);
    return protocol_start(p, SCRIPT_CLAIM, &w, false, deliver_claim,
                          (union protocol_callback){.claim = done}, arg);
}

static struct protocol_call *renew(struct protocol *p, const char *kind, const char *id,
                                   const char *nonce, enum protocol_role role, int64_t lease_ms,
                                   protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, kind);
    words_text(&w, id);
    words_text(&w, nonce);
    words_text(&w, protocol_role_name(role));
    words_number(&w, lease_ms);
    return protocol_start(p, SCRIPT_RENEW, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_renew(struct protocol *p, const char *bid, const char *nonce,
                                     enum protocol_role role, int64_t lease_ms, protocol_fn done,
                                     void *arg)
{
    return renew(p, "b", bid, nonce, role, lease_ms, done, arg);
}

struct protocol_call *protocol_renew_part(struct protocol *p, const char *job, uint32_t part,
                                          const char *nonce, int64_t lease_ms, protocol_fn done,
                                          void *arg)
{
    char id[JOB_NAME_MAX + 16];

    (void)snprintf(id, sizeof(id), "%.*s:%" PRIu32, JOB_NAME_MAX, job, part);
    return renew(p, "p", id, nonce, PROTOCOL_WK, lease_ms, done, arg);
}

static void deliver_advance(const struct protocol_result *r)
{
    int64_t now_ms = r->answer == PROTOCOL_OK ? redis_reply_int(r->reply, 2, 0) : 0;

    r->done.advance(r->answer, now_ms, r->err, r->arg);
}

struct protocol_call *protocol_advance(struct protocol *p, const char *bid, const char *nonce,
                                       enum batch_state from, enum batch_state to,
                                       enum protocol_role role, int64_t due_in_ms,
                                       const struct protocol_field *fields, size_t field_count,
                                       protocol_advance_fn done, void *arg)
{
    struct words w = {0};

    if (!batch_may_move(from, to))
        log_fatal("ev=bad_move batch=%s from=%s to=%s", bid, batch_state_name(from),
                  batch_state_name(to));
    words_text(&w, bid);
    words_text(&w, nonce);
    words_text(&w, batch_state_name(from));
    words_text(&w, batch_state_name(to));
    words_text(&w, protocol_role_name(role));
    words_number(&w, due_in_ms);
    for (size_t i = 0; i < field_count; i++) {
        words_text(&w, fields[i].name);
        words_text(&w, fields[i].value);
    }
    return protocol_start(p, SCRIPT_ADVANCE, &w, true, deliver_advance,
                          (union protocol_callback){.advance = done}, arg);
}

static void deliver_members(const struct protocol_result *r)
{
    struct member *members = NULL;
    size_t count = 0;

    if (r->answer == PROTOCOL_OK) {
        count = redis_reply_count(r->reply) - 1;
        members = xcalloc(count + 1, sizeof(*members));
        for (size_t i = 0; i < count; i++)
            reply_member(redis_reply_at(r->reply, i + 1), &members[i]);
    }
    r->done.members(r->answer, members, count, r->err, r->arg);
    free(members);
}

struct protocol_call *protocol_members(struct protocol *p, const char *bid, const char *nonce,
                                       protocol_members_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, bid);
    words_text(&w, nonce);
    return protocol_start(p, SCRIPT_MEMBERS, &w, false, deliver_members,
                          (union protocol_callback){.members = done}, arg);
}

static void deliver_payload(const struct protocol_result *r)
{
    const struct redis_reply *bytes = redis_reply_at(r->reply, 1);
    bool ok = r->answer == PROTOCOL_OK;

    r->done.payload(r->answer, ok ? redis_reply_text(bytes) : NULL, redis_reply_len(bytes), r->err,
                    r->arg);
}

struct protocol_call *protocol_payload(struct protocol *p, const char *job, uint32_t window,
                                       protocol_payload_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_unsigned(&w, window);
    return protocol_start(p, SCRIPT_PAYLOAD, &w, false, deliver_payload,
                          (union protocol_callback){.payload = done}, arg);
}
