#ifndef CLI_SPOOL_H
#define CLI_SPOOL_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/** True when @input cannot be read again at an offset: "-", compressed, a pipe. */
MUST_CHECK bool spool_is_needed(const char *input, bool *needed, struct err *err);

/**
 * Copy @input into the file "@job.jsonl" of @folder, unless what is there was
 * made of the same file. @opened: the job exists already, so another content is
 * ERR_CONFLICT instead of a new spool; and nothing at all on standard input then
 * means the spool of the first time. The copy is synced before it has its name.
 * Writes its path (4,096 bytes) to @path. Blocks.
 */
MUST_CHECK bool spool_make(const char *input, const char *folder, const char *job, bool opened,
                           char path[4096], struct err *err);

#endif
