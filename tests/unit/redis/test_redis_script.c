#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/loop/loop.h"
#include "common/redis/redis_script.h"
#include "tests/unit/redis/redis_bench.h"

/* Adds ARGV[1] once for each name ARGV[2]; says DUP when it has been here before. */
static const char source[] = "if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[1]) == 0 then "
                             "return 'DUP' end return 'NEW ' .. #ARGV[1]";

static struct redis_script_call *call(struct bench *b, struct redis_script *script,
                                      const char *name, int64_t timeout_ms)
{
    const char *argv[] = {"a\0b", name};
    const size_t argvlen[] = {3, strlen(name)};
    struct redis_script_call *handle = NULL;

    b->inside = true;
    handle = redis_script_call(b->conn, script, "key", 2, argv, argvlen, timeout_ms, bench_done, b);
    b->inside = false;
    return handle;
}

static void a_script_is_loaded_once_and_then_called_by_its_sum(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};
    char stats[2048];

    for (int i = 0; i < 3; i++) {
        char name[8];

        (void)snprintf(name, sizeof(name), "n%d", i);
        call(b, &script, name, 5000);
        bench_wait(b, 1);
        assert_string_equal(b->text, "NEW 3");
    }
    assert_int_equal(strlen(script.sha1), 40);
    call(b, &script, "n0", 5000);
    bench_wait(b, 1);
    assert_string_equal(b->text, "DUP");
    redis_server_ask(&b->server, "INFO commandstats", stats, sizeof(stats));
    assert_non_null(strstr(stats, "cmdstat_evalsha:calls=4,"));
    assert_null(strstr(stats, "cmdstat_eval:"));
}

static void a_server_that_has_forgotten_the_script_is_given_its_text(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};

    call(b, &script, "n", 5000);
    bench_wait(b, 1);
    redis_server_kill(&b->server); /* without persistence it comes back empty */
    redis_server_again(&b->server);
    call(b, &script, "n", 5000);
    bench_wait(b, 1);
    assert_string_equal(b->text, "NEW 3");
    redis_server_ask(&b->server, "SCRIPT FLUSH", NULL, 0);
    call(b, &script, "n", 5000);
    bench_wait(b, 1);
    assert_string_equal(b->text, "DUP");
}

static void a_lost_reply_repeats_the_script(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};

    redis_server_stop(&b->server);
    redis_server_start_with(&b->server, "", "always");
    assert_true(redis_url_parse(b->server.url, &b->url, NULL));
    bench_connect(b, 1000);
    call(b, &script, "first", 5000);
    bench_wait(b, 1);

    redis_server_freeze(&b->server);
    call(b, &script, "second", 20000);
    bench_run_for(b, 1300); /* the first try has had its time: its reply is lost */
    assert_int_equal(b->done_runs, 1);
    redis_server_thaw(&b->server); /* now the first try is executed */
    bench_wait(b, 1);
    assert_int_equal(b->outcomes[REDIS_OK], 2);
    assert_string_equal(b->text, "DUP");
}

static void a_call_survives_a_restart(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};

    bench_connect(b, 300);
    call(b, &script, "a", 5000);
    bench_wait(b, 1);
    redis_server_kill(&b->server);
    call(b, &script, "b", 20000);
    bench_run_for(b, 800); /* longer than one try waits */
    assert_int_equal(b->done_runs, 1);
    redis_server_again(&b->server);
    bench_wait(b, 1);
    assert_string_equal(b->text, "NEW 3");
}

static void time_up_without_a_server_is_not_sent(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};

    redis_server_kill(&b->server);
    bench_connect(b, 5000);
    int64_t start_ms = clock_mono_ms();
    call(b, &script, "n", 300);
    bench_wait(b, 1);
    assert_in_range(clock_mono_ms() - start_ms, 290, 2500);
    assert_int_equal(b->outcomes[REDIS_NOT_SENT], 1);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_non_null(strstr(b->err.msg, "script add: "));
    assert_non_null(strstr(b->err.msg, b->server.socket));
}

static void time_up_in_flight_is_unknown_and_leaves_the_connection(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};

    call(b, &script, "n", 5000);
    bench_wait(b, 1);
    redis_server_freeze(&b->server);
    call(b, &script, "m", 100);
    bench_wait(b, 1);
    assert_int_equal(b->outcomes[REDIS_UNKNOWN], 1);
    redis_server_thaw(&b->server);
    assert_int_equal(bench_ask(b, "HLEN key"), REDIS_OK); /* its reply is not taken for another */
    assert_int_equal(b->number, 2);
    assert_int_equal(b->downs, 0);
}

static void a_script_that_fails_is_not_repeated(void **state)
{
    struct bench *b = *state;
    struct redis_script broken = {.name = "broken", .source = "return redis.call('NOPE')"};
    struct redis_script garbled = {.name = "garbled", .source = "this is no Lua"};

    call(b, &broken, "n", 5000);
    bench_wait(b, 1);
    assert_int_equal(b->outcomes[REDIS_ERROR_REPLY], 1);
    assert_non_null(strstr(b->err.msg, "script broken: "));
    call(b, &garbled, "n", 5000);
    bench_wait(b, 1);
    assert_int_equal(b->outcomes[REDIS_ERROR_REPLY], 2);
    assert_int_equal(b->err.kind, ERR_PERMANENT);
}

static void cancelled_calls_are_silent_at_every_step(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};

    redis_script_call_cancel(call(b, &script, "waiting", 5000));
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    redis_script_call_cancel(call(b, &script, "loading", 5000));
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    redis_server_kill(&b->server);
    bench_connect(b, 100);
    struct redis_script_call *pausing = call(b, &script, "pausing", 5000);
    bench_run_for(b, 150);
    redis_script_call_cancel(pausing);
    bench_run_for(b, 100);
    assert_int_equal(b->done_runs, 2);
    redis_script_call_cancel(NULL);
}

static void done_frees(const struct redis_result *result, void *arg)
{
    struct bench *b = arg;

    (void)result;
    redis_conn_free(b->conn);
    b->conn = NULL;
    event_base_loopbreak(b->base);
}

static void the_connection_can_be_freed_in_done_and_takes_the_other_calls_along(void **state)
{
    struct bench *b = *state;
    struct redis_script script = {.name = "add", .source = source};
    static const char *const argv[] = {"a", "b"};

    call(b, &script, "x", 5000);
    bench_wait(b, 1);
    redis_script_call(b->conn, &script, "key", 2, argv, NULL, 5000, done_frees, b);
    call(b, &script, "y", 5000);
    event_base_dispatch(b->base);
    bench_run_for(b, 50);
    assert_null(b->conn);
    assert_int_equal(b->done_runs, 1);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        bench_test(a_script_is_loaded_once_and_then_called_by_its_sum),
        bench_test(a_server_that_has_forgotten_the_script_is_given_its_text),
        bench_test(a_lost_reply_repeats_the_script),
        bench_test(a_call_survives_a_restart),
        bench_test(time_up_without_a_server_is_not_sent),
        bench_test(time_up_in_flight_is_unknown_and_leaves_the_connection),
        bench_test(a_script_that_fails_is_not_repeated),
        bench_test(cancelled_calls_are_silent_at_every_step),
        bench_test(the_connection_can_be_freed_in_done_and_takes_the_other_calls_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
