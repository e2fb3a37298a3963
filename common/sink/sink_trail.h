#ifndef SINK_SINK_TRAIL_H
#define SINK_SINK_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/sink/sink.h"

/*
 * The trail of a job: one immutable file for each thing that somebody did to it,
 * written before it is done:
 *
 *     trail/1795548000123-x7k2m9qa.json
 *     {"version":1,"at":"2026-11-24T19:20:00.123Z","at_ms":1795548000123,"who":"ann@host1",
 *      "pid":4711,"verb":"pause","what":{"remote_batches":3}}
 *
 * Times are this host's wall clock, for people: nothing is decided by them.
 * Names sort by time. No entry ever holds a secret.
 */

/** Version of an entry. Change the layout, raise the number, keep the old reader. */
#define SINK_TRAIL_VERSION 1

/** The folder of the entries, in a job's folder and beside the jobs' folders. */
#define SINK_TRAIL_FOLDER "trail"

/** Most bytes of one entry. */
#define SINK_TRAIL_MAX 65536u

/** Who runs this process, and where. For people. */
struct sink_trail_actor {
    char user[64]; /* name, or "uid 1000" where it has none */
    char host[64]; /* "?" when it is not known */
};

void sink_trail_actor(struct sink_trail_actor *actor);

/**
 * Note that @verb is about to be done to the job of @sink, by whom and when. @what
 * is a JSON object: the arguments that matter, and numbers; NULL for none. Fails
 * as sink_publish() does; ERR_INTERNAL when @what is too large.
 */
MUST_CHECK bool sink_trail_add(struct sink *sink, const char *verb, const char *what,
                               struct err *err);

/**
 * The same at @url, beside the jobs' folders: for what takes a job's folder
 * away. @url must exist (ERR_UNAVAILABLE).
 */
MUST_CHECK bool sink_trail_add_beside(const char *url, const char *verb, const char *what,
                                      struct err *err);

/** One entry. Borrowed. */
struct sink_trail_entry {
    const char *at; /* "2026-11-24T19:20:00.123Z" */
    int64_t at_ms;
    const char *who; /* "ann@host1" */
    int64_t pid;
    const char *verb; /* "?": the entry cannot be read, only its name is known */
    const char *what; /* JSON object */
};

/** Called once for each entry, the oldest first; false stops with @err as set. */
typedef bool (*sink_trail_fn)(const struct sink_trail_entry *entry, void *arg, struct err *err);

/** Read the trail of the job. A job without one is fine. */
MUST_CHECK bool sink_trail_read(struct sink *sink, sink_trail_fn fn, void *arg, struct err *err);

/**
 * Append the trail of the job as a JSON array of the newest @max entries (0: all), the oldest
 * first, without their version. ERR_PERMANENT past the limit of @out.
 */
MUST_CHECK bool sink_trail_put_json(struct sink *sink, size_t max, struct buf *out,
                                    struct err *err);

/** Read the trail that lies at @url beside the jobs' folders. */
MUST_CHECK bool sink_trail_read_beside(const char *url, sink_trail_fn fn, void *arg,
                                       struct err *err);

#endif
