#include "common/provider/provider.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/xmem.h"
#include "common/provider/call.h"
#include "common/provider/pick.h"
#include "common/provider/rate.h"

#define CALL_TIMEOUT_MS  60000
#define ANSWER_MAX_BYTES ((size_t)8 << 20)
#define UPLOAD_IDLE_S    120
#define CHECK_IDLE_S     600 /* where the whole file is checked before the answer */
#define SECRET_MIN       16  /* a shorter key is no secret, but a word such as "none" */

/* ---- life ---- */

static bool key_is_valid(const char *key)
{
    const char *p = key;

    while (*p > ' ' && *p < 0x7f)
        p++;
    return p > key && *p == '\0';
}

/* "Authorization: Bearer KEY" or "api-key: KEY"; the caller wipes and frees it. */
static char *auth_header(const char *before, const char *key)
{
    const char *between = strchr(before, ':') != NULL ? " " : ": ";
    size_t size = strlen(before) + strlen(between) + strlen(key) + 1;
    char *header = xcalloc(size, 1);

    (void)snprintf(header, size, "%s%s%s", before, between, key);
    return header;
}

struct provider *provider_new(struct http_client *client, const struct provider_profile *profile,
                              const char *base_url, const char *api_key, const char *account,
                              struct err *err)
{
    struct provider *p = NULL;

    if (!provider_check_base_url(profile, base_url, err))
        return NULL;
    if (!key_is_valid(api_key)) {
        err_set(err, ERR_USAGE, "the API key is empty or has characters that no key can have");
        return NULL;
    }
    p = xcalloc(1, sizeof(*p));
    p->client = client;
    p->profile = profile;
    p->limits = provider_limits_at(profile, base_url);
    p->base_url = xstrdup(base_url != NULL ? base_url : profile->base_url);
    p->auth = auth_header(profile->auth_header, api_key);
    p->key = p->auth + strlen(p->auth) - strlen(api_key);
    provider_site_id(profile, p->base_url, p->site);
    provider_account_id(p->site, api_key, account, p->account);
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

const char *provider_site(const struct provider *p)
{
    return p->site;
}

const char *provider_account(const struct provider *p)
{
    return p->account;
}

int64_t provider_date_ms(const struct provider *p)
{
    return p->date_ms > 0 ? p->date_ms : -1;
}

void provider_on_rate(struct provider *p, provider_rate_fn fn, void *arg)
{
    p->on_rate = fn;
    p->on_rate_arg = arg;
}

/* ---- calls ---- */

struct provider_call *call_new(struct provider *p, enum provider_operation op, void *arg)
{
    struct provider_call *call = xcalloc(1, sizeof(*call));

    call->provider = p;
    call->dialect = p->profile->dialect;
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

void call_build(const struct provider *p, const struct dialect_ask *ask,
                struct dialect_request *out)
{
    p->profile->dialect->build(p->profile, p->base_url, ask, out);
}

/* Where the key begins next in @text; NULL: nowhere. */
static char *find_key(const struct provider *p, const char *text, size_t len)
{
    size_t key_len = strlen(p->key);

    return key_len < SECRET_MIN ? NULL : memmem(text, len, p->key, key_len);
}

void call_hide_key(const struct provider *p, char *text, size_t len)
{
    size_t key_len = strlen(p->key);
    char *end = text + len;

    for (char *at = find_key(p, text, len); at != NULL; at = find_key(p, at, (size_t)(end - at))) {
        memset(at, '*', key_len);
        at += key_len;
    }
}

char *call_without_key(const struct provider *p, const struct http_reply *reply,
                       struct http_reply *out)
{
    char *body = NULL;

    *out = *reply;
    if (find_key(p, reply->body, reply->body_len) == NULL)
        return NULL;
    body = xcalloc(reply->body_len + 1, 1);
    memcpy(body, reply->body, reply->body_len);
    call_hide_key(p, body, reply->body_len);
    out->body = body;
    return body;
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

/* How long nothing of it is left; -1: there is some, or nobody says. */
static int64_t used_up_ms(const struct rate_left *left)
{
    return left->remaining == 0 ? left->reset_ms : -1;
}

static void tell_rate(const struct provider_call *call, const char *what,
                      const struct rate_left *left)
{
    const struct provider *p = call->provider;
    const struct provider_rate rate = {
        .operation = call->op,
        .what = what,
        .remaining = left->remaining,
        .reset_ms = used_up_ms(left),
    };

    if (p->on_rate != NULL && rate.reset_ms > 0)
        p->on_rate(&rate, p->on_rate_arg);
}

bool call_judge(const struct provider_call *call, enum http_outcome outcome,
                const struct http_reply *reply, const struct err *err, struct provider_error *error)
{
    struct provider_error_body body;
    struct rate_headers rate;

    if (reply->date_ms > 0)
        call->provider->date_ms = reply->date_ms;
    rate_headers_read(reply->hints, &rate);
    tell_rate(call, "requests", &rate.requests);
    tell_rate(call, "tokens", &rate.tokens);
    provider_error_parse(reply->status, reply->body, reply->body_len, &body);
    *error = (struct provider_error){
        .class =
            provider_classify(call->op, outcome, reply->status, body.code, body.message, body.line),
        .status = reply->status,
        .retry_after_ms = max_of(reply->retry_after_ms, body.retry_after_ms),
        .line = body.line,
        .no_repeat = rate.no_repeat,
    };
    if (error->retry_after_ms < 0 && error->class == PROVIDER_RATE_LIMIT)
        error->retry_after_ms = max_of(used_up_ms(&rate.requests), used_up_ms(&rate.tokens));
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

    if (ok && !call->dialect->read_batch(reply->body, reply->body_len, batch, &err)) {
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

    if (ok && !call->dialect->read_file(reply->body, reply->body_len, &file, &err)) {
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

    if (ok &&
        !call->dialect->read_batches(reply->body, reply->body_len, call->limit, &page, &err)) {
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

    if (ok && !call->dialect->read_files(reply->body, reply->body_len, call->limit, &page, &err)) {
        set_unreadable(error, PROVIDER_AMBIGUOUS, &err);
        ok = false;
    }
    ok = ok && cursor_moves(call, page.has_more, page.next, error);
    call->fn.files(ok ? NULL : error, ok ? &page : NULL, call->arg);
    remote_file_page_release(&page);
}

static void on_done(enum http_outcome outcome, const struct http_reply *answer,
                    const struct err *err, void *arg)
{
    struct provider_call *call = arg;
    struct provider_error error;
    struct http_reply reply;
    char *hidden = call_without_key(call->provider, answer, &reply);
    bool ok = call_judge(call, outcome, &reply, err, &error);

    call->exchange = NULL;
    call_detach(call);
    switch (call->op) {
    case PROVIDER_OP_UPLOAD:
    case PROVIDER_OP_FILE_GET: give_file(call, &reply, &error); break;
    case PROVIDER_OP_CREATE:
    case PROVIDER_OP_GET:
    case PROVIDER_OP_CANCEL: give_batch(call, &reply, &error); break;
    case PROVIDER_OP_LIST: give_batches(call, &reply, &error); break;
    case PROVIDER_OP_FILE_LIST: give_files(call, &reply, &error); break;
    case PROVIDER_OP_FILE_DELETE:
    case PROVIDER_OP_MODELS: call->fn.done(ok ? NULL : &error, call->arg); break;
    case PROVIDER_OP_CONTENT:
    case PROVIDER_OP_VALIDATION: break;
    }
    free(hidden);
    call_free(call);
}

/* ---- starting them ---- */

/* Send @wire (taken) for @call with what is in @request; headers, limits, callback are set here. */
static struct provider_call *start(struct provider_call *call, struct dialect_request *wire,
                                   struct http_request *request)
{
    const char *headers[] = {
        call->provider->auth,
        "Accept: application/json",
        "Content-Type: application/json",
    };
    struct err err = {0};

    request->method = wire->method;
    request->url = wire->url.data;
    request->headers = headers;
    request->header_count = wire->has_body ? 3 : 2;
    if (wire->has_body) {
        request->body = wire->body.len > 0 ? wire->body.data : "";
        request->body_len = wire->body.len;
    }
    request->fresh = wire->once;
    request->max_body_bytes = ANSWER_MAX_BYTES;
    if (request->low_speed_s == 0)
        request->timeout_ms = CALL_TIMEOUT_MS;
    request->done = on_done;
    request->arg = call;
    call->exchange = http_start(call->provider->client, request, &err);
    if (call->exchange == NULL)
        log_fatal("ev=provider_url_refused reason=%s", log_text(err.msg));
    dialect_request_release(wire);
    return call;
}

/* A call that needs nothing but what @ask says. */
static struct provider_call *start_plain(struct provider_call *call, const struct dialect_ask *ask)
{
    struct http_request request = {0};
    struct dialect_request wire;

    call_build(call->provider, ask, &wire);
    return start(call, &wire, &request);
}

struct provider_call *provider_upload(struct provider *p, int fd, uint64_t size,
                                      const char *filename, provider_file_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_UPLOAD, arg);
    const struct dialect_ask ask = {.op = PROVIDER_OP_UPLOAD, .limits = &p->limits};
    struct http_part parts[DIALECT_FIELDS_MAX + 1] = {0};
    struct http_request request = {
        .low_speed_bytes_s = 1,
        .low_speed_s = p->profile->validates_upload ? CHECK_IDLE_S : UPLOAD_IDLE_S,
    };
    struct dialect_request wire;

    call->fn.file = done;
    call_build(p, &ask, &wire);
    struct http_part *file = &parts[wire.field_count];
    for (size_t i = 0; i < wire.field_count; i++) {
        parts[i].name = wire.fields[i].name;
        parts[i].text = wire.fields[i].value;
    }
    file->name = "file";
    file->fd = fd;
    file->size = (int64_t)size;
    file->filename = filename;
    file->content_type = p->profile->file_type;
    request.parts = parts;
    request.part_count = wire.field_count + 1;
    return start(call, &wire, &request);
}

struct provider_call *provider_create(struct provider *p, const char *file_id, const char *endpoint,
                                      const char *bid, const char *job, const char *cluster,
                                      provider_batch_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_CREATE, arg);
    const struct dialect_ask ask = {
        .op = PROVIDER_OP_CREATE,
        .file_id = file_id,
        .endpoint = endpoint,
        .bid = bid,
        .job = job,
        .cluster = cluster,
        .limits = &p->limits,
    };

    call->fn.batch = done;
    return start_plain(call, &ask);
}

/* A call about the one thing @id. */
static struct provider_call *start_one(struct provider_call *call, const char *id)
{
    const struct dialect_ask ask = {.op = call->op, .id = id, .limits = &call->provider->limits};

    return start_plain(call, &ask);
}

struct provider_call *provider_get(struct provider *p, const char *batch_id, provider_batch_fn done,
                                   void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_GET, arg);

    call->fn.batch = done;
    return start_one(call, batch_id);
}

struct provider_call *provider_cancel(struct provider *p, const char *batch_id,
                                      provider_batch_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_CANCEL, arg);

    call->fn.batch = done;
    return start_one(call, batch_id);
}

static struct provider_call *start_list(struct provider_call *call, const char *after,
                                        unsigned limit)
{
    struct dialect_ask ask = {.op = call->op, .after = after != NULL ? after : "", .limit = limit};

    /* What comes of a listing without pages is everything, however many it is. */
    bool unpaged = call->op == PROVIDER_OP_FILE_LIST && call->provider->profile->files_unpaged;
    call->limit = unpaged ? SIZE_MAX : limit;
    pick_cut(call->after, sizeof(call->after), ask.after, strlen(ask.after));
    return start_plain(call, &ask);
}

struct provider_call *provider_list(struct provider *p, const char *after, unsigned limit,
                                    provider_batches_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_LIST, arg);

    call->fn.batches = done;
    return start_list(call, after, limit);
}

struct provider_call *provider_file_list(struct provider *p, const char *after, unsigned limit,
                                         provider_files_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_FILE_LIST, arg);

    call->fn.files = done;
    return start_list(call, after, limit);
}

struct provider_call *provider_file_get(struct provider *p, const char *file_id,
                                        provider_file_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_FILE_GET, arg);

    call->fn.file = done;
    return start_one(call, file_id);
}

struct provider_call *provider_file_delete(struct provider *p, const char *file_id,
                                           provider_done_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_FILE_DELETE, arg);

    call->fn.done = done;
    return start_one(call, file_id);
}

struct provider_call *provider_models(struct provider *p, provider_done_fn done, void *arg)
{
    struct provider_call *call = call_new(p, PROVIDER_OP_MODELS, arg);

    call->fn.done = done;
    return start_one(call, NULL);
}
