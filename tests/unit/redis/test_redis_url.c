#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/redis/redis_url.h"

static const struct {
    const char *text;
    struct redis_url want;
    const char *print;
} good[] = {
    {"redis://db",                     {.transport = REDIS_TCP, .host = "db", .port = 6379},   "redis://db:6379/0" },
    {"redis://db/",                    {.transport = REDIS_TCP, .host = "db", .port = 6379},   "redis://db:6379/0" },
    {"redis://10.0.0.1:7000/3",
     {.transport = REDIS_TCP, .host = "10.0.0.1", .port = 7000, .db = 3},
     "redis://10.0.0.1:7000/3"                                                                                     },
    {"redis://[::1]:7000",
     {.transport = REDIS_TCP, .host = "::1", .port = 7000},
     "redis://[::1]:7000/0"                                                                                        },
    {"redis://:hush@db",
     {.transport = REDIS_TCP, .host = "db", .port = 6379, .password = "hush"},
     "redis://db:6379/0"                                                                                           },
    {"redis://hush@db",
     {.transport = REDIS_TCP, .host = "db", .port = 6379, .password = "hush"},
     "redis://db:6379/0"                                                                                           },
    {"rediss://ann:hu%40sh%3a@db:1/2",
     {.transport = REDIS_TLS,
      .host = "db",
      .port = 1,
      .user = "ann",
      .password = "hu@sh:",
      .db = 2},
     "rediss://db:1/2"                                                                                             },
    {"redis://:a/b+c==@db:9",
     {.transport = REDIS_TCP, .host = "db", .port = 9, .password = "a/b+c=="},
     "redis://db:9/0"                                                                                              },
    {"redis://ann:p:q@r@db",
     {.transport = REDIS_TCP, .host = "db", .port = 6379, .user = "ann", .password = "p:q@r"},
     "redis://db:6379/0"                                                                                           },
    {"unix:///run/r.sock",             {.transport = REDIS_UNIX, .path = "/run/r.sock"},       "unix:///run/r.sock"},
    {"unix:/run/r.sock",               {.transport = REDIS_UNIX, .path = "/run/r.sock"},       "unix:///run/r.sock"},
    {"unix:///run/r.sock?db=4",
     {.transport = REDIS_UNIX, .path = "/run/r.sock", .db = 4},
     "unix:///run/r.sock?db=4"                                                                                     },
};

static void understood_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const struct redis_url *want = &good[i].want;
        struct redis_url url;
        char print[128];

        print_message("  %s\n", good[i].text);
        assert_true(redis_url_parse(good[i].text, &url, NULL));
        assert_int_equal(url.transport, want->transport);
        assert_string_equal(url.host, want->host);
        assert_int_equal(url.port, want->port);
        assert_string_equal(url.path, want->path);
        assert_string_equal(url.user, want->user);
        assert_string_equal(url.password, want->password);
        assert_int_equal(url.db, want->db);
        redis_url_print(&url, print, sizeof(print));
        assert_string_equal(print, good[i].print);
    }
}

static const char *const bad[] = {
    "",
    "localhost:6379",
    "http://hush@db",
    "redis://",
    "redis://:hush@",
    "redis://:hush@:6379",
    "redis://:hush@db:0",
    "redis://:hush@db:65536",
    "redis://:hush@db:12x",
    "redis://:hush@db:",
    "redis://:hush@db/x",
    "redis://:hush@db/99999999999",
    "redis://:hush@db/0/1",
    "redis://:hush%4@db",
    "redis://:hush%00@db",
    "redis://:hush%zz@db",
    "redis://hush:@db",
    "redis://:hush@[::1",
    "redis://:hush@[::1]x",
    "unix:",
    "unix://",
    "unix:relative.sock",
    "unix:/a?x=1",
    "unix:/a?db=",
    "unix:/"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaa",
};

static void bad_urls_are_usage_errors_that_keep_the_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct redis_url url = {.port = 7};
        struct err err = {0};

        print_message("  %s\n", bad[i]);
        assert_false(redis_url_parse(bad[i], &url, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(strstr(err.msg, "hush"));
        assert_int_equal(url.port, 7);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(understood_urls),
        cmocka_unit_test(bad_urls_are_usage_errors_that_keep_the_secret),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
