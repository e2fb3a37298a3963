#include "common/codec/frame.h"

#include <stdlib.h>
#include <zstd.h>

#define LEVEL 1 /* what passes through here is short-lived or small */

bool frame_pack(const void *bytes, size_t len, struct buf *out, struct err *err)
{
    size_t bound = ZSTD_compressBound(len);

    if (ZSTD_isError(bound) || !buf_reserve(out, bound))
        return err_set(err, ERR_PERMANENT, "%zu bytes are too many for a frame", len);
    size_t n = ZSTD_compress(out->data + out->len, bound, bytes, len, LEVEL);
    if (ZSTD_isError(n))
        return err_set(err, ERR_INTERNAL, "zstd: %s", ZSTD_getErrorName(n));
    out->len += n;
    out->data[out->len] = '\0';
    return true;
}

bool frame_unpack(const void *bytes, size_t len, size_t max, char **out, size_t *out_len,
                  struct err *err)
{
    unsigned long long size = ZSTD_getFrameContentSize(bytes, len);

    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN)
        return err_set(err, ERR_PERMANENT, "not a compressed document");
    if (size > max)
        return err_set(err, ERR_PERMANENT, "compressed document of %llu bytes, over %zu", size,
                       max);
    if (ZSTD_isError(ZSTD_findFrameCompressedSize(bytes, len)) ||
        ZSTD_findFrameCompressedSize(bytes, len) != len)
        return err_set(err, ERR_PERMANENT, "compressed document is cut or has a tail");

    char *content = malloc((size_t)size + 1); /* a size that a peer chose: no abort */
    if (content == NULL)
        return err_set(err, ERR_TEMPORARY, "no memory for a document of %llu bytes", size);
    size_t n = ZSTD_decompress(content, (size_t)size, bytes, len);
    if (ZSTD_isError(n) || n != size) {
        free(content);
        return err_set(err, ERR_PERMANENT, "compressed document is damaged: %s",
                       ZSTD_isError(n) ? ZSTD_getErrorName(n) : "wrong size");
    }
    content[n] = '\0';
    *out = content;
    *out_len = n;
    return true;
}
