#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"
#include "simulator/options.h"
#include "simulator/quantity.h"
#include "simulator/request.h"
#include "simulator/routes.h"
#include "simulator/sim.h"
#include "simulator/tally.h"
#include "simulator/text.h"

#define CHUNK_BYTES ((size_t)1 << 20)

void route_models(struct request *rq)
{
    text_put(reply_json(&rq->reply, 200),
             "{\"object\":\"list\",\"data\":[{\"id\":\"sim-model\",\"object\":\"model\","
             "\"created\":1700000000,\"owned_by\":\"sheaf-simulator\"}]}\n");
}

/* The ledger with its rows, into @fd: it may be far bigger than what we want in memory. */
static bool spool_rows(struct sim *sim, uint64_t min_billed, int fd, uint64_t *bytes,
                       struct err *err)
{
    struct buf out = TEXT_INIT;
    size_t at = 0;
    bool first = true;
    bool more = true;
    bool ok = true;

    sim_write_ledger(sim, &out);
    out.len -= strlen("}\n");
    text_put(&out, ",\"rows\":[");
    *bytes = 0;
    while (ok && more) {
        more = ledger_write_rows(&sim->ledger, min_billed, CHUNK_BYTES, &at, &first, &out);
        if (!more)
            text_put(&out, "]}\n");
        ok = folder_write(fd, out.data, out.len, err);
        *bytes += out.len;
        buf_clear(&out);
    }
    buf_release(&out);
    return ok;
}

static void answer_rows(struct request *rq, uint64_t min_billed)
{
    char path[FOLDER_PATH_MAX];
    struct err err = {0};
    uint64_t bytes = 0;
    int fd = folder_temporary(&rq->sim->folder, path, &err);

    if (fd >= 0)
        (void)unlink(path);
    if (fd < 0 || !spool_rows(rq->sim, min_billed, fd, &bytes, &err)) {
        if (fd >= 0)
            (void)close(fd);
        request_problem(rq, problem(500, NULL, NULL, NULL), "%s", err.msg);
        return;
    }
    rq->reply.status = 200;
    rq->reply.type = "application/json";
    rq->reply.fd = fd;
    rq->reply.total = rq->reply.length = bytes;
}

static void answer_batches(struct request *rq)
{
    struct buf *out = reply_json(&rq->reply, 200);

    sim_write_ledger(rq->sim, out);
    out->len -= strlen("}\n");
    text_put(out, ",\"batches\":[");
    tally_write_batches(&rq->sim->batches, out);
    text_put(out, "]}\n");
}

void route_admin_ledger(struct request *rq)
{
    const char *rows = request_query(rq, "rows");
    const char *batches = request_query(rq, "batches");
    const char *min = request_query(rq, "min_billed");
    uint64_t min_billed = 0;

    if (min != NULL && !quantity_count(min, &min_billed)) {
        request_problem(rq, problem(400, "min_billed", NULL, NULL), "min_billed is not a number");
        return;
    }
    sim_lock(rq->sim);
    if (batches != NULL && strcmp(batches, "1") == 0)
        answer_batches(rq);
    else if (rows != NULL && strcmp(rows, "1") == 0)
        answer_rows(rq, min_billed);
    else
        sim_write_ledger(rq->sim, reply_json(&rq->reply, 200));
    sim_unlock(rq->sim);
}

void route_admin_faults(struct request *rq)
{
    struct faults next;
    struct err err = {0};

    sim_lock(rq->sim);
    next = rq->sim->faults;
    bool ok = rq->body.len == 0 || faults_arm_lines(&next, rq->body.data, &err);
    if (ok) {
        rq->sim->faults = next;
        (void)pthread_cond_signal(&rq->sim->wake); /* what was stuck may go on */
    }
    sim_unlock(rq->sim);
    if (ok)
        text_put(reply_json(&rq->reply, 200), "{\"ok\":true}\n");
    else
        request_problem(rq, problem(400, NULL, NULL, NULL), "%s", err.msg);
}

void route_admin_state(struct request *rq)
{
    struct sim *sim = rq->sim;
    struct buf *out = reply_json(&rq->reply, 200);

    sim_lock(sim);
    text_f(out, "{\"batches_created\":%zu,\"batches_live\":%zu,\"files\":%zu,\"requests\":{",
           sim->batches.count, batches_live(&sim->batches), sim->files.count);
    routes_write_counts(sim, out);
    text_put(out, "}}\n");
    sim_unlock(sim);
}
