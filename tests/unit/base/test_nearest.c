#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "common/base/nearest.h"

static const char *const names[] = {"openai", "zhipu",  "max_requests", "max-bytes",
                                    "run",    "submit", "status",       NULL};

static const struct {
    const char *word;
    const char *near; /* NULL: none */
} cases[] = {
    {"opnai",                                               "openai"      },
    {"openai",                                              "openai"      },
    {"zhipo",                                               "zhipu"       },
    {"max-request",                                         "max_requests"},
    {"max_byte",                                            "max-bytes"   },
    {"max",                                                 "max_requests"}, /* a beginning; the first */
    {"ma",                                                  NULL          },
    {"statsu",                                              "status"      },
    {"stats",                                               "status"      },
    {"sumbit",                                              "submit"      },
    {"rum",                                                 "run"         },
    {"x",                                                   NULL          },
    {"deploy",                                              NULL          },
    {"zebra",                                               NULL          },
    {"",                                                    NULL          },
    {"a word that is much longer than any name of a field", NULL          },
};

static void a_mistyped_word_finds_what_was_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *near = nearest_of(cases[i].word, names);

        print_message("  %s\n", cases[i].word);
        if (cases[i].near == NULL)
            assert_null(near);
        else
            assert_string_equal(near, cases[i].near);
    }
}

static void dashes_and_underscores_are_the_same(void **state)
{
    (void)state;
    assert_true(nearest_same("max-bytes", "max_bytes"));
    assert_true(nearest_same("", ""));
    assert_false(nearest_same("max-bytes", "max_byte"));
    assert_false(nearest_same("max-byte", "max_bytes"));
    assert_false(nearest_same("a", "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistyped_word_finds_what_was_meant),
        cmocka_unit_test(dashes_and_underscores_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
