#ifndef CODEC_UNPACK_H
#define CODEC_UNPACK_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/* Reading and writing msgpack documents of this folder; not for other folders. */

/**
 * True when the bytes are one whole msgpack value without extension types, at
 * most 8 levels deep, whose stated lengths fit in the bytes that are there.
 * msgpack-c believes lengths and allocates by them.
 */
bool unpack_check(const void *bytes, size_t len);

/**
 * Check and unpack an array whose first element is @version. @what is for the
 * message. Free with msgpack_unpacked_destroy() on success.
 */
MUST_CHECK bool unpack_document(const void *bytes, size_t len, uint64_t version, uint32_t elements,
                                const char *what, msgpack_unpacked *out, struct err *err);

/* True when @o has the type and fits; the output is written only then. */

MUST_CHECK bool unpack_u64(const msgpack_object *o, uint64_t max, uint64_t *out);
MUST_CHECK bool unpack_u32(const msgpack_object *o, uint64_t max, uint32_t *out);
MUST_CHECK bool unpack_i64(const msgpack_object *o, int64_t *out);
/** A string without NUL into @out of @cap bytes, NUL-terminated. */
MUST_CHECK bool unpack_text(const msgpack_object *o, char *out, size_t cap);

/** msgpack_packer's callback for a struct buf as data. */
int pack_write(void *out, const char *bytes, size_t len);

/** Packs a string; the NUL is not part of it. */
int pack_text(msgpack_packer *pk, const char *text);

#endif
