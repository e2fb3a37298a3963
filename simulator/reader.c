#include "simulator/reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/err.h"

#define WINDOW_BYTES ((size_t)2 << 20)

void reader_init(struct reader *r, int fd)
{
    *r = (struct reader){.fd = fd, .window = BUF_INIT(READER_LINE_MAX)};
}

void reader_release(struct reader *r)
{
    buf_release(&r->window);
}

bool line_is_blank(struct slice line)
{
    for (size_t i = 0; i < line.n; i++) {
        if (strchr(" \t\r", line.p[i]) == NULL || line.p[i] == '\0')
            return false;
    }
    return true;
}

/* Fill the window up to @want bytes, less only at the end of the file. */
static bool fill(struct reader *r, size_t want, struct err *err)
{
    while (!r->ended && r->window.len < want) {
        if (!buf_reserve(&r->window, want - r->window.len))
            return err_set(err, ERR_PERMANENT, "a line is longer than %zu bytes", READER_LINE_MAX);
        ssize_t n = read(r->fd, r->window.data + r->window.len, want - r->window.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "read: %s", strerror(errno));
        r->ended = n == 0;
        r->window.len += (size_t)n;
    }
    return true;
}

static void cut(struct reader *r, struct block *out)
{
    const char *p = r->window.data;
    const char *end = p + r->window.len;

    out->count = 0;
    out->first = r->lines + 1;
    while (out->count < READER_BLOCK_LINES && p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));

        if (lf == NULL && !r->ended)
            break;
        out->lines[out->count++] = (struct slice){p, (size_t)((lf != NULL ? lf : end) - p)};
        p = lf != NULL ? lf + 1 : end;
    }
    r->used = (size_t)(p - r->window.data);
    r->lines += out->count;
}

bool reader_next(struct reader *r, struct block *out, struct err *err)
{
    size_t want = WINDOW_BYTES;

    buf_consume(&r->window, r->used);
    r->used = 0;
    for (;;) {
        if (!fill(r, want, err))
            return false;
        if (r->window.len == 0) {
            *out = (struct block){.first = r->lines + 1};
            return true;
        }
        cut(r, out);
        if (out->count != 0)
            return true;
        want *= 2;
    }
}
