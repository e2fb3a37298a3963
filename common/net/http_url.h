#ifndef NET_HTTP_URL_H
#define NET_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

/**
 * True when scheme, host and port are equal (RFC 6454), a missing port being
 * the scheme's own. Keys may be sent to the same origin only. False also when
 * either is not an http or https URL.
 */
bool http_url_same_origin(const char *a, const char *b);

/**
 * The absolute URL that @location, as sent in a redirect by @base, points to
 * (RFC 3986 section 5), into @out. False with ERR_PERMANENT when it is no
 * http or https URL or does not fit.
 */
MUST_CHECK bool http_resolve_location(const char *base, const char *location, char *out,
                                      size_t size, struct err *err);

#endif
