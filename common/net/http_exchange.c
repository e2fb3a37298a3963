#include "common/net/http_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/net/http_header.h"

enum {
    DEFAULT_BODY_BYTES = 1024 * 1024,
    DEFAULT_CONNECT_MS = 30000,
    UPLOAD_BYTES = 512 * 1024, /* the default of 64 KB costs a fifth of the speed */
    DOWNLOAD_BYTES = 256 * 1024,
};

static const char *method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET: return "GET";
    case HTTP_POST: return "POST";
    case HTTP_DELETE: return "DELETE";
    }
    return "?";
}

static void tell_headers(struct http_exchange *x)
{
    if (x->headers_told || x->over)
        return;
    x->headers_told = true;
    if (x->on_headers != NULL)
        x->on_headers(&x->reply, x->arg);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct http_exchange *x = arg;

    if (!x->headers_told) /* what comes behind a chunked body is not for us */
        http_header_line(&x->reply, line, size * count, clock_unix_ms());
    return size * count;
}

static void abort_for(struct http_exchange *x, const char *why)
{
    x->aborted = true;
    err_set(&x->abort_error, ERR_PERMANENT, "%s: %s", x->label, why);
}

static size_t hand_out(struct http_exchange *x, const char *bytes, size_t len)
{
    enum http_body_verdict verdict = x->on_body(bytes, len, x->arg);

    if (x->over)
        return CURL_WRITEFUNC_ERROR;
    if (verdict == HTTP_BODY_PAUSE)
        return CURL_WRITEFUNC_PAUSE;
    if (verdict == HTTP_BODY_OK)
        return len;
    abort_for(x, "given up while reading the answer");
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_write(char *bytes, size_t size, size_t count, void *arg)
{
    struct http_exchange *x = arg;
    size_t len = size * count;

    tell_headers(x);
    if (x->over)
        return CURL_WRITEFUNC_ERROR;
    if (x->on_body != NULL && x->reply.status >= 200 && x->reply.status < 300)
        return hand_out(x, bytes, len);
    if (buf_append(&x->body, bytes, len))
        return len;
    abort_for(x, "the answer is too large");
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_source_read(char *out, size_t size, size_t count, void *arg)
{
    struct http_source *source = arg;
    int64_t left = source->size - source->at;
    size_t want = size * count;

    if (source->exchange->over) /* its owner may have closed the file by now */
        return CURL_READFUNC_ABORT;
    if (left <= 0)
        return 0;
    if ((int64_t)want > left)
        want = (size_t)left;
    ssize_t n = pread(source->fd, out, want, source->offset + source->at);
    if (n <= 0) {
        abort_for(source->exchange,
                  n == 0 ? "the file to send has become shorter" : strerrordesc_np(errno));
        return CURL_READFUNC_ABORT;
    }
    source->at += n;
    return (size_t)n;
}

static int on_source_seek(void *arg, curl_off_t offset, int origin)
{
    struct http_source *source = arg;
    int64_t from = origin == SEEK_CUR ? source->at : origin == SEEK_END ? source->size : 0;

    if (from + offset < 0 || from + offset > source->size)
        return CURL_SEEKFUNC_FAIL;
    source->at = from + offset;
    return CURL_SEEKFUNC_OK;
}

/* Only these setopt calls can be refused for other reasons than memory. */
static void must(CURLcode code)
{
    if (code != CURLE_OK)
        log_fatal("libcurl: %s", curl_easy_strerror(code));
}

static void add_header(struct http_exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->headers, line);

    if (longer == NULL)
        log_fatal("curl_slist_append: out of memory");
    x->headers = longer;
}

static bool set_headers(struct http_exchange *x, const struct http_request *request,
                        struct err *err)
{
    bool has_type = false;

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = request->headers[i];

        if (strchr(line, ':') == NULL || strpbrk(line, "\r\n") != NULL)
            return err_set(err, ERR_USAGE, "%s: header %zu is not one line \"Name: value\"",
                           x->label, i + 1);
        has_type = has_type || strncasecmp(line, "Content-Type:", 13) == 0;
        add_header(x, line);
    }
    add_header(x, "Expect:");
    add_header(x, "Accept-Encoding: identity");
    if (request->method == HTTP_POST && request->part_count == 0 && !has_type)
        add_header(x, "Content-Type:"); /* libcurl would call it a form */
    must(curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers));
    return true;
}

static void add_part(struct http_exchange *x, const struct http_part *from,
                     struct http_source *source)
{
    curl_mimepart *part = curl_mime_addpart(x->mime);

    if (part == NULL)
        log_fatal("curl_mime_addpart: out of memory");
    must(curl_mime_name(part, from->name));
    if (from->filename != NULL)
        must(curl_mime_filename(part, from->filename));
    if (from->content_type != NULL)
        must(curl_mime_type(part, from->content_type));
    if (from->text != NULL) {
        must(curl_mime_data(part, from->text, CURL_ZERO_TERMINATED));
        return;
    }
    *source = (struct http_source){
        .exchange = x, .fd = from->fd, .offset = from->offset, .size = from->size};
    must(curl_mime_data_cb(part, from->size, on_source_read, on_source_seek, NULL, source));
}

static void set_parts(struct http_exchange *x, const struct http_request *request)
{
    x->mime = curl_mime_init(x->easy);
    x->sources = xcalloc(request->part_count, sizeof(*x->sources));
    if (x->mime == NULL)
        log_fatal("curl_mime_init: out of memory");
    for (size_t i = 0; i < request->part_count; i++)
        add_part(x, &request->parts[i], &x->sources[i]);
    must(curl_easy_setopt(x->easy, CURLOPT_MIMEPOST, x->mime));
}

static void set_method(struct http_exchange *x, const struct http_request *request)
{
    switch (request->method) {
    case HTTP_GET: must(curl_easy_setopt(x->easy, CURLOPT_HTTPGET, 1L)); break;
    case HTTP_DELETE: must(curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, "DELETE")); break;
    case HTTP_POST:
        if (request->part_count != 0) {
            set_parts(x, request);
            break;
        }
        must(curl_easy_setopt(x->easy, CURLOPT_POST, 1L));
        must(curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len));
        must(curl_easy_setopt(x->easy, CURLOPT_COPYPOSTFIELDS,
                              request->body_len != 0 ? request->body : ""));
        break;
    }
}

static void set_limits(struct http_exchange *x, const struct http_request *request)
{
    CURL *easy = x->easy;
    long connect_ms =
        request->connect_timeout_ms > 0 ? request->connect_timeout_ms : DEFAULT_CONNECT_MS;

    must(curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms));
    must(curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms));
    must(curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, request->low_speed_bytes_s));
    must(curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, request->low_speed_s));
    must(curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L));
    must(curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, request->fresh ? 1L : 0L));
    must(curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BYTES));
    must(curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)DOWNLOAD_BYTES));
}

static void set_ways(struct http_exchange *x)
{
    CURL *easy = x->easy;

    must(curl_easy_setopt(easy, CURLOPT_PRIVATE, x));
    must(curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->curl_message));
    must(curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header));
    must(curl_easy_setopt(easy, CURLOPT_HEADERDATA, x));
    must(curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write));
    must(curl_easy_setopt(easy, CURLOPT_WRITEDATA, x));
    must(curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L));
    must(curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L));
    must(curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L));
    must(curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L));
    must(curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"));
    must(curl_easy_setopt(easy, CURLOPT_USERAGENT, "sheaf"));
    /* HTTP/2 would put exchanges on one connection, where a paused one holds up the rest. */
    must(curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1));
    /* A name server that does not answer must not hold up the loop when we give up. */
    must(curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L));
}

static bool is_local(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0;
}

static bool set_url(struct http_exchange *x, const struct http_request *request, struct err *err)
{
    CURLU *url = curl_url();
    char *host = NULL;
    char *scheme = NULL;
    bool ok = false;

    if (url == NULL)
        log_fatal("curl_url: out of memory");
    ok = curl_url_set(url, CURLUPART_URL, request->url, CURLU_DISALLOW_USER) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
         curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
         (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    if (ok) {
        (void)snprintf(x->label, sizeof(x->label), "%s %s", method_name(request->method), host);
        must(curl_easy_setopt(x->easy, CURLOPT_URL, request->url));
        if (is_local(host))
            must(curl_easy_setopt(x->easy, CURLOPT_NOPROXY, "*"));
    } else {
        err_set(err, ERR_USAGE, "not an http or https URL, or one with a user in it");
    }
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(url);
    return ok;
}

struct http_exchange *http_exchange_new(const struct http_request *request, struct err *err)
{
    struct http_exchange *x = xcalloc(1, sizeof(*x));

    x->easy = curl_easy_init();
    if (x->easy == NULL)
        log_fatal("curl_easy_init: out of memory");
    x->on_headers = request->on_headers;
    x->on_body = request->on_body;
    x->done = request->done;
    x->arg = request->arg;
    x->body = BUF_INIT(request->max_body_bytes != 0 ? request->max_body_bytes
                                                    : (size_t)DEFAULT_BODY_BYTES);
    http_header_reset(&x->reply);
    if (!set_url(x, request, err) || !set_headers(x, request, err)) {
        http_exchange_free(x);
        return NULL;
    }
    set_ways(x);
    set_limits(x, request);
    set_method(x, request);
    return x;
}

/* True when libcurl failed before a single byte of the request was on its way. */
static bool is_not_sent(struct http_exchange *x, CURLcode code)
{
    long request_bytes = 0;
    long proxy_status = 0;

    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
        code == CURLE_COULDNT_CONNECT || code == CURLE_SSL_CONNECT_ERROR ||
        code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_PROXY)
        return true;
    must(curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &request_bytes));
    must(curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status));
    /* a proxy that refuses to connect us further has seen CONNECT, the server nothing */
    return request_bytes == 0 || (proxy_status != 0 && proxy_status / 100 != 2);
}

static enum http_outcome judge(struct http_exchange *x, CURLcode code, struct err *err)
{
    const char *message = x->curl_message[0] != '\0' ? x->curl_message : curl_easy_strerror(code);

    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (x->aborted) {
        *err = x->abort_error;
        return HTTP_ABORTED;
    }
    err_set(err, ERR_TEMPORARY, "%s: %s", x->label, message);
    return is_not_sent(x, code) ? HTTP_NOT_SENT : HTTP_UNKNOWN;
}

void http_exchange_end(struct http_exchange *x, CURLcode code)
{
    struct err err = {0};

    if (x->over)
        return;
    if (x->reply.status >= 200)
        tell_headers(x);
    if (x->over)
        return;
    enum http_outcome outcome = judge(x, code, &err);
    x->over = true;
    if (x->body.data != NULL)
        x->reply.body = x->body.data;
    x->reply.body_len = x->body.len;
    x->done(outcome, &x->reply, &err, x->arg);
}

void http_exchange_free(struct http_exchange *x)
{
    curl_easy_cleanup(x->easy);
    curl_mime_free(x->mime);
    curl_slist_free_all(x->headers);
    buf_release(&x->body);
    free(x->sources);
    free(x);
}
