#include "common/digest/file_digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/digest/sha256.h"

#define WHOLE_MAX_BYTES (256u << 20)
#define EDGE_BYTES      (1u << 20)
#define SAMPLES         256u
#define SAMPLE_BYTES    65536u

static bool add_range(struct sha256 *sha, int fd, uint64_t offset, uint64_t len, const char *path,
                      struct err *err)
{
    char *block = xcalloc(EDGE_BYTES, 1);
    bool ok = true;

    while (ok && len > 0) {
        size_t want = len < EDGE_BYTES ? (size_t)len : EDGE_BYTES;
        ssize_t n = pread(fd, block, want, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            ok = err_set(err, ERR_INPUT, "%s: %s", path,
                         n < 0 ? strerror(errno) : "became shorter while it was read");
            break;
        }
        sha256_update(sha, block, (size_t)n);
        offset += (uint64_t)n;
        len -= (uint64_t)n;
    }
    free(block);
    return ok;
}

static bool add_content(struct sha256 *sha, int fd, uint64_t size, const char *path,
                        struct err *err)
{
    if (size <= WHOLE_MAX_BYTES)
        return add_range(sha, fd, 0, size, path, err);
    if (!add_range(sha, fd, 0, EDGE_BYTES, path, err) ||
        !add_range(sha, fd, size - EDGE_BYTES, EDGE_BYTES, path, err))
        return false;
    for (uint64_t i = 1; i <= SAMPLES; i++) {
        if (!add_range(sha, fd, size / (SAMPLES + 1) * i, SAMPLE_BYTES, path, err))
            return false;
    }
    return true;
}

bool file_digest_add(struct sha256 *sha, const char *path, struct err *err)
{
    struct stat st;
    bool ok = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_INPUT, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        err_set(err, ERR_INPUT, "%s: is not a regular file", path);
    } else {
        char size[32];
        int n = snprintf(size, sizeof(size), "%lld\n", (long long)st.st_size);
        sha256_update(sha, size, (size_t)n);
        ok = add_content(sha, fd, (uint64_t)st.st_size, path, err);
    }
    (void)close(fd);
    return ok;
}
