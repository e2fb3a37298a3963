#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "simulator/options.h"
#include "simulator/order.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/shape.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/worker.h"

static const struct problem server_trouble = {500, NULL, NULL, "500"};

static void answer_batch(struct request *rq, const struct sim_batch *batch, bool hide_ids)
{
    struct shape_view view = {rq->sim->opt->profile, clock_unix_ms(), rq->sim->opt->delay_ms,
                              hide_ids};

    shape_batch(reply_json(&rq->reply, 200), &view, batch);
    text_put(&rq->reply.body, "\n");
}

/* Refusals that have nothing to do with the order itself. Needs the lock. */
static bool may_create(struct request *rq)
{
    struct sim *sim = rq->sim;

    if (faults_strike(&sim->faults, FAULT_INSUFFICIENT_QUOTA)) {
        request_problem(rq, problem(429, NULL, "insufficient_quota", "1113"),
                        "You exceeded your current quota, please check your plan and billing "
                        "details.");
        return false;
    }
    if (faults_strike(&sim->faults, FAULT_CREATE_500_REFUSED)) {
        request_problem(rq, server_trouble,
                        "The server had an error while processing your "
                        "request. Sorry about that!");
        return false;
    }
    if (sim->opt->max_live != 0 && batches_live(&sim->batches) >= sim->opt->max_live) {
        request_problem(rq, problem(429, NULL, "rate_limit_exceeded", "1302"),
                        "Too many live batches. The limit is %" PRIu64 ".", sim->opt->max_live);
        return false;
    }
    return true;
}

static struct sim_batch *add_batch(struct sim *sim, const struct order *order, struct err *err)
{
    bool zhipu = sim->opt->profile == PROFILE_ZHIPU;
    int64_t now = clock_unix_ms();
    int64_t lag = (int64_t)faults_number(&sim->faults, FAULT_FILE_LAG);
    const struct sim_file *file = files_find(&sim->files, order->input_file_id);
    struct sim_batch init = {.created = now};

    init.id = worker_new_id("batch_", 24);
    init.input_file_id = xstrdup(order->input_file_id);
    init.endpoint = xstrdup(order->endpoint);
    init.window = xstrdup("24h");
    init.metadata = xstrdup(order->metadata);
    init.output_expires_s = order->output_expires_s;
    init.auto_delete = zhipu && order->auto_delete;
    init.file_hidden = file != NULL && lag > 0 && now - file->created_ms < lag;
    return batches_add(&sim->batches, init, err);
}

static void create(struct request *rq, const struct order *order)
{
    struct sim *sim = rq->sim;
    struct err err = {0};

    if (!may_create(rq))
        return;
    const struct sim_batch *batch = add_batch(sim, order, &err);
    if (batch == NULL) {
        request_problem(rq, server_trouble, "%s", err.msg);
        return;
    }
    (void)pthread_cond_signal(&sim->wake);
    answer_batch(rq, batch, false);
    if (faults_strike(&sim->faults, FAULT_LOST_CREATE)) {
        sim->creates_lost++;
        rq->reply.hang_up = true;
    } else if (faults_strike(&sim->faults, FAULT_CREATE_500)) {
        sim->creates_lost++;
        request_problem(rq, server_trouble,
                        "The server had an error while processing your "
                        "request. Sorry about that!");
    }
}

void route_batches_create(struct request *rq)
{
    struct order order;

    if (!order_read(&order, rq))
        return;
    sim_lock(rq->sim);
    create(rq, &order);
    sim_unlock(rq->sim);
    order_release(&order);
}

static bool is_listed(const struct sim *sim, const struct sim_batch *batch, int64_t now)
{
    return now - batch->created >= (int64_t)faults_number(&sim->faults, FAULT_LIST_LAG);
}

/* Index of the batch after which the listing goes on, towards older ones; false when unknown. */
static bool list_from(const struct batches *b, const char *after, size_t *from)
{
    *from = b->count;
    for (size_t i = b->count; after != NULL && i > 0; i--) {
        if (strcmp(b->list[i - 1]->id, after) == 0) {
            *from = i - 1;
            return true;
        }
    }
    return after == NULL;
}

static void write_listing(const struct sim *sim, size_t from, uint64_t limit, struct buf *out)
{
    struct shape_view view = {sim->opt->profile, clock_unix_ms(), sim->opt->delay_ms, false};
    const struct sim_batch *first = NULL;
    const struct sim_batch *last = NULL;
    bool more = false;

    text_put(out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = from; i > 0; i--) {
        const struct sim_batch *batch = sim->batches.list[i - 1];

        if (!is_listed(sim, batch, view.now_ms))
            continue;
        more = limit == 0;
        if (more)
            break;
        limit--;
        text_put(out, first == NULL ? "" : ",");
        shape_batch(out, &view, batch);
        first = first == NULL ? batch : first;
        last = batch;
    }
    text_put(out, "],\"first_id\":");
    text_string_or_null(out, first != NULL ? first->id : NULL);
    text_put(out, ",\"last_id\":");
    text_string_or_null(out, last != NULL ? last->id : NULL);
    text_f(out, ",\"has_more\":%s}\n", more ? "true" : "false");
}

void route_batches_list(struct request *rq)
{
    const char *after = request_query(rq, "after");
    uint64_t limit;
    size_t from;

    if (!request_limit(rq, 20, 100, &limit))
        return;
    sim_lock(rq->sim);
    if (list_from(&rq->sim->batches, after, &from))
        write_listing(rq->sim, from, limit, reply_json(&rq->reply, 200));
    else
        request_problem(rq, problem(400, "after", NULL, "1214"), "No batch found with id '%.100s'.",
                        after);
    sim_unlock(rq->sim);
}

static void answer_not_found(struct request *rq)
{
    request_problem(rq, problem(404, NULL, NULL, "1214"), "No batch found with id '%.100s'.",
                    rq->id);
}

void route_batches_get(struct request *rq)
{
    struct sim *sim = rq->sim;

    sim_lock(sim);
    struct sim_batch *batch = batches_find(&sim->batches, rq->id);
    if (batch == NULL || ++batch->polls <= faults_number(&sim->faults, FAULT_POLL_404)) {
        answer_not_found(rq);
    } else if (faults_strike(&sim->faults, FAULT_POLL_500)) {
        request_problem(rq, server_trouble,
                        "The server had an error while processing your "
                        "request. Sorry about that!");
    } else {
        uint64_t empty = faults_number(&sim->faults, FAULT_EMPTY_IDS);
        bool done = batch_status_is_final(batch->status);

        batch->polls_done += done;
        answer_batch(rq, batch, done && batch->polls_done <= empty);
    }
    sim_unlock(sim);
}

static void cancel(struct request *rq, struct sim_batch *batch)
{
    struct err err = {0};

    if (batch->status == BATCH_COMPLETED || batch->status == BATCH_FAILED ||
        batch->status == BATCH_EXPIRED) {
        request_problem(rq, problem(409, NULL, NULL, "1214"),
                        "Cannot cancel a batch with status '%s'.",
                        batch_status_name(batch->status));
        return;
    }
    if (!batch->cancel_asked && batch->status != BATCH_CANCELLED) {
        batch->cancel_asked = true;
        batch->status = BATCH_CANCELLING;
        batch->cancelling = clock_unix_ms();
        if (!batches_save(&rq->sim->batches, batch, &err))
            log_error("ev=batch_not_saved batch=%s reason=%s", batch->id, log_text(err.msg));
        (void)pthread_cond_signal(&rq->sim->wake);
    }
    answer_batch(rq, batch, false);
}

void route_batches_cancel(struct request *rq)
{
    sim_lock(rq->sim);
    struct sim_batch *batch = batches_find(&rq->sim->batches, rq->id);
    if (batch == NULL)
        answer_not_found(rq);
    else
        cancel(rq, batch);
    sim_unlock(rq->sim);
}
