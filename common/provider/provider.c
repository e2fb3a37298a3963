#include "common/provider/provider.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/net/http_url.h"
#include "common/provider/call.h"
#include "common/provider/pick.h"

#define CALL_TIMEOUT_MS  60000
#define ANSWER_MAX_BYTES ((size_t)8 << 20)
#define CREATE_MAX_BYTES ((size_t)64 << 10)
#define UPLOAD_IDLE_S    120

/* ---- life ---- */

static bool key_is_valid(const char *key)
{
    const char *p = key;

    while (*p > ' ' && *p < 0x7f)
        p++;
    return p > key && *p == '\0';
}

struct provider *provider_new(struct http_client *client, const struct provider_profile *profile,
                              const char *base_url, const char *api_key, struct err *err)
{
    static const char scheme[] = "Authorization: Bearer ";
    char url[PROVIDER_URL_MAX / 4];
    struct provider *p = NULL;
    size_t size = 0;

    if (base_url == NULL)
        base_url = profile->base_url;
    if (!http_resolve_location(base_url, base_url, url, sizeof(url), NULL) ||
        strpbrk(base_url, "?#@") != NULL) {
        err_set(err, ERR_USAGE, "\"%s\" cannot be the address of a provider", base_url);
        return NULL;
    }
    if (!key_is_valid(api_key)) {
        err_set(err, ERR_USAGE, "the API key is empty or has characters that no key can have");
        return NULL;
    }
    p = xcalloc(1, sizeof(*p));
    p->client = client;
    p->profile = profile;
    p->base_url = xstrdup(base_url);
    size = sizeof(scheme) + strlen(api_key);
    p->auth = xcalloc(size, 1);
    (void)snprintf(p->auth, size, "%s%s", scheme, api_key);
    provider_site_id(profile, base_url, p->site);
    provider_account_id(p->site, api_key, p->account);
    LIST_INIT(&p->calls);
    return p;
}

void provider_free(struct provider *p)
{
    struct provider_call *next = NULL;

    if (p == NULL)
        return;
    for (struct provider_call *call = LIST_FIRST(&p->calls); call != NULL; call = next) {
        next = LIST_NEXT(call, link);
        provider_call_cancel(call);
    }
    explicit_bzero(p->auth, strlen(p->auth));
    free(p->auth);
    free(p->base_url);
    free(p);
}

const struct provider_profile *provider_profile_of(const struct provider *p)
{
    return p->profile;
}

const char *provider_site(const struct provider *p)
{
    return p->site;
}

const char *provider_account(const struct provider *p)
{
    return p->account;
}

/* ---- calls ---- */

struct provider_call *call_new(struct provider *p, enum provider_operation op, void *arg)
{
    struct provider_call *call = xcalloc(1, sizeof(*call));

    call->provider = p;
    call->op = op;
    call->arg = arg;
    LIST_INSERT_HEAD(&p->calls, call, link);
    return call;
}

void call_detach(struct provider_call *call)
{
    if (call->provider == NULL)
        return;
    LIST_REMOVE(call, link);
    call->provider = NULL;
}

void call_free(struct provider_call *call)
{
    free(call->content);
    free(call);
}

void provider_call_cancel(struct provider_call *call)
{
    /* Detached: its last callback is running, or it was cancelled in an earlier one. */
    if (call == NULL || call->provider == NULL)
        return;
    call_detach(call);
    http_cancel(call->exchange);
    call->exchange = NULL;
    if (!call->busy)
        call_free(call);
}

static bool append_encoded(struct buf *out, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text != '\0'; text++) {
        bool ok = strchr(plain, *text) != NULL ? buf_append(out, text, 1)
                                               : buf_printf(out, "%%%02X", (unsigned char)*text);

        if (!ok)
            return false;
    }
    return true;
}

void call_url(const struct provider *p, const char *path, const char *id, const char *rest,
              struct buf *out)
{
    *out = BUF_INIT(PROVIDER_URL_MAX - 1);
    /* provider_new() bounds the base; ids are at most 127 bytes, three times that when encoded. */
    if (!buf_printf(out, "%s%s", p->base_url, path) || !append_encoded(out, id) ||
        !buf_printf(out, "%s", rest))
        log_fatal("an id of %zu bytes for a provider's URL", strlen(id));
}

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void fill_message(const struct provider_error_body *body, enum http_outcome outcome,
                         const struct http_reply *reply, const struct err *err,
                         struct provider_error *error)
{
    if (body->message[0] != '\0')
        (void)snprintf(error->message, sizeof(error->message), "%s", body->message);
    else if (outcome != HTTP_ANSWERED)
        pick_cut(error->message, sizeof(error->message), err->msg, strlen(err->msg));
    else if (reply->location[0] != '\0')
        (void)snprintf(error->message, sizeof(error->message),
                       "HTTP %ld, a redirect that is not followed", reply->status);
    else
        (void)snprintf(error->message, sizeof(error->message), "HTTP %ld without a reason",
                       reply->status);
}

bool call_judge(const struct provider_call *call, enum http_outcome outcome,
                const struct http_reply *reply, const struct err *err, struct provider_error *error)
{
    struct provider_error_body body;

    provider_error_parse(reply->status, reply->body, reply->body_len, &body);
    *error = (struct provider_error){
        .class =
            provider_classify(call->op, outcome, reply->status, body.code, body.message, body.line),
        .status = reply->status,
        .retry_after_ms = max_of(reply->retry_after_ms, body.retry_after_ms),
        .line = body.line,
    };
    memcpy(error->code, body.code, sizeof(error->code));
    pick_cut(error->request_id, sizeof(error->request_id), reply->request_id,
             strlen(reply->request_id));
    fill_message(&body, outcome, reply, err, error);
    return error->class == PROVIDER_NONE;
}

/* The answer is a success that cannot be read. */
static void set_unreadable(struct provider_error *error, enum provider_class class,
                           const struct err *err)
{
    error->class = class;
    error->code[0] = '\0';
    pick_cut(error->message, sizeof(error->message), err->msg, strlen(err->msg));
}

/* ---- giving results to the caller ---- */

static void give_batch(struct provider_call *call, const struct http_reply *reply,
                       struct provider_error *error)
{
    struct err err = {0};
    struct remote_batch *batch = xcalloc(1, sizeof(*batch));
    bool ok = error->class == PROVIDER_NONE;

    if (ok && !remote_batch_parse(reply->body, reply->body_len, batch, &err)) {
        set_unreadable(error, PROVIDER_AMBIGUOUS, &err);
        ok = false;
    }
    batch->json = reply->body;
    batch->json_len = reply->body_len;
    call->fn.batch(ok ? NULL : error, ok ? batch : NULL, call->arg);
    free(batch);
}

static void give_file(struct provider_call *call, const struct http_reply *reply,
                      struct provider_error *error)
{
    struct err err = {0};
    struct remote_file file = {0};
    bool ok = error->class == PROVIDER_NONE;

    if (ok && !remote_file_parse(reply->body, reply->body_len, &file, &err)) {
        set_unreadable(error, PROVIDER_AMBIGUOUS, &err);
        ok = false;
    }
    call->fn.file(ok ? NULL : error, ok ? &file : NULL, call->arg);
}

/* A page that leads to itself would never end; taken as an end it would hide what follows. */
static bool cursor_moves(const struct provider_call *call, bool has_more, const char *next,
                         struct provider_error *error)
{
    static const struct err stuck = {.msg = "a listing goes in circles"};

    if (!has_more || strcmp(next, call->after) != 0)
        return true;
    set_unreadable(error, PROVIDER_UNKNOWN, &stuck);
    return false;
}

static void give_batches(struct provider_call *call, const struct http_reply *reply,
                         struct provider_error *error)
{
    struct err err = {0};
    struct remote_batch_page page = {0};
    bool ok = error->class == PROVIDER_NONE;

    if (ok && !remote_batch_page_parse(reply->body, reply->body_len, call->limit, &page, &err)) {
        set_unreadable(error, PROVIDER_AMBIGUOUS, &err);
        ok = false;
    }
    ok = ok && cursor_moves(call, page.has_more, page.next, error);
    call->fn.batches(ok ? NULL : error, ok ? &page : NULL, call->arg);
    remote_batch_page_release(&page);
}

static void give_files(struct provider_call *call, const struct http_reply *reply,
                       struct provider_error *error)
{
    struct err err = {0};
    struct remote_file_page page = {0};
    bool ok = error->class == PROVIDER_NONE;

    if (ok && !remote_file_page_parse(reply->body, reply->body_len, call->limit, &page, &err)) {
        set_unreadable(error, PROVIDER_AMBIGUOUS, &err);
        ok = false;
    }
    ok = ok && cursor_moves(call, page.has_more, page.next, error);
    call->fn.files(ok ? NULL : error, ok ? &page : NULL, call->arg);
    remote_file_page_release(&page);
}

static void on_done(enum http_outcome outcome, const struct http_reply *reply,
                    const struct err *err, void *arg)
{
    struct provider_call *call = arg;
    struct provider_error error;
    bool ok = call_judge(call, outcome, reply, err, &error);

    call->exchange = NULL;
    call_detach(call);
    switch (call->op) {
    case PROVIDER_OP_UPLOAD:
    case PROVIDER_OP_FILE_GET: give_file(call, reply, &error); break;
    case PROVIDER_OP_CREATE:
    case PROVIDER_OP_GET:
    case PROVIDER_OP_CANCEL: give_batch(call, reply, &error); break;
    case PROVIDER_OP_LIST: give_batches(call, reply, &error); break;
    case PROVIDER_OP_FILE_LIST: give_files(call, reply, &error); break;
    case PROVIDER_OP_FILE_DELETE:
    case PROVIDER_OP_MODELS: call->fn.done(ok ? NULL : &error, call->arg); break;
    case PROVIDER_OP_CONTENT:
    case PROVIDER_OP_VALIDATION: break;
    }
    call_free(call);
}

/* ---- starting them ---- */

/* Start @request at @url (taken) for @call; its headers, limits and callback are set here. */
static struct provider_call *start(struct provider_call *call, struct buf *url,
                                   struct http_request *request)
{
    const char *headers[] = {
        call->provider->auth,
        "Accept: application/json",
        "Content-Type: application/json",
    };
    struct err err = {0};

    request->url = url->data;
    request->headers = headers;
    request->header_count = request->body != NULL ? 3 : 2;
    request->max_body_bytes = ANSWER_MAX_BYTES;
    if (request->low_speed_s == 0)
        request->timeout_ms = CALL_TIMEOUT_MS;
    request->done = on_done;
    request->arg = call;
    call->exchange = http_start(call->provider->client, request, &err);
    if (call->exchange == NULL)
        log_fatal("a provider's URL: %s", err.msg);
    buf_release(url);
    return call;
}

struct provider_call *provider_upload(struct provider *p, int fd, uint64_t size,
                                      const char *filename, provider_file_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_UPLOAD, arg);
    const struct http_part parts[] = {
        {.name = "purpose",     .text = "batch"},
        {
         .name = "file",
         .fd = fd,
         .size = (int64_t)size,
         .filename = filename,
         .content_type = "application/jsonl",
         },
    };
    struct http_request request = {
        .method = HTTP_POST,
        .parts = parts,
        .part_count = ARRAY_LEN(parts),
        .fresh = true,
        .low_speed_bytes_s = 1,
        .low_speed_s = UPLOAD_IDLE_S,
    };
    struct buf url;

    call->fn.file = done;
    call_url(p, "/files", "", "", &url);
    return start(call, &url, &request);
}

/* Append "name":"text" as JSON, with a comma before it unless it is the first of its object. */
static bool add_text(struct buf *json, const char *name, const char *text)
{
    bool first = json->len > 0 && json->data[json->len - 1] == '{';

    if (text == NULL || text[0] == '\0')
        return true;
    if (!buf_printf(json, "%s\"%s\":\"", first ? "" : ",", name))
        return false;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool ok = c < 0x20                ? buf_printf(json, "\\u%04x", c)
                  : c == '"' || c == '\\' ? buf_printf(json, "\\%c", c)
                                          : buf_append(json, text, 1);

        if (!ok)
            return false;
    }
    return buf_append(json, "\"", 1);
}

static bool create_body(const struct provider_profile *profile, const char *file_id,
                        const char *endpoint, const char *const metadata[3], struct buf *json)
{
    return buf_append(json, "{", 1) && add_text(json, "input_file_id", file_id) &&
           add_text(json, "endpoint", provider_endpoint_for(profile, endpoint)) &&
           add_text(json, "completion_window", profile->sends_completion_window ? "24h" : NULL) &&
           (!profile->keeps_input_file || buf_printf(json, ",\"auto_delete_input_file\":false")) &&
           buf_printf(json, ",\"metadata\":{") && add_text(json, "sheaf_bid", metadata[0]) &&
           add_text(json, "sheaf_job", metadata[1]) &&
           add_text(json, "sheaf_cluster", metadata[2]) && buf_append(json, "}}", 2);
}

struct provider_call *provider_create(struct provider *p, const char *file_id, const char *endpoint,
                                      const char *bid, const char *job, const char *cluster,
                                      provider_batch_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_CREATE, arg);
    const char *const metadata[] = {bid, job, cluster};
    struct http_request request = {.method = HTTP_POST, .fresh = true};
    struct buf body = BUF_INIT(CREATE_MAX_BYTES);
    struct buf url;

    if (!create_body(p->profile, file_id, endpoint, metadata, &body))
        log_fatal("a create call of over %zu bytes", CREATE_MAX_BYTES);
    request.body = body.data;
    request.body_len = body.len;
    call->fn.batch = done;
    call_url(p, "/batches", "", "", &url);
    (void)start(call, &url, &request);
    buf_release(&body);
    return call;
}

struct provider_call *provider_get(struct provider *p, const char *batch_id, provider_batch_fn done,
                                   void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_GET, arg);
    struct http_request request = {.method = HTTP_GET};
    struct buf url;

    call->fn.batch = done;
    call_url(p, "/batches/", batch_id, "", &url);
    return start(call, &url, &request);
}

struct provider_call *provider_cancel(struct provider *p, const char *batch_id,
                                      provider_batch_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_CANCEL, arg);
    struct http_request request = {.method = HTTP_POST, .body = ""};
    struct buf url;

    call->fn.batch = done;
    call_url(p, "/batches/", batch_id, "/cancel", &url);
    return start(call, &url, &request);
}

/* @path ends with what comes before a page's size. */
static struct provider_call *start_list(struct provider_call *call, const char *path,
                                        const char *after, unsigned limit)
{
    struct http_request request = {.method = HTTP_GET};
    char start_of_query[64];
    struct buf url;

    if (after == NULL)
        after = "";
    call->limit = limit;
    pick_cut(call->after, sizeof(call->after), after, strlen(after));
    (void)snprintf(start_of_query, sizeof(start_of_query), "%slimit=%u%s", path, limit,
                   after[0] != '\0' ? "&after=" : "");
    call_url(call->provider, start_of_query, after, "", &url);
    return start(call, &url, &request);
}

struct provider_call *provider_list(struct provider *p, const char *after, unsigned limit,
                                    provider_batches_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_LIST, arg);

    call->fn.batches = done;
    return start_list(call, "/batches?", after, limit);
}

struct provider_call *provider_file_list(struct provider *p, const char *after, unsigned limit,
                                         provider_files_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_FILE_LIST, arg);

    call->fn.files = done;
    return start_list(call, "/files?purpose=batch&", after, limit);
}

struct provider_call *provider_file_get(struct provider *p, const char *file_id,
                                        provider_file_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_FILE_GET, arg);
    struct http_request request = {.method = HTTP_GET};
    struct buf url;

    call->fn.file = done;
    call_url(p, "/files/", file_id, "", &url);
    return start(call, &url, &request);
}

struct provider_call *provider_file_delete(struct provider *p, const char *file_id,
                                           provider_done_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_FILE_DELETE, arg);
    struct http_request request = {.method = HTTP_DELETE};
    struct buf url;

    call->fn.done = done;
    call_url(p, "/files/", file_id, "", &url);
    return start(call, &url, &request);
}

struct provider_call *provider_models(struct provider *p, provider_done_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_MODELS, arg);
    struct http_request request = {.method = HTTP_GET};
    struct buf url;

    call->fn.done = done;
    call_url(p, "/models", "", "", &url);
    return start(call, &url, &request);
}
