/* Input in Zstandard's format (RFC 8878): one or more frames. */
#include <stdlib.h>
#include <zstd.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/input/source_file.h"

struct zstd {
    ZSTD_DStream *stream;
    bool begun; /* inside a frame */
    bool any;   /* a frame was complete */
    bool held;  /* the output was full: there may be more without further input */
};

static void *zstd_open(void)
{
    struct zstd *z = xcalloc(1, sizeof(*z));

    z->stream = ZSTD_createDStream();
    if (z->stream == NULL)
        log_fatal("zstd cannot start");
    return z;
}

static void zstd_close(void *state)
{
    struct zstd *z = state;

    ZSTD_freeDStream(z->stream);
    free(z);
}

/* Decompress what is in the block; *@got may be 0. */
static bool decompress_block(struct zstd *z, struct source_file *file, char *buf, size_t cap,
                             size_t *got, struct err *err)
{
    ZSTD_inBuffer in = {file->block, file->len, file->pos};
    ZSTD_outBuffer out = {.size = cap};
    size_t rc = 0;

    out.dst = buf;
    rc = ZSTD_decompressStream(z->stream, &out, &in);
    file->pos = in.pos;
    if (ZSTD_isError(rc) != 0)
        return err_set(err, ERR_INPUT, "%s: corrupt zstd data near byte %llu: %s", file->name,
                       (unsigned long long)source_file_offset(file), ZSTD_getErrorName(rc));
    *got = out.pos;
    z->begun = rc != 0; /* 0: a frame is complete and all of it was given out */
    z->any = z->any || rc == 0;
    z->held = z->begun && out.pos == out.size;
    return true;
}

static bool zstd_read(void *state, struct source_file *file, char *buf, size_t cap, size_t *got,
                      struct err *err)
{
    struct zstd *z = state;

    *got = 0;
    while (*got == 0) {
        if (!z->held && !source_file_fill(file, err))
            return false;
        if (!z->held && file->pos == file->len) {
            if (z->begun || !z->any)
                return err_set(err, ERR_INPUT, "%s: the zstd data ends too early, at byte %llu",
                               file->name, (unsigned long long)file->offset);
            return true;
        }
        if (!decompress_block(z, file, buf, cap, got, err))
            return false;
    }
    return true;
}

const struct source_codec source_zstd = {".zst", zstd_open, zstd_read, zstd_close};
