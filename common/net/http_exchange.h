#ifndef NET_HTTP_EXCHANGE_H
#define NET_HTTP_EXCHANGE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/net/http_client.h"

/* One request and its answer as libcurl sees them; http_client.c drives them. */

/** A piece of a file that libcurl reads as it sends. */
struct http_source {
    struct http_exchange *exchange;
    int fd;
    int64_t offset, size, at;
};

struct http_exchange {
    TAILQ_ENTRY(http_exchange) entry; /* all of a client */
    TAILQ_ENTRY(http_exchange) due_entry;
    struct http_client *client;
    bool in_due; /* waits for the next turn of the loop */
    bool added;  /* libcurl works on it */
    bool resume; /* wanted */
    bool over;   /* cancelled, or done has begun: no callback any more */
    CURL *easy;
    struct curl_slist *headers;
    curl_mime *mime;
    struct http_source *sources;
    char label[300]; /* "POST host", for messages */
    char curl_message[CURL_ERROR_SIZE];
    struct http_reply reply;
    struct buf body;
    bool headers_told;
    bool aborted; /* by us, because of @abort_error */
    struct err abort_error;
    http_headers_fn on_headers;
    http_body_fn on_body;
    http_done_fn done;
    void *arg;
};

/** Ready for curl_multi_add_handle(); NULL with @err. Free with http_exchange_free(). */
struct http_exchange *http_exchange_new(const struct http_request *request, struct err *err);

/** libcurl has ended it with @code: call back, unless it is over. */
void http_exchange_end(struct http_exchange *x, CURLcode code);

/** Must not be with a multi handle any more. */
void http_exchange_free(struct http_exchange *x);

#endif
