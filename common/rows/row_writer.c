#include "common/rows/row_writer.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/rows/csv.h"
#include "common/rows/row_columns.h"
#include "common/rows/rows.h"

#define ROW_OUT_MAX ((size_t)512 << 20)

static const char mark[] = "\xEF\xBB\xBF"; /* the byte order mark, as UTF-8 */

/* What stands in a cell of a table. */
struct cell {
    struct slice raw;       /* a field as it stood; .p is NULL when there is none */
    struct json_value json; /* else this */
};

struct row_writer {
    enum row_form form;
    const struct row_columns *columns;
    row_write_fn write;
    void *arg;
    struct buf out;
    struct buf text; /* of a string that becomes a cell */
    bool started;
    char separator;
    bool keeps;         /* fields of the input stay as they stood */
    size_t *place;      /* of each answer: its cell */
    struct cell *cells; /* the input's columns, then the answers' */
    size_t cell_count;
};

enum row_form row_form_of(const char *path)
{
    switch (rows_format_of_name(path)) {
    case ROWS_JSON: return ROW_FORM_JSON;
    case ROWS_CSV: return ROW_FORM_CSV;
    case ROWS_TSV: return ROW_FORM_TSV;
    case ROWS_AUTO:
    case ROWS_JSONL:
    case ROWS_TEXTS: break;
    }
    return ROW_FORM_JSONL;
}

static size_t place_of(const struct row_columns *columns, const char *path)
{
    for (size_t i = 0; i < columns->input_count; i++)
        if (strcmp(columns->inputs[i], path) == 0)
            return i;
    return SIZE_MAX;
}

static void init_table(struct row_writer *w)
{
    const struct row_columns *c = w->columns;

    w->separator = w->form == ROW_FORM_TSV ? '\t' : ',';
    w->keeps = c->separator == w->separator;
    w->place = xcalloc(c->answer_count + 1, sizeof(*w->place));
    w->cell_count = c->input_count;
    for (size_t i = 0; i < c->answer_count; i++) {
        w->place[i] = place_of(c, c->answers[i]);
        if (w->place[i] == SIZE_MAX)
            w->place[i] = w->cell_count++;
    }
    w->cells = xcalloc(w->cell_count + 1, sizeof(*w->cells));
}

struct row_writer *row_writer_new(enum row_form form, const struct row_columns *columns,
                                  row_write_fn write, void *arg)
{
    struct row_writer *w = xcalloc(1, sizeof(*w));

    w->form = form;
    w->columns = columns;
    w->write = write;
    w->arg = arg;
    w->out = BUF_INIT(ROW_OUT_MAX);
    w->text = BUF_INIT(ROW_OUT_MAX);
    if (form == ROW_FORM_CSV || form == ROW_FORM_TSV)
        init_table(w);
    return w;
}

void row_writer_free(struct row_writer *writer)
{
    if (writer == NULL)
        return;
    buf_release(&writer->out);
    buf_release(&writer->text);
    free(writer->place);
    free(writer->cells);
    free(writer);
}

static bool append_text(struct row_writer *w, const char *text)
{
    return buf_append(&w->out, text, strlen(text));
}

static bool append_line_end(struct row_writer *w)
{
    return append_text(w, w->columns->crlf ? "\r\n" : "\n");
}

/* Whether the first name begins with what a reader would take for a byte order mark. */
static bool begins_with_mark(const struct row_writer *w)
{
    const struct row_columns *c = w->columns;

    if (w->keeps)
        return c->header_len >= strlen(mark) && memcmp(c->header, mark, strlen(mark)) == 0;
    if (c->input_count > 0)
        return strncmp(c->inputs[0], mark, strlen(mark)) == 0;
    return c->answer_count > 0 && strncmp(c->answers[0], mark, strlen(mark)) == 0;
}

/* The names of the columns: those of the input in their own bytes, if there are. */
static bool append_header(struct row_writer *w)
{
    const struct row_columns *c = w->columns;
    bool ok = !(c->mark || begins_with_mark(w)) || append_text(w, mark);

    if (w->keeps)
        ok = ok && buf_append(&w->out, c->header, c->header_len);
    for (size_t i = 0; ok && !w->keeps && i < c->input_count; i++)
        ok = (i == 0 || buf_append(&w->out, &w->separator, 1)) &&
             csv_encode(&w->out, c->inputs[i], strlen(c->inputs[i]), w->separator);
    for (size_t i = 0; ok && i < c->answer_count; i++) {
        if (w->place[i] < c->input_count)
            continue;
        ok = (w->place[i] == 0 || buf_append(&w->out, &w->separator, 1)) &&
             csv_encode(&w->out, c->answers[i], strlen(c->answers[i]), w->separator);
    }
    return ok && append_line_end(w);
}

static bool append_json_cell(struct row_writer *w, const struct json_value *json)
{
    size_t len = 0;

    if (json->kind == JSON_ABSENT || json->kind == JSON_NULL)
        return true;
    if (json->kind != JSON_STRING)
        return csv_encode(&w->out, json->text, json->len, w->separator);
    buf_clear(&w->text);
    return buf_reserve(&w->text, json->len) &&
           json_string_decode(json, w->text.data, w->text.cap, &len) &&
           csv_encode(&w->out, w->text.data, len, w->separator);
}

static bool append_cells(struct row_writer *w)
{
    size_t before = w->out.len;

    for (size_t i = 0; i < w->cell_count; i++) {
        const struct cell *cell = &w->cells[i];

        if (i > 0 && !buf_append(&w->out, &w->separator, 1))
            return false;
        if (cell->raw.p != NULL ? !buf_append(&w->out, cell->raw.p, cell->raw.len)
                                : !append_json_cell(w, &cell->json))
            return false;
    }
    /* a line of nothing would be no record */
    return (w->out.len > before || append_text(w, "\"\"")) && append_line_end(w);
}

/* The input's cells from the record as it stood. */
static void take_fields(struct row_writer *w, const struct slice *record)
{
    const char *p = record->p;
    struct slice field;

    for (size_t i = 0; csv_next(&p, record->p + record->len, w->separator, &field); i++)
        if (i < w->columns->input_count)
            w->cells[i].raw = field;
}

static void take_members(struct row_writer *w, const struct json_value *object)
{
    struct json_iter it = json_iter_begin(object);
    struct json_value name;
    struct json_value value;
    size_t next = 0;

    while (json_iter_next(&it, &name, &value)) {
        size_t at = row_columns_find(w->columns, &name, &next);

        if (at != SIZE_MAX)
            w->cells[at].json = value;
    }
}

static void take_put(struct row_writer *w, const struct row_put *put)
{
    struct json_value value = {.kind = JSON_ABSENT};

    for (size_t i = 0; i < w->columns->answer_count; i++) {
        if (strcmp(w->columns->answers[i], put->path) != 0)
            continue;
        if (!json_scan(put->json.p, put->json.len, &value, NULL))
            value.kind = JSON_ABSENT;
        w->cells[w->place[i]] = (struct cell){.json = value};
    }
}

static bool add_table_row(struct row_writer *w, const struct row *row, const struct row_put *puts,
                          size_t count)
{
    memset(w->cells, 0, w->cell_count * sizeof(*w->cells));
    if (row->object.kind != JSON_ABSENT && w->keeps)
        take_fields(w, &row->bytes);
    else
        take_members(w, &row->object);
    for (size_t i = 0; i < count; i++)
        take_put(w, &puts[i]);
    return (w->started || append_header(w)) && append_cells(w);
}

/* An object of several lines becomes one: a line break in JSON is space, and never in a string. */
static void join_lines(struct buf *out)
{
    char *end = out->data + out->len;
    char *from = out->data;
    char *to = out->data;

    if (memchr(from, '\n', out->len) == NULL && memchr(from, '\r', out->len) == NULL)
        return;
    while (from < end) {
        size_t n = 0;

        while (from + n < end && from[n] != '\n' && from[n] != '\r')
            n++;
        memmove(to, from, n);
        to += n;
        from += n;
        while (from < end && (*from == '\n' || *from == '\r' || *from == ' ' || *from == '\t'))
            from++;
    }
    *to = '\0';
    out->len = (size_t)(to - out->data);
}

static bool add_line(struct row_writer *w, const struct row *row, const struct row_put *puts,
                     size_t count)
{
    if (!row_splice(&w->out, &row->object, puts, count))
        return false;
    join_lines(&w->out);
    return append_text(w, "\n");
}

static bool add_element(struct row_writer *w, const struct row *row, const struct row_put *puts,
                        size_t count)
{
    return append_text(w, w->started ? ",\n" : "[\n") &&
           row_splice(&w->out, &row->object, puts, count);
}

static bool add(struct row_writer *w, const struct row *row, const struct row_put *puts,
                size_t count)
{
    switch (w->form) {
    case ROW_FORM_JSONL: return add_line(w, row, puts, count);
    case ROW_FORM_JSON: return add_element(w, row, puts, count);
    case ROW_FORM_CSV:
    case ROW_FORM_TSV: break;
    }
    return add_table_row(w, row, puts, count);
}

bool row_writer_add(struct row_writer *writer, const struct row *row, const struct row_put *puts,
                    size_t count, struct err *err)
{
    buf_clear(&writer->out);
    if (!add(writer, row, puts, count))
        return err_set(err, ERR_INPUT,
                       "row %" PRIu64 " (line %" PRIu64 ") is over %zu MiB with its answers",
                       row->index, row->line, ROW_OUT_MAX >> 20);
    writer->started = true;
    return writer->write(writer->arg, writer->out.data, writer->out.len, err);
}

bool row_writer_end(struct row_writer *writer, struct err *err)
{
    bool ok = true;

    buf_clear(&writer->out);
    switch (writer->form) {
    case ROW_FORM_JSONL: return true;
    case ROW_FORM_JSON: ok = append_text(writer, writer->started ? "\n]\n" : "[]\n"); break;
    case ROW_FORM_CSV:
    case ROW_FORM_TSV:
        if (writer->started)
            return true;
        ok = append_header(writer);
        break;
    }
    if (!ok)
        return err_set(err, ERR_INPUT, "the header is over %zu MiB", ROW_OUT_MAX >> 20);
    return writer->write(writer->arg, writer->out.data, writer->out.len, err);
}
