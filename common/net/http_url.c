#include "common/net/http_url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One URL in its parts. Free with origin_release(). */
struct origin {
    CURLU *url;
    char *scheme, *host, *port;
};

static void origin_release(struct origin *o)
{
    curl_free(o->scheme);
    curl_free(o->host);
    curl_free(o->port);
    curl_url_cleanup(o->url);
}

static bool is_http(const char *scheme)
{
    return strcasecmp(scheme, "http") == 0 || strcasecmp(scheme, "https") == 0;
}

/* Release it in either case. */
static bool origin_of(const char *text, struct origin *o)
{
    o->url = curl_url();
    return o->url != NULL && curl_url_set(o->url, CURLUPART_URL, text, 0) == CURLUE_OK &&
           curl_url_get(o->url, CURLUPART_SCHEME, &o->scheme, 0) == CURLUE_OK &&
           curl_url_get(o->url, CURLUPART_HOST, &o->host, 0) == CURLUE_OK &&
           curl_url_get(o->url, CURLUPART_PORT, &o->port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           is_http(o->scheme);
}

bool http_url_same_origin(const char *a, const char *b)
{
    struct origin left = {0}, right = {0};
    bool same = origin_of(a, &left) && origin_of(b, &right) &&
                strcasecmp(left.scheme, right.scheme) == 0 &&
                strcasecmp(left.host, right.host) == 0 && strcmp(left.port, right.port) == 0;

    origin_release(&left);
    origin_release(&right);
    return same;
}

bool http_resolve_location(const char *base, const char *location, char *out, size_t size,
                           struct err *err)
{
    struct origin o = {0};
    char *text = NULL;
    bool ok = false;

    /* Setting a relative URL on a parsed one resolves it. */
    if (!origin_of(base, &o) || location[0] == '\0' ||
        curl_url_set(o.url, CURLUPART_URL, location, 0) != CURLUE_OK ||
        curl_url_get(o.url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        err_set(err, ERR_PERMANENT, "the redirect leads to no URL");
    else if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
        err_set(err, ERR_PERMANENT, "the redirect leads away from http and https");
    else if (strlen(text) >= size)
        err_set(err, ERR_PERMANENT, "the redirect leads to a URL of %zu bytes", strlen(text));
    else
        ok = true;
    if (ok)
        memcpy(out, text, strlen(text) + 1);
    curl_free(text);
    origin_release(&o);
    return ok;
}
