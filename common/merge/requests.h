#ifndef MERGE_REQUESTS_H
#define MERGE_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"

struct sink;

/**
 * The requests of a job as its user wrote them, in order, from one part on:
 * cut again from the source, or from the manifests of an inline job. One
 * window is in memory at a time.
 */
struct requests;

/** One request. Pointers are borrowed until the next call. */
struct request {
    uint64_t ordinal;
    uint64_t line;      /* line number in the input, from 1 */
    const char *id;     /* raw JSON of custom_id; NULL for none */
    size_t id_len;      /* bytes */
    const char *reason; /* why it can't be sent: "line 7: ..."; NULL: it can */
    uint32_t crc;       /* crc32c of its window's bytes */
    uint32_t lines;     /* requests in its window */
};

/**
 * Say where part @part (1 and up; part 0 begins at the beginning) starts in the
 * source: byte @offset, line number @line from 1. ERR_CONFLICT when the sink
 * already says otherwise: the input has changed.
 */
MUST_CHECK bool requests_publish_index(struct sink *sink, uint32_t part, uint64_t offset,
                                       uint64_t line, struct err *err);

/**
 * Where @part starts in the source: byte @offset, line number @line from 1. Part 0 starts at the
 * beginning, of others the sink knows.
 */
MUST_CHECK bool requests_find_part(struct sink *sink, uint32_t part, uint64_t *offset,
                                   uint64_t *line, struct err *err);

/**
 * Start with the first request of @part. Borrows @sink and @spec. NULL (with
 * @err) on failure: ERR_INPUT when the source cannot be read. Free with
 * requests_free().
 */
struct requests *requests_new(struct sink *sink, const struct job_spec *spec, uint32_t part,
                              struct err *err);

/** NULL is fine. */
void requests_free(struct requests *r);

enum requests_read { REQUESTS_ONE, REQUESTS_END, REQUESTS_FAILED };

/** The next request; it goes on into the parts that follow. REQUESTS_END: the input ends. */
MUST_CHECK enum requests_read requests_next(struct requests *r, struct request *out,
                                            struct err *err);

/** True when the next request is the first of @window, if there is one at all. */
bool requests_at_window(const struct requests *r, uint32_t window);

#endif
