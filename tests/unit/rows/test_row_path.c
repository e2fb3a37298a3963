#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/rows/row_path.h"

static const struct {
    const char *object, *path, *want; /* NULL: absent */
} lookups[] = {
    {"{\"a\":1}",                                       "a",                          "1"            },
    {"{\"a\":{\"b\":\"x\"}}",                           "a.b",                        "\"x\""        },
    {"{\"a\":{\"b\":\"x\"}}",                           "a",                          "{\"b\":\"x\"}"},
    {"{\"a\":{\"b\":\"x\"}}",                           "a.c",                        NULL           },
    {"{\"a\":{\"b\":\"x\"}}",                           "a.b.c",                      NULL           },
    {"{\"a\":null}",                                    "a",                          "null"         },
    {"{}",                                              "a",                          NULL           },
    {"{\"items\":[{\"name\":\"x\"},{\"name\":\"y\"}]}", "items.1.name",               "\"y\""        },
    {"{\"items\":[1,2,3]}",                             "items.2",                    "3"            },
    {"{\"items\":[1,2,3]}",                             "items.3",                    NULL           },
    {"{\"items\":[1,2,3]}",                             "items.-1",                   NULL           },
    {"{\"items\":[1,2,3]}",                             "items.01",                   NULL           },
    {"{\"items\":[1,2,3]}",                             "items.0x",                   NULL           },
    {"{\"items\":[1,2,3]}",                             "items.99999999999999999999", NULL           },
    {"{\"items\":[]}",                                  "items.0",                    NULL           },
    {"{\"0\":{\"1\":5}}",                               "0.1",                        "5"            },
 /* names with dots in them */
    {"{\"a.b\":1,\"a\":{\"b\":2}}",                     "a.b",                        "1"            },
    {"{\"a\":{\"b\":2},\"a.b\":1}",                     "a.b",                        "1"            },
    {"{\"a.b\":{\"c\":1}}",                             "a.b.c",                      "1"            },
    {"{\"a\":{\"b.c\":{\"d\":7}}}",                     "a.b.c.d",                    "7"            },
    {"{\"a.b\":1,\"a\":{\"b\":{\"c\":2}}}",             "a.b.c",                      NULL           }, /* the longest, and no way back */
    {"{\"ab\":1}",                                      "a",                          NULL           },
    {"{\"a\":1}",                                       "ab",                         NULL           },
    {"{\"\":1}",                                        "a",                          NULL           },
    {"{\".a\":1}",                                      ".a",                         "1"            },
    {"{\"a\":1}",                                       "",                           NULL           },
 /* of one name the last counts; escapes are decoded */
    {"{\"a\":1,\"a\":2}",                               "a",                          "2"            },
    {"{\"\\u0061\":{\"\\\"\":3}}",                      "a.\"",                       "3"            },
    {"{\"\\u0061\\u002eb\":4}",                         "a.b",                        "4"            },
    {"{\"a\\u0000b\":4}",                               "a",                          NULL           },
    {"{\"情感\":{\"极性\":5}}",                     "情感.极性",              "5"            },
};

static void a_path_finds_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lookups); i++) {
        struct json_value object;
        const char *text = lookups[i].object;
        const char *want = lookups[i].want;

        print_message("  %s at %s\n", text, lookups[i].path);
        assert_true(json_scan(text, strlen(text), &object, NULL));

        struct json_value got = row_at(&object, lookups[i].path);

        if (want == NULL) {
            assert_int_equal(got.kind, JSON_ABSENT);
            continue;
        }
        assert_int_equal(got.len, strlen(want));
        assert_memory_equal(got.text, want, got.len);
    }
}

static void nothing_is_found_in_what_is_no_object(void **state)
{
    struct json_value absent = {.kind = JSON_ABSENT};
    struct json_value number = {.kind = JSON_NUMBER, .text = "1", .len = 1};

    (void)state;
    assert_int_equal(row_at(&absent, "a").kind, JSON_ABSENT);
    assert_int_equal(row_at(&number, "a").kind, JSON_ABSENT);
}

static void a_very_long_escaped_name_is_no_part_of_a_path(void **state)
{
    char text[4096] = "{\"\\u0061";
    struct json_value object;
    size_t n = strlen(text);

    (void)state;
    memset(text + n, 'a', 3000);
    memcpy(text + n + 3000, "\":1}", 5);
    assert_true(json_scan(text, strlen(text), &object, NULL));
    assert_int_equal(row_at(&object, "a").kind, JSON_ABSENT);
}

static const struct {
    const char *path;
    bool ok;
} checks[] = {
    {"a",                                                                                         true },
    {"a.b",                                                                                       true },
    {"情感.极性",                                                                             true },
    {"a b",                                                                                       true },
    {"",                                                                                          false},
    {".",                                                                                         false},
    {".a",                                                                                        false},
    {"a.",                                                                                        false},
    {"a..b",                                                                                      false},
    {"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.29.30.31.32",
     true                                                                                              },
    {"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.29.30.31.32.33",
     false                                                                                             },
};

static void a_path_has_names_between_its_dots(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct err err = {0};

        print_message("  %s\n", checks[i].path);
        assert_int_equal(row_path_check(checks[i].path, &err), checks[i].ok);
        assert_int_equal(err.kind, checks[i].ok ? ERR_NONE : ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_finds_what_is_there),
        cmocka_unit_test(nothing_is_found_in_what_is_no_object),
        cmocka_unit_test(a_very_long_escaped_name_is_no_part_of_a_path),
        cmocka_unit_test(a_path_has_names_between_its_dots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
