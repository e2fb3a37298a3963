/*
 * sheaf-worker: polls remote batches, brings their results home, cleans up, and
 * merges finished parts. Any number may run; Redis decides who works on what.
 */
#include "common/base/xmem.h"
#include "worker/task.h"

#define RECORDS_AT_ONCE 8
#define NO_ROOM_WAIT_MS 500

void task_decline(struct worker *worker, struct claim *claim, const char *nonce, int64_t wait_ms)
{
    struct task *task = xcalloc(1, sizeof(*task));

    if (task_begin(task, worker->crew, claim, nonce))
        task_put_off(task, wait_ms, "no room");
}

static void claimed_batch(struct worker *w, struct claim *claim, const char *nonce)
{
    switch (claim->batch.state) {
    case BATCH_RUN: poll_start(w, claim, nonce); return;
    case BATCH_CLEAN: clean_start(w, claim, nonce); return;
    case BATCH_FETCH:
        if (w->fetching == 0)
            fetch_start(w, claim, nonce);
        else /* one chunk in memory is enough; the others are for other workers */
            task_decline(w, claim, nonce, NO_ROOM_WAIT_MS);
        return;
    case BATCH_BUILD:
    case BATCH_SUBMIT: task_decline(w, claim, nonce, NO_ROOM_WAIT_MS); return;
    }
}

static void on_claimed(struct claim *claim, const char *nonce, void *arg)
{
    struct worker *w = arg;

    if (claim->is_part)
        part_start(w, claim, nonce);
    else
        claimed_batch(w, claim, nonce);
}

static void on_lost(struct work *work, void *arg)
{
    (void)arg;
    task_end((struct task *)(void *)work);
}

static void stop(void *arg)
{
    crew_stop(((struct worker *)arg)->crew);
}

int main(int argc, char **argv)
{
    struct worker w = {0};
    int exit_code = 1;

    if (!daemon_open(&w.daemon, "sheaf-worker",
                     "Polls remote batches, downloads and integrates results, merges parts.", argc,
                     argv, &exit_code))
        return exit_code;
    const struct crew_hooks hooks = {.role = PROTOCOL_WK,
                                     .limit = RECORDS_AT_ONCE,
                                     .claimed = on_claimed,
                                     .lost = on_lost,
                                     .arg = &w};
    w.crew = crew_new(&w.daemon, &hooks);
    daemon_run(&w.daemon, stop, &w);
    crew_free(w.crew);
    daemon_close(&w.daemon);
    return 0;
}
