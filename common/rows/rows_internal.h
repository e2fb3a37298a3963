#ifndef ROWS_ROWS_INTERNAL_H
#define ROWS_ROWS_INTERNAL_H

/* Shared by the files of this folder that read a format, not for others. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/rows/row_text.h"
#include "common/rows/rows.h"

/** How one format is read. */
struct rows_kind {
    /** What must be read before the first row; may be NULL. */
    bool (*begin)(struct rows *rows, struct err *err);
    /** As rows_next(), which sets out->index to the next number. */
    bool (*next)(struct rows *rows, struct row *out, bool *end, struct err *err);
};

extern const struct rows_kind rows_jsonl;
extern const struct rows_kind rows_json;
extern const struct rows_kind rows_csv;
extern const struct rows_kind rows_texts;

struct rows {
    const struct rows_kind *kind;
    enum rows_format format;
    char *path;
    char *encoding;
    struct row_text *text; /* of a folder: of the file in turn, NULL before the first */
    uint64_t index;
    uint64_t broken_line; /* of the first row that is no JSON; 0: all were */
    bool in_array;        /* of ROWS_JSON: behind its first element */
    bool done;
    char **columns; /* of CSV */
    size_t column_count;
    char *header;                /* of CSV: own bytes, as NUL-terminated */
    struct rows_csv_style style; /* borrows @header */
    char **names;                /* of a folder, sorted */
    size_t name_count;
    struct buf object;  /* of CSV and texts: what was made of the record */
    struct buf scratch; /* a field without its quotes */
    char problem[640];
};

/** What @path is read as when @asked was asked for, never ROWS_AUTO. Fails as rows_open(). */
MUST_CHECK bool rows_find_format(const char *path, enum rows_format asked, enum rows_format *out,
                                 struct err *err);

/** Say that something is wrong with the row, at @place ("line 7, column 12: ..."). True. */
bool rows_problem(struct rows *rows, struct row *out, struct row_place place, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/** The same without a column: the row as a whole is wrong. True. */
bool rows_problem_row(struct rows *rows, struct row *out, uint64_t line, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/** ERR_INPUT: "posts.csv:7:12: ...". False. */
bool rows_fail(struct rows *rows, struct row_place place, struct err *err, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/**
 * Fill @out with a record's bytes and place. True when there is nothing more to look at: it is too
 * long, or not of the encoding, which is then its problem.
 */
bool rows_take_record(struct rows *rows, const struct row_record *record, size_t len,
                      struct row *out);

/** Check that out->bytes, which start at @place, are an object: that, or the row's problem. True.
 */
bool rows_take_json(struct rows *rows, struct row_place place, struct row *out);

#endif
