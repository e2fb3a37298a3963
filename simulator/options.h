#ifndef SIMULATOR_OPTIONS_H
#define SIMULATOR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "simulator/faults.h"

enum profile { PROFILE_OPENAI, PROFILE_ZHIPU };

/** Path before /files and /batches. */
const char *profile_base(enum profile profile);

/** The command line. Texts are borrowed from argv. */
struct options {
    enum profile profile;
    const char *host;
    uint16_t port;   /* 0: choose one */
    const char *key; /* NULL: any */
    const char *ledger;
    const char *dir; /* NULL: a private folder, removed at the end */
    int64_t delay_ms;
    int64_t validate_delay_ms;
    uint64_t max_requests;
    uint64_t max_bytes;
    uint64_t enqueued_tokens; /* per model; 0: no limit */
    uint64_t max_live;        /* batches; 0: no limit */
    struct faults faults;     /* with the seed */
    bool help;
};

/** False with one line in @err when the command line is wrong. */
MUST_CHECK bool options_parse(struct options *o, int argc, char **argv, struct err *err);

/** What --help prints. */
const char *options_help(void);

#endif
