#include "common/merge/publish_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/id.h"
#include "common/base/xmem.h"
#include "common/digest/sha256.h"
#include "common/sink/sink.h"

#define COPY_BYTES (256u << 10)

struct publish_file {
    char *path;
    const char *base;             /* in @path */
    char temporary[NAME_MAX + 1]; /* dot-name in @dir; "" when it has none */
    int dir, fd;
    struct sha256 *sha;
    uint64_t bytes;
    char *buffer; /* COPY_BYTES */
};

static bool fail(struct err *err, int error, const char *what, const char *path)
{
    return err_set(err, ERR_UNAVAILABLE, "cannot %s %s: %s", what, path, strerror(error));
}

static int open_folder(const char *path)
{
    char *folder = xstrdup(path);
    char *slash = strrchr(folder, '/');
    const char *name = slash == NULL ? "." : slash == folder ? "/" : folder;

    if (slash != NULL && slash != folder)
        *slash = '\0';
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    free(folder);
    errno = error;
    return fd;
}

static void dot_name(struct publish_file *f)
{
    char random[9];

    id_random(random, sizeof(random) - 1);
    (void)snprintf(f->temporary, sizeof(f->temporary), ".%.200s.%s", f->base, random);
}

static int open_nameless(struct publish_file *f)
{
    int fd = -1;

    errno = FAILPOINT_ERRNO("publish.tmpfile") != 0 ? EOPNOTSUPP : 0;
    if (errno == 0)
        fd = openat(f->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
        return fd;
    dot_name(f);
    fd = openat(f->dir, f->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        f->temporary[0] = '\0';
    return fd;
}

struct publish_file *publish_file_new(const char *path, struct err *err)
{
    struct publish_file *f = xcalloc(1, sizeof(*f));
    const char *slash;

    f->path = xstrdup(path);
    slash = strrchr(f->path, '/');
    f->base = slash == NULL ? f->path : slash + 1;
    f->fd = -1;
    f->sha = sha256_new();
    f->buffer = xcalloc(1, COPY_BYTES);
    f->dir = open_folder(path);
    if (f->dir >= 0)
        f->fd = open_nameless(f);
    if (f->fd >= 0)
        return f;
    fail(err, errno, "create", path);
    publish_file_free(f);
    return NULL;
}

void publish_file_free(struct publish_file *f)
{
    if (f == NULL)
        return;
    if (f->temporary[0] != '\0')
        (void)unlinkat(f->dir, f->temporary, 0);
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->dir >= 0)
        (void)close(f->dir);
    sha256_free(f->sha);
    free(f->buffer);
    free(f->path);
    free(f);
}

bool publish_file_write(struct publish_file *f, const char *bytes, size_t len, struct err *err)
{
    int error = FAILPOINT_ERRNO("publish.write");

    sha256_update(f->sha, bytes, len);
    f->bytes += len;
    while (len > 0 && error == 0) {
        ssize_t n = write(f->fd, bytes, len);

        if (n < 0) {
            error = errno == EINTR ? 0 : errno;
            continue;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return error == 0 || fail(err, error, "write", f->path);
}

/* The next bytes of @fd; 0 at its end, -1 with errno. */
static ssize_t read_some(int fd, char *buffer)
{
    ssize_t n;

    do
        n = read(fd, buffer, COPY_BYTES);
    while (n < 0 && errno == EINTR);
    return n;
}

bool publish_file_copy(struct publish_file *f, struct sink *sink, const char *name, struct err *err)
{
    int fd = sink_open_read(sink, name, err);
    ssize_t n = 0;
    bool ok = fd >= 0;

    while (ok && (n = read_some(fd, f->buffer)) > 0)
        ok = publish_file_write(f, f->buffer, (size_t)n, err);
    if (ok && n < 0)
        ok = fail(err, errno, "read", name);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

bool publish_file_finish(struct publish_file *f, struct report_file *out, struct err *err)
{
    int error = FAILPOINT_ERRNO("publish.fsync");

    if (error == 0 && fsync(f->fd) != 0)
        error = errno;
    if (error != 0)
        return fail(err, error, "fsync", f->path);
    out->bytes = f->bytes;
    sha256_finish(f->sha, out->sha256);
    return true;
}

bool publish_file_name(struct publish_file *f, struct err *err)
{
    if (f->temporary[0] == '\0') {
        char self[64];

        (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
        if (linkat(AT_FDCWD, self, f->dir, f->base, AT_SYMLINK_FOLLOW) == 0)
            return fsync(f->dir) == 0 || fail(err, errno, "fsync the folder of", f->path);
        if (errno != EEXIST)
            return fail(err, errno, "name", f->path);
        /* linkat(2) replaces nothing, rename(2) does but wants a name. */
        dot_name(f);
        if (linkat(AT_FDCWD, self, f->dir, f->temporary, AT_SYMLINK_FOLLOW) != 0) {
            int error = errno;

            f->temporary[0] = '\0';
            return fail(err, error, "name", f->path);
        }
    }
    if (renameat(f->dir, f->temporary, f->dir, f->base) != 0)
        return fail(err, errno, "name", f->path);
    f->temporary[0] = '\0';
    return fsync(f->dir) == 0 || fail(err, errno, "fsync the folder of", f->path);
}

bool publish_file_hash(const char *path, struct report_file *out, bool *found, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *buffer = NULL;
    struct sha256 *sha = NULL;
    ssize_t n;

    *found = fd >= 0;
    if (fd < 0)
        return errno == ENOENT || fail(err, errno, "open", path);
    buffer = xcalloc(1, COPY_BYTES);
    sha = sha256_new();
    out->bytes = 0;
    while ((n = read_some(fd, buffer)) > 0) {
        sha256_update(sha, buffer, (size_t)n);
        out->bytes += (uint64_t)n;
    }
    if (n < 0)
        fail(err, errno, "read", path);
    sha256_finish(sha, out->sha256);
    sha256_free(sha);
    free(buffer);
    (void)close(fd);
    return n == 0;
}
