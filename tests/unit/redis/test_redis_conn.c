#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/clock.h"
#include "common/loop/loop.h"
#include "tests/unit/redis/redis_bench.h"

static void commands_sent_before_the_connection_is_up_are_answered_in_order(void **state)
{
    struct bench *b = *state;

    assert_false(redis_conn_is_up(b->conn));
    bench_send(b, "SET k v");
    bench_send(b, "GET k");
    assert_int_equal(b->done_runs, 0);
    bench_wait(b, 2);
    assert_int_equal(b->outcomes[REDIS_OK], 2);
    assert_string_equal(b->text, "v");
    assert_int_equal(b->ups, 1);
    assert_int_equal(redis_conn_last_error(b->conn)->kind, ERR_NONE);
}

static void an_error_reply_is_told_and_the_connection_stays(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_ask(b, "NOSUCH"), REDIS_ERROR_REPLY);
    assert_int_equal(b->err.kind, ERR_PERMANENT);
    assert_non_null(strstr(b->err.msg, "unknown command"));
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    assert_int_equal(b->ups, 1);
}

static void the_database_is_chosen(void **state)
{
    struct bench *b = *state;

    b->url.db = 3;
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "SET k v"), REDIS_OK);
    assert_int_equal(bench_ask(b, "SELECT 0"), REDIS_OK);
    assert_int_equal(bench_ask(b, "EXISTS k"), REDIS_OK);
    assert_int_equal(b->number, 0);
    assert_int_equal(bench_ask(b, "SELECT 3"), REDIS_OK);
    assert_int_equal(bench_ask(b, "EXISTS k"), REDIS_OK);
    assert_int_equal(b->number, 1);
}

static void a_password_is_wanted_and_never_shown(void **state)
{
    struct bench *b = *state;

    redis_server_stop(&b->server);
    redis_server_start_with(&b->server, "hush", NULL);
    assert_true(redis_url_parse(b->server.url, &b->url, NULL));

    bench_connect(b, 500); /* none */
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    assert_int_equal(b->reason.kind, ERR_PERMANENT);
    assert_non_null(strstr(b->reason.msg, "NOAUTH"));

    (void)snprintf(b->url.password, sizeof(b->url.password), "wrong-one");
    bench_connect(b, 500);
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_int_equal(redis_conn_last_error(b->conn)->kind, ERR_PERMANENT);
    assert_non_null(strstr(b->reason.msg, "password refused (WRONGPASS)"));
    assert_null(strstr(b->reason.msg, "wrong-one"));

    (void)snprintf(b->url.password, sizeof(b->url.password), "hush");
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    (void)snprintf(b->url.user, sizeof(b->url.user), "default");
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
}

static void a_server_killed_in_flight_leaves_the_outcome_unknown(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    redis_server_freeze(&b->server);
    bench_send(b, "INCR k");
    bench_send(b, "INCR k");
    bench_run_for(b, 30);
    redis_server_kill(&b->server);
    bench_wait(b, 2);
    assert_int_equal(b->outcomes[REDIS_UNKNOWN], 2);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_false(redis_conn_is_up(b->conn));

    /* what comes now waits for the next server; nothing was sent again */
    bench_send(b, "EXISTS k");
    bench_run_for(b, 100);
    redis_server_again(&b->server);
    bench_wait(b, 1);
    assert_int_equal(b->outcomes[REDIS_OK], 2);
    assert_int_equal(b->number, 0);
    assert_int_equal(b->ups, 2);
    assert_true(b->downs >= 1);
}

static void without_a_server_commands_end_at_their_deadline_unsent(void **state)
{
    struct bench *b = *state;

    redis_server_kill(&b->server);
    bench_connect(b, 300);
    int64_t start_ms = clock_mono_ms();
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    assert_in_range(clock_mono_ms() - start_ms, 290, 3000);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_non_null(strstr(b->err.msg, "unix://"));
    assert_true(redis_conn_down_since_ms(b->conn) <= start_ms);
}

static void a_black_hole_ends_at_the_deadline_and_is_dropped(void **state)
{
    struct bench *b = *state;

    bench_connect(b, 400);
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    redis_server_freeze(&b->server);
    int64_t start_ms = clock_mono_ms();
    bench_send(b, "INCR k");
    bench_run_for(b, 200);
    bench_send(b, "INCR k"); /* its own deadline is later, its connection dies now */
    bench_wait(b, 2);
    assert_in_range(clock_mono_ms() - start_ms, 390, 3000);
    assert_int_equal(b->outcomes[REDIS_UNKNOWN], 2);
    assert_int_equal(b->downs, 1);

    /* the kernel still accepts for the frozen server: greeting unanswered, command unsent */
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    redis_server_thaw(&b->server);
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "GET k"), REDIS_OK);
    assert_string_equal(b->text, "2"); /* "unknown" meant it: they were executed */
}

static void a_replica_that_refuses_writes_is_left(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_ask(b, "REPLICAOF 127.0.0.1 1"), REDIS_OK);
    assert_int_equal(bench_ask(b, "SET k v"), REDIS_NOT_SENT);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_non_null(strstr(b->err.msg, "READONLY"));
    assert_int_equal(b->downs, 1);
    assert_int_equal(bench_ask(b, "REPLICAOF NO ONE"), REDIS_OK);
    assert_int_equal(bench_ask(b, "SET k v"), REDIS_OK);
    assert_int_equal(b->ups, 2);
}

static void cancelled_commands_are_silent_and_keep_the_replies_aligned(void **state)
{
    struct bench *b = *state;

    redis_call_cancel(bench_send(b, "SET k waiting"));
    assert_int_equal(bench_ask(b, "EXISTS k"), REDIS_OK);
    assert_int_equal(b->number, 0); /* had not been sent yet */
    redis_call_cancel(bench_send(b, "ECHO first"));
    assert_int_equal(bench_ask(b, "ECHO second"), REDIS_OK);
    assert_string_equal(b->text, "second");
    assert_int_equal(b->done_runs, 2);
    redis_call_cancel(NULL);
}

static void a_large_value_goes_both_ways(void **state)
{
    enum { SIZE = 8 * 1024 * 1024 };
    struct bench *b = *state;
    char *value = malloc(SIZE);
    const char *argv[] = {"SET", "k", value};
    const size_t argvlen[] = {3, 1, SIZE};

    assert_non_null(value);
    memset(value, 'v', SIZE);
    redis_call(b->conn, 3, argv, argvlen, bench_done, b);
    bench_send(b, "STRLEN k");
    bench_send(b, "GET k");
    bench_send(b, "ECHO end");
    bench_wait(b, 4);
    assert_int_equal(b->outcomes[REDIS_OK], 4);
    assert_string_equal(b->text, "end");
    free(value);
}

static void a_reply_over_64_mb_is_unknown(void **state)
{
    struct bench *b = *state;

    bench_connect(b, 30000);
    assert_int_equal(bench_ask(b, "SETRANGE k 68000000 x"), REDIS_OK);
    assert_int_equal(bench_ask(b, "GET k"), REDIS_UNKNOWN);
    assert_non_null(strstr(b->err.msg, "more than 67108864 bytes"));
    assert_int_equal(bench_ask(b, "STRLEN k"), REDIS_OK);
}

static void free_the_conn(struct bench *b)
{
    redis_conn_free(b->conn);
    b->conn = NULL;
    event_base_loopbreak(b->base);
}

static void done_frees(const struct redis_result *result, void *arg)
{
    struct bench *b = arg;

    (void)result;
    b->done_runs++;
    free_the_conn(b);
}

static void the_connection_can_be_freed_in_done(void **state)
{
    struct bench *b = *state;
    static const char *const ping[] = {"PING"};

    redis_call(b->conn, 1, ping, NULL, done_frees, b);
    bench_send(b, "PING"); /* no callback for this one */
    event_base_dispatch(b->base);
    assert_null(b->conn);
    bench_run_for(b, 20);
    assert_int_equal(b->done_runs, 1);

    /* and where a loss ends several at once */
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "PING"), REDIS_OK);
    b->done_runs = 0;
    redis_server_freeze(&b->server);
    redis_call(b->conn, 1, ping, NULL, done_frees, b);
    bench_send(b, "PING");
    bench_run_for(b, 20);
    redis_server_kill(&b->server);
    event_base_dispatch(b->base);
    assert_null(b->conn);
    assert_int_equal(b->done_runs, 1);

    /* and at a deadline, unsent */
    bench_connect(b, 100);
    redis_call(b->conn, 1, ping, NULL, done_frees, b);
    bench_send(b, "PING");
    event_base_dispatch(b->base);
    assert_null(b->conn);
    assert_int_equal(b->done_runs, 2);
}

static void state_frees(bool up, const struct err *reason, void *arg)
{
    (void)up;
    (void)reason;
    free_the_conn(arg);
}

static void the_connection_can_be_freed_when_its_state_changes(void **state)
{
    struct bench *b = *state;

    redis_conn_on_state(b->conn, state_frees, b);
    bench_send(b, "PING");
    event_base_dispatch(b->base);
    assert_null(b->conn);

    redis_server_kill(&b->server);
    bench_connect(b, 1000);
    redis_conn_on_state(b->conn, state_frees, b);
    bench_send(b, "PING");
    event_base_dispatch(b->base);
    assert_null(b->conn);
    assert_int_equal(b->done_runs, 0);
    redis_conn_free(NULL);
}

/* A port of its own, for what only TCP can show. */
static void enable_tcp(struct bench *b, const char *scheme, const char *host)
{
    char text[64];

    for (unsigned port = 20000 + (unsigned)b->server.pid % 10000;; port++) {
        (void)snprintf(text, sizeof(text), "CONFIG SET port %u", port);
        if (bench_ask(b, text) == REDIS_OK) {
            (void)snprintf(text, sizeof(text), "%s://%s:%u/1", scheme, host, port);
            assert_true(redis_url_parse(text, &b->url, NULL));
            return;
        }
    }
}

static void a_server_is_reached_by_address_and_by_name(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost"};
    struct bench *b = *state;

    enable_tcp(b, "redis", "127.0.0.1");
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        (void)snprintf(b->url.host, sizeof(b->url.host), "%s", hosts[i]);
        bench_connect(b, 5000);
        assert_int_equal(bench_ask(b, "SET k v"), REDIS_OK);
    }
}

/* A certificate for localhost and 127.0.0.1, trusted by nobody yet, in the server's folder. */
static void make_certificate(struct bench *b)
{
    char command[512];

    (void)snprintf(command, sizeof(command),
                   "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
                   "-nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=test "
                   "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>openssl.log",
                   b->server.dir);
    assert_int_equal(system(command), 0);
}

static void enable_tls(struct bench *b)
{
    char text[512];

    make_certificate(b);
    for (unsigned port = 30000 + (unsigned)b->server.pid % 10000;; port++) {
        (void)snprintf(text, sizeof(text),
                       "CONFIG SET tls-cert-file %s/cert.pem tls-key-file %s/key.pem "
                       "tls-ca-cert-file %s/cert.pem tls-auth-clients no tls-port %u",
                       b->server.dir, b->server.dir, b->server.dir, port);
        if (bench_ask(b, text) == REDIS_OK) {
            (void)snprintf(text, sizeof(text), "rediss://localhost:%u", port);
            assert_true(redis_url_parse(text, &b->url, NULL));
            return;
        }
    }
}

static void tls_accepts_only_a_trusted_certificate_for_that_host(void **state)
{
    struct bench *b = *state;
    char file[128];

    enable_tls(b);
    bench_connect(b, 1500); /* not trusted */
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    assert_non_null(strstr(b->err.msg, "TLS: self-signed certificate"));

    (void)snprintf(file, sizeof(file), "%s/cert.pem", b->server.dir);
    assert_int_equal(setenv("SSL_CERT_FILE", file, 1), 0);
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "SET k v"), REDIS_OK);
    (void)snprintf(b->url.host, sizeof(b->url.host), "127.0.0.1");
    bench_connect(b, 5000);
    assert_int_equal(bench_ask(b, "GET k"), REDIS_OK);
    assert_string_equal(b->text, "v");

    (void)snprintf(b->url.host, sizeof(b->url.host), "127.0.0.2"); /* same server, other name */
    bench_connect(b, 1500);
    assert_int_equal(bench_ask(b, "GET k"), REDIS_NOT_SENT);
    assert_non_null(strstr(b->err.msg, "TLS: IP address mismatch"));
    assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
}

static void tls_to_a_server_without_it_fails_with_a_reason(void **state)
{
    struct bench *b = *state;

    enable_tcp(b, "rediss", "127.0.0.1");
    bench_connect(b, 700);
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    assert_non_null(strstr(b->err.msg, "rediss://127.0.0.1"));
}

static void a_connection_can_be_freed_while_its_name_is_looked_up(void **state)
{
    struct bench *b = *state;

    assert_true(redis_url_parse("redis://no-such-host.invalid", &b->url, NULL));
    bench_connect(b, 1000);
    bench_send(b, "PING");
    bench_run_for(b, 5);
    bench_connect(b, 300);
    assert_int_equal(bench_ask(b, "PING"), REDIS_NOT_SENT);
    bench_run_for(b, 200);
}

#define bench_test(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        bench_test(commands_sent_before_the_connection_is_up_are_answered_in_order),
        bench_test(an_error_reply_is_told_and_the_connection_stays),
        bench_test(the_database_is_chosen),
        bench_test(a_password_is_wanted_and_never_shown),
        bench_test(a_server_killed_in_flight_leaves_the_outcome_unknown),
        bench_test(without_a_server_commands_end_at_their_deadline_unsent),
        bench_test(a_black_hole_ends_at_the_deadline_and_is_dropped),
        bench_test(a_replica_that_refuses_writes_is_left),
        bench_test(cancelled_commands_are_silent_and_keep_the_replies_aligned),
        bench_test(a_large_value_goes_both_ways),
        bench_test(a_reply_over_64_mb_is_unknown),
        bench_test(the_connection_can_be_freed_in_done),
        bench_test(the_connection_can_be_freed_when_its_state_changes),
        bench_test(a_server_is_reached_by_address_and_by_name),
        bench_test(tls_accepts_only_a_trusted_certificate_for_that_host),
        bench_test(tls_to_a_server_without_it_fails_with_a_reason),
        bench_test(a_connection_can_be_freed_while_its_name_is_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
