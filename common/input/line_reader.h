#ifndef INPUT_LINE_READER_H
#define INPUT_LINE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"

struct source;

/** So much of a line that is too long is kept, for a message. */
#define LINE_KEPT_BYTES 65536

/**
 * One physical line: what ends with a newline, or with the input. Borrowed: its
 * pointers live until the next call for the reader.
 */
struct line {
    uint64_t offset;  /* of its first byte in the input */
    uint64_t len;     /* bytes, with the newline if there is one */
    uint64_t number;  /* from 1 */
    const char *text; /* without the newline ("\n" or "\r\n") and without a byte order mark */
    size_t text_len;
    const char *bytes; /* all @len bytes; NULL when it is too long */
    bool too_long;     /* @text is only the first LINE_KEPT_BYTES (or the limit, if less) */
    uint32_t crc32c;   /* of all @len bytes; of lines that are too long only, else 0 */
};

/** True for a line of spaces, tabs and carriage returns only, or of nothing. */
bool line_is_blank(const char *text, size_t len);

/**
 * What is a line's text inside its @len bytes @bytes, which stand at @offset of the
 * input: the newline is not, nor is a byte order mark at the very start.
 */
void line_text(const char *bytes, size_t len, uint64_t offset, const char **text, size_t *text_len);

/** Reads lines from a source in constant memory: a bit more than the longest line. */
struct line_reader;

/**
 * Borrows @src, which must outlive the reader. A line with more than
 * @max_line_bytes before its "\n" is too long. Free with line_reader_free().
 */
struct line_reader *line_reader_new(struct source *src, size_t max_line_bytes);

/** NULL is fine. */
void line_reader_free(struct line_reader *reader);

/**
 * Say where the source stands (after a source_seek()), before the first line is
 * read: at byte @offset, where line @number (from 1) starts.
 */
void line_reader_start(struct line_reader *reader, uint64_t offset, uint64_t number);

/** The next line into *@out; *@end instead behind the last one. */
MUST_CHECK bool line_reader_next(struct line_reader *reader, struct line *out, bool *end,
                                 struct err *err);

/** The limit given to line_reader_new(). */
size_t line_reader_limit(const struct line_reader *reader);

#endif
