#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/codec/segment_format.h"
#include "common/digest/hash.h"
#include "common/model/ordinal.h"

#define BUFFER_BYTES (128u << 10)

struct segment_reader {
    int fd;
    char *name;
    struct segment_header header;
    struct segment_batch *batches;
    struct hash64 *hash;
    uint64_t left;     /* bytes of the body that are not consumed yet */
    uint64_t count;    /* records given */
    uint64_t previous; /* ordinal */
    size_t line_left;  /* bytes of the current line that are not consumed yet */
    char *buffer;
    size_t cap, from, to; /* [from, to) of @buffer was read and not consumed */
};

static bool damaged(const struct segment_reader *r, struct err *err, const char *why)
{
    return err_set(err, ERR_PERMANENT, "segment %s is damaged: %s", r->name, why);
}

/* Room for @want bytes, more than are there; back to the usual size after a long line. */
static bool make_room(struct segment_reader *r, size_t want, struct err *err)
{
    size_t have = r->to - r->from;
    size_t cap = want <= BUFFER_BYTES ? BUFFER_BYTES : want;

    if (cap == r->cap) {
        if (have != 0)
            memmove(r->buffer, r->buffer + r->from, have);
    } else {
        char *buffer = malloc(cap); /* a size from a file: no abort */

        if (buffer == NULL)
            return err_set(err, ERR_TEMPORARY, "segment %s: no memory for a line of %zu bytes",
                           r->name, want);
        if (have != 0)
            memcpy(buffer, r->buffer + r->from, have);
        free(r->buffer);
        r->buffer = buffer;
        r->cap = cap;
    }
    r->from = 0;
    r->to = have;
    return true;
}

/* Have @want bytes at @from. The file ending before that is damage. */
static bool fill(struct segment_reader *r, size_t want, struct err *err)
{
    if (r->to - r->from >= want)
        return true;
    if (!make_room(r, want, err))
        return false;
    while (r->to < want) {
        ssize_t n = read(r->fd, r->buffer + r->to, r->cap - r->to);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", r->name, strerror(errno));
        if (n == 0)
            return damaged(r, err, "it ends too early");
        r->to += (size_t)n;
    }
    return true;
}

/* The next @len bytes, hashed and passed over; borrowed until the next fill(). */
static const char *consume(struct segment_reader *r, size_t len)
{
    const char *p = r->buffer + r->from;

    hash64_update(r->hash, p, len);
    r->from += len;
    r->left -= len;
    return p;
}

/* The next @len bytes of the body; NULL (with @err) when there are not so many. */
static const uint8_t *take(struct segment_reader *r, size_t len, struct err *err)
{
    if (len > r->left) {
        damaged(r, err, "it ends too early");
        return NULL;
    }
    return fill(r, len, err) ? (const uint8_t *)consume(r, len) : NULL;
}

static bool read_batches(struct segment_reader *r, struct err *err)
{
    uint32_t count = r->header.batch_count;

    if (count == 0 || count > SEGMENT_MAX_BATCHES ||
        (uint64_t)count * SEGMENT_BATCH_BYTES > r->left)
        return damaged(r, err, "its number of batches");
    r->batches = xcalloc(count, sizeof(*r->batches));
    r->header.batches = r->batches;
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *p = take(r, SEGMENT_BATCH_BYTES, err);

        if (p == NULL)
            return false;
        memcpy(r->batches[i].bid, p, BATCH_ID_LEN);
        r->batches[i].created_ms = (int64_t)get_u64(p + BATCH_ID_LEN);
    }
    return true;
}

static bool read_header(struct segment_reader *r, struct err *err)
{
    struct segment_header *h = &r->header;
    const uint8_t *p = take(r, SEGMENT_HEADER_BYTES, err);

    if (p == NULL)
        return false;
    if (memcmp(p, SEGMENT_MAGIC, 8) != 0)
        return damaged(r, err, "it is no segment");
    if (get_u32(p + 8) != SEGMENT_VERSION)
        return err_set(err, ERR_PERMANENT, "segment %s: version %u is not known here", r->name,
                       get_u32(p + 8));
    h->part = get_u32(p + 12);
    h->first = get_u64(p + 16);
    h->last = get_u64(p + 24);
    h->records = get_u64(p + 32);
    h->batch_count = get_u32(p + 40);
    if (h->first > h->last || h->last >> 38 != 0 || h->records > r->left / SEGMENT_RECORD_BYTES ||
        (h->records != 0 &&
         (ordinal_part(h->first) != h->part || ordinal_part(h->last) != h->part)))
        return damaged(r, err, "its bounds");
    r->previous = h->first;
    return read_batches(r, err);
}

struct segment_reader *segment_reader_new(int fd, const char *name, struct err *err)
{
    struct segment_reader *r = xcalloc(1, sizeof(*r));
    struct stat st;
    bool ok = false;

    r->fd = fd;
    r->name = xstrdup(name);
    r->hash = hash64_new();
    r->buffer = xcalloc(1, BUFFER_BYTES);
    r->cap = BUFFER_BYTES;
    if (fstat(fd, &st) != 0)
        err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", name, strerror(errno));
    else if (st.st_size < (off_t)(SEGMENT_HEADER_BYTES + SEGMENT_FOOTER_BYTES))
        damaged(r, err, "it is too short");
    else {
        r->left = (uint64_t)st.st_size - SEGMENT_FOOTER_BYTES;
        ok = read_header(r, err);
    }
    if (ok)
        return r;
    segment_reader_free(r);
    return NULL;
}

void segment_reader_free(struct segment_reader *r)
{
    if (r == NULL)
        return;
    (void)close(r->fd);
    hash64_free(r->hash);
    free(r->name);
    free(r->batches);
    free(r->buffer);
    free(r);
}

const struct segment_header *segment_reader_header(const struct segment_reader *r)
{
    return &r->header;
}

/* Pass over what is left of the current line without holding it. */
static bool skip_line(struct segment_reader *r, struct err *err)
{
    while (r->line_left > 0) {
        size_t n = r->to - r->from;

        if (n == 0) {
            if (!fill(r, 1, err))
                return false;
            n = r->to - r->from;
        }
        if (n > r->line_left)
            n = r->line_left;
        (void)consume(r, n);
        r->line_left -= n;
    }
    return true;
}

static enum segment_read finish(struct segment_reader *r, struct err *err)
{
    uint64_t hash = hash64_value(r->hash);

    if (r->left != 0) {
        damaged(r, err, "it has more bytes than its records");
        return SEGMENT_FAILED;
    }
    if (!fill(r, SEGMENT_FOOTER_BYTES, err))
        return SEGMENT_FAILED;
    if (get_u64((const uint8_t *)r->buffer + r->from) != hash) {
        damaged(r, err, "its checksum is wrong");
        return SEGMENT_FAILED;
    }
    return SEGMENT_END;
}

static bool decode(struct segment_reader *r, const uint8_t *p, struct record *out, struct err *err)
{
    struct record record = {
        .ordinal = get_u64(p),
        .offset = get_u64(p + 8),
        .batch = get_u32(p + 16),
        .attempt = get_u32(p + 20),
        .len = get_u32(p + 24),
    };

    if (record.ordinal < r->previous || record.ordinal > r->header.last ||
        ordinal_line(record.ordinal) >= ORDINAL_LINES)
        return damaged(r, err, "a record is out of order");
    if (record.batch >= r->header.batch_count || p[28] > OUTCOME_OK || p[28] == OUTCOME_MISSING)
        return damaged(r, err, "a record is not valid");
    if (record.len > SEGMENT_MAX_LINE || record.len > r->left)
        return damaged(r, err, "a line is too long");
    record.outcome = (enum outcome)p[28];
    *out = record;
    return true;
}

enum segment_read segment_reader_next(struct segment_reader *r, struct record *out, struct err *err)
{
    const uint8_t *p = NULL;

    if (!skip_line(r, err))
        return SEGMENT_FAILED;
    if (r->count == r->header.records)
        return finish(r, err);
    p = take(r, SEGMENT_RECORD_BYTES, err);
    if (p == NULL || !decode(r, p, out, err))
        return SEGMENT_FAILED;
    r->count++;
    r->previous = out->ordinal;
    r->line_left = out->len;
    return SEGMENT_RECORD;
}

bool segment_reader_line(struct segment_reader *r, const char **line, struct err *err)
{
    const uint8_t *p = take(r, r->line_left, err);

    if (p == NULL)
        return false;
    r->line_left = 0;
    *line = (const char *)p;
    return true;
}
