#ifndef NET_HTTP_HEADER_H
#define NET_HTTP_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "common/net/http_client.h"

/** @reply as it is before a status line: nothing known. */
void http_header_reset(struct http_reply *reply);

/**
 * Take one line of an answer's head: @len bytes, with or without its line end.
 * A status line forgets what an interim answer (RFC 9110 section 15.2) said.
 * Unknown names and values that make no sense are passed over.
 * @now_unix_ms turns a date in Retry-After into a wait.
 */
void http_header_line(struct http_reply *reply, const char *line, size_t len, int64_t now_unix_ms);

#endif
