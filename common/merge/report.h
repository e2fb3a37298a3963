#ifndef MERGE_REPORT_H
#define MERGE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/digest/sha256.h"
#include "common/merge/spend.h"
#include "common/model/batch.h"
#include "common/model/job_spec.h"
#include "common/model/price_table.h"
#include "common/model/usage.h"

struct sink;

/** "schema" of the report. Raised when a member changes its meaning or goes away. */
#define REPORT_SCHEMA 1

/** Different error codes that are counted; the rest are "(other)". */
#define REPORT_MAX_CODES 1000

/** How many rows failed with one code. */
struct code_count {
    char code[64];
    uint64_t count;
};

/** A published file. */
struct report_file {
    uint64_t bytes;
    char sha256[SHA256_HEX_LEN + 1];
};

/** Counts of one part or of the whole job. report_release() frees. */
struct report {
    uint64_t requests, ok, failed;
    uint64_t invalid;        /* of @failed: lines that could not be sent */
    uint64_t attempts;       /* times a task was sent, all tasks together */
    uint64_t duplicates;     /* successes beyond the first for a task; not those read again */
    uint64_t paid_twice;     /* of these: from one more batch, so the provider ran the task again */
    uint64_t superseded;     /* failed lines that a better or newer one replaced */
    struct usage tokens;     /* of the lines that became rows */
    struct usage wasted;     /* of the duplicates */
    struct spend_list spend; /* of all lines that were billed */
    struct waste_sum wastes[WASTES]; /* by enum waste */
    struct code_count *codes;        /* in order of count, most first */
    size_t code_count;
    char (*batches)[BATCH_ID_LEN + 1]; /* different remote batches, sorted */
    size_t batch_count;
    struct report_file out, dead;
    uint32_t generation; /* of the part; of the job: the newest one */
};

/** What the caller knows of the job and the sink does not. Milliseconds since 1970. */
struct report_times {
    int64_t created_ms, finished_ms;  /* 0: unknown, null in the report */
    const struct price_table *prices; /* for the price without a batch, and the rate of exchange;
                                         NULL: the built-in prices, and no rate. Borrowed */
};

/** The money of a report, in the currency that the job's provider bills in. */
struct report_cost {
    char currency[MONEY_CURRENCY_SIZE];
    bool known;                    /* false: the price of some model that was billed is not: "?" */
    int64_t nano;                  /* what was billed, of the models whose price is known */
    int64_t likely_nano;           /* the same as it was expected when the batches were packed */
    bool realtime_known;           /* all models have a list price, and: */
    int64_t realtime_nano;         /* what the same tokens cost without a batch */
    int64_t wasted_nano;           /* of @nano: for nothing, all causes */
    uint64_t est_input, act_input; /* input tokens of the lines with a usage: estimated, counted */
};

/** What the job's report says beside its numbers. */
struct report_paths {
    const char *out, *dead; /* files that were published; NULL for none */
    const char *trail;      /* who did what to the job, a JSON array; NULL is null */
    /*
     * OUTPUT as it was when the report was written: it is replaced next. NULL: there was none.
     * Should the program die in between, this tells that the old OUTPUT is the job's own.
     */
    const struct report_file *replaces;
};

/** Empty. */
void report_init(struct report *report);
void report_release(struct report *report);

/** Add @count to what failed with @code. */
void report_count_code(struct report *report, const char *code, uint64_t count);

/** Note a remote batch; the second time nothing changes. */
void report_add_batch(struct report *report, const char *bid);

/** Add the counts of @part to @total; the files' bytes are added, their hashes not. */
void report_add(struct report *total, const struct report *part);

/** The sums of @report.spend. @prices may be NULL. */
void report_cost(const struct report *report, const struct job_spec *spec,
                 const struct price_table *prices, struct report_cost *out);

/** Put the codes in order of count, most first. */
void report_sort_codes(struct report *report);

/** One part's counts as a JSON object with a newline, as in rep/; sorts. False past the limit. */
MUST_CHECK bool report_write_part(struct report *report, struct buf *out);

/** The reverse; ERR_PERMANENT when it is not one. */
MUST_CHECK bool report_parse_part(const char *text, size_t len, struct report *report,
                                  struct err *err);

/** The counts of @part in @generation, if it is merged: *@found. The caller releases them then. */
MUST_CHECK bool report_load_part(struct sink *sink, uint32_t part, uint32_t generation,
                                 struct report *report, bool *found, struct err *err);

/**
 * Sum of the parts [0, @parts), each in its newest generation. ERR_TEMPORARY when one is
 * not merged yet. Only the hashes of @out and @dead stay empty: publish_output() fills them in.
 */
MUST_CHECK bool report_collect(struct sink *sink, uint32_t parts, struct report *report,
                               struct err *err);

/** The job's report as a JSON document, schema 1. */
MUST_CHECK bool report_write_json(const struct report *report, const struct job_spec *spec,
                                  const struct report_times *times,
                                  const struct report_paths *paths, struct buf *out);

/** The same for people: some lines of text. */
MUST_CHECK bool report_write_text(const struct report *report, const struct job_spec *spec,
                                  const struct report_times *times, struct buf *out);

#endif
