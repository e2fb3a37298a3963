#ifndef MERGE_WINDOWS_H
#define MERGE_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/input/window.h"
#include "common/model/job_spec.h"

struct sink;

/**
 * Some windows of a job with their lines, to send them again: cut once more from the source, or
 * as req/ in the sink kept them of an inline job. In order of number. One window is in memory.
 */
struct windows;

/**
 * For windows of @part and behind it. Borrows @sink and @spec. NULL (with @err) on failure:
 * ERR_INPUT when the source cannot be read. Free with windows_free(). Blocks.
 */
struct windows *windows_new(struct sink *sink, const struct job_spec *spec, uint32_t part,
                            struct err *err);

/** NULL is fine. */
void windows_free(struct windows *w);

/**
 * Read one window on the way to number @wanted (larger than the last one that was found): *@found,
 * and *@out borrowed until the next call; else call again. ERR_INPUT when there is none, or the
 * lines of an inline job are not in the sink.
 */
MUST_CHECK bool windows_step(struct windows *w, uint32_t wanted, struct window *out, bool *found,
                             struct err *err);

/** False (with ERR_INPUT) when @window is not the one of @lines requests that had @crc before. */
MUST_CHECK bool windows_check(const struct windows *w, const struct window *window, uint32_t lines,
                              uint32_t crc, struct err *err);

/**
 * Of the window that was found: its payload for Redis, borrowed until the next step. NULL with
 * *@len 0 for a job that reads its source again.
 */
const void *windows_payload(const struct windows *w, size_t *len);

#endif
