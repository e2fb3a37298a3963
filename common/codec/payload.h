#ifndef CODEC_PAYLOAD_H
#define CODEC_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/**
 * Version of the inline payload: msgpack [version, first line, crc32c, bytes]
 * in a zstd frame. Change the layout, raise the number, keep the old reader.
 */
#define PAYLOAD_VERSION 1

/** Bytes of a window that an inline payload may hold. */
#define PAYLOAD_MAX_BYTES (32u << 20)

/** A window that travelled through Redis. Owned by the caller: payload_release(). */
struct payload {
    uint64_t first_line; /* line number in the input, from 1 */
    uint32_t crc;        /* crc32c of the bytes: checked */
    const char *bytes;   /* the window as it was in the input */
    size_t len;
    void *owned; /* what @bytes lies in */
};

/** Append the payload of a window to @out. False past a limit. */
MUST_CHECK bool payload_encode(uint64_t first_line, const void *bytes, size_t len, struct buf *out,
                               struct err *err);

/** ERR_PERMANENT when the bytes are not a payload, too large, or fail their checksum. */
MUST_CHECK bool payload_decode(const void *bytes, size_t len, struct payload *out, struct err *err);

/** Free what it owns. */
void payload_release(struct payload *payload);

#endif
