#ifndef REDIS_REDIS_LINK_H
#define REDIS_REDIS_LINK_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/redis/redis_reply.h"
#include "common/redis/redis_url.h"

struct event_base;
struct redis_dialer;
struct redis_link;

/** What happens on a link. All run on the loop, never inside a call; each may close the link. */
struct redis_link_events {
    void (*connected)(void *arg);
    void (*reply)(const struct redis_reply *reply, void *arg); /* borrowed */
    void (*lost)(const struct err *why, void *arg);            /* once, last; close it still */
};

/** What tries to connect to one place share: names and TLS. Free with redis_dialer_free(). */
struct redis_dialer *redis_dialer_new(struct event_base *base, const struct redis_url *url);

/** Close its links first. NULL is fine. */
void redis_dialer_free(struct redis_dialer *dialer);

/**
 * Start one connection. No time limit: close it to give up. NULL with @err when
 * it fails at once. @events is borrowed. Free with redis_link_close().
 */
struct redis_link *redis_dial(struct redis_dialer *dialer, const struct redis_link_events *events,
                              void *arg, struct err *err);

/** Send @bytes, made by redis_codec_format() and taken, once connected. */
void redis_link_send(struct redis_link *link, char *bytes, size_t len);

/** No event from now on. Safe inside events. NULL is fine. */
void redis_link_close(struct redis_link *link);

#endif
