#ifndef CODEC_SEGMENT_H
#define CODEC_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/batch.h"
#include "common/model/outcome.h"

/*
 * A segment: result lines of one part, sorted by (ordinal, offset, batch).
 * Everything is little-endian:
 *
 *     magic "SHEAFSEG"  u32 version  u32 part  u64 first ordinal  u64 last
 *     u64 records  u32 batches
 *     batches x { bid 16 bytes  i64 remote created, ms }
 *     records x { u64 ordinal  u64 line offset  u32 batch  u32 attempt
 *                 u32 length  u8 outcome  raw line }
 *     u64 XXH3-64 of all before
 *
 * What a worker publishes has one batch; an intermediate pass of the merge
 * writes segments of many.
 */

/** Change the layout, raise the number, keep the old reader. */
#define SEGMENT_VERSION 1

/** A result line's bytes, at most. */
#define SEGMENT_MAX_LINE (32u << 20)

/** Batches in one segment, at most. */
#define SEGMENT_MAX_BATCHES 65536u

/** From this bit on a line's offset says in which pass over the remote files it was read. */
#define SEGMENT_PASS_SHIFT 48

/** The batch that lines came from. */
struct segment_batch {
    char bid[BATCH_ID_LEN + 1];
    int64_t created_ms; /* the provider's time of the remote batch; 0 unknown */
};

/** One result line. @line is borrowed, without its newline. */
struct record {
    uint64_t ordinal;
    uint64_t offset; /* of the line in the remote file(s), and the pass that read it */
    enum outcome outcome;
    uint32_t attempt; /* tries before this one */
    uint32_t batch;   /* index into the segment's batches; 0 from a worker */
    const char *line;
    size_t len;
};

/** Order for qsort() of records of one batch: by ordinal, then offset. */
int record_compare(const void *a, const void *b);

/** Takes the segment's bytes, piece by piece; false (with @err) stops the writing. */
typedef bool (*segment_write_fn)(void *arg, const void *bytes, size_t len, struct err *err);

/**
 * Write a segment of @records, which are sorted (record_compare) and all of
 * @part and @batch. Lines are passed on without being copied:
 *     segment_write(part, &batch, records, count, sink_write_fn, writer, err)
 * ERR_INTERNAL when they are not sorted or not of @part; ERR_PERMANENT for a
 * line over SEGMENT_MAX_LINE.
 */
MUST_CHECK bool segment_write(uint32_t part, const struct segment_batch *batch,
                              const struct record *records, size_t count, segment_write_fn write,
                              void *arg, struct err *err);

/** What stands at the beginning of a segment. */
struct segment_header {
    uint32_t part;
    uint64_t first, last; /* ordinals; meaningless without records */
    uint64_t records;
    uint32_t batch_count;
    const struct segment_batch *batches; /* borrowed */
};

/** Writes a segment record by record. */
struct segment_writer;

/** Writes @header (copied) at once. NULL (with @err) when that fails. */
struct segment_writer *segment_writer_new(const struct segment_header *header,
                                          segment_write_fn write, void *arg, struct err *err);

/** Append @record. */
MUST_CHECK bool segment_writer_add(struct segment_writer *w, const struct record *record,
                                   struct err *err);

/** Write the footer; ERR_INTERNAL when the header promised another number of records. */
MUST_CHECK bool segment_writer_finish(struct segment_writer *w, struct err *err);

/** NULL is fine. */
void segment_writer_free(struct segment_writer *w);

/** Reads a segment once, from front to back, with a buffer of 128 KB. */
struct segment_reader;

/**
 * @fd is taken, also on failure; @name (copied) is for messages. Reads the
 * header. NULL (with @err) on failure: ERR_PERMANENT when it is not a segment.
 */
struct segment_reader *segment_reader_new(int fd, const char *name, struct err *err);

/** NULL is fine. */
void segment_reader_free(struct segment_reader *r);

/** Lives as long as the reader. */
const struct segment_header *segment_reader_header(const struct segment_reader *r);

enum segment_read { SEGMENT_RECORD, SEGMENT_END, SEGMENT_FAILED };

/**
 * The next record, its @line still NULL: segment_reader_line() gets it, or the
 * next call passes over it. SEGMENT_END comes only after the whole file proved
 * sound. SEGMENT_FAILED (with @err naming the file): it is not sound.
 */
MUST_CHECK enum segment_read segment_reader_next(struct segment_reader *r, struct record *out,
                                                 struct err *err);

/** The line of the record that segment_reader_next() gave last; borrowed until its next call. */
MUST_CHECK bool segment_reader_line(struct segment_reader *r, const char **line, struct err *err);

#endif
