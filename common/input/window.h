#ifndef INPUT_WINDOW_H
#define INPUT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct line_reader;

/*
 * Windows: runs of consecutive lines that cover an input without gaps. Where the
 * next one ends depends only on where it starts, on the limits and on the input,
 * so cutting can go on at any boundary and gives the same windows.
 *
 *  - A window is the longest run with at most .max_lines requests (lines that are
 *    not blank) and at most .max_bytes bytes (all lines, with newlines), but it has
 *    at least one request, however long.
 *  - Blank lines are no requests, but their bytes belong to the window they are in.
 *    Those at the end of the input belong to the last window; an input of nothing
 *    else has no window.
 *  - A line that is too long is the only request of its window, and the last line of
 *    it except for blank ones at the end of the input.
 */

struct window_limits {
    uint32_t max_lines; /* 0 is taken as 1 */
    uint64_t max_bytes;
};

/** One request of a window. */
struct window_line {
    const char *text; /* without newline and byte order mark; not NUL-terminated */
    size_t text_len;
    uint64_t number; /* of the line in the input, from 1 */
    bool too_long;   /* @text is only its start, see LINE_KEPT_BYTES */
};

/** Borrowed: its pointers live until the next call for the cutter. */
struct window {
    uint64_t index;                  /* 0, 1, 2... from the first index given to the cutter */
    uint64_t offset;                 /* of its first byte in the input */
    uint64_t len;                    /* bytes, all lines with their newlines */
    uint64_t first_line;             /* number of its first line, from 1 */
    uint64_t line_count;             /* all lines, also blank ones */
    uint32_t count;                  /* requests */
    uint32_t crc32c;                 /* of all @len bytes */
    const struct window_line *lines; /* @count of them */
    const char *bytes; /* all @len bytes; NULL when it has a line that is too long, or over 1 MB of
                          blank lines at its start or behind its end */
};

struct window_cutter;

/**
 * Borrows @reader, which must outlive the cutter and stand at the start of window
 * number @first_index. Free with window_cutter_free().
 */
struct window_cutter *window_cutter_new(struct line_reader *reader, struct window_limits limits,
                                        uint64_t first_index);

/** NULL is fine. */
void window_cutter_free(struct window_cutter *cutter);

/** The next window into *@out; *@end instead behind the last one. */
MUST_CHECK bool window_cutter_next(struct window_cutter *cutter, struct window *out, bool *end,
                                   struct err *err);

/**
 * Cut bytes that were read again into the requests a cutter sees in them: @len bytes
 * at @offset of the input, starting with line number @first_line; @max_line_bytes as
 * given to the line reader. Fills at most @cap of @lines (borrowing from @bytes) and
 * returns how many requests there are.
 */
size_t window_split(const char *bytes, size_t len, uint64_t offset, uint64_t first_line,
                    size_t max_line_bytes, struct window_line *lines, size_t cap);

#endif
