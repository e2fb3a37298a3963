#ifndef CODEC_FRAME_H
#define CODEC_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/** Append the bytes as one zstd frame that states its content's size. False past the limit. */
MUST_CHECK bool frame_pack(const void *bytes, size_t len, struct buf *out, struct err *err);

/**
 * The content of a frame, at most @max bytes. The caller frees *@out.
 * ERR_PERMANENT when it is not one whole frame or is larger.
 */
MUST_CHECK bool frame_unpack(const void *bytes, size_t len, size_t max, char **out, size_t *out_len,
                             struct err *err);

#endif
