#include "cli/children.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/xmem.h"

struct child {
    SLIST_ENTRY(child) entry;
    pid_t pid;
    char *name;
};

struct children {
    SLIST_HEAD(child_list, child) alive;
    struct event *sigchld;
    children_exit_fn on_exit;
    void *arg;
};

static struct child *find(const struct children *children, pid_t pid)
{
    for (struct child *c = SLIST_FIRST(&children->alive); c != NULL; c = SLIST_NEXT(c, entry)) {
        if (c->pid == pid)
            return c;
    }
    return NULL;
}

static void forget(struct children *children, struct child *c)
{
    SLIST_REMOVE(&children->alive, c, child, entry);
    free(c->name);
    free(c);
}

static void on_sigchld(evutil_socket_t signo, short what, void *arg)
{
    struct children *children = arg;
    int status;
    pid_t pid;

    (void)signo;
    (void)what;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct child *c = find(children, pid);

        if (c == NULL)
            continue;
        char *name = xstrdup(c->name);
        forget(children, c);
        children->on_exit(name, pid, status, children->arg);
        free(name);
    }
}

struct children *children_new(struct event_base *base, children_exit_fn on_exit, void *arg)
{
    struct children *children = xcalloc(1, sizeof(*children));

    children->on_exit = on_exit;
    children->arg = arg;
    children->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, children);
    if (children->sigchld == NULL || event_add(children->sigchld, NULL) != 0)
        log_fatal("cannot watch SIGCHLD");
    return children;
}

void children_free(struct children *children)
{
    struct child *next;

    if (children == NULL)
        return;
    for (struct child *c = SLIST_FIRST(&children->alive); c != NULL; c = next) {
        next = SLIST_NEXT(c, entry);
        forget(children, c);
    }
    event_free(children->sigchld);
    free(children);
}

/* Ctrl-C reaches the whole group; the parent decides. Blocked, not ignored: a handler that the
 * program installs would undo the latter. */
static void set_signals(void)
{
    sigset_t interrupt;

    (void)sigemptyset(&interrupt);
    (void)sigaddset(&interrupt, SIGINT);
    (void)sigprocmask(SIG_SETMASK, &interrupt, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
}

/* Between fork and exec: only what is async-signal-safe. */
static void become(char *const *argv, int log_fd, pid_t parent, int report_fd)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127); /* the parent died before the line above */
    set_signals();
    (void)dup2(null_fd, STDIN_FILENO);
    if (log_fd >= 0) {
        (void)dup2(log_fd, STDOUT_FILENO);
        (void)dup2(log_fd, STDERR_FILENO);
    }
    (void)execvp(argv[0], argv);
    int cause = errno;
    if (write(report_fd, &cause, sizeof(cause)) < 0)
        _exit(126);
    _exit(127);
}

/* 0 when the child has become the program, else the errno of exec. */
static int exec_cause(int report_fd)
{
    int cause = 0;
    ssize_t n;

    do
        n = read(report_fd, &cause, sizeof(cause));
    while (n < 0 && errno == EINTR);
    return n == sizeof(cause) ? cause : 0;
}

bool children_start(struct children *children, const char *name, const char *const *argv,
                    int log_fd, struct err *err)
{
    char *const *words;
    int report[2];
    pid_t parent = getpid();

    memcpy(&words, &argv, sizeof(words)); /* exec does not write to them, but says it might */
    if (pipe2(report, O_CLOEXEC) != 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: pipe: %s", name, strerror(errno));
    pid_t child = fork();
    if (child == 0)
        become(words, log_fd, parent, report[1]);
    int cause = child < 0 ? errno : 0;
    (void)close(report[1]);
    if (child > 0)
        cause = exec_cause(report[0]);
    (void)close(report[0]);
    if (cause != 0) {
        if (child > 0)
            (void)waitpid(child, NULL, 0);
        return err_set(err, ERR_UNAVAILABLE, "cannot start %s: %s", argv[0], strerror(cause));
    }
    struct child *c = xcalloc(1, sizeof(*c));
    c->pid = child;
    c->name = xstrdup(name);
    SLIST_INSERT_HEAD(&children->alive, c, entry);
    return true;
}

unsigned children_alive(const struct children *children, const char *name)
{
    unsigned n = 0;

    for (struct child *c = SLIST_FIRST(&children->alive); c != NULL; c = SLIST_NEXT(c, entry))
        n += name == NULL || strcmp(c->name, name) == 0;
    return n;
}

static bool is_spared(const struct child *c, const char *spare)
{
    return spare != NULL && strcmp(c->name, spare) == 0;
}

/* False when none is left. @signo 0: only look. */
static bool stop_some(struct children *children, const char *spare, int signo)
{
    struct child *next;
    bool left = false;

    for (struct child *c = SLIST_FIRST(&children->alive); c != NULL; c = next) {
        next = SLIST_NEXT(c, entry);
        if (is_spared(c, spare))
            continue;
        if (waitpid(c->pid, NULL, WNOHANG) == c->pid) {
            forget(children, c);
            continue;
        }
        left = true;
        if (signo != 0)
            (void)kill(c->pid, signo);
    }
    return left;
}

static void stop_all(struct children *children, const char *spare, int grace_ms)
{
    int64_t deadline = clock_mono_ms() + grace_ms;
    static const struct timespec moment = {.tv_nsec = 10000000};

    if (!stop_some(children, spare, SIGTERM))
        return;
    while (stop_some(children, spare, 0) && clock_mono_ms() < deadline)
        (void)nanosleep(&moment, NULL);
    if (!stop_some(children, spare, SIGKILL))
        return;
    while (stop_some(children, spare, 0))
        (void)nanosleep(&moment, NULL);
}

void children_stop(struct children *children, const char *spare, int grace_ms)
{
    (void)event_del(children->sigchld);
    stop_all(children, spare, grace_ms);
    if (spare == NULL)
        return;
    if (event_add(children->sigchld, NULL) != 0)
        log_fatal("cannot watch SIGCHLD");
    event_active(children->sigchld, EV_SIGNAL, 1); /* the spared one may have ended meanwhile */
}
