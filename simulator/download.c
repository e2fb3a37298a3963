#include "simulator/download.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "simulator/pauses.h"
#include "simulator/reply.h"

#define BLOCK_BYTES ((size_t)64 << 10)
#define PAUSE_MS    40

struct download {
    struct MHD_Connection *conn;
    struct pauses *pauses;
    int fd;
    uint64_t offset, cut, rate;
    int64_t started_ms;
};

/* Bytes that may be sent now at the chosen rate; 0: not yet. */
static size_t allowance(const struct download *d, uint64_t sent, size_t max)
{
    if (d->rate == 0)
        return max;
    uint64_t elapsed = (uint64_t)(clock_mono_ms() - d->started_ms) + PAUSE_MS;
    uint64_t may = d->rate * elapsed / 1000;

    if (may <= sent)
        return 0;
    return may - sent < max ? (size_t)(may - sent) : max;
}

static ssize_t read_some(void *arg, uint64_t pos, char *buf, size_t max)
{
    struct download *d = arg;

    if (pos >= d->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (d->cut - pos < max)
        max = (size_t)(d->cut - pos);
    size_t n = allowance(d, pos, max);
    if (n == 0)
        return pauses_add(d->pauses, d->conn, clock_mono_ms() + PAUSE_MS)
                   ? 0
                   : MHD_CONTENT_READER_END_WITH_ERROR;
    ssize_t got = pread(d->fd, buf, n, (off_t)(d->offset + pos));
    return got > 0 ? got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void download_free(void *arg)
{
    struct download *d = arg;

    (void)close(d->fd);
    free(d);
}

struct MHD_Response *download_new(struct reply *r, struct MHD_Connection *conn,
                                  struct pauses *pauses)
{
    struct download *d = xcalloc(1, sizeof(*d));

    d->conn = conn;
    d->pauses = pauses;
    d->fd = r->fd;
    d->offset = r->offset;
    d->cut = r->cut;
    d->rate = r->rate;
    d->started_ms = clock_mono_ms();
    r->fd = -1;
    struct MHD_Response *response =
        MHD_create_response_from_callback(r->length, BLOCK_BYTES, read_some, d, download_free);
    if (response == NULL)
        download_free(d);
    return response;
}
