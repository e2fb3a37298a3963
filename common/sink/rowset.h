#ifndef SINK_ROWSET_H
#define SINK_ROWSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/batch.h"

/*
 * A set of a job's rows as a file of the sink: which lines of which windows. What a
 * resubmission sends again is one, and what of a part failed is one. Written and read
 * window by window, in order; at most one part (512 windows) is in memory.
 * Everything is little-endian:
 *
 *     magic "SHEAFROW"  u32 version  u32 with times
 *     windows x { u32 window  u32 lines  u32 crc  mask  with times: each row's i64 }
 *     parts x { u32 part  u32 windows  u64 rows  u64 offset  u64 bytes  u64 XXH3-64 of these }
 *     u32 parts  u32 windows of the job  u64 windows  u64 rows
 *     u64 XXH3-64 of the two lines above and of the head
 *
 * A million failed rows take 125 kB where a window holds 1,000 lines.
 */

struct sink;

/** Change the layout, raise the number, keep the old reader. */
#define ROWSET_VERSION 1

/** Rows of one window. */
struct rowset_window {
    uint32_t window;
    uint32_t lines;                  /* requests in the window = bits of the mask */
    uint32_t left;                   /* clear bits: rows in the set, above 0 */
    uint32_t crc;                    /* crc32c of the window's bytes in the input */
    uint8_t mask[MEMBER_MASK_BYTES]; /* a clear bit is in the set */
    const int64_t *times;            /* one for each clear bit, in order; NULL without times */
};

/** Sums of a whole set. */
struct rowset_totals {
    uint32_t parts;       /* that have rows in it */
    uint32_t job_windows; /* windows of the whole job, as whoever wrote it knew */
    uint64_t windows;     /* that have rows in it */
    uint64_t rows;
};

struct rowset_writer;

/** Begin file @name. NULL (with @err) on failure. */
struct rowset_writer *rowset_begin(struct sink *sink, const char *name, bool with_times,
                                   uint32_t job_windows, struct err *err);

/** Append a window (copied); each has a larger number than the one before. */
MUST_CHECK bool rowset_add(struct rowset_writer *w, const struct rowset_window *window,
                           struct err *err);

/** What was added so far. */
const struct rowset_totals *rowset_writer_totals(const struct rowset_writer *w);

/**
 * Publish the file, as sink_commit() does, and free @w. *@checksum (may be NULL) is of our
 * set, also when another writer was first (*@existed): rowset_checksum() of his tells whether
 * it is the same.
 */
MUST_CHECK bool rowset_commit(struct rowset_writer *w, uint64_t *checksum, bool *existed,
                              struct err *err);

/** Drop what was written. NULL is fine. */
void rowset_abort(struct rowset_writer *w);

/** Parts of a set, as its file lists them. */
struct rowset_part {
    uint32_t part, windows;
    uint64_t rows, offset, bytes, hash;
};

struct rowset;

/** Open file @name; its index is read and checked. NULL (with @err) on failure. */
struct rowset *rowset_open(struct sink *sink, const char *name, struct err *err);

/** NULL is fine. */
void rowset_free(struct rowset *rowset);

const struct rowset_totals *rowset_totals(const struct rowset *rowset);

/** Of all that is in the file. */
uint64_t rowset_checksum(const struct rowset *rowset);

/** The parts that have rows in it, in order. Lives as long as @rowset. */
const struct rowset_part *rowset_parts(const struct rowset *rowset, size_t *count);

/** Read the windows of @part and check them; none when it is not in the set. */
MUST_CHECK bool rowset_read_part(struct rowset *rowset, uint32_t part, struct err *err);

/** The next window of the part that was read; false behind the last. */
bool rowset_next(struct rowset *rowset, struct rowset_window *out);

#endif
