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
#include "common/codec/segment.h"
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
#define SHORT_PASSES    1 /* files that hold too few lines are read so often anew, ... */
#define TORN_PASSES     5 /* ... and so often, if they were put together from several answers */
#define CHUNK_WAIT_MS   100
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
    struct member whole;                /* the only member, with what its file left out */
    struct remote_error refusal;        /* of all of it; no code: it was not refused as a whole */
    struct tally tally;
    struct download *download; /* of the file under way */
    struct file_size *size;
    unsigned looked; /* files whose size was asked for again */
    struct loop_timer *retry;
    uint64_t received; /* the most that the download had when a transfer of it ended */
    bool torn;         /* what came since the claim is of several answers, or of several claims */
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
                                           strcmp(b->failure, "output_gone") == 0 ||
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

/* The part of @n, which is of all lines that @m had to ask for, that @left of them have. */
static uint64_t part_left(uint64_t n, uint32_t left, const struct member *m)
{
    return m->left == 0 ? 0 : (n * left + m->left - 1) / m->left;
}

/* Which lines are left is known, how much each of them asks for is not: what pays is a bound. */
static struct member_done leave(const struct member *m, const struct verdict *v)
{
    return (struct member_done){
        .window = m->window,
        .index = m->index,
        .left = v->left,
        .charged = v->charged,
        .untried = v->untried,
        .mask = v->mask,
        .mask_len = mask_bytes(m->lines),
        .bytes = tally_at_most(m->bytes, v->left, m->longest),
        .tokens = part_left(m->tokens, v->left, m),
        .most_tokens = tally_at_most(m->most_tokens, v->left, m->line_tokens),
        .est_output = tally_at_most(m->est_output, v->left, m->line_output),
        .open_ended = (uint32_t)tally_at_most(m->open_ended, v->left, 1),
    };
}

static void bill_all(const struct fetch *f, struct batch_bill *out)
{
    struct tally_lesson lesson = {0};

    if (f->task.batch.asked == 0) /* of a part of a shard nobody knows what was estimated */
        tally_teach(&f->tally, &lesson);
    *out = (struct batch_bill){
        .priced = f->task.batch.priced, .est_input = lesson.estimated, .input = lesson.counted};
    for (size_t i = 0; i < f->tally.part_count; i++) {
        struct bill bill;

        tally_bill(&f->tally, i, &f->task.batch, &bill);
        out->priced = out->priced && bill.priced;
        money_add(&out->nano, bill.nano);
        out->lines += bill.lines;
        out->output += bill.usage.completion;
    }
}

static void finish(struct fetch *f)
{
    struct member_done *done = xcalloc(f->count + 1, sizeof(*done));
    struct verdict *verdicts = xcalloc(f->count + 1, sizeof(*verdicts));
    const struct tally_end end = end_of(f);
    struct batch_bill bill;
    uint64_t left = 0;

    for (size_t i = 0; i < f->count; i++) {
        tally_verdict(&f->tally, i, &end, &verdicts[i]);
        ask_for_the_rest(f, &verdicts[i]);
        left += verdicts[i].left;
        done[i] = leave(f->count == 1 ? &f->whole : &f->members[i], &verdicts[i]);
    }
    bill_all(f, &bill);
    log_info("ev=batch batch=%s job=%s from=FETCH to=CLEAN cause=\"%" PRIu64 " lines, %" PRIu64
             " to send again, %" PRIu64 " alien, %" PRIu64 " garbled\"",
             f->task.batch.bid, log_text(f->task.batch.job), f->tally.lines, left, f->tally.alien,
             f->tally.garbled);
    learn_from_expiry(f, verdicts);
    wait_for_money(f);
    work_leave(&f->task.work);
    f->task.step = protocol_done(f->task.daemon->protocol, f->task.batch.bid, f->task.work.nonce, 0,
                                 done, f->count, &bill, on_done, f);
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

/* Lines that the files should have. */
static uint64_t expected(const struct batch *b)
{
    if (b->remote_done >= 0 && b->remote_failed >= 0)
        return (uint64_t)(b->remote_done + b->remote_failed);
    if (remote_status_parse(b->remote_status) != REMOTE_COMPLETED)
        return 0;
    return b->asked > 0 ? b->asked : b->requests;
}

static bool is_short(const struct fetch *f)
{
    const struct batch *b = &f->task.batch;

    return (b->output[0] != '\0' || b->error[0] != '\0') &&
           f->tally.seen + f->tally.garbled < expected(b);
}

/*
 * What comes behind the end of the last file moves nothing that was integrated: so the one
 * that has grown becomes the last.
 */
static void has_grown(struct fetch *f, unsigned which, int64_t bytes)
{
    const struct batch *b = &f->task.batch;
    bool output = which == 0;
    char before[24], now[24];
    const struct protocol_field fields[] = {
        {BATCH_F_OUTPUT, output ? b->error : b->output},
        {BATCH_F_ERROR,  output ? b->output : b->error},
        {BATCH_F_OBYTES, before                       },
        {BATCH_F_EBYTES, now                          },
        {BATCH_F_TRIES,  ""                           },
    };

    (void)snprintf(before, sizeof(before), "%" PRIu64, output ? b->error_bytes : b->output_bytes);
    (void)snprintf(now, sizeof(now), "%" PRId64, bytes);
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

static void look_at_next(struct fetch *f);

static void on_size(const struct provider_error *error, int64_t bytes, void *arg)
{
    struct fetch *f = arg;
    const struct batch *b = &f->task.batch;
    unsigned which = f->looked++;
    uint64_t had = which == 0 ? b->output_bytes : b->error_bytes;

    file_size_free(f->size);
    f->size = NULL;
    if (error == NULL && (uint64_t)bytes > had)
        has_grown(f, which, bytes);
    else
        look_at_next(f);
}

static void look_at_next(struct fetch *f)
{
    const char *const files[] = {f->task.batch.output, f->task.batch.error};

    while (f->looked < ARRAY_LEN(files) && files[f->looked][0] == '\0')
        f->looked++;
    if (f->looked == ARRAY_LEN(files))
        look_later(f);
    else
        f->size = file_size_new(f->task.daemon, files[f->looked], on_size, f);
}

/*
 * A server may give the lines in another order each time; then what was put together from several
 * answers has some twice and some not at all. What was taken stays, under its own names.
 */
static void begin_pass(struct fetch *f, int64_t wait_ms, const char *cause)
{
    char pass[16], tries[16];
    const struct protocol_field fields[] = {
        {BATCH_F_CHECK,    ""                    },
        {BATCH_F_PASS,     pass                  },
        {BATCH_F_TRIES,    tries                 },
        {BATCH_F_TRIES_OF, f->task.batch.tries_of}
    };

    (void)snprintf(pass, sizeof(pass), "%u", f->task.batch.pass + 1);
    (void)snprintf(tries, sizeof(tries), "%u", f->task.batch.tries);
    task_move(&f->task, BATCH_FETCH, PROTOCOL_WK, wait_ms, fields, ARRAY_LEN(fields), cause);
}

/* Of a file that was given up a size proves nothing: its content did not come. */
static void complete(struct fetch *f)
{
    const struct batch *b = &f->task.batch;

    f->looked = 0;
    if (!is_short(f) || b->failure[0] != '\0')
        write_evidence(f);
    else if (b->checkpoint > 0 && b->pass < (f->torn ? TORN_PASSES : SHORT_PASSES))
        begin_pass(f, 0, "too few lines: all of it once more");
    else
        look_at_next(f);
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

/* The output file is under way, else the error file. */
static bool in_output(const struct batch *b)
{
    return b->checkpoint < b->output_bytes;
}

static uint64_t base_of(const struct batch *b)
{
    return in_output(b) ? 0 : b->output_bytes;
}

static void take_chunk(struct fetch *f, const struct download_chunk *chunk)
{
    const struct batch *b = &f->task.batch;
    struct chunk_source source = {.batch = b,
                                  .ji = f->task.spec.ji,
                                  .file = in_output(b) ? b->output : b->error,
                                  .file_offset = b->checkpoint - base_of(b),
                                  .offset =
                                      ((uint64_t)b->pass << SEGMENT_PASS_SHIFT) + b->checkpoint};
    bool differs;
    struct err err = {0};

    if (chunk->oversize)
        tally_note_garbled(&f->tally);
    if (!segments_publish(f->sink, &source, chunk->data, chunk->len, &f->tally, &differs, &err)) {
        local_trouble(f, &err);
        return;
    }
    if (differs) {
        begin_pass(f, 0, "a file is another one than before");
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
        f->task.batch.tries = 0;
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

/* Of the file under way. */
static void pin(struct fetch *f, uint64_t bytes, const char *failure, const char *cause)
{
    char number[24];
    const struct protocol_field fields[] = {
        {in_output(&f->task.batch) ? BATCH_F_OBYTES : BATCH_F_EBYTES, number },
        {BATCH_F_TRIES,                                               ""     },
        {BATCH_F_FAILURE,                                             failure},
    };

    (void)snprintf(number, sizeof(number), "%" PRIu64, bytes);
    task_move(&f->task, BATCH_FETCH, PROTOCOL_WK, 0, fields, ARRAY_LEN(fields), cause);
}

/* What came of it stays, the other file is still taken, and CLEAN deletes both. */
static void give_file_up(struct fetch *f)
{
    const struct batch *b = &f->task.batch;

    pin(f, b->checkpoint - base_of(b), "output_gone", "a result file is gone");
}

/* It has fewer bytes than was told. No chunk was cut at the end that never came. */
static bool pinned_too_long(const struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    uint64_t size = in_output(b) ? b->output_bytes : b->error_bytes;
    int64_t announced = download_announced(f->download);

    return announced >= 0 && (uint64_t)announced < size &&
           (uint64_t)announced >= b->checkpoint - base_of(b);
}

static void retry(void *arg)
{
    struct fetch *f = arg;
    const struct batch *b = &f->task.batch;

    bool changed = download_has_changed(f->download);

    f->torn = true;
    if (changed && f->task.step != NULL) /* a chunk of what came before is on its way */
        loop_timer_set(f->retry, CHUNK_WAIT_MS);
    else if (changed && b->checkpoint > base_of(b))
        begin_pass(f, b->pass < TORN_PASSES ? 0 : LONGEST_HELD_MS, f->task.failure.message);
    else
        download_retry(f->download);
}

static struct retry_decision decide(struct fetch *f, const struct provider_error *error)
{
    int64_t since_ms = work_redis_now_ms(&f->task.work) - f->task.batch.ended_ms;
    bool young = since_ms < retry_grace_ms(f->task.poll_ms);
    struct retry_decision d =
        task_decide(&f->task, RETRY_DOWNLOAD, young ? RETRY_IF_YOUNG : 0, error);

    task_count_failure(&f->task);
    return d;
}

/* A chunk may be on its way to Redis: then giving up waits for a later failure. */
static void on_download_failed(const struct provider_error *error, void *arg)
{
    struct fetch *f = arg;
    uint64_t received = download_received(f->download);

    daemon_note_provider(f->task.daemon, error);
    if (received > f->received)
        f->task.batch.tries = 0;
    f->received = received > f->received ? received : f->received;
    struct retry_decision d = decide(f, error);
    if (f->task.batch.tries >= SIZE_TRIES && f->task.step == NULL && pinned_too_long(f))
        pin(f, (uint64_t)download_announced(f->download), f->task.batch.failure,
            "a file has fewer bytes than told");
    else if (d.action == RETRY_RESUBMIT_COUNTED && f->task.step == NULL)
        give_file_up(f);
    else if (d.wait_ms > LONGEST_HELD_MS && f->task.step == NULL)
        task_try_later(&f->task, d.wait_ms, f->task.failure.message);
    else
        loop_timer_set(f->retry, d.wait_ms < LONGEST_HELD_MS ? d.wait_ms : LONGEST_HELD_MS);
}

static void next_file(struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    uint64_t base = base_of(b);
    bool is_output = in_output(b);
    struct download_hooks hooks = {
        .chunk_ready = on_chunk_ready, .failed = on_download_failed, .arg = f};

    if (b->checkpoint >= b->output_bytes + b->error_bytes) {
        complete(f);
        return;
    }
    f->received = b->checkpoint - base;
    f->download = download_new(f->task.daemon, is_output ? b->output : b->error,
                               is_output ? b->output_bytes : b->error_bytes, b->checkpoint - base,
                               f->task.spec.chunk_bytes, &hooks);
}

/* ---- a batch that was refused */

/* It named lines that the file does not have: sent again it would be refused again. */
static void stop_lane(struct fetch *f)
{
    const struct provider_error what = {.class = PROVIDER_INVALID_LINE,
                                        .retry_after_ms = -1,
                                        .line = -1,
                                        .message = "the provider refuses lines that its file does "
                                                   "not have"};

    (void)task_decide(&f->task, RETRY_FAILED, 0, &what);
}

/* The lines that the provider named, as results; or all of it, as the reason. */
static bool take_refusal(struct fetch *f, struct err *err)
{
    const struct batch *b = &f->task.batch;
    struct chunk_source source = {.batch = b,
                                  .ji = f->task.spec.ji,
                                  .file = b->remote[0] != '\0' ? b->remote : b->bid,
                                  .refused = true};
    bool differs; /* they are of our own making: never */
    struct buf lines = BUF_INIT((size_t)2 * REFUSAL_MAX_BYTES);
    bool ok =
        bad_lines_write(b->refused, f->in_file, f->count, f->task.spec.ji, &lines, &f->refusal);

    if (ok && lines.len == 0 && f->refusal.code[0] == '\0')
        stop_lane(f);
    if (!ok)
        err_set(err, ERR_INTERNAL, "the provider's complaints are too long");
    else if (lines.len > 0)
        ok = segments_publish(f->sink, &source, lines.data, lines.len, &f->tally, &differs, err);
    buf_release(&lines);
    return ok;
}

/* To the lines that the file asked for. */
static void scale_estimates(struct member *m, const struct member *whole)
{
    m->tokens = part_left(m->tokens, m->left, whole);
    m->est_output = part_left(m->est_output, m->left, whole);
    m->open_ended = (uint32_t)part_left(m->open_ended, m->left, whole);
}

/* What the file asked for, and in which order. */
static void keep_members(struct fetch *f, const struct member *members, size_t count)
{
    f->members = xcalloc(count + 1, sizeof(*members));
    f->in_file = xcalloc(count + 1, sizeof(*members));
    if (count > 0)
        memcpy(f->members, members, count * sizeof(*members));
    if (count == 1) {
        f->whole = members[0];
        split_narrow(&f->members[0], f->task.batch.asked);
        for (size_t i = 0; i < sizeof(f->unasked); i++)
            f->unasked[i] = (uint8_t)(f->members[0].mask[i] & ~members[0].mask[i]);
        scale_estimates(&f->members[0], &f->whole);
    }
    memcpy(f->in_file, f->members, (count + 1) * sizeof(*members));
    qsort(f->members, count, sizeof(*members), tally_compare_members);
    f->count = count;
    tally_init(&f->tally, f->members, count, f->task.batch.masks, f->task.batch.masks_len);
    if (f->task.batch.checkpoint == 0)
        tally_begin_pass(&f->tally);
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
    f->torn = f->task.batch.checkpoint > 0 &&
              f->task.batch.checkpoint < f->task.batch.output_bytes + f->task.batch.error_bytes;
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
