#include "common/rows/csv.h"

#include <string.h>

#include "common/base/buf.h"

/* One character of a record; true behind its last. */
static bool step(struct csv_state *s, char c)
{
    if (s->in_quotes) {
        if (c == '"') {
            s->at_quote = !s->at_quote;
            return false;
        }
        if (!s->at_quote)
            return false;
        s->in_quotes = s->at_quote = false; /* that quote closed it */
    }
    if (c == '\n')
        return true;
    s->in_quotes = c == '"' && !s->in_field;
    s->in_field = c != s->separator;
    return false;
}

bool csv_record_end(void *state, const char **p, const char *end)
{
    struct csv_state *s = state;

    while (*p < end) {
        if (step(s, *(*p)++))
            return true;
    }
    return false;
}

size_t csv_line_end(const char *record, size_t len)
{
    size_t n = len > 0 && record[len - 1] == '\n' ? 1 : 0;

    return len > n && record[len - 1 - n] == '\r' ? n + 1 : n;
}

bool csv_next(const char **p, const char *end, char separator, struct slice *field)
{
    struct csv_state s = {.separator = separator};
    const char *start = *p;
    const char *at = start;

    if (start == NULL)
        return false;
    for (; at < end; at++) {
        bool outside = !s.in_quotes || s.at_quote;

        if (outside && *at == separator)
            break;
        (void)step(&s, *at);
    }
    *field = (struct slice){start, (size_t)(at - start)};
    *p = at < end ? at + 1 : NULL;
    return true;
}

/* The inside of a field in quotes, with @doubled quotes in it. */
static const char *undouble(const char *p, const char *end, struct buf *scratch, struct slice *text)
{
    buf_clear(scratch);
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *stop = quote != NULL ? quote + 1 : end;

        if (!buf_append(scratch, p, (size_t)(stop - p)))
            return "past the limit";
        p = quote != NULL ? quote + 2 : end;
    }
    *text = (struct slice){scratch->data, scratch->len};
    return NULL;
}

static const char *decode_quoted(const struct slice *field, struct buf *scratch, struct slice *text,
                                 size_t *offset)
{
    const char *start = field->p + 1;
    const char *end = field->p + field->len;
    const char *quote = memchr(start, '"', (size_t)(end - start));
    bool doubled = false;

    while (quote != NULL && quote + 1 < end && quote[1] == '"') {
        doubled = true;
        quote = memchr(quote + 2, '"', (size_t)(end - quote - 2));
    }
    *offset = quote != NULL ? (size_t)(quote + 1 - field->p) : 0;
    if (quote == NULL)
        return "a quote that is never closed";
    if (quote + 1 < end)
        return "text behind a closing quote";
    if (doubled)
        return undouble(start, quote, scratch, text);
    *text = (struct slice){start, (size_t)(quote - start)};
    return NULL;
}

const char *csv_decode(const struct slice *field, struct buf *scratch, struct slice *text,
                       size_t *offset)
{
    const char *carriage = NULL;

    if (field->len == 0) {
        *text = (struct slice){"", 0};
        return NULL;
    }
    if (field->p[0] == '"')
        return decode_quoted(field, scratch, text, offset);
    carriage = memchr(field->p, '\r', field->len);
    if (carriage != NULL) {
        *offset = (size_t)(carriage - field->p);
        return "a carriage return outside quotes";
    }
    *text = *field;
    return NULL;
}

static bool needs_quotes(const char *text, size_t len, char separator)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == separator || text[i] == '"' || text[i] == '\n' || text[i] == '\r')
            return true;
    return false;
}

bool csv_encode(struct buf *out, const char *text, size_t len, char separator)
{
    const char *end = text + len;

    if (len == 0 || !needs_quotes(text, len, separator))
        return buf_append(out, text, len);
    if (!buf_append(out, "\"", 1))
        return false;
    while (text < end) {
        const char *quote = memchr(text, '"', (size_t)(end - text));
        size_t n = quote != NULL ? (size_t)(quote + 1 - text) : (size_t)(end - text);

        if (!buf_append(out, text, n) || (quote != NULL && !buf_append(out, "\"", 1)))
            return false;
        text += n;
    }
    return buf_append(out, "\"", 1);
}
