#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/net/http_client.h"
#include "tests/testlib/http_stub.h"

enum { MAX_TAKEN = 64 * 1024 * 1024 };

struct bench {
    struct event_base *base;
    struct http_client *client;
    struct http_stub *stub;
    struct loop_timer *timer; /* of tests that need one */
    struct http_exchange *exchange;
    char url[128];
    /* what the callbacks saw */
    int done_runs, headers_runs;
    enum http_outcome outcome;
    struct http_reply reply;
    char body[256];
    struct err err;
    struct buf taken; /* by on_body */
    int pauses_left;  /* on_body says PAUSE so many times */
    enum http_body_verdict verdict;
    bool inside;
};

static int set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    b->base = loop_new();
    b->client = http_client_new(b->base);
    b->taken = BUF_INIT(MAX_TAKEN);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    loop_timer_free(b->timer);
    http_client_free(b->client);
    http_stub_stop(b->stub);
    loop_free(b->base);
    buf_release(&b->taken);
    free(b);
    return 0;
}

static void serve(struct bench *b, const struct http_stub_step *steps, size_t count)
{
    b->stub = http_stub_start(steps, count);
    (void)snprintf(b->url, sizeof(b->url), "%s/v1/x", http_stub_url(b->stub));
}

static void on_headers(const struct http_reply *reply, void *arg)
{
    struct bench *b = arg;

    assert_int_equal(b->taken.len, 0);
    b->headers_runs++;
    b->reply = *reply;
}

static void on_done(enum http_outcome outcome, const struct http_reply *reply,
                    const struct err *err, void *arg)
{
    struct bench *b = arg;

    assert_false(b->inside);
    b->done_runs++;
    b->outcome = outcome;
    b->reply = *reply;
    b->err = *err;
    (void)snprintf(b->body, sizeof(b->body), "%s", reply->body);
    event_base_loopbreak(b->base);
}

static struct http_request request(struct bench *b, enum http_method method)
{
    return (struct http_request){.method = method,
                                 .url = b->url,
                                 .timeout_ms = 20000,
                                 .on_headers = on_headers,
                                 .done = on_done,
                                 .arg = b};
}

static void start(struct bench *b, const struct http_request *r)
{
    struct err err = {0};

    b->inside = true;
    b->exchange = http_start(b->client, r, &err);
    b->inside = false;
    if (b->exchange == NULL)
        fail_msg("%s", err.msg);
}

/* Turn the loop until done has run. */
static void run(struct bench *b, const struct http_request *r)
{
    b->done_runs = 0;
    start(b, r);
    event_base_dispatch(b->base);
    assert_int_equal(b->done_runs, 1);
}

static void stop_loop(void *arg)
{
    struct bench *b = arg;

    event_base_loopbreak(b->base);
}

static void run_for(struct bench *b, int64_t ms)
{
    struct loop_timer *timer = loop_timer_new(b->base, stop_loop, b);

    loop_timer_set(timer, ms);
    event_base_dispatch(b->base);
    loop_timer_free(timer);
}

static void an_answer_comes_with_its_parts(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Request-Id: r1\r\n"
                   "Content-Type: application/json\r\n\r\nhello"}};
    static const char *const headers[] = {"Authorization: Bearer k", "X-A: b"};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.headers = headers;
    r.header_count = ARRAY_LEN(headers);
    run(b, &r);

    struct http_stub_seen seen = http_stub_seen(b->stub, 0);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_int_equal(b->err.kind, ERR_NONE);
    assert_int_equal(b->headers_runs, 1);
    assert_int_equal(b->reply.status, 200);
    assert_int_equal(b->reply.body_len, 5);
    assert_int_equal(b->reply.content_length, 5);
    assert_string_equal(b->body, "hello");
    assert_string_equal(b->reply.request_id, "r1");
    assert_non_null(strstr(seen.head, "GET /v1/x HTTP/1.1\r\n"));
    assert_non_null(strstr(seen.head, "\r\nAuthorization: Bearer k\r\n"));
    assert_non_null(strstr(seen.head, "\r\nX-A: b\r\n"));
    assert_non_null(strstr(seen.head, "\r\nAccept-Encoding: identity\r\n"));
}

static void a_post_sends_its_body_as_it_is(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}"}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_POST);
    r.body = "{\"a\":1}";
    r.body_len = 7;
    r.on_body = NULL;
    run(b, &r);

    struct http_stub_seen seen = http_stub_seen(b->stub, 0);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_int_equal(b->reply.status, 400);
    assert_string_equal(seen.body, "{\"a\":1}");
    assert_null(strcasestr(seen.head, "expect:"));
    assert_null(strcasestr(seen.head, "content-type:"));
}

static void a_delete_has_no_body(void **state)
{
    static const struct http_stub_step steps[] = {{.answer = "HTTP/1.1 204 No Content\r\n\r\n"}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_DELETE);
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_int_equal(b->reply.status, 204);
    assert_int_equal(b->headers_runs, 1);
    assert_int_equal(strncmp(http_stub_seen(b->stub, 0).head, "DELETE ", 7), 0);
}

static void a_redirect_is_told_not_followed(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n"}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    run(b, &r);
    assert_int_equal(b->reply.status, 302);
    assert_string_equal(b->reply.location, "/y");
    assert_int_equal(http_stub_count(b->stub), 1);
}

/* One fault of the server each, seen by a POST that must not be sent twice. */
static const struct {
    const char *name;
    struct http_stub_step step;
    enum http_outcome want;
    long status;
} faults[] = {
    {"closes after reading",        {.end = STUB_CLOSE},                             HTTP_UNKNOWN, 0  },
    {"resets after reading",        {.end = STUB_RESET},                             HTTP_UNKNOWN, 0  },
    {"never answers",               {.end = STUB_KEEP},                              HTTP_UNKNOWN, 0  },
    {"cuts the head",               {.answer = "HTTP/1.1 200 O", .end = STUB_CLOSE}, HTTP_UNKNOWN, 0  },
    {"cuts a body of known length",
     {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
      .body_repeat = 40,
      .end = STUB_CLOSE},
     HTTP_UNKNOWN,                                                                                 200},
    {"cuts a chunked body",
     {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
      .end = STUB_CLOSE},
     HTTP_UNKNOWN,                                                                                 200},
    {"talks another protocol",      {.answer = "+PONG\r\n", .end = STUB_CLOSE},      HTTP_UNKNOWN, 0  },
    {"sends too much",
     {.answer = "HTTP/1.1 500 Oops\r\nContent-Length: 4000\r\n\r\n",
      .body_repeat = 4000,
      .end = STUB_CLOSE},
     HTTP_ABORTED,                                                                                 500},
};

static void each_fault_is_judged(void **state)
{
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        print_message("  %s\n", faults[i].name);
        serve(b, &faults[i].step, 1);
        struct http_request r = request(b, HTTP_POST);
        r.fresh = true;
        r.timeout_ms = 500;
        r.max_body_bytes = 1000;
        run(b, &r);
        assert_int_equal(b->outcome, faults[i].want);
        assert_int_equal(b->reply.status, faults[i].status);
        assert_int_equal(b->err.kind, b->outcome == HTTP_ABORTED ? ERR_PERMANENT : ERR_TEMPORARY);
        assert_non_null(strstr(b->err.msg, "POST 127.0.0.1: "));
        assert_int_equal(http_stub_count(b->stub), 1);
        http_stub_stop(b->stub);
        b->stub = NULL;
    }
}

static void a_refused_connection_sent_nothing(void **state)
{
    struct bench *b = *state;

    serve(b, NULL, 0);
    http_stub_stop(b->stub); /* its port is free now */
    b->stub = NULL;
    struct http_request r = request(b, HTTP_POST);
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_NOT_SENT);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_int_equal(b->headers_runs, 0);
}

static void a_name_that_does_not_exist_sent_nothing(void **state)
{
    struct bench *b = *state;

    (void)snprintf(b->url, sizeof(b->url), "http://no-such-host.invalid/");
    struct http_request r = request(b, HTTP_POST);
    r.connect_timeout_ms = 1000;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_NOT_SENT);
}

static void plain_text_where_tls_should_be_sent_nothing(void **state)
{
    static const struct http_stub_step steps[] = {
        {.unread = true, .answer = "HTTP/1.1 400 Bad Request\r\n\r\n", .end = STUB_CLOSE}
    };
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    (void)snprintf(b->url, sizeof(b->url), "https%s/", http_stub_url(b->stub) + 4);
    struct http_request r = request(b, HTTP_POST);
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_NOT_SENT);
}

static void a_deadline_ends_a_slow_answer(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
         .wait_ms = 3000,
         .body_repeat = 10}
    };
    struct bench *b = *state;
    int64_t start_ms = clock_mono_ms();

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.timeout_ms = 200;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_UNKNOWN);
    assert_int_equal(b->reply.status, 200);
    assert_in_range(clock_mono_ms() - start_ms, 190, 2500);
}

static enum http_body_verdict on_body(const char *bytes, size_t len, void *arg)
{
    struct bench *b = arg;

    assert_int_equal(b->headers_runs, 1);
    if (b->pauses_left > 0) {
        b->pauses_left--;
        loop_timer_set(b->timer, 20);
        return HTTP_BODY_PAUSE;
    }
    assert_true(buf_append(&b->taken, bytes, len));
    return b->verdict;
}

static void resume(void *arg)
{
    struct bench *b = arg;

    b->inside = true;
    http_resume(b->exchange);
    b->inside = false;
}

static void a_paused_body_goes_on_without_loss(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 3000004\r\n\r\nabcd",
         .body_repeat = 3000000,
         .wait_ms = 20}
    };
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    b->timer = loop_timer_new(b->base, resume, b);
    b->pauses_left = 3;
    struct http_request r = request(b, HTTP_GET);
    r.on_body = on_body;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_int_equal(b->pauses_left, 0);
    assert_int_equal(b->taken.len, 3000004);
    assert_memory_equal(b->taken.data, "abcdxxxx", 8);
    assert_string_equal(b->body, "");
}

static void bytes_before_a_cut_are_delivered(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\n"
                   "Content-Range: bytes 50-1049/5000\r\n\r\n", .body_repeat = 600,
         .end = STUB_CLOSE}
    };
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.on_body = on_body;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_UNKNOWN);
    assert_int_equal(b->taken.len, 600);
    assert_int_equal(b->reply.range_start, 50);
    assert_int_equal(b->reply.range_total, 5000);
}

static void an_error_body_is_collected_even_with_on_body(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope"}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.on_body = on_body;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_string_equal(b->body, "nope");
    assert_int_equal(b->taken.len, 0);
}

static void on_body_can_abort(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", .body_repeat = 100000},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nabcd"                                                            }
    };
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    b->timer = loop_timer_new(b->base, resume, b);
    b->verdict = HTTP_BODY_ABORT;
    struct http_request r = request(b, HTTP_GET);
    r.on_body = on_body;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ABORTED);

    /* and so while libcurl hands out what a pause kept back, and no more comes */
    b->pauses_left = 1;
    b->headers_runs = 0;
    buf_clear(&b->taken);
    int64_t start_ms = clock_mono_ms();
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ABORTED);
    assert_in_range(clock_mono_ms() - start_ms, 0, 5000);
}

static void a_file_is_uploaded_whole(void **state)
{
    enum { SIZE = 20 * 1024 * 1024, SKIP = 1000 };
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"}};
    struct bench *b = *state;
    char name[] = "/tmp/sheaf-test-XXXXXX";
    int fd = mkstemp(name);
    char *bytes = xcalloc(SIZE, 1);

    assert_true(fd >= 0);
    (void)unlink(name);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + (i * 2654435761U >> 13) % 26);
    assert_int_equal(pwrite(fd, bytes, SIZE, SKIP), SIZE);
    assert_int_equal(lseek(fd, 77, SEEK_SET), 77);

    serve(b, steps, ARRAY_LEN(steps));
    const struct http_part parts[] = {
        {.name = "purpose",      .text = "batch"},
        { .name = "file",
         .fd = fd,
         .offset = SKIP,
         .size = SIZE,
         .filename = "in.jsonl",
         .content_type = "application/jsonl"}
    };
    struct http_request r = request(b, HTTP_POST);
    r.parts = parts;
    r.part_count = ARRAY_LEN(parts);
    r.fresh = true;
    run(b, &r);

    struct http_stub_seen seen = http_stub_seen(b->stub, 0);
    const char *body = strstr(seen.body, "application/jsonl\r\n\r\n");
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_null(strcasestr(seen.head, "chunked"));
    assert_null(strcasestr(seen.head, "expect:"));
    assert_non_null(strstr(seen.body, "name=\"purpose\"\r\n\r\nbatch\r\n"));
    assert_non_null(strstr(seen.body, "filename=\"in.jsonl\""));
    assert_non_null(body);
    size_t head_len = (size_t)(body - seen.body) + 21;
    const char *tail = strstr(seen.body_end, "\r\n--");
    assert_non_null(tail);
    assert_int_equal(seen.body_len, head_len + SIZE + strlen(tail));
    uint64_t sum = http_stub_sum(0, seen.body, head_len);
    sum = http_stub_sum(sum, bytes, SIZE);
    assert_true(http_stub_sum(sum, tail, strlen(tail)) == seen.body_sum);
    free(bytes);
    close(fd);
}

static void a_file_that_became_shorter_ends_the_upload(void **state)
{
    static const struct http_stub_step steps[] = {{.end = STUB_KEEP}};
    struct bench *b = *state;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const struct http_part part = {.name = "file", .fd = fd, .size = 1000, .filename = "x"};

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_POST);
    r.parts = &part;
    r.part_count = 1;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ABORTED);
    assert_non_null(strstr(b->err.msg, "shorter"));
    close(fd);
}

static const char ok_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

static void connections_are_kept_but_a_fresh_post_takes_its_own(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = ok_answer}, {.answer = ok_answer}, {.answer = ok_answer}, {.answer = ok_answer}};
    static const unsigned want[] = {0, 0, 1, 0};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        struct http_request r = request(b, HTTP_POST);
        r.fresh = i == 2;
        run(b, &r);
        assert_int_equal(http_stub_seen(b->stub, i).connection, want[i]);
    }
}

static void a_fresh_post_is_seen_once_where_a_kept_connection_would_repeat_it(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = ok_answer, .end = STUB_CLOSE},
        {.end = STUB_CLOSE                  },
        {.answer = ok_answer}
    };
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    run(b, &r);
    r = request(b, HTTP_POST);
    r.fresh = true;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_UNKNOWN);
    assert_int_equal(http_stub_count(b->stub), 2); /* nobody has sent it again */
}

/* Why "fresh" exists, and that a file can be sent from its start again. */
static void libcurl_repeats_a_post_on_a_kept_connection_that_died(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = ok_answer}, {.end = STUB_CLOSE}, {.answer = ok_answer}};
    static const char text[] = "0123456789";
    struct bench *b = *state;
    char name[] = "/tmp/sheaf-test-XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    (void)unlink(name);
    assert_int_equal(write(fd, text, 10), 10);
    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    run(b, &r);

    const struct http_part part = {.name = "f", .fd = fd, .offset = 2, .size = 5, .filename = "x"};
    r = request(b, HTTP_POST);
    r.parts = &part;
    r.part_count = 1;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    assert_int_equal(http_stub_count(b->stub), 3);
    assert_non_null(strstr(http_stub_seen(b->stub, 2).body, "\r\n\r\n23456\r\n--"));
    close(fd);
}

static enum http_body_verdict cancel_in_body(const char *bytes, size_t len, void *arg)
{
    struct bench *b = arg;

    (void)bytes;
    (void)len;
    http_cancel(b->exchange);
    return HTTP_BODY_OK;
}

static void cancel_in_headers(const struct http_reply *reply, void *arg)
{
    struct bench *b = arg;

    (void)reply;
    http_cancel(b->exchange);
}

static void a_cancelled_exchange_is_silent(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", .body_repeat = 100000},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"                                                            },
        {.answer = ok_answer}
    };
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.on_body = cancel_in_body;
    start(b, &r);
    run_for(b, 100);
    r.on_headers = cancel_in_headers;
    start(b, &r);
    run_for(b, 100);
    start(b, &r);
    http_cancel(b->exchange); /* before it began */
    run_for(b, 50);
    assert_int_equal(b->done_runs, 0);
    assert_int_equal(http_stub_count(b->stub), 2);
}

static void done_and_cancel(enum http_outcome outcome, const struct http_reply *reply,
                            const struct err *err, void *arg)
{
    struct bench *b = arg;
    struct http_request again = request(b, HTTP_GET);

    (void)outcome;
    (void)reply;
    (void)err;
    http_cancel(b->exchange);
    http_resume(b->exchange);
    start(b, &again);
}

static void done_may_start_the_next_one(void **state)
{
    static const struct http_stub_step steps[] = {{.answer = ok_answer}, {.answer = ok_answer}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.done = done_and_cancel;
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
}

static enum http_body_verdict free_in_body(const char *bytes, size_t len, void *arg)
{
    struct bench *b = arg;

    (void)bytes;
    (void)len;
    http_client_free(b->client);
    b->client = NULL;
    event_base_loopbreak(b->base);
    return HTTP_BODY_OK;
}

static void free_in_done(enum http_outcome outcome, const struct http_reply *reply,
                         const struct err *err, void *arg)
{
    struct bench *b = arg;

    on_done(outcome, reply, err, arg);
    http_client_free(b->client);
    b->client = NULL;
}

static void the_client_can_be_freed_in_a_callback(void **state)
{
    static const struct http_stub_step steps[] = {
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"},
        {.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    r.on_body = free_in_body;
    start(b, &r);
    event_base_dispatch(b->base);
    assert_int_equal(b->done_runs, 0);

    b->client = http_client_new(b->base);
    r = request(b, HTTP_GET);
    r.done = free_in_done;
    start(b, &r);
    start(b, &r);
    event_base_dispatch(b->base);
    assert_int_equal(b->done_runs, 1);
    assert_null(b->client);
}

static void the_client_can_be_freed_under_way(void **state)
{
    static const struct http_stub_step steps[] = {{.end = STUB_KEEP}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    struct http_request r = request(b, HTTP_GET);
    start(b, &r);
    run_for(b, 50);
    start(b, &r);
    assert_int_equal(b->done_runs, 0); /* tear_down frees it */
}

static void bad_requests_do_not_start(void **state)
{
    static const char *const split[] = {"X: a\r\nEvil: b"};
    static const char *const nameless[] = {"secret"};
    static const char *const urls[] = {"", "x", "ftp://a/", "file:///etc/passwd", "http://u:pw@a/"};
    struct bench *b = *state;
    struct http_request r = request(b, HTTP_GET);
    struct err err = {0};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        r.url = urls[i];
        assert_null(http_start(b->client, &r, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(strstr(err.msg, "pw"));
    }
    r.url = "http://127.0.0.1/";
    r.header_count = 1;
    r.headers = split;
    assert_null(http_start(b->client, &r, &err));
    r.headers = nameless;
    assert_null(http_start(b->client, &r, &err));
    assert_null(strstr(err.msg, "secret"));
}

static void the_local_host_is_reached_without_the_proxy(void **state)
{
    static const struct http_stub_step steps[] = {{.answer = ok_answer}};
    struct bench *b = *state;

    serve(b, steps, ARRAY_LEN(steps));
    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    struct http_request r = request(b, HTTP_GET);
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_ANSWERED);
    (void)snprintf(b->url, sizeof(b->url), "http://example.invalid/");
    run(b, &r);
    assert_int_equal(b->outcome, HTTP_NOT_SENT); /* the proxy refuses */
    assert_int_equal(unsetenv("http_proxy"), 0);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        bench_test(an_answer_comes_with_its_parts),
        bench_test(a_post_sends_its_body_as_it_is),
        bench_test(a_delete_has_no_body),
        bench_test(a_redirect_is_told_not_followed),
        bench_test(each_fault_is_judged),
        bench_test(a_refused_connection_sent_nothing),
        bench_test(a_name_that_does_not_exist_sent_nothing),
        bench_test(plain_text_where_tls_should_be_sent_nothing),
        bench_test(a_deadline_ends_a_slow_answer),
        bench_test(a_paused_body_goes_on_without_loss),
        bench_test(bytes_before_a_cut_are_delivered),
        bench_test(an_error_body_is_collected_even_with_on_body),
        bench_test(on_body_can_abort),
        bench_test(a_file_is_uploaded_whole),
        bench_test(a_file_that_became_shorter_ends_the_upload),
        bench_test(connections_are_kept_but_a_fresh_post_takes_its_own),
        bench_test(a_fresh_post_is_seen_once_where_a_kept_connection_would_repeat_it),
        bench_test(libcurl_repeats_a_post_on_a_kept_connection_that_died),
        bench_test(a_cancelled_exchange_is_silent),
        bench_test(done_may_start_the_next_one),
        bench_test(the_client_can_be_freed_in_a_callback),
        bench_test(the_client_can_be_freed_under_way),
        bench_test(bad_requests_do_not_start),
        bench_test(the_local_host_is_reached_without_the_proxy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
