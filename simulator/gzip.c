#include "simulator/gzip.h"

#include <stdbool.h>
#include <unistd.h>
#include <zlib.h>

#include "common/base/err.h"
#include "simulator/folder.h"

#define BLOCK_BYTES 65536
#define GZIP_FORMAT (15 + 16) /* largest window, gzip header and trailer (zlib.h, deflateInit2) */

/* What the stream has room for, to @out; false when it can't be written. */
static bool write_out(z_stream *z, int flush, int out, uint64_t *bytes, struct err *err)
{
    unsigned char block[BLOCK_BYTES];

    do {
        z->next_out = block;
        z->avail_out = sizeof(block);
        (void)deflate(z, flush);
        size_t n = sizeof(block) - z->avail_out;
        if (!folder_write(out, block, n, err))
            return false;
        *bytes += n;
    } while (z->avail_out == 0);
    return true;
}

static bool squeeze(z_stream *z, int in, int out, uint64_t *bytes, struct err *err)
{
    unsigned char block[BLOCK_BYTES];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(in, block, sizeof(block), at)) > 0) {
        z->next_in = block;
        z->avail_in = (unsigned)n;
        if (!write_out(z, Z_NO_FLUSH, out, bytes, err))
            return false;
        at += n;
    }
    return write_out(z, Z_FINISH, out, bytes, err);
}

int gzip_file(const struct folder *folder, int fd, uint64_t *bytes, struct err *err)
{
    char path[FOLDER_PATH_MAX];
    z_stream z = {0};
    int out = folder_temporary(folder, path, err);

    if (out < 0)
        return -1;
    (void)unlink(path);
    *bytes = 0;
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_FORMAT, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        !squeeze(&z, fd, out, bytes, err)) {
        (void)close(out);
        out = -1;
    }
    (void)deflateEnd(&z);
    return out;
}
