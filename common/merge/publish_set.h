#ifndef MERGE_PUBLISH_SET_H
#define MERGE_PUBLISH_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/merge/publish.h"

struct publish_file;

/**
 * OUTPUT, its errors file and its report on the way to their names: what lies there already, three
 * files that nobody sees yet, and their naming in the one order that a kill cannot spoil. For
 * those who publish.
 */
struct publish_set;

/**
 * Look at what is there, and check as publish_check() does. NULL (with @err) on failure. @spec is
 * borrowed for the call. Free with publish_set_free().
 */
struct publish_set *publish_set_new(const char *output, const struct job_spec *spec, bool overwrite,
                                    struct err *err);

/** Drops what has no name yet. NULL is fine. */
void publish_set_free(struct publish_set *set);

const struct publish_paths *publish_set_paths(const struct publish_set *set);

/** The job's own OUTPUT that is replaced: what the new report must name. NULL: there is none. */
const struct report_file *publish_set_replaces(const struct publish_set *set);

/** What a finished report of the job, with its OUTPUT beside it, says. */
struct publish_known {
    int64_t generation; /* -1: it has none */
    struct report_file out, errors;
};

/** NULL: no such report, or OUTPUT or the errors file are not what it says. */
MUST_CHECK bool publish_set_known(struct publish_set *set, const struct publish_known **out,
                                  struct err *err);

/** Begin the three files. */
MUST_CHECK bool publish_set_begin(struct publish_set *set, struct err *err);

/** To be written, then finished with publish_file_finish(). Owned by @set. */
struct publish_file *publish_set_out(const struct publish_set *set);
struct publish_file *publish_set_errors(const struct publish_set *set);

/**
 * Write the report and name all three: errors, report, OUTPUT last: it is the mark that all are
 * there. @errors is the errors file that was written: another one there, with no report of the job
 * beside it, is ERR_CONFLICT unless the set was made with @overwrite.
 */
MUST_CHECK bool publish_set_name(struct publish_set *set, const struct report_file *errors,
                                 const char *report, size_t len, struct err *err);

/** Same size and hash, and the hash is known. */
bool publish_same_file(const struct report_file *a, const struct report_file *b);

#endif
