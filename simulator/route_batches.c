#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "simulator/dialect.h"
#include "simulator/ids.h"
#include "simulator/options.h"
#include "simulator/order.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/shape.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/validate.h"

static const struct problem server_trouble = {500, NULL, NULL, "500"};

static void answer_batch(struct request *rq, unsigned status, const struct sim_batch *batch,
                         bool hide_ids)
{
    struct shape_view view = {rq->sim->opt->dialect, clock_unix_ms(), rq->sim->opt->delay_ms,
                              hide_ids};

    shape_batch(reply_json(&rq->reply, status), &view, batch);
    text_put(&rq->reply.body, "\n");
}

/* Whether the input can be used as far as its own state goes; else the request is answered. */
static bool input_is_ready(struct request *rq, const struct order *order)
{
    const struct sim_file *file = files_find(&rq->sim->files, order->input_file_id);
    const char *status = file != NULL ? files_status(file, clock_unix_ms()) : "processed";

    if (file == NULL && rq->sim->opt->dialect->batches.file_first) {
        request_problem(rq, problem(404, "input_file_id", NULL, NULL),
                        "File with ID %.100s not found", order->input_file_id);
        return false;
    }
    if (strcmp(status, "processed") == 0)
        return true;
    request_problem(rq, problem(400, "input_file_id", "invalid_request", "1214"),
                    "The file %.100s cannot be used: its status is '%s'.", order->input_file_id,
                    status);
    return false;
}

/* Refusals that have nothing to do with the order itself. Needs the lock. */
static bool may_create(struct request *rq, const struct order *order, const struct verdict *found)
{
    struct buf message = TEXT_INIT;

    if (!limits_live(rq) || !input_is_ready(rq, order))
        return false;
    bool fits = found == NULL || limits_queue(rq->sim, found, &message);
    rq->sim->queue_refused += !fits;
    if (!fits)
        request_problem(rq, problem(400, NULL, "token_limit_exceeded", "1302"), "%s", message.data);
    buf_release(&message);
    return fits;
}

static struct sim_batch *add_batch(struct sim *sim, const struct order *order,
                                   const struct verdict *found, int64_t late_ms, struct err *err)
{
    const struct dialect_batches *d = &sim->opt->dialect->batches;
    int64_t now = clock_unix_ms() + late_ms;
    int64_t lag = (int64_t)faults_number(&sim->faults, FAULT_FILE_LAG);
    const struct sim_file *file = files_find(&sim->files, order->input_file_id);
    struct sim_batch init = {.created = now};

    init.id = ids_new(d->id);
    init.input_file_id = xstrdup(order->input_file_id);
    init.endpoint = xstrdup(order->endpoint);
    init.window = xstrdup(order->window != NULL ? order->window : "24h");
    if (order->window_h != 0)
        init.expires = now + sim->opt->window_ms / 24 * order->window_h;
    init.metadata = xstrdup(order->metadata);
    init.output_expires_s = order->output_expires_s;
    init.auto_delete = d->auto_delete && order->auto_delete;
    if (found != NULL) {
        init.total = (int64_t)found->total;
        init.tokens = (int64_t)found->tokens;
        init.model = xstrndup(found->model.data, found->model.len);
    }
    init.file_hidden = file != NULL && lag > 0 && now - file->created_ms < lag;
    return batches_add(&sim->batches, init, err);
}

static void create(struct request *rq, const struct order *order, const struct verdict *found)
{
    struct sim *sim = rq->sim;
    struct err err = {0};
    bool late = false;

    if (!may_create(rq, order, found))
        return;
    late = faults_strike(&sim->faults, FAULT_LATE_CREATE);
    int64_t late_ms = late ? (int64_t)faults_number(&sim->faults, FAULT_LATE_CREATE) : 0;
    const struct sim_batch *batch = add_batch(sim, order, found, late_ms, &err);
    if (batch == NULL) {
        request_problem(rq, server_trouble, "%s", err.msg);
        return;
    }
    (void)pthread_cond_signal(&sim->wake);
    answer_batch(rq, sim->opt->dialect->batches.created, batch, false);
    if (!late)
        return;
    sim->creates_lost++;
    request_problem(rq, problem(504, NULL, NULL, "500"), "The gateway timed out.");
}

/* With --fail-fast: what the input holds. False when it can't be read, which is found out later. */
static bool look_at_input(struct request *rq, const struct order *order, struct verdict *out)
{
    const struct options *opt = rq->sim->opt;
    struct validate_rules rules =
        validate_rules(&opt->dialect->lines, order->endpoint, opt->max_requests);
    struct err err = {0};

    if (!opt->fail_fast)
        return false;
    sim_lock(rq->sim);
    int fd = files_open(&rq->sim->files, order->input_file_id);
    sim_unlock(rq->sim);
    bool ok = fd >= 0 && validate_batch(fd, &rules, out, &err);
    if (fd >= 0)
        (void)close(fd);
    return ok && !out->fails;
}

void route_batches_create(struct request *rq)
{
    struct verdict found;
    struct order order;

    if (!order_read(&order, rq))
        return;
    verdict_init(&found);
    bool looked = look_at_input(rq, &order, &found);
    sim_lock(rq->sim);
    create(rq, &order, looked ? &found : NULL);
    sim_unlock(rq->sim);
    verdict_release(&found);
    order_release(&order);
}

static void answer_not_found(struct request *rq)
{
    request_problem(rq, problem(404, NULL, NULL, "1214"), "No batch found with id '%.100s'.",
                    rq->id);
}

/* The batch of the request's path that is at least @lag old; NULL, with the request answered. */
static struct sim_batch *batch_asked(struct request *rq, int64_t lag)
{
    struct sim_batch *batch = batches_find(&rq->sim->batches, rq->id);
    int64_t age = batch != NULL ? clock_unix_ms() - batch->created : 0;

    /* one that is created late is of the future still */
    if (batch != NULL && age >= 0 && age >= lag)
        return batch;
    answer_not_found(rq);
    return NULL;
}

static enum batch_status status_before(enum batch_status status)
{
    switch (status) {
    case BATCH_VALIDATING:
    case BATCH_IN_PROGRESS:
    case BATCH_FAILED: return BATCH_VALIDATING;
    case BATCH_FINALIZING:
    case BATCH_CANCELLING:
    case BATCH_EXPIRED: return BATCH_IN_PROGRESS;
    case BATCH_COMPLETED: return BATCH_FINALIZING;
    case BATCH_CANCELLED: return BATCH_CANCELLING;
    }
    return status;
}

/* The batch as it was one status ago. Texts are borrowed. */
static struct sim_batch earlier(const struct sim_batch *batch)
{
    struct sim_batch old = *batch;

    old.status = status_before(batch->status);
    old.completed = old.failed = old.expired = old.cancelled = 0;
    old.errors = NULL;
    if (old.status == BATCH_IN_PROGRESS)
        old.finalizing = old.cancelling = 0;
    if (old.status == BATCH_VALIDATING)
        old.in_progress = old.finalizing = 0;
    return old;
}

static void answer_poll(struct request *rq, struct sim_batch *batch)
{
    struct faults *faults = &rq->sim->faults;
    bool done = batch_status_is_final(batch->status);

    if (faults_strike(faults, FAULT_STALE)) {
        struct sim_batch old = earlier(batch);

        answer_batch(rq, 200, &old, true);
        return;
    }
    batch->polls_done += done;
    answer_batch(rq, 200, batch,
                 done && batch->polls_done <= faults_number(faults, FAULT_EMPTY_IDS));
}

void route_batches_get(struct request *rq)
{
    struct faults *faults = &rq->sim->faults;

    sim_lock(rq->sim);
    struct sim_batch *batch = batch_asked(rq, (int64_t)faults_number(faults, FAULT_BATCH_GET_LAG));
    if (batch != NULL && ++batch->polls <= faults_number(faults, FAULT_POLL_404))
        answer_not_found(rq);
    else if (batch != NULL)
        answer_poll(rq, batch);
    sim_unlock(rq->sim);
}

static void save(struct sim *sim, const struct sim_batch *batch)
{
    struct err err = {0};

    if (!batches_save(&sim->batches, batch, &err))
        log_error("ev=batch_not_saved batch=%s reason=%s", batch->id, log_text(err.msg));
}

/* Let the batch be cancelled, unless it has ended or somebody did so already. */
static void ask_to_cancel(struct sim *sim, struct sim_batch *batch)
{
    if (batch->cancel_asked || batch_status_is_final(batch->status))
        return;
    batch->cancel_asked = true;
    batch->status = BATCH_CANCELLING;
    batch->stuck = false;
    batch->cancelling = clock_unix_ms();
    save(sim, batch);
    (void)pthread_cond_signal(&sim->wake);
}

static void cancel(struct request *rq, struct sim_batch *batch)
{
    if (batch->status == BATCH_COMPLETED || batch->status == BATCH_FAILED ||
        batch->status == BATCH_EXPIRED) {
        request_problem(rq, problem(409, NULL, NULL, "1214"),
                        "Cannot cancel a batch with status '%s'.",
                        batch_status_name(batch->status));
        return;
    }
    ask_to_cancel(rq->sim, batch);
    answer_batch(rq, 200, batch, false);
}

void route_batches_cancel(struct request *rq)
{
    sim_lock(rq->sim);
    struct sim_batch *batch = batch_asked(rq, 0);
    if (batch != NULL)
        cancel(rq, batch);
    sim_unlock(rq->sim);
}

void route_batches_delete(struct request *rq)
{
    sim_lock(rq->sim);
    struct sim_batch *batch = batches_find(&rq->sim->batches, rq->id);
    if (batch == NULL) {
        answer_not_found(rq);
    } else {
        batch->deleted = true;
        ask_to_cancel(rq->sim, batch);
        save(rq->sim, batch);
        (void)reply_json(&rq->reply, 204);
    }
    sim_unlock(rq->sim);
}
