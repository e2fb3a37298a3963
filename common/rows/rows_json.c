/* One JSON array, element by element: where an element ends is seen without knowing what is in it.
 */
#include <inttypes.h>
#include <string.h>

#include "common/rows/rows_internal.h"

/* Where in an element we are. All zero at its start. */
struct element {
    enum { ELEMENT_START, ELEMENT_NESTED, ELEMENT_STRING, ELEMENT_WORD } kind;
    size_t depth; /* brackets and braces that are open */
    bool in_string;
    bool escaped; /* behind a backslash */
};

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *pass_string(struct element *e, const char *p, const char *end)
{
    for (; p < end; p++) {
        if (e->escaped) {
            e->escaped = false;
        } else if (*p == '\\') {
            e->escaped = true;
        } else if (*p == '"') {
            e->in_string = false;
            return p + 1;
        }
    }
    return end;
}

/* The next byte of an element that is an object, an array or a string; true behind its last. */
static bool pass_nested(struct element *e, const char **p, const char *end)
{
    while (*p < end) {
        if (e->in_string) {
            *p = pass_string(e, *p, end);
            if (!e->in_string && e->depth == 0)
                return true;
            continue;
        }

        char c = *(*p)++;

        e->in_string = c == '"';
        if (c == '{' || c == '[')
            e->depth++;
        else if ((c == '}' || c == ']') && --e->depth == 0)
            return true;
    }
    return false;
}

static bool element_end(void *state, const char **p, const char *end)
{
    struct element *e = state;

    if (e->kind == ELEMENT_START && *p < end)
        e->kind = **p == '{' || **p == '[' || **p == '"' ? ELEMENT_NESTED : ELEMENT_WORD;
    if (e->kind == ELEMENT_NESTED)
        return pass_nested(e, p, end);
    while (*p < end && **p != ',' && **p != ']' && !is_space(**p))
        (*p)++;
    return *p < end;
}

/* Take the space, and look at what is behind it; -1 at the end. */
static bool behind_space(struct rows *rows, int *c, struct err *err)
{
    for (;;) {
        if (!row_text_peek(rows->text, c, err))
            return false;
        if (!is_space(*c))
            return true;
        row_text_take(rows->text);
    }
}

/* A row with a bracket too many or too few is perhaps what is wrong here. */
static bool fail_at(struct rows *rows, struct row_place place, struct err *err, const char *what)
{
    if (rows->broken_line == 0)
        return rows_fail(rows, place, err, "%s", what);
    return rows_fail(rows, place, err, "%s; the row at line %" PRIu64 " is not valid JSON", what,
                     rows->broken_line);
}

static bool fail_here(struct rows *rows, struct err *err, const char *what)
{
    return fail_at(rows, row_text_place(rows->text), err, what);
}

static bool begin_array(struct rows *rows, struct err *err)
{
    int c = 0;

    if (!behind_space(rows, &c, err))
        return false;
    if (c == '{')
        return fail_here(rows, err,
                         "expected an array of objects; if it has an object in each line, say so "
                         "with --input-format jsonl");
    if (c != '[')
        return fail_here(rows, err, "expected an array of objects");
    row_text_take(rows->text);
    return true;
}

static bool end_array(struct rows *rows, bool *end, struct err *err)
{
    int c = 0;

    row_text_take(rows->text);
    if (!behind_space(rows, &c, err))
        return false;
    if (c >= 0)
        return fail_here(rows, err, "text behind the array");
    rows->done = *end = true;
    return true;
}

/* To the first byte of the next element, or to the end of the array. */
static bool to_element(struct rows *rows, bool *end, struct err *err)
{
    int c = 0;

    if (rows->done) {
        *end = true;
        return true;
    }
    if (!behind_space(rows, &c, err))
        return false;
    if (c == ']')
        return end_array(rows, end, err);
    if (rows->in_array) {
        if (c != ',')
            return fail_here(rows, err,
                             c < 0 ? "the array is not closed"
                                   : "expected a comma or a closing bracket");
        row_text_take(rows->text);
        if (!behind_space(rows, &c, err))
            return false;
    }
    rows->in_array = true;
    if (c < 0)
        return fail_here(rows, err, "the array is not closed");
    return (c != ',' && c != ']') || fail_here(rows, err, "expected a value");
}

/* The text ends inside an element: say where it goes wrong. */
static bool fail_open(struct rows *rows, const struct row_record *record, struct err *err)
{
    struct json_value root;
    struct json_error error = {.offset = record->len, .what = "the array is not closed"};
    struct row_place place = record->place;

    if (record->too_long)
        return fail_at(rows, place, err, "the row that begins here never ends");
    (void)!json_scan(record->text, record->len, &root, &error);
    place = row_place_behind(place, record->text, error.offset);
    return fail_at(rows, place, err, error.what);
}

static bool next(struct rows *rows, struct row *out, bool *end, struct err *err)
{
    struct element element = {.kind = ELEMENT_START};
    struct row_record record;

    if (!to_element(rows, end, err))
        return false;
    if (*end)
        return true;
    if (!row_text_record(rows->text, element_end, &element, &record, err))
        return false;
    if (!record.whole)
        return fail_open(rows, &record, err);
    if (rows_take_record(rows, &record, record.len, out))
        return true;
    return rows_take_json(rows, record.place, out);
}

const struct rows_kind rows_json = {.begin = begin_array, .next = next};
