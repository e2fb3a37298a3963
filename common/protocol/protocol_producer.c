/* The calls of a producer: open a job, register its windows, seal it. */

#include "common/protocol/protocol_internal.h"
#include "common/protocol/protocol_reply.h"

#include "common/model/mask.h"

static void deliver_open(const struct protocol_result *r)
{
    struct job_opened opened = {.ji = "", .spec = "", .fingerprint = ""};

    if (r->answer == PROTOCOL_CONFLICT) {
        opened.fingerprint = redis_reply_str(r->reply, 1);
    } else {
        opened.ji = redis_reply_str(r->reply, 1);
        opened.state = reply_job_state(redis_reply_at(r->reply, 2));
        opened.cursor.window = (uint32_t)reply_unsigned(redis_reply_at(r->reply, 3));
        opened.cursor.offset = reply_unsigned(redis_reply_at(r->reply, 4));
        opened.cursor.line = reply_unsigned(redis_reply_at(r->reply, 5));
        opened.spec = redis_reply_str(r->reply, 6);
    }
    r->done.open(r->answer, r->reply != NULL ? &opened : NULL, r->err, r->arg);
}

static void add_tunable(struct words *w, const char *name, uint64_t value)
{
    words_text(w, name);
    words_unsigned(w, value);
}

struct protocol_call *protocol_job_open(struct protocol *p, const char *job, const char *ji,
                                        const char *fingerprint, const char *site,
                                        const char *spec_json, const struct job_tunables *tunables,
                                        protocol_open_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_text(&w, ji);
    words_text(&w, fingerprint);
    words_text(&w, spec_json);
    words_text(&w, site);
    words_unsigned(&w, tunables->generation);
    add_tunable(&w, "maxs", tunables->max_inflight_shards);
    add_tunable(&w, "maxb", tunables->max_inflight_bytes);
    add_tunable(&w, "mr", tunables->max_requests);
    add_tunable(&w, "mb", tunables->max_bytes);
    add_tunable(&w, "maxbat", tunables->max_batches);
    add_tunable(&w, "poll", tunables->poll_ms);
    add_tunable(&w, "attempts", tunables->max_attempts);
    return protocol_start(p, SCRIPT_JOB_OPEN, &w, false, deliver_open,
                          (union protocol_callback){.open = done}, arg);
}

static void deliver_put(const struct protocol_result *r)
{
    struct job_cursor cursor = {
        .window = (uint32_t)reply_unsigned(redis_reply_at(r->reply, 1)),
        .offset = reply_unsigned(redis_reply_at(r->reply, 2)),
        .line = reply_unsigned(redis_reply_at(r->reply, 3)),
    };
    bool known = r->reply != NULL && r->answer != PROTOCOL_NOJOB;

    r->done.put(r->answer, known ? &cursor : NULL, reply_job_state(redis_reply_at(r->reply, 4)),
                r->err, r->arg);
}

static void add_shard(struct words *w, const struct shard_put *shard, uint32_t lines)
{
    words_unsigned(w, shard->index);
    words_text(w, shard->lane);
    words_unsigned(w, shard->left);
    words_unsigned(w, shard->bytes);
    words_unsigned(w, shard->tokens);
    words_unsigned(w, shard->longest);
    words_bytes(w, shard->mask, mask_bytes(lines));
    words_text(w, shard->label);
}

struct protocol_call *protocol_shard_put(struct protocol *p, const struct window_put *window,
                                         protocol_put_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, window->job);
    words_unsigned(&w, window->window);
    words_unsigned(&w, window->offset0);
    words_unsigned(&w, window->offset1);
    words_unsigned(&w, window->next_line);
    words_unsigned(&w, window->requests);
    words_unsigned(&w, window->invalid);
    words_unsigned(&w, window->ok);
    words_unsigned(&w, window->bad);
    words_unsigned(&w, window->crc);
    words_bytes(&w, window->payload, window->payload_len);
    for (size_t i = 0; i < window->shard_count; i++)
        add_shard(&w, &window->shards[i], window->requests);
    return protocol_start(p, SCRIPT_SHARD_PUT, &w, false, deliver_put,
                          (union protocol_callback){.put = done}, arg);
}

struct protocol_call *protocol_job_seal(struct protocol *p, const char *job, uint32_t windows,
                                        protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    words_unsigned(&w, windows);
    return protocol_start(p, SCRIPT_JOB_SEAL, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
}
