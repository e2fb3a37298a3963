#include "common/rows/row_columns.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/rows/rows.h"

static void add(char ***list, size_t *count, char *name)
{
    if ((*count & (*count - 1)) == 0)
        *list = xrealloc(*list, *count == 0 ? 1 : *count * 2, sizeof(**list));
    (*list)[(*count)++] = name;
}

void row_columns_init(struct row_columns *columns, const struct rows *rows)
{
    struct rows_csv_style style = rows_csv_style(rows);

    *columns =
        (struct row_columns){.separator = style.separator, .crlf = style.crlf, .mark = style.mark};
    if (style.separator != 0) {
        columns->header = xstrndup(style.header.p, style.header.len);
        columns->header_len = style.header.len;
    }
    for (size_t i = 0; i < rows_column_count(rows); i++)
        add(&columns->inputs, &columns->input_count, xstrdup(rows_column(rows, i)));
}

static void release_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

void row_columns_release(struct row_columns *columns)
{
    release_list(columns->inputs, columns->input_count);
    release_list(columns->answers, columns->answer_count);
    free(columns->header);
    *columns = (struct row_columns){0};
}

size_t row_columns_find(const struct row_columns *columns, const struct json_value *name,
                        size_t *next)
{
    for (size_t i = 0; i < columns->input_count; i++) {
        size_t at = (*next + i) % columns->input_count;

        if (!json_string_equals(name, columns->inputs[at]))
            continue;
        *next = at + 1;
        return at;
    }
    return SIZE_MAX;
}

/* Where a name with a NUL character in it is cut, columns cannot be told apart: it is refused. */
static bool add_name(struct row_columns *columns, const struct json_value *name,
                     const struct row *row, struct err *err)
{
    char *decoded = xcalloc(name->len, 1);
    size_t len = 0;

    if (columns->input_count == ROW_COLUMNS_MAX) {
        free(decoded);
        return err_set(err, ERR_INPUT,
                       "line %llu: the rows have more than %d different members, "
                       "too many for the columns of a table",
                       (unsigned long long)row->line, ROW_COLUMNS_MAX);
    }
    if (!json_string_decode(name, decoded, name->len, &len) || strlen(decoded) < len) {
        free(decoded);
        return err_set(err, ERR_INPUT,
                       "line %llu: the name of a member has a NUL character in it, "
                       "which no column can have",
                       (unsigned long long)row->line);
    }
    add(&columns->inputs, &columns->input_count, decoded);
    return true;
}

bool row_columns_note(struct row_columns *columns, const struct row *row, struct err *err)
{
    struct json_iter it = json_iter_begin(&row->object);
    struct json_value name;
    struct json_value value;
    size_t next = 0;

    while (json_iter_next(&it, &name, &value)) {
        if (row_columns_find(columns, &name, &next) == SIZE_MAX &&
            !add_name(columns, &name, row, err))
            return false;
    }
    return true;
}

void row_columns_answer(struct row_columns *columns, const char *path)
{
    for (size_t i = 0; i < columns->answer_count; i++)
        if (strcmp(columns->answers[i], path) == 0)
            return;
    add(&columns->answers, &columns->answer_count, xstrdup(path));
}
