#ifndef REDIS_REDIS_TLS_H
#define REDIS_REDIS_TLS_H

#include <stddef.h>

#include "common/base/err.h"

struct bufferevent;
struct event_base;
struct redis_tls;

/**
 * What TLS connections share: the system's certificate authorities (or those of
 * SSL_CERT_FILE and SSL_CERT_DIR), TLS 1.2 at least. Free with redis_tls_free().
 */
struct redis_tls *redis_tls_new(void);

/** NULL is fine. */
void redis_tls_free(struct redis_tls *tls);

/**
 * A bufferevent, not connected yet, that will speak TLS and accept only a
 * certificate for @host (a name or an address). Owned by the caller. NULL with
 * @err on failure.
 */
struct bufferevent *redis_tls_socket(struct redis_tls *tls, struct event_base *base,
                                     const char *host, struct err *err);

/** Why TLS failed on @bev, into @out; "" when it was not TLS that failed. */
void redis_tls_reason(struct bufferevent *bev, char *out, size_t size);

#endif
