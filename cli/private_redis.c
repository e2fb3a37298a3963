#include "cli/private_redis.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/log.h"

#define SOCKET_PATH_MAX 107

/* A folder of our own with a short name, the same each time for the same state directory. */
static bool short_folder(const char *folder, char *out, size_t size, struct err *err)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR"); /* NOLINT(concurrency-mt-unsafe) */
    const char *tmp = getenv("TMPDIR");              /* NOLINT(concurrency-mt-unsafe) */
    const char *parent = runtime != NULL ? runtime : tmp != NULL ? tmp : "/tmp";
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    struct stat st;

    if (strlen(parent) > 60)
        parent = "/tmp";
    for (const char *p = folder; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211u;
    (void)snprintf(out, size, "%s/sheaf-%u-%016llx", parent, (unsigned)getuid(),
                   (unsigned long long)hash);
    if (mkdir(out, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", out, strerror(errno));
    if (lstat(out, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != getuid() ||
        (st.st_mode & 077) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: is not a private folder of ours", out);
    return true;
}

bool private_redis_place(struct private_redis *redis, const struct state_dir *dir, struct err *err)
{
    if (!state_dir_sub(dir, "redis", redis->folder, err))
        return false;
    /* "?" would begin the URL's parameters */
    if (strlen(redis->folder) + strlen("/redis.sock") <= SOCKET_PATH_MAX &&
        strpbrk(redis->folder, "?%#") == NULL) {
        (void)snprintf(redis->socket, sizeof(redis->socket), "%.90s/redis.sock", redis->folder);
    } else {
        char folder[128];

        if (!short_folder(redis->folder, folder, sizeof(folder), err))
            return false;
        (void)snprintf(redis->socket, sizeof(redis->socket), "%.90s/redis.sock", folder);
    }
    (void)snprintf(redis->url, sizeof(redis->url), "unix:%s", redis->socket);
    (void)snprintf(redis->pid_file, sizeof(redis->pid_file), "%s/redis.pid", redis->folder);
    return true;
}

static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    bool ok = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    (void)close(fd);
    return ok;
}

bool private_redis_find(struct private_redis *redis, const char *path)
{
    struct state_dir dir = {.lock_fd = -1};
    char real[4096];
    char folder[4096 + 8];

    if (realpath(path, real) == NULL || strlen(real) >= sizeof(dir.path))
        return false;
    (void)snprintf(dir.path, sizeof(dir.path), "%.3000s", real);
    (void)snprintf(folder, sizeof(folder), "%s/redis", real);
    return access(folder, F_OK) == 0 && private_redis_place(redis, &dir, NULL) &&
           answers(redis->socket);
}

static long read_pid(const char *file)
{
    char text[32] = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    (void)close(fd);
    return strtol(text, NULL, 10);
}

/* The pid may belong to somebody else by now: only a redis-server in our folder is ours to stop. */
static bool is_ours(const struct private_redis *redis, long pid)
{
    char file[64];
    char text[4096 + 1];

    (void)snprintf(file, sizeof(file), "/proc/%ld/comm", pid);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n < 12 || strncmp(text, "redis-server", 12) != 0)
        return false;
    (void)snprintf(file, sizeof(file), "/proc/%ld/cwd", pid);
    n = readlink(file, text, sizeof(text) - 1);
    if (n < 0)
        return false;
    text[n] = '\0';
    return strcmp(text, redis->folder) == 0;
}

void private_redis_clear(const struct private_redis *redis)
{
    static const struct timespec moment = {.tv_nsec = 20000000};
    long pid = read_pid(redis->pid_file);

    if (pid <= 1 || !is_ours(redis, pid))
        return;
    log_warn("ev=redis_left_over pid=%ld", pid);
    (void)kill((pid_t)pid, SIGTERM);
    for (int i = 0; i < 500 && is_ours(redis, pid); i++)
        (void)nanosleep(&moment, NULL);
    if (is_ours(redis, pid))
        (void)kill((pid_t)pid, SIGKILL);
}

void private_redis_tidy(const struct private_redis *redis)
{
    char folder[sizeof(redis->socket)];

    memcpy(folder, redis->socket, sizeof(folder));
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return;
    *slash = '\0';
    (void)unlink(redis->socket);
    if (strcmp(folder, redis->folder) != 0)
        (void)rmdir(folder);
}

void private_redis_argv(const struct private_redis *redis, const char *argv[PRIVATE_REDIS_WORDS])
{
    const char *words[] = {PRIVATE_REDIS_NAME,
                           "--port",
                           "0",
                           "--unixsocket",
                           redis->socket,
                           "--unixsocketperm",
                           "700",
                           "--dir",
                           redis->folder,
                           "--pidfile",
                           redis->pid_file,
                           "--save",
                           "",
                           "--appendonly",
                           "yes",
                           "--appendfsync",
                           "always",
                           "--loglevel",
                           "warning",
                           "--daemonize",
                           "no",
                           NULL};

    static_assert(ARRAY_LEN(words) <= PRIVATE_REDIS_WORDS, "raise PRIVATE_REDIS_WORDS");
    memcpy(argv, words, sizeof(words));
}
