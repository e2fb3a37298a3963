#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"

/**
 * Bytes that grow up to a stated limit. Plain data: read @data and @len
 * freely. @data is NUL-terminated behind @len once anything was appended.
 *
 *     struct buf b = BUF_INIT(MAX_BODY_BYTES);
 *     if (!buf_append(&b, p, n))  -> would pass the limit; b is as it was
 *     buf_release(&b);
 */
struct buf {
    char *data;
    size_t len;
    size_t cap; /* bytes allocated */
    size_t max; /* @len never exceeds this */
};

#define BUF_INIT(limit) ((struct buf){.max = (limit)})

/** Free the memory; the limit stays, the buffer can be used again. */
void buf_release(struct buf *b);

/** Make it empty, keep the memory. */
void buf_clear(struct buf *b);

/** Room for @more bytes behind @len. False, with nothing changed, past the limit. */
MUST_CHECK bool buf_reserve(struct buf *b, size_t more);

/** False, with nothing changed, when the limit would be passed. */
MUST_CHECK bool buf_append(struct buf *b, const void *bytes, size_t len);

/** Append formatted text; false, with nothing changed, past the limit. */
MUST_CHECK bool buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** Remove the first @n bytes (at most @len). */
void buf_consume(struct buf *b, size_t n);

#endif
