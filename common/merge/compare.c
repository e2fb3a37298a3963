#include "common/merge/compare.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/digest/hash.h"
#include "common/merge/audit.h"

#define BUFFER_BYTES (256u << 10)
#define AHEAD        ((size_t)1024) /* lines that are looked through for a row */
#define PENDING      ((size_t)2 * AUDIT_EXAMPLES)

/* What is kept of a line or row. */
struct mark {
    uint64_t hash, len;
};

struct compare {
    int fd; /* -1: at its end */
    char *name;
    struct audit *audit;
    char *buffer;
    size_t from, to;
    struct mark ring[AHEAD]; /* lines read and not matched yet */
    size_t first, count;
    uint64_t pending; /* rows that were not found since the last match */
    uint64_t lines[PENDING];
    uint64_t equal;
};

struct compare *compare_new(int fd, const char *name, struct audit *out)
{
    struct compare *c = xcalloc(1, sizeof(*c));

    c->fd = fd;
    c->name = xstrdup(name);
    c->audit = out;
    c->buffer = xcalloc(1, BUFFER_BYTES);
    return c;
}

void compare_free(struct compare *c)
{
    if (c == NULL)
        return;
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c->buffer);
    free(c->name);
    free(c);
}

uint64_t compare_equal(const struct compare *c)
{
    return c->equal;
}

static bool refill(struct compare *c, struct err *err)
{
    ssize_t n;

    do
        n = read(c->fd, c->buffer, BUFFER_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", c->name, strerror(errno));
    c->from = 0;
    c->to = (size_t)n;
    if (n == 0) {
        (void)close(c->fd);
        c->fd = -1;
    }
    return true;
}

/* A line that does not lie whole in the buffer. */
static bool read_long_line(struct compare *c, struct mark *out, struct err *err)
{
    struct hash64 *hash = hash64_new();
    bool ended = false;
    bool ok = true;

    out->len = 0;
    while (ok && !ended && c->fd >= 0) {
        char *p = c->buffer + c->from;
        char *end = memchr(p, '\n', c->to - c->from);
        size_t n = end != NULL ? (size_t)(end + 1 - p) : c->to - c->from;

        hash64_update(hash, p, n);
        out->len += n;
        c->from += n;
        ended = end != NULL;
        if (!ended)
            ok = refill(c, err);
    }
    out->hash = hash64_value(hash);
    hash64_free(hash);
    return ok;
}

/* The next line of the file; *@end instead behind the last one. */
static bool read_line(struct compare *c, struct mark *out, bool *end, struct err *err)
{
    if (c->fd >= 0 && c->from == c->to && !refill(c, err))
        return false;
    *end = c->fd < 0;
    if (*end)
        return true;

    const char *p = c->buffer + c->from;
    const char *newline = memchr(p, '\n', c->to - c->from);
    if (newline == NULL)
        return read_long_line(c, out, err);
    out->len = (uint64_t)(newline + 1 - p);
    out->hash = hash64_of(p, (size_t)out->len);
    c->from += (size_t)out->len;
    return true;
}

/* Whether there is a line @i behind the next one; it is in the ring then. */
static bool peek(struct compare *c, size_t i, bool *there, struct err *err)
{
    while (c->count <= i) {
        bool end;

        if (!read_line(c, &c->ring[(c->first + c->count) % AHEAD], &end, err))
            return false;
        if (end)
            break;
        c->count++;
    }
    *there = c->count > i;
    return true;
}

static void drop(struct compare *c, size_t n)
{
    c->first = (c->first + n) % AHEAD;
    c->count -= n;
}

static void note(struct compare *c, struct audit_finding *finding, const char *what, uint64_t line)
{
    if (finding->line_count < AUDIT_EXAMPLES && line != 0)
        finding->lines[finding->line_count++] = line;
    if (c->audit->first[0] == '\0')
        (void)snprintf(c->audit->first, sizeof(c->audit->first),
                       "%.150s: the row of input line %" PRIu64 " %s", c->name, line, what);
}

/* Rows that were not found stand against @extra lines that no row was found for. */
static void settle(struct compare *c, uint64_t extra)
{
    uint64_t differs = c->pending < extra ? c->pending : extra;

    for (uint64_t i = 0; i < c->pending && i < PENDING; i++) {
        if (i < differs)
            note(c, &c->audit->differs, "is not what it should be", c->lines[i]);
        else
            note(c, &c->audit->missing, "is missing", c->lines[i]);
    }
    c->audit->differs.count += differs;
    c->audit->missing.count += c->pending - differs;
    c->audit->extra += extra - differs;
    if (extra > differs && c->audit->first[0] == '\0')
        (void)snprintf(c->audit->first, sizeof(c->audit->first),
                       "%.150s: it has rows of no request", c->name);
    c->pending = 0;
}

bool compare_row(struct compare *c, const char *row, size_t len, uint64_t line, struct err *err)
{
    uint64_t hash = hash64_of(row, len);

    for (size_t i = 0; i < AHEAD; i++) {
        bool there;

        if (!peek(c, i, &there, err))
            return false;
        if (!there)
            break;
        const struct mark *m = &c->ring[(c->first + i) % AHEAD];
        if (m->hash != hash || m->len != len)
            continue;
        settle(c, i);
        drop(c, i + 1);
        c->equal++;
        return true;
    }
    if (c->pending < PENDING)
        c->lines[c->pending] = line;
    c->pending++;
    return true;
}

bool compare_end(struct compare *c, struct err *err)
{
    uint64_t left = 0;
    bool there;

    for (;;) {
        if (!peek(c, 0, &there, err))
            return false;
        if (!there)
            break;
        left += c->count;
        drop(c, c->count);
    }
    settle(c, left);
    return true;
}
