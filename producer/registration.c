#include "producer/registration.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/codec/ids.h"
#include "common/codec/payload.h"
#include "common/loop/loop.h"
#include "common/merge/coverage.h"
#include "common/merge/requests.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "producer/cut.h"
#include "producer/registration_internal.h"

#define FULL_WAIT_MS 200
#define RETRY_MS     1000

void registration_end(struct registration *r, const struct err *err)
{
    loop_timer_stop(r->turn);
    r->done(err, r->arg);
}

void registration_drop_window(struct registration *r)
{
    if (r->has_window)
        shard_plan_release(&r->shards);
    buf_clear(&r->payload);
    r->has_window = false;
}

bool registration_retry(struct registration *r, const struct err *err)
{
    int64_t now = clock_mono_ms();

    if (err->kind != ERR_TEMPORARY) {
        registration_end(r, err);
        return false;
    }
    if (r->failing_since_ms == 0)
        r->failing_since_ms = now;
    if (now - r->failing_since_ms > r->plan.give_up_ms) {
        struct err unavailable = *err;

        unavailable.kind = ERR_UNAVAILABLE;
        registration_end(r, &unavailable);
        return false;
    }
    log_warn("ev=redis_call_failed reason=%s", log_text(err->msg));
    loop_timer_set(r->turn, RETRY_MS);
    return true;
}

static void take_turn(void *arg);
static void put_window(struct registration *r);

static void on_sealed(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct registration *r = arg;

    r->step = NULL;
    switch ((int)answer) {
    case PROTOCOL_OK:
    case PROTOCOL_DUP:
        FAILPOINT("producer.sealed");
        log_info("ev=job job=%s state=SEALED windows=%u", log_text(r->spec.job), r->windows);
        registration_end(r, NULL);
        return;
    case PROTOCOL_FAILED: (void)registration_retry(r, err); return;
    default: /* CURSOR, NOJOB: Redis went back; the job's own record says where */
        cut_free(r->cut);
        r->cut = NULL;
        loop_timer_set(r->turn, 0);
    }
}

static bool publish_ids(struct registration *r, struct err *err)
{
    struct ids_entry *entries = xcalloc(r->shards.line_count + 1, sizeof(*entries));
    struct buf text = BUF_INIT(REGISTRATION_IDS_MAX);
    char name[LAYOUT_NAME_MAX];

    for (uint32_t i = 0; i < r->shards.line_count; i++) {
        const struct planned_line *line = &r->shards.lines[i];

        entries[i] = (struct ids_entry){.line = line->number,
                                        .id = line->custom_id.len > 0 ? line->custom_id.p : NULL,
                                        .id_len = line->custom_id.len,
                                        .reason = line->valid ? NULL : line->why,
                                        .reason_len = line->valid ? 0 : strlen(line->why)};
    }
    bool ok = ids_encode(r->window.crc32c, entries, r->shards.line_count, &text, err) &&
              sink_publish(r->sink, layout_ids(name, (uint32_t)r->window.index), text.data,
                           text.len, NULL, err);
    free(entries);
    buf_release(&text);
    return ok;
}

/* The lines stay in the sink: a row that fails, or whose result is lost, can be sent again. */
static bool keep_payload(struct registration *r, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    bool kept = false;

    layout_requests(name, (uint32_t)r->window.index);
    return sink_exists(r->sink, name, &kept, err) &&
           (kept || sink_publish(r->sink, name, r->payload.data, r->payload.len, NULL, err));
}

/* An inline job's ids and payload. A window without anything to send needs no payload. */
static bool prepare_inline(struct registration *r, struct err *err)
{
    if (!r->spec.inline_payload)
        return true;
    if (!publish_ids(r, err))
        return false;
    FAILPOINT("producer.ids_published");
    if (r->shards.count == 0)
        return true;
    if (r->window.bytes == NULL) /* nothing would be there to build a batch from */
        return err_set(err, ERR_INPUT,
                       "line %" PRIu64 ": over 1 MB of blank lines; take them out or use "
                       "--payload ref",
                       r->window.first_line);
    return payload_encode(r->window.first_line, r->window.bytes, r->window.len, &r->payload, err) &&
           keep_payload(r, err);
}

bool registration_mend_window(struct registration *r, struct err *err)
{
    shard_plan_make(&r->shards, &r->spec, &r->window, NULL);
    r->has_window = true;
    bool ok = prepare_inline(r, err);
    registration_drop_window(r);
    return ok;
}

static bool settled_bits(struct registration *r, const uint8_t **bits, struct err *err)
{
    uint32_t window = (uint32_t)r->window.index;
    uint32_t part = window / PART_WINDOWS;

    *bits = NULL;
    if (!r->recovering)
        return true;
    if (r->coverage == NULL || r->covered_part != part) {
        coverage_free(r->coverage);
        r->coverage = coverage_new(r->sink, part, err);
        r->covered_part = part;
        if (r->coverage == NULL || !coverage_run(r->coverage, err))
            return false;
    }
    *bits = coverage_mask(r->coverage, window);
    return true;
}

static bool prepare_window(struct registration *r, struct err *err)
{
    uint32_t window = (uint32_t)r->window.index;
    const uint8_t *settled;

    if (r->window.index > ORDINAL_MAX_WINDOW)
        return err_set(err, ERR_INPUT, "the input has more windows than can be numbered");
    if (window > 0 && window % PART_WINDOWS == 0 &&
        !requests_publish_index(r->sink, window / PART_WINDOWS, r->window.offset,
                                r->window.first_line, err))
        return false;
    if (!settled_bits(r, &settled, err))
        return false;
    shard_plan_make(&r->shards, &r->spec, &r->window, settled);
    r->has_window = true;
    if (r->shards.count > 0 && r->window.len > PAYLOAD_MAX_BYTES) /* no line is as long as that */
        return err_set(err, ERR_INPUT, "line %" PRIu64 ": over 30 MB of blank lines; take them out",
                       r->window.first_line);
    return prepare_inline(r, err);
}

static void go_to(struct registration *r, const struct job_cursor *cursor, enum job_state state)
{
    struct err err = {0};

    registration_drop_window(r);
    if (state != JOB_OPEN)
        registration_end(r, NULL); /* somebody else has sealed it */
    else if (!cut_go_to(r->cut, cursor, &err))
        registration_end(r, &err);
    else {
        r->windows = cursor->window;
        loop_timer_set(r->turn, 0);
    }
}

static void on_put(enum protocol_answer answer, const struct job_cursor *cursor,
                   enum job_state state, const struct err *err, void *arg)
{
    struct registration *r = arg;

    r->step = NULL;
    if (answer == PROTOCOL_FAILED) {
        (void)registration_retry(r, err);
        return;
    }
    r->failing_since_ms = 0;
    FAILPOINT("producer.put");
    switch ((int)answer) {
    case PROTOCOL_FULL:
        loop_timer_set(r->turn, FULL_WAIT_MS / 2 + id_random_below(FULL_WAIT_MS));
        return;
    case PROTOCOL_NOJOB: /* Redis has lost it */
        registration_drop_window(r);
        cut_free(r->cut);
        r->cut = NULL;
        loop_timer_set(r->turn, 0);
        return;
    default:
        go_to(r, cursor, state);
        return; /* behind it after OK, elsewhere after DUP and CURSOR */
    }
}

static uint32_t settled_count(const struct registration *r)
{
    uint32_t left = 0;

    for (size_t i = 0; i < r->shards.count; i++)
        left += r->shards.shards[i].left;
    return r->shards.line_count - r->shards.invalid - left;
}

/* A price that is not known matters where something is still to be sent. */
static bool quote_shard(const struct registration *r, const struct shard *s, struct shard_put *out,
                        struct err *err)
{
    return quotes_of(&r->plan.quotes, s->model, &out->priced, &out->quote, err) || s->left == 0;
}

static bool make_shards(const struct registration *r, struct shard_put *shards, struct err *err)
{
    for (size_t i = 0; i < r->shards.count; i++) {
        const struct shard *s = &r->shards.shards[i];

        shards[i] = (struct shard_put){.index = s->index,
                                       .left = s->left,
                                       .bytes = s->bytes,
                                       .tokens = s->tokens,
                                       .est_output = s->est_output,
                                       .open_ended = s->open_ended,
                                       .line_tokens = s->line_tokens,
                                       .line_output = s->line_output,
                                       .longest = s->longest,
                                       .mask = s->mask,
                                       .label = s->label};
        memcpy(shards[i].lane, s->lane, sizeof(shards[i].lane));
        if (!quote_shard(r, s, &shards[i], err))
            return false;
    }
    return true;
}

static void put_window(struct registration *r)
{
    struct shard_put *shards = xcalloc(r->shards.count + 1, sizeof(*shards));
    struct err err = {0};

    if (!make_shards(r, shards, &err)) {
        free(shards);
        registration_end(r, &err);
        return;
    }
    uint32_t settled = settled_count(r);
    uint32_t failed =
        r->recovering ? coverage_failed(r->coverage, (uint32_t)r->window.index, settled) : 0;
    struct window_put put = {.job = r->spec.job,
                             .window = (uint32_t)r->window.index,
                             .offset0 = r->window.offset,
                             .offset1 = r->window.offset + r->window.len,
                             .next_line = r->window.first_line + r->window.line_count,
                             .requests = r->window.count,
                             .invalid = r->shards.invalid,
                             .ok = settled - failed,
                             .bad = failed,
                             .crc = r->window.crc32c,
                             .payload = r->payload.len > 0 ? r->payload.data : NULL,
                             .payload_len = r->payload.len,
                             .shards = shards,
                             .shard_count = r->shards.count};
    r->step = protocol_shard_put(r->protocol, &put, on_put, r);
    free(shards);
}

static void take_turn(void *arg)
{
    struct registration *r = arg;
    struct err err = {0};
    bool at_end = false;

    if (r->cut == NULL) {
        registration_open(r);
        return;
    }
    if (r->has_window) { /* FULL before, or no answer */
        put_window(r);
        return;
    }
    bool ok = true;

    if (r->last_window != 0 && r->windows == r->last_window)
        at_end = true; /* it was cancelled before its end, and resubmitted as it was */
    else
        ok = cut_next(r->cut, &r->window, &at_end, &err);
    if (ok && at_end) {
        FAILPOINT("producer.cut");
        r->step = protocol_job_seal(r->protocol, r->spec.job, r->windows, on_sealed, r);
    } else if (ok && prepare_window(r, &err)) {
        put_window(r);
    } else {
        registration_end(r, &err);
    }
}

struct registration *registration_new(struct event_base *base, struct protocol *protocol,
                                      const struct registration_plan *plan,
                                      registration_done_fn done, void *arg)
{
    struct registration *r = xcalloc(1, sizeof(*r));

    r->base = base;
    r->protocol = protocol;
    r->plan = *plan;
    r->plan.quotes.provider = r->plan.spec.provider;
    r->done = done;
    r->arg = arg;
    r->payload = BUF_INIT(64u << 20);
    r->turn = loop_timer_new(base, take_turn, r);
    loop_timer_set(r->turn, 0);
    return r;
}

void registration_free(struct registration *r)
{
    if (r == NULL)
        return;
    protocol_call_cancel(r->step);
    registration_drop_window(r);
    loop_timer_free(r->turn);
    coverage_free(r->coverage);
    spent_release(&r->spent);
    cut_free(r->cut);
    sink_close(r->sink);
    buf_release(&r->payload);
    free(r);
}
