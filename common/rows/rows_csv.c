/* CSV: the header's names and each record's fields become an object of strings. */
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/rows/csv.h"
#include "common/rows/row_columns.h"
#include "common/rows/rows_internal.h"

/* The next record that is not blank; *@len is without its line end, 0 at the end of the text. */
static bool next_record(struct rows *rows, struct row_record *record, size_t *len, struct err *err)
{
    struct csv_state state;

    do {
        state = (struct csv_state){.separator = rows->style.separator};
        if (!row_text_record(rows->text, csv_record_end, &state, record, err))
            return false;
        *len = record->len;
        if (!record->too_long)
            *len -= csv_line_end(record->text, record->len);
    } while (*len == 0 && record->len > 0);
    if (!record->whole && state.in_quotes && !state.at_quote)
        return rows_fail(rows, record->place, err,
                         "a quote in the record that begins here is never closed");
    return true;
}

static bool fail_column(struct rows *rows, const struct row_record *record, const char *at,
                        struct err *err, const char *what)
{
    struct row_place place =
        row_place_behind(record->place, record->text, (size_t)(at - record->text));

    return rows_fail(rows, place, err, "%s", what);
}

static const char *wrong_name(struct rows *rows, const char *name, size_t len)
{
    if (rows->column_count == ROW_COLUMNS_MAX)
        return "the column is one too many";
    if (len == 0)
        return "the column has no name";
    if (memchr(name, '\0', len) != NULL)
        return "the column's name has a NUL character";
    if (row_text_valid(name, len) < len)
        return "the column's name is not valid UTF-8; if the file is in another encoding, say so "
               "with --encoding";
    for (size_t i = 0; i < rows->column_count; i++)
        if (strlen(rows->columns[i]) == len && memcmp(rows->columns[i], name, len) == 0)
            return "an earlier column has the same name";
    return NULL;
}

static bool add_column(struct rows *rows, const struct row_record *record,
                       const struct slice *field, struct err *err)
{
    struct slice name = {0};
    size_t offset = 0;
    const char *wrong = csv_decode(field, &rows->scratch, &name, &offset);

    if (wrong == NULL) {
        wrong = wrong_name(rows, name.p, name.len);
        offset = 0;
    }
    if (wrong != NULL)
        return fail_column(rows, record, field->p + offset, err, wrong);
    rows->columns = xrealloc(rows->columns, rows->column_count + 1, sizeof(*rows->columns));
    rows->columns[rows->column_count++] = xstrndup(name.p, name.len);
    return true;
}

static bool begin(struct rows *rows, struct err *err)
{
    struct row_record record;
    struct slice field;
    size_t len = 0;

    rows->style.separator = rows->format == ROWS_TSV ? '\t' : ',';
    if (!next_record(rows, &record, &len, err))
        return false;
    if (len == 0)
        return rows_fail(rows, record.place, err, "there is no header with the columns' names");
    if (record.too_long)
        return rows_fail(rows, record.place, err, "the header is over %u MiB", ROW_MAX_BYTES >> 20);
    for (const char *p = record.text;
         csv_next(&p, record.text + len, rows->style.separator, &field);)
        if (!add_column(rows, &record, &field, err))
            return false;
    rows->style.mark = row_text_mark(rows->text);
    rows->style.crlf = record.len - len == 2;
    rows->header = xstrndup(record.text, len);
    rows->style.header = (struct slice){rows->header, len};
    return true;
}

/* A field as a member of the object that is being made. */
static bool add_member(struct rows *rows, size_t column, const struct slice *text)
{
    const char *name = rows->columns[column];
    struct buf *out = &rows->object;

    return buf_append(out, column > 0 ? "," : "{", 1) &&
           json_string_encode(out, name, strlen(name)) && buf_append(out, ":", 1) &&
           json_string_encode(out, text->p, text->len);
}

/* What is wrong with the field at @field, in the record that starts at @record: the row's problem.
 */
static bool field_problem(struct rows *rows, const struct row_record *record,
                          const struct slice *field, size_t offset, const char *wrong,
                          struct row *out)
{
    size_t len = (size_t)(field->p - record->text) + offset;

    return rows_problem(rows, out, row_place_behind(record->place, record->text, len), "%s", wrong);
}

/* The fields into the object. False, with the row's problem, where one is wrong. */
static bool make_object(struct rows *rows, const struct row_record *record, struct row *out)
{
    const char *p = record->text;
    const char *end = p + out->bytes.len;
    struct slice field;
    struct slice text;
    size_t count = 0;

    buf_clear(&rows->object);
    for (; csv_next(&p, end, rows->style.separator, &field); count++) {
        size_t offset = 0;
        const char *wrong = csv_decode(&field, &rows->scratch, &text, &offset);

        if (wrong != NULL)
            return !field_problem(rows, record, &field, offset, wrong, out);
        if (count < rows->column_count && !add_member(rows, count, &text))
            return !rows_problem_row(rows, out, out->line, "is too large as JSON");
    }
    if (count != rows->column_count)
        return !rows_problem_row(rows, out, out->line, "has %zu field%s, but the header names %zu",
                                 count, count == 1 ? "" : "s", rows->column_count);
    return buf_append(&rows->object, "}", 1);
}

static bool next(struct rows *rows, struct row *out, bool *end, struct err *err)
{
    struct row_record record;
    size_t len = 0;
    size_t valid = 0;

    if (!next_record(rows, &record, &len, err))
        return false;
    if (len == 0) {
        *end = true;
        return true;
    }
    if (rows_take_record(rows, &record, len, out))
        return true;
    valid = row_text_valid(record.text, len);
    if (valid < len)
        return rows_problem(rows, out, row_place_behind(record.place, record.text, valid),
                            "not valid UTF-8; if the file is in another encoding, say so with "
                            "--encoding");
    if (make_object(rows, &record, out))
        out->object = (struct json_value){JSON_OBJECT, rows->object.data, rows->object.len};
    return true;
}

const struct rows_kind rows_csv = {.begin = begin, .next = next};
