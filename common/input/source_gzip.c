/* Input in gzip's format (RFC 1952): one or more members, zero bytes between or behind them. */
#include <stdlib.h>
#include <zlib.h>

#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/input/source_file.h"

struct gzip {
    z_stream z;
    bool begun; /* inside a member */
    bool any;   /* a member was complete */
    bool held;  /* the output was full: there may be more without further input */
};

static void *gzip_open(void)
{
    struct gzip *g = xcalloc(1, sizeof(*g));

    if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK) /* 16: gzip's header, nothing else */
        log_fatal("zlib cannot start");
    return g;
}

static void gzip_close(void *state)
{
    struct gzip *g = state;

    (void)inflateEnd(&g->z);
    free(g);
}

/* Between two members: tape blocks are filled up with zero bytes. */
static void skip_padding(const struct gzip *g, struct source_file *file)
{
    if (g->begun || !g->any)
        return;
    while (file->pos < file->len && file->block[file->pos] == '\0')
        file->pos++;
}

static bool gzip_corrupt(const struct gzip *g, const struct source_file *file, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s: corrupt gzip data near byte %llu: %s", file->name,
                   (unsigned long long)source_file_offset(file),
                   g->z.msg != NULL ? g->z.msg : "cannot be decompressed");
}

/* Decompress what is in the block; *@got may be 0. */
static bool inflate_block(struct gzip *g, struct source_file *file, char *buf, size_t cap,
                          size_t *got, struct err *err)
{
    g->z.next_in = (Bytef *)(file->block + file->pos);
    g->z.avail_in = (uInt)(file->len - file->pos);
    g->z.next_out = (Bytef *)buf;
    g->z.avail_out = (uInt)cap;
    g->begun = true;

    int rc = inflate(&g->z, Z_NO_FLUSH);

    file->pos = file->len - g->z.avail_in;
    *got = cap - g->z.avail_out;
    g->held = g->z.avail_out == 0 && rc == Z_OK;
    if (rc == Z_STREAM_END) {
        g->begun = false;
        g->any = true;
        rc = inflateReset(&g->z);
    }
    return rc == Z_OK || rc == Z_BUF_ERROR || gzip_corrupt(g, file, err);
}

/* At the end of the block. *@end: of the file too, which is right only between members. */
static bool next_block(struct gzip *g, struct source_file *file, bool *end, struct err *err)
{
    if (!source_file_fill(file, err))
        return false;
    *end = file->len == 0;
    if (*end && (g->begun || !g->any))
        return err_set(err, ERR_INPUT, "%s: the gzip data ends too early, at byte %llu", file->name,
                       (unsigned long long)file->offset);
    skip_padding(g, file);
    return true;
}

static bool gzip_read(void *state, struct source_file *file, char *buf, size_t cap, size_t *got,
                      struct err *err)
{
    struct gzip *g = state;
    bool end = false;

    if (cap > UINT32_MAX)
        cap = UINT32_MAX;
    *got = 0;
    while (*got == 0) {
        if (!g->held && !next_block(g, file, &end, err))
            return false;
        if (end)
            return true;
        if ((g->held || file->pos < file->len) && !inflate_block(g, file, buf, cap, got, err))
            return false;
    }
    return true;
}

const struct source_codec source_gzip = {".gz", gzip_open, gzip_read, gzip_close};
