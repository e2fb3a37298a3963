#ifndef REDIS_REDIS_URL_H
#define REDIS_REDIS_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum redis_transport { REDIS_TCP, REDIS_TLS, REDIS_UNIX };

/** Where a Redis is. Plain data; copy it freely. Do not print @password. */
struct redis_url {
    enum redis_transport transport;
    char host[256];     /* TCP and TLS; an IPv6 address is without its brackets */
    uint16_t port;      /* TCP and TLS; 6379 when none is given */
    char path[108];     /* UNIX: the path of the socket */
    char user[128];     /* "": none */
    char password[512]; /* "": none */
    unsigned db;        /* number for SELECT */
};

/**
 * Understands
 *     redis://[[user]:password@]host[:port][/db]     (redis://password@host too)
 *     rediss://...                                   the same over TLS
 *     unix:///path/to.sock[?db=N]   unix:/path/to.sock[?db=N]
 * User and password may be %-escaped. False with ERR_USAGE otherwise; no
 * message shows the password, or any part of a text that could hold one.
 */
MUST_CHECK bool redis_url_parse(const char *text, struct redis_url *url, struct err *err);

/** Write the URL without user and password, cut if longer than @size, into @out. */
void redis_url_print(const struct redis_url *url, char *out, size_t size);

#endif
