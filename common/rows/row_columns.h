#ifndef ROWS_ROW_COLUMNS_H
#define ROWS_ROW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"

struct row;
struct rows;

/*
 * The columns of CSV output: first those of the input, in the order in which they were seen, then
 * those of the answers. Columns of CSV and of texts are known when the rows are open; those of JSON
 * rows are the names of all members at the top, which takes a pass over the rows.
 */

/** More columns than that are refused, also in a header: they are then data, not columns. */
#define ROW_COLUMNS_MAX 4096

struct row_columns {
    char **inputs; /* decoded names */
    size_t input_count;
    char **answers; /* paths */
    size_t answer_count;
    char *header; /* own bytes of the CSV header; NULL when the input is not CSV */
    size_t header_len;
    char separator; /* of the input: ',' or '\t'; 0 when it is not CSV */
    bool crlf;      /* lines of the input ended so, those of the output shall */
    bool mark;      /* a byte order mark before the header */
};

/** Start with the columns that @rows knows: of CSV and texts all, of JSON none. */
void row_columns_init(struct row_columns *columns, const struct rows *rows);

/** Free what it owns. */
void row_columns_release(struct row_columns *columns);

/**
 * Add the members of a row that are not there yet; a row with a problem has none. ERR_INPUT past
 * ROW_COLUMNS_MAX.
 */
MUST_CHECK bool row_columns_note(struct row_columns *columns, const struct row *row,
                                 struct err *err);

/**
 * The input column that a member's raw name is; SIZE_MAX when it is none. *@next is where to look
 * first, and becomes what is behind it: rows mostly have their members in one order.
 */
size_t row_columns_find(const struct row_columns *columns, const struct json_value *name,
                        size_t *next);

/** Add a column for the answer at @path (copied), unless it is there. "_sheaf" is one too. */
void row_columns_answer(struct row_columns *columns, const char *path);

#endif
