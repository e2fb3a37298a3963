#ifndef SIMULATOR_SIM_H
#define SIMULATOR_SIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/batches.h"
#include "simulator/faults.h"
#include "simulator/files.h"
#include "simulator/folder.h"
#include "simulator/keys.h"
#include "simulator/ledger.h"
#include "simulator/limits.h"

struct err;
struct options;
struct script;

#define SIM_ROUTES_MAX 20

/*
 * Everything the simulator knows. The HTTP thread answers from it, the worker
 * thread moves batches on, the main thread writes the ledger; all of them hold
 * @lock while they look or change, never while they read or write big files.
 */
struct sim {
    const struct options *opt;
    struct script *script; /* NULL: answers are hashes */
    struct folder folder;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* a batch has something to do, or we stop; monotonic clock */
    bool stopping;
    struct faults faults;
    struct ledger ledger;
    struct files files;
    struct batches batches;
    uint64_t creates_lost; /* accepted, answer withheld */
    uint64_t creates_received;
    uint64_t creates_on_reused;      /* that were not the first request of their connection */
    uint64_t creates_per_connection; /* at most, on one connection */
    char own_url[128];               /* of this server */
    char content_url[128];           /* where downloads are redirected to */
    uint64_t content_requests;       /* at the content server */
    uint64_t keys_leaked;            /* of them, those that brought a key */
    uint64_t stores_refused, lives_refused, queue_refused; /* for one of the limits */
    struct rate rates[RATE_COUNT];
    struct keys keys;
    uint64_t requests[SIM_ROUTES_MAX];
    uint64_t requests_unknown;
};

/** Open the folder and read what it holds. @opt is borrowed. */
MUST_CHECK bool sim_open(struct sim *sim, const struct options *opt, struct err *err);

/** No other thread may be running. */
void sim_close(struct sim *sim);

void sim_lock(struct sim *sim);
void sim_unlock(struct sim *sim);

/** When a file stored at @now_ms expires that is to live @seconds (0: for ever); 0: never. */
int64_t sim_file_end(const struct sim *sim, int64_t now_ms, uint64_t seconds);

/** The ledger's totals as one JSON object. Needs the lock. */
void sim_write_ledger(const struct sim *sim, struct buf *out);

#endif
