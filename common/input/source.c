#include "common/input/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/input/source_file.h"

enum { BLOCK_BYTES = 128 * 1024 };

struct source {
    struct source_file file;
    const struct source_codec *codec; /* NULL: the bytes as they are */
    void *state;                      /* of the codec */
    char *name;
    bool seekable;
    bool stdin_fd; /* not ours to close */
};

bool source_file_read(int fd, const char *name, char *buf, size_t cap, size_t *got, struct err *err)
{
    ssize_t n = 0;

    do
        n = read(fd, buf, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_INPUT, "%s: %s", name, strerrordesc_np(errno));
    *got = (size_t)n;
    return true;
}

bool source_file_fill(struct source_file *file, struct err *err)
{
    size_t got = 0;

    if (file->pos < file->len)
        return true;
    if (file->block == NULL)
        file->block = xcalloc(1, BLOCK_BYTES);
    if (!source_file_read(file->fd, file->name, file->block, BLOCK_BYTES, &got, err))
        return false;
    file->offset += got;
    file->pos = 0;
    file->len = got;
    return true;
}

uint64_t source_file_offset(const struct source_file *file)
{
    return file->offset - (file->len - file->pos);
}

static const struct source_codec *codec_of(const char *path)
{
    static const struct source_codec *const all[] = {&source_gzip, &source_zstd};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        size_t len = strlen(path);
        size_t suffix = strlen(all[i]->suffix);

        if (len > suffix && strcmp(path + len - suffix, all[i]->suffix) == 0)
            return all[i];
    }
    return NULL;
}

/* A descriptor for @path, and whether it is a regular file. -1 on failure. */
static int open_file(const char *path, bool *regular, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        (void)err_set(err, ERR_INPUT, "%s: %s", path, strerrordesc_np(errno));
        return -1;
    }
    if (fstat(fd, &st) != 0) {
        (void)err_set(err, ERR_INPUT, "%s: %s", path, strerrordesc_np(errno));
        goto fail;
    }
    if (S_ISDIR(st.st_mode)) {
        (void)err_set(err, ERR_INPUT, "%s: is a directory, not a file of request lines", path);
        goto fail;
    }
    *regular = S_ISREG(st.st_mode);
    return fd;
fail:
    (void)close(fd);
    return -1;
}

struct source *source_open(const char *path, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    bool regular = false;
    int fd = is_stdin ? STDIN_FILENO : open_file(path, &regular, err);

    if (fd < 0)
        return NULL;

    struct source *src = xcalloc(1, sizeof(*src));

    src->name = xstrdup(is_stdin ? "standard input" : path);
    src->stdin_fd = is_stdin;
    src->codec = is_stdin ? NULL : codec_of(path);
    src->seekable = regular && src->codec == NULL;
    src->file.fd = fd;
    src->file.name = src->name;
    if (src->codec != NULL)
        src->state = src->codec->open();
    return src;
}

void source_close(struct source *src)
{
    if (src == NULL)
        return;
    if (src->codec != NULL)
        src->codec->close(src->state);
    if (!src->stdin_fd)
        (void)close(src->file.fd);
    free(src->file.block);
    free(src->name);
    free(src);
}

bool source_read(struct source *src, char *buf, size_t cap, size_t *got, struct err *err)
{
    if (src->codec != NULL)
        return src->codec->read(src->state, &src->file, buf, cap, got, err);
    return source_file_read(src->file.fd, src->name, buf, cap, got, err);
}

bool source_read_all(const char *path, struct buf *out, struct err *err)
{
    struct source *src = source_open(path, err);
    char *piece = xcalloc(1, BLOCK_BYTES);
    size_t got = 0;
    bool ok = src != NULL;

    do {
        ok = ok && source_read(src, piece, BLOCK_BYTES, &got, err) &&
             (buf_append(out, piece, got) ||
              err_set(err, ERR_PERMANENT, "%s: has more than %zu bytes", path, out->max));
    } while (ok && got > 0);
    free(piece);
    source_close(src);
    return ok;
}

bool source_is_seekable(const struct source *src)
{
    return src->seekable;
}

bool source_seek(struct source *src, uint64_t offset, struct err *err)
{
    struct stat st;

    if (!src->seekable)
        return err_set(err, ERR_INPUT, "%s: cannot be read at an offset", src->name);
    if (fstat(src->file.fd, &st) != 0)
        return err_set(err, ERR_INPUT, "%s: %s", src->name, strerrordesc_np(errno));
    if (offset > (uint64_t)st.st_size)
        return err_set(err, ERR_INPUT, "%s: is shorter than before: %lld bytes", src->name,
                       (long long)st.st_size);
    if (lseek(src->file.fd, (off_t)offset, SEEK_SET) < 0)
        return err_set(err, ERR_INPUT, "%s: %s", src->name, strerrordesc_np(errno));
    return true;
}

const char *source_name(const struct source *src)
{
    return src->name;
}
