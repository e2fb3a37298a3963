#ifndef CLI_WATCHER_H
#define CLI_WATCHER_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/model/job_view.h"

struct event_base;
struct protocol;

/** Looks at one job again and again. */
struct watcher;

enum watcher_sight {
    WATCHER_JOB,    /* @view is what it is now */
    WATCHER_NO_JOB, /* Redis knows none of that name */
    WATCHER_SILENT, /* no answer this time */
    WATCHER_BROKEN, /* an answer that says that a record is broken: @err */
};

/**
 * The result of one look; borrowed. @view for WATCHER_JOB, @err for SILENT and
 * BROKEN, else NULL. May stop the loop, must not free the watcher.
 */
typedef void (*watcher_fn)(enum watcher_sight sight, const struct job_view *view,
                           const struct err *err, void *arg);

/**
 * Look at once and then @every_ms after each answer. Borrows @base and @protocol;
 * copies @job. Free with watcher_free() before the protocol.
 */
struct watcher *watcher_new(struct event_base *base, struct protocol *protocol, const char *job,
                            int64_t every_ms, watcher_fn fn, void *arg);

/** NULL is fine. */
void watcher_free(struct watcher *w);

#endif
