#include "common/loop/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/xmem.h"

struct later {
    loop_fn fn;
    void *arg;
};

struct loop_timer {
    struct event *event;
    loop_fn fn;
    void *arg;
};

struct loop_signals {
    struct event *events[2];
    loop_signal_fn fn;
    void *arg;
};

struct event_base *loop_new(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct event_base *base = event_base_new();

    if (base == NULL)
        log_fatal("event_base_new");
    (void)sigaction(SIGPIPE, &ignore, NULL);
    return base;
}

void loop_free(struct event_base *base)
{
    if (base == NULL)
        return;
    /* libevent 2.1 frees a bufferevent at the next turn, and forgets some that never get it */
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
    struct later later = *(struct later *)arg;

    (void)fd;
    (void)what;
    free(arg);
    later.fn(later.arg);
}

void loop_later(struct event_base *base, loop_fn fn, void *arg)
{
    static const struct timeval at_once = {0};
    struct later *later = xcalloc(1, sizeof(*later));

    later->fn = fn;
    later->arg = arg;
    if (event_base_once(base, -1, EV_TIMEOUT, on_later, later, &at_once) != 0)
        log_fatal("event_base_once");
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *timer = arg;

    (void)fd;
    (void)what;
    timer->fn(timer->arg); /* may have freed the timer */
}

struct loop_timer *loop_timer_new(struct event_base *base, loop_fn fn, void *arg)
{
    struct loop_timer *timer = xcalloc(1, sizeof(*timer));

    timer->fn = fn;
    timer->arg = arg;
    timer->event = evtimer_new(base, on_timer, timer);
    if (timer->event == NULL)
        log_fatal("evtimer_new");
    return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};

    if (evtimer_add(timer->event, &tv) != 0)
        log_fatal("evtimer_add");
}

void loop_timer_stop(struct loop_timer *timer)
{
    (void)evtimer_del(timer->event);
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    event_free(timer->event);
    free(timer);
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
    struct loop_signals *signals = arg;

    (void)what;
    signals->fn((int)signo, signals->arg);
}

struct loop_signals *loop_signals_new(struct event_base *base, loop_signal_fn fn, void *arg)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    struct loop_signals *signals = xcalloc(1, sizeof(*signals));

    signals->fn = fn;
    signals->arg = arg;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        signals->events[i] = evsignal_new(base, numbers[i], on_signal, signals);
        if (signals->events[i] == NULL || evsignal_add(signals->events[i], NULL) != 0)
            log_fatal("cannot watch signal %d", numbers[i]);
    }
    return signals;
}

void loop_signals_free(struct loop_signals *signals)
{
    if (signals == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(signals->events); i++)
        event_free(signals->events[i]);
    free(signals);
}
