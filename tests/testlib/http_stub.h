#ifndef TESTLIB_HTTP_STUB_H
#define TESTLIB_HTTP_STUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A tiny HTTP server for tests of clients, in a thread, that does what a script
 * says instead of what HTTP says: answers with raw bytes, cuts them, closes or
 * resets. It handles one connection at a time, in the order they come.
 */

enum http_stub_end {
    STUB_KEEP,  /* keep the connection and read the next request; with no answer: hang */
    STUB_CLOSE, /* close it */
    STUB_RESET, /* close it with a TCP reset */
};

/** What to do with one request: steps are taken in order, one for each request. */
struct http_stub_step {
    bool unread;        /* end at once, without reading a request */
    const char *answer; /* raw bytes, NUL-terminated, from the status line on; NULL: none */
    size_t body_repeat; /* then so many times the byte 'x' */
    int wait_ms;        /* between the answer's halves (head, and the repeated bytes) */
    enum http_stub_end end;
};

/** What was seen of one request. */
struct http_stub_seen {
    char head[4096];     /* request line and headers, NUL-terminated, cut */
    size_t body_len;     /* bytes of body, by Content-Length or chunks as sent */
    uint64_t body_sum;   /* FNV-1a of these bytes */
    char body[512];      /* the first of them, NUL-terminated */
    char body_end[128];  /* the last of them, NUL-terminated */
    unsigned connection; /* 0 for the first connection that was accepted */
};

struct http_stub;

/**
 * Listen on 127.0.0.1 and take the @count steps at @steps (borrowed). After the
 * last one connections are refused with a reset. Fails the test on errors.
 */
struct http_stub *http_stub_start(const struct http_stub_step *steps, size_t count);

/** "http://127.0.0.1:PORT"; lives as long as the stub. */
const char *http_stub_url(const struct http_stub *stub);

/** Requests read completely so far. */
size_t http_stub_count(struct http_stub *stub);

/** A copy of what was seen of request @i; it must be below the count. */
struct http_stub_seen http_stub_seen(struct http_stub *stub, size_t i);

/** FNV-1a, to compare with body_sum: start with @sum 0. */
uint64_t http_stub_sum(uint64_t sum, const void *bytes, size_t len);

/** End the thread and free. NULL is fine. */
void http_stub_stop(struct http_stub *stub);

#endif
