#ifndef ROWS_ROWS_H
#define ROWS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/json/scan.h"

/*
 * Rows: the objects that a recipe asks its questions about. They come from one file (or standard
 * input) or from a folder of text files, one after the other, in constant memory: the longest row
 * and a bit more. What is wrong with one row is said with that row and the next one follows; what
 * makes the rows behind it unreadable (a quote or an array that never ends) is a failure of
 * rows_next(). The user's page is docs/recipes.md, "Rows".
 */

/** Longest row, in bytes of UTF-8 with the end of its line; a longer one is a row with a problem.
 */
#define ROW_MAX_BYTES (16u << 20)

/** So much of a row that is too long is kept. */
#define ROW_KEPT_BYTES 65536u

enum rows_format {
    ROWS_AUTO,  /* by the name: a folder, .jsonl .ndjson, .json, .csv, .tsv; before .gz and .zst */
    ROWS_JSONL, /* one JSON object a line; blank lines are none */
    ROWS_JSON,  /* one array of objects, however large */
    ROWS_CSV,   /* RFC 4180 with a header; blank lines are none */
    ROWS_TSV,   /* the same with tabs for commas */
    ROWS_TEXTS, /* a folder of text files */
};

/** "auto", "jsonl", "json", "csv", "tsv", "texts". */
const char *rows_format_name(enum rows_format format);

/** The format of that name. False for anything else. */
MUST_CHECK bool rows_format_parse(const char *name, enum rows_format *out);

/** The format that a file's name says it is: ROWS_AUTO when it does not. */
enum rows_format rows_format_of_name(const char *path);

struct rows_options {
    enum rows_format format;
    const char *encoding; /* of the text: a name iconv(3) knows, "gb18030"; NULL is UTF-8 */
};

/** Whether rows can be of @encoding; else ERR_USAGE with the name that was meant, if one is near.
 */
MUST_CHECK bool rows_encoding_check(const char *encoding, struct err *err);

/** One row. All it points to is borrowed until the next call for its rows. */
struct row {
    uint64_t index;           /* from 0; rows with a problem count, blank lines do not */
    uint64_t line;            /* where it starts in its file, from 1 */
    const char *file;         /* its name, of a folder of texts; else NULL */
    struct json_value object; /* checked; absent with a problem. Of CSV every value is a string:
                                 {"column":"text",...}; of texts {"file":"a.txt","text":"..."} */
    struct slice bytes;       /* its own, in UTF-8: the JSON text or the CSV record without the end
                                 of its last line; of texts the object. With a problem: what there
                                 is, or its start; then perhaps not UTF-8 */
    const char *problem;      /* NULL; else "line 7, column 12: not valid JSON: expected a colon".
                                 Columns count characters, from 1 */
};

struct rows;

/**
 * Open @path: "-" is standard input (as JSON lines if the format is automatic), *.gz and *.zst are
 * decompressed. Of CSV the header is read. A byte order mark is passed over.
 *
 * Of a folder all regular files are rows, sorted by the bytes of their names (the names are held in
 * memory); hidden files, sub-folders and what is no regular file are passed over.
 *
 * ERR_USAGE for an encoding that iconv does not know. ERR_INPUT when it cannot be read, when the
 * format cannot be told from the name, and for a header with a column that has no name or the name
 * of another ("posts.csv:1:7: ..."). NULL with @err on failure; free with rows_close().
 */
MUST_CHECK struct rows *rows_open(const char *path, const struct rows_options *options,
                                  struct err *err);

/** Close and free. NULL is fine. */
void rows_close(struct rows *rows);

/** The next row into *@out; *@end instead behind the last one. ERR_INPUT: see above. */
MUST_CHECK bool rows_next(struct rows *rows, struct row *out, bool *end, struct err *err);

/** As given to rows_open(); "-" is named "standard input". Borrowed. */
const char *rows_name(const struct rows *rows);

/** What it is, never ROWS_AUTO. */
enum rows_format rows_format(const struct rows *rows);

/** Whether the columns are known before the first row: of CSV by its header, of texts always. */
bool rows_columns_known(const struct rows *rows);

/** How many there are; 0 when they are not known. */
size_t rows_column_count(const struct rows *rows);

/** The name of column @i, as UTF-8; borrowed. */
const char *rows_column(const struct rows *rows, size_t i);

/** Of CSV how its file is written, for output of the same kind. Borrowed. */
struct rows_csv_style {
    struct slice header; /* the header's own bytes, without the end of its line */
    char separator;      /* ',' or '\t'; 0 when it is no CSV */
    bool crlf;           /* the header's line ended so */
    bool mark;           /* a byte order mark stood before it */
};

struct rows_csv_style rows_csv_style(const struct rows *rows);

/**
 * What rows are, to see whether they are the same again: SHA-256, as 64 hexadecimal characters and
 * a NUL, of the format, the encoding and the content (common/digest/file_digest.h); of a folder the
 * names and contents of the files that are rows. Of standard input, which cannot be read twice,
 * only format and encoding count. ERR_INPUT when something cannot be read.
 */
MUST_CHECK bool rows_fingerprint(const char *path, const struct rows_options *options, char out[65],
                                 struct err *err);

#endif
