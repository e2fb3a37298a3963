#ifndef MERGE_PUBLISH_H
#define MERGE_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/merge/report.h"
#include "common/model/job_spec.h"

struct sink;

/** Room for a path and its NUL. */
#define PUBLISH_PATH_MAX 4096

/** OUTPUT and its companions. */
struct publish_paths {
    char out[PUBLISH_PATH_MAX];    /* as given: out.jsonl */
    char errors[PUBLISH_PATH_MAX]; /* out.errors.jsonl */
    char report[PUBLISH_PATH_MAX]; /* out.report.json */
};

/**
 * The companions' names: the last extension of @output is replaced, or they
 * are appended where there is none. ERR_USAGE when a name is too long, or
 * @output is empty, ends with a slash, or has the name of a compressed file (.gz, .zst).
 */
MUST_CHECK bool publish_paths(const char *output, struct publish_paths *paths, struct err *err);

/**
 * Whether @output can be written later, before any work starts: ERR_USAGE when
 * its folder is not there or it is a folder itself, ERR_UNAVAILABLE when the
 * folder is not writable, ERR_CONFLICT when OUTPUT exists and @spec's job did
 * not make it, unless @overwrite. Whether a file is this job's own is read off
 * the report beside it: same job and incarnation, and the hash of OUTPUT or of what it replaces.
 */
MUST_CHECK bool publish_check(const char *output, const struct job_spec *spec, bool overwrite,
                              struct err *err);

/**
 * Write OUTPUT, its errors file and its report from the merged parts
 * [0, @parts): under nameless or dot-names beside OUTPUT, fsynced, then named:
 * errors, report, OUTPUT last, which is the mark that all is there. Each part is taken in its
 * newest generation. An OUTPUT of this job with the right content is adopted: *@adopted (may
 * be NULL), and nothing is written; one of an earlier generation is replaced whole. The
 * report says which OUTPUT it replaces, so that after a kill between the two the same call
 * still knows the old one for the job's own. Checks as publish_check() does. Fills
 * @report (the caller releases it) on success. Blocks for as long as copying takes.
 */
MUST_CHECK bool publish_output(struct sink *sink, const struct job_spec *spec, uint32_t parts,
                               const char *output, bool overwrite, const struct report_times *times,
                               struct report *report, bool *adopted, struct err *err);

#endif
