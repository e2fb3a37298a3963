#ifndef CLI_CORE_FAILURES_H
#define CLI_CORE_FAILURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/provider/row.h"

/*
 * Rows that failed, grouped by cause: the HTTP status and the code of the
 * provider, or Sheaf's own code. Pure.
 */

/** Different causes that are told apart; rows of any further ones are counted together. */
#define FAILURES_MAX_CAUSES 4096

/** Of these, so many are printed. */
#define FAILURES_SHOWN 100

/** Rows of each cause that are kept. */
#define FAILURES_SAMPLES 3

/** One row that failed, as its errors file has it. Borrowed. */
struct failure {
    int64_t status;      /* of HTTP; 0 and below: none */
    const char *code;    /* "" when nothing says so */
    const char *message; /* "" */
    int64_t time_ms;     /* when that was seen, milliseconds since 1970; 0: not known */
};

/** A row that is shown as an example. */
struct failure_sample {
    char id[96];       /* custom_id, cut */
    bool has_id;       /* false: it is null */
    uint32_t shard;    /* its window of the input, as `resubmit --shard` counts */
    int64_t line;      /* of the input, from 1; -1 when it is not known */
    char message[256]; /* cut */
};

struct failure_cause {
    int64_t status;            /* 0: none */
    char code[64];             /* "" */
    enum row_class class;      /* of its first row */
    int64_t first_ms, last_ms; /* of those whose time is known; 0: of none */
    uint64_t count;
    struct failure_sample samples[FAILURES_SAMPLES]; /* the first ones */
    size_t sample_count;
};

/** Plain data; zeroed is empty. failures_release() frees. */
struct failures {
    struct failure_cause *causes;
    size_t count;
    uint32_t *slots; /* hash table of positions + 1 */
    uint64_t rows;   /* all that were added */
    uint64_t others; /* rows of causes that are not kept */
};

void failures_release(struct failures *f);

/**
 * Count one row. Returns where its sample goes, to be filled by
 * failure_sample_fill(); NULL when no more is needed.
 */
struct failure_sample *failures_add(struct failures *f, const struct failure *row);

/** @id NULL for none. The line is read off a message that begins with "line 7: ". */
void failure_sample_fill(struct failure_sample *sample, uint32_t shard, const char *id,
                         const char *message);

/** Most frequent first; nothing can be added afterwards. */
void failures_sort(struct failures *f);

/** "400 content_filter", "500", "job_cancelled", "unknown". Returns @out. */
const char *failure_cause_name(const struct failure_cause *cause, char out[96]);

/** What would help against a cause, one sentence. Never NULL. */
const char *failure_help(const struct failure_cause *cause);

/** Whether the same request may well have a result when it is sent again. */
bool failure_may_pass(const struct failure_cause *cause);

/** How far the job is merged: what failed in the rest is not known yet. */
struct failures_scope {
    const char *job;
    uint32_t parts;     /* merged */
    uint64_t rows;      /* in these */
    int64_t not_merged; /* rows of the job that are not merged yet; -1: not known */
    bool ended;
};

void failures_print(const struct failures *f, const struct failures_scope *scope, struct buf *out);
void failures_print_json(const struct failures *f, const struct failures_scope *scope,
                         struct buf *out);

#endif
