#include "worker/core/chunk.h"

#include <string.h>

size_t chunk_cut(const char *data, size_t len, uint64_t chunk_bytes, bool ends)
{
    if (len > chunk_bytes) {
        const char *newline = memchr(data + chunk_bytes, '\n', len - (size_t)chunk_bytes);

        if (newline != NULL)
            return (size_t)(newline - data) + 1;
    }
    return ends ? len : 0;
}
