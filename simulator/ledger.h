#ifndef SIMULATOR_LEDGER_H
#define SIMULATOR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

struct err;

/* What became of one request line in one batch. */
enum row_outcome {
    ROW_BILLED,     /* executed with success: this one costs money */
    ROW_FAILED,     /* executed, answered with an error */
    ROW_MISSING,    /* executed, its line lost; not billed */
    ROW_EXPIRED,    /* not executed in time */
    ROW_CANCELLED,  /* not executed, the batch was cancelled */
    ROW_DUPLICATED, /* its line was written once more */
    ROW_ALIEN,      /* a line nobody asked for was written beside it */
    ROW_SPOILED,    /* its answer was made worse than it was */
    ROW_OUTCOMES,
};

/**
 * One event. Its form on disk is these 16 bytes in the machine's own order: a
 * ledger folder belongs to the machine that wrote it.
 */
struct ledger_event {
    uint64_t id;   /* hash_fnv() of the custom_id */
    uint64_t body; /* first 61 bits of the body's SHA-256, then 3 bits of enum row_outcome */
};

struct ledger_event ledger_event(uint64_t id, uint64_t body, enum row_outcome outcome);

/* 16 bytes for each custom_id ever seen. */
struct ledger_row {
    uint64_t id; /* 0: empty slot */
    uint32_t body;
    uint16_t executed;
    uint16_t billed;
};

/* How often a body met a failure; what lets a retried row get through in the end. */
struct ledger_tally {
    uint64_t body; /* 0: empty slot */
    uint32_t failures;
};

/** Zero-initialise. The owner serialises access. */
struct ledger {
    struct ledger_row *rows;
    size_t rows_cap, rows_used;
    struct ledger_tally *tallies;
    size_t tallies_cap, tallies_used;
    uint64_t outcomes[ROW_OUTCOMES];
    uint64_t executed_twice, billed_twice; /* custom_ids with more than one */
    uint64_t body_changed;                 /* executions whose custom_id had another body before */
};

void ledger_release(struct ledger *l);

/** Count @n events. */
void ledger_record(struct ledger *l, const struct ledger_event *events, size_t n);

/** How often the row with this body failed, was lost, expired, cancelled or badly answered. */
uint32_t ledger_failures(const struct ledger *l, uint64_t body);

/** Record every event of the file @path; a file that is not there has none. */
MUST_CHECK bool ledger_replay(struct ledger *l, const char *path, struct err *err);

/** The totals as JSON members, without braces. */
void ledger_write_totals(const struct ledger *l, struct buf *out);

/**
 * The rows with at least @min_billed billed executions as JSON objects with
 * commas between, from slot *@at on, until about @chunk bytes were added. *@at
 * becomes where to go on; false when that was the end.
 */
bool ledger_write_rows(const struct ledger *l, uint64_t min_billed, size_t chunk, size_t *at,
                       bool *first, struct buf *out);

#endif
