#ifndef CLI_CORE_PROGRESS_H
#define CLI_CORE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/core/spending.h"
#include "common/base/buf.h"

/**
 * How far a job is, at one moment. Three truths are kept apart: done at the
 * provider, downloaded, integrated. -1 is unknown and is shown as "?".
 */
struct progress_sample {
    int64_t at_ms;       /* monotonic */
    const char *state;   /* "cutting", "running", "held: budget", ...; borrowed */
    const char *why;     /* words of whoever caused it; NULL or "": none; borrowed */
    int64_t total;       /* requests in the input; -1 until all of it is cut */
    int64_t cut;         /* requests cut so far; like all below -1 before the first look */
    int64_t remote_done; /* done at the provider, integrated ones included */
    int64_t downloaded;  /* in the sink, integrated ones included */
    int64_t integrated;  /* settled: ok + failed */
    int64_t failed;
    int64_t building, submitting, running, fetching; /* batches */
    struct spending spending;
};

/** What has been seen of one job since this process looks at it. Plain data. */
struct progress {
    const char *job;            /* borrowed */
    struct progress_sample now; /* the newest */
    int64_t first_ms;           /* of the first sample */
    int64_t rate_ms;            /* of the first one with numbers: the rate counts from there */
    int64_t rate_integrated;
    int64_t told_ms; /* plain form: when the last line was written */
    int told_pct;
    char told_state[64];
    char told_why[64]; /* the start of it */
    bool started;
};

/** A sample of which only @state is known. */
struct progress_sample progress_unknown(int64_t at_ms, const char *state);

/** Take a sample. */
void progress_update(struct progress *p, const struct progress_sample *sample);

/** Whole percent integrated, rounded down: 100 only when everything is; -1: unknown. */
int progress_percent(const struct progress *p);

/** Milliseconds until the end at the rate seen so far; -1: unknown. */
int64_t progress_eta_ms(const struct progress *p);

/**
 * True when the plain form should say something: at the start, when the state
 * changes, when the words behind it are others than 60 s ago, and at each 10 % or
 * 60 s, whichever is later. Notes that it was told.
 */
bool progress_plain_is_due(struct progress *p);

/** One logfmt line without a newline: "ev=progress job=... pct=61 ..." */
void progress_print_plain(const struct progress *p, struct buf *out);

/** One JSON object, message_type "status", without a newline. */
void progress_print_json(const struct progress *p, struct buf *out);

/**
 * The region for a terminal of @columns: lines ended by newlines, each cut so that
 * it takes one row there. @lines: how many. One line only below 60 columns. @utf8:
 * blocks and marks instead of ASCII. With a line on money where some is known.
 */
void progress_print_tty(const struct progress *p, unsigned columns, bool utf8, struct buf *out,
                        unsigned *lines);

#endif
