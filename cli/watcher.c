#include "cli/watcher.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/protocol/protocol.h"

struct watcher {
    struct protocol *protocol;
    struct protocol_call *call;
    struct loop_timer *timer;
    char job[JOB_NAME_MAX + 1];
    int64_t every_ms;
    watcher_fn fn;
    void *arg;
};

static void on_view(enum protocol_answer answer, const struct job_view *view, const struct err *err,
                    void *arg)
{
    struct watcher *w = arg;
    enum watcher_sight sight = WATCHER_NO_JOB;

    w->call = NULL;
    loop_timer_set(w->timer, w->every_ms);
    if (answer == PROTOCOL_OK)
        sight = WATCHER_JOB;
    else if (answer == PROTOCOL_FAILED)
        sight = err->kind == ERR_TEMPORARY ? WATCHER_SILENT : WATCHER_BROKEN;
    w->fn(sight, view, err, w->arg);
}

static void on_time(void *arg)
{
    struct watcher *w = arg;

    w->call = protocol_job_view(w->protocol, w->job, on_view, w);
}

struct watcher *watcher_new(struct event_base *base, struct protocol *protocol, const char *job,
                            int64_t every_ms, watcher_fn fn, void *arg)
{
    struct watcher *w = xcalloc(1, sizeof(*w));

    w->protocol = protocol;
    w->every_ms = every_ms;
    w->fn = fn;
    w->arg = arg;
    (void)snprintf(w->job, sizeof(w->job), "%s", job);
    w->timer = loop_timer_new(base, on_time, w);
    loop_timer_set(w->timer, 0);
    return w;
}

void watcher_free(struct watcher *w)
{
    if (w == NULL)
        return;
    protocol_call_cancel(w->call);
    loop_timer_free(w->timer);
    free(w);
}
