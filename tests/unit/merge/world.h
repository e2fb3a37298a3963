#ifndef TESTS_UNIT_MERGE_WORLD_H
#define TESTS_UNIT_MERGE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/codec/evidence.h"
#include "common/codec/segment.h"
#include "common/merge/merge.h"
#include "common/model/job_spec.h"
#include "common/sink/sink.h"
#include "tests/testlib/scratch.h"

/* An input, a job and its sink in a folder of the test's own. */
struct world {
    char path[SCRATCH_PATH_MAX];
    char input[SCRATCH_PATH_MAX + 16];
    struct job_spec spec;
    struct sink *sink;
};

void world_make(struct world *w, uint32_t window_lines);
void world_free(struct world *w);

/* Write the input file. */
void world_write_input(struct world *w, const char *text, size_t len);

/* Cut the input as a producer does: publish where parts start; returns the number of windows. */
uint32_t world_cut(struct world *w);

/* Publish a segment; sorts @records. */
void world_segment(struct world *w, uint32_t part, const struct segment_batch *batch,
                   const char *file, uint64_t offset, struct record *records, size_t count);

/* A record for @line, which must outlive it. */
struct record world_record(uint32_t window, uint32_t line, uint64_t offset, enum outcome outcome,
                           const char *text);

/* Publish evidence of @part. */
void world_evidence(struct world *w, uint32_t part, const struct evidence *evidence);

/* Evidence that batch @bid was asked for all @lines of @window. */
void world_asked(struct world *w, const char *bid, uint32_t window, uint32_t lines,
                 const char *failure);

/* Merge @part, whose number of windows follows from @windows of the job. */
enum merge_result world_merge(struct world *w, uint32_t part, uint32_t windows, bool cancelled,
                              struct err *err);

/* A file of the sink as text; the caller releases it. */
struct buf world_read(struct world *w, const char *name);

/* Any file as text; the caller releases it. */
struct buf world_read_path(const char *path);

/* Overwrite any file. */
void world_write_path(const char *path, const char *text, size_t len);

/* Fail the test unless the sink's file @name is @text. */
void world_assert(struct world *w, const char *name, const char *text);

/* A repeatable random number below @bound. */
uint32_t world_random(uint64_t *seed, uint32_t bound);

#endif
