#ifndef ROWS_ROW_WRITER_H
#define ROWS_ROW_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"

struct buf;
struct row;
struct row_columns;

/*
 * Rows out: each input row with its answers, as JSON lines, as one JSON array or as CSV. The user's
 * page is docs/recipes.md, "Output".
 */

/** A value and where it goes. */
struct row_put {
    const char *path;  /* "sentiment.polarity": see row_path.h */
    struct slice json; /* one JSON value, raw */
};

/**
 * Append to @out the text of @object with the @count values put into it, one after the other: the
 * value at a path is replaced, objects that are missing on the way are made behind the last member,
 * and what stands in the way and is no object (an array too) is replaced by one. Every other byte
 * of the object stays as it is. An absent @object counts as {}. Paths are as row_path_check()
 * wants them. False, with nothing appended, past the limit of @out.
 */
MUST_CHECK bool row_splice(struct buf *out, const struct json_value *object,
                           const struct row_put *puts, size_t count);

enum row_form {
    ROW_FORM_JSONL, /* an object a line; the line breaks of an object of several lines are dropped,
                       with the space behind them */
    ROW_FORM_JSON,  /* one array, an element a line (or more, as the row had them) */
    ROW_FORM_CSV,   /* RFC 4180 in UTF-8 with a header */
    ROW_FORM_TSV,
};

/** By the name of a file: .json, .csv, .tsv, else JSON lines. An ending .gz or .zst is passed over.
 */
enum row_form row_form_of(const char *path);

/** Take the bytes or say why not. */
typedef bool (*row_write_fn)(void *arg, const void *bytes, size_t len, struct err *err);

struct row_writer;

/**
 * @columns: of CSV the input's and the answers' (see row_columns.h); borrowed, it outlives the
 * writer; else it may be NULL. Bytes go to @write, one call a row at most. Free with
 * row_writer_free().
 */
struct row_writer *row_writer_new(enum row_form form, const struct row_columns *columns,
                                  row_write_fn write, void *arg);

/**
 * Write @row with its answers; a row with a problem counts as {}, so that only @puts are written.
 *
 * CSV: the input's columns as they stood, then a column for each answer, empty where @puts has
 * none. A record keeps its own bytes when the input was CSV with the same separator; else a cell is
 * the text of a string, the JSON of anything else, nothing for null and for what is missing. An
 * answer whose path is the name of an input column is written there instead. Only paths that are in
 * the columns may be put.
 *
 * Fails as @write does, and with ERR_INPUT for a row that is larger than memory should hold (512
 * MiB).
 */
MUST_CHECK bool row_writer_add(struct row_writer *writer, const struct row *row,
                               const struct row_put *puts, size_t count, struct err *err);

/** Write what ends the output: of an array its bracket, of CSV the header if there was no row. */
MUST_CHECK bool row_writer_end(struct row_writer *writer, struct err *err);

/** NULL is fine. */
void row_writer_free(struct row_writer *writer);

#endif
