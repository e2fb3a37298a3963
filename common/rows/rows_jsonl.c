/* JSON lines: an object a line. */
#include <string.h>

#include "common/input/line_reader.h"
#include "common/rows/rows_internal.h"

static bool line_end(void *state, const char **p, const char *end)
{
    const char *newline = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;

    (void)state;
    *p = newline != NULL ? newline + 1 : end;
    return newline != NULL;
}

static bool next(struct rows *rows, struct row *out, bool *end, struct err *err)
{
    struct row_record record;
    const char *text = NULL;
    size_t len = 0;

    do {
        if (!row_text_record(rows->text, line_end, NULL, &record, err))
            return false;
        if (record.len == 0) {
            *end = true;
            return true;
        }
        line_text(record.text, record.len, 1, &text, &len);
    } while (line_is_blank(text, len) && !record.too_long);
    if (rows_take_record(rows, &record, len, out))
        return true;
    return rows_take_json(rows, record.place, out);
}

const struct rows_kind rows_jsonl = {.next = next};
