#include "producer/registration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/failpoint.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/codec/ids.h"
#include "common/codec/payload.h"
#include "common/input/shard_plan.h"
#include "common/loop/loop.h"
#include "common/merge/coverage.h"
#include "common/merge/requests.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/job_doc.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "producer/cut.h"

#define IDS_MAX_BYTES      (256u << 20)
#define DOCUMENT_MAX_BYTES 65536
#define FULL_WAIT_MS       200
#define RETRY_MS           1000
#define CANCEL_STEP        1000 /* shards that one call settles */

/*
 *   start ─► job_open ─► job.json ─► window ─► shard_put ─┬─ OK: next window
 *                                      ▲                  ├─ FULL: wait, the same again
 *                                      └──────────────────┴─ CURSOR, DUP: go where it says
 *                                      behind the last ─► job_seal
 */
struct registration {
    struct event_base *base;
    struct protocol *protocol;
    struct registration_plan plan;
    registration_done_fn done;
    void *arg;
    struct job_spec spec; /* the one that counts */
    struct sink *sink;
    struct cut *cut;
    struct loop_timer *turn;
    struct protocol_call *step;
    bool known_to_sink;        /* the sink had the job before */
    bool recovering;           /* Redis did not know a job that the sink knows */
    struct job_cursor cursor;  /* as the job was opened, and ... */
    enum job_state state;      /* ... in this state */
    struct coverage *coverage; /* of @covered_part */
    uint32_t covered_part;
    int64_t failing_since_ms; /* monotonic; 0: the last call was answered */

    struct window window; /* being registered; its bytes are the cutter's */
    struct shard_plan shards;
    struct buf payload;
    bool has_window;
    uint32_t windows;
};

static void end(struct registration *r, const struct err *err)
{
    loop_timer_stop(r->turn);
    r->done(err, r->arg);
}

static void drop_window(struct registration *r)
{
    if (r->has_window)
        shard_plan_release(&r->shards);
    buf_clear(&r->payload);
    r->has_window = false;
}

/* True when the call is worth trying again; else the registration has ended. */
static bool retry_call(struct registration *r, const struct err *err)
{
    int64_t now = clock_mono_ms();

    if (err->kind != ERR_TEMPORARY) {
        end(r, err);
        return false;
    }
    if (r->failing_since_ms == 0)
        r->failing_since_ms = now;
    if (now - r->failing_since_ms > r->plan.give_up_ms) {
        struct err unavailable = *err;

        unavailable.kind = ERR_UNAVAILABLE;
        end(r, &unavailable);
        return false;
    }
    log_warn("ev=redis_call_failed reason=%s", log_text(err->msg));
    loop_timer_set(r->turn, RETRY_MS);
    return true;
}

/* ---- opening */

static bool find_known_job(struct registration *r, struct err *err)
{
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    struct job_spec known;
    struct sink *sink = NULL;
    char ji[JOB_JI_LEN + 1];
    bool ok = false;

    r->known_to_sink = false;
    if (!sink_find(r->plan.spec.sink, r->plan.spec.job, ji, err)) {
        if (err->kind != ERR_NO_JOB)
            goto out;
        *err = (struct err){0};
        ok = true;
        goto out;
    }
    sink = sink_open(r->plan.spec.sink, r->plan.spec.job, ji, false, err);
    if (sink == NULL || !sink_read(sink, LAYOUT_JOB, &text, err) ||
        !job_doc_parse(text.data, text.len, &known, err))
        goto out;
    if (strcmp(known.sink, r->plan.spec.sink) != 0) {
        err_set(
            err, ERR_CONFLICT,
            "job \"%s\" keeps its results in %s, not in %s: move them back, or give another --job",
            known.job, known.sink, r->plan.spec.sink);
        goto out;
    }
    if (strcmp(known.model, r->plan.spec.model) != 0) {
        err_set(err, ERR_CONFLICT, "job \"%s\" was started with --model \"%s\"", known.job,
                known.model);
        goto out;
    }
    if (strcmp(known.fingerprint, r->plan.spec.fingerprint) != 0) {
        err_set(err, ERR_CONFLICT, "job \"%s\" exists with another input (%s)", known.job,
                sink_path(sink));
        goto out;
    }
    r->plan.spec = known;
    r->known_to_sink = true;
    ok = true;
out:
    sink_close(sink);
    buf_release(&text);
    return ok;
}

static bool open_sink(struct registration *r, struct err *err)
{
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    bool ok = false;

    coverage_free(r->coverage); /* the job may have gone on since */
    r->coverage = NULL;
    sink_close(r->sink);
    r->sink = sink_open(r->spec.sink, r->spec.job, r->spec.ji, true, err);
    if (r->sink == NULL)
        goto out;
    if (!job_doc_write(&r->spec, &text)) {
        err_set(err, ERR_INTERNAL, "the job's document is too large");
        goto out;
    }
    ok = sink_publish(r->sink, LAYOUT_JOB, text.data, text.len, NULL, err);
    FAILPOINT("producer.job_published");
out:
    buf_release(&text);
    return ok;
}

/* The ids of a window that is in the sink already say what bytes it was made of. */
static bool is_the_window_known(struct registration *r, const struct window *window,
                                struct err *err)
{
    struct buf text = BUF_INIT(IDS_MAX_BYTES);
    char name[LAYOUT_NAME_MAX];
    struct ids ids;
    bool same = false;

    if (sink_read(r->sink, layout_ids(name, (uint32_t)window->index), &text, err) &&
        ids_decode(text.data, text.len, &ids, err)) {
        same = ids.crc == window->crc32c;
        ids_release(&ids);
        if (!same)
            err_set(err, ERR_CONFLICT, "job \"%s\" exists with another input", r->spec.job);
    }
    buf_release(&text);
    return same;
}

/*
 * Standard input has no fingerprint: what was cut of it before is compared with
 * the sink, and where all of it was cut, it must end there.
 */
static bool follow_standard_input(struct registration *r, struct err *err)
{
    struct window window;
    bool at_end = false;

    for (uint32_t i = 0; i < r->cursor.window; i++) {
        if (!cut_next(r->cut, &window, &at_end, err))
            return false;
        if (at_end)
            return err_set(err, ERR_CONFLICT, "job \"%s\" exists with a longer input", r->spec.job);
        if (!is_the_window_known(r, &window, err))
            return false;
    }
    if (r->state == JOB_OPEN)
        return true;
    if (!cut_next(r->cut, &window, &at_end, err))
        return false;
    return at_end ||
           err_set(err, ERR_CONFLICT, "job \"%s\" exists with a shorter input", r->spec.job);
}

/* The coordinators read the source by the name it was given first. */
static bool source_is_there(const struct registration *r, struct err *err)
{
    if (r->spec.inline_payload || r->state == JOB_FINAL || access(r->spec.source, R_OK) == 0)
        return true;
    return err_set(err, ERR_INPUT, "job \"%s\" reads %s: %s; put it back", r->spec.job,
                   r->spec.source, strerror(errno));
}

static void start_cut(struct registration *r)
{
    bool is_stream = strcmp(r->plan.input, "-") == 0;
    struct err err = {0};

    if (!source_is_there(r, &err)) {
        end(r, &err);
        return;
    }
    if (r->state != JOB_OPEN && !is_stream) {
        end(r, NULL);
        return;
    }
    cut_free(r->cut);
    r->cut = cut_new(r->plan.input, &r->spec, &err);
    if (r->cut == NULL || (is_stream && !follow_standard_input(r, &err)) ||
        !cut_go_to(r->cut, &r->cursor, &err)) {
        end(r, &err);
        return;
    }
    if (r->state != JOB_OPEN) {
        end(r, NULL);
        return;
    }
    r->windows = r->cursor.window;
    loop_timer_set(r->turn, 0);
}

static void cancel_again(struct registration *r);

static void on_cancelled(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct registration *r = arg;

    r->step = NULL;
    switch ((int)answer) {
    case PROTOCOL_MORE: cancel_again(r); return;
    case PROTOCOL_FAILED: (void)retry_call(r, err); return;
    case PROTOCOL_NOJOB: loop_timer_set(r->turn, 0); return; /* lost again: open it again */
    default: start_cut(r); return;
    }
}

static void cancel_again(struct registration *r)
{
    r->step = protocol_job_cancel(r->protocol, r->spec.job, CANCEL_STEP, on_cancelled, r);
}

/* A Redis that was lost or rolled back may not know that the job was cancelled; the sink does. */
static void obey_mark(struct registration *r)
{
    struct err err = {0};
    bool cancelled = false;

    if (r->state != JOB_FINAL && !sink_exists(r->sink, LAYOUT_CANCELLED, &cancelled, &err))
        end(r, &err);
    else if (cancelled)
        cancel_again(r);
    else
        start_cut(r);
}

static void on_opened(enum protocol_answer answer, const struct job_opened *opened,
                      const struct err *err, void *arg)
{
    struct registration *r = arg;
    struct err problem = {0};

    r->step = NULL;
    if (opened == NULL) {
        (void)retry_call(r, err);
        return;
    }
    r->failing_since_ms = 0;
    if (answer == PROTOCOL_CONFLICT) {
        err_set(&problem, ERR_CONFLICT, "job \"%s\" exists with another input", r->plan.spec.job);
        end(r, &problem);
        return;
    }
    if (!job_doc_parse(opened->spec, strlen(opened->spec), &r->spec, &problem) ||
        !open_sink(r, &problem)) {
        end(r, &problem);
        return;
    }
    /* Redis may have forgotten it at any time, and another producer may have opened it again since.
     */
    r->recovering = r->known_to_sink;
    r->cursor = opened->cursor;
    r->state = opened->state;
    log_info("ev=job job=%s answer=%s state=%s window=%u offset=%" PRIu64 " recovering=%d",
             log_text(r->spec.job), protocol_answer_name(answer), job_state_name(r->state),
             r->cursor.window, r->cursor.offset, r->recovering);
    obey_mark(r);
}

static void open_job(struct registration *r)
{
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    struct err err = {0};

    if (!find_known_job(r, &err)) {
        end(r, &err);
        return;
    }
    if (!job_doc_write(&r->plan.spec, &text)) {
        err_set(&err, ERR_INTERNAL, "the job's document is too large");
        end(r, &err);
    } else {
        r->step = protocol_job_open(r->protocol, r->plan.spec.job, r->plan.spec.ji,
                                    r->plan.spec.fingerprint, r->plan.spec.site, text.data,
                                    &r->plan.tunables, on_opened, r);
    }
    buf_release(&text);
}

/* ---- windows */

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
        end(r, NULL);
        return;
    case PROTOCOL_FAILED: (void)retry_call(r, err); return;
    default: /* CURSOR, NOJOB: Redis went back; the job's own record says where */
        cut_free(r->cut);
        r->cut = NULL;
        loop_timer_set(r->turn, 0);
    }
}

static bool publish_ids(struct registration *r, struct err *err)
{
    struct ids_entry *entries = xcalloc(r->shards.line_count + 1, sizeof(*entries));
    struct buf text = BUF_INIT(IDS_MAX_BYTES);
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
    return payload_encode(r->window.first_line, r->window.bytes, r->window.len, &r->payload, err);
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

    drop_window(r);
    if (state != JOB_OPEN)
        end(r, NULL); /* somebody else has sealed it */
    else if (!cut_go_to(r->cut, cursor, &err))
        end(r, &err);
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
        (void)retry_call(r, err);
        return;
    }
    r->failing_since_ms = 0;
    FAILPOINT("producer.put");
    switch ((int)answer) {
    case PROTOCOL_FULL:
        loop_timer_set(r->turn, FULL_WAIT_MS / 2 + id_random_below(FULL_WAIT_MS));
        return;
    case PROTOCOL_NOJOB: /* Redis has lost it */
        drop_window(r);
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

static void put_window(struct registration *r)
{
    struct shard_put *shards = xcalloc(r->shards.count + 1, sizeof(*shards));

    for (size_t i = 0; i < r->shards.count; i++) {
        const struct shard *s = &r->shards.shards[i];

        shards[i] = (struct shard_put){.index = s->index,
                                       .left = s->left,
                                       .bytes = s->bytes,
                                       .tokens = s->tokens,
                                       .longest = s->longest,
                                       .mask = s->mask,
                                       .label = s->label};
        memcpy(shards[i].lane, s->lane, sizeof(shards[i].lane));
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
        open_job(r);
        return;
    }
    if (r->has_window) { /* FULL before, or no answer */
        put_window(r);
        return;
    }
    bool ok = cut_next(r->cut, &r->window, &at_end, &err);

    if (ok && at_end) {
        FAILPOINT("producer.cut");
        r->step = protocol_job_seal(r->protocol, r->spec.job, r->windows, on_sealed, r);
    } else if (ok && prepare_window(r, &err)) {
        put_window(r);
    } else {
        end(r, &err);
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
    drop_window(r);
    loop_timer_free(r->turn);
    coverage_free(r->coverage);
    cut_free(r->cut);
    sink_close(r->sink);
    buf_release(&r->payload);
    free(r);
}
