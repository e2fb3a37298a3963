#include "common/rows/row_text.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/nearest.h"
#include "common/base/xmem.h"
#include "common/input/source.h"
#include "common/json/scan_text.h"
#include "common/rows/rows.h"

enum {
    BLOCK_BYTES = 256 * 1024,
    RAW_BYTES = 64 * 1024,
    BAD_MAX = 32, /* bytes that are not of the encoding, of which the place is remembered */
};

#define NOT_UTF8 '\xFF'

/* A byte that is not of the encoding: where it is in the file and in the text. */
struct bad_byte {
    uint64_t raw;
    uint64_t text;
};

/* Bytes on their way from the source through iconv. */
struct decoder {
    iconv_t cd;
    size_t unit; /* bytes to pass over where they are not of the encoding */
    char *raw;
    size_t pos;
    size_t len;
    uint64_t offset; /* in the file, of what is behind @len */
    bool at_end;     /* of the source */
    bool flushed;
};

/*
 *   data:  ....taken....|.....record.....|...not looked at...|......free......|
 *                       pos                                  len              cap
 */
struct row_text {
    struct source *src;
    char *encoding; /* NULL: UTF-8 */
    struct decoder decoder;
    char *data;
    size_t cap;
    size_t pos;
    size_t len;
    uint64_t offset; /* in the text, of @pos */
    bool folder;     /* one of a folder's */
    bool started;
    bool at_end;
    bool mark;
    struct row_place place; /* of @pos */
    struct bad_byte bad[BAD_MAX];
    size_t bad_count;
};

static bool is_utf8_name(const char *encoding)
{
    return strcasecmp(encoding, "UTF-8") == 0 || strcasecmp(encoding, "UTF8") == 0;
}

/* Behind a byte that is wrong the next unit starts: of UTF-16 it must not be half of one. */
static size_t unit_of(const char *encoding)
{
    if (strncasecmp(encoding, "UTF-16", 6) == 0 || strncasecmp(encoding, "UCS-2", 5) == 0)
        return 2;
    if (strncasecmp(encoding, "UTF-32", 6) == 0 || strncasecmp(encoding, "UCS-4", 5) == 0)
        return 4;
    return 1;
}

static bool unknown_encoding(const char *encoding, struct err *err)
{
    static const char *const known[] = {"gb18030",      "gbk",      "gb2312",     "big5",
                                        "utf-16",       "utf-16le", "utf-16be",   "shift_jis",
                                        "euc-jp",       "euc-kr",   "iso-8859-1", "latin1",
                                        "windows-1252", "koi8-r",   "utf-8",      NULL};
    const char *near = nearest_of(encoding, known);

    return err_set(err, ERR_USAGE, "the encoding \"%s\" is not known%s%s%s", encoding,
                   near != NULL ? "; did you mean \"" : "", near != NULL ? near : "",
                   near != NULL ? "\"?" : "");
}

/* *@out is -1 for UTF-8, which needs none. */
static bool open_iconv(const char *encoding, iconv_t *out, struct err *err)
{
    iconv_t none = (iconv_t)-1; /* NOLINT(performance-no-int-to-ptr): iconv(3) has it so */

    *out = none;
    if (encoding == NULL || is_utf8_name(encoding))
        return true;
    /* a slash begins what else iconv could do: leave out or replace what it cannot convert */
    if (encoding[0] != '\0' && strchr(encoding, '/') == NULL)
        *out = iconv_open("UTF-8", encoding);
    return *out != none || unknown_encoding(encoding, err);
}

bool rows_encoding_check(const char *encoding, struct err *err)
{
    iconv_t cd;

    if (!open_iconv(encoding, &cd, err))
        return false;
    if (encoding != NULL && !is_utf8_name(encoding))
        (void)iconv_close(cd);
    return true;
}

static bool open_decoder(struct row_text *t, const char *encoding, struct err *err)
{
    iconv_t cd;

    if (!open_iconv(encoding, &cd, err))
        return false;
    if (encoding == NULL || is_utf8_name(encoding))
        return true;
    t->encoding = xstrdup(encoding);
    t->decoder.cd = cd;
    t->decoder.unit = unit_of(encoding);
    t->decoder.raw = xcalloc(1, RAW_BYTES);
    return true;
}

struct row_text *row_text_open(const char *path, const char *encoding, bool folder, struct err *err)
{
    struct row_text *t = xcalloc(1, sizeof(*t));

    t->folder = folder;
    t->place = (struct row_place){1, 1};
    if (open_decoder(t, encoding, err))
        t->src = source_open(path, err);
    if (t->src == NULL) {
        row_text_close(t);
        return NULL;
    }
    t->cap = (size_t)2 * BLOCK_BYTES;
    t->data = xcalloc(1, t->cap);
    return t;
}

void row_text_close(struct row_text *text)
{
    if (text == NULL)
        return;
    if (text->encoding != NULL)
        (void)iconv_close(text->decoder.cd);
    source_close(text->src);
    free(text->decoder.raw);
    free(text->encoding);
    free(text->data);
    free(text);
}

const char *row_text_name(const struct row_text *text)
{
    return source_name(text->src);
}

bool row_text_mark(const struct row_text *text)
{
    return text->mark;
}

const char *row_text_encoding(const struct row_text *text)
{
    return text->encoding != NULL ? text->encoding : "UTF-8";
}

struct row_place row_place_behind(struct row_place from, const char *p, size_t len)
{
    const char *newline = NULL;
    const char *end = p + len;

    while (p < end && (newline = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        from = (struct row_place){from.line + 1, 1};
        p = newline + 1;
    }
    for (; p < end; p++)
        from.column += ((unsigned char)*p & 0xC0) != 0x80;
    return from;
}

size_t row_text_valid(const char *p, size_t len)
{
    const char *start = p;
    const char *end = p + len;

    while (p < end) {
        size_t n = scan_utf8_length(p, end);

        if (n == 0)
            break;
        p += n;
    }
    return (size_t)(p - start);
}

static bool fill_raw(struct row_text *t, struct err *err)
{
    struct decoder *d = &t->decoder;
    size_t got = 0;

    memmove(d->raw, d->raw + d->pos, d->len - d->pos);
    d->len -= d->pos;
    d->pos = 0;
    if (!source_read(t->src, d->raw + d->len, RAW_BYTES - d->len, &got, err))
        return false;
    d->len += got;
    d->offset += got;
    d->at_end = got == 0;
    return true;
}

/* The next raw byte is not of the encoding: it becomes @out. */
static void mark_bad(struct row_text *t, char *out)
{
    struct decoder *d = &t->decoder;

    *out = NOT_UTF8;
    if (t->bad_count < BAD_MAX) {
        uint64_t at = t->offset + (uint64_t)(out - (t->data + t->pos));

        t->bad[t->bad_count++] =
            (struct bad_byte){.raw = d->offset - (d->len - d->pos), .text = at};
    }
    d->pos += d->unit < d->len - d->pos ? d->unit : d->len - d->pos;
}

/*
 * Convert what there is into the @room bytes at @out, which is inside the free part of @data.
 * *@used may be 0 before the end: then there was only the start of a character, and more must be
 * read.
 */
static void convert(struct row_text *t, char *out, size_t room, size_t *used)
{
    struct decoder *d = &t->decoder;
    char *from = d->raw + d->pos;
    size_t left = d->len - d->pos;
    char *to = out;
    size_t free_bytes = room;
    size_t rc = 0;

    if (left > 0)
        rc = iconv(d->cd, &from, &left, &to, &free_bytes);
    else if (d->at_end && !d->flushed) { /* some encodings keep their last character back */
        rc = iconv(d->cd, NULL, NULL, &to, &free_bytes);
        d->flushed = true;
    }
    d->pos = d->len - left;
    if (rc == (size_t)-1 && left > 0 && free_bytes > 0 && errno != E2BIG &&
        (errno != EINVAL || d->at_end))
        mark_bad(t, to++);
    *used = (size_t)(to - out);
}

/* Read at most @room bytes of the text; 0 only at its end. */
static bool read_text(struct row_text *t, char *out, size_t room, size_t *got, struct err *err)
{
    struct decoder *d = &t->decoder;

    if (t->encoding == NULL)
        return source_read(t->src, out, room, got, err);
    for (;;) {
        convert(t, out, room, got);
        if (*got > 0 || (d->at_end && d->flushed && d->pos == d->len))
            return true;
        if (!d->at_end && !fill_raw(t, err))
            return false;
    }
}

/* Room for a block behind @len: move the rest to the front, or grow when that is not enough. */
static void make_room(struct row_text *t)
{
    if (t->cap - t->len >= BLOCK_BYTES)
        return;
    memmove(t->data, t->data + t->pos, t->len - t->pos);
    t->len -= t->pos;
    t->pos = 0;
    if (t->cap - t->len >= BLOCK_BYTES)
        return;

    size_t most = (size_t)ROW_MAX_BYTES + 1 + BLOCK_BYTES;

    t->cap = t->cap * 2 < most ? t->cap * 2 : most;
    if (t->cap < t->len + BLOCK_BYTES)
        t->cap = t->len + BLOCK_BYTES;
    t->data = xrealloc(t->data, t->cap, 1);
}

/* Bytes @len behind @pos are behind us. */
static void pass(struct row_text *t, size_t len)
{
    t->place = row_place_behind(t->place, t->data + t->pos, len);
    t->pos += len;
    t->offset += len;
}

/* The start of the text: over a byte order mark, once there are enough bytes to see one. */
static bool begin_text(struct row_text *t, struct err *err)
{
    while (!t->at_end && t->len < 3) {
        size_t got = 0;

        if (!read_text(t, t->data + t->len, BLOCK_BYTES, &got, err))
            return false;
        t->len += got;
        t->at_end = got == 0;
    }
    t->started = true;
    t->mark = t->len >= 3 && memcmp(t->data, "\xEF\xBB\xBF", 3) == 0;
    if (t->mark) {
        t->pos = 3;
        t->offset = 3;
    }
    if (t->encoding == NULL && !t->folder && t->len >= 2 &&
        (memcmp(t->data, "\xFF\xFE", 2) == 0 || memcmp(t->data, "\xFE\xFF", 2) == 0))
        return err_set(err, ERR_INPUT, "%s: is UTF-16, not UTF-8: say so with --encoding utf-16",
                       row_text_name(t));
    return true;
}

/* Read a block more. */
static bool fill(struct row_text *t, struct err *err)
{
    size_t got = 0;

    if (!t->started)
        return begin_text(t, err);
    make_room(t);
    if (!read_text(t, t->data + t->len, BLOCK_BYTES, &got, err))
        return false;
    t->len += got;
    t->at_end = got == 0;
    return true;
}

bool row_text_peek(struct row_text *text, int *c, struct err *err)
{
    while (text->pos == text->len && !text->at_end)
        if (!fill(text, err))
            return false;
    *c = text->pos < text->len ? (unsigned char)text->data[text->pos] : -1;
    return true;
}

void row_text_take(struct row_text *text)
{
    pass(text, 1);
}

struct row_place row_text_place(const struct row_text *text)
{
    return text->place;
}

/*
 * The record that starts at @kept and was seen up to @pos, which is all there is, is too long. Keep
 * its start at the front of @data, and pass over the rest in blocks that are read behind it.
 */
static bool pass_over(struct row_text *t, const char *kept, row_end_fn end, void *state,
                      bool *whole, struct err *err)
{
    memmove(t->data, kept, ROW_KEPT_BYTES);
    while (!*whole && !t->at_end) {
        const char *p = t->data + ROW_KEPT_BYTES;
        size_t got = 0;

        t->pos = t->len = ROW_KEPT_BYTES;
        if (!read_text(t, t->data + t->pos, BLOCK_BYTES, &got, err))
            return false;
        t->len += got;
        t->at_end = got == 0;
        *whole = end(state, &p, t->data + t->len);
        pass(t, (size_t)(p - (t->data + t->pos)));
    }
    return true;
}

/* Of the bad bytes, forget those before the text's place; the first of them into @out. */
static void take_bad(struct row_text *t, struct row_record *out)
{
    size_t n = 0;

    out->bad = UINT64_MAX;
    while (n < t->bad_count && t->bad[n].text < t->offset)
        n++;
    if (n > 0)
        out->bad = t->bad[0].raw;
    t->bad_count -= n;
    memmove(t->bad, t->bad + n, t->bad_count * sizeof(t->bad[0]));
}

bool row_text_record(struct row_text *text, row_end_fn end, void *state, struct row_record *out,
                     struct err *err)
{
    struct row_record record = {.place = text->place};
    size_t seen = 0;

    if (!text->started && !fill(text, err))
        return false;
    for (;;) {
        const char *p = text->data + text->pos + seen;

        record.whole = end(state, &p, text->data + text->len);
        seen = (size_t)(p - (text->data + text->pos));
        if (record.whole || text->at_end || seen > ROW_MAX_BYTES)
            break;
        if (!fill(text, err))
            return false;
    }
    record.text = text->data + text->pos;
    record.len = seen;
    pass(text, seen);
    if (seen > ROW_MAX_BYTES) {
        record.len = ROW_KEPT_BYTES;
        record.too_long = true;
        if (!record.whole && !text->at_end) {
            if (!pass_over(text, record.text, end, state, &record.whole, err))
                return false;
            record.text = text->data;
        }
    }
    take_bad(text, &record);
    *out = record;
    return true;
}
