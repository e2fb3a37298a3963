#ifndef ROWS_ROW_TEXT_H
#define ROWS_ROW_TEXT_H

/* Text that rows are cut out of: shared by the files of this folder, not for others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

/**
 * A source (common/input/source.h) as UTF-8, without a byte order mark at its start, of which a
 * piece is held in memory. A byte that is not of the encoding becomes the byte FF, which UTF-8 does
 * not have; so whoever checks the text finds it there.
 */
struct row_text;

/**
 * @encoding: NULL is UTF-8, which is not checked here. What begins as UTF-16 without @encoding is
 * refused when it is read, but not one of a @folder's files. Fails as rows_open().
 */
struct row_text *row_text_open(const char *path, const char *encoding, bool folder,
                               struct err *err);

/** NULL is fine. */
void row_text_close(struct row_text *text);

/** The source's name. */
const char *row_text_name(const struct row_text *text);

/** Whether there was a byte order mark; known once something was read. */
bool row_text_mark(const struct row_text *text);

/** "UTF-8" or the encoding as it was given. */
const char *row_text_encoding(const struct row_text *text);

/** A place in the text: lines and characters (in the line) from 1. */
struct row_place {
    uint64_t line;
    uint64_t column;
};

/** The place of the byte that is @len behind @from, where the bytes @p stand. */
struct row_place row_place_behind(struct row_place from, const char *p, size_t len);

/** The next byte, not taken; -1 at the end. */
MUST_CHECK bool row_text_peek(struct row_text *text, int *c, struct err *err);

/** Take the byte that was peeked at. */
void row_text_take(struct row_text *text);

/** Where the next byte is. */
struct row_place row_text_place(const struct row_text *text);

/**
 * Look for the end of a record: move *@p towards @end, to behind the record's last byte, and say
 * true; or to @end, and say false: more must be seen. @state remembers what was seen.
 */
typedef bool (*row_end_fn)(void *state, const char **p, const char *end);

/** Borrowed: its pointer lives until the next call for the text. */
struct row_record {
    const char *text;
    size_t len;             /* of what is held, with whatever ends it */
    struct row_place place; /* of its first byte */
    bool too_long;          /* over ROW_MAX_BYTES: only ROW_KEPT_BYTES are held */
    bool whole;             /* false: the text ended before the record did */
    uint64_t bad;           /* offset in the file, from 0, of a byte that is not of the encoding;
                               UINT64_MAX: none is known */
};

/** Take the next record; of length 0 and not whole at the end of the text. */
MUST_CHECK bool row_text_record(struct row_text *text, row_end_fn end, void *state,
                                struct row_record *out, struct err *err);

/** Length of the longest beginning of the @len bytes at @p that is UTF-8 (RFC 3629). */
size_t row_text_valid(const char *p, size_t len);

#endif
