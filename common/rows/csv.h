#ifndef ROWS_CSV_H
#define ROWS_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/json/scan.h"

struct buf;

/*
 * CSV as RFC 4180 has it: a field in quotes may hold separators, line ends and doubled quotes. A
 * quote inside a field that does not start with one is a character like any other. Pure functions
 * over text.
 */

/** Where in a record we are. All zero but the separator at its start. */
struct csv_state {
    char separator;
    bool in_field;  /* behind the first character of a field */
    bool in_quotes; /* behind an opening quote */
    bool at_quote;  /* behind a quote inside quotes: the closing one, or half of a doubled one */
};

/** A row_end_fn over a struct csv_state: records end behind a "\n" outside quotes. */
bool csv_record_end(void *state, const char **p, const char *end);

/** What ends a record: 0, 1 ("\n", or "\r" at the very end) or 2 ("\r\n") of its @len bytes. */
size_t csv_line_end(const char *record, size_t len);

/**
 * The raw field at *@p of a record that ends at @end (without its line end); *@p moves behind it
 * and its separator, and becomes NULL behind the last field. False when *@p is NULL.
 */
bool csv_next(const char **p, const char *end, char separator, struct slice *field);

/**
 * The text of a raw field: a piece of it, or of @scratch where quotes had to be undone. NULL, or
 * what is wrong with it as a static sentence, with the offset in the field; "past the limit" for
 * one that is longer than @scratch may be.
 */
const char *csv_decode(const struct slice *field, struct buf *scratch, struct slice *text,
                       size_t *offset);

/** Append text as a field, in quotes where it needs them. False past the limit of @out. */
MUST_CHECK bool csv_encode(struct buf *out, const char *text, size_t len, char separator);

#endif
