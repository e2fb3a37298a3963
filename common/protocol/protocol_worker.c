/* The calls that bring results home: chunk, done, drop, and a part's end or its holes. */

#include "common/protocol/protocol_internal.h"
#include "common/protocol/protocol_reply.h"

#include "common/model/mask.h"

static void deliver_chunk(const struct protocol_result *r)
{
    uint64_t checkpoint = 0;

    if (r->answer == PROTOCOL_OK || r->answer == PROTOCOL_CKPT)
        checkpoint = reply_unsigned(redis_reply_at(r->reply, 1));
    r->done.chunk(r->answer, checkpoint, r->err, r->arg);
}

struct protocol_call *protocol_chunk(struct protocol *p, const char *bid, const char *nonce,
                                     const struct chunk_put *chunk, int64_t lease_ms,
                                     protocol_chunk_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, bid);
    words_text(&w, nonce);
    words_text(&w, chunk->remote);
    words_unsigned(&w, chunk->offset0);
    words_unsigned(&w, chunk->offset1);
    words_bytes(&w, chunk->masks, chunk->masks_len);
    words_unsigned(&w, chunk->ok);
    words_unsigned(&w, chunk->bad);
    words_number(&w, lease_ms);
    return protocol_start(p, SCRIPT_CHUNK, &w, true, deliver_chunk,
                          (union protocol_callback){.chunk = done}, arg);
}

static void add_verdict(struct words *w, const struct member_done *m)
{
    words_unsigned(w, m->window);
    words_unsigned(w, m->index);
    words_unsigned(w, m->left);
    words_number(w, m->charged ? 1 : m->untried ? -1 : 0);
    words_bytes(w, m->mask, m->mask_len);
    words_unsigned(w, m->bytes);
    words_unsigned(w, m->tokens);
    words_unsigned(w, m->est_output);
    words_unsigned(w, m->open_ended);
    words_unsigned(w, m->most_tokens);
}

static void add_bill(struct words *w, const struct batch_bill *bill)
{
    if (bill->priced)
        words_number(w, bill->nano);
    else
        words_text(w, "");
    words_unsigned(w, bill->lines);
    words_unsigned(w, bill->est_input);
    words_unsigned(w, bill->input);
    words_unsigned(w, bill->output);
}

struct protocol_call *protocol_done(struct protocol *p, const char *bid, const char *nonce,
                                    int64_t clean_in_ms, const struct member_done *members,
                                    size_t count, const struct batch_bill *bill, protocol_fn done,
                                    void *arg)
{
    struct words w = {0};

    words_text(&w, bid);
    words_text(&w, nonce);
    words_number(&w, clean_in_ms);
    add_bill(&w, bill);
    for (size_t i = 0; i < count; i++)
        add_verdict(&w, &members[i]);
    return protocol_start(p, SCRIPT_DONE, &w, true, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_drop(struct protocol *p, const char *bid, const char *nonce,
                                    protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, bid);
    words_text(&w, nonce);
    return protocol_start(p, SCRIPT_DROP, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

struct protocol_call *protocol_part_done(struct protocol *p, const char *job, uint32_t part,
                                         const char *nonce, protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_unsigned(&w, part);
    words_text(&w, nonce);
    return protocol_start(p, SCRIPT_PART_DONE, &w, true, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}

static void add_reopened(struct words *w, const struct shard_reopen *shard)
{
    const struct member *m = &shard->member;

    words_unsigned(w, m->window);
    words_unsigned(w, m->index);
    words_text(w, shard->lane);
    words_unsigned(w, m->left);
    words_unsigned(w, m->bytes);
    words_unsigned(w, m->tokens);
    words_unsigned(w, m->longest);
    words_bytes(w, m->mask, mask_bytes(m->lines));
    words_unsigned(w, m->lines);
    words_unsigned(w, m->offset);
    words_unsigned(w, m->length);
    words_unsigned(w, m->first_line);
    words_unsigned(w, m->crc);
    words_bytes(w, shard->payload, shard->payload_len);
    words_unsigned(w, m->est_output);
    words_unsigned(w, m->open_ended);
    words_unsigned(w, m->line_tokens);
    words_unsigned(w, m->line_output);
}

static void deliver_reopen(const struct protocol_result *r)
{
    r->done.reopen(r->answer, reply_unsigned(redis_reply_at(r->reply, 1)), r->err, r->arg);
}

struct protocol_call *protocol_reopen(struct protocol *p, const char *job, const char *nonce,
                                      const struct shard_reopen *shards, size_t count,
                                      protocol_reopen_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_text(&w, nonce);
    for (size_t i = 0; i < count; i++)
        add_reopened(&w, &shards[i]);
    return protocol_start(p, SCRIPT_REOPEN, &w, false, deliver_reopen,
                          (union protocol_callback){.reopen = done}, arg);
}
