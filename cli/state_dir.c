#include "cli/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool make_folder(const char *path, struct err *err)
{
    struct stat st;

    if (mkdir(path, 0700) == 0)
        return true;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return true;
    return err_set(err, ERR_UNAVAILABLE, "state directory %s: %s", path,
                   errno == EEXIST ? "is not a directory" : strerror(errno));
}

static bool name_holder(int fd, const char *path, struct err *err)
{
    char pid[32] = "?";
    ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

    if (n > 0) {
        pid[n] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
    }
    return err_set(err, ERR_CONFLICT, "state directory %s is in use by process %s", path, pid);
}

bool state_dir_lock(struct state_dir *dir, const char *path, bool create, struct err *err)
{
    char file[4096];
    char real[PATH_MAX];

    dir->lock_fd = -1;
    if (create && !make_folder(path, err))
        return false;
    if (realpath(path, real) == NULL)
        return err_set(err, ERR_NO_JOB, "state directory %s: %s", path, strerror(errno));
    if (strlen(real) >= sizeof(dir->path))
        return err_set(err, ERR_USAGE, "state directory %s: the path is too long", path);
    memcpy(dir->path, real, strlen(real) + 1);
    (void)snprintf(file, sizeof(file), "%s/lock", dir->path);

    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", file, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        name_holder(fd, dir->path, err);
        (void)close(fd);
        return false;
    }
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        (void)close(fd);
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", file, strerror(errno));
    }
    dir->lock_fd = fd;
    return true;
}

void state_dir_unlock(struct state_dir *dir)
{
    if (dir->lock_fd >= 0)
        (void)close(dir->lock_fd);
    dir->lock_fd = -1;
}

bool state_dir_sub(const struct state_dir *dir, const char *name, char out[4096], struct err *err)
{
    (void)snprintf(out, 4096, "%s/%s", dir->path, name);
    return make_folder(out, err);
}
