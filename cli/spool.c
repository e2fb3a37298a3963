#include "cli/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/input/source.h"

#define PIECE (1u << 20)

/* Names of the files of one spool. */
struct places {
    char data[4096];    /* complete and synced if it is there */
    char fresh[4096];   /* being written */
    char origin[4096];  /* what it was made of, in words */
    char content[4096]; /* of that file: path, size and time; "" for standard input */
};

static bool fail(struct err *err, const char *path)
{
    return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
}

bool spool_is_needed(const char *input, bool *needed, struct err *err)
{
    struct source *source;
    struct stat st;

    *needed = true;
    if (strcmp(input, "-") == 0)
        return true;
    /* to open and close a pipe would end who writes to it */
    if (stat(input, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return true;
    source = source_open(input, err);
    if (source == NULL)
        return false;
    *needed = !source_is_seekable(source);
    source_close(source);
    return true;
}

static bool set_places(struct places *p, const char *input, const char *folder, const char *job,
                       struct err *err)
{
    struct stat st;
    int n = snprintf(p->data, sizeof(p->data), "%s/%s.jsonl", folder, job);

    if (n < 0 || (size_t)n + 16 > sizeof(p->data))
        return err_set(err, ERR_USAGE, "%s: the path is too long", folder);
    (void)snprintf(p->fresh, sizeof(p->fresh), "%.4000s.part", p->data);
    (void)snprintf(p->origin, sizeof(p->origin), "%.4000s.origin", p->data);
    p->content[0] = '\0';
    if (strcmp(input, "-") == 0 || stat(input, &st) != 0 || !S_ISREG(st.st_mode))
        return true;
    char *real = realpath(input, NULL);
    (void)snprintf(p->content, sizeof(p->content), "%lld %lld.%09ld %.3900s\n",
                   (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                   real != NULL ? real : input);
    free(real);
    return true;
}

/* The finished spool was made of the very file that is meant now. */
static bool is_current(const struct places *p)
{
    char text[4096] = "";
    int fd = open(p->origin, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    return n > 0 && p->content[0] != '\0' && strcmp(text, p->content) == 0 &&
           access(p->data, F_OK) == 0;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool copy(struct source *source, int fd, const char *path, uint64_t *bytes, struct err *err)
{
    char *piece = xcalloc(1, PIECE);
    size_t got = 0;
    bool ok = false;

    *bytes = 0;
    do {
        if (!source_read(source, piece, PIECE, &got, err))
            goto out;
        if (!write_all(fd, piece, got)) {
            fail(err, path);
            goto out;
        }
        *bytes += got;
    } while (got > 0);
    ok = fsync(fd) == 0 || fail(err, path);
out:
    free(piece);
    return ok;
}

/* All of the input into the file p->fresh. */
static bool fill(const struct places *p, const char *input, uint64_t *bytes, struct err *err)
{
    struct source *source = source_open(input, err);

    if (source == NULL)
        return false;
    int fd = open(p->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 ? copy(source, fd, p->fresh, bytes, err) : fail(err, p->fresh);
    if (fd >= 0)
        (void)close(fd);
    source_close(source);
    return ok;
}

static ssize_t read_full(int fd, char *out, size_t size)
{
    size_t len = 0;

    while (len < size) {
        ssize_t n = read(fd, out + len, size - len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static bool have_same_bytes(int a, int b)
{
    char *left = xcalloc(2, PIECE);
    char *right = left + PIECE;
    ssize_t n, m;

    do {
        n = read_full(a, left, PIECE);
        m = read_full(b, right, PIECE);
    } while (n > 0 && n == m && memcmp(left, right, (size_t)n) == 0);
    free(left);
    return n == 0 && m == 0;
}

static bool is_same(const char *path, const char *other)
{
    int a = open(path, O_RDONLY | O_CLOEXEC);
    int b = open(other, O_RDONLY | O_CLOEXEC);
    bool same = a >= 0 && b >= 0 && have_same_bytes(a, b);

    if (a >= 0)
        (void)close(a);
    if (b >= 0)
        (void)close(b);
    return same;
}

static bool sync_folder(const char *folder, struct err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;

    if (!ok)
        fail(err, folder);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* A hint only: when it is lost the input is spooled and compared once more. */
static void note_origin(const struct places *p)
{
    int fd = open(p->origin, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return;
    if (!write_all(fd, p->content, strlen(p->content)))
        (void)unlink(p->origin);
    (void)close(fd);
}

static bool adopt(const struct places *p, const char *input, const char *folder, bool opened,
                  uint64_t bytes, struct err *err)
{
    bool nothing = strcmp(input, "-") == 0 && bytes == 0;
    bool old = access(p->data, F_OK) == 0;

    if (old && opened && !nothing && !is_same(p->fresh, p->data)) {
        (void)unlink(p->fresh);
        return err_set(err, ERR_CONFLICT, "%s is not what the job was made of",
                       strcmp(input, "-") == 0 ? "standard input" : input);
    }
    if (old && (opened || nothing)) { /* nothing was given, and a whole copy is kept */
        (void)unlink(p->fresh);
    } else {
        (void)unlink(p->origin);
        if (rename(p->fresh, p->data) != 0)
            return fail(err, p->data);
        if (!sync_folder(folder, err))
            return false;
    }
    note_origin(p);
    return true;
}

bool spool_make(const char *input, const char *folder, const char *job, bool opened,
                char path[4096], struct err *err)
{
    struct places *p = xcalloc(1, sizeof(*p));
    uint64_t bytes = 0;
    bool ok = set_places(p, input, folder, job, err);

    if (ok && !is_current(p))
        ok = fill(p, input, &bytes, err) && adopt(p, input, folder, opened, bytes, err);
    if (ok)
        (void)snprintf(path, 4096, "%s", p->data);
    free(p);
    return ok;
}
