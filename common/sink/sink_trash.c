#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sink/sink.h"
#include "common/sink/sink_internal.h"

#define TRASH     ".trash-"
#define TRASH_END '~' /* the folder of a job ends with a letter or digit */
#define DEPTH_MAX 4   /* a job's folder has one level of folders */

static bool trash_path(char out[SINK_PATH_MAX], const char *url, const char *job, const char *ji,
                       struct err *err)
{
    const char *root = sink_root(url, err);

    if (root == NULL)
        return false;
    int n = snprintf(out, SINK_PATH_MAX, "%s/" TRASH "%s.%s%c", root, job, ji, TRASH_END);
    if (n < 0 || n >= SINK_PATH_MAX)
        return err_set(err, ERR_USAGE, "sink \"%s\": the path is too long", url);
    return true;
}

static bool move(const char *from, const char *to, struct err *err)
{
    if (rename(from, to) != 0)
        return err_set(err, errno == ENOENT ? ERR_NO_JOB : ERR_UNAVAILABLE,
                       "cannot rename %s to %s: %s", from, to, strerror(errno));
    sink_sync_parent(to);
    return true;
}

bool sink_trash(const char *url, const char *job, const char *ji, struct err *err)
{
    char path[SINK_PATH_MAX];
    char trash[SINK_PATH_MAX];
    struct err problem = {0};

    if (!sink_folder_path(path, url, job, ji, err) || !trash_path(trash, url, job, ji, err))
        return false;
    if (move(path, trash, &problem))
        return true;
    if (problem.kind == ERR_NO_JOB && access(sink_root(url, NULL), F_OK) == 0)
        return true;
    if (problem.kind == ERR_NO_JOB)
        err_set(&problem, ERR_UNAVAILABLE, "there is no sink %s; is it on another host?", url);
    if (err != NULL)
        *err = problem;
    return false;
}

bool sink_untrash(const char *url, const char *job, const char *ji, struct err *err)
{
    char path[SINK_PATH_MAX];
    char trash[SINK_PATH_MAX];

    return sink_folder_path(path, url, job, ji, err) && trash_path(trash, url, job, ji, err) &&
           move(trash, path, err);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_folder(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Keeps the first failure only. Somebody else may be deleting the same. */
static bool note_failure(const char *name, struct err *err)
{
    if (errno == ENOENT)
        return true;
    if (err->kind == ERR_NONE)
        err_set(err, ERR_UNAVAILABLE, "cannot delete %s: %s", name, strerror(errno));
    return false;
}

/* All that is in the folder @name of @parent, and the folder. Ends at DEPTH_MAX. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static bool delete_tree(int parent, const char *name, unsigned depth, struct err *err)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool ok = true;

    if (dir == NULL) {
        ok = note_failure(name, err);
        if (fd >= 0)
            (void)close(fd);
        return ok;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (is_dots(e->d_name))
            continue;
        if (depth < DEPTH_MAX && is_folder(fd, e->d_name))
            ok = delete_tree(fd, e->d_name, depth + 1, err) && ok;
        else if (unlinkat(fd, e->d_name, 0) != 0)
            ok = note_failure(e->d_name, err) && ok;
    }
    (void)closedir(dir);
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
        ok = note_failure(name, err) && ok;
    return ok;
}

static bool is_trash(const char *name)
{
    size_t len = strlen(name);

    return strncmp(name, TRASH, strlen(TRASH)) == 0 && name[len - 1] == TRASH_END;
}

bool sink_empty_trash(const char *url, struct err *err)
{
    const char *root = sink_root(url, err);
    struct err first = {0};

    if (root == NULL)
        return false;
    DIR *dir = opendir(root);
    if (dir == NULL)
        return errno == ENOENT ||
               err_set(err, ERR_UNAVAILABLE, "cannot read sink %s: %s", root, strerror(errno));
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (is_trash(e->d_name))
            (void)delete_tree(dirfd(dir), e->d_name, 0, &first);
    }
    (void)closedir(dir);
    if (first.kind == ERR_NONE)
        return true;
    if (err != NULL)
        *err = first;
    return false;
}
