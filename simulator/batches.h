#ifndef SIMULATOR_BATCHES_H
#define SIMULATOR_BATCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"

struct err;
struct folder;

enum batch_status {
    BATCH_VALIDATING,
    BATCH_FAILED,
    BATCH_IN_PROGRESS,
    BATCH_FINALIZING,
    BATCH_COMPLETED,
    BATCH_EXPIRED,
    BATCH_CANCELLING,
    BATCH_CANCELLED,
};

/** The API's own word: "validating", ... */
const char *batch_status_name(enum batch_status status);

bool batch_status_is_final(enum batch_status status);

/* One batch; its record is batches/<id>.json. Times are unix milliseconds, 0 = not yet. */
struct sim_batch {
    int64_t seq; /* order of creation */
    char *id;
    char *input_file_id;
    char *endpoint;
    char *window;
    char *metadata; /* JSON text, or NULL */
    char *model;    /* JSON text between the quotes, or NULL */
    char *errors;   /* JSON objects with commas between, or NULL */
    char *output_id;
    char *error_id;
    enum batch_status status;
    int64_t created, in_progress, finalizing, completed, failed, expired, cancelling, cancelled;
    int64_t expires; /* end of its window; 0: it has none */
    int64_t total, rows_ok, rows_bad;
    int64_t tokens; /* prompt tokens it holds in the queue while it lives */
    int64_t input_tokens, output_tokens;
    int64_t output_expires_s; /* after the creation of the output; 0: not asked for */
    bool file_hidden;         /* its input was not visible yet when it was created */
    bool auto_delete;
    bool executed;
    bool deleted; /* it is not shown any more */
    /* not stored */
    uint64_t intent; /* hash_fnv() of metadata's "sheaf_bid"; 0: it has none */
    bool cancel_asked;
    unsigned stuck_seen; /* bits of enum batch_status: whether it would stick there was decided */
    bool stuck;          /* it does, where it is */
    uint64_t polls;
    uint64_t polls_done; /* those that saw it finished */
};

/** All of them, oldest first. Zero-initialise, set @folder (borrowed). The owner serialises access.
 */
struct batches {
    const struct folder *folder;
    struct sim_batch **list;
    size_t count, cap;
    int64_t next_seq;
};

/** Read what the folder holds; what was being done when the process died starts again. */
MUST_CHECK bool batches_load(struct batches *b, struct err *err);

void batches_release(struct batches *b);

/** NULL when there is none, or it was deleted. */
struct sim_batch *batches_find(const struct batches *b, const char *id);

/** Add and store @init, whose texts are taken even on failure (NULL with @err). */
struct sim_batch *batches_add(struct batches *b, struct sim_batch init, struct err *err);

/** Store @batch as it is now. */
MUST_CHECK bool batches_save(const struct batches *b, const struct sim_batch *batch,
                             struct err *err);

size_t batches_live(const struct batches *b);

/** How input files were used: by how many batches each. */
struct batches_uses {
    size_t files, created_twice, executed_twice;
};

struct batches_uses batches_uses(const struct batches *b);

#endif
