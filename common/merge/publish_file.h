#ifndef MERGE_PUBLISH_FILE_H
#define MERGE_PUBLISH_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/merge/report.h"

struct sink;

/**
 * A file beside OUTPUT that is written without a name, or under a dot-name
 * where the file system cannot do that, and named when it is whole. Or any other file
 * that is to appear whole, in place of one that is there.
 */
struct publish_file;

/** In the folder of @path (copied). NULL (with @err) on failure. Free with publish_file_free(). */
struct publish_file *publish_file_new(const char *path, struct err *err);

/** Drops what has no name yet. NULL is fine. */
void publish_file_free(struct publish_file *f);

/** Append bytes. */
MUST_CHECK bool publish_file_write(struct publish_file *f, const char *bytes, size_t len,
                                   struct err *err);

/** Append the whole of file @name of @sink. */
MUST_CHECK bool publish_file_copy(struct publish_file *f, struct sink *sink, const char *name,
                                  struct err *err);

/** Fsync what was written; size and SHA-256 in @out. */
MUST_CHECK bool publish_file_finish(struct publish_file *f, struct report_file *out,
                                    struct err *err);

/** Give it its name, in place of a file that has it already, and fsync the folder. */
MUST_CHECK bool publish_file_name(struct publish_file *f, struct err *err);

/** Size and SHA-256 of the file at @path; *@found is false when there is none. */
MUST_CHECK bool publish_file_hash(const char *path, struct report_file *out, bool *found,
                                  struct err *err);

#endif
