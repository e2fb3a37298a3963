/*
 * Put-if-absent, as Linux has it: an O_TMPFILE has no name until linkat(2)
 * gives it one, which fails when the name is taken. A killed process leaves
 * nothing behind. Where O_TMPFILE is not known (NFS, some overlays): a dot-name,
 * link(2), unlink(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/failpoint.h"
#include "common/base/id.h"
#include "common/base/xmem.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "common/sink/sink_internal.h"

#define WRITE_BYTES 131072u
/* So much at most waits for the disk: no write or fsync takes longer than this does. */
#define PUSH_BYTES (8u << 20)

struct sink_writer {
    struct sink *sink;
    char name[LAYOUT_NAME_MAX];
    const char *base;   /* behind the folder in @name */
    char temporary[24]; /* dot-name in @dir; "" when the file has no name */
    int dir;            /* folder that will hold it */
    int fd;
    size_t used;     /* bytes in @buffer */
    uint64_t length; /* bytes written to @fd */
    uint64_t pushed; /* of them, sent on their way to the disk */
    char buffer[WRITE_BYTES];
};

static int open_folder(struct sink *sink, const char *folder)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = openat(sink->dir, folder, flags);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    if (mkdirat(sink->dir, folder, 0777) != 0 && errno != EEXIST)
        return -1;
    if (fsync(sink->dir) != 0)
        return -1;
    return openat(sink->dir, folder, flags);
}

/* A nameless file, or one with the dot-name that is put into @temporary. */
static int open_temporary(int dir, char temporary[24])
{
    char random[17];
    int fd = -1;

    temporary[0] = '\0';
    errno = FAILPOINT_ERRNO("sink.tmpfile") != 0 ? EOPNOTSUPP : 0;
    if (errno == 0)
        fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
        return fd;
    id_random(random, sizeof(random) - 1);
    (void)snprintf(temporary, 24, ".tmp-%s", random);
    fd = openat(dir, temporary, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0)
        temporary[0] = '\0';
    return fd;
}

static void split_name(struct sink_writer *w, char folder[LAYOUT_NAME_MAX])
{
    const char *slash = strrchr(w->name, '/');

    w->base = slash == NULL ? w->name : slash + 1;
    if (slash == NULL)
        memcpy(folder, ".", 2);
    else
        (void)snprintf(folder, LAYOUT_NAME_MAX, "%.*s", (int)(slash - w->name), w->name);
}

struct sink_writer *sink_begin(struct sink *sink, const char *name, struct err *err)
{
    char folder[LAYOUT_NAME_MAX];

    if (strlen(name) >= LAYOUT_NAME_MAX) {
        err_set(err, ERR_INTERNAL, "sink: name \"%s\" is too long", name);
        return NULL;
    }
    struct sink_writer *w = malloc(sizeof(*w)); /* the buffer need not be zeroed */
    if (w == NULL) {
        err_set(err, ERR_TEMPORARY, "out of memory");
        return NULL;
    }
    memset(w, 0, offsetof(struct sink_writer, buffer));
    w->sink = sink;
    memcpy(w->name, name, strlen(name) + 1);
    split_name(w, folder);
    w->fd = -1;
    w->dir = open_folder(sink, folder);
    if (w->dir >= 0)
        w->fd = open_temporary(w->dir, w->temporary);
    if (w->fd < 0) {
        sink_fail(err, errno, "create", sink, name);
        sink_abort(w);
        return NULL;
    }
    return w;
}

/* Keep the disk busy while we write, and never more than PUSH_BYTES ahead of it. */
static void push(struct sink_writer *w)
{
    off_t from = (off_t)w->pushed;
    unsigned wait =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

    if (w->length - w->pushed < PUSH_BYTES)
        return;
    (void)sync_file_range(w->fd, from, (off_t)(w->length - w->pushed), SYNC_FILE_RANGE_WRITE);
    if (w->pushed >= PUSH_BYTES)
        (void)sync_file_range(w->fd, from - (off_t)PUSH_BYTES, PUSH_BYTES, wait);
    w->pushed = w->length;
}

static bool write_all(struct sink_writer *w, const char *bytes, size_t len, struct err *err)
{
    int error = FAILPOINT_ERRNO("sink.write");

    while (len > 0 && error == 0) {
        ssize_t n = write(w->fd, bytes, len);

        if (n < 0) {
            error = errno == EINTR ? 0 : errno;
            continue;
        }
        bytes += n;
        len -= (size_t)n;
        w->length += (uint64_t)n;
    }
    if (error != 0)
        return sink_fail(err, error, "write", w->sink, w->name);
    push(w);
    return true;
}

static bool drain(struct sink_writer *w, struct err *err)
{
    size_t used = w->used;

    w->used = 0;
    return used == 0 || write_all(w, w->buffer, used, err);
}

bool sink_write(struct sink_writer *w, const void *bytes, size_t len, struct err *err)
{
    if (len > sizeof(w->buffer) - w->used && !drain(w, err))
        return false;
    if (len >= sizeof(w->buffer))
        return write_all(w, bytes, len, err);
    if (len != 0)
        memcpy(w->buffer + w->used, bytes, len);
    w->used += len;
    return true;
}

bool sink_write_fn(void *writer, const void *bytes, size_t len, struct err *err)
{
    return sink_write(writer, bytes, len, err);
}

/* 0, EEXIST, or what went wrong. */
static int give_name(const struct sink_writer *w)
{
    struct stat st;

    if (w->temporary[0] == '\0') {
        char self[64];

        (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
        return linkat(AT_FDCWD, self, w->dir, w->base, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
    }
    if (linkat(w->dir, w->temporary, w->dir, w->base, 0) == 0)
        return 0;
    int error = errno;
    /* NFS may lose the reply of a link that was made, and then says EEXIST. */
    return fstat(w->fd, &st) == 0 && st.st_nlink == 2 ? 0 : error;
}

bool sink_commit(struct sink_writer *w, bool *existed, struct err *err)
{
    bool ok = false;
    int error;

    if (!drain(w, err))
        goto out;
    error = FAILPOINT_ERRNO("sink.fsync");
    if (error == 0 && fsync(w->fd) != 0)
        error = errno;
    if (error != 0) {
        sink_fail(err, error, "fsync", w->sink, w->name);
        goto out;
    }
    FAILPOINT("sink.link");
    error = give_name(w);
    if (error != 0 && error != EEXIST) {
        sink_fail(err, error, "name", w->sink, w->name);
        goto out;
    }
    FAILPOINT("sink.linked");
    /* Also when another was first: it may have died before its own fsync of the folder. */
    if (fsync(w->dir) != 0) {
        sink_fail(err, errno, "fsync the folder of", w->sink, w->name);
        goto out;
    }
    if (existed != NULL)
        *existed = error == EEXIST;
    ok = true;
out:
    sink_abort(w);
    return ok;
}

void sink_abort(struct sink_writer *w)
{
    if (w == NULL)
        return;
    if (w->temporary[0] != '\0')
        (void)unlinkat(w->dir, w->temporary, 0);
    if (w->fd >= 0)
        (void)close(w->fd);
    if (w->dir >= 0)
        (void)close(w->dir);
    free(w);
}

int sink_temporary(struct sink *sink, struct err *err)
{
    char temporary[24];
    int fd = open_temporary(sink->dir, temporary);

    if (fd < 0)
        sink_fail(err, errno, "create", sink, "a temporary file");
    else if (temporary[0] != '\0')
        (void)unlinkat(sink->dir, temporary, 0);
    return fd;
}
