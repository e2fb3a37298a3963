#ifndef MERGE_RUNS_H
#define MERGE_RUNS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/codec/segment.h"

struct sink;

/** Segments that are open at the same time, at most. */
#define RUNS_OPEN 64

/**
 * Many segments of one part read as one stream in order of ordinals. A segment
 * is opened when the stream reaches its first ordinal. Where more than
 * RUNS_OPEN overlap, some are merged into a temporary file first.
 */
struct runs;

/** Borrows @sink. Free with runs_free(). */
struct runs *runs_new(struct sink *sink, uint32_t part);

/** NULL is fine. */
void runs_free(struct runs *runs);

/**
 * Add the segment @name (copied) before reading begins; reads its header. Its batch
 * into *@batch: what is published has one.
 */
MUST_CHECK bool runs_add(struct runs *runs, const char *name, struct segment_batch *batch,
                         struct err *err);

/** After the last runs_add(): intermediate passes, @max_records at a time; *@done in the end. */
MUST_CHECK bool runs_prepare(struct runs *runs, size_t max_records, bool *done, struct err *err);

/** A record of the stream; @record.line is NULL until runs_line(). */
struct run_record {
    struct record record;
    const struct segment_batch *batch; /* where it came from; borrowed until the next call */
};

/** The next record. SEGMENT_END: all segments were sound. */
MUST_CHECK enum segment_read runs_next(struct runs *runs, struct run_record *out, struct err *err);

/** The line of the record that runs_next() gave last; borrowed until its next call. */
MUST_CHECK bool runs_line(struct runs *runs, const char **line, struct err *err);

#endif
