/* How a registration begins: the job is opened or found, and the cut stands where it goes on. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/codec/ids.h"
#include "common/json/scan.h"
#include "common/loop/loop.h"
#include "common/merge/coverage.h"
#include "common/merge/spent.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/job_doc.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "common/sink/sink_trail.h"
#include "producer/cut.h"
#include "producer/registration_internal.h"

#define DOCUMENT_MAX_BYTES 65536
#define CANCEL_STEP        1000 /* shards that one call settles */

static bool find_known_job(struct registration *r, struct err *err)
{
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    struct job_spec known;
    struct sink *sink = NULL;
    char ji[JOB_JI_LEN + 1];
    bool ok = false;

    r->known_to_sink = false;
    spent_release(&r->spent);
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
    if (!generations_find_newest(sink, &r->plan.tunables.generation, err))
        goto out;
    /* Before Redis takes the job in a currency in which it was never billed. */
    if (!spent_read(sink, r->plan.quotes.currency, &r->spent, err)) {
        err_wrap(err, "job \"%s\"", known.job);
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

static bool put_text(struct buf *out, const char *name, const char *text)
{
    return buf_printf(out, "%s\"%s\":", out->len > 1 ? "," : "", name) &&
           json_string_encode(out, text, strlen(text));
}

static bool write_opening(const struct registration *r, struct buf *what)
{
    const char *input = r->spec.inline_payload ? r->plan.input : r->spec.source;

    return buf_append(what, "{", 1) && put_text(what, "input", input) &&
           put_text(what, "provider", r->spec.provider) && put_text(what, "model", r->spec.model) &&
           put_text(what, "note", r->spec.note) && buf_append(what, "}", 1);
}

/* Who opens a job, for its trail; one that goes on has been opened. */
static bool note_opening(struct registration *r, struct err *err)
{
    struct buf what = BUF_INIT(DOCUMENT_MAX_BYTES);
    bool opened = false;
    bool ok = sink_exists(r->sink, LAYOUT_JOB, &opened, err);

    if (ok && !opened)
        ok = write_opening(r, &what) ? sink_trail_add(r->sink, "open", what.data, err)
                                     : err_set(err, ERR_INTERNAL, "the job's texts are too large");
    buf_release(&what);
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
    ok = note_opening(r, err) && sink_publish(r->sink, LAYOUT_JOB, text.data, text.len, NULL, err);
    FAILPOINT("producer.job_published");
out:
    buf_release(&text);
    return ok;
}

/* The ids of a window that is in the sink already say what bytes it was made of. */
static bool is_the_window_known(struct registration *r, const struct window *window,
                                struct err *err)
{
    struct buf text = BUF_INIT(REGISTRATION_IDS_MAX);
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
 * the sink, and where all of it was cut, it must end there. An input whose lines are to be
 * given back is read the same way.
 */
static bool follow_input(struct registration *r, bool is_stream, struct err *err)
{
    bool at_end = false;

    for (uint32_t i = 0; i < r->cursor.window; i++) {
        if (!cut_next(r->cut, &r->window, &at_end, err))
            return false;
        if (at_end)
            return err_set(err, ERR_CONFLICT, "job \"%s\" exists with a longer input", r->spec.job);
        if (!is_the_window_known(r, &r->window, err) ||
            (r->mending && !registration_mend_window(r, err)))
            return false;
    }
    if (r->state == JOB_OPEN || !is_stream)
        return true;
    if (!cut_next(r->cut, &r->window, &at_end, err))
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

static bool on_count(const char *name, void *arg, struct err *err)
{
    (void)name;
    (void)err;
    ++*(uint64_t *)arg;
    return true;
}

/* Every window has its ids in the sink, and its lines unless none of them can be sent. */
static bool look_for_lines(struct registration *r, struct err *err)
{
    uint64_t ids = 0;
    uint64_t lines = 0;

    r->mending = false;
    if (!r->spec.inline_payload || r->state == JOB_OPEN)
        return true;
    if (!sink_list(r->sink, LAYOUT_IDS, on_count, &ids, err) ||
        !sink_list(r->sink, LAYOUT_REQ, on_count, &lines, err))
        return false;
    r->mending = lines < ids;
    return true;
}

static void on_resumed(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct registration *r = arg;

    (void)answer;
    (void)err;
    r->step = NULL;
    registration_end(r, NULL);
}

/* The whole input was registered before. What waited for lost lines goes on. */
static void end_registered(struct registration *r)
{
    if (r->mending)
        r->step = protocol_job_resume(r->protocol, r->spec.job, "input_changed", on_resumed, r);
    else
        registration_end(r, NULL);
}

static void start_cut(struct registration *r)
{
    bool is_stream = strcmp(r->plan.input, "-") == 0;
    struct err err = {0};

    if (!source_is_there(r, &err) || !look_for_lines(r, &err)) {
        registration_end(r, &err);
        return;
    }
    if (r->state != JOB_OPEN && !is_stream && !r->mending) {
        registration_end(r, NULL);
        return;
    }
    cut_free(r->cut);
    r->cut = cut_new(r->plan.input, &r->spec, &err);
    if (r->cut == NULL || ((is_stream || r->mending) && !follow_input(r, is_stream, &err)) ||
        !cut_go_to(r->cut, &r->cursor, &err)) {
        registration_end(r, &err);
        return;
    }
    if (r->state != JOB_OPEN) {
        end_registered(r);
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
    case PROTOCOL_FAILED: (void)registration_retry(r, err); return;
    case PROTOCOL_NOJOB: loop_timer_set(r->turn, 0); return; /* lost again: open it again */
    default: start_cut(r); return;
    }
}

static void cancel_again(struct registration *r)
{
    r->step =
        protocol_job_cancel(r->protocol, r->spec.job, r->generation, CANCEL_STEP, on_cancelled, r);
}

/* A Redis that was lost or rolled back may not know that the job was cancelled; the sink does. */
static void obey_mark(struct registration *r)
{
    char name[LAYOUT_NAME_MAX];
    struct err err = {0};
    bool cancelled = false;

    if (r->state != JOB_FINAL &&
        !sink_exists(r->sink, layout_cancelled(name, r->generation), &cancelled, &err))
        registration_end(r, &err);
    else if (cancelled)
        cancel_again(r);
    else
        start_cut(r);
}

static void on_told(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct registration *r = arg;

    r->step = NULL;
    switch ((int)answer) {
    case PROTOCOL_FAILED: (void)registration_retry(r, err); return;
    case PROTOCOL_NOJOB: loop_timer_set(r->turn, 0); return; /* lost again: open it again */
    default: obey_mark(r); return;
    }
}

/* Whoever resubmitted the job may have died before Redis knew, and Redis may have forgotten. */
static void tell_generation(struct registration *r)
{
    struct err err = {0};
    struct generations *g = generations_load(r->sink, &err);
    size_t count;

    if (g == NULL) {
        registration_end(r, &err);
        return;
    }
    r->generation = generations_newest(g);
    r->last_window = generations_windows(g);
    struct part_generation *parts = generations_parts(g, &count);
    generations_free(g);
    if (r->generation > 0)
        r->step =
            protocol_generation(r->protocol, r->spec.job, r->generation, parts, count, on_told, r);
    else
        obey_mark(r);
    free(parts);
}

static void on_spent(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct registration *r = arg;

    r->step = NULL;
    switch ((int)answer) {
    case PROTOCOL_FAILED: (void)registration_retry(r, err); return;
    case PROTOCOL_NOJOB: loop_timer_set(r->turn, 0); return; /* lost again: open it again */
    default: tell_generation(r); return;
    }
}

/* Redis may have forgotten batches that the sink has the bills of. */
static void tell_spent(struct registration *r)
{
    const struct spent_list *spent = &r->spent;

    if (!r->known_to_sink) {
        tell_generation(r);
        return;
    }
    struct batch_cost *costs = xcalloc(spent->count + 1, sizeof(*costs));
    for (size_t i = 0; i < spent->count; i++) {
        costs[i].nano = spent->items[i].nano;
        memcpy(costs[i].bid, spent->items[i].bid, sizeof(costs[i].bid));
    }
    r->step = protocol_job_spent(r->protocol, r->spec.job, costs, spent->count, on_spent, r);
    free(costs);
    spent_release(&r->spent);
}

static void refuse_opening(struct registration *r, enum protocol_answer answer,
                           const struct job_opened *opened)
{
    struct err problem = {0};

    if (answer == PROTOCOL_STATE)
        err_set(&problem, ERR_CONFLICT,
                "job \"%s\" has spent money in %s, or batches of it are under way that are billed "
                "so, and its provider bills in %s by the prices that are given now",
                r->plan.spec.job, opened->currency, r->plan.quotes.currency);
    else
        err_set(&problem, ERR_CONFLICT, "job \"%s\" exists with another input", r->plan.spec.job);
    registration_end(r, &problem);
}

static void on_opened(enum protocol_answer answer, const struct job_opened *opened,
                      const struct err *err, void *arg)
{
    struct registration *r = arg;
    struct err problem = {0};

    r->step = NULL;
    if (opened == NULL) {
        (void)registration_retry(r, err);
        return;
    }
    r->failing_since_ms = 0;
    if (answer == PROTOCOL_CONFLICT || answer == PROTOCOL_STATE) {
        refuse_opening(r, answer, opened);
        return;
    }
    if (!job_doc_parse(opened->spec, strlen(opened->spec), &r->spec, &problem) ||
        !open_sink(r, &problem)) {
        registration_end(r, &problem);
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
    tell_spent(r);
}

/* With the quotes of the lanes that Redis knows: prices may be others now, or known at last. */
static void open_job(struct registration *r)
{
    struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    struct err err = {0};

    if (!job_doc_write(&r->plan.spec, &text)) {
        err_set(&err, ERR_INTERNAL, "the job's document is too large");
        registration_end(r, &err);
    } else {
        r->step = protocol_job_open(r->protocol, r->plan.spec.job, r->plan.spec.ji,
                                    r->plan.spec.fingerprint, r->plan.spec.site, text.data,
                                    &r->plan.tunables, on_opened, r);
    }
    buf_release(&text);
}

static bool make_quotes(const struct registration *r, const struct job_lane *lanes, size_t count,
                        struct lane_quote *out, struct err *err)
{
    char model[QUOTES_MODEL_SIZE];

    for (size_t i = 0; i < count; i++) {
        memcpy(out[i].lane, lanes[i].lane, sizeof(out[i].lane));
        if (quotes_label_model(lanes[i].label, model) &&
            !quotes_of(&r->plan.quotes, model, &out[i].priced, &out[i].quote, err))
            return false;
    }
    return true;
}

static void on_lanes(enum protocol_answer answer, const struct job_lane *lanes, size_t count,
                     const struct err *err, void *arg)
{
    struct registration *r = arg;
    struct job_tunables *tunables = &r->plan.tunables;
    struct err problem = {0};

    r->step = NULL;
    if (answer == PROTOCOL_FAILED) {
        (void)registration_retry(r, err);
        return;
    }
    struct lane_quote *quotes = xcalloc(count + 1, sizeof(*quotes));
    if (make_quotes(r, lanes, count, quotes, &problem)) {
        tunables->quotes = quotes;
        tunables->quote_count = count;
        open_job(r);
        tunables->quotes = NULL;
        tunables->quote_count = 0;
    } else {
        registration_end(r, &problem);
    }
    free(quotes);
}

void registration_open(struct registration *r)
{
    struct err err = {0};

    if (find_known_job(r, &err))
        r->step = protocol_job_lanes(r->protocol, r->plan.spec.job, on_lanes, r);
    else
        registration_end(r, &err);
}
