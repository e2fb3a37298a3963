#include "tests/testlib/unit.h"

#include "common/base/attr.h"
#include "common/base/nearest.h"

static const char *const names[] = {"openai", "zhipu",  "max_requests", "max-bytes",
                                    "run",    "submit", "status",       NULL};

static const char *const keys[] = {"name", "tries", "vocabulary", "pack", "评论", "编号", NULL};

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

static const struct {
    const char *word;
    const char *near; /* NULL: none */
} short_cases[] = {
    {"nmae",      "name"      }, /* two letters change places: one mistake */
    {"anme",      "name"      },
    {"trys",      "tries"     },
    {"vocabulry", "vocabulary"},
    {"pakc",      "pack"      },
    {"path",      NULL        },
    {"p",         NULL        },
    {"评伦",    "评论"    }, /* letters are counted, not bytes */
    {"编码",    "编号"    },
    {"编",       "编号"    }, /* a beginning */
    {"内容",    NULL        },
    {"论评",    "评论"    },
    {"号",       NULL        },
    {"评\xe4",   "评论"    }, /* no whole letter: no harm */
};

static void mistakes_are_counted_in_letters(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(short_cases); i++) {
        const char *near = nearest_of(short_cases[i].word, keys);

        print_message("  %s\n", short_cases[i].word);
        if (short_cases[i].near == NULL)
            assert_null(near);
        else
            assert_string_equal(near != NULL ? near : "", short_cases[i].near);
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
        cmocka_unit_test(mistakes_are_counted_in_letters),
        cmocka_unit_test(dashes_and_underscores_are_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
