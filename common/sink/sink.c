#include "common/sink/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/xmem.h"
#include "common/sink/layout.h"
#include "common/sink/sink_internal.h"

#define READ_BYTES 65536u

bool sink_fail(struct err *err, int error, const char *what, const struct sink *sink,
               const char *name)
{
    bool passing = error == EMFILE || error == ENFILE || error == EINTR || error == ENOMEM;

    return err_set(err, passing ? ERR_TEMPORARY : ERR_UNAVAILABLE, "cannot %s %s/%s: %s", what,
                   sink->path, name, strerror(error));
}

const char *sink_root(const char *url, struct err *err)
{
    if (strncmp(url, "dir:/", 5) == 0)
        return url + 4;
    err_set(err, ERR_USAGE, "sink \"%s\" is not \"dir:\" and an absolute path", url);
    return NULL;
}

bool sink_check_url(const char *url, struct err *err)
{
    return sink_root(url, err) != NULL;
}

static bool is_ji(const char *text)
{
    return strlen(text) == JOB_JI_LEN &&
           strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz") == JOB_JI_LEN;
}

bool sink_folder_path(char out[SINK_PATH_MAX], const char *url, const char *job, const char *ji,
                      struct err *err)
{
    const char *root = sink_root(url, err);

    if (root == NULL)
        return false;
    if (!job_name_is_valid(job) || !is_ji(ji))
        return err_set(err, ERR_USAGE, "\"%s.%s\" is no job's folder", job, ji);
    int n = snprintf(out, SINK_PATH_MAX, "%s/%s.%s", root, job, ji);
    if (n < 0 || n >= SINK_PATH_MAX)
        return err_set(err, ERR_USAGE, "sink \"%s\": the path is too long", url);
    return true;
}

static bool make_one(const char *path, struct err *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    return err_set(err, ERR_UNAVAILABLE, "cannot make folder %s: %s", path, strerror(errno));
}

void sink_sync_parent(const char *path)
{
    char parent[SINK_PATH_MAX];

    (void)snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        return;
    slash[slash == parent] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

static bool make_folders(const char *path, struct err *err)
{
    char part[SINK_PATH_MAX];

    (void)snprintf(part, sizeof(part), "%s", path);
    for (char *p = part + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (!make_one(part, err))
            return false;
        *p = '/';
    }
    if (!make_one(part, err))
        return false;
    sink_sync_parent(path);
    return true;
}

struct sink *sink_open(const char *url, const char *job, const char *ji, bool create,
                       struct err *err)
{
    char path[SINK_PATH_MAX];

    if (!sink_folder_path(path, url, job, ji, err) || (create && !make_folders(path, err)))
        return NULL;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        err_set(err, errno == ENOENT ? ERR_NO_JOB : ERR_UNAVAILABLE, "cannot open sink %s: %s",
                path, strerror(errno));
        return NULL;
    }

    struct sink *sink = xcalloc(1, sizeof(*sink));
    memcpy(sink->path, path, sizeof(path));
    sink->dir = dir;
    return sink;
}

void sink_close(struct sink *sink)
{
    if (sink == NULL)
        return;
    (void)close(sink->dir);
    free(sink);
}

const char *sink_path(const struct sink *sink)
{
    return sink->path;
}

static bool holds_job(const char *root, const char *folder)
{
    char path[SINK_PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s/" LAYOUT_JOB, root, folder);

    return n > 0 && n < SINK_PATH_MAX && access(path, F_OK) == 0;
}

bool sink_find(const char *url, const char *job, char ji[JOB_JI_LEN + 1], struct err *err)
{
    const char *root = sink_root(url, err);
    size_t job_len = strlen(job);
    char found[JOB_JI_LEN + 1] = "";
    size_t count = 0;

    if (root == NULL)
        return false;
    DIR *dir = opendir(root);
    if (dir == NULL)
        return err_set(err, errno == ENOENT ? ERR_NO_JOB : ERR_UNAVAILABLE,
                       "cannot read sink %s: %s", root, strerror(errno));
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        const char *name = e->d_name;

        if (strncmp(name, job, job_len) != 0 || name[job_len] != '.' || !is_ji(name + job_len + 1))
            continue;
        if (!holds_job(root, name))
            continue;
        memcpy(found, name + job_len + 1, sizeof(found));
        count++;
    }
    (void)closedir(dir);
    if (count == 0)
        return err_set(err, ERR_NO_JOB, "no job \"%s\" in sink %s", job, root);
    if (count > 1)
        return err_set(err, ERR_CONFLICT, "%zu jobs \"%s\" in sink %s", count, job, root);
    memcpy(ji, found, sizeof(found));
    return true;
}

bool sink_publish(struct sink *sink, const char *name, const void *bytes, size_t len, bool *existed,
                  struct err *err)
{
    struct sink_writer *w = sink_begin(sink, name, err);

    if (w == NULL)
        return false;
    if (!sink_write(w, bytes, len, err)) {
        sink_abort(w);
        return false;
    }
    return sink_commit(w, existed, err);
}

bool sink_exists(struct sink *sink, const char *name, bool *exists, struct err *err)
{
    struct stat st;

    if (fstatat(sink->dir, name, &st, 0) == 0) {
        *exists = true;
        return true;
    }
    if (errno != ENOENT)
        return sink_fail(err, errno, "look for", sink, name);
    *exists = false;
    return true;
}

int sink_open_read(struct sink *sink, const char *name, struct err *err)
{
    int fd = openat(sink->dir, name, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    if (errno == ENOENT)
        err_set(err, ERR_PERMANENT, "%s/%s is missing", sink->path, name);
    else
        sink_fail(err, errno, "open", sink, name);
    return -1;
}

bool sink_read(struct sink *sink, const char *name, struct buf *out, struct err *err)
{
    int fd = sink_open_read(sink, name, err);
    bool ok = false;

    if (fd < 0)
        return false;
    for (;;) {
        char chunk[READ_BYTES];
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sink_fail(err, errno, "read", sink, name);
            break;
        }
        if (n == 0) {
            ok = true;
            break;
        }
        if (!buf_append(out, chunk, (size_t)n)) {
            err_set(err, ERR_PERMANENT, "%s/%s is larger than %zu bytes", sink->path, name,
                    out->max);
            break;
        }
    }
    (void)close(fd);
    return ok;
}

struct names {
    char **items;
    size_t count, cap;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The errno that readdir() ended with: 0 at the end of the folder. */
static int collect_names(DIR *dir, struct names *names)
{
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(dir);

        if (e == NULL)
            break;
        if (e->d_name[0] == '.')
            continue;
        if (names->count == names->cap) {
            names->cap = names->cap == 0 ? 64 : names->cap * 2;
            names->items = xrealloc(names->items, names->cap, sizeof(char *));
        }
        names->items[names->count++] = xstrdup(e->d_name);
    }
    int error = errno;
    if (names->count != 0)
        qsort(names->items, names->count, sizeof(char *), compare_names);
    return error;
}

bool sink_list(struct sink *sink, const char *folder, sink_list_fn fn, void *arg, struct err *err)
{
    struct names names = {0};
    bool ok = true;
    int fd =
        openat(sink->dir, folder[0] == '\0' ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || sink_fail(err, errno, "list", sink, folder);
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int error = errno;

        (void)close(fd);
        return sink_fail(err, error, "list", sink, folder);
    }
    int error = collect_names(dir, &names);
    if (error != 0)
        ok = sink_fail(err, error, "list", sink, folder);
    (void)closedir(dir);
    for (size_t i = 0; i < names.count; i++) {
        ok = ok && fn(names.items[i], arg, err);
        free(names.items[i]);
    }
    free(names.items);
    return ok;
}
