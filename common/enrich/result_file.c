#include "common/enrich/result_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/xmem.h"

#define BUFFER_BYTES ((size_t)256 << 10)

struct result_file {
    int fd;     /* -1: none */
    char *name; /* NULL: none yet */
    char *buffer;
    size_t cap, from, to; /* [from, to) of it was read and not consumed */
    uint64_t offset;      /* of @from in the file */

    bool has_line;
    size_t len; /* of the line at @from, with its newline */
    struct result_line line;
};

struct result_file *result_file_new(void)
{
    struct result_file *f = xcalloc(1, sizeof(*f));

    f->fd = -1;
    f->cap = BUFFER_BYTES;
    f->buffer = xcalloc(1, f->cap);
    return f;
}

void result_file_free(struct result_file *f)
{
    if (f == NULL)
        return;
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f->name);
    free(f->buffer);
    free(f);
}

static bool damaged(const struct result_file *f, const char *what, struct err *err)
{
    return err_set(err, ERR_PERMANENT, "%s: at byte %" PRIu64 " there is %s", f->name, f->offset,
                   what);
}

/* Room behind what was read. */
static bool make_room(struct result_file *f, struct err *err)
{
    if (f->from > 0) {
        memmove(f->buffer, f->buffer + f->from, f->to - f->from);
        f->to -= f->from;
        f->from = 0;
    }
    if (f->to < f->cap)
        return true;
    if (f->cap >= RESULT_FILE_LINE_MAX)
        return damaged(f, "a line that is too long", err);
    f->cap *= 2;
    f->buffer = xrealloc(f->buffer, f->cap, 1);
    return true;
}

/* Read more behind what is there; *@end instead at the end of the file. */
static bool refill(struct result_file *f, bool *end, struct err *err)
{
    ssize_t n;

    if (!make_room(f, err))
        return false;
    do
        n = read(f->fd, f->buffer + f->to, f->cap - f->to);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", f->name, strerror(errno));
    f->to += (size_t)n;
    *end = n == 0;
    return true;
}

/* Stand at the line at @from, if there is one. */
static bool find_line(struct result_file *f, struct err *err)
{
    size_t seen = 0;
    bool end = false;

    f->has_line = false;
    for (;;) {
        const char *p = f->buffer + f->from;
        const char *newline = memchr(p + seen, '\n', f->to - f->from - seen);

        if (newline != NULL) {
            f->len = (size_t)(newline + 1 - p);
            break;
        }
        seen = f->to - f->from;
        if (!refill(f, &end, err))
            return false;
        if (!end)
            continue;
        return f->from == f->to || damaged(f, "a line without an end", err);
    }
    f->has_line = result_line_parse(f->buffer + f->from, f->len - 1, &f->line, NULL);
    return f->has_line || damaged(f, "no result", err);
}

bool result_file_open(struct result_file *f, int fd, const char *name, struct err *err)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f->name);
    f->fd = fd;
    f->name = xstrdup(name);
    f->from = f->to = 0;
    f->offset = 0;
    return find_line(f, err);
}

const struct result_line *result_file_line(const struct result_file *f, struct slice *text,
                                           uint64_t *offset)
{
    if (!f->has_line)
        return NULL;
    *text = (struct slice){f->buffer + f->from, f->len - 1};
    *offset = f->offset;
    return &f->line;
}

bool result_file_next(struct result_file *f, struct err *err)
{
    if (!f->has_line)
        return true;
    f->from += f->len;
    f->offset += f->len;
    return find_line(f, err);
}
