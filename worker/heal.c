#include "worker/heal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/input/line_reader.h"
#include "common/input/shard_plan.h"
#include "common/input/source.h"
#include "common/json/request_line.h"
#include "common/loop/loop.h"

struct heal {
    const struct job_spec *spec;
    struct merge_hole *holes;
    size_t hole_count, next_hole;
    struct source *source;
    struct line_reader *reader;
    struct window_cutter *cutter;
    struct loop_timer *turn;
    struct shard_reopen *shards;
    size_t shard_count;
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
                   .tokens = s->tokens}
    };
    memcpy(r->member.mask, s->mask, sizeof(r->member.mask));
    memcpy(r->lane, s->lane, sizeof(r->lane));
}

static void add_shards(struct heal *h, const struct window *window, const struct merge_hole *hole)
{
    struct shard_plan plan;

    shard_plan_make(&plan, h->spec, window, hole->mask);
    h->shards = xrealloc(h->shards, h->shard_count + plan.count + 1, sizeof(*h->shards));
    for (size_t i = 0; i < plan.count; i++) {
        if (plan.shards[i].left > 0)
            add_shard(h, window, &plan.shards[i]);
    }
    shard_plan_release(&plan);
}

static bool open_input(struct heal *h, struct err *err)
{
    struct window_limits limits = {.max_lines = h->spec->window_lines,
                                   .max_bytes = h->spec->window_bytes};

    if (h->spec->inline_payload)
        return err_set(err, ERR_UNAVAILABLE, "an inline job's lines are gone: submit them again");
    h->source = source_open(h->spec->source, err);
    if (h->source == NULL)
        return false;
    h->reader = line_reader_new(h->source, REQUEST_LINE_MAX_BYTES);
    h->cutter = window_cutter_new(h->reader, limits, 0);
    return true;
}

static void next_window(void *arg)
{
    struct heal *h = arg;
    struct window window;
    struct err err = {0};
    bool end = false;

    if (h->next_hole == h->hole_count) {
        h->done(h->shards, h->shard_count, NULL, h->arg);
        return;
    }
    bool ok = h->cutter != NULL || open_input(h, &err);
    ok = ok && window_cutter_next(h->cutter, &window, &end, &err);
    if (ok && end)
        ok = err_set(&err, ERR_INPUT, "%s: is shorter than it was", h->spec->source);
    if (!ok) {
        h->done(NULL, 0, &err, h->arg);
        return;
    }
    if (window.index == h->holes[h->next_hole].window)
        add_shards(h, &window, &h->holes[h->next_hole++]);
    loop_timer_set(h->turn, 0);
}

struct heal *heal_new(struct event_base *base, const struct job_spec *spec,
                      const struct merge_hole *holes, size_t count, heal_done_fn done, void *arg)
{
    struct heal *h = xcalloc(1, sizeof(*h));

    h->spec = spec;
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
    window_cutter_free(h->cutter);
    line_reader_free(h->reader);
    source_close(h->source);
    loop_timer_free(h->turn);
    free(h->holes);
    free(h->shards);
    free(h);
}
