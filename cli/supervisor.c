#include "cli/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/children.h"
#include "cli/core/restart_plan.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"

#define STOP_GRACE_MS 5000
#define LAST_WORDS    8192 /* bytes of the log that are looked through */

struct program {
    LIST_ENTRY(program) entry;
    struct supervisor *supervisor;
    char *name;
    const char **argv; /* copies */
    struct restart_plan plan;
    struct loop_timer *timer; /* of the restart */
    int64_t log_start;        /* where the log was when it was started */
    int code;                 /* of its last end: exit code, or minus the signal */
};

struct supervisor {
    LIST_HEAD(program_list, program) programs;
    struct event_base *base;
    struct children *children;
    int log_fd;
    supervisor_exit_fn on_exit;
    void *arg;
    bool stopped;
    char said[400];
};

static struct program *find(const struct supervisor *s, const char *name)
{
    struct program *m;

    for (m = LIST_FIRST(&s->programs); m != NULL; m = LIST_NEXT(m, entry)) {
        if (strcmp(m->name, name) == 0)
            return m;
    }
    return NULL;
}

static void note_death(struct program *m)
{
    int64_t wait_ms = restart_plan_died(&m->plan, m->code, clock_mono_ms());

    log_warn("ev=restart child=%s in_ms=%lld deaths=%u", m->name, (long long)wait_ms,
             m->plan.deaths);
    loop_timer_set(m->timer, wait_ms);
}

static bool start(struct program *m, struct err *err)
{
    struct supervisor *s = m->supervisor;
    struct stat st;

    m->log_start = fstat(s->log_fd, &st) == 0 ? st.st_size : 0;
    restart_plan_started(&m->plan, clock_mono_ms());
    return children_start(s->children, m->name, m->argv, s->log_fd, err);
}

static void on_restart(void *arg)
{
    struct program *m = arg;
    struct err err = {0};

    if (start(m, &err))
        return;
    log_error("ev=start_failed child=%s reason=%s", m->name, log_text(err.msg));
    m->code = EXIT_CODE_UNEXPECTED;
    note_death(m);
}

static void on_child_exit(const char *name, pid_t pid, int status, void *arg)
{
    struct supervisor *s = arg;
    struct program *m = find(s, name);

    if (s->stopped || m == NULL)
        return;
    m->code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    log_info("ev=child_ended child=%s pid=%ld code=%d", name, (long)pid, m->code);
    if (s->on_exit == NULL || s->on_exit(name, status, s->arg))
        note_death(m);
    else if (m->code == 0)
        m->plan = (struct restart_plan){0}; /* it has done its work */
    else
        (void)restart_plan_died(&m->plan, m->code, clock_mono_ms());
}

struct supervisor *supervisor_new(struct event_base *base, int log_fd)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));

    s->base = base;
    s->log_fd = log_fd;
    s->children = children_new(base, on_child_exit, s);
    return s;
}

static void forget(struct program *m)
{
    LIST_REMOVE(m, entry);
    loop_timer_free(m->timer);
    for (size_t i = 0; m->argv[i] != NULL; i++) {
        char *word;

        memcpy(&word, &m->argv[i], sizeof(word)); /* our own copy */
        free(word);
    }
    free(m->argv);
    free(m->name);
    free(m);
}

void supervisor_free(struct supervisor *s)
{
    if (s == NULL)
        return;
    supervisor_stop(s, NULL, STOP_GRACE_MS);
    while (!LIST_EMPTY(&s->programs))
        forget(LIST_FIRST(&s->programs));
    children_free(s->children);
    free(s);
}

void supervisor_on_exit(struct supervisor *s, supervisor_exit_fn fn, void *arg)
{
    s->on_exit = fn;
    s->arg = arg;
}

bool supervisor_start(struct supervisor *s, const char *name, const char *const *argv,
                      struct err *err)
{
    struct program *m = xcalloc(1, sizeof(*m));
    size_t words = 0;

    while (argv[words] != NULL)
        words++;
    m->argv = xcalloc(words + 1, sizeof(*m->argv));
    for (size_t i = 0; i < words; i++)
        m->argv[i] = xstrdup(argv[i]);
    m->supervisor = s;
    m->name = xstrdup(name);
    m->timer = loop_timer_new(s->base, on_restart, m);
    LIST_INSERT_HEAD(&s->programs, m, entry);
    if (start(m, err))
        return true;
    forget(m);
    return false;
}

void supervisor_again(struct supervisor *s, const char *name)
{
    struct program *m = find(s, name);

    if (m != NULL && !s->stopped && children_alive(s->children, name) == 0)
        loop_timer_set(m->timer, 0);
}

/* The last line that the program itself wrote for people, "NAME: ...", without the name. */
/* What redis-server complains of: "4711:M 24 Nov 2026 18:00:00.000 # Bad file format ..." */
static const char *redis_complaint(const char *line)
{
    size_t digits = strspn(line, "0123456789");
    size_t len = strcspn(line, "\n");
    const char *mark = memmem(line, len, " # ", 3);

    return digits > 0 && line[digits] == ':' && mark != NULL ? mark + 3 : NULL;
}

static const char *last_words(struct supervisor *s, const struct program *m)
{
    char text[LAST_WORDS + 1];
    char start_of_line[64];
    struct stat st;
    const char *slash = strrchr(m->argv[0], '/');

    s->said[0] = '\0';
    if (fstat(s->log_fd, &st) != 0)
        return s->said;
    int64_t from = st.st_size - LAST_WORDS;
    if (from < m->log_start)
        from = m->log_start;
    ssize_t n = pread(s->log_fd, text, LAST_WORDS, from);
    if (n <= 0)
        return s->said;
    text[n] = '\0';
    (void)snprintf(start_of_line, sizeof(start_of_line),
                   "%s: ", slash != NULL ? slash + 1 : m->argv[0]);
    for (char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *said = strncmp(line, start_of_line, strlen(start_of_line)) == 0
                               ? line + strlen(start_of_line)
                               : NULL;
        if (strcmp(start_of_line, "redis-server: ") == 0)
            said = redis_complaint(line);
        if (said != NULL)
            (void)snprintf(s->said, sizeof(s->said), "%s", said);
    }
    s->said[strcspn(s->said, "\n")] = '\0';
    return s->said;
}

/* One that runs well again does not count. */
static bool is_failing(const struct program *m, int64_t now_ms)
{
    return m->plan.deaths > 0 &&
           (run_state_is_refusal(m->code) || now_ms - m->plan.started_ms < RESTART_WELL_MS);
}

static bool is_worse(const struct program *m, const struct program *than)
{
    if (than == NULL || run_state_is_refusal(m->code))
        return true;
    return !run_state_is_refusal(than->code) && m->plan.deaths > than->plan.deaths;
}

struct run_failure supervisor_failure(struct supervisor *s)
{
    const struct program *worst = NULL;
    const struct program *m;
    int64_t now_ms = clock_mono_ms();

    for (m = LIST_FIRST(&s->programs); m != NULL; m = LIST_NEXT(m, entry)) {
        if (is_failing(m, now_ms) && is_worse(m, worst))
            worst = m;
    }
    if (worst == NULL)
        return (struct run_failure){0};
    return (struct run_failure){.name = worst->name,
                                .code = worst->code,
                                .deaths = worst->plan.deaths,
                                .faults = worst->plan.faults,
                                .since_ms = worst->plan.failing_ms,
                                .said = last_words(s, worst)};
}

void supervisor_stop(struct supervisor *s, const char *spare, int grace_ms)
{
    struct program *m;
    struct program *next;

    s->stopped = true;
    for (m = LIST_FIRST(&s->programs); m != NULL; m = LIST_NEXT(m, entry))
        loop_timer_stop(m->timer);
    children_stop(s->children, spare, grace_ms);
    if (spare == NULL)
        return;
    s->stopped = false;
    for (m = LIST_FIRST(&s->programs); m != NULL; m = next) {
        next = LIST_NEXT(m, entry);
        if (strcmp(m->name, spare) != 0)
            forget(m);
    }
}
