#include "simulator/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "simulator/deadline.h"
#include "simulator/dialect.h"
#include "simulator/execute.h"
#include "simulator/ids.h"
#include "simulator/options.h"
#include "simulator/quantity.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/validate.h"

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
    batch->stuck = false;
    switch (to) {
    case BATCH_IN_PROGRESS: batch->in_progress = now; break;
    case BATCH_FINALIZING: batch->finalizing = now; return; /* not worth a write */
    case BATCH_COMPLETED: batch->completed = now; break;
    case BATCH_EXPIRED: batch->expired = now; break;
    case BATCH_FAILED: batch->failed = now; break;
    case BATCH_CANCELLED: batch->cancelled = now; break;
    case BATCH_CANCELLING: batch->cancelling = now; break;
    case BATCH_VALIDATING: break;
    }
    save(sim, batch);
}

static void complain(const char *what, const struct sim_batch *batch, const struct err *err)
{
    log_error("ev=%s batch=%s reason=%s", what, batch->id, log_text(err->msg));
}

/*
 * Store the file @path as the batch's output or error file under @id, a new one
 * when NULL; returns its id, NULL on trouble.
 */
static char *store_output(struct sim *sim, const struct sim_batch *batch, const char *path,
                          bool errors, const char *id, struct err *err)
{
    const struct dialect_files *d = &sim->opt->dialect->files;
    int64_t now = clock_unix_ms();
    struct sim_file meta = {.created_ms = now};
    uint64_t life = d->output_ttl_s;
    char name[128];

    (void)snprintf(name, sizeof(name), "%s_%s.jsonl", batch->id, errors ? "error" : "output");
    meta.id = id != NULL ? xstrdup(id) : ids_new(d->output_id);
    meta.filename = xstrdup(name);
    meta.purpose = xstrdup(errors ? d->error_purpose : "batch_output");
    if (batch->output_expires_s != 0)
        life = (uint64_t)batch->output_expires_s;
    meta.expires_ms = sim_file_end(sim, now, life);
    char *kept = xstrdup(meta.id);
    if (id != NULL && files_find(&sim->files, id) != NULL)
        files_delete(&sim->files, files_find(&sim->files, id));
    if (files_add(&sim->files, meta, path, err))
        return kept;
    free(kept);
    return NULL;
}

static char *store_empty(struct sim *sim, const struct sim_batch *batch, bool errors)
{
    char path[FOLDER_PATH_MAX];
    struct err err = {0};
    int fd = folder_temporary(&sim->folder, path, &err);

    if (fd >= 0)
        (void)close(fd);
    char *id = fd < 0 ? NULL : store_output(sim, batch, path, errors, NULL, &err);
    if (id == NULL)
        complain("file_not_stored", batch, &err);
    return id;
}

/* Files of no bytes, for a batch that has none yet. */
static void give_files(struct sim *sim, struct sim_batch *batch)
{
    if (batch->output_id == NULL)
        batch->output_id = store_empty(sim, batch, false);
    if (batch->error_id == NULL)
        batch->error_id = store_empty(sim, batch, true);
}

static void fail(struct sim *sim, struct sim_batch *batch, const char *errors)
{
    if (sim->opt->dialect->batches.failed_completes)
        give_files(sim, batch);
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

static bool fits_queue(struct sim *sim, struct sim_batch *batch, const struct verdict *v)
{
    struct buf message = TEXT_INIT;
    struct buf text = TEXT_INIT;

    /* what was let in at create holds its place already */
    if (sim->opt->fail_fast || limits_queue(sim, v, &message))
        return true;
    sim->queue_refused++;
    text_put(&text, "{\"code\":\"token_limit_exceeded\",\"message\":");
    text_string(&text, message.data);
    text_put(&text, ",\"param\":null,\"line\":null}");
    fail(sim, batch, text.data);
    buf_release(&message);
    buf_release(&text);
    return false;
}

/* What the fault about failing batches says. Needs the lock. */
static void fail_as_told(struct sim *sim, struct sim_batch *batch)
{
    const struct fault *fault = &sim->faults.of[FAULT_BATCH_FAILED];
    const char *code = fault_text(fault, KEY_CODE);
    const char *message = fault_text(fault, KEY_MESSAGE);
    uint64_t line = fault_count(fault, KEY_LINE, 0);
    struct buf text = TEXT_INIT;

    if (code == NULL) {
        fail(sim, batch, "");
        return;
    }
    text_put(&text, "{\"code\":");
    text_string(&text, code);
    text_put(&text, ",\"message\":");
    text_string(&text, message != NULL ? message : "A simulated failure.");
    text_put(&text, ",\"param\":null,\"line\":");
    if (line != 0)
        text_u64(&text, line);
    else
        text_put(&text, "null");
    text_put(&text, "}");
    fail(sim, batch, text.data);
    buf_release(&text);
}

static void apply_verdict(struct sim *sim, struct sim_batch *batch, const struct verdict *v)
{
    if (faults_strike(&sim->faults, FAULT_BATCH_FAILED)) {
        fail_as_told(sim, batch);
        return;
    }
    if (v->fails) {
        fail(sim, batch, v->errors.data);
        return;
    }
    if (!fits_queue(sim, batch, v))
        return;
    if (v->errors.len != 0)
        batch->errors = xstrdup(v->errors.data);
    batch->total = (int64_t)v->total;
    batch->tokens = (int64_t)v->tokens;
    free(batch->model); /* there already when it was looked at while it was created */
    batch->model = xstrndup(v->model.data, v->model.len);
    if (batch->cancel_asked)
        return; /* it is cancelling, and ends as one that has not run */
    if (sim->opt->dialect->files.partial)
        give_files(sim, batch);
    move_to(sim, batch, BATCH_IN_PROGRESS);
}

static bool has_late_window(const struct sim *sim, const struct sim_batch *batch)
{
    return sim->opt->dialect->batches.window == DIALECT_WINDOW_LATE &&
           strcmp(batch->window, "24h") != 0;
}

/* Called and returns with the lock held; it is not held while the file is read. */
static void validate(struct sim *sim, struct sim_batch *batch)
{
    struct validate_rules rules =
        validate_rules(&sim->opt->dialect->lines, batch->endpoint, sim->opt->max_requests);
    struct verdict verdict;
    struct err err = {0};
    int fd = open_input(sim, batch);

    if (fd < 0) {
        fail_no_file(sim, batch);
        return;
    }
    bool late = has_late_window(sim, batch);
    sim_unlock(sim);
    verdict_init(&verdict);
    bool ok = validate_batch(fd, &rules, &verdict, &err);
    if (late)
        verdict_add(&verdict, "invalid_request", "completion_window", 0,
                    "The completion window must be 24h.");
    (void)close(fd);
    sim_lock(sim);
    if (ok)
        apply_verdict(sim, batch, &verdict);
    else
        fail_trouble(sim, batch, &err);
    verdict_release(&verdict);
}

/* Keep what was written to @outlet as the batch's file *@id, which may be there already. */
static bool keep_file(struct sim *sim, const struct sim_batch *batch, const struct outlet *outlet,
                      bool errors, char **id, struct err *err)
{
    char *kept = store_output(sim, batch, outlet->path, errors, *id, err);

    if (kept == NULL)
        return false;
    free(*id);
    *id = kept;
    return true;
}

/* The ledger's events first: once the batch is saved as executed, they count at a restart. */
static bool keep_results(struct sim *sim, struct sim_batch *batch, struct execution *e,
                         struct err *err)
{
    char path[FOLDER_PATH_MAX];

    folder_path(&sim->folder, "ledger", batch->id, "", path);
    if (rename(e->ledger.path, path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: cannot be put in place", path);
    if ((e->output_lines != 0 || batch->output_id != NULL || e->empty_files) &&
        !keep_file(sim, batch, &e->output, false, &batch->output_id, err))
        return false;
    if ((e->error_lines != 0 || batch->error_id != NULL || e->empty_files || e->empty_error_file ||
         (sim->opt->dialect->results.error_file_empty && !e->lost)) &&
        !keep_file(sim, batch, &e->errors, true, &batch->error_id, err))
        return false;
    batch->rows_ok = (int64_t)e->rows_ok;
    batch->rows_bad = (int64_t)e->rows_bad;
    batch->input_tokens = (int64_t)e->usage.input_tokens;
    batch->output_tokens = (int64_t)e->usage.output_tokens;
    batch->executed = true;
    return true;
}

static void forget_file(struct sim *sim, const char *id)
{
    struct sim_file *file = id != NULL ? files_find(&sim->files, id) : NULL;

    if (file != NULL)
        files_delete(&sim->files, file);
}

/* The batch, whose results are kept, gets its last status. */
static void end(struct sim *sim, struct sim_batch *batch, enum batch_status status)
{
    struct sim_file *input;

    move_to(sim, batch, status);
    if (faults_strike(&sim->faults, FAULT_OUTPUT_GONE)) {
        forget_file(sim, batch->output_id);
        forget_file(sim, batch->error_id);
    }
    input = batch->auto_delete ? files_find(&sim->files, batch->input_file_id) : NULL;
    if (input != NULL)
        files_delete(&sim->files, input);
}

static void finish(struct sim *sim, struct sim_batch *batch, struct execution *e)
{
    struct err err = {0};

    if (!keep_results(sim, batch, e, &err))
        fail_trouble(sim, batch, &err);
    else if (batch->cancel_asked)
        save(sim, batch); /* it ends when its time to cancel is over */
    else if (e->cancelled)
        end(sim, batch, BATCH_CANCELLED); /* though nobody asked */
    else if (e->any_expired)
        end(sim, batch, BATCH_EXPIRED);
    else if (sim->opt->dialect->batches.bad_fails && e->rows_ok == 0)
        end(sim, batch, BATCH_FAILED);
    else
        end(sim, batch, BATCH_COMPLETED);
}

/* When the provider ends the batch by itself. */
static int64_t ends_at(const struct sim *sim, const struct sim_batch *batch)
{
    return deadline_end(&sim->opt->dialect->batches, batch->created, batch->expires);
}

/* Rows that were done when its window closed or it was cancelled: as far as its time had gone. */
static uint64_t rows_done(const struct sim *sim, const struct sim_batch *batch)
{
    int64_t delay = sim->opt->delay_ms;
    int64_t end_ms = ends_at(sim, batch);

    if (batch->cancel_asked)
        return (uint64_t)deadline_rows(batch->total, batch->created, delay, batch->cancelling);
    if (end_ms < batch->created + delay)
        return (uint64_t)deadline_rows(batch->total, batch->created, delay, end_ms);
    return UINT64_MAX;
}

/* The rows that are done before a fault ends the batch. */
static uint64_t share_done(const struct sim_batch *batch, const struct fault *fault)
{
    const char *text = fault_text(fault, KEY_DONE);
    double share = 0;

    if (text != NULL && !quantity_share(text, &share))
        share = 0;
    return (uint64_t)((double)batch->total * share);
}

static struct layout choose_layout(struct faults *faults)
{
    return (struct layout){.crlf = faults_strike(faults, FAULT_CRLF),
                           .bom = faults_strike(faults, FAULT_BOM),
                           .blank_lines = faults_strike(faults, FAULT_BLANK_LINES),
                           .no_final_newline = faults_strike(faults, FAULT_NO_FINAL_NEWLINE)};
}

/* How the execution of a batch goes wrong. Needs the lock. */
static void choose_faults(struct sim *sim, struct sim_batch *batch, struct execution *e)
{
    struct faults *f = &sim->faults;

    if (batch->cancel_asked && faults_strike(f, FAULT_CANCEL_LOSES)) {
        batch->cancel_asked = e->cancelled = false;
        e->limit = UINT64_MAX;
    } else if (!e->cancelled && faults_strike(f, FAULT_BATCH_EXPIRED)) {
        e->limit = share_done(batch, &f->of[FAULT_BATCH_EXPIRED]);
    } else if (!e->cancelled && faults_strike(f, FAULT_BATCH_CANCELLED)) {
        e->cancelled = true;
        e->limit = share_done(batch, &f->of[FAULT_BATCH_CANCELLED]);
    }
    e->only_errors = faults_strike(f, FAULT_ONLY_ERROR_FILE);
    e->empty_files = faults_strike(f, FAULT_EMPTY_FILES);
    e->empty_error_file = faults_strike(f, FAULT_EMPTY_ERROR_FILE);
    e->lost = faults_strike(f, FAULT_NO_FILES) || e->empty_files;
    e->output_layout = e->error_layout = choose_layout(f);
}

/* Called and returns with the lock held; it is not held while rows are executed. */
static void run_batch(struct sim *sim, struct sim_batch *batch)
{
    struct execution e = {.sim = sim, .batch = batch, .faults = sim->faults};
    struct err err = {0};

    e.style = (struct answer_style){sim->opt->dialect, batch->endpoint, batch->id, sim->faults.seed,
                                    sim->script};
    e.output.fd = e.errors.fd = e.ledger.fd = -1;
    e.cancelled = batch->cancel_asked;
    e.limit = rows_done(sim, batch);
    e.rules = validate_rules(&sim->opt->dialect->lines, batch->endpoint, UINT64_MAX);
    choose_faults(sim, batch, &e);
    e.input_fd = open_input(sim, batch);
    if (e.input_fd < 0) {
        fail_no_file(sim, batch);
        return;
    }
    if (batch->status == BATCH_IN_PROGRESS)
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

static int64_t work_ends(const struct sim *sim, const struct sim_batch *batch)
{
    int64_t done = batch->created + sim->opt->delay_ms;
    int64_t end_ms = ends_at(sim, batch);

    return end_ms < done ? end_ms : done;
}

/* The fault that keeps batches where this one is; FAULT_ID_COUNT: there is none. */
static enum fault_id stuck_fault(enum batch_status status)
{
    switch (status) {
    case BATCH_VALIDATING: return FAULT_STUCK_VALIDATING;
    case BATCH_IN_PROGRESS: return FAULT_STUCK_IN_PROGRESS;
    case BATCH_FINALIZING: return FAULT_STUCK_FINALIZING;
    case BATCH_CANCELLING: return FAULT_STUCK_CANCELLING;
    case BATCH_FAILED:
    case BATCH_COMPLETED:
    case BATCH_EXPIRED:
    case BATCH_CANCELLED: break;
    }
    return FAULT_ID_COUNT;
}

static bool is_stuck(const struct sim *sim, const struct sim_batch *batch)
{
    enum fault_id fault = stuck_fault(batch->status);

    return batch->stuck && fault != FAULT_ID_COUNT && sim->faults.of[fault].armed;
}

/* Whether the batch, which would leave its status now, sticks to it; it is asked once. */
static bool sticks(struct sim *sim, struct sim_batch *batch, enum batch_status status)
{
    enum fault_id fault = stuck_fault(status);
    unsigned bit = 1U << status;

    if (fault == FAULT_ID_COUNT || (batch->stuck_seen & bit) != 0)
        return false;
    batch->stuck_seen |= bit;
    if (!faults_strike(&sim->faults, fault))
        return false;
    if (batch->status != status)
        move_to(sim, batch, status);
    batch->stuck = true;
    return true;
}

/* When the batch has something to do next; INT64_MAX: never. */
static int64_t due_at(const struct sim *sim, const struct sim_batch *batch)
{
    if (is_stuck(sim, batch))
        return INT64_MAX;
    switch (batch->status) {
    case BATCH_VALIDATING: return batch->created + sim->opt->validate_delay_ms;
    case BATCH_IN_PROGRESS: return work_ends(sim, batch);
    case BATCH_CANCELLING: return batch->cancelling + sim->opt->cancel_delay_ms;
    case BATCH_FINALIZING: return batch->stuck ? 0 : INT64_MAX; /* else it is being executed */
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

/* Whether the provider cancels the batch, its time being over. */
static bool is_given_up(const struct sim *sim, const struct sim_batch *batch)
{
    return batch->status == BATCH_IN_PROGRESS &&
           sim->opt->dialect->batches.expiry == DIALECT_EXPIRY_CANCELS &&
           ends_at(sim, batch) < batch->created + sim->opt->delay_ms;
}

static void act(struct sim *sim, struct sim_batch *batch)
{
    if (sticks(sim, batch, batch->status) ||
        (batch->status == BATCH_IN_PROGRESS && sticks(sim, batch, BATCH_FINALIZING)))
        return;
    if (batch->status == BATCH_VALIDATING) {
        validate(sim, batch);
    } else if (is_given_up(sim, batch)) {
        batch->cancel_asked = true;
        move_to(sim, batch, BATCH_CANCELLING);
    } else if (batch->status == BATCH_CANCELLING && (batch->in_progress == 0 || batch->executed)) {
        end(sim, batch, BATCH_CANCELLED);
    } else {
        run_batch(sim, batch);
    }
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
        files_expire(&sim->files, clock_unix_ms());
        struct sim_batch *batch = most_due(sim, &due);

        if (batch != NULL && due <= clock_unix_ms())
            act(sim, batch);
        else
            wait_until(sim, due);
    }
    sim_unlock(sim);
    return NULL;
}
