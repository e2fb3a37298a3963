#include "simulator/sim.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "simulator/options.h"
#include "simulator/script.h"
#include "simulator/tally.h"
#include "simulator/text.h"

void sim_lock(struct sim *sim)
{
    if (pthread_mutex_lock(&sim->lock) != 0)
        log_fatal("cannot lock");
}

void sim_unlock(struct sim *sim)
{
    if (pthread_mutex_unlock(&sim->lock) != 0)
        log_fatal("cannot unlock");
}

static void init_threads(struct sim *sim)
{
    pthread_condattr_t attr;

    if (pthread_mutex_init(&sim->lock, NULL) != 0 || pthread_condattr_init(&attr) != 0 ||
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&sim->wake, &attr) != 0)
        log_fatal("no mutex");
    (void)pthread_condattr_destroy(&attr);
}

static bool replay_ledger(struct sim *sim, struct err *err)
{
    char path[FOLDER_PATH_MAX];

    for (size_t i = 0; i < sim->batches.count; i++) {
        if (!sim->batches.list[i]->executed)
            continue;
        folder_path(&sim->folder, "ledger", sim->batches.list[i]->id, "", path);
        if (!ledger_replay(&sim->ledger, path, err))
            return false;
    }
    return true;
}

static bool is_output_of_a_batch(const struct sim *sim, const struct sim_file *file)
{
    for (size_t i = sim->batches.count; i > 0; i--) {
        const struct sim_batch *b = sim->batches.list[i - 1];

        if ((b->output_id != NULL && strcmp(b->output_id, file->id) == 0) ||
            (b->error_id != NULL && strcmp(b->error_id, file->id) == 0))
            return true;
    }
    return false;
}

/* Outputs whose batch was not saved before the process died: the batch will make new ones. */
static void drop_orphans(struct sim *sim)
{
    for (size_t i = sim->files.count; i > 0; i--) {
        struct sim_file *file = sim->files.list[i - 1];

        if (strncmp(file->purpose, "batch_", strlen("batch_")) == 0 &&
            !is_output_of_a_batch(sim, file))
            files_delete(&sim->files, file);
    }
}

bool sim_open(struct sim *sim, const struct options *opt, struct err *err)
{
    *sim = (struct sim){.opt = opt, .faults = opt->faults};
    if (opt->answers != NULL && (sim->script = script_load(opt->answers, err)) == NULL)
        return false;
    if (!folder_open(&sim->folder, opt->dir, err)) {
        script_free(sim->script);
        return false;
    }
    init_threads(sim);
    limits_init(sim->rates, opt);
    sim->files.folder = &sim->folder;
    sim->batches.folder = &sim->folder;
    if (!files_load(&sim->files, err) || !batches_load(&sim->batches, err) ||
        !replay_ledger(sim, err)) {
        sim_close(sim);
        return false;
    }
    drop_orphans(sim);
    return true;
}

void sim_close(struct sim *sim)
{
    script_free(sim->script);
    limits_release(sim->rates);
    ledger_release(&sim->ledger);
    files_release(&sim->files);
    batches_release(&sim->batches);
    folder_close(&sim->folder);
    (void)pthread_cond_destroy(&sim->wake);
    (void)pthread_mutex_destroy(&sim->lock);
}

int64_t sim_file_end(const struct sim *sim, int64_t now_ms, uint64_t seconds)
{
    int64_t most = sim->opt->file_ttl_ms;
    int64_t life = (int64_t)seconds * 1000;

    if (most != 0 && (life == 0 || life > most))
        life = most;
    return life == 0 ? 0 : now_ms + life;
}

/* What was seen of the requests themselves. */
static void write_requests(const struct sim *sim, struct buf *out)
{
    text_f(out,
           ",\"creates_received\":%" PRIu64 ",\"creates_on_reused\":%" PRIu64
           ",\"creates_per_connection\":%" PRIu64,
           sim->creates_received, sim->creates_on_reused, sim->creates_per_connection);
    limits_write(sim->rates, out);
    text_f(out,
           ",\"refused_live\":%" PRIu64 ",\"refused_queue\":%" PRIu64
           ",\"refused_storage\":%" PRIu64,
           sim->lives_refused, sim->queue_refused, sim->stores_refused);
    text_f(out, ",\"content_requests\":%" PRIu64 ",\"keys_leaked\":%" PRIu64 ",\"keys_seen\":",
           sim->content_requests, sim->keys_leaked);
    keys_write(&sim->keys, out);
}

void sim_write_ledger(const struct sim *sim, struct buf *out)
{
    struct batches_uses uses = batches_uses(&sim->batches);
    int64_t in = 0;
    int64_t out_tokens = 0;

    for (size_t i = 0; i < sim->batches.count; i++) {
        in += sim->batches.list[i]->input_tokens;
        out_tokens += sim->batches.list[i]->output_tokens;
    }
    text_f(out, "{\"batches_created\":%zu,\"batches_live\":%zu,\"creates_lost\":%" PRIu64,
           sim->batches.count, batches_live(&sim->batches), sim->creates_lost);
    text_f(out,
           ",\"input_files_used\":%zu,\"input_files_used_twice\":%zu"
           ",\"input_files_executed_twice\":%zu,",
           uses.files, uses.created_twice, uses.executed_twice);
    ledger_write_totals(&sim->ledger, out);
    text_f(out, ",\"input_tokens\":%" PRId64 ",\"output_tokens\":%" PRId64, in, out_tokens);
    tally_write(&sim->batches, clock_unix_ms(), out);
    write_requests(sim, out);
    text_put(out, "}\n");
}
