#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct event_base;
struct http_client;
struct http_exchange;

enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE };

/** What is known about an exchange when it is over. */
enum http_outcome {
    HTTP_ANSWERED, /* a whole answer, of any status */
    HTTP_NOT_SENT, /* no address, connection or TLS: surely nothing reached the server */
    HTTP_UNKNOWN,  /* sent, at least in part, but no whole answer */
    HTTP_ABORTED,  /* given up here: on_body said so, the body is too large, a part is unreadable */
};

/** What the server has answered so far. Borrowed: valid only inside the callback. */
struct http_reply {
    long status;               /* e.g. 200; 0 while there is none */
    const char *body;          /* collected body, NUL-terminated; "" when there is none */
    size_t body_len;           /* bytes, without that NUL */
    int64_t content_length;    /* -1: not given */
    int64_t range_start;       /* Content-Range: first byte; -1: not given */
    int64_t range_total;       /* Content-Range: size of the whole; -1: not given, or "*" */
    int64_t retry_after_ms;    /* retry-after-ms, else Retry-After in any form; -1: none */
    int64_t date_ms;           /* Date, unix milliseconds; -1: none */
    char location[2048];       /* "": none, or longer than this */
    char request_id[128];      /* x-request-id; "": none */
    char content_type[128];    /* "": none */
    char content_encoding[32]; /* "": none. Bodies are handed on as they come, never decoded */
    char hints[512]; /* x-ratelimit-* and x-should-retry: "name: value\n" each, the name in
                        lower case; what does not fit is left out */
};

enum http_body_verdict {
    HTTP_BODY_OK,    /* taken */
    HTTP_BODY_PAUSE, /* nothing taken: the same bytes come again after http_resume() */
    HTTP_BODY_ABORT, /* end the exchange as HTTP_ABORTED */
};

/** Status and headers are known; runs once, before the first byte of the body. */
typedef void (*http_headers_fn)(const struct http_reply *reply, void *arg);

/** The next bytes of the body. */
typedef enum http_body_verdict (*http_body_fn)(const char *bytes, size_t len, void *arg);

/**
 * The exchange is over. @reply is never NULL; after HTTP_UNKNOWN and
 * HTTP_ABORTED it has what came before the end. @err is ERR_NONE after
 * HTTP_ANSWERED, ERR_PERMANENT after HTTP_ABORTED, else ERR_TEMPORARY; its
 * message names the host and what went wrong, never a header.
 */
typedef void (*http_done_fn)(enum http_outcome outcome, const struct http_reply *reply,
                             const struct err *err, void *arg);

/** One part of a multipart/form-data body. Either text (@text) or a piece of a file (@fd). */
struct http_part {
    const char *name;
    const char *text;         /* NUL-terminated, copied; NULL: from @fd */
    int fd;                   /* read with pread(), so its position does not matter; borrowed until
                                 done has run or http_cancel() has returned */
    int64_t offset;           /* first byte */
    int64_t size;             /* bytes; a file that ends before ends the exchange as HTTP_ABORTED */
    const char *filename;     /* NULL: none */
    const char *content_type; /* NULL: none */
};

/** Zero-initialise and fill. Everything is copied by http_start(), but @fd of parts. */
struct http_request {
    enum http_method method;
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value"; values are never logged */
    size_t header_count;
    const char *body; /* POST; its Content-Type comes from @headers, there is no default */
    size_t body_len;
    const struct http_part *parts; /* POST: instead of @body */
    size_t part_count;
    bool fresh;      /* a connection of its own: libcurl sends again, unasked, when a kept one
                        turns out dead. Set it for what must not reach the server twice */
    long timeout_ms; /* whole exchange; 0: none */
    long connect_timeout_ms;    /* address, connection and TLS; 0: 30 s */
    long low_speed_bytes_s;     /* end it when slower than this ... */
    long low_speed_s;           /* ... for so many seconds; 0: never */
    size_t max_body_bytes;      /* largest body collected; 0: 1 MiB */
    http_headers_fn on_headers; /* NULL: none */
    http_body_fn on_body;       /* takes the body of a 2xx answer instead of collecting it; other
                                   answers are collected all the same. NULL: collect */
    http_done_fn done;
    void *arg; /* for the three callbacks */
};

/** Borrows @base. Free with http_client_free(). */
struct http_client *http_client_new(struct event_base *base);

/** Drops exchanges under way without a callback. Safe inside callbacks. NULL is fine. */
void http_client_free(struct http_client *client);

/**
 * Start an exchange. Callbacks run on the loop, never inside this call;
 * done runs exactly once, last, unless the exchange is cancelled or the client
 * freed. Redirects are not followed. A body without Content-Length that is not
 * chunked ends where the connection does: whether it is whole cannot be known.
 * Proxies come from the environment, never for the local host.
 * NULL with ERR_USAGE when the URL or a header cannot be used.
 * The handle is valid until done returns.
 */
struct http_exchange *http_start(struct http_client *client, const struct http_request *request,
                                 struct err *err);

/** Go on after HTTP_BODY_PAUSE. on_body runs later, not inside this call. */
void http_resume(struct http_exchange *exchange);

/**
 * No callback from now on; what was sent may still be acted upon. Safe inside
 * any callback of this client, also its own. NULL is fine.
 */
void http_cancel(struct http_exchange *exchange);

#endif
