#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/redis/redis_codec.h"
#include "common/redis/redis_reply.h"

static struct redis_codec *codec;

static int set_up(void **state)
{
    (void)state;
    codec = redis_codec_new(1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_codec_free(codec);
    return 0;
}

/* One reply out of @wire, fed a byte at a time. */
static struct redis_reply *read_one(const char *wire, size_t len)
{
    struct redis_reply *reply = NULL;

    for (size_t i = 0; i < len; i++) {
        assert_null(reply);
        assert_true(redis_codec_feed(codec, wire + i, 1, NULL));
        assert_true(redis_codec_next(codec, &reply, NULL));
    }
    assert_non_null(reply);
    return reply;
}

static void every_type_arrives(void **state)
{
    static const char wire[] = "*6\r\n:-42\r\n$5\r\na\0b\r\n\r\n$-1\r\n+OK\r\n-ERR no\r\n*2\r\n"
                               "$0\r\n\r\n*0\r\n";
    struct redis_reply *r = read_one(wire, sizeof(wire) - 1);

    (void)state;
    assert_int_equal(redis_reply_count(r), 6);
    assert_int_equal(redis_reply_int(r, 0, 7), -42);
    assert_int_equal(redis_reply_str_len(r, 1), 5);
    assert_memory_equal(redis_reply_str(r, 1), "a\0b\r\n", 6);
    assert_true(redis_reply_is_nil(redis_reply_at(r, 2)));
    assert_int_equal(redis_reply_at(r, 3)->type, REDIS_TYPE_STATUS);
    assert_string_equal(redis_reply_str(r, 3), "OK");
    assert_int_equal(redis_reply_at(r, 4)->type, REDIS_TYPE_ERROR);
    assert_string_equal(redis_reply_str(r, 4), "ERR no");
    assert_int_equal(redis_reply_count(redis_reply_at(r, 5)), 2);
    assert_string_equal(redis_reply_str(redis_reply_at(r, 5), 0), "");
    assert_int_equal(redis_reply_at(redis_reply_at(r, 5), 1)->type, REDIS_TYPE_ARRAY);
    redis_reply_free(r);
}

static void readers_survive_what_is_not_there(void **state)
{
    static const char wire[] = "*4\r\n$1\r\na\r\n$2\r\n12\r\n$1\r\nb\r\n$2\r\n1x\r\n";
    struct redis_reply *r = read_one(wire, sizeof(wire) - 1);

    (void)state;
    assert_string_equal(redis_reply_str(r, 99), "");
    assert_string_equal(redis_reply_str(NULL, 0), "");
    assert_true(redis_reply_is_nil(redis_reply_at(r, 4)));
    assert_true(redis_reply_is_nil(NULL));
    assert_int_equal(redis_reply_count(redis_reply_at(r, 0)), 0);
    assert_int_equal(redis_reply_int(r, 1, 7), 12);
    assert_int_equal(redis_reply_int(r, 3, 7), 7);
    assert_int_equal(redis_reply_int(r, 0, 7), 7);
    assert_int_equal(redis_reply_number(NULL, 7), 7);
    assert_string_equal(redis_reply_text(redis_reply_field(r, "a")), "12");
    assert_string_equal(redis_reply_text(redis_reply_field(r, "b")), "1x");
    assert_true(redis_reply_is_nil(redis_reply_field(r, "12"))); /* a value is no name */
    redis_reply_free(r);
}

static void replies_come_one_by_one(void **state)
{
    struct redis_reply *reply = NULL;

    (void)state;
    assert_true(redis_codec_feed(codec, ":1\r\n:2\r\n:", 9, NULL));
    for (int64_t i = 1; i <= 2; i++) {
        assert_true(redis_codec_next(codec, &reply, NULL));
        assert_int_equal(redis_reply_number(reply, 0), i);
        redis_reply_free(reply);
    }
    assert_true(redis_codec_next(codec, &reply, NULL));
    assert_null(reply);
}

static const struct {
    const char *name, *wire;
} bad[] = {
    {"another protocol",                 "HTTP/1.1 200 OK\r\n"                                               },
    {"an array of two thousand million", "*2000000000\r\n"                                                   },
    {"a nested one",                     "*2\r\n:1\r\n*2000000000\r\n"                                       },
    {"nesting without end",              "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"},
    {"an array of a negative length",    "*-7\r\n"                                                           },
};

static void bad_bytes_are_errors(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct redis_reply *reply = NULL;
        struct err err = {0};

        print_message("  %s\n", bad[i].name);
        tear_down(state);
        set_up(state);
        assert_true(redis_codec_feed(codec, bad[i].wire, strlen(bad[i].wire), NULL));
        assert_false(redis_codec_next(codec, &reply, &err));
        assert_null(reply);
        assert_int_not_equal(err.kind, ERR_NONE);
    }
}

static void elements_are_counted_over_all_arrays(void **state)
{
    static char ones[4 * 3000000];
    struct redis_reply *reply = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(ones); i += 4)
        memcpy(ones + i, ":1\r\n", 4);
    redis_codec_free(codec);
    codec = redis_codec_new(64 * 1024 * 1024);
    assert_true(redis_codec_feed(codec, "*2\r\n*3000000\r\n", 14, NULL));
    assert_true(redis_codec_feed(codec, ones, sizeof(ones), NULL));
    assert_true(redis_codec_next(codec, &reply, NULL)); /* so many fit */
    assert_true(redis_codec_feed(codec, "*3000000\r\n", 10, NULL));
    assert_false(redis_codec_next(codec, &reply, NULL));
}

static void a_reply_over_the_limit_is_an_error(void **state)
{
    char wire[1200] = "$1100\r\n";
    struct redis_reply *reply = NULL;
    struct err err = {0};

    (void)state;
    memset(wire + 7, 'x', 1050);
    assert_true(redis_codec_feed(codec, wire, 900, NULL));
    assert_true(redis_codec_next(codec, &reply, NULL));
    assert_null(reply);
    assert_true(redis_codec_feed(codec, wire + 900, 150, NULL));
    assert_false(redis_codec_next(codec, &reply, &err));
    assert_non_null(strstr(err.msg, "1000"));
}

static void commands_may_hold_any_bytes(void **state)
{
    static const char *const argv[] = {"SET", "k\0\r\n", ""};
    static const size_t argvlen[] = {3, 4, 0};
    static const char want[] = "*3\r\n$3\r\nSET\r\n$4\r\nk\0\r\n\r\n$0\r\n\r\n";
    size_t len = 0;
    char *bytes = redis_codec_format(3, argv, argvlen, &len);

    (void)state;
    assert_int_equal(len, sizeof(want) - 1);
    assert_memory_equal(bytes, want, len);
    redis_codec_release(bytes);
}

#define codec_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        codec_test(every_type_arrives),
        codec_test(readers_survive_what_is_not_there),
        codec_test(replies_come_one_by_one),
        codec_test(bad_bytes_are_errors),
        codec_test(elements_are_counted_over_all_arrays),
        codec_test(a_reply_over_the_limit_is_an_error),
        codec_test(commands_may_hold_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
