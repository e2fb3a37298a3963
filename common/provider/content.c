/*
 * Downloads. A server may honour the range, ignore it, point elsewhere, or stop
 * in the middle; the receiver sees one run of bytes from its offset on, or an
 * error that says which of its bytes are good.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/net/http_url.h"
#include "common/provider/call.h"
#include "common/provider/pick.h"
#include "common/provider/provider.h"

#define IDLE_S           60
#define ERROR_MAX_BYTES  ((size_t)8 << 20)
#define ERROR_TEXT_BYTES 4096
#define REDIRECTS_MAX    3

/* Run after a callback that may have cancelled @call; false when it did: @call is gone. */
static bool still_there(struct provider_call *call)
{
    call->busy = false;
    if (call->provider != NULL)
        return true;
    call_free(call);
    return false;
}

/* A range that is not the one asked for would be spliced into the wrong place. */
static void read_range(struct content *c, const struct http_reply *reply)
{
    if (reply->range_start < 0)
        c->broken = "HTTP 206 without a Content-Range";
    else if ((uint64_t)reply->range_start != c->offset)
        c->broken = "another range than the one asked for";
    c->total = reply->range_total;
    if (c->total < 0 && reply->content_length >= 0)
        c->total = reply->range_start + reply->content_length;
}

/* False when the answer is no content. */
static bool read_headers(struct content *c, const struct http_reply *reply)
{
    if (reply->status == 206) {
        read_range(c, reply);
    } else if (reply->status >= 200 && reply->status < 300) {
        if (reply->content_encoding[0] != '\0' &&
            strcasecmp(reply->content_encoding, "identity") != 0)
            c->broken = "the file came encoded, although nobody asked for it";
        c->skip = c->offset;
        c->total = reply->content_length;
    } else if (reply->status == 416 && reply->range_total >= 0 &&
               (uint64_t)reply->range_total == c->offset) {
        c->at_end = true;
        c->total = reply->range_total;
    } else {
        return false;
    }
    return true;
}

/* False when the receiver has cancelled: @call is gone. */
static bool tell_size(struct provider_call *call)
{
    struct content *c = call->content;

    if (c->size_told)
        return true;
    c->size_told = true;
    if (c->sink.on_size == NULL)
        return true;
    call->busy = true;
    c->sink.on_size(c->total, call->arg);
    return still_there(call);
}

static void on_headers(const struct http_reply *reply, void *arg)
{
    struct provider_call *call = arg;
    struct content *c = call->content;

    if (!read_headers(c, reply) || c->broken != NULL)
        return;
    c->is_suspect = strncasecmp(reply->content_type, "application/json", 16) == 0 &&
                    reply->status == 200 && c->total > 0 && c->total <= ERROR_TEXT_BYTES;
    if (!c->is_suspect)
        (void)tell_size(call);
}

/*
 * Zhipu tells some errors with HTTP 200. Taken for results they would be lost
 * results. Every result line has a custom_id, no error has.
 */
static bool is_error_text(const struct provider_call *call, const char *bytes, size_t len)
{
    struct content *c = call->content;
    char text[ERROR_TEXT_BYTES + 1];

    if (len != (size_t)c->total)
        return false;
    memcpy(text, bytes, len);
    text[len] = '\0';
    call_hide_key(call->provider, text, len);
    provider_error_parse(200, text, len, &c->said);
    return (c->said.code[0] != '\0' || c->said.message[0] != '\0') &&
           strstr(text, "\"custom_id\"") == NULL;
}

static enum http_body_verdict on_body(const char *bytes, size_t len, void *arg)
{
    struct provider_call *call = arg;
    struct content *c = call->content;
    enum http_body_verdict verdict = HTTP_BODY_ABORT;
    uint64_t skip = c->skip < len ? c->skip : len;

    if (c->broken != NULL)
        return HTTP_BODY_ABORT;
    if (c->is_suspect && is_error_text(call, bytes, len)) {
        c->is_error = true;
        return HTTP_BODY_ABORT;
    }
    if (!tell_size(call))
        return HTTP_BODY_ABORT;
    if (skip == len) {
        c->skip -= skip;
        return HTTP_BODY_OK;
    }
    call->busy = true;
    verdict = c->sink.on_bytes(bytes + skip, len - (size_t)skip, call->arg);
    if (!still_there(call))
        return HTTP_BODY_ABORT;
    /* After a pause all of @bytes come again, with those that are dropped. */
    if (verdict == HTTP_BODY_OK) {
        c->skip = 0;
        c->delivered += len - skip;
    }
    return verdict;
}

static bool start(struct provider_call *call, struct err *err);

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool content_redirect(const char *url, const char *location, char *out, size_t size,
                      struct err *err)
{
    char next[DIALECT_URL_MAX];

    if (location[0] == '\0')
        return err_set(err, ERR_PERMANENT, "a redirect to nowhere");
    if (!http_resolve_location(url, location, next, sizeof(next), err))
        return false;
    if (strncasecmp(url, "https:", 6) == 0 && strncasecmp(next, "https:", 6) != 0)
        return err_set(err, ERR_PERMANENT, "a redirect from https to http");
    if (strlen(next) >= size)
        return err_set(err, ERR_PERMANENT, "a redirect to a URL of %zu bytes", strlen(next));
    memcpy(out, next, strlen(next) + 1);
    return true;
}

/* Go where the answer points to. False, with @err, when that is not allowed. */
static bool follow(struct provider_call *call, const struct http_reply *reply, struct err *err)
{
    struct content *c = call->content;
    char next[DIALECT_URL_MAX];

    if (c->redirects == REDIRECTS_MAX)
        return err_set(err, ERR_PERMANENT, "more than %d redirects", REDIRECTS_MAX);
    if (!content_redirect(c->url, reply->location, next, sizeof(next), err))
        return false;
    c->redirects++;
    c->sends_key = c->sends_key && http_url_same_origin(call->provider->base_url, next);
    memcpy(c->url, next, strlen(next) + 1);
    return start(call, err);
}

/* An error that the provider did not tell, but its answer gives away. */
static void set_error(struct provider_error *error, enum provider_class class, const char *message)
{
    error->class = class;
    error->code[0] = '\0';
    pick_cut(error->message, sizeof(error->message), message, strlen(message));
}

/* An error told in the place of the content. */
static void set_said(struct provider_error *error, const struct provider_error_body *said)
{
    set_error(error,
              provider_classify(PROVIDER_OP_CONTENT, HTTP_ANSWERED, 200, said->code, said->message,
                                said->line),
              said->message);
    memcpy(error->code, said->code, sizeof(error->code));
}

/* What a download that ended cleanly, as HTTP sees it, amounts to. */
static bool is_whole(const struct content *c, struct provider_error *error)
{
    if (c->at_end)
        return true;
    if (c->skip > 0) {
        set_error(error, PROVIDER_UNKNOWN, "the file is shorter than before");
        return false;
    }
    /* A server may answer an open range with a part of it (RFC 9110, 15.3.7). */
    if (c->total >= 0 && c->offset + c->delivered != (uint64_t)c->total) {
        set_error(error, PROVIDER_TRUNCATED, "only a part of the range was sent");
        return false;
    }
    return true;
}

/* Refused although it does not lie at the end, or answered with another one. */
static bool has_no_use_of_ranges(const struct content *c, const struct http_reply *reply)
{
    if (c->offset == 0 || c->no_range)
        return false;
    return (reply->status == 416 && !c->at_end) || (reply->status == 206 && c->broken != NULL);
}

/* The whole file then, once; its start is dropped. */
static bool start_without_range(struct provider_call *call)
{
    struct err err = {0};

    call->content->no_range = true;
    call->content->broken = NULL;
    return start(call, &err);
}

static void finish(struct provider_call *call, const struct provider_error *error)
{
    call_detach(call);
    call->content->sink.done(error, call->arg);
    call_free(call);
}

static void on_done(enum http_outcome outcome, const struct http_reply *reply,
                    const struct err *err, void *arg)
{
    struct provider_call *call = arg;
    struct content *c = call->content;
    struct err redirect_err = {0};
    struct provider_error error;
    struct http_reply shown;
    char *hidden = call_without_key(call->provider, reply, &shown);
    bool ok = call_judge(call, outcome, &shown, err, &error);

    free(hidden);
    call->exchange = NULL;
    if (outcome == HTTP_ANSWERED && is_redirect(reply->status)) {
        if (follow(call, reply, &redirect_err))
            return;
        set_error(&error, PROVIDER_REFUSED, redirect_err.msg);
    } else if (has_no_use_of_ranges(c, reply) && start_without_range(call)) {
        return;
    } else if (c->is_error) {
        set_said(&error, &c->said);
        ok = false;
    } else if (c->broken != NULL) {
        set_error(&error, PROVIDER_UNKNOWN, c->broken);
        ok = false;
    } else if (ok || (c->at_end && error.class == PROVIDER_REFUSED)) {
        ok = is_whole(c, &error);
    }
    finish(call, ok ? NULL : &error);
}

static bool start(struct provider_call *call, struct err *err)
{
    struct content *c = call->content;
    const char *headers[3] = {"Accept: */*"};
    size_t count = 1;
    char range[48];
    struct http_request request = {
        .method = HTTP_GET,
        .url = c->url,
        .low_speed_bytes_s = 1,
        .low_speed_s = IDLE_S,
        .max_body_bytes = ERROR_MAX_BYTES,
        .on_headers = on_headers,
        .on_body = on_body,
        .done = on_done,
        .arg = call,
    };

    if (c->offset > 0 && !c->no_range) {
        (void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-", c->offset);
        headers[count++] = range;
    }
    if (c->sends_key)
        headers[count++] = call->provider->auth;
    request.headers = headers;
    request.header_count = count;
    call->exchange = http_start(call->provider->client, &request, err);
    return call->exchange != NULL;
}

struct provider_call *provider_content(struct provider *p, const char *file_id, uint64_t offset,
                                       const struct provider_content_sink *sink, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_CONTENT, arg);
    struct content *c = xcalloc(1, sizeof(*c));
    const struct dialect_ask ask = {.op = PROVIDER_OP_CONTENT, .id = file_id};
    struct dialect_request wire;
    struct err err = {0};

    call->content = c;
    c->sink = *sink;
    c->offset = offset;
    c->total = -1;
    c->sends_key = true;
    call_build(p, &ask, &wire);
    memcpy(c->url, wire.url.data, wire.url.len + 1);
    dialect_request_release(&wire);
    if (!start(call, &err))
        log_fatal("a provider's URL: %s", err.msg);
    return call;
}

void provider_content_resume(struct provider_call *call)
{
    if (call->exchange != NULL)
        http_resume(call->exchange);
}
