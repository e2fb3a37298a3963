#include "common/net/http_header.h"

#include <ctype.h>
#include <curl/curl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/attr.h"

/* Longer hints are cut: nobody means to wait for more than 30 days. */
static const double max_wait_ms = 30.0 * 86400e3;

typedef void (*value_fn)(struct http_reply *reply, const char *value, int64_t now_unix_ms);

/* What does not fit is left out: half an address would be another one. */
static void keep(char *out, size_t size, const char *value)
{
    size_t len = strlen(value);

    if (len < size)
        memcpy(out, value, len + 1);
}

static void take_location(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    (void)now_unix_ms;
    keep(reply->location, sizeof(reply->location), value);
}

static void take_request_id(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    (void)now_unix_ms;
    keep(reply->request_id, sizeof(reply->request_id), value);
}

static void take_content_type(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    (void)now_unix_ms;
    keep(reply->content_type, sizeof(reply->content_type), value);
}

static void take_content_encoding(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    (void)now_unix_ms;
    keep(reply->content_encoding, sizeof(reply->content_encoding), value);
}

/* Digits at *@text, which moves behind them; -1 when there are none or too many. */
static int64_t digits(const char **text)
{
    const char *at = *text;
    int64_t n = 0;

    while (*at >= '0' && *at <= '9' && at - *text < 18)
        n = n * 10 + (*at++ - '0');
    if (at == *text || (*at >= '0' && *at <= '9'))
        return -1;
    *text = at;
    return n;
}

static void take_content_length(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    int64_t n = digits(&value);

    (void)now_unix_ms;
    if (*value == '\0')
        reply->content_length = n;
}

/* bytes FIRST-LAST/TOTAL, bytes FIRST-LAST/STAR, bytes STAR/TOTAL (RFC 9110 section 14.4) */
static void take_content_range(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    int64_t first = -1, last = -1, total = -1;

    (void)now_unix_ms;
    if (strncasecmp(value, "bytes ", 6) != 0)
        return;
    value += 6;
    if (*value == '*') {
        value++;
    } else {
        first = digits(&value);
        if (first < 0 || *value++ != '-')
            return;
        last = digits(&value);
        if (last < first)
            return;
    }
    if (*value++ != '/')
        return;
    if (strcmp(value, "*") != 0) {
        total = digits(&value);
        if (total <= last || *value != '\0')
            return;
    }
    reply->range_start = first;
    reply->range_total = total;
}

/* A number without a sign, to the end of the text; below 0 when it is none. */
static double plain_number(const char *value)
{
    char *end = NULL;

    if (strspn(value, "0123456789.") != strlen(value) || *value == '\0')
        return -1;
    double n = strtod(value, &end);
    return *end == '\0' && isfinite(n) ? n : -1;
}

static int64_t wait_ms(double ms)
{
    return (int64_t)ceil(ms < max_wait_ms ? ms : max_wait_ms);
}

static void take_retry_after_ms(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    double ms = plain_number(value);

    (void)now_unix_ms;
    if (ms >= 0)
        reply->retry_after_ms = wait_ms(ms);
}

static void take_retry_after(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    double seconds = plain_number(value);

    if (seconds < 0) {
        time_t at = curl_getdate(value, NULL);
        if (at == (time_t)-1)
            return;
        seconds = ((double)at * 1000.0 - (double)now_unix_ms) / 1000.0;
        if (seconds < 0)
            seconds = 0;
    }
    reply->retry_after_ms = wait_ms(seconds * 1000.0);
}

static void take_date(struct http_reply *reply, const char *value, int64_t now_unix_ms)
{
    time_t at = curl_getdate(value, NULL);

    (void)now_unix_ms;
    if (at != (time_t)-1)
        reply->date_ms = (int64_t)at * 1000;
}

static const struct {
    const char *name;
    value_fn take;
} known[] = {
    {"content-encoding", take_content_encoding},
    {"content-length",   take_content_length  },
    {"content-range",    take_content_range   },
    {"content-type",     take_content_type    },
    {"date",             take_date            },
    {"location",         take_location        },
    {"retry-after-ms",   take_retry_after_ms  },
    {"retry-after",      take_retry_after     },
    {"x-request-id",     take_request_id      },
};

/* Of limits and retries. They are many, and each vendor's own: kept as they come. */
static bool is_hint(const char *name)
{
    static const char rate[] = "x-ratelimit-";

    return strncasecmp(name, rate, sizeof(rate) - 1) == 0 ||
           strcasecmp(name, "x-should-retry") == 0;
}

static char lower(char c)
{
    return (char)tolower((unsigned char)c);
}

static void take_hint(struct http_reply *reply, const char *name, const char *value)
{
    size_t used = strlen(reply->hints);
    size_t need = strlen(name) + strlen(value) + sizeof(": \n");

    if (!is_hint(name) || used + need > sizeof(reply->hints))
        return;
    for (; *name != '\0'; name++)
        reply->hints[used++] = lower(*name);
    (void)snprintf(reply->hints + used, sizeof(reply->hints) - used, ": %s\n", value);
}

void http_header_reset(struct http_reply *reply)
{
    *reply = (struct http_reply){.body = "",
                                 .content_length = -1,
                                 .range_start = -1,
                                 .range_total = -1,
                                 .retry_after_ms = -1,
                                 .date_ms = -1};
}

/* "HTTP/1.1 200 OK" */
static void take_status(struct http_reply *reply, const char *line)
{
    const char *blank = strchr(line, ' ');

    http_header_reset(reply);
    if (blank != NULL)
        reply->status = strtol(blank, NULL, 10);
}

static void take_header(struct http_reply *reply, char *line, int64_t now_unix_ms)
{
    char *colon = strchr(line, ':');

    if (colon == NULL)
        return;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        bool precise_known = reply->retry_after_ms >= 0 && known[i].take == take_retry_after;

        if (strcasecmp(line, known[i].name) == 0 && !precise_known)
            known[i].take(reply, value, now_unix_ms);
    }
    take_hint(reply, line, value);
}

void http_header_line(struct http_reply *reply, const char *line, size_t len, int64_t now_unix_ms)
{
    char text[4096];

    while (len != 0 && strchr("\r\n \t", line[len - 1]) != NULL)
        len--;
    if (len >= sizeof(text))
        return;
    memcpy(text, line, len);
    text[len] = '\0';
    if (strncmp(text, "HTTP/", 5) == 0)
        take_status(reply, text);
    else
        take_header(reply, text, now_unix_ms);
}
