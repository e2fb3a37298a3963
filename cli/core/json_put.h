#ifndef CLI_CORE_JSON_PUT_H
#define CLI_CORE_JSON_PUT_H

#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"

/*
 * Pieces of text and JSON for stdout and stderr. The caller's buffer is large enough for
 * anything here; past its limit it is left as it was.
 */

/** @text as it is. */
void json_put_raw(struct buf *out, const char *text);

/** Raw text, formatted. */
void json_put_raw_fmt(struct buf *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/** @text with control characters replaced: a peer's words cannot move the cursor. */
void json_put_clean(struct buf *out, const char *text);

/** @text as a JSON string with its quotes; NULL as null. */
void json_put_text(struct buf *out, const char *text);

/** Milliseconds since 1970 as UTC for people: "2026-11-24T19:20:00Z". */
void json_put_time(struct buf *out, int64_t unix_ms);

/** @n as a number, below 0 as null. */
void json_put_count(struct buf *out, int64_t n);

#endif
