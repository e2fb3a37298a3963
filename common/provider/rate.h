#ifndef PROVIDER_RATE_H
#define PROVIDER_RATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The headers by which providers tell how much may still be sent:
 * x-ratelimit-remaining-requests, x-ratelimit-reset-requests, the same for
 * tokens, and x-should-retry (OpenAI rate limits guide; openai-python
 * _base_client.py). Pure.
 */

/** One rate. */
struct rate_left {
    int64_t remaining; /* -1: not told */
    int64_t reset_ms;  /* until some is there again; -1: not told */
};

struct rate_headers {
    struct rate_left requests;
    struct rate_left tokens;
    bool no_repeat; /* x-should-retry: false */
};

/**
 * Read @lines: "name: value\n" each, names in lower case, as http_reply.hints
 * has them. What is missing or makes no sense is not told. The first of two
 * equal names counts.
 */
void rate_headers_read(const char *lines, struct rate_headers *out);

/**
 * Milliseconds of "6m0s", "20ms", "1.5s", "1h30m", "0s", or of a plain number of
 * seconds; rounded up. -1 when it is none, negative, or longer than 30 days.
 */
int64_t rate_duration_ms(const char *text);

#endif
