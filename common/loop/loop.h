#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <stdint.h>

struct event_base;
struct loop_timer;
struct loop_signals;

typedef void (*loop_fn)(void *arg);
typedef void (*loop_signal_fn)(int signo, void *arg);

/**
 * An event base, owned by the caller: free with loop_free(). Makes the process
 * ignore SIGPIPE, because writing to a connection that the peer has closed must
 * be an error, not the end. Aborts when the kernel gives no poller.
 */
struct event_base *loop_new(void);

/**
 * Free everything that uses @base first: the loop turns once more here, without
 * waiting, for what was put off until its next turn. NULL is fine.
 */
void loop_free(struct event_base *base);

/**
 * Run @fn(@arg) once, after the callback that is running now has returned. It
 * cannot be taken back: an object that may go away before uses a loop_timer
 * with 0 ms instead. loop_free() is the last chance to run.
 */
void loop_later(struct event_base *base, loop_fn fn, void *arg);

/** A timer at rest, that will run @fn(@arg). Borrows @base. Free with loop_timer_free(). */
struct loop_timer *loop_timer_new(struct event_base *base, loop_fn fn, void *arg);

/**
 * Run the function once, @ms milliseconds from now (below 0 is 0), always
 * later, never inside this call. A timer already set is moved. The function
 * may set, stop or free its own timer.
 */
void loop_timer_set(struct loop_timer *timer, int64_t ms);

/** Nothing runs until it is set again. */
void loop_timer_stop(struct loop_timer *timer);

/** Stops it first. NULL is fine. */
void loop_timer_free(struct loop_timer *timer);

/**
 * From now on SIGTERM and SIGINT run @fn(signo, @arg) on the loop, each time
 * they come. One at a time in a process. Free with loop_signals_free().
 */
struct loop_signals *loop_signals_new(struct event_base *base, loop_signal_fn fn, void *arg);

/** Gives both signals back to what they did before. NULL is fine. */
void loop_signals_free(struct loop_signals *signals);

#endif
