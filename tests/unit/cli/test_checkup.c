#include "tests/testlib/unit.h"

#include <string.h>

#include "cli/core/checkup.h"
#include "common/base/attr.h"

static void a_version_of_redis_is_judged(void **state)
{
    static const struct {
        const char *text;
        enum check_level want;
    } cases[] = {
        {"7.0.15",                          CHECK_OK  },
        {"6.2.0",                           CHECK_OK  },
        {"10.0",                            CHECK_OK  },
        {"6.1.9",                           CHECK_FAIL},
        {"5.0.14",                          CHECK_FAIL},
        {"v=6.0.16 sha=00000000:0 bits=64", CHECK_FAIL},
        {"v=7.0.15 sha=00000000:0 bits=64", CHECK_OK  },
        {"",                                CHECK_WARN},
        {"unknown",                         CHECK_WARN},
        {"7",                               CHECK_WARN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checkup c = {0};

        checkup_redis_version(&c, "redis", cases[i].text);
        print_message("  \"%s\": %s\n", cases[i].text, c.checks[0].text);
        assert_int_equal(c.count, 1);
        assert_int_equal(c.checks[0].level, cases[i].want);
    }
}

#define VERSION "redis_version:7.0.1\r\n"
#define SAFE    VERSION "maxmemory:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"
#define LOSSY   VERSION "maxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:0\r\n"
#define RISKY   VERSION "maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n"

static void what_info_says_is_judged(void **state)
{
    static const struct {
        const char *info;
        enum check_level memory, disk;
    } cases[] = {
        {SAFE,    CHECK_OK,   CHECK_OK  },
        {LOSSY,   CHECK_FAIL, CHECK_WARN},
        {RISKY,   CHECK_WARN, CHECK_OK  },
        {VERSION, CHECK_WARN, CHECK_WARN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checkup c = {0};

        checkup_redis_info(&c, cases[i].info);
        assert_int_equal(c.count, 3);
        assert_int_equal(c.checks[0].level, CHECK_OK);
        assert_int_equal(c.checks[1].level, cases[i].memory);
        assert_int_equal(c.checks[2].level, cases[i].disk);
    }
}

static void a_value_is_found_by_its_whole_name_only(void **state)
{
    static const char info[] =
        "# Memory\r\nused_maxmemory:1\r\nmaxmemory_human:2\r\nmaxmemory:3\r\n";
    char value[8];

    (void)state;
    assert_string_equal(checkup_info(info, "maxmemory", value, sizeof(value)), "3");
    assert_string_equal(checkup_info(info, "memory", value, sizeof(value)), "");
    assert_string_equal(checkup_info("", "maxmemory", value, sizeof(value)), "");
}

static void clocks_space_and_files_are_judged(void **state)
{
    struct checkup c = {0};
    static const enum check_level want[] = {CHECK_OK,   CHECK_OK,   CHECK_WARN, CHECK_WARN,
                                            CHECK_FAIL, CHECK_WARN, CHECK_OK,   CHECK_FAIL,
                                            CHECK_WARN, CHECK_OK};

    (void)state;
    checkup_clock(&c, "clock", 1000000, 1000500);
    checkup_clock(&c, "clock", 1060000, 1000000);
    checkup_clock(&c, "clock", 1000000, 1060001);
    checkup_clock(&c, "clock", 2000000, 1000000);
    checkup_space(&c, "space", "/x", 1000);
    checkup_space(&c, "space", "/x", 500000000);
    checkup_space(&c, "space", "/x", 5000000000);
    checkup_descriptors(&c, 100);
    checkup_descriptors(&c, 512);
    checkup_descriptors(&c, 1024);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(c.checks[i].level, want[i]);
}

static void the_first_failure_gives_the_exit_code(void **state)
{
    struct checkup c = {0};
    struct buf out = BUF_INIT(65536);

    (void)state;
    assert_int_equal(checkup_code(&c), EXIT_CODE_OK);
    checkup_ok(&c, "config", "none");
    checkup_warn(&c, "disk", "make room", "little");
    assert_int_equal(checkup_code(&c), EXIT_CODE_OK);
    checkup_fail(&c, "key", EXIT_CODE_AUTH, "set it", "none\n\"");
    checkup_fail(&c, "redis", EXIT_CODE_UNAVAILABLE, "start it", "down");
    assert_int_equal(checkup_code(&c), EXIT_CODE_AUTH);
    checkup_print(&c, &out);
    assert_string_equal(out.data, "ok    config        none\n"
                                  "warn  disk          little; make room\n"
                                  "FAIL  key           none?\"; set it\n"
                                  "FAIL  redis         down; start it\n");
    buf_clear(&out);
    checkup_print_json(&c, &out);
    assert_non_null(strstr(out.data, "{\"schema\":1,\"exit_code\":4,\"checks\":["));
    assert_non_null(strstr(out.data, "{\"name\":\"key\",\"level\":\"fail\",\"text\":\"none"
                                     "\\u000a\\\"\",\"advice\":\"set it\"}"));
    buf_release(&out);
}

static void an_address_without_tls_is_for_this_host_only(void **state)
{
    static const struct {
        const char *url;
        enum check_level want;
    } cases[] = {
        {"https://api.openai.com/v1",  CHECK_OK  },
        {"http://127.0.0.1:8080/v1",   CHECK_OK  },
        {"http://localhost/v1",        CHECK_OK  },
        {"http://[::1]:8080/v1",       CHECK_OK  },
        {"http://gateway.internal/v1", CHECK_WARN},
        {"HTTP://gateway.internal/v1", CHECK_WARN},
        {"http://localhost.evil/v1",   CHECK_WARN},
        {"http://127.0.0.10/v1",       CHECK_WARN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checkup c = {0};

        print_message("  %s\n", cases[i].url);
        checkup_address(&c, cases[i].url);
        assert_int_equal(c.checks[0].level, cases[i].want);
    }
}

static void an_account_says_where_it_comes_from(void **state)
{
    static const struct {
        const char *id, *given, *want;
    } cases[] = {
        {"0123456789ab", NULL,           "0123456789ab, of this key"         },
        {"0123456789ab", "0123456789ab", "0123456789ab, as given"            },
        {"0123456789ab", "team",         "0123456789ab, of the name \"team\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct checkup c = {0};

        checkup_account(&c, cases[i].id, cases[i].given);
        assert_string_equal(c.checks[0].text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_without_tls_is_for_this_host_only),
        cmocka_unit_test(an_account_says_where_it_comes_from),
        cmocka_unit_test(a_version_of_redis_is_judged),
        cmocka_unit_test(what_info_says_is_judged),
        cmocka_unit_test(a_value_is_found_by_its_whole_name_only),
        cmocka_unit_test(clocks_space_and_files_are_judged),
        cmocka_unit_test(the_first_failure_gives_the_exit_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
