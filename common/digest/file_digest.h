#ifndef DIGEST_FILE_DIGEST_H
#define DIGEST_FILE_DIGEST_H

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct sha256;

/**
 * Add what a regular file is, whatever its name, age or place: its size and its content. Content is
 * all of it up to 256 MiB; of a larger file the first and last MiB and 256 blocks of 64 KiB spread
 * evenly between them. ERR_INPUT when @path cannot be read or is no regular file.
 */
MUST_CHECK bool file_digest_add(struct sha256 *sha, const char *path, struct err *err);

#endif
