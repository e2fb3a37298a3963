#include "simulator/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/id.h"
#include "common/base/log.h"
#include "common/base/xmem.h"

static const char *const subs[] = {"files", "batches", "ledger", "tmp"};

void folder_path(const struct folder *f, const char *sub, const char *name, const char *suffix,
                 char out[FOLDER_PATH_MAX])
{
    int n = snprintf(out, FOLDER_PATH_MAX, "%s/%s/%s%s", f->path, sub, name, suffix);

    if (n < 0 || n >= FOLDER_PATH_MAX)
        log_fatal("a path under %s is too long", f->path);
}

static bool make_private(struct folder *f, struct err *err)
{
    const char *base = getenv("TMPDIR");
    char path[FOLDER_PATH_MAX];

    if (base == NULL || base[0] == '\0')
        base = "/tmp";
    int n = snprintf(path, sizeof(path), "%s/sheaf-simulator-XXXXXX", base);
    if (n < 0 || n >= FOLDER_PATH_MAX - 100 || mkdtemp(path) == NULL)
        return err_set(err, ERR_UNAVAILABLE, "no private folder in %s: %s", base, strerror(errno));
    f->path = xstrdup(path);
    f->private = true;
    return true;
}

static bool make_dir(const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return true;
}

static bool take_lock(struct folder *f, struct err *err)
{
    char path[FOLDER_PATH_MAX];

    folder_path(f, ".", "lock", "", path);
    f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(err, ERR_CONFLICT, "%s is used by another simulator", f->path);
    return true;
}

struct removal {
    const struct folder *folder;
    const char *sub;
};

static bool remove_entry(const char *name, void *arg, struct err *err)
{
    const struct removal *r = arg;
    char path[FOLDER_PATH_MAX];

    (void)err;
    folder_path(r->folder, r->sub, name, "", path);
    (void)unlink(path);
    return true;
}

static void empty_sub(const struct folder *f, const char *sub)
{
    struct removal r = {f, sub};

    if (!folder_each(f, sub, remove_entry, &r, NULL))
        log_debug("ev=folder_left sub=%s", sub);
}

bool folder_open(struct folder *f, const char *dir, struct err *err)
{
    char path[FOLDER_PATH_MAX];

    *f = (struct folder){.lock_fd = -1};
    if (dir == NULL) {
        if (!make_private(f, err))
            return false;
    } else if (strlen(dir) > FOLDER_PATH_MAX - 200 || !make_dir(dir, err)) {
        return err_wrap(err, "--dir");
    } else {
        f->path = xstrdup(dir);
    }
    if (!take_lock(f, err))
        goto fail;
    for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
        folder_path(f, subs[i], "", "", path);
        if (!make_dir(path, err))
            goto fail;
    }
    empty_sub(f, "tmp");
    return true;
fail:
    folder_close(f);
    return false;
}

void folder_close(struct folder *f)
{
    char path[FOLDER_PATH_MAX];

    if (f->path == NULL)
        return;
    for (size_t i = 0; f->private && i < ARRAY_LEN(subs); i++) {
        empty_sub(f, subs[i]);
        folder_path(f, subs[i], "", "", path);
        (void)rmdir(path);
    }
    if (f->private) {
        folder_path(f, ".", "lock", "", path);
        (void)unlink(path);
        (void)rmdir(f->path);
    }
    if (f->lock_fd >= 0)
        (void)close(f->lock_fd);
    free(f->path);
    *f = (struct folder){.lock_fd = -1};
}

bool folder_write(int fd, const void *bytes, size_t len, struct err *err)
{
    const char *p = bytes;

    while (len != 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "write: %s", strerror(errno));
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool folder_replace(const char *path, const void *bytes, size_t len, struct err *err)
{
    char next[FOLDER_PATH_MAX];
    int n = snprintf(next, sizeof(next), "%s.next", path);

    if (n < 0 || n >= FOLDER_PATH_MAX)
        return err_set(err, ERR_USAGE, "the path %s is too long", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", next, strerror(errno));
    bool ok = folder_write(fd, bytes, len, err);
    (void)close(fd);
    if (!ok)
        return err_wrap(err, "%s", next);
    if (rename(next, path) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return true;
}

int folder_temporary(const struct folder *f, char path[FOLDER_PATH_MAX], struct err *err)
{
    char name[17];

    id_random(name, sizeof(name) - 1);
    folder_path(f, "tmp", name, "", path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    return fd;
}

bool folder_each(const struct folder *f, const char *sub, folder_each_fn fn, void *arg,
                 struct err *err)
{
    char path[FOLDER_PATH_MAX];
    struct dirent *entry;
    bool ok = true;

    folder_path(f, sub, "", "", path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    /* cppcheck-suppress readdirCalled ; each thread reads a DIR of its own */
    while (ok && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            ok = fn(entry->d_name, arg, err);
    }
    (void)closedir(dir);
    return ok;
}
