#ifndef MERGE_AUDIT_H
#define MERGE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/model/job_spec.h"

struct sink;

/** Line numbers that are kept of each kind of finding. */
#define AUDIT_EXAMPLES 20

/** Rows with one kind of finding. */
struct audit_finding {
    uint64_t count;
    uint64_t lines[AUDIT_EXAMPLES]; /* input line numbers, the first ones */
    size_t line_count;
};

/** What an audit found. Plain data. */
struct audit {
    uint64_t requests; /* in the input */
    uint64_t windows;
    uint32_t parts;
    uint64_t ok, failed;          /* rows that are as they should be */
    struct audit_finding missing; /* requests that are in neither file */
    struct audit_finding differs; /* rows that are not what the sink's evidence says */
    uint64_t extra;               /* rows beyond the last, or for no request */
    char first[256];              /* the first finding, for people; "" for none */
};

/** True when every request is there exactly once. */
bool audit_passed(const struct audit *audit);

/** Called after each part, for progress; may be NULL. */
typedef void (*audit_progress_fn)(const struct audit *audit, void *arg);

/**
 * Prove, from the sink and the input alone, that every request is in the
 * results exactly once: cut the input again, merge each part again and compare
 * with out/ and dead/ byte by byte, and when @output is not NULL with OUTPUT
 * and its errors file as well. False (with @err) only when the audit could not
 * be made: ERR_INPUT when the input is not what it was. Findings are in @out.
 */
MUST_CHECK bool audit_run(struct sink *sink, const struct job_spec *spec, const char *output,
                          audit_progress_fn progress, void *arg, struct audit *out,
                          struct err *err);

#endif
