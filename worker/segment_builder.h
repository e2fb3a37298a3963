#ifndef WORKER_SEGMENT_BUILDER_H
#define WORKER_SEGMENT_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "worker/core/tally.h"

struct sink;

/** Where the bytes of a chunk come from. Borrowed. */
struct chunk_source {
    const struct batch *batch;
    const char *ji;
    const char *file;     /* remote file id: names the segments, with @file_offset and the pass */
    uint64_t file_offset; /* of the chunk in that file */
    uint64_t offset;      /* of the chunk in (output || error): orders lines of both files */
    bool refused;         /* the lines are refusals of the input file: final, whatever they say */
};

/**
 * Read the result lines of one chunk, note them in @tally, and publish them as
 * one segment for each part they belong to. Lines that cannot be read, or were
 * not asked for, are counted and left out. A segment that is there already is adopted:
 * it was made of the same bytes. *@differs: it was not, the file is another one than then, and
 * what @tally notes of this chunk may not be in the sink.
 */
MUST_CHECK bool segments_publish(struct sink *sink, const struct chunk_source *source,
                                 const char *data, size_t len, struct tally *tally, bool *differs,
                                 struct err *err);

#endif
