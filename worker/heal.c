#include "worker/heal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/input/shard_plan.h"
#include "common/loop/loop.h"
#include "common/merge/windows.h"
#include "common/sink/sink.h"

#define PAYLOADS_MAX_BYTES (64u << 20) /* in one call to Redis */

struct heal {
    struct sink *sink;
    const struct job_spec *spec;
    uint32_t part;
    struct merge_hole *holes;
    size_t hole_count, next_hole;
    struct windows *windows;
    struct loop_timer *turn;
    struct shard_reopen *shards;
    size_t shard_count;
    char **payloads; /* of the windows; what the shards point to */
    size_t payload_count, payload_bytes;
    heal_done_fn done;
    void *arg;
};

static void add_shard(struct heal *h, const struct window *window, const struct shard *s)
{
    struct shard_reopen *r = &h->shards[h->shard_count++];

    *r = (struct shard_reopen){
        .member = {.window = (uint32_t)window->index,
                   .index = s->index,
                   .lines = window->count,
                   .left = s->left,
                   .offset = window->offset,
                   .length = window->len,
                   .first_line = window->first_line,
                   .crc = window->crc32c,
                   .bytes = s->bytes,
                   .longest = s->longest,
                   .tokens = s->tokens,
                   .est_output = s->est_output,
                   .open_ended = s->open_ended,
                   .line_tokens = s->line_tokens,
                   .line_output = s->line_output}
    };
    memcpy(r->member.mask, s->mask, sizeof(r->member.mask));
    memcpy(r->lane, s->lane, sizeof(r->lane));
}

/* The shards from @from on are of the window that was read last. */
static void add_payload(struct heal *h, size_t from)
{
    size_t len;
    const void *bytes = windows_payload(h->windows, &len);

    if (len == 0 || from == h->shard_count)
        return;
    char *copy = xcalloc(len, 1);
    memcpy(copy, bytes, len);
    h->payloads = xrealloc(h->payloads, h->payload_count + 1, sizeof(*h->payloads));
    h->payloads[h->payload_count++] = copy;
    h->payload_bytes += len;
    for (size_t i = from; i < h->shard_count; i++) {
        h->shards[i].payload = copy;
        h->shards[i].payload_len = len;
    }
}

static void add_shards(struct heal *h, const struct window *window, const struct merge_hole *hole)
{
    struct shard_plan plan;
    size_t before = h->shard_count;

    shard_plan_make(&plan, h->spec, window, hole->mask);
    h->shards = xrealloc(h->shards, h->shard_count + plan.count + 1, sizeof(*h->shards));
    for (size_t i = 0; i < plan.count; i++) {
        if (plan.shards[i].left > 0)
            add_shard(h, window, &plan.shards[i]);
    }
    shard_plan_release(&plan);
    add_payload(h, before);
}

static bool is_complete(const struct heal *h)
{
    return h->next_hole == h->hole_count || h->payload_bytes >= PAYLOADS_MAX_BYTES;
}

static void next_window(void *arg)
{
    struct heal *h = arg;
    struct window window;
    struct err err = {0};
    bool found = false;

    if (is_complete(h)) {
        h->done(h->shards, h->shard_count, NULL, h->arg);
        return;
    }
    const struct merge_hole *hole = &h->holes[h->next_hole];
    if (h->windows == NULL)
        h->windows = windows_new(h->sink, h->spec, h->part, &err);
    if (h->windows == NULL || !windows_step(h->windows, hole->window, &window, &found, &err)) {
        h->done(NULL, 0, &err, h->arg);
        return;
    }
    if (found && !windows_check(h->windows, &window, hole->lines, hole->crc, &err)) {
        h->done(NULL, 0, &err, h->arg);
        return;
    }
    if (found) {
        add_shards(h, &window, hole);
        h->next_hole++;
    }
    loop_timer_set(h->turn, 0);
}

struct heal *heal_new(struct event_base *base, struct sink *sink, const struct job_spec *spec,
                      uint32_t part, const struct merge_hole *holes, size_t count,
                      heal_done_fn done, void *arg)
{
    struct heal *h = xcalloc(1, sizeof(*h));

    h->sink = sink;
    h->spec = spec;
    h->part = part;
    h->holes = xcalloc(count + 1, sizeof(*holes));
    if (count > 0)
        memcpy(h->holes, holes, count * sizeof(*holes));
    h->hole_count = count;
    h->done = done;
    h->arg = arg;
    h->turn = loop_timer_new(base, next_window, h);
    loop_timer_set(h->turn, 0);
    return h;
}

void heal_free(struct heal *h)
{
    if (h == NULL)
        return;
    windows_free(h->windows);
    loop_timer_free(h->turn);
    for (size_t i = 0; i < h->payload_count; i++)
        free(h->payloads[i]);
    free(h->payloads);
    free(h->holes);
    free(h->shards);
    free(h);
}
