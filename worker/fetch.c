/*
 * Brings the results of one ended batch home.
 *
 *   members ─► output file, then error file ─► .end evidence ─► done ─► CLEAN
 *                 │
 *                 └ bytes ─► chunk ─► segments in the sink ─► checkpoint in Redis
 *
 * The sink comes first, always: whoever repeats a chunk finds its segments and
 * adopts them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/daemon/refusal.h"
#include "common/daemon/split.h"
#include "common/loop/loop.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/sink.h"
#include "worker/bad_lines.h"
#include "worker/core/tally.h"
#include "worker/download.h"
#include "worker/evidence_writer.h"
#include "worker/file_size.h"
#include "worker/segment_builder.h"
#include "worker/task.h"

#define SIZE_TRIES      3
#define LONGEST_HELD_MS 15000 /* a transfer that waits longer lets another one have its place */
#define EXPIRIES        3     /* of one shard: then its lane's files are too large, ... */
#define EXPIRED_LARGE   1000  /* ... if they have so many requests: a small one was just slow */

struct fetch {
    struct task task; /* first */
    struct worker *worker;
    struct sink *sink;
    struct member *members; /* sorted by window */
    struct member *in_file; /* the same in the order of the input file */
    size_t count;
    uint8_t unasked[MEMBER_MASK_BYTES]; /* of the only member: what its file left out */
    struct remote_error refusal;        /* of all of it; no code: it was not refused as a whole */
    struct tally tally;
    struct download *download; /* of the file under way */
    struct file_size *size;
    struct loop_timer *retry;
    unsigned failures; /* transfers in a row without a new byte */
    uint64_t received; /* what the download had when the one under way began */
};

static void release(struct task *task)
{
    struct fetch *f = (struct fetch *)(void *)task;

    f->worker->fetching--;
    download_free(f->download);
    file_size_free(f->size);
    loop_timer_free(f->retry);
    tally_release(&f->tally);
    free(f->members);
    free(f->in_file);
    sink_close(f->sink);
}

static void local_trouble(struct fetch *f, const struct err *err)
{
    log_error("ev=fetch_failed batch=%s job=%s reason=%s", f->task.batch.bid,
              log_text(f->task.batch.job), log_text(err->msg));
    task_put_off_in_trouble(&f->task, TASK_TROUBLE_WAIT_MS, TROUBLE_DISK, err->msg);
}

/* ---- the end of a batch */

static void on_done(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct fetch *f = arg;

    FAILPOINT("worker.done");
    task_stop(&f->task, "done", answer, err);
}

/* What ended before the provider came to it costs no try, however often. */
static struct tally_end end_of(const struct fetch *f)
{
    const struct batch *b = &f->task.batch;

    return (struct tally_end){.billed = !b->free_rest,
                              .refused = f->refusal.code[0] != '\0',
                              .had_a_try = b->failure[0] == '\0' ||
                                           strcmp(b->failure, "batch_expired") == 0 ||
                                           strcmp(b->failure, "batch_cancelled") == 0,
                              .max_attempts = f->task.max_attempts};
}

/* The lines that the file left out are still to be sent. */
static void ask_for_the_rest(const struct fetch *f, struct verdict *v)
{
    const struct member *m = &f->members[0];

    if (f->task.batch.asked == 0 || f->count != 1)
        return;
    for (uint32_t i = 0; i < m->lines; i++) {
        if (mask_get(f->unasked, i))
            v->mask[i >> 3] = (uint8_t)(v->mask[i >> 3] & ~(1u << (i & 7)));
    }
    v->left = mask_left(v->mask, m->lines);
}

/* It expires again and again: it is more than the provider does in its window. */
static void learn_from_expiry(const struct fetch *f, const struct verdict *verdicts)
{
    const struct batch *b = &f->task.batch;
    const struct lane_lesson lesson = {.bid = b->bid,
                                       .file_requests = (b->requests + 1) / 2,
                                       .file_bytes = (b->bytes + 1) / 2,
                                       .why = "batches expire"};

    if (remote_status_parse(b->remote_status) != REMOTE_EXPIRED || b->requests < EXPIRED_LARGE)
        return;
    for (size_t i = 0; i < f->count; i++) {
        const struct member *m = &f->members[i];

        if (verdicts[i].left == 0 || m->attempt + 1 - m->failures < EXPIRIES)
            continue;
        log_warn("ev=lane lane=%s lesson=\"smaller files\" reason=\"batches expire\"", b->lane);
        (void)protocol_lane_learn(f->task.daemon->protocol, b->lane, &lesson, NULL, NULL);
        return;
    }
}

/* The lines are free, so without a pause they would come and go for ever. */
static void wait_for_money(struct fetch *f)
{
    const struct provider_error unpaid = {.class = PROVIDER_BILLING,
                                          .retry_after_ms = -1,
                                          .line = -1,
                                          .message = "the provider answers that the money is used "
                                                     "up"};

    if (f->tally.unpaid > 0)
        (void)task_decide(&f->task, RETRY_FAILED, 0, &unpaid);
}

static void finish(struct fetch *f)
{
    struct member_done *done = xcalloc(f->count + 1, sizeof(*done));
    struct verdict *verdicts = xcalloc(f->count + 1, sizeof(*verdicts));
    const struct tally_end end = end_of(f);
    uint64_t left = 0;

    for (size_t i = 0; i < f->count; i++) {
        const struct member *m = &f->members[i];
        struct verdict *v = &verdicts[i];

        tally_verdict(&f->tally, i, &end, v);
        ask_for_the_rest(f, v);
        left += v->left;
        done[i] = (struct member_done){
            .window = m->window,
            .index = m->index,
            .left = v->left,
            .charged = v->charged,
            .mask = v->mask,
            .mask_len = mask_bytes(m->lines),
            .bytes = v->left * m->longest < m->bytes ? v->left * m->longest : m->bytes,
            .tokens = m->left == 0 ? 0 : m->tokens * v->left / m->left,
        };
    }
    log_info("ev=batch batch=%s job=%s from=FETCH to=CLEAN cause=\"%" PRIu64 " lines, %" PRIu64
             " to send again, %" PRIu64 " alien, %" PRIu64 " garbled\"",
             f->task.batch.bid, log_text(f->task.batch.job), f->tally.lines, left, f->tally.alien,
             f->tally.garbled);
    learn_from_expiry(f, verdicts);
    wait_for_money(f);
    f->task.step = protocol_done(f->task.daemon->protocol, f->task.batch.bid, f->task.work.nonce, 0,
                                 done, f->count, on_done, f);
    free(done);
    free(verdicts);
}

static void write_evidence(struct fetch *f)
{
    struct err err = {0};

    if (!evidence_write(f->sink, &f->task.batch, f->refusal.message, f->members, f->count,
                        &f->tally, &err)) {
        local_trouble(f, &err);
        return;
    }
    FAILPOINT("worker.evidence");
    finish(f);
}

/* ---- fewer lines than the provider counts: the file may not be whole yet */

static bool is_short(const struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    uint64_t lines = f->tally.lines - f->tally.alien - f->tally.duplicate;

    return b->remote_done >= 0 && b->remote_failed >= 0 && b->output_bytes + b->error_bytes > 0 &&
           lines < (uint64_t)(b->remote_done + b->remote_failed);
}

/* Of the last file: what is behind it moves nothing that was integrated. */
static const char *last_file(const struct batch *b)
{
    return b->error_bytes > 0 ? b->error : b->output;
}

static void has_grown(struct fetch *f, int64_t bytes)
{
    const struct batch *b = &f->task.batch;
    char number[24];
    const struct protocol_field fields[] = {
        {b->error_bytes > 0 ? BATCH_F_EBYTES : BATCH_F_OBYTES, number},
        {BATCH_F_TRIES,                                        ""    },
    };

    (void)snprintf(number, sizeof(number), "%" PRId64, bytes);
    task_move(&f->task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), "a file has grown");
}

static void look_later(struct fetch *f)
{
    const struct provider_error few = {.class = PROVIDER_NONE,
                                       .retry_after_ms = -1,
                                       .line = -1,
                                       .message = "fewer lines than the provider counts"};
    struct retry_decision d = task_decide(&f->task, RETRY_DOWNLOAD, RETRY_IF_SHORT, &few);

    if (d.action == RETRY_AGAIN)
        task_try_later(&f->task, d.wait_ms, few.message);
    else
        write_evidence(f);
}

static void on_last_size(const struct provider_error *error, int64_t bytes, void *arg)
{
    struct fetch *f = arg;
    const struct batch *b = &f->task.batch;
    uint64_t had = b->error_bytes > 0 ? b->error_bytes : b->output_bytes;

    file_size_free(f->size);
    f->size = NULL;
    if (error == NULL && (uint64_t)bytes > had)
        has_grown(f, bytes);
    else
        look_later(f);
}

static void complete(struct fetch *f)
{
    if (!is_short(f))
        write_evidence(f);
    else
        f->size = file_size_new(f->task.daemon, last_file(&f->task.batch), on_last_size, f);
}

/* ---- chunks */

static void next_file(struct fetch *f);
static void take_chunks(struct fetch *f);

static void on_checkpoint(enum protocol_answer answer, uint64_t checkpoint, const struct err *err,
                          void *arg)
{
    struct fetch *f = arg;

    if (answer != PROTOCOL_OK) { /* CKPT: somebody is further; the next claim reads where */
        task_stop(&f->task, "chunk", answer, err);
        return;
    }
    f->task.step = NULL;
    f->task.batch.checkpoint = checkpoint;
    f->tally.ok = f->tally.failed = 0;
    FAILPOINT("worker.checkpoint");
    download_chunk_done(f->download);
    take_chunks(f);
}

static uint64_t base_of(const struct fetch *f)
{
    const struct batch *b = &f->task.batch;

    return b->checkpoint < b->output_bytes ? 0 : b->output_bytes;
}

static void take_chunk(struct fetch *f, const struct download_chunk *chunk)
{
    const struct batch *b = &f->task.batch;
    const char *file = base_of(f) == 0 && b->output[0] != '\0' ? b->output : b->error;
    struct chunk_source source = {.batch = b,
                                  .ji = f->task.spec.ji,
                                  .file = file,
                                  .file_offset = b->checkpoint - base_of(f),
                                  .offset = b->checkpoint};
    struct err err = {0};

    if (chunk->oversize)
        tally_note_garbled(&f->tally);
    if (!segments_publish(f->sink, &source, chunk->data, chunk->len, &f->tally, &err)) {
        local_trouble(f, &err);
        return;
    }
    FAILPOINT("worker.segments");
    tally_seal(&f->tally);
    struct chunk_put put = {.remote = b->remote,
                            .offset0 = b->checkpoint,
                            .offset1 = b->checkpoint + chunk->bytes,
                            .masks = f->tally.blob,
                            .masks_len = f->tally.blob_len,
                            .ok = f->tally.ok,
                            .bad = f->tally.failed};
    f->task.step = protocol_chunk(f->task.daemon->protocol, b->bid, f->task.work.nonce, &put,
                                  f->task.daemon->options.lease_ms, on_checkpoint, f);
}

/* Integrate what is whole; the download waits meanwhile. */
static void take_chunks(struct fetch *f)
{
    struct download_chunk chunk;

    if (f->task.step != NULL)
        return;
    if (download_next_chunk(f->download, &chunk)) {
        take_chunk(f, &chunk);
        return;
    }
    if (download_is_complete(f->download)) {
        download_free(f->download);
        f->download = NULL;
        next_file(f);
        return;
    }
    download_resume(f->download);
}

static void on_chunk_ready(void *arg)
{
    take_chunks(arg);
}

/* ---- downloads */

static void output_gone(struct fetch *f)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_FAILURE, "output_gone"},
        {BATCH_F_OUTPUT,  ""           },
        {BATCH_F_ERROR,   ""           },
        {BATCH_F_OBYTES,  ""           },
        {BATCH_F_EBYTES,  ""           }
    };

    task_move(&f->task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), "output is gone");
}

/* What was pinned was wrong, and nothing is integrated that was cut by it. */
static bool pinned_wrongly(const struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    uint64_t base = base_of(f);
    uint64_t size = base == 0 && b->output_bytes > 0 ? b->output_bytes : b->error_bytes;
    int64_t announced = download_announced(f->download);

    return announced >= 0 && (uint64_t)announced != size && b->checkpoint == base;
}

static void pin_again(struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    char bytes[24];
    const struct protocol_field field = {
        base_of(f) == 0 && b->output_bytes > 0 ? BATCH_F_OBYTES : BATCH_F_EBYTES, bytes};

    (void)snprintf(bytes, sizeof(bytes), "%" PRId64, download_announced(f->download));
    task_move(&f->task, BATCH_FETCH, PROTOCOL_WK, 0, &field, 1,
              "a file has another size than told");
}

static void retry(void *arg)
{
    struct fetch *f = arg;

    download_retry(f->download);
}

static struct retry_decision decide(struct fetch *f, const struct provider_error *error)
{
    int64_t since_ms = work_redis_now_ms(&f->task.work) - f->task.batch.ended_ms;
    bool young = since_ms < retry_grace_ms(f->task.poll_ms);

    f->task.batch.tries = f->failures;
    return task_decide(&f->task, RETRY_DOWNLOAD, young ? RETRY_IF_YOUNG : 0, error);
}

/* A chunk may be on its way to Redis: then giving up waits for a later failure. */
static void on_download_failed(const struct provider_error *error, void *arg)
{
    struct fetch *f = arg;
    uint64_t received = download_received(f->download);

    daemon_note_provider(f->task.daemon, error);
    if (received > f->received)
        f->failures = 0;
    f->received = received;
    struct retry_decision d = decide(f, error);
    f->failures++;
    if (f->failures >= SIZE_TRIES && f->task.step == NULL && pinned_wrongly(f))
        pin_again(f);
    else if (d.action == RETRY_RESUBMIT_COUNTED && f->task.step == NULL)
        output_gone(f);
    else if (d.wait_ms > LONGEST_HELD_MS && f->task.step == NULL)
        task_put_off(&f->task, d.wait_ms, f->task.failure.message);
    else
        loop_timer_set(f->retry, d.wait_ms < LONGEST_HELD_MS ? d.wait_ms : LONGEST_HELD_MS);
}

static void next_file(struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    uint64_t base = base_of(f);
    bool is_output = base == 0 && b->output_bytes > 0;
    struct download_hooks hooks = {
        .chunk_ready = on_chunk_ready, .failed = on_download_failed, .arg = f};

    if (b->checkpoint >= b->output_bytes + b->error_bytes) {
        complete(f);
        return;
    }
    f->failures = 0;
    f->received = b->checkpoint - base;
    f->download = download_new(f->task.daemon, is_output ? b->output : b->error,
                               is_output ? b->output_bytes : b->error_bytes, b->checkpoint - base,
                               f->task.spec.chunk_bytes, &hooks);
}

/* ---- a batch that was refused */

/* The lines that the provider named, as results; or all of it, as the reason. */
static bool take_refusal(struct fetch *f, struct err *err)
{
    const struct batch *b = &f->task.batch;
    struct chunk_source source = {.batch = b,
                                  .ji = f->task.spec.ji,
                                  .file = b->remote[0] != '\0' ? b->remote : b->bid,
                                  .refused = true};
    struct buf lines = BUF_INIT(2 * REFUSAL_MAX_BYTES);
    bool ok =
        bad_lines_write(b->refused, f->in_file, f->count, f->task.spec.ji, &lines, &f->refusal);

    if (!ok)
        err_set(err, ERR_INTERNAL, "the provider's complaints are too long");
    else if (lines.len > 0)
        ok = segments_publish(f->sink, &source, lines.data, lines.len, &f->tally, err);
    buf_release(&lines);
    return ok;
}

/* What the file asked for, and in which order. */
static void keep_members(struct fetch *f, const struct member *members, size_t count)
{
    f->members = xcalloc(count + 1, sizeof(*members));
    f->in_file = xcalloc(count + 1, sizeof(*members));
    if (count > 0)
        memcpy(f->members, members, count * sizeof(*members));
    if (count == 1) {
        split_narrow(&f->members[0], f->task.batch.asked);
        for (size_t i = 0; i < sizeof(f->unasked); i++)
            f->unasked[i] = (uint8_t)(f->members[0].mask[i] & ~members[0].mask[i]);
    }
    memcpy(f->in_file, f->members, (count + 1) * sizeof(*members));
    qsort(f->members, count, sizeof(*members), tally_compare_members);
    f->count = count;
    tally_init(&f->tally, f->members, count, f->task.batch.masks, f->task.batch.masks_len);
}

static void on_members(enum protocol_answer answer, const struct member *members, size_t count,
                       const struct err *err, void *arg)
{
    struct fetch *f = arg;
    struct err problem = {0};

    if (answer != PROTOCOL_OK) {
        task_stop(&f->task, "members", answer, err);
        return;
    }
    f->task.step = NULL;
    keep_members(f, members, count);
    if (f->task.batch.refused == NULL)
        next_file(f);
    else if (take_refusal(f, &problem))
        write_evidence(f);
    else
        local_trouble(f, &problem);
}

void fetch_start(struct worker *worker, struct claim *claim, const char *nonce)
{
    struct fetch *f = xcalloc(1, sizeof(*f));
    struct err err = {0};

    if (!task_begin(&f->task, worker->crew, claim, nonce))
        return;
    f->worker = worker;
    f->task.release = release;
    worker->fetching++;
    f->retry = loop_timer_new(worker->daemon.base, retry, f);
    f->sink = sink_open(f->task.spec.sink, f->task.spec.job, f->task.spec.ji, false, &err);
    if (f->sink == NULL) {
        local_trouble(f, &err);
        return;
    }
    f->task.step = protocol_members(worker->daemon.protocol, f->task.batch.bid, f->task.work.nonce,
                                    on_members, f);
}
