#include "cli/following.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/core/sample.h"
#include "cli/display.h"
#include "cli/operator.h"
#include "cli/session.h"
#include "cli/watcher.h"
#include "common/base/clock.h"
#include "common/loop/loop.h"
#include "common/redis/redis_conn.h"

#define EVERY_MS  500
#define REOPEN_MS 1000 /* a private Redis that is gone may have been started by somebody else */

enum outcome { GOES_ON, ENDED, HELD, NO_JOB, TIMED_OUT, LOST, BROKEN };

struct following {
    struct session *session;
    struct display *display;
    const char *job;
    enum outcome outcome;
    bool some_failed;
    bool was_seen;       /* also before the Redis was lost */
    int64_t deadline_ms; /* 0: none */
    int64_t lost_ms;     /* since when Redis gives no answer, 0: it does */
    int64_t give_up_ms;
    struct err err;
    struct loop_timer *timer;
};

static void end(struct following *f, enum outcome outcome)
{
    f->outcome = outcome;
    (void)event_base_loopbreak(session_base(f->session));
}

/* Nothing will move before somebody gives more money. */
static void hold(struct following *f, const struct job_view *view)
{
    (void)err_set(&f->err, ERR_PERMANENT, "the spend cap is reached: %s", view->why);
    end(f, HELD);
}

static void on_look(enum watcher_sight sight, const struct job_view *view, const struct err *err,
                    void *arg)
{
    struct following *f = arg;

    switch (sight) {
    case WATCHER_JOB:
        f->was_seen = true;
        f->lost_ms = 0;
        display_show(f->display, view, NULL);
        f->some_failed = sample_failed(view) > 0;
        if (view->state == JOB_FINAL)
            end(f, ENDED);
        else if (strcmp(view->hold, "budget") == 0 && view->batches_alive == 0)
            hold(f, view);
        break;
    case WATCHER_NO_JOB: end(f, NO_JOB); break;
    case WATCHER_SILENT: break; /* on_tick() sees to it */
    case WATCHER_BROKEN:
        f->err = *err;
        end(f, BROKEN);
        break;
    }
}

static void on_tick(void *arg)
{
    struct following *f = arg;
    struct redis_conn *conn = session_conn(f->session);
    int64_t now_ms = clock_mono_ms();

    loop_timer_set(f->timer, EVERY_MS / 2);
    if (f->deadline_ms != 0 && now_ms >= f->deadline_ms) {
        end(f, TIMED_OUT);
        return;
    }
    if (redis_conn_is_up(conn))
        return;
    display_state(f->display, "waiting: no answer from Redis");
    if (f->lost_ms == 0)
        f->lost_ms = now_ms;
    bool over = now_ms - f->lost_ms > f->give_up_ms;
    bool refused = redis_conn_last_error(conn)->kind == ERR_PERMANENT;
    bool deserted =
        session_is_guest(f->session) && now_ms - redis_conn_down_since_ms(conn) > REOPEN_MS;
    if (over || refused || deserted) {
        f->err = *redis_conn_last_error(conn);
        if (refused || over)
            f->err.kind = ERR_UNAVAILABLE;
        end(f, LOST);
    }
}

/* One connection's worth of looking. */
static void look(struct following *f)
{
    struct watcher *watcher;

    f->outcome = GOES_ON;
    watcher = watcher_new(session_base(f->session), session_protocol(f->session), f->job, EVERY_MS,
                          on_look, f);
    f->timer = loop_timer_new(session_base(f->session), on_tick, f);
    loop_timer_set(f->timer, EVERY_MS);
    while (f->outcome == GOES_ON)
        (void)event_base_dispatch(session_base(f->session));
    loop_timer_free(f->timer);
    watcher_free(watcher);
}

/* Who held the private Redis is gone: find or start it anew. */
static bool reopen(struct following *f, const struct options *o)
{
    static const struct timespec moment = {.tv_nsec = 500000000};

    while (f->lost_ms != 0 && clock_mono_ms() - f->lost_ms <= f->give_up_ms) {
        if (f->deadline_ms != 0 && clock_mono_ms() >= f->deadline_ms) {
            f->outcome = TIMED_OUT;
            return false;
        }
        f->session = session_open(o, &f->err);
        if (f->session != NULL)
            return true;
        if (f->err.kind != ERR_CONFLICT)
            return false;
        (void)nanosleep(&moment, NULL);
    }
    return false;
}

static int conclude(const struct following *f, const struct invocation *call)
{
    char message[128];

    switch (f->outcome) {
    case ENDED: return f->some_failed ? EXIT_CODE_SOME_FAILED : EXIT_CODE_OK;
    case HELD:
        return verb_fail_with(
            call, EXIT_CODE_BUDGET, f->err.msg,
            "the same `sheaf submit` or `sheaf run` with a higher --max-cost goes on");
    case NO_JOB:
        (void)snprintf(message, sizeof(message), "no job \"%s\"", f->job);
        return verb_fail_with(call, EXIT_CODE_NO_JOB, message, "`sheaf list` shows the jobs");
    case TIMED_OUT:
        return verb_fail_with(call, EXIT_CODE_NOT_YET, "the job has not ended in time",
                              "it goes on; wait again when you like");
    case GOES_ON:
    case LOST:
    case BROKEN: break;
    }
    return verb_fail(call, &f->err, NULL);
}

static int follow(struct following *f, const struct invocation *call)
{
    for (;;) {
        look(f);
        if (f->outcome != LOST || f->err.kind == ERR_UNAVAILABLE)
            break;
        session_close(f->session);
        f->session = NULL;
        if (!reopen(f, &call->options))
            break;
    }
    display_hide(f->display);
    return conclude(f, call);
}

int following_run(const struct invocation *call, const char *job, enum option_progress form,
                  int64_t timeout_ms)
{
    const struct options *o = &call->options;
    char name[JOB_NAME_MAX + 1];
    struct following f = {.job = name, .give_up_ms = o->give_up_ms};
    int code;

    if (timeout_ms > 0)
        f.deadline_ms = clock_mono_ms() + timeout_ms;
    f.session = session_open(o, &f.err);
    if (f.session == NULL || !session_pick_job(f.session, job, name, &f.err)) {
        session_close(f.session);
        return verb_fail(call, &f.err, NULL);
    }
    if (!operator_catch_up_with(f.session, name, &f.err))
        f.err = (struct err){0}; /* the watcher says what Redis knows */
    f.display = display_new(call->people, o->quiet ? PROGRESS_NONE : form, name);
    code = follow(&f, call);
    display_free(f.display);
    session_close(f.session);
    return code;
}
