#include "simulator/partial.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/deadline.h"
#include "simulator/execute.h"
#include "simulator/options.h"
#include "simulator/quantity.h"
#include "simulator/request.h"
#include "simulator/sim.h"

#define BLOCK_BYTES 65536

static bool is_id(const char *id, const struct sim_file *file)
{
    return id != NULL && strcmp(id, file->id) == 0;
}

void partial_find(struct partial *p, const struct request *rq, const struct sim_file *file)
{
    const struct batches *b = &rq->sim->batches;

    *p = (struct partial){0};
    for (size_t i = b->count; i > 0; i--) {
        const struct sim_batch *batch = b->list[i - 1];

        if (batch_status_is_final(batch->status) || batch->executed ||
            (!is_id(batch->output_id, file) && !is_id(batch->error_id, file)))
            continue;
        p->batch_id = xstrdup(batch->id);
        p->errors = is_id(batch->error_id, file);
        return;
    }
}

/* The execution of the batch as far as it is not decided by chance; false when it is over. */
static bool prepare(struct execution *e, struct sim *sim, const char *batch_id, uint64_t *rows)
{
    const struct sim_batch *batch = batches_find(&sim->batches, batch_id);

    if (batch == NULL || batch_status_is_final(batch->status))
        return false;
    *e = (struct execution){.sim = sim, .batch = batch, .faults = sim->faults, .preview = true};
    e->style = (struct answer_style){sim->opt->dialect, batch->endpoint, batch->id,
                                     sim->faults.seed, sim->script};
    e->rules = validate_rules(&sim->opt->dialect->lines, batch->endpoint, UINT64_MAX);
    e->limit = UINT64_MAX;
    e->output.fd = e->errors.fd = e->ledger.fd = -1;
    e->input_fd = files_open(&sim->files, batch->input_file_id);
    *rows =
        (uint64_t)deadline_rows(batch->total, batch->created, sim->opt->delay_ms, clock_unix_ms());
    return e->input_fd >= 0;
}

/*
 * Put what the batch will have written in the place of the empty file; @rows
 * is how many lines of it there are by now. Its order is that of the end, so
 * who has read some lines may go on behind them.
 */
static bool preview(struct request *rq, const struct partial *p, uint64_t *rows, struct err *err)
{
    struct reply *r = &rq->reply;
    struct execution e;

    sim_lock(rq->sim);
    bool runs = prepare(&e, rq->sim, p->batch_id, rows);
    sim_unlock(rq->sim);
    if (!runs)
        return err_set(err, ERR_TEMPORARY, "the batch ends just now");
    bool ok = execute(&e, err);
    (void)close(e.input_fd);
    if (ok) {
        struct outlet *outlet = p->errors ? &e.errors : &e.output;
        (void)close(r->fd);
        r->fd = open(outlet->path, O_RDONLY | O_CLOEXEC);
        ok = r->fd >= 0 || err_set(err, ERR_UNAVAILABLE, "the preview was lost");
    }
    execution_release(&e);
    return ok;
}

/* The offset behind @lines lines after @from; @lines becomes how many there were. */
static uint64_t behind_lines(int fd, uint64_t from, uint64_t *lines)
{
    char block[BLOCK_BYTES];
    uint64_t wanted = *lines;
    ssize_t n;

    *lines = 0;
    while (*lines < wanted && (n = pread(fd, block, sizeof(block), (off_t)from)) > 0) {
        const char *p = block;
        const char *end = block + n;

        while (*lines < wanted && p < end) {
            const char *lf = memchr(p, '\n', (size_t)(end - p));

            *lines += lf != NULL;
            p = lf != NULL ? lf + 1 : end;
        }
        from += (uint64_t)(p - block);
    }
    return from;
}

static bool read_number(struct request *rq, const char *name, uint64_t *out)
{
    const char *text = request_query(rq, name);

    if (text == NULL || quantity_count(text, out))
        return true;
    request_problem(rq, problem(400, name, NULL, NULL), "Failed to deserialize query string");
    return false;
}

/* Only the lines from @skip on, @limit at most, of which @there exist. */
static void cut_lines(struct reply *r, uint64_t skip, uint64_t limit, uint64_t there, bool running)
{
    uint64_t last = skip < there ? skip : there;
    uint64_t take = limit < there - last ? limit : there - last;

    r->offset = behind_lines(r->fd, 0, &last);
    uint64_t next = behind_lines(r->fd, r->offset, &take);
    uint64_t more = 1;
    (void)behind_lines(r->fd, next, &more);
    r->length = next - r->offset;
    r->total = (uint64_t)lseek(r->fd, 0, SEEK_END);
    reply_header(r, "X-Incomplete", "%s", running || more != 0 ? "true" : "false");
    reply_header(r, "X-Last-Line", "%" PRIu64, last + take);
}

bool partial_give(struct request *rq, struct partial *p)
{
    bool running = p->batch_id != NULL;
    uint64_t there = UINT64_MAX;
    uint64_t limit = UINT64_MAX;
    uint64_t skip = 0;
    struct err err = {0};

    bool ok = read_number(rq, "limit", &limit) && read_number(rq, "skip", &skip);
    if (ok && running && !preview(rq, p, &there, &err)) {
        request_problem(rq, problem(503, NULL, NULL, NULL), "%s", err.msg);
        ok = false;
    }
    free(p->batch_id);
    *p = (struct partial){0};
    if (!ok) {
        if (rq->reply.fd >= 0)
            (void)close(rq->reply.fd);
        rq->reply.fd = -1;
        return false;
    }
    rq->reply.type = "application/x-ndjson";
    cut_lines(&rq->reply, skip, limit, there, running);
    return true;
}
