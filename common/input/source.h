#ifndef INPUT_SOURCE_H
#define INPUT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/**
 * The bytes of an input, whatever it is: "-" is standard input, *.gz and *.zst are
 * decompressed (all members and frames, one behind the other), anything else is
 * taken as it is. Reading blocks.
 */
struct source;
struct buf;

/**
 * Open @path (copied). ERR_INPUT when it is missing, unreadable or a folder. NULL
 * with @err on failure; free with source_close().
 */
MUST_CHECK struct source *source_open(const char *path, struct err *err);

/** Close and free. NULL is fine. */
void source_close(struct source *src);

/**
 * Read at most @cap (> 0) bytes; *@got is 0 only at the end. ERR_INPUT names the
 * file, and for compressed data that is corrupt or ends too early the offset in the
 * compressed file.
 */
MUST_CHECK bool source_read(struct source *src, char *buf, size_t cap, size_t *got,
                            struct err *err);

/**
 * Append the whole of the file @path to @out. ERR_INPUT as above, ERR_PERMANENT past the limit of
 * @out.
 */
MUST_CHECK bool source_read_all(const char *path, struct buf *out, struct err *err);

/** Whether source_seek() works: a regular file that is neither compressed nor "-". */
bool source_is_seekable(const struct source *src);

/** Go to byte @offset. ERR_INPUT when it is not seekable or shorter than that. */
MUST_CHECK bool source_seek(struct source *src, uint64_t offset, struct err *err);

/** As given to source_open(); "-" is named "standard input". Borrowed. */
const char *source_name(const struct source *src);

#endif
