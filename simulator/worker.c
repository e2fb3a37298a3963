#include "simulator/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "simulator/execute.h"
#include "simulator/options.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/validate.h"

#define ZHIPU_EMBEDDINGS_MAX 10000
#define OUTPUT_TTL_S         2592000

char *worker_new_id(const char *prefix, size_t len)
{
    size_t n = strlen(prefix);
    size_t size = n + len + 1;
    char *id = xcalloc(size, 1);

    (void)snprintf(id, size, "%s", prefix);
    id_random(id + n, len);
    return id;
}

static void save(struct sim *sim, const struct sim_batch *batch)
{
    struct err err = {0};

    if (!batches_save(&sim->batches, batch, &err))
        log_error("ev=batch_not_saved batch=%s reason=%s", batch->id, log_text(err.msg));
}

/* The one place where a batch's status changes in this thread. */
static void move_to(struct sim *sim, struct sim_batch *batch, enum batch_status to)
{
    int64_t now = clock_unix_ms();

    log_debug("ev=batch batch=%s from=%s to=%s", batch->id, batch_status_name(batch->status),
              batch_status_name(to));
    batch->status = to;
    switch (to) {
    case BATCH_IN_PROGRESS: batch->in_progress = now; break;
    case BATCH_FINALIZING: batch->finalizing = now; return; /* not worth a write */
    case BATCH_COMPLETED: batch->completed = now; break;
    case BATCH_EXPIRED: batch->expired = now; break;
    case BATCH_FAILED: batch->failed = now; break;
    case BATCH_CANCELLED: batch->cancelled = now; break;
    case BATCH_VALIDATING:
    case BATCH_CANCELLING: break;
    }
    save(sim, batch);
}

static void fail(struct sim *sim, struct sim_batch *batch, const char *errors)
{
    free(batch->errors);
    batch->errors = xstrdup(errors);
    move_to(sim, batch, BATCH_FAILED);
}

static void fail_no_file(struct sim *sim, struct sim_batch *batch)
{
    struct buf text = TEXT_INIT;
    struct buf message = TEXT_INIT;

    text_f(&message,
           "Cannot find file %.200s, or organization org-simulator does not have access to it.",
           batch->input_file_id);
    text_put(&text, "{\"code\":\"invalid_request\",\"message\":");
    text_string(&text, message.data);
    text_put(&text, ",\"param\":\"file_id\",\"line\":null}");
    fail(sim, batch, text.data);
    buf_release(&message);
    buf_release(&text);
}

static void fail_trouble(struct sim *sim, struct sim_batch *batch, const struct err *trouble)
{
    struct buf text = TEXT_INIT;

    log_error("ev=batch_trouble batch=%s reason=%s", batch->id, log_text(trouble->msg));
    text_put(&text, "{\"code\":\"server_error\",\"message\":");
    text_string(&text, trouble->msg);
    text_put(&text, ",\"param\":null,\"line\":null}");
    fail(sim, batch, text.data);
    buf_release(&text);
}

/* Its input, open for reading; -1 when the batch may not see one. */
static int open_input(struct sim *sim, const struct sim_batch *batch)
{
    const struct sim_file *file = files_find(&sim->files, batch->input_file_id);

    if (file == NULL || batch->file_hidden || strcmp(file->purpose, "batch") != 0)
        return -1;
    return files_open(&sim->files, file->id);
}

/* Prompt tokens that live batches of the same model hold. */
static uint64_t enqueued_tokens(const struct sim *sim, const char *model)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < sim->batches.count; i++) {
        const struct sim_batch *b = sim->batches.list[i];

        if (!batch_status_is_final(b->status) && b->model != NULL && strcmp(b->model, model) == 0)
            sum += (uint64_t)b->tokens;
    }
    return sum;
}

static bool fits_queue(struct sim *sim, struct sim_batch *batch, const struct verdict *v)
{
    uint64_t limit = sim->opt->enqueued_tokens;
    struct buf text = TEXT_INIT;

    if (limit == 0 || enqueued_tokens(sim, v->model.data) + v->tokens <= limit)
        return true;
    text_f(&text,
           "{\"code\":\"token_limit_exceeded\",\"message\":\"Enqueued token limit reached for "
           "%s in organization org-simulator. Limit: %" PRIu64 " enqueued tokens. Please try "
           "again once some in_progress batches have been completed.\",\"param\":null,"
           "\"line\":null}",
           v->model.data, limit);
    fail(sim, batch, text.data);
    buf_release(&text);
    return false;
}

static void apply_verdict(struct sim *sim, struct sim_batch *batch, const struct verdict *v)
{
    if (faults_strike(&sim->faults, FAULT_BATCH_FAILED)) {
        fail(sim, batch, "");
        return;
    }
    if (v->errors.len != 0) {
        fail(sim, batch, v->errors.data);
        return;
    }
    if (!fits_queue(sim, batch, v))
        return;
    batch->total = (int64_t)v->total;
    batch->tokens = (int64_t)v->tokens;
    batch->model = xstrndup(v->model.data, v->model.len);
    if (batch->cancel_asked)
        move_to(sim, batch, BATCH_CANCELLED);
    else
        move_to(sim, batch, BATCH_IN_PROGRESS);
}

/* Called and returns with the lock held; it is not held while the file is read. */
static void validate(struct sim *sim, struct sim_batch *batch)
{
    uint64_t max = sim->opt->max_requests;
    struct verdict verdict;
    struct err err = {0};
    int fd = open_input(sim, batch);

    if (fd < 0) {
        fail_no_file(sim, batch);
        return;
    }
    if (sim->opt->profile == PROFILE_ZHIPU && strstr(batch->endpoint, "/embeddings") != NULL &&
        max > ZHIPU_EMBEDDINGS_MAX)
        max = ZHIPU_EMBEDDINGS_MAX;
    sim_unlock(sim);
    verdict_init(&verdict);
    bool ok = validate_batch(fd, batch->endpoint, max, &verdict, &err);
    (void)close(fd);
    sim_lock(sim);
    if (ok)
        apply_verdict(sim, batch, &verdict);
    else
        fail_trouble(sim, batch, &err);
    verdict_release(&verdict);
}

/* Make the temporary file of @outlet a stored one; returns its id, NULL on trouble. */
static char *store_output(struct sim *sim, const struct sim_batch *batch,
                          const struct outlet *outlet, const char *kind, struct err *err)
{
    int64_t now = clock_unix_ms();
    char *id = worker_new_id("file-", 24);
    char name[128];
    struct sim_file meta = {.id = xstrdup(id), .created_ms = now};

    (void)snprintf(name, sizeof(name), "%s_%s.jsonl", batch->id, kind);
    meta.filename = xstrdup(name);
    meta.purpose = xstrdup("batch_output");
    meta.expires_s = now / 1000 + OUTPUT_TTL_S;
    if (batch->output_expires_s != 0)
        meta.expires_s = now / 1000 + batch->output_expires_s;
    if (files_add(&sim->files, meta, outlet->path, err))
        return id;
    free(id);
    return NULL;
}

/* The ledger's events first: once the batch is saved as executed, they count at a restart. */
static bool keep_results(struct sim *sim, struct sim_batch *batch, struct execution *e,
                         struct err *err)
{
    char path[FOLDER_PATH_MAX];

    folder_path(&sim->folder, "ledger", batch->id, "", path);
    if (rename(e->ledger.path, path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: cannot be put in place", path);
    if (e->output_lines != 0) {
        batch->output_id = store_output(sim, batch, &e->output, "output", err);
        if (batch->output_id == NULL)
            return false;
    }
    if (e->error_lines != 0) {
        batch->error_id = store_output(sim, batch, &e->errors, "error", err);
        if (batch->error_id == NULL)
            return false;
    }
    batch->rows_ok = (int64_t)e->rows_ok;
    batch->rows_bad = (int64_t)e->rows_bad;
    batch->input_tokens = (int64_t)e->usage.input_tokens;
    batch->output_tokens = (int64_t)e->usage.output_tokens;
    batch->executed = true;
    return true;
}

static void finish(struct sim *sim, struct sim_batch *batch, struct execution *e)
{
    struct sim_file *input;
    struct err err = {0};

    if (!keep_results(sim, batch, e, &err)) {
        fail_trouble(sim, batch, &err);
        return;
    }
    if (batch->cancel_asked)
        move_to(sim, batch, BATCH_CANCELLED);
    else
        move_to(sim, batch, e->any_expired ? BATCH_EXPIRED : BATCH_COMPLETED);
    input = batch->auto_delete ? files_find(&sim->files, batch->input_file_id) : NULL;
    if (input != NULL)
        files_delete(&sim->files, input);
}

/* Rows that were done when the batch was cancelled: as far as its time had gone. */
static uint64_t rows_done(const struct sim *sim, const struct sim_batch *batch)
{
    int64_t delay = sim->opt->delay_ms;
    int64_t gone = batch->cancelling - batch->created;

    if (delay <= 0 || gone <= 0)
        return 0;
    return (uint64_t)(gone >= delay ? batch->total : batch->total * gone / delay);
}

/* Called and returns with the lock held; it is not held while rows are executed. */
static void run_batch(struct sim *sim, struct sim_batch *batch)
{
    struct execution e = {.sim = sim, .batch = batch, .faults = sim->faults, .limit = UINT64_MAX};
    struct err err = {0};

    e.style =
        (struct answer_style){sim->opt->profile, batch->endpoint, batch->id, sim->faults.seed};
    e.output.fd = e.errors.fd = e.ledger.fd = -1;
    e.cancelled = batch->cancel_asked;
    if (e.cancelled)
        e.limit = rows_done(sim, batch);
    else if (faults_strike(&sim->faults, FAULT_BATCH_EXPIRED))
        e.limit = 0;
    e.only_errors = faults_strike(&sim->faults, FAULT_ONLY_ERROR_FILE);
    e.input_fd = open_input(sim, batch);
    if (e.input_fd < 0) {
        fail_no_file(sim, batch);
        return;
    }
    if (!e.cancelled)
        move_to(sim, batch, BATCH_FINALIZING);
    sim_unlock(sim);
    bool ok = execute(&e, &err);
    (void)close(e.input_fd);
    sim_lock(sim);
    if (ok)
        finish(sim, batch, &e);
    else if (!sim->stopping)
        fail_trouble(sim, batch, &err);
    execution_release(&e);
}

/* When the batch has something to do next; INT64_MAX: never. */
static int64_t due_at(const struct sim *sim, const struct sim_batch *batch)
{
    switch (batch->status) {
    case BATCH_VALIDATING: return batch->created + sim->opt->validate_delay_ms;
    case BATCH_IN_PROGRESS: return batch->created + sim->opt->delay_ms;
    case BATCH_CANCELLING: return 0;
    case BATCH_FINALIZING:
    case BATCH_FAILED:
    case BATCH_COMPLETED:
    case BATCH_EXPIRED:
    case BATCH_CANCELLED: break;
    }
    return INT64_MAX;
}

static struct sim_batch *most_due(const struct sim *sim, int64_t *due)
{
    struct sim_batch *best = NULL;

    *due = INT64_MAX;
    for (size_t i = 0; i < sim->batches.count; i++) {
        int64_t at = due_at(sim, sim->batches.list[i]);

        if (at < *due) {
            *due = at;
            best = sim->batches.list[i];
        }
    }
    return best;
}

static void act(struct sim *sim, struct sim_batch *batch)
{
    if (batch->status == BATCH_VALIDATING)
        validate(sim, batch);
    else if (batch->status == BATCH_CANCELLING && batch->in_progress == 0)
        move_to(sim, batch, BATCH_CANCELLED);
    else
        run_batch(sim, batch);
}

/* Sleep until @due_unix_ms or a signal, a second at most: the wall clock may be set. */
static void wait_until(struct sim *sim, int64_t due_unix_ms)
{
    struct timespec until;
    int64_t now = clock_unix_ms();

    if (due_unix_ms == INT64_MAX) {
        (void)pthread_cond_wait(&sim->wake, &sim->lock);
        return;
    }
    if (due_unix_ms <= now)
        return;
    int64_t ms = due_unix_ms - now < 1000 ? due_unix_ms - now : 1000;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&sim->wake, &sim->lock, &until);
}

void *worker_main(void *arg)
{
    struct sim *sim = arg;

    sim_lock(sim);
    while (!sim->stopping) {
        int64_t due;
        struct sim_batch *batch = most_due(sim, &due);

        if (batch != NULL && due <= clock_unix_ms())
            act(sim, batch);
        else
            wait_until(sim, due);
    }
    sim_unlock(sim);
    return NULL;
}
