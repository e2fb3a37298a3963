#ifndef WORKER_CORE_CHUNK_H
#define WORKER_CORE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Where a result file is cut: a chunk ends behind the first newline at or after
 * @chunk_bytes, or where the file ends. A pure function of the file's bytes, so
 * every worker cuts the same chunks.
 */

/**
 * How many of the @len bytes at @data, the beginning of a chunk, are the chunk;
 * 0: more bytes are needed. @ends: the file ends behind these bytes.
 */
size_t chunk_cut(const char *data, size_t len, uint64_t chunk_bytes, bool ends);

#endif
