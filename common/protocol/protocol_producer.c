/* The calls of a producer: open a job, register its windows, seal it. */

#include "common/protocol/protocol_internal.h"
#include "common/protocol/protocol_reply.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/model/mask.h"

static void deliver_open(const struct protocol_result *r)
{
    struct job_opened opened = {.ji = "", .spec = "", .fingerprint = "", .currency = ""};

    if (r->answer == PROTOCOL_CONFLICT) {
        opened.fingerprint = redis_reply_str(r->reply, 1);
    } else if (r->answer == PROTOCOL_STATE) {
        opened.currency = redis_reply_str(r->reply, 1);
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

static void deliver_lanes(const struct protocol_result *r)
{
    struct job_lane *lanes = NULL;
    size_t count = 0;

    if (r->answer == PROTOCOL_OK) {
        count = redis_reply_count(r->reply) - 1;
        lanes = xcalloc(count + 1, sizeof(*lanes));
        for (size_t i = 0; i < count; i++) {
            const struct redis_reply *row = redis_reply_at(r->reply, i + 1);

            reply_copy(redis_reply_at(row, 0), lanes[i].lane, sizeof(lanes[i].lane));
            lanes[i].label = redis_reply_str(row, 1);
        }
    }
    r->done.lanes(r->answer, lanes, count, r->err, r->arg);
    free(lanes);
}

struct protocol_call *protocol_job_lanes(struct protocol *p, const char *job,
                                         protocol_lanes_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    return protocol_start(p, SCRIPT_JOB_LANES, &w, false, deliver_lanes,
                          (union protocol_callback){.lanes = done}, arg);
}

static void add_tunable(struct words *w, const char *name, uint64_t value)
{
    words_text(w, name);
    words_unsigned(w, value);
}

/* Words are borrowed until the call is made, so each quote's text is kept in @texts. */
static void add_quotes(struct words *w, const struct job_tunables *t,
                       char (*texts)[PRICE_QUOTE_TEXT_MAX])
{
    words_unsigned(w, t->quote_count);
    for (size_t i = 0; i < t->quote_count; i++) {
        const struct lane_quote *q = &t->quotes[i];

        words_text(w, q->lane);
        words_text(w, q->priced ? price_quote_format(&q->quote, texts[i]) : "");
    }
}

static void add_tunables(struct words *w, const struct job_tunables *t)
{
    add_tunable(w, "maxs", t->max_inflight_shards);
    add_tunable(w, "maxb", t->max_inflight_bytes);
    add_tunable(w, "mr", t->max_requests);
    add_tunable(w, "mb", t->max_bytes);
    add_tunable(w, "maxbat", t->max_batches);
    add_tunable(w, "poll", t->poll_ms);
    add_tunable(w, "attempts", t->max_attempts);
    words_text(w, "cur");
    words_text(w, t->currency);
    words_text(w, "cap");
    words_number(w, t->currency[0] != '\0' && t->max_cost_nano >= 0 ? t->max_cost_nano : -1);
}

struct protocol_call *protocol_job_open(struct protocol *p, const char *job, const char *ji,
                                        const char *fingerprint, const char *site,
                                        const char *spec_json, const struct job_tunables *tunables,
                                        protocol_open_fn done, void *arg)
{
    char(*texts)[PRICE_QUOTE_TEXT_MAX] = xcalloc(tunables->quote_count + 1, sizeof(*texts));
    struct words w = {0};

    words_text(&w, job);
    words_text(&w, ji);
    words_text(&w, fingerprint);
    words_text(&w, spec_json);
    words_text(&w, site);
    words_unsigned(&w, tunables->generation);
    add_quotes(&w, tunables, texts);
    add_tunables(&w, tunables);
    struct protocol_call *call = protocol_start(p, SCRIPT_JOB_OPEN, &w, false, deliver_open,
                                                (union protocol_callback){.open = done}, arg);

    free(texts);
    return call;
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

static void add_shard(struct words *w, const struct shard_put *shard, uint32_t lines,
                      char quote[PRICE_QUOTE_TEXT_MAX])
{
    words_unsigned(w, shard->index);
    words_text(w, shard->lane);
    words_unsigned(w, shard->left);
    words_unsigned(w, shard->bytes);
    words_unsigned(w, shard->tokens);
    words_unsigned(w, shard->longest);
    words_bytes(w, shard->mask, mask_bytes(lines));
    words_text(w, shard->label);
    words_unsigned(w, shard->est_output);
    words_unsigned(w, shard->open_ended);
    words_text(w, shard->priced ? price_quote_format(&shard->quote, quote) : "");
    words_unsigned(w, shard->line_tokens);
    words_unsigned(w, shard->line_output);
}

struct protocol_call *protocol_shard_put(struct protocol *p, const struct window_put *window,
                                         protocol_put_fn done, void *arg)
{
    char(*quotes)[PRICE_QUOTE_TEXT_MAX] = xcalloc(window->shard_count + 1, sizeof(*quotes));
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
        add_shard(&w, &window->shards[i], window->requests, quotes[i]);
    struct protocol_call *call = protocol_start(p, SCRIPT_SHARD_PUT, &w, false, deliver_put,
                                                (union protocol_callback){.put = done}, arg);

    free(quotes);
    return call;
}

struct protocol_call *protocol_job_spent(struct protocol *p, const char *job,
                                         const struct batch_cost *costs, size_t count,
                                         protocol_fn done, void *arg)
{
    struct words w = {0};

    words_text(&w, job);
    for (size_t i = 0; i < count; i++) {
        words_text(&w, costs[i].bid);
        words_number(&w, costs[i].nano);
    }
    return protocol_start(p, SCRIPT_JOB_SPENT, &w, false, deliver_plain,
                          (union protocol_callback){.plain = done}, arg);
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
