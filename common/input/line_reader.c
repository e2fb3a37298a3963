#include "common/input/line_reader.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/input/source.h"

enum { BLOCK_BYTES = 256 * 1024 };

/*
 *   data:  ....used....|.....line.....\n..next...|......free......|
 *                      pos            newline    len              cap
 */
struct line_reader {
    struct source *src;
    size_t limit;
    char *data;
    size_t cap;
    size_t pos;      /* where the next line starts */
    size_t len;      /* bytes in @data */
    size_t searched; /* up to here there is no newline behind @pos */
    bool at_end;     /* the source has no more */
    uint64_t offset; /* in the input, of @pos */
    uint64_t number; /* of the next line */
};

bool line_is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
            return false;
    return true;
}

void line_text(const char *bytes, size_t len, uint64_t offset, const char **text, size_t *text_len)
{
    if (len > 0 && bytes[len - 1] == '\n') {
        len--;
        if (len > 0 && bytes[len - 1] == '\r')
            len--;
    }
    if (offset == 0 && len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
        bytes += 3;
        len -= 3;
    }
    *text = bytes;
    *text_len = len;
}

struct line_reader *line_reader_new(struct source *src, size_t max_line_bytes)
{
    struct line_reader *r = xcalloc(1, sizeof(*r));

    r->src = src;
    r->limit = max_line_bytes;
    r->cap = (size_t)2 * BLOCK_BYTES;
    r->data = xcalloc(1, r->cap);
    r->number = 1;
    return r;
}

void line_reader_free(struct line_reader *reader)
{
    if (reader == NULL)
        return;
    free(reader->data);
    free(reader);
}

void line_reader_start(struct line_reader *reader, uint64_t offset, uint64_t number)
{
    reader->offset = offset;
    reader->number = number;
}

size_t line_reader_limit(const struct line_reader *reader)
{
    return reader->limit;
}

/* Room for a block behind @len: move the rest to the front, or grow when that is not enough. */
static void make_room(struct line_reader *r)
{
    if (r->cap - r->len >= BLOCK_BYTES)
        return;
    if (r->pos > 0) {
        memmove(r->data, r->data + r->pos, r->len - r->pos);
        r->len -= r->pos;
        r->searched -= r->pos;
        r->pos = 0;
    }
    if (r->cap - r->len >= BLOCK_BYTES)
        return;

    size_t most = r->limit + 1 + BLOCK_BYTES; /* a line is too long before it needs more */

    r->cap = r->cap * 2 < most ? r->cap * 2 : most;
    if (r->cap < r->len + BLOCK_BYTES)
        r->cap = r->len + BLOCK_BYTES;
    r->data = xrealloc(r->data, r->cap, 1);
}

static bool fill(struct line_reader *r, struct err *err)
{
    size_t got = 0;

    make_room(r);
    if (!source_read(r->src, r->data + r->len, BLOCK_BYTES, &got, err))
        return false;
    r->len += got;
    r->at_end = got == 0;
    return true;
}

/* Where the newline behind @pos is, or NULL; never searches a byte twice. */
static const char *find_newline(struct line_reader *r)
{
    const char *newline = memchr(r->data + r->searched, '\n', r->len - r->searched);

    r->searched = newline != NULL ? (size_t)(newline - r->data) : r->len;
    return newline;
}

/* The next @len bytes are behind us. */
static void take(struct line_reader *r, size_t len)
{
    r->pos += len;
    r->offset += len;
    r->searched = r->pos;
}

/*
 * The line at @pos is too long. Keep its start at the front of @data, and pass
 * over the rest in blocks that are read behind what is kept.
 */
static bool pass_over(struct line_reader *r, struct line *out, struct err *err)
{
    size_t kept = r->limit < LINE_KEPT_BYTES ? r->limit : LINE_KEPT_BYTES;
    size_t ignored = 0;

    memmove(r->data, r->data + r->pos, r->len - r->pos);
    r->len -= r->pos;
    r->searched -= r->pos;
    r->pos = 0;
    line_text(r->data, kept, out->offset, &out->text, &ignored);
    out->text_len = ignored;
    out->too_long = true;
    for (;;) {
        const char *newline = find_newline(r);
        size_t used = newline != NULL ? (size_t)(newline - r->data) + 1 : r->len;

        out->crc32c = crc32c(out->crc32c, r->data + r->pos, used - r->pos);
        take(r, used - r->pos);
        if (newline != NULL || r->at_end)
            break;
        r->pos = r->len = r->searched = kept;
        if (!fill(r, err))
            return false;
    }
    out->len = r->offset - out->offset;
    return true;
}

/* The line at @pos ends at @newline, or with the input (NULL). */
static void deliver(struct line_reader *r, const char *newline, struct line *out)
{
    size_t len = (newline != NULL ? (size_t)(newline - r->data) + 1 : r->len) - r->pos;

    out->bytes = r->data + r->pos;
    out->len = len;
    line_text(out->bytes, len, out->offset, &out->text, &out->text_len);
    take(r, len);
}

bool line_reader_next(struct line_reader *reader, struct line *out, bool *end, struct err *err)
{
    struct line line = {.offset = reader->offset, .number = reader->number};
    const char *newline = find_newline(reader);

    while (newline == NULL && !reader->at_end && reader->len - reader->pos <= reader->limit) {
        if (!fill(reader, err))
            return false;
        newline = find_newline(reader);
    }

    size_t content = reader->searched - reader->pos;

    if (newline == NULL && content == 0) {
        *end = true;
        return true;
    }
    if (content > reader->limit) {
        if (!pass_over(reader, &line, err))
            return false;
    } else {
        deliver(reader, newline, &line);
    }
    reader->number++;
    *out = line;
    *end = false;
    return true;
}
