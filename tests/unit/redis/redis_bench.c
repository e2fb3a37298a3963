#include "tests/testlib/unit.h"

#include "tests/unit/redis/redis_bench.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/loop/loop.h"

static void on_state(bool up, const struct err *reason, void *arg)
{
    struct bench *b = arg;

    assert_false(b->inside);
    assert_int_equal(up, redis_conn_is_up(b->conn));
    assert_int_equal(up, redis_conn_down_since_ms(b->conn) == -1);
    assert_int_equal(up, reason == NULL);
    if (up) {
        b->ups++;
    } else {
        b->downs++;
        b->reason = *reason;
    }
}

void bench_connect(struct bench *b, int timeout_ms)
{
    redis_conn_free(b->conn);
    b->conn = redis_conn_new(b->base, &b->url, timeout_ms);
    redis_conn_on_state(b->conn, on_state, b);
}

int bench_set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    b->base = loop_new();
    redis_server_start(&b->server);
    assert_true(redis_url_parse(b->server.url, &b->url, NULL));
    bench_connect(b, 5000);
    *state = b;
    return 0;
}

int bench_tear_down(void **state)
{
    struct bench *b = *state;

    redis_conn_free(b->conn);
    redis_server_stop(&b->server);
    loop_free(b->base);
    free(b);
    return 0;
}

void bench_done(const struct redis_result *result, void *arg)
{
    struct bench *b = arg;

    assert_false(b->inside);
    b->done_runs++;
    b->outcomes[result->outcome]++;
    b->err = result->err;
    (void)snprintf(b->text, sizeof(b->text), "%s", redis_reply_text(result->reply));
    b->number = redis_reply_number(result->reply, -1);
    if (--b->waited_for == 0)
        event_base_loopbreak(b->base);
}

struct redis_command *bench_send(struct bench *b, const char *command)
{
    char words[1024];
    const char *argv[16];
    char *rest = words;
    int argc = 0;
    struct redis_command *sent = NULL;

    (void)snprintf(words, sizeof(words), "%s", command);
    while (argc < 16 && (argv[argc] = strsep(&rest, " ")) != NULL)
        argc++;
    b->inside = true;
    sent = redis_call(b->conn, argc, argv, NULL, bench_done, b);
    b->inside = false;
    return sent;
}

static void too_late(void *arg)
{
    (void)arg;
    fail_msg("no callback in 20 s");
}

void bench_wait(struct bench *b, int count)
{
    struct loop_timer *limit = loop_timer_new(b->base, too_late, b);

    b->waited_for = count;
    loop_timer_set(limit, 20000);
    event_base_dispatch(b->base);
    loop_timer_free(limit);
}

enum redis_outcome bench_ask(struct bench *b, const char *command)
{
    memset(b->outcomes, 0, sizeof(b->outcomes));
    bench_send(b, command);
    bench_wait(b, 1);
    for (int i = 0; i < 4; i++)
        if (b->outcomes[i] != 0)
            return (enum redis_outcome)i;
    fail_msg("no outcome");
    return REDIS_UNKNOWN;
}

static void enough(void *arg)
{
    struct bench *b = arg;

    event_base_loopbreak(b->base);
}

void bench_run_for(struct bench *b, int64_t ms)
{
    struct loop_timer *timer = loop_timer_new(b->base, enough, b);

    loop_timer_set(timer, ms);
    event_base_dispatch(b->base);
    loop_timer_free(timer);
}
