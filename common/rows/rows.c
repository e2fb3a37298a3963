#include "common/rows/rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/xmem.h"
#include "common/rows/rows_internal.h"
#include "common/rows/rows_texts.h"

/* A character of a text is at most six bytes of JSON. */
#define OBJECT_MAX_BYTES ((size_t)ROW_MAX_BYTES * 6 + (1u << 20))

static const char *const format_names[] = {
    [ROWS_AUTO] = "auto", [ROWS_JSONL] = "jsonl", [ROWS_JSON] = "json",
    [ROWS_CSV] = "csv",   [ROWS_TSV] = "tsv",     [ROWS_TEXTS] = "texts",
};

const char *rows_format_name(enum rows_format format)
{
    return format_names[format];
}

bool rows_format_parse(const char *name, enum rows_format *out)
{
    for (size_t i = 0; i < ARRAY_LEN(format_names); i++) {
        if (strcmp(name, format_names[i]) != 0)
            continue;
        *out = (enum rows_format)i;
        return true;
    }
    return false;
}

static const struct rows_kind *kind_of(enum rows_format format)
{
    switch (format) {
    case ROWS_JSON: return &rows_json;
    case ROWS_CSV:
    case ROWS_TSV: return &rows_csv;
    case ROWS_TEXTS: return &rows_texts;
    case ROWS_AUTO:
    case ROWS_JSONL: break;
    }
    return &rows_jsonl;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Length of @path without an ending that says how it is compressed. */
static size_t plain_length(const char *path)
{
    size_t len = strlen(path);

    if (len > 3 && strcmp(path + len - 3, ".gz") == 0)
        return len - 3;
    if (len > 4 && strcmp(path + len - 4, ".zst") == 0)
        return len - 4;
    return len;
}

enum rows_format rows_format_of_name(const char *path)
{
    static const struct {
        const char *ending;
        enum rows_format format;
    } known[] = {
        {".jsonl",  ROWS_JSONL},
        {".ndjson", ROWS_JSONL},
        {".json",   ROWS_JSON },
        {".csv",    ROWS_CSV  },
        {".tsv",    ROWS_TSV  },
    };
    size_t len = plain_length(path);

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        size_t n = strlen(known[i].ending);

        if (len > n && strncasecmp(path + len - n, known[i].ending, n) == 0)
            return known[i].format;
    }
    return ROWS_AUTO;
}

bool rows_find_format(const char *path, enum rows_format asked, enum rows_format *out,
                      struct err *err)
{
    bool folder = is_folder(path);
    enum rows_format found = asked;

    if (asked == ROWS_AUTO && folder)
        found = ROWS_TEXTS;
    else if (asked == ROWS_AUTO)
        found = strcmp(path, "-") == 0 ? ROWS_JSONL : rows_format_of_name(path);
    if (found == ROWS_AUTO)
        return err_set(err, ERR_INPUT,
                       "%s: its name does not say what it is (.jsonl .ndjson .json .csv .tsv); say "
                       "so with --input-format",
                       path);
    if (folder && found != ROWS_TEXTS)
        return err_set(err, ERR_INPUT, "%s: is a folder, which can only be read as texts, not %s",
                       path, rows_format_name(found));
    if (!folder && found == ROWS_TEXTS)
        return err_set(err, ERR_INPUT, "%s: is no folder of text files", path);
    *out = found;
    return true;
}

struct rows *rows_open(const char *path, const struct rows_options *options, struct err *err)
{
    enum rows_format format = ROWS_AUTO;
    struct rows *rows = NULL;

    if (!rows_find_format(path, options->format, &format, err))
        return NULL;
    rows = xcalloc(1, sizeof(*rows));
    rows->kind = kind_of(format);
    rows->format = format;
    rows->path = xstrdup(path);
    rows->encoding = xstrdup(options->encoding);
    rows->object = BUF_INIT(OBJECT_MAX_BYTES);
    rows->scratch = BUF_INIT(OBJECT_MAX_BYTES);
    if (format != ROWS_TEXTS)
        rows->text = row_text_open(path, options->encoding, false, err);
    if ((format == ROWS_TEXTS || rows->text != NULL) &&
        (rows->kind->begin == NULL || rows->kind->begin(rows, err)))
        return rows;
    rows_close(rows);
    return NULL;
}

void rows_close(struct rows *rows)
{
    if (rows == NULL)
        return;
    row_text_close(rows->text);
    for (size_t i = 0; i < rows->column_count; i++)
        free(rows->columns[i]);
    free(rows->columns);
    rows_texts_free(rows->names, rows->name_count);
    free(rows->header);
    buf_release(&rows->object);
    buf_release(&rows->scratch);
    free(rows->encoding);
    free(rows->path);
    free(rows);
}

bool rows_next(struct rows *rows, struct row *out, bool *end, struct err *err)
{
    struct row row = {.index = rows->index};
    bool at_end = false;

    if (!rows->kind->next(rows, &row, &at_end, err))
        return false;
    if (!at_end) {
        rows->index++;
        *out = row;
    }
    *end = at_end;
    return true;
}

const char *rows_name(const struct rows *rows)
{
    return strcmp(rows->path, "-") == 0 ? "standard input" : rows->path;
}

enum rows_format rows_format(const struct rows *rows)
{
    return rows->format;
}

bool rows_columns_known(const struct rows *rows)
{
    return rows->columns != NULL;
}

size_t rows_column_count(const struct rows *rows)
{
    return rows->column_count;
}

const char *rows_column(const struct rows *rows, size_t i)
{
    return rows->columns[i];
}

struct rows_csv_style rows_csv_style(const struct rows *rows)
{
    return rows->style;
}

static void say_problem(struct rows *rows, struct row *out, const char *where, const char *fmt,
                        va_list ap) __attribute__((format(printf, 4, 0)));

static void say_problem(struct rows *rows, struct row *out, const char *where, const char *fmt,
                        va_list ap)
{
    char *p = rows->problem;
    size_t cap = sizeof(rows->problem);
    int n = out->file != NULL ? snprintf(p, cap, "%.300s: %s", out->file, where)
                              : snprintf(p, cap, "%s", where);

    (void)vsnprintf(p + n, cap - (size_t)n, fmt, ap);
    out->problem = rows->problem;
}

bool rows_problem(struct rows *rows, struct row *out, struct row_place place, const char *fmt, ...)
{
    char where[64];
    va_list ap;

    (void)snprintf(where, sizeof(where), "line %" PRIu64 ", column %" PRIu64 ": ", place.line,
                   place.column);
    va_start(ap, fmt);
    say_problem(rows, out, where, fmt, ap);
    va_end(ap);
    return true;
}

bool rows_problem_row(struct rows *rows, struct row *out, uint64_t line, const char *fmt, ...)
{
    char where[64];
    va_list ap;

    (void)snprintf(where, sizeof(where), "line %" PRIu64 ": ", line);
    va_start(ap, fmt);
    say_problem(rows, out, where, fmt, ap);
    va_end(ap);
    return true;
}

bool rows_fail(struct rows *rows, struct row_place place, struct err *err, const char *fmt, ...)
{
    char what[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    return err_set(err, ERR_INPUT, "%s:%" PRIu64 ":%" PRIu64 ": %s", rows_name(rows), place.line,
                   place.column, what);
}

bool rows_take_record(struct rows *rows, const struct row_record *record, size_t len,
                      struct row *out)
{
    out->line = record->place.line;
    out->bytes = (struct slice){record->text, len};
    if (record->too_long)
        return rows_problem_row(rows, out, out->line, "the row is over %u MiB",
                                ROW_MAX_BYTES >> 20);
    if (record->bad != UINT64_MAX)
        return rows_problem_row(rows, out, out->line,
                                "byte %" PRIu64 " of the file is not valid %s", record->bad + 1,
                                row_text_encoding(rows->text));
    return false;
}

bool rows_take_json(struct rows *rows, struct row_place place, struct row *out)
{
    struct json_value root;
    struct json_error error = {0};

    if (!json_scan(out->bytes.p, out->bytes.len, &root, &error)) {
        rows->broken_line = rows->broken_line == 0 ? place.line : rows->broken_line;
        return rows_problem(rows, out, row_place_behind(place, out->bytes.p, error.offset),
                            "not valid JSON: %s", error.what);
    }
    if (root.kind != JSON_OBJECT) {
        place = row_place_behind(place, out->bytes.p, (size_t)(root.text - out->bytes.p));
        return rows_problem(rows, out, place, "the row is not an object but of type %s",
                            json_kind_name(root.kind));
    }
    out->object = root;
    return true;
}
