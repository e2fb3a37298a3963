/*
 * Wiring: one HTTP thread (server), one thread that moves batches on (worker),
 * and this one, which waits for signals and writes the ledger.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/log.h"
#include "simulator/dialect.h"
#include "simulator/options.h"
#include "simulator/server.h"
#include "simulator/sim.h"
#include "simulator/text.h"
#include "simulator/worker.h"

#define LEDGER_EVERY_MS 1000
#define EXIT_USAGE      2

static void on_signal(int signo)
{
    (void)signo; /* never runs: the signals stay blocked and are fetched by wait_for_stop() */
}

/*
 * The signals that stop us are blocked in every thread and fetched. As process
 * 1 of a container a signal without a handler would be dropped, hence one.
 */
static void prepare_signals(sigset_t *stop)
{
    struct sigaction act = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigemptyset(stop);
    (void)sigaddset(stop, SIGTERM);
    (void)sigaddset(stop, SIGINT);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGTERM, &act, NULL);
    (void)sigaction(SIGINT, &act, NULL);
    if (pthread_sigmask(SIG_BLOCK, stop, NULL) != 0)
        log_fatal("cannot block signals");
}

static void write_ledger(struct sim *sim)
{
    struct buf out = TEXT_INIT;
    struct err err = {0};

    if (sim->opt->ledger == NULL)
        return;
    sim_lock(sim);
    sim_write_ledger(sim, &out);
    sim_unlock(sim);
    if (!folder_replace(sim->opt->ledger, out.data, out.len, &err))
        log_error("ev=ledger_not_written reason=%s", log_text(err.msg));
    buf_release(&out);
}

static void wait_for_stop(struct sim *sim, struct server *server, const sigset_t *stop)
{
    const struct timespec tick = {.tv_nsec = SERVER_TICK_MS * 1000000L};
    int64_t due = clock_mono_ms();

    while (sigtimedwait(stop, NULL, &tick) < 0) {
        server_tick(server);
        if (clock_mono_ms() < due)
            continue;
        write_ledger(sim);
        due = clock_mono_ms() + LEDGER_EVERY_MS;
    }
}

static void announce(const struct options *opt, uint16_t port, uint16_t content_port)
{
    (void)printf("PORT %u\n", (unsigned)port);
    if (content_port != 0)
        (void)printf("CONTENT %u\n", (unsigned)content_port);
    (void)fflush(stdout);
    (void)fprintf(stderr,
                  "sheaf-simulator: a simulator for rehearsals and tests. Every answer it gives is "
                  "made up.\nsheaf-simulator: base URL http://%s:%u%s\n",
                  opt->host, (unsigned)port, opt->dialect->base);
}

static bool serve(struct sim *sim, const sigset_t *stop, struct err *err)
{
    struct server *server = server_start(sim, err);
    pthread_t worker;

    if (server == NULL)
        return false;
    if (pthread_create(&worker, NULL, worker_main, sim) != 0)
        log_fatal("cannot start a thread");
    announce(sim->opt, server_port(server), server_content_port(server));
    wait_for_stop(sim, server, stop);

    sim_lock(sim);
    sim->stopping = true;
    (void)pthread_cond_broadcast(&sim->wake);
    sim_unlock(sim);
    server_stop(server);
    (void)pthread_join(worker, NULL);
    write_ledger(sim);
    return true;
}

int main(int argc, char **argv)
{
    struct options opt;
    struct err err = {0};
    struct sim sim;
    sigset_t stop;

    log_setup("sheaf-simulator", LOG_LV_INFO, LOG_FMT_TEXT);
    if (!options_parse(&opt, argc, argv, &err)) {
        (void)fprintf(stderr, "sheaf-simulator: %s (--help says more)\n", err.msg);
        return EXIT_USAGE;
    }
    if (opt.help) {
        (void)fputs(options_help(), stdout);
        return EXIT_SUCCESS;
    }
    prepare_signals(&stop);
    if (!sim_open(&sim, &opt, &err)) {
        (void)fprintf(stderr, "sheaf-simulator: %s\n", err.msg);
        return err.kind == ERR_USAGE ? EXIT_USAGE : 9;
    }
    bool ok = serve(&sim, &stop, &err);
    sim_close(&sim);
    if (!ok)
        (void)fprintf(stderr, "sheaf-simulator: %s\n", err.msg);
    return ok ? EXIT_SUCCESS : err.kind == ERR_USAGE ? EXIT_USAGE : 9;
}
