#include "simulator/download.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "simulator/pauses.h"
#include "simulator/reply.h"
#include "simulator/wire.h"

#define BLOCK_BYTES ((size_t)64 << 10)
#define PAUSE_MS    40

struct download {
    struct MHD_Connection *conn;
    struct pauses *pauses;
    int fd;
    uint64_t offset, length, total, shift, cut, rate;
    enum reply_form form;
    bool stall;
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

/* Nothing can be sent now. */
static ssize_t wait_a_bit(struct download *d)
{
    if (wire_is_closed(d->conn) || !pauses_add(d->pauses, d->conn, clock_mono_ms() + PAUSE_MS))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    return 0;
}

/* Where the bytes end, or break off. */
static ssize_t end_here(struct download *d, uint64_t pos)
{
    if (pos >= d->cut && d->stall)
        return wait_a_bit(d);
    if (d->form == REPLY_UNTIL_CLOSE || (d->form == REPLY_CHUNKED && pos >= d->length))
        return MHD_CONTENT_READER_END_OF_STREAM;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t read_some(void *arg, uint64_t pos, char *buf, size_t max)
{
    struct download *d = arg;
    uint64_t end = d->cut < d->length ? d->cut : d->length;
    uint64_t from = d->total != 0 ? (d->offset + pos + d->shift) % d->total : 0;

    if (pos >= end)
        return end_here(d, pos);
    if (end - pos < max)
        max = (size_t)(end - pos);
    if (d->total - from < max)
        max = (size_t)(d->total - from);
    size_t n = allowance(d, pos, max);
    if (n == 0)
        return wait_a_bit(d);
    ssize_t got = pread(d->fd, buf, n, (off_t)from);
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

    uint64_t promised = r->length + r->longer;

    d->conn = conn;
    d->pauses = pauses;
    d->fd = r->fd;
    d->offset = r->offset;
    d->length = r->length;
    d->total = r->total;
    d->shift = r->shift;
    d->cut = r->cut;
    d->rate = r->rate;
    d->form = r->form;
    d->stall = r->stall;
    d->started_ms = clock_mono_ms();
    r->fd = -1;
    if (r->form != REPLY_SIZED)
        promised = MHD_SIZE_UNKNOWN;
    struct MHD_Response *response =
        MHD_create_response_from_callback(promised, BLOCK_BYTES, read_some, d, download_free);
    if (response == NULL)
        download_free(d);
    else if (r->form == REPLY_UNTIL_CLOSE)
        (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}
