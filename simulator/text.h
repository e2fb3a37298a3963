#ifndef SIMULATOR_TEXT_H
#define SIMULATOR_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Text that is written piece by piece. Passing the buffer's limit aborts: what is written is ours.
 */
#define TEXT_INIT BUF_INIT((size_t)1 << 30)

void text_bytes(struct buf *b, const void *bytes, size_t len);
void text_put(struct buf *b, const char *s);
void text_f(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_u64(struct buf *b, uint64_t number);

/** @len bytes as 2 * @len lower-case hexadecimal digits. */
void text_hex(struct buf *b, const unsigned char *bytes, size_t len);

/** @s as a quoted JSON string. Bytes that are not UTF-8 become '?'. */
void text_string(struct buf *b, const char *s);

/** The same; NULL gives null. */
void text_string_or_null(struct buf *b, const char *s);

#endif
