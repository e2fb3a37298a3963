#include "worker/download.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/daemon/daemon.h"
#include "common/loop/loop.h"
#include "common/provider/provider.h"
#include "worker/core/chunk.h"

#define OVERLAP_BYTES 4096

/* The last bytes before some position in the file. */
struct overlap {
    char bytes[OVERLAP_BYTES];
    size_t len;
};

struct download {
    struct provider *provider; /* borrowed */
    const char *file_id;       /* borrowed */
    struct download_hooks hooks;
    struct provider_call *call; /* NULL once it has ended */
    struct loop_timer *tell;    /* runs chunk_ready outside of the transfer's callbacks */
    uint64_t size, chunk_bytes;
    int64_t announced; /* by the server with the content; -1: not */
    uint64_t begin;    /* position in the file of the chunk under way */
    uint64_t received; /* position in the file behind the last byte that came */
    struct buf data;   /* from the beginning of the chunk under way */
    size_t cut;        /* bytes of @data that are a chunk; 0: none is ready */
    bool paused;
    /* A line over DOWNLOAD_LINE_MAX is passed over: its bytes are counted, not kept. */
    bool skipping, skipped_over;
    uint64_t skipped;
    struct buf rest; /* what came behind the skipped line */
    /*
     * Nothing keeps a server from giving another file the next time, and of two halves of lines
     * JSON makes a line that nobody wrote. So each answer begins where a line does, and with
     * bytes that an earlier one ended with.
     */
    struct overlap before;   /* the chunk under way; a newline, where no more is known */
    struct overlap expected; /* at the beginning of the answer under way */
    size_t compared;         /* of these */
    bool changed;            /* others came */
};

static void find_cut(struct download *d)
{
    if (d->cut == 0 && !d->skipping && !d->skipped_over)
        d->cut = chunk_cut(d->data.data, d->data.len, d->chunk_bytes, d->received == d->size);
}

static bool is_ready(const struct download *d)
{
    return d->cut > 0 || d->skipped_over || download_is_complete(d);
}

/* The buffer is full and has no newline behind the chunk's limit: keep the whole lines only. */
static void start_skipping(struct download *d)
{
    const char *last = memrchr(d->data.data, '\n', d->data.len);
    size_t keep = last == NULL ? 0 : (size_t)(last - d->data.data) + 1;

    d->skipped = d->data.len - keep;
    d->data.len = keep;
    d->skipping = true;
}

static void skip(struct download *d, const char *bytes, size_t len)
{
    const char *newline = memchr(bytes, '\n', len);
    size_t n = newline == NULL ? len : (size_t)(newline - bytes) + 1;

    d->skipped += n;
    if (newline == NULL && d->received < d->size)
        return;
    d->skipping = false;
    d->skipped_over = true;
    if (!buf_append(&d->rest, bytes + n, len - n))
        d->rest.len = 0; /* cannot be: one network read is far below the limit */
}

static void tell(void *arg)
{
    struct download *d = arg;

    d->hooks.chunk_ready(d->hooks.arg);
}

/* How many of the bytes were had before; false, when the file is another one than then. */
static bool compare(struct download *d, const char *bytes, size_t len, size_t *had)
{
    size_t left = d->expected.len - d->compared;

    *had = len < left ? len : left;
    d->changed = memcmp(bytes, d->expected.bytes + d->compared, *had) != 0;
    d->compared += *had;
    return !d->changed;
}

static enum http_body_verdict on_bytes(const char *bytes, size_t len, void *arg)
{
    struct download *d = arg;
    size_t had;

    if (is_ready(d)) {
        d->paused = true;
        return HTTP_BODY_PAUSE;
    }
    if (!compare(d, bytes, len, &had))
        return HTTP_BODY_ABORT;
    bytes += had;
    len -= had;
    if (len > d->size - d->received) /* it has grown: what is behind its end is another matter */
        len = (size_t)(d->size - d->received);
    d->received += len;
    if (!d->skipping && !buf_append(&d->data, bytes, len))
        start_skipping(d);
    if (d->skipping)
        skip(d, bytes, len);
    find_cut(d);
    if (is_ready(d))
        loop_timer_set(d->tell, 0);
    return HTTP_BODY_OK;
}

static void on_size(int64_t total, void *arg)
{
    ((struct download *)arg)->announced = total;
}

static void on_end(const struct provider_error *error, void *arg)
{
    struct download *d = arg;
    struct provider_error truncated = {.class = PROVIDER_TRUNCATED, .retry_after_ms = -1};
    static const struct provider_error changed = {.class = PROVIDER_UNKNOWN,
                                                  .retry_after_ms = -1,
                                                  .message =
                                                      "the file is another one than a moment ago"};

    d->call = NULL;
    d->paused = false;
    if (d->received == d->size)
        return; /* everything came; chunk_ready has been or will be told */
    if (d->changed) {
        error = &changed;
    } else if (error == NULL) {
        (void)snprintf(truncated.message, sizeof(truncated.message), "ended at byte %llu of %llu",
                       (unsigned long long)d->received, (unsigned long long)d->size);
        error = &truncated;
    }
    d->hooks.failed(error, d->hooks.arg);
}

/* @bytes follow in the file. */
static void roll(struct overlap *o, const char *bytes, size_t len)
{
    size_t take = len < OVERLAP_BYTES ? len : OVERLAP_BYTES;
    size_t keep = o->len < OVERLAP_BYTES - take ? o->len : OVERLAP_BYTES - take;

    memmove(o->bytes, o->bytes + o->len - keep, keep);
    if (len > 0)
        memcpy(o->bytes + keep, bytes + (len - take), take);
    o->len = keep + take;
}

struct download *download_new(struct daemon *daemon, const char *file_id, uint64_t size,
                              uint64_t offset, uint64_t chunk_bytes,
                              const struct download_hooks *hooks)
{
    struct download *d = xcalloc(1, sizeof(*d));

    d->provider = daemon->provider;
    d->file_id = file_id;
    d->hooks = *hooks;
    d->size = size;
    d->announced = -1;
    d->begin = d->received = offset;
    if (offset > 0)
        roll(&d->before, "\n", 1);
    d->chunk_bytes = chunk_bytes;
    d->data = BUF_INIT(chunk_bytes + DOWNLOAD_LINE_MAX);
    d->rest = BUF_INIT(1u << 20);
    d->tell = loop_timer_new(daemon->base, tell, d);
    download_retry(d);
    return d;
}

void download_free(struct download *d)
{
    if (d == NULL)
        return;
    provider_call_cancel(d->call);
    loop_timer_free(d->tell);
    buf_release(&d->data);
    buf_release(&d->rest);
    free(d);
}

int64_t download_announced(const struct download *d)
{
    return d->announced;
}

bool download_next_chunk(struct download *d, struct download_chunk *chunk)
{
    find_cut(d);
    if (d->skipped_over) {
        *chunk = (struct download_chunk){.data = d->data.data,
                                         .len = d->data.len,
                                         .bytes = d->data.len + d->skipped,
                                         .oversize = true};
        return true;
    }
    if (d->cut == 0)
        return false;
    *chunk = (struct download_chunk){.data = d->data.data, .len = d->cut, .bytes = d->cut};
    return true;
}

void download_chunk_done(struct download *d)
{
    if (!d->skipped_over) {
        d->begin += d->cut;
        roll(&d->before, d->data.data, d->cut);
        buf_consume(&d->data, d->cut);
        d->cut = 0;
        return;
    }
    d->begin += d->data.len + d->skipped;
    d->before.len = 0;
    roll(&d->before, "\n", 1);
    struct buf rest = d->rest;

    buf_clear(&d->data);
    if (!buf_append(&d->data, rest.data, rest.len))
        d->data.len = 0; /* cannot be: the data's limit is the larger one */
    buf_clear(&d->rest);
    d->skipped = 0;
    d->skipped_over = false;
}

bool download_is_complete(const struct download *d)
{
    return d->received == d->size && d->data.len == 0 && !d->skipping && !d->skipped_over;
}

void download_resume(struct download *d)
{
    if (!d->paused || d->call == NULL)
        return;
    d->paused = false;
    provider_content_resume(d->call);
}

/* Nothing of the chunk under way is of use. */
static void start_over(struct download *d)
{
    buf_clear(&d->data);
    buf_clear(&d->rest);
    d->cut = 0;
    d->skipping = d->skipped_over = false;
    d->skipped = 0;
    d->received = d->begin;
    d->changed = false;
}

/* A line that broke off is read anew, and never continued. */
static void drop_torn_line(struct download *d)
{
    struct buf *b = d->skipped_over ? &d->rest : &d->data;
    const char *last = b->len == 0 ? NULL : memrchr(b->data, '\n', b->len);
    size_t keep = last == NULL ? 0 : (size_t)(last - b->data) + 1;

    d->received -= b->len - keep;
    b->len = keep;
    if (d->skipping)
        d->received -= d->skipped;
    if (!d->skipped_over)
        d->skipped = 0;
    d->skipping = false;
}

/* What lies before the byte that is received next. */
static void expect(struct download *d)
{
    d->compared = 0;
    d->expected = d->before;
    if (!d->skipped_over) {
        roll(&d->expected, d->data.data, d->data.len);
        return;
    }
    d->expected.len = 0;
    roll(&d->expected, "\n", 1);
    roll(&d->expected, d->rest.data, d->rest.len);
}

void download_retry(struct download *d)
{
    static const struct provider_content_sink sink = {
        .on_size = on_size, .on_bytes = on_bytes, .done = on_end};

    if (d->changed)
        start_over(d);
    else
        drop_torn_line(d);
    expect(d);
    d->call = provider_content(d->provider, d->file_id, d->received - d->expected.len, &sink, d);
}

bool download_has_changed(const struct download *d)
{
    return d->changed;
}

uint64_t download_received(const struct download *d)
{
    return d->received;
}
