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
#include "common/loop/loop.h"
#include "common/loop/loop_backoff.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/sink.h"
#include "worker/bad_lines.h"
#include "worker/core/tally.h"
#include "worker/download.h"
#include "worker/evidence_writer.h"
#include "worker/segment_builder.h"
#include "worker/task.h"

#define SIZE_TRIES          3
#define DOWNLOAD_TRIES      10
#define DOWNLOAD_WAIT_MS    1000
#define DOWNLOAD_LONGEST_MS 15000
#define STALLED_WAIT_MS     30000
#define REFUSALS_MAX_BYTES  (16u << 20)

struct fetch {
    struct task task; /* first */
    uint32_t max_attempts;
    struct sink *sink;
    struct member *members; /* sorted by window */
    struct member *in_file; /* the same in the order of the input file */
    size_t count;
    struct tally tally;
    struct download *download; /* of the file under way */
    struct loop_timer *retry;
    unsigned failures; /* transfers in a row without a new byte */
    uint64_t received; /* what the download had when the one under way began */
};

static void release(struct task *task)
{
    struct fetch *f = (struct fetch *)(void *)task;

    task->worker->fetching--;
    download_free(f->download);
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

static void finish(struct fetch *f)
{
    struct member_done *done = xcalloc(f->count + 1, sizeof(*done));
    struct verdict *verdicts = xcalloc(f->count + 1, sizeof(*verdicts));
    uint64_t left = 0;

    for (size_t i = 0; i < f->count; i++) {
        const struct member *m = &f->members[i];
        struct verdict *v = &verdicts[i];

        tally_verdict(&f->tally, i, !f->task.batch.free_rest, f->max_attempts, v);
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
    f->task.step = protocol_done(f->task.worker->daemon.protocol, f->task.batch.bid,
                                 f->task.work.nonce, 0, done, f->count, on_done, f);
    free(done);
    free(verdicts);
}

static void write_evidence(struct fetch *f)
{
    struct err err = {0};

    if (!evidence_write(f->sink, &f->task.batch, f->members, f->count, &f->tally, &err)) {
        local_trouble(f, &err);
        return;
    }
    FAILPOINT("worker.evidence");
    finish(f);
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
    f->task.step = protocol_chunk(f->task.worker->daemon.protocol, b->bid, f->task.work.nonce, &put,
                                  f->task.worker->daemon.options.lease_ms, on_checkpoint, f);
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

/* A chunk may be on its way to Redis: then giving up waits for a later failure. */
static void on_download_failed(const struct provider_error *error, void *arg)
{
    struct fetch *f = arg;
    uint64_t received = download_received(f->download);

    daemon_note_provider(&f->task.worker->daemon, error);
    log_warn("ev=download_failed batch=%s checkpoint=%" PRIu64 " class=%s reason=%s",
             f->task.batch.bid, f->task.batch.checkpoint, provider_class_name(error->class),
             log_text(error->message));
    f->failures = received > f->received ? 0 : f->failures + 1;
    f->received = received;
    if (f->failures >= SIZE_TRIES && f->task.step == NULL && pinned_wrongly(f)) {
        pin_again(f);
        return;
    }
    if (f->failures >= DOWNLOAD_TRIES && f->task.step == NULL) {
        if (error->class == PROVIDER_NOT_FOUND)
            output_gone(f);
        else
            task_put_off_in_trouble(&f->task, STALLED_WAIT_MS, TROUBLE_FILES, error->message);
        return;
    }
    loop_timer_set(f->retry, backoff_ms(f->failures, DOWNLOAD_WAIT_MS / 4, DOWNLOAD_LONGEST_MS,
                                        id_random_below(UINT32_MAX)));
}

static void next_file(struct fetch *f)
{
    const struct batch *b = &f->task.batch;
    uint64_t base = base_of(f);
    bool is_output = base == 0 && b->output_bytes > 0;
    struct download_hooks hooks = {
        .chunk_ready = on_chunk_ready, .failed = on_download_failed, .arg = f};

    if (b->checkpoint >= b->output_bytes + b->error_bytes) {
        write_evidence(f);
        return;
    }
    f->failures = 0;
    f->received = b->checkpoint - base;
    f->download = download_new(&f->task.worker->daemon, is_output ? b->output : b->error,
                               is_output ? b->output_bytes : b->error_bytes, b->checkpoint - base,
                               f->task.spec.chunk_bytes, &hooks);
}

/* ---- a batch that was refused */

static bool publish_refusals(struct fetch *f, const struct remote_batch *remote, struct err *err)
{
    const struct batch *b = &f->task.batch;
    struct chunk_source source = {
        .batch = b, .ji = f->task.spec.ji, .file = b->remote, .refused = true};
    struct buf lines = BUF_INIT(REFUSALS_MAX_BYTES);
    bool ok = bad_lines_write(remote->json, remote->json_len, f->in_file, f->count, f->task.spec.ji,
                              &lines);

    if (!ok)
        err_set(err, ERR_INTERNAL, "the provider's complaints are too long");
    else if (lines.len > 0)
        ok = segments_publish(f->sink, &source, lines.data, lines.len, &f->tally, err);
    buf_release(&lines);
    return ok;
}

static void on_refused(const struct provider_error *error, const struct remote_batch *remote,
                       void *arg)
{
    struct fetch *f = arg;
    struct err err = {0};

    f->task.call = NULL;
    daemon_note_provider(&f->task.worker->daemon, error);
    if (error != NULL && error->class != PROVIDER_NOT_FOUND)
        task_put_off(&f->task, TASK_TROUBLE_WAIT_MS, error->message);
    else if (error == NULL && !publish_refusals(f, remote, &err))
        local_trouble(f, &err);
    else
        write_evidence(f);
}

/* It ran nothing, and what was not refused goes on free: the provider may name what it refused. */
static bool may_name_lines(const struct batch *b)
{
    return b->failure[0] != '\0' && b->free_rest && b->remote[0] != '\0' &&
           b->output_bytes + b->error_bytes == 0;
}

static void on_members(enum protocol_answer answer, const struct member *members, size_t count,
                       const struct err *err, void *arg)
{
    struct fetch *f = arg;

    if (answer != PROTOCOL_OK) {
        task_stop(&f->task, "members", answer, err);
        return;
    }
    f->task.step = NULL;
    f->members = xcalloc(count + 1, sizeof(*members));
    f->in_file = xcalloc(count + 1, sizeof(*members));
    if (count > 0) {
        memcpy(f->members, members, count * sizeof(*members));
        memcpy(f->in_file, members, count * sizeof(*members));
    }
    qsort(f->members, count, sizeof(*members), tally_compare_members);
    f->count = count;
    tally_init(&f->tally, f->members, count, f->task.batch.masks, f->task.batch.masks_len);
    if (may_name_lines(&f->task.batch))
        f->task.call =
            provider_get(f->task.worker->daemon.provider, f->task.batch.remote, on_refused, f);
    else
        next_file(f);
}

void fetch_start(struct worker *worker, struct claim *claim, const char *nonce)
{
    struct fetch *f = xcalloc(1, sizeof(*f));
    uint32_t max_attempts = claim->job.max_attempts;
    struct err err = {0};

    if (!task_begin(&f->task, worker, claim, nonce))
        return;
    f->max_attempts = max_attempts;
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
