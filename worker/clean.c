/* Deletes the remote files of an integrated batch, then forgets the batch. */
#include <stdlib.h>

#include "common/base/failpoint.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "worker/task.h"

#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 30000

struct clean {
    struct task task; /* first */
    unsigned next;    /* of the files to delete */
};

static void on_dropped(enum protocol_answer answer, const struct err *err, void *arg)
{
    task_stop(arg, "drop", answer, err);
}

static void delete_next(struct clean *c);

/* Often at first: somebody may wait for the job to leave nothing behind. */
static int64_t retry_ms(const struct clean *c)
{
    const struct batch *b = &c->task.batch;
    int64_t since_ms = b->ended_ms != 0 ? b->ended_ms : b->packed_ms;
    int64_t ms = (work_redis_now_ms(&c->task.work) - since_ms) / 4;

    if (ms < RETRY_MIN_MS)
        return RETRY_MIN_MS;
    return ms > RETRY_MAX_MS ? RETRY_MAX_MS : ms;
}

static void on_deleted(const struct provider_error *error, void *arg)
{
    struct clean *c = arg;

    c->task.call = NULL;
    daemon_note_provider(c->task.daemon, error);
    if (error != NULL) {
        log_warn("ev=delete_failed batch=%s class=%s reason=%s", c->task.batch.bid,
                 provider_class_name(error->class), log_text(error->message));
        task_put_off(&c->task, retry_ms(c), "a remote file could not be deleted");
        return;
    }
    c->next++;
    delete_next(c);
}

static void delete_next(struct clean *c)
{
    const struct batch *b = &c->task.batch;
    const char *const files[] = {b->file, b->output, b->error};

    while (c->next < ARRAY_LEN(files) && files[c->next][0] == '\0')
        c->next++;
    if (c->next < ARRAY_LEN(files)) {
        c->task.call =
            provider_file_delete(c->task.daemon->provider, files[c->next], on_deleted, c);
        return;
    }
    FAILPOINT("worker.cleaned");
    c->task.step =
        protocol_drop(c->task.daemon->protocol, b->bid, c->task.work.nonce, on_dropped, c);
}

void clean_start(struct worker *worker, struct claim *claim, const char *nonce)
{
    struct clean *c = xcalloc(1, sizeof(*c));

    if (task_begin(&c->task, worker->crew, claim, nonce))
        delete_next(c);
}
