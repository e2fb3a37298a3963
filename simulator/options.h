#ifndef SIMULATOR_OPTIONS_H
#define SIMULATOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "simulator/faults.h"

struct dialect;

/** The command line. Texts are borrowed from argv. */
struct options {
    const struct dialect *dialect;
    const char *host;
    uint16_t port;   /* 0: choose one */
    const char *key; /* NULL: any */
    const char *ledger;
    const char *answers; /* file of rules; NULL: answers are hashes */
    const char *dir;     /* NULL: a private folder, removed at the end */
    int64_t delay_ms;
    int64_t validate_delay_ms;
    bool list_value;         /* azure: listings have "value" instead of "data" */
    int64_t window_ms;       /* how long "24h" takes */
    int64_t cancel_delay_ms; /* from the wish to cancel to its end */
    int64_t file_delay_ms;   /* a new file is not processed for so long */
    int64_t file_ttl_ms;     /* longest life of a file; 0: as asked for */
    uint64_t max_requests;
    uint64_t max_bytes;
    uint64_t enqueued_tokens;   /* per model; 0: no limit */
    uint64_t max_live;          /* batches; 0: no limit */
    uint64_t enqueued_requests; /* per model */
    uint64_t creates_per_hour, uploads_per_min, polls_per_min;
    uint64_t max_files;    /* uploaded ones; 0: no limit, as of all of these */
    uint64_t max_storage;  /* bytes */
    bool fail_fast;        /* what is over the queue's limit is refused at create */
    bool rate_headers;     /* answers have x-ratelimit-* */
    bool content;          /* there is a content server */
    uint16_t content_port; /* 0: choose one */
    struct faults faults;  /* with the seed */
    bool help;
};

/** False with one line in @err when the command line is wrong. */
MUST_CHECK bool options_parse(struct options *o, int argc, char **argv, struct err *err);

/** What --help prints. */
const char *options_help(void);

#endif
