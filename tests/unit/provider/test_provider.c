#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/provider/call.h"
#include "common/provider/provider.h"
#include "tests/testlib/http_stub.h"

/* Each test scripts what the server answers and says what the caller is told. */

#define KEY "sk-secret-0123456789"

#define FIFTY     "The provider has a lot to say about this, namely: "
#define LONG_TEXT FIFTY FIFTY FIFTY FIFTY FIFTY

#define JSON(status, text) \
    "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" text

/* A step: answer and close. */
#define CLOSE_AFTER(text)                   \
    {                                       \
        .answer = (text), .end = STUB_CLOSE \
    }

struct bench {
    struct event_base *base;
    struct http_client *client;
    struct provider *provider;
    struct http_stub *stub;
    struct http_stub *other; /* another origin */
    struct provider_call *call;
    int calls_back;
    bool inside;
    bool ok;
    struct provider_error error;
    struct remote_batch batch;
    char said[256]; /* the first of its errors */
    struct remote_file file;
    size_t count;
    bool has_more;
    char next[128];
    struct buf taken;
    int64_t size;
    int size_runs;
    int pauses_left;
    bool abort_at_once;
    bool cancel_at_once;
};

static int set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    b->base = loop_new();
    b->client = http_client_new(b->base);
    b->taken = BUF_INIT(1 << 20);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    provider_free(b->provider);
    http_client_free(b->client);
    http_stub_stop(b->stub);
    http_stub_stop(b->other);
    loop_free(b->base);
    buf_release(&b->taken);
    free(b);
    return 0;
}

static void connect_to(struct bench *b, const char *profile, const char *base_url)
{
    struct err err = {0};

    b->provider =
        provider_new(b->client, provider_profile_find(profile), base_url, KEY, NULL, &err);
    if (b->provider == NULL)
        fail_msg("%s", err.msg);
}

static void serve(struct bench *b, const char *profile, const struct http_stub_step *steps,
                  size_t count)
{
    char url[128];

    b->stub = http_stub_start(steps, count);
    (void)snprintf(url, sizeof(url), "%s/v1", http_stub_url(b->stub));
    connect_to(b, profile, url);
}

static void told(struct bench *b, const struct provider_error *error)
{
    assert_false(b->inside);
    b->calls_back++;
    b->ok = error == NULL;
    b->error = error != NULL ? *error : (struct provider_error){0};
    event_base_loopbreak(b->base);
}

static void on_batch(const struct provider_error *error, const struct remote_batch *batch,
                     void *arg)
{
    struct bench *b = arg;

    assert_true((error == NULL) == (batch != NULL));
    if (batch != NULL) {
        struct remote_error said;

        b->batch = *batch;
        if (remote_errors_parse(batch->json, batch->json_len, &said, 1) == 1)
            (void)snprintf(b->said, sizeof(b->said), "%s", said.message);
    }
    told(b, error);
}

static void on_file(const struct provider_error *error, const struct remote_file *file, void *arg)
{
    struct bench *b = arg;

    assert_true((error == NULL) == (file != NULL));
    if (file != NULL)
        b->file = *file;
    told(b, error);
}

static void on_batches(const struct provider_error *error, const struct remote_batch_page *page,
                       void *arg)
{
    struct bench *b = arg;

    if (page != NULL) {
        b->count = page->count;
        b->has_more = page->has_more;
        memcpy(b->next, page->next, sizeof(b->next));
    }
    told(b, error);
}

static void on_files(const struct provider_error *error, const struct remote_file_page *page,
                     void *arg)
{
    struct bench *b = arg;

    if (page != NULL) {
        b->count = page->count;
        b->has_more = page->has_more;
        b->file = page->items[0];
    }
    told(b, error);
}

static void on_plain(const struct provider_error *error, void *arg)
{
    told(arg, error);
}

/* Turn the loop until the call that was just started has called back. */
static void run(struct bench *b, struct provider_call *call)
{
    int before = b->calls_back;

    b->call = call;
    b->inside = false;
    event_base_dispatch(b->base);
    assert_int_equal(b->calls_back, before + 1);
}

static void assert_class(const struct bench *b, enum provider_class class)
{
    assert_string_equal(provider_class_name(b->error.class), provider_class_name(class));
    assert_int_equal(b->ok, class == PROVIDER_NONE);
}

static void create(struct bench *b)
{
    b->inside = true;
    run(b, provider_create(b->provider, "file-1", "/v1/chat/completions", "0123456789abcdef",
                           "a job", "cluster-1", on_batch, b));
}

static void get(struct bench *b)
{
    run(b, provider_get(b->provider, "batch_1", on_batch, b));
}

static struct http_stub_seen seen(struct bench *b, size_t i)
{
    assert_true(http_stub_count(b->stub) > i);
    return http_stub_seen(b->stub, i);
}

static void a_batch_is_created_as_openai_wants_it(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\",\"status\":\"validating\"}")),
    };
    struct bench *b = *state;
    struct http_stub_seen s;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    create(b);
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(b->batch.id, "batch_1");
    assert_int_equal(b->batch.status, REMOTE_VALIDATING);
    s = seen(b, 0);
    assert_int_equal(strncmp(s.head, "POST /v1/batches HTTP/1.1\r\n", 27), 0);
    assert_non_null(strstr(s.head, "Authorization: Bearer " KEY "\r\n"));
    assert_non_null(strstr(s.head, "Content-Type: application/json\r\n"));
    assert_string_equal(s.body, "{\"input_file_id\":\"file-1\","
                                "\"endpoint\":\"/v1/chat/completions\","
                                "\"completion_window\":\"24h\","
                                "\"metadata\":{\"sheaf_bid\":\"0123456789abcdef\","
                                "\"sheaf_job\":\"a job\",\"sheaf_cluster\":\"cluster-1\"}}");
}

static void zhipu_is_told_its_endpoint_and_to_keep_the_file(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\"}")),
    };
    struct bench *b = *state;

    serve(b, "zhipu", steps, ARRAY_LEN(steps));
    run(b,
        provider_create(b->provider, "file-1", "/v1/chat/completions", "b", "", NULL, on_batch, b));
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(seen(b, 0).body, "{\"input_file_id\":\"file-1\","
                                         "\"endpoint\":\"/v4/chat/completions\","
                                         "\"auto_delete_input_file\":false,"
                                         "\"metadata\":{\"sheaf_bid\":\"b\"}}");
}

/* clang-format off */
static const struct {
    const char *name;
    struct http_stub_step step;
    enum provider_class class;
    int64_t retry_after_ms;
    const char *message;
} answers[] = {
    {"no reply", {.end = STUB_CLOSE}, PROVIDER_AMBIGUOUS, -1, NULL},
    {"a reset", {.end = STUB_RESET}, PROVIDER_AMBIGUOUS, -1, NULL},
    {"half a reply",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":\"batch_1\""),
     PROVIDER_AMBIGUOUS,
     -1,
     NULL},
    {"a reply without an id",
     CLOSE_AFTER(JSON("201 Created", "{}")),
     PROVIDER_AMBIGUOUS,
     -1,
     "a batch without a usable id"},
    {"a reply that is no JSON",
     CLOSE_AFTER(JSON("200 OK", "thanks")),
     PROVIDER_AMBIGUOUS,
     -1,
     NULL},
    {"a gateway",
     CLOSE_AFTER(JSON("502 Bad Gateway", "<html></html>")),
     PROVIDER_AMBIGUOUS,
     -1,
     "HTTP 502 without a reason"},
    {"a bad key",
     CLOSE_AFTER(JSON("401 Unauthorized", "{\"error\":{\"message\":\"Incorrect API key\"}}")),
     PROVIDER_AUTH,
     -1,
     "Incorrect API key"},
    {"a bad key that is repeated",
     CLOSE_AFTER(JSON("401 Unauthorized", "{\"error\":{\"message\":\"No such key: " KEY ".\"}}")),
     PROVIDER_AUTH,
     -1,
     "No such key: ********************."},
    {"a key that the message is cut in",
     CLOSE_AFTER(JSON("400 Bad Request", "{\"error\":{\"message\":\"" LONG_TEXT KEY "\"}}")),
     PROVIDER_REFUSED,
     -1,
     LONG_TEXT "*****"},
    {"a key in a code, and in plain words",
     CLOSE_AFTER("HTTP/1.1 400 Bad\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" KEY),
     PROVIDER_REFUSED,
     -1,
     "********************"},
    {"slow down",
     CLOSE_AFTER("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}"),
     PROVIDER_RATE_LIMIT,
     7000,
     "HTTP 429 without a reason"},
    {"the longer of two waits counts",
     CLOSE_AFTER("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nConnection: close\r\n\r\n"
                "{\"message\":\"busy\",\"retry_after_seconds\":30}"),
     PROVIDER_RATE_LIMIT,
     30000,
     "busy"},
    {"Doubleword says two things",
     CLOSE_AFTER("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nConnection: close\r\n\r\n"
                "{\"error\":\"too_many_requests\",\"message\":\"capacity\","
                "\"retry_after_seconds\":30}"),
     PROVIDER_RATE_LIMIT,
     60000,
     "capacity"},
    {"a wait of no sense",
     CLOSE_AFTER("HTTP/1.1 429 Too Many Requests\r\nRetry-After: abc\r\nConnection: close\r\n\r\n{}"),
     PROVIDER_RATE_LIMIT,
     -1,
     NULL},
    {"plain words",
     CLOSE_AFTER("HTTP/1.1 402 Payment Required\r\nContent-Type: text/plain\r\n"
                "Connection: close\r\n\r\nAccount balance too low"),
     PROVIDER_BILLING,
     -1,
     "Account balance too low"},
    {"no money",
     CLOSE_AFTER(JSON("429 Too Many Requests", "{\"error\":{\"code\":\"insufficient_quota\"}}")),
     PROVIDER_BILLING,
     -1,
     NULL},
    {"a redirect is not followed",
     CLOSE_AFTER("HTTP/1.1 307 T\r\nLocation: /v2/batches\r\nContent-Length: 0\r\n\r\n"),
     PROVIDER_REFUSED,
     -1,
     "HTTP 307, a redirect that is not followed"},
};
/* clang-format on */

static void every_answer_to_a_create_has_its_class(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        print_message("  %s\n", answers[i].name);
        serve(b, "openai", &answers[i].step, 1);
        create(b);
        assert_class(b, answers[i].class);
        assert_int_equal(b->error.retry_after_ms, answers[i].retry_after_ms);
        if (answers[i].message != NULL)
            assert_string_equal(b->error.message, answers[i].message);
        assert_true(b->error.message[0] != '\0');
        assert_null(strstr(b->error.message, KEY));
        assert_int_equal(http_stub_count(b->stub), 1); /* never sent twice */
        provider_free(b->provider);
        b->provider = NULL;
        http_stub_stop(b->stub);
        b->stub = NULL;
    }
}

/* What a batch says of itself is kept too: in records, and in dead letters. */
static void the_errors_of_a_batch_do_not_tell_the_key(void **state)
{
    static const struct http_stub_step step = CLOSE_AFTER(
        JSON("200 OK", "{\"id\":\"batch_1\",\"status\":\"failed\",\"errors\":{\"data\":["
                       "{\"code\":\"c\",\"message\":\"no key " KEY "\",\"line\":3}]}}"));
    struct bench *b = *state;

    serve(b, "openai", &step, 1);
    run(b, provider_get(b->provider, "batch_1", on_batch, b));
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(b->said, "no key ********************");
}

static void the_key_stands_where_the_provider_wants_it(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\"}")),
        CLOSE_AFTER(JSON("200 OK", "x")),
    };
    struct bench *b = *state;

    serve(b, "azure", steps, ARRAY_LEN(steps));
    create(b);
    assert_class(b, PROVIDER_NONE);
    assert_non_null(strstr(seen(b, 0).head, "\r\napi-key: " KEY "\r\n"));
    assert_null(strstr(seen(b, 0).head, "Authorization"));
}

/* What an observer was told. */
struct rates {
    size_t count;
    struct provider_rate last;
    int calls_back; /* of the bench, when it was told */
    struct bench *bench;
};

static void on_rate(const struct provider_rate *rate, void *arg)
{
    struct rates *r = arg;

    r->count++;
    r->last = *rate;
    r->calls_back = r->bench->calls_back;
}

#define LIMITED(status, extra)                                                \
    "HTTP/1.1 " status "\r\nx-ratelimit-remaining-requests: 0\r\n"            \
    "x-ratelimit-reset-requests: 6m0s\r\nx-ratelimit-remaining-tokens: 9\r\n" \
    "x-ratelimit-reset-tokens: 7s\r\n" extra "Connection: close\r\n\r\n"

static void an_observer_learns_when_nothing_is_left(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(LIMITED("200 OK", "") "{\"id\":\"batch_1\"}"),
        CLOSE_AFTER(LIMITED("429 Too Many Requests", "x-should-retry: false\r\n") "{}"),
        CLOSE_AFTER(LIMITED("429 Too Many Requests", "Retry-After: 2\r\n") "{}"),
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\"}")),
    };
    struct bench *b = *state;
    struct rates rates = {.bench = b};

    serve(b, "openai", steps, ARRAY_LEN(steps));
    provider_on_rate(b->provider, on_rate, &rates);
    create(b);
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(rates.count, 1);
    assert_int_equal(rates.last.operation, PROVIDER_OP_CREATE);
    assert_string_equal(rates.last.what, "requests");
    assert_int_equal(rates.last.remaining, 0);
    assert_int_equal(rates.last.reset_ms, 360000);
    assert_int_equal(rates.calls_back, 0); /* before the call's own */
    get(b);
    assert_class(b, PROVIDER_RATE_LIMIT);
    assert_int_equal(rates.count, 2);
    assert_int_equal(rates.last.operation, PROVIDER_OP_GET);
    assert_true(b->error.no_repeat);
    assert_int_equal(b->error.retry_after_ms, 360000); /* nothing else says when */
    get(b);
    assert_int_equal(b->error.retry_after_ms, 2000);
    assert_false(b->error.no_repeat);
    provider_on_rate(b->provider, NULL, NULL);
    get(b);
    assert_int_equal(rates.count, 3);
}

static void a_named_account_replaces_that_of_the_key(void **state)
{
    struct bench *b = *state;
    struct err err = {0};
    char want[PROVIDER_ID_LEN + 1];

    b->provider = provider_new(b->client, provider_profile_find("openai"), NULL, KEY, "team", &err);
    assert_non_null(b->provider);
    provider_account_id(provider_site(b->provider), KEY, "team", want);
    assert_string_equal(provider_account(b->provider), want);
    assert_null(provider_new(b->client, provider_profile_find("azure"), NULL, KEY, NULL, &err));
    assert_int_equal(err.kind, ERR_USAGE);
}

static void a_refused_connection_is_not_sent(void **state)
{
    struct bench *b = *state;

    connect_to(b, "openai", "http://127.0.0.1:1/v1");
    create(b);
    assert_class(b, PROVIDER_NOT_SENT);
    assert_int_equal(b->error.status, 0);
}

static void what_must_not_arrive_twice_does_not_ride_on_a_kept_connection(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"id\":\"batch_1\"}"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"id\":\"batch_1\"}"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"id\":\"batch_1\"}"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"id\":\"batch_1\"}"},
    };
    struct bench *b = *state;
    unsigned kept = 0;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    run(b, provider_upload(b->provider, -1, 0, "x.jsonl", on_file, b));
    create(b);
    assert_class(b, PROVIDER_NONE);
    get(b);
    kept = seen(b, 2).connection;
    assert_int_equal(seen(b, 0).connection, 0);
    assert_int_equal(seen(b, 1).connection, 1);
    assert_int_equal(kept, 2);
    get(b);
    assert_int_equal(seen(b, 3).connection, kept);
}

static void a_file_is_uploaded_with_its_purpose_first(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("201 Created", "{\"id\":\"file-1\",\"bytes\":12}")),
    };
    struct bench *b = *state;
    struct http_stub_seen s;
    char path[] = "/tmp/sheaf-test-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, "{\"line\": 1}\n", 12), 12);
    serve(b, "openai", steps, ARRAY_LEN(steps));
    run(b, provider_upload(b->provider, fd, 12, "sheaf-b1.jsonl", on_file, b));
    assert_int_equal(close(fd), 0);
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(b->file.id, "file-1");
    assert_int_equal(b->file.bytes, 12);
    s = seen(b, 0);
    assert_int_equal(strncmp(s.head, "POST /v1/files HTTP/1.1\r\n", 25), 0);
    assert_non_null(strstr(s.body, "name=\"purpose\"\r\n\r\nbatch\r\n"));
    assert_non_null(strstr(s.body, "name=\"file\"; filename=\"sheaf-b1.jsonl\"\r\n"));
    assert_non_null(strstr(s.body, "Content-Type: application/jsonl\r\n\r\n{\"line\": 1}\n\r\n"));
    assert_true(strstr(s.body, "purpose") < strstr(s.body, "\"file\""));
}

static void a_file_that_cannot_be_read_is_our_own_failure(void **state)
{
    static const struct http_stub_step steps[] = {{.end = STUB_CLOSE}};
    struct bench *b = *state;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    run(b, provider_upload(b->provider, 999, 12, "x.jsonl", on_file, b));
    assert_class(b, PROVIDER_ABORTED);
}

static void ids_cannot_leave_their_place_in_the_path(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("404 Not Found", "{}")),
    };
    struct bench *b = *state;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    run(b, provider_cancel(b->provider, "a/../b?c#d%", on_batch, b));
    assert_class(b, PROVIDER_NOT_FOUND);
    assert_non_null(
        strstr(seen(b, 0).head, "POST /v1/batches/a%2F..%2Fb%3Fc%23d%25/cancel HTTP/1.1\r\n"));
}

static void the_small_calls_use_their_paths(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\",\"status\":\"in_progress\"}")),
        CLOSE_AFTER(JSON("409 Conflict", "{\"error\":{\"message\":\"Cannot cancel\"}}")),
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"file-1\",\"bytes\":5}")),
        CLOSE_AFTER(JSON("404 Not Found", "{}")),
        CLOSE_AFTER(JSON("200 OK", "{\"data\":[{\"id\":\"gpt\"}]}")),
    };
    static const char *const lines[] = {
        "GET /v1/batches/batch_1 HTTP/1.1\r\n", "POST /v1/batches/batch_1/cancel HTTP/1.1\r\n",
        "GET /v1/files/file-1 HTTP/1.1\r\n",    "DELETE /v1/files/file-1 HTTP/1.1\r\n",
        "GET /v1/models HTTP/1.1\r\n",
    };
    struct bench *b = *state;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    get(b);
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(b->batch.status, REMOTE_RUNNING);
    run(b, provider_cancel(b->provider, "batch_1", on_batch, b));
    assert_class(b, PROVIDER_CONFLICT_STATE);
    run(b, provider_file_get(b->provider, "file-1", on_file, b));
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(b->file.bytes, 5);
    run(b, provider_file_delete(b->provider, "file-1", on_plain, b));
    assert_class(b, PROVIDER_NONE);
    run(b, provider_models(b->provider, on_plain, b));
    assert_class(b, PROVIDER_NONE);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_int_equal(strncmp(seen(b, i).head, lines[i], strlen(lines[i])), 0);
        assert_non_null(strstr(seen(b, i).head, "Authorization: Bearer " KEY "\r\n"));
    }
}

static void listings_are_paged_and_may_not_go_in_circles(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"data\":[{\"id\":\"b2\"}],\"has_more\":true}")),
        CLOSE_AFTER(JSON("200 OK", "{\"data\":[{\"id\":\"b2\"}],\"has_more\":true}")),
        CLOSE_AFTER(JSON("200 OK", "{\"data\":[{\"id\":\"f1\",\"fileName\":\"a\"}]}")),
        CLOSE_AFTER(JSON("200 OK", "{\"code\":\"1302\",\"message\":\"slow\"}")),
    };
    struct bench *b = *state;

    serve(b, "zhipu", steps, ARRAY_LEN(steps));
    run(b, provider_list(b->provider, NULL, 100, on_batches, b));
    assert_class(b, PROVIDER_NONE);
    assert_int_equal(b->count, 1);
    assert_true(b->has_more);
    assert_string_equal(b->next, "b2");
    run(b, provider_list(b->provider, b->next, 100, on_batches, b));
    assert_class(b, PROVIDER_UNKNOWN);
    run(b, provider_file_list(b->provider, "", 100, on_files, b));
    assert_class(b, PROVIDER_NONE);
    assert_string_equal(b->file.filename, "a");
    run(b, provider_list(b->provider, "", 5, on_batches, b));
    assert_class(b, PROVIDER_RATE_LIMIT);
    assert_non_null(strstr(seen(b, 0).head, "GET /v1/batches?limit=100 HTTP"));
    assert_non_null(strstr(seen(b, 1).head, "GET /v1/batches?limit=100&after=b2 HTTP"));
    assert_non_null(strstr(seen(b, 2).head, "GET /v1/files?purpose=batch&limit=100 HTTP"));
}

/* ---- downloads ---- */

static void on_size(int64_t total, void *arg)
{
    struct bench *b = arg;

    assert_int_equal(b->taken.len, 0);
    b->size = total;
    b->size_runs++;
}

static void resume(void *arg)
{
    struct bench *b = arg;

    provider_content_resume(b->call);
}

static enum http_body_verdict on_bytes(const char *bytes, size_t len, void *arg)
{
    struct bench *b = arg;

    if (b->cancel_at_once) {
        provider_free(b->provider);
        b->provider = NULL;
        event_base_loopbreak(b->base);
        return HTTP_BODY_OK;
    }
    if (b->abort_at_once)
        return HTTP_BODY_ABORT;
    if (b->pauses_left > 0) {
        b->pauses_left--;
        loop_later(b->base, resume, b);
        return HTTP_BODY_PAUSE;
    }
    assert_true(buf_append(&b->taken, bytes, len));
    return HTTP_BODY_OK;
}

static const struct provider_content_sink sink = {
    .on_size = on_size, .on_bytes = on_bytes, .done = on_plain};

static void download(struct bench *b, uint64_t offset)
{
    buf_clear(&b->taken);
    b->size_runs = 0;
    b->size = -2;
    b->inside = true;
    run(b, provider_content(b->provider, "file-1", offset, &sink, b));
}

/* clang-format off */
static const struct {
    const char *name;
    struct http_stub_step step;
    uint64_t offset;
    enum provider_class class;
    const char *bytes;
    int64_t size; /* -2: not told */
    int pauses;
} downloads[] = {
    {"whole",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"),
     0,
     PROVIDER_NONE,
     "abcdef",
     6,
     0},
    {"chunked: the size is not known",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
     0,
     PROVIDER_NONE,
     "abc",
     -1,
     0},
    {"an empty file",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
     0,
     PROVIDER_NONE,
     "",
     0,
     0},
    {"a range",
     CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Range: bytes 4-5/6\r\nContent-Length: 2\r\n\r\nef"),
     4,
     PROVIDER_NONE,
     "ef",
     6,
     0},
    {"a range of a file whose size is not told",
     CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Range: bytes 4-5/*\r\nContent-Length: 2\r\n\r\nef"),
     4,
     PROVIDER_NONE,
     "ef",
     6,
     0},
    {"the range is ignored: the bytes before it are dropped",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"),
     4,
     PROVIDER_NONE,
     "ef",
     6,
     0},
    {"so they are after pauses",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef"),
     4,
     PROVIDER_NONE,
     "ef",
     6,
     3},
    {"another range",
     CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Range: bytes 0-5/6\r\nContent-Length: 6\r\n\r\nabcdef"),
     4,
     PROVIDER_UNKNOWN,
     "",
     -2,
     0},
    {"a range that is not named",
     CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Length: 2\r\n\r\nef"),
     4,
     PROVIDER_UNKNOWN,
     "",
     -2,
     0},
    {"a part of the range",
     CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Range: bytes 2-3/6\r\nContent-Length: 2\r\n\r\ncd"),
     2,
     PROVIDER_TRUNCATED,
     "cd",
     6,
     0},
    {"from the end",
     CLOSE_AFTER("HTTP/1.1 416 R\r\nContent-Range: bytes */6\r\nContent-Length: 0\r\n\r\n"),
     6,
     PROVIDER_NONE,
     "",
     6,
     0},
    {"from behind the end",
     CLOSE_AFTER("HTTP/1.1 416 R\r\nContent-Range: bytes */6\r\nContent-Length: 0\r\n\r\n"),
     7,
     PROVIDER_REFUSED,
     "",
     -2,
     0},
    {"the file has become shorter",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"),
     4,
     PROVIDER_UNKNOWN,
     "",
     3,
     0},
    {"cut",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcd"),
     0,
     PROVIDER_TRUNCATED,
     "abcd",
     6,
     0},
    {"encoded although nobody asked",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\nabcdef"),
     0,
     PROVIDER_UNKNOWN,
     "",
     -2,
     0},
    {"no such file",
     CLOSE_AFTER(JSON("404 Not Found", "{}")),
     0,
     PROVIDER_NOT_FOUND,
     "",
     -2,
     0},
    {"no answer", {.end = STUB_CLOSE}, 0, PROVIDER_AMBIGUOUS, "", -2, 0},
    {"an error told as a success",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n"
                "{\"code\":\"1302\",\"message\":\"slow!\"}"),
     0,
     PROVIDER_RATE_LIMIT,
     "",
     -2,
     0},
    {"a small error file is content",
     CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
                "{\"custom_id\":\"a\",\"error\":{\"code\":\"bad\"}}"),
     0,
     PROVIDER_NONE,
     "{\"custom_id\":\"a\",\"error\":{\"code\":\"bad\"}}",
     40,
     0},
    {"a redirect to nowhere",
     CLOSE_AFTER("HTTP/1.1 302 F\r\nContent-Length: 0\r\n\r\n"),
     0,
     PROVIDER_REFUSED,
     "",
     -2,
     0},
};
/* clang-format on */

static void an_error_in_the_place_of_a_file_does_not_tell_the_key(void **state)
{
    static const struct http_stub_step step = CLOSE_AFTER(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 54\r\n\r\n"
        "{\"code\":\"1302\",\"message\":\"slow, " KEY "\"}");
    struct bench *b = *state;

    serve(b, "openai", &step, 1);
    download(b, 0);
    assert_class(b, PROVIDER_RATE_LIMIT);
    assert_string_equal(b->error.message, "slow, ********************");
}

static void downloads_give_the_bytes_from_the_offset_on(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(downloads); i++) {
        char range[64];

        print_message("  %s\n", downloads[i].name);
        b->pauses_left = downloads[i].pauses;
        const struct http_stub_step twice[] = {downloads[i].step, downloads[i].step};
        serve(b, "openai", twice, ARRAY_LEN(twice));
        download(b, downloads[i].offset);
        assert_class(b, downloads[i].class);
        assert_int_equal(b->taken.len, strlen(downloads[i].bytes));
        assert_memory_equal(b->taken.len > 0 ? b->taken.data : "", downloads[i].bytes,
                            b->taken.len);
        assert_int_equal(b->size, downloads[i].size);
        assert_int_equal(b->size_runs, downloads[i].size != -2);
        assert_int_equal(b->pauses_left, 0);
        (void)snprintf(range, sizeof(range), "Range: bytes=%d-\r\n", (int)downloads[i].offset);
        assert_int_equal(strstr(seen(b, 0).head, range) != NULL, downloads[i].offset > 0);
        provider_free(b->provider);
        b->provider = NULL;
        http_stub_stop(b->stub);
        b->stub = NULL;
    }
}

static void a_server_without_use_of_ranges_is_asked_for_the_whole(void **state)
{
    static const struct http_stub_step refusals[] = {
        CLOSE_AFTER("HTTP/1.1 416 R\r\nContent-Length: 0\r\n\r\n"),
        CLOSE_AFTER(
            "HTTP/1.1 206 P\r\nContent-Range: bytes 0-5/6\r\nContent-Length: 6\r\n\r\nabcdef"),
    };
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct http_stub_step steps[] = {
            refusals[i], CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef")};

        serve(b, "openai", steps, ARRAY_LEN(steps));
        download(b, 4);
        assert_class(b, PROVIDER_NONE);
        assert_int_equal(b->taken.len, 2);
        assert_memory_equal(b->taken.data, "ef", 2);
        assert_non_null(strstr(seen(b, 0).head, "Range: bytes=4-"));
        assert_null(strstr(seen(b, 1).head, "Range:"));
        provider_free(b->provider);
        b->provider = NULL;
        http_stub_stop(b->stub);
        b->stub = NULL;
    }
}

static void a_cut_download_goes_on_where_it_stopped(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123", .end = STUB_RESET},
        CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Range: bytes 4-9/10\r\nContent-Length: 6\r\n\r\n45"),
        CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"),
    };
    struct bench *b = *state;
    char whole[16] = "";

    serve(b, "openai", steps, ARRAY_LEN(steps));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        download(b, strlen(whole));
        assert_class(b, i < 2 ? PROVIDER_TRUNCATED : PROVIDER_NONE);
        assert_true(strlen(whole) + b->taken.len < sizeof(whole));
        if (b->taken.len > 0)
            memcpy(whole + strlen(whole), b->taken.data, b->taken.len + 1);
    }
    assert_string_equal(whole, "0123456789");
}

static void the_receiver_can_give_up(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"),
    };
    struct bench *b = *state;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    b->abort_at_once = true;
    download(b, 0);
    assert_class(b, PROVIDER_ABORTED);
}

static void the_provider_may_be_freed_while_bytes_come(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"),
    };
    struct bench *b = *state;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    b->cancel_at_once = true;
    (void)provider_content(b->provider, "file-1", 0, &sink, b);
    event_base_dispatch(b->base);
    assert_int_equal(event_base_loop(b->base, EVLOOP_NONBLOCK) >= 0, 1);
    assert_int_equal(b->calls_back, 0);
    assert_null(b->provider);
}

/* The second server: sees what a redirect sends on. */
static char location_answer[256];

static void redirect_to(struct bench *b, const char *origin, size_t hops)
{
    static struct http_stub_step steps[8];

    (void)snprintf(location_answer, sizeof(location_answer),
                   "HTTP/1.1 302 Found\r\nLocation: %s/blob\r\nContent-Length: 0\r\n\r\n", origin);
    for (size_t i = 0; i < hops; i++)
        steps[i] = (struct http_stub_step)CLOSE_AFTER(location_answer);
    steps[hops] = (struct http_stub_step)CLOSE_AFTER(
        "HTTP/1.1 206 P\r\nContent-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\ncd");
    serve(b, "openai", steps, hops + 1);
}

static void a_redirect_to_another_port_drops_the_key_and_keeps_the_range(void **state)
{
    static const struct http_stub_step blob[] = {
        CLOSE_AFTER("HTTP/1.1 206 P\r\nContent-Range: bytes 2-3/4\r\nContent-Length: 2\r\n\r\ncd"),
    };
    struct bench *b = *state;
    struct http_stub_seen s;

    b->other = http_stub_start(blob, ARRAY_LEN(blob));
    redirect_to(b, http_stub_url(b->other), 1);
    download(b, 2);
    assert_class(b, PROVIDER_NONE);
    assert_memory_equal(b->taken.data, "cd", 3);
    s = http_stub_seen(b->other, 0);
    assert_int_equal(strncmp(s.head, "GET /blob HTTP/1.1\r\n", 20), 0);
    assert_null(strstr(s.head, "Authorization"));
    assert_null(strstr(s.head, KEY));
    assert_non_null(strstr(s.head, "Range: bytes=2-\r\n"));
}

static void a_redirect_within_the_origin_keeps_the_key_three_times(void **state)
{
    struct bench *b = *state;

    redirect_to(b, "", 3);
    download(b, 2);
    assert_class(b, PROVIDER_NONE);
    for (size_t i = 0; i <= 3; i++)
        assert_non_null(strstr(seen(b, i).head, "Authorization: Bearer " KEY "\r\n"));
}

static void a_fourth_redirect_is_an_error(void **state)
{
    struct bench *b = *state;

    redirect_to(b, "", 4);
    download(b, 2);
    assert_class(b, PROVIDER_REFUSED);
    assert_string_equal(b->error.message, "more than 3 redirects");
}

static const struct {
    const char *from;
    const char *location;
    const char *to; /* NULL: may not be followed */
} redirects[] = {
    {"https://a/v1/files/f/content", "https://b/x?sig=1", "https://b/x?sig=1"},
    {"https://a/v1/files/f/content", "/x",                "https://a/x"      },
    {"https://a/v1/files/f/content", "//b/x",             "https://b/x"      },
    {"https://a/v1/files/f/content", "HTTPS://b/x",       "https://b/x"      },
    {"https://a/v1/files/f/content", "http://a/x",        NULL               },
    {"HTTPS://a/v1/files/f/content", "http://a/x",        NULL               },
    {"http://a/v1/files/f/content",  "https://a/x",       "https://a/x"      },
    {"http://a/v1/files/f/content",  "http://b/x",        "http://b/x"       },
    {"http://a/v1/files/f/content",  "file:///etc/hosts", NULL               },
    {"http://a/v1/files/f/content",  "",                  NULL               },
};

static void a_redirect_never_leaves_https(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(redirects); i++) {
        char to[DIALECT_URL_MAX] = "";
        struct err err = {0};

        print_message("  %s -> %s\n", redirects[i].from, redirects[i].location);
        assert_int_equal(
            content_redirect(redirects[i].from, redirects[i].location, to, sizeof(to), &err),
            redirects[i].to != NULL);
        assert_string_equal(to, redirects[i].to != NULL ? redirects[i].to : "");
        assert_int_equal(err.kind, redirects[i].to != NULL ? ERR_NONE : ERR_PERMANENT);
    }
}

static void a_redirect_to_another_scheme_is_an_error(void **state)
{
    struct bench *b = *state;

    redirect_to(b, "ftp://127.0.0.1", 1);
    download(b, 2);
    assert_class(b, PROVIDER_REFUSED);
}

/* ---- life ---- */

static void a_cancelled_call_never_calls_back(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\"}")),
    };
    struct bench *b = *state;
    struct provider_call *call = NULL;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    call = provider_get(b->provider, "batch_0", on_batch, b);
    provider_call_cancel(call);
    provider_call_cancel(NULL);
    get(b);
    assert_string_equal(b->batch.id, "batch_1");
    assert_int_equal(b->calls_back, 1);
    assert_non_null(strstr(seen(b, 0).head, "/batches/batch_1 "));
}

static void on_batch_again(const struct provider_error *error, const struct remote_batch *batch,
                           void *arg)
{
    struct bench *b = arg;

    assert_null(error);
    assert_non_null(batch);
    provider_call_cancel(b->call); /* its own, over: nothing happens */
    b->calls_back++;
    b->call = provider_get(b->provider, "batch_2", on_batch, b);
}

static void a_callback_may_cancel_itself_and_start_another(void **state)
{
    static const struct http_stub_step steps[] = {
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_1\"}")),
        CLOSE_AFTER(JSON("200 OK", "{\"id\":\"batch_2\"}")),
    };
    struct bench *b = *state;

    serve(b, "openai", steps, ARRAY_LEN(steps));
    b->call = provider_get(b->provider, "batch_1", on_batch_again, b);
    event_base_dispatch(b->base);
    assert_int_equal(b->calls_back, 2);
    assert_string_equal(b->batch.id, "batch_2");
}

static const struct {
    const char *url;
    const char *key;
} unusable[] = {
    {"ftp://host/v1",          KEY           },
    {"host",                   KEY           },
    {"",                       KEY           },
    {"http://host/v1?x=1",     KEY           },
    {"http://user:pw@host/v1", KEY           },
    {"http://host/v1",         ""            },
    {"http://host/v1",         "a b"         },
    {"http://host/v1",         "a\r\nX:"     },
    {"http://host/v1",         "\xe2\x80\x93"},
};

static void an_unusable_address_or_key_is_refused_without_telling_the_key(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(unusable); i++) {
        struct err err = {0};

        print_message("  %s\n", unusable[i].url);
        assert_null(provider_new(b->client, provider_profile_find("openai"), unusable[i].url,
                                 unusable[i].key, NULL, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(strstr(err.msg, KEY));
    }
    provider_free(NULL);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bench_test(a_batch_is_created_as_openai_wants_it),
        bench_test(zhipu_is_told_its_endpoint_and_to_keep_the_file),
        bench_test(every_answer_to_a_create_has_its_class),
        bench_test(an_error_in_the_place_of_a_file_does_not_tell_the_key),
        bench_test(the_errors_of_a_batch_do_not_tell_the_key),
        bench_test(the_key_stands_where_the_provider_wants_it),
        bench_test(an_observer_learns_when_nothing_is_left),
        bench_test(a_named_account_replaces_that_of_the_key),
        bench_test(a_refused_connection_is_not_sent),
        bench_test(what_must_not_arrive_twice_does_not_ride_on_a_kept_connection),
        bench_test(a_file_is_uploaded_with_its_purpose_first),
        bench_test(a_file_that_cannot_be_read_is_our_own_failure),
        bench_test(ids_cannot_leave_their_place_in_the_path),
        bench_test(the_small_calls_use_their_paths),
        bench_test(listings_are_paged_and_may_not_go_in_circles),
        bench_test(downloads_give_the_bytes_from_the_offset_on),
        bench_test(a_server_without_use_of_ranges_is_asked_for_the_whole),
        bench_test(a_cut_download_goes_on_where_it_stopped),
        bench_test(the_receiver_can_give_up),
        bench_test(the_provider_may_be_freed_while_bytes_come),
        bench_test(a_redirect_to_another_port_drops_the_key_and_keeps_the_range),
        bench_test(a_redirect_within_the_origin_keeps_the_key_three_times),
        bench_test(a_fourth_redirect_is_an_error),
        cmocka_unit_test(a_redirect_never_leaves_https),
        bench_test(a_redirect_to_another_scheme_is_an_error),
        bench_test(a_cancelled_call_never_calls_back),
        bench_test(a_callback_may_cancel_itself_and_start_another),
        bench_test(an_unusable_address_or_key_is_refused_without_telling_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
