#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/config/options.h"
#include "common/protocol/protocol.h"
#include "common/provider/provider.h"

struct event_base;
struct http_client;
struct loop_signals;
struct redis_conn;

/**
 * What sheaf-coordinator and sheaf-worker are made of: settings, the loop, Redis and the
 * protocol on it, one provider. Members are read-only for everybody else.
 */
struct daemon {
    const char *name;
    struct options options;
    struct event_base *base;
    struct loop_signals *signals;
    void (*stop)(void *arg); /* of daemon_run(); NULL once it has run */
    void *stop_arg;
    struct redis_conn *redis;
    struct protocol *protocol;
    struct http_client *http;
    struct provider_profile_box profile_box;
    const struct provider_profile *profile; /* in the box */
    struct provider_limits limits;          /* as they hold at the address that is served */
    struct provider *provider;
    int64_t pause_until_ms;     /* monotonic: nothing is submitted before; see daemon_paused_ms() */
    bool site_told;             /* something was noted of the provider, and ... */
    enum site_state site_state; /* ... this was the last */
};

/**
 * Read settings and key, connect. On false *@exit_code is what the process
 * ends with (0 after --help) and everything is released; the message has been
 * written. daemon_close() releases.
 */
MUST_CHECK bool daemon_open(struct daemon *d, const char *name, const char *purpose, int argc,
                            char *const *argv, int *exit_code);
void daemon_close(struct daemon *d);

/**
 * Serve until SIGTERM or SIGINT. Then @stop(@arg) runs, and the loop turns for a
 * moment longer, so that what it has sent goes out. A second signal ends at once.
 */
void daemon_run(struct daemon *d, void (*stop)(void *arg), void *arg);

/**
 * Redis was rolled back: leases that it has forgotten may still be acted on by
 * their holders. Two lease times are enough for them to notice.
 */
void daemon_pause(struct daemon *d);

/** How long nothing may be submitted yet; 0: it may. */
int64_t daemon_paused_ms(const struct daemon *d);

/** The site that is served. */
const char *daemon_site(const struct daemon *d);

/**
 * Take a turn for a call that the provider limits in number: @done as for protocol_rate_take().
 * Where no limit is published, only what it says itself (daemon_slow_down()) makes anybody wait.
 */
struct protocol_call *daemon_take_turn(struct daemon *d, enum protocol_rate rate,
                                       protocol_rate_fn done, void *arg);

/** The provider asks for fewer calls of a kind: nobody's next turn comes within @ms. */
void daemon_slow_down(struct daemon *d, enum protocol_rate rate, int64_t ms);

/**
 * Tell everybody what a call showed of the provider: it answers (@error NULL or
 * a clear no), does not, or refuses the key. Writes to Redis on changes only.
 */
void daemon_note_provider(struct daemon *d, const struct provider_error *error);

#endif
