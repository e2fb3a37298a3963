#include "cli/session.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/private_redis.h"
#include "cli/state_dir.h"
#include "cli/supervisor.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/protocol/protocol.h"
#include "common/redis/redis_conn.h"
#include "common/redis/redis_url.h"

#define COMMAND_MS 3000
#define ANSWER_MS  8000  /* a question and its repeats */
#define READER_MS  2000  /* `run` waits for one */
#define HOLDER_MS  10000 /* the holder of the lock may just be starting its Redis */
#define STOP_MS    10000 /* a Redis with much to write */
#define ABSENT_MS  3000  /* nobody answers there */
#define LOADING_MS 600000
#define MAX_DEATHS 4
#define LOOK_MS    20

struct session {
    struct event_base *base;
    struct redis_conn *conn;
    struct protocol *protocol;
    struct supervisor *supervisor;
    struct state_dir dir; /* path "" without one */
    struct private_redis redis;
    int log_fd;
    bool guest;
    char *url;
    struct loop_timer *look; /* while waiting for the connection */
};

/* A question under way. */
struct question {
    struct session *session;
    bool answered;
    enum protocol_answer answer;
    struct err err;
    session_view_fn view_fn;
    session_list_fn list_fn;
    void *arg;
};

static struct session *make(void)
{
    struct session *s = xcalloc(1, sizeof(*s));

    s->dir.lock_fd = -1;
    s->log_fd = -1;
    s->base = loop_new();
    return s;
}

void session_close(struct session *s)
{
    if (s == NULL)
        return;
    protocol_free(s->protocol);
    redis_conn_free(s->conn);
    if (s->supervisor != NULL)
        supervisor_stop(s->supervisor, PRIVATE_REDIS_NAME, 5000);
    if (s->supervisor != NULL)
        supervisor_stop(s->supervisor, NULL, STOP_MS);
    supervisor_free(s->supervisor);
    if (s->supervisor != NULL && s->redis.socket[0] != '\0')
        private_redis_tidy(&s->redis);
    if (s->log_fd >= 0)
        (void)close(s->log_fd);
    state_dir_unlock(&s->dir);
    loop_free(s->base);
    free(s->url);
    free(s);
}

static bool open_log(struct session *s, struct err *err)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/sheaf.log", s->dir.path);
    s->log_fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (s->log_fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    s->supervisor = supervisor_new(s->base, s->log_fd);
    return true;
}

static bool start_redis(struct session *s, struct err *err)
{
    const char *argv[PRIVATE_REDIS_WORDS];

    if (!private_redis_place(&s->redis, &s->dir, err))
        return false;
    private_redis_clear(&s->redis);
    private_redis_argv(&s->redis, argv);
    if (!supervisor_start(s->supervisor, PRIVATE_REDIS_NAME, argv, err))
        return err_wrap(err, "the private Redis needs the Debian package redis-server, or give "
                             "--redis URL");
    s->url = xstrdup(s->redis.url);
    return true;
}

static bool connect_redis(struct session *s, struct err *err)
{
    struct redis_url url;

    if (!redis_url_parse(s->url, &url, err))
        return err_wrap(err, "--redis");
    s->conn = redis_conn_new(s->base, &url, COMMAND_MS);
    s->protocol = protocol_new(s->conn, "0");
    protocol_set_timeout_ms(s->protocol, ANSWER_MS);
    return true;
}

/* Use the Redis that is alive in the state directory @path, else start it. */
static bool find_or_start(struct session *s, const char *path, struct err *err)
{
    static const struct timespec moment = {.tv_nsec = 50000000};
    int64_t deadline = clock_mono_ms() + HOLDER_MS;
    char folder[4096];

    (void)snprintf(folder, sizeof(folder), "%s/redis", path);
    if (access(folder, F_OK) != 0)
        return err_set(err, ERR_NO_JOB, "%s holds no jobs: %s", path,
                       access(path, F_OK) != 0 ? strerror(errno) : "it has no private Redis");
    for (;;) {
        struct err held = {0};

        /* The lock first: a server that answers without a holder is about to end with it. */
        if (state_dir_lock(&s->dir, path, false, &held))
            return open_log(s, err) && start_redis(s, err);
        if (held.kind == ERR_CONFLICT && private_redis_find(&s->redis, path)) {
            s->guest = true;
            s->url = xstrdup(s->redis.url);
            return true;
        }
        if (held.kind != ERR_CONFLICT || clock_mono_ms() > deadline)
            return err_set(err, held.kind, "%s", held.msg);
        (void)nanosleep(&moment, NULL);
    }
}

/* The directory of a guest, without its lock. */
static void note_path(struct session *s, const char *path)
{
    char *real = realpath(path, NULL);

    if (real != NULL && strlen(real) < sizeof(s->dir.path))
        memcpy(s->dir.path, real, strlen(real) + 1);
    free(real);
}

/* Both may be set, one of them in the environment: the nearer one is meant. */
static bool wants_redis(const struct options *o)
{
    return o->redis != NULL &&
           (o->state_dir == NULL || options_origin(o, "redis") >= options_origin(o, "state-dir"));
}

struct session *session_open(const struct options *o, struct err *err)
{
    struct session *s = make();
    bool ok = true;

    if (wants_redis(o))
        s->url = xstrdup(o->redis);
    else if (o->state_dir != NULL)
        ok = find_or_start(s, o->state_dir, err);
    else
        ok = err_set(err, ERR_USAGE, "which Redis? Give --state-dir DIR or --redis URL");
    if (o->state_dir != NULL && s->dir.path[0] == '\0')
        note_path(s, o->state_dir);
    if (ok && connect_redis(s, err))
        return s;
    session_close(s);
    return NULL;
}

/* A reading verb holds it for a moment only; another run for good. */
static bool lock_for_run(struct state_dir *dir, const char *path, struct err *err)
{
    static const struct timespec moment = {.tv_nsec = 50000000};
    int64_t deadline = clock_mono_ms() + READER_MS;

    for (;;) {
        struct err held = {0};

        if (state_dir_lock(dir, path, true, &held))
            return true;
        if (held.kind != ERR_CONFLICT || clock_mono_ms() > deadline)
            return err_set(err, held.kind, "%s", held.msg);
        (void)nanosleep(&moment, NULL);
    }
}

struct session *session_open_for_run(const struct options *o, const char *state_dir,
                                     struct err *err)
{
    struct session *s = make();
    bool ok = lock_for_run(&s->dir, state_dir, err) && open_log(s, err);

    if (ok && o->redis != NULL)
        s->url = xstrdup(o->redis);
    else if (ok)
        ok = start_redis(s, err);
    if (ok && connect_redis(s, err))
        return s;
    session_close(s);
    return NULL;
}

struct event_base *session_base(const struct session *s)
{
    return s->base;
}

struct redis_conn *session_conn(const struct session *s)
{
    return s->conn;
}

struct protocol *session_protocol(const struct session *s)
{
    return s->protocol;
}

const char *session_redis_url(const struct session *s)
{
    return s->url;
}

const char *session_state_dir(const struct session *s)
{
    return s->dir.path[0] != '\0' ? s->dir.path : NULL;
}

bool session_is_guest(const struct session *s)
{
    return s->guest;
}

struct supervisor *session_supervisor(const struct session *s)
{
    return s->supervisor;
}

int session_log_fd(const struct session *s)
{
    return s->log_fd;
}

static void answered(struct question *q, enum protocol_answer answer, const struct err *err)
{
    q->answered = true;
    q->answer = answer;
    if (err != NULL)
        q->err = *err;
    (void)event_base_loopbreak(q->session->base);
}

static void on_view(enum protocol_answer answer, const struct job_view *view, const struct err *err,
                    void *arg)
{
    struct question *q = arg;

    if (answer == PROTOCOL_OK)
        q->view_fn(view, q->arg);
    answered(q, answer, err);
}

static void on_list(enum protocol_answer answer, const struct job_row *rows, size_t count,
                    int64_t now_ms, const struct err *err, void *arg)
{
    struct question *q = arg;

    if (answer == PROTOCOL_OK)
        q->list_fn(rows, count, now_ms, q->arg);
    answered(q, answer, err);
}

/* Waiting for this Redis leads nowhere. Our own may have a lot to load. */
static bool is_hopeless(const struct session *s)
{
    int64_t down_ms = clock_mono_ms() - redis_conn_down_since_ms(s->conn);

    if (redis_conn_last_error(s->conn)->kind == ERR_PERMANENT)
        return true;
    if (s->supervisor == NULL)
        return down_ms > ABSENT_MS;
    return down_ms > LOADING_MS || supervisor_failure(s->supervisor).deaths >= MAX_DEATHS;
}

static void on_look(void *arg)
{
    struct session *s = arg;

    if (redis_conn_is_up(s->conn) || is_hopeless(s))
        (void)event_base_loopbreak(s->base);
    else
        loop_timer_set(s->look, LOOK_MS);
}

static bool wait_until_up(struct session *s, struct err *err)
{
    if (redis_conn_is_up(s->conn))
        return true;
    s->look = loop_timer_new(s->base, on_look, s);
    loop_timer_set(s->look, 0);
    (void)event_base_dispatch(s->base);
    loop_timer_free(s->look);
    if (redis_conn_is_up(s->conn))
        return true;
    const struct err *last = redis_conn_last_error(s->conn);
    return err_set(err, ERR_UNAVAILABLE, "Redis does not answer: %s",
                   last->kind == ERR_NONE ? "no connection in time" : last->msg);
}

/* Run the loop until @q, which was just asked, has its answer. */
static bool wait_for_answer(struct question *q, struct err *err)
{
    while (!q->answered)
        (void)event_base_dispatch(q->session->base);
    if (q->answer != PROTOCOL_FAILED)
        return true;
    if (q->err.kind == ERR_TEMPORARY)
        q->err.kind = ERR_UNAVAILABLE;
    if (err != NULL)
        *err = q->err;
    return err_wrap(err, "Redis");
}

bool session_view(struct session *s, const char *job, session_view_fn fn, void *arg,
                  struct err *err)
{
    struct question q = {.session = s, .view_fn = fn, .arg = arg};

    if (!wait_until_up(s, err))
        return false;
    (void)protocol_job_view(s->protocol, job, on_view, &q);
    if (!wait_for_answer(&q, err))
        return false;
    if (q.answer != PROTOCOL_OK)
        return err_set(err, ERR_NO_JOB, "no job \"%s\"", job);
    return true;
}

bool session_list(struct session *s, session_list_fn fn, void *arg, struct err *err)
{
    struct question q = {.session = s, .list_fn = fn, .arg = arg};

    if (!wait_until_up(s, err))
        return false;
    (void)protocol_job_list(s->protocol, on_list, &q);
    return wait_for_answer(&q, err);
}

static void on_answer(enum protocol_answer answer, const struct err *err, void *arg)
{
    answered(arg, answer, err);
}

bool session_ask(struct session *s, session_start_fn start, void *arg, enum protocol_answer *answer,
                 struct err *err)
{
    struct question q = {.session = s};

    if (!wait_until_up(s, err))
        return false;
    start(s->protocol, on_answer, &q, arg);
    if (!wait_for_answer(&q, err))
        return false;
    *answer = q.answer;
    return true;
}

struct only {
    size_t count;
    char job[JOB_NAME_MAX + 1];
};

/* Of a job that is in the list too: whoever says nothing means that one. */
static bool is_later_round(const struct job_row *rows, size_t count, const char *name)
{
    char job[JOB_NAME_MAX + 1];

    if (job_round_parse(name, job) == 1)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].job, job) == 0)
            return true;
    }
    return false;
}

static void take_only(const struct job_row *rows, size_t count, int64_t now_ms, void *arg)
{
    struct only *only = arg;

    (void)now_ms;
    for (size_t i = 0; i < count; i++) {
        if (is_later_round(rows, count, rows[i].job))
            continue;
        only->count++;
        (void)snprintf(only->job, sizeof(only->job), "%s", rows[i].job);
    }
}

bool session_pick_job(struct session *s, const char *given, char job[JOB_NAME_MAX + 1],
                      struct err *err)
{
    struct only only = {0};

    if (given != NULL && !job_name_is_valid(given))
        return err_set(err, ERR_USAGE, "\"%s\" cannot be a job's name", given);
    if (given != NULL) {
        (void)snprintf(job, JOB_NAME_MAX + 1, "%s", given);
        return true;
    }
    if (!session_list(s, take_only, &only, err))
        return false;
    if (only.count == 0)
        return err_set(err, ERR_NO_JOB, "there is no job");
    if (only.count > 1)
        return err_set(err, ERR_USAGE, "there are %zu jobs: say which", only.count);
    (void)snprintf(job, JOB_NAME_MAX + 1, "%s", only.job);
    return true;
}
