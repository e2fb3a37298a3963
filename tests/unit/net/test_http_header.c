#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/net/http_header.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */
static const int64_t example_unix_ms = 784111777000;

static struct http_reply read_lines(const char *const *lines, size_t count)
{
    struct http_reply reply;

    http_header_reset(&reply);
    for (size_t i = 0; i < count && lines[i] != NULL; i++)
        http_header_line(&reply, lines[i], strlen(lines[i]), example_unix_ms - 90000);
    return reply;
}

static const struct {
    const char *name;
    const char *lines[3];
    int64_t want_ms;
} waits[] = {
    {"no hint",                                  {"Date: x"},                                     -1             },
    {"seconds",                                  {"Retry-After: 7\r\n"},                          7000           },
    {"a fraction of seconds",                    {"retry-after: 0.25"},                           250            },
    {"milliseconds",                             {"retry-after-ms: 1500"},                        1500           },
    {"a fraction of milliseconds is rounded up", {"Retry-After-Ms: 12.1"},                        13             },
    {"milliseconds win, first",                  {"retry-after-ms: 5", "Retry-After: 9"},         5              },
    {"milliseconds win, last",                   {"Retry-After: 9", "retry-after-ms: 5"},         5              },
    {"a date",                                   {"Retry-After: Sun, 06 Nov 1994 08:49:37 GMT"},  90000          },
    {"a date that has passed",                   {"Retry-After: Sun, 06 Nov 1994 08:40:00 GMT"},  0              },
    {"zero",                                     {"Retry-After: 0"},                              0              },
    {"below zero is no number",                  {"Retry-After: -5"},                             -1             },
    {"minus one is no number",                   {"Retry-After: -1"},                             -1             },
    {"a day",                                    {"Retry-After: 86400"},                          86400000       },
    {"letters",                                  {"Retry-After: abc"},                            -1             },
    {"milliseconds that are none",               {"retry-after-ms: -1"},                          -1             },
    {"a date of RFC 850",                        {"Retry-After: Sunday, 06-Nov-94 08:49:37 GMT"}, 90000          },
    {"nonsense",                                 {"Retry-After: soon"},                           -1             },
    {"infinity is no number",                    {"Retry-After: inf"},                            -1             },
    {"more than a month is cut",                 {"Retry-After: 99999999999999999999"},           30LL * 86400000},
};

static void each_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        struct http_reply reply = read_lines(waits[i].lines, 3);

        print_message("  %s\n", waits[i].name);
        assert_int_equal(reply.retry_after_ms, waits[i].want_ms);
    }
}

static const struct {
    const char *name, *line;
    int64_t start, total;
} ranges[] = {
    {"a range of a known whole",              "Content-Range: bytes 5-9/100",                  5,  100},
    {"a range of an unknown whole",           "content-range: bytes 5-9/*",                    5,  -1 },
    {"an unsatisfiable range tells the size", "Content-Range: bytes */100",                    -1, 100},
    {"a range past the end is not believed",  "Content-Range: bytes 5-100/100",                -1, -1 },
    {"a range that runs backwards neither",   "Content-Range: bytes 9-5/100",                  -1, -1 },
    {"other units are not ours",              "Content-Range: lines 5-9/100",                  -1, -1 },
    {"numbers of 20 digits are not believed", "Content-Range: bytes 0-1/99999999999999999999", -1,
     -1                                                                                               },
};

static void each_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        struct http_reply reply = read_lines(&ranges[i].line, 1);

        print_message("  %s\n", ranges[i].name);
        assert_int_equal(reply.range_start, ranges[i].start);
        assert_int_equal(reply.range_total, ranges[i].total);
    }
}

static void the_rest_of_a_head_is_kept(void **state)
{
    static const char *const lines[] = {
        "HTTP/1.1 302 Found\r\n",
        "Location:  /x?y=1 \r\n",
        "X-Request-ID: req_1\r\n",
        "content-type: application/jsonl; charset=utf-8\r\n",
        "CONTENT-LENGTH: 9223372\r\n",
        "no colon here\r\n",
        "\r\n",
    };
    struct http_reply reply = read_lines(lines, ARRAY_LEN(lines));

    (void)state;
    assert_int_equal(reply.status, 302);
    assert_string_equal(reply.location, "/x?y=1");
    assert_string_equal(reply.request_id, "req_1");
    assert_string_equal(reply.content_type, "application/jsonl; charset=utf-8");
    assert_int_equal(reply.content_length, 9223372);
}

static void the_servers_clock_is_kept(void **state)
{
    static const char *const date[] = {"HTTP/1.1 200 OK", "Date: Sun, 06 Nov 1994 08:49:37 GMT"};
    static const char *const none[] = {"HTTP/1.1 200 OK", "Date: today"};

    (void)state;
    struct http_reply reply = read_lines(date, ARRAY_LEN(date));
    assert_int_equal(reply.date_ms, 784111777000);
    reply = read_lines(none, ARRAY_LEN(none));
    assert_int_equal(reply.date_ms, -1);
}

static void what_is_said_of_rates_is_kept_as_it_came(void **state)
{
    static const char *const lines[] = {"HTTP/1.1 429 Too Many Requests",
                                        "X-RateLimit-Remaining-Requests: 0",
                                        "x-ratelimit-reset-requests:  6m0s\r\n",
                                        "x-rate: 1",
                                        "X-Should-Retry: false",
                                        "x-should-retry-not: 1"};
    struct http_reply reply = read_lines(lines, ARRAY_LEN(lines));

    (void)state;
    assert_string_equal(reply.hints, "x-ratelimit-remaining-requests: 0\n"
                                     "x-ratelimit-reset-requests: 6m0s\n"
                                     "x-should-retry: false\n");
}

static void rates_that_do_not_fit_are_left_out(void **state)
{
    struct http_reply reply;
    char line[400] = "x-ratelimit-a: ";

    (void)state;
    memset(line + strlen(line), 'v', 300);
    http_header_reset(&reply);
    http_header_line(&reply, line, strlen(line), 0);
    http_header_line(&reply, line, strlen(line), 0);
    http_header_line(&reply, "x-ratelimit-b: 1", 16, 0);
    assert_int_equal(strlen(reply.hints), strlen(line) + 1 + strlen("x-ratelimit-b: 1\n"));
}

static void an_interim_answer_is_forgotten(void **state)
{
    static const char *const lines[] = {"HTTP/1.1 103 Early Hints", "Location: /early", "",
                                        "HTTP/1.1 200 OK"};
    struct http_reply reply = read_lines(lines, ARRAY_LEN(lines));

    (void)state;
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.location, "");
}

static void what_does_not_fit_is_left_out(void **state)
{
    char line[3000] = "Location: /";
    struct http_reply reply;

    (void)state;
    memset(line + strlen(line), 'a', 2500);
    http_header_reset(&reply);
    http_header_line(&reply, line, strlen(line), 0);
    assert_string_equal(reply.location, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wait),
        cmocka_unit_test(each_range),
        cmocka_unit_test(the_rest_of_a_head_is_kept),
        cmocka_unit_test(the_servers_clock_is_kept),
        cmocka_unit_test(what_is_said_of_rates_is_kept_as_it_came),
        cmocka_unit_test(rates_that_do_not_fit_are_left_out),
        cmocka_unit_test(an_interim_answer_is_forgotten),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
