#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/settings.h"

#define GROUP_A 1u
#define GROUP_B 2u

struct target {
    char *name;
    int64_t count;
    int64_t tries;
    uint64_t size;
    int64_t wait_ms;
    bool quiet;
    bool loud;
    int mode;
    int colour;
    char *other;
};

static const char *const modes[] = {"fast", "slow", NULL};

#define AT(field) .offset = offsetof(struct target, field)

static const struct setting rows[] = {
    {.name = "name",
     .short_name = 'o',
     .type = SETTING_STRING,
     AT(name),
     .value_name = "FILE",
     .groups = GROUP_A,
     .help = "A file."},
    {.name = "max-requests",
     .type = SETTING_INT,
     AT(count),
     .min = 1,
     .max = 100,
     .value_name = "N",
     .groups = GROUP_A,
     .help = "A count with a rather long sentence that has to be wrapped at the edge."},
    {.name = "tries",
     .type = SETTING_INT,
     AT(tries),
     .preset = "3",
     .value_name = "N",
     .groups = GROUP_A,
     .help = "Tries."},
    {.name = "size",
     .type = SETTING_SIZE,
     AT(size),
     .preset = "1MB",
     .min = 1,
     .value_name = "SIZE",
     .groups = GROUP_A,
     .help = "A size."},
    {.name = "wait",
     .type = SETTING_DURATION,
     AT(wait_ms),
     .preset = "5s",
     .min = 1000,
     .max = 60000,
     .value_name = "D",
     .groups = GROUP_A,
     .help = "A time."},
    {.name = "quiet",
     .short_name = 'q',
     .type = SETTING_FLAG,
     AT(quiet),
     .groups = GROUP_A,
     .help = "Silence."                                        },
    {.name = "loud",
     .short_name = 'l',
     .type = SETTING_FLAG,
     AT(loud),
     .preset = "true",
     .groups = GROUP_A,
     .refuses = SETTING_ONLY_FLAG,
     .help = "Noise."},
    {.name = "mode",
     .type = SETTING_CHOICE,
     AT(mode),
     .choices = modes,
     .env = "TEST_MODE",
     .groups = GROUP_A,
     .help = "A mode."},
    {.name = "the-colour-with-a-long-name",
     .type = SETTING_CHOICE,
     AT(colour),
     .preset = "slow",
     .choices = modes,
     .groups = GROUP_A | GROUP_B,
     .help = "A colour."},
    {.name = "other",
     .short_name = 'x',
     .type = SETTING_STRING,
     AT(other),
     .groups = GROUP_B,
     .help = "Another."},
};

static unsigned char origins[ARRAY_LEN(rows)];

static struct settings on(struct target *t)
{
    return (struct settings){
        .program = "sheaf status",
        .rows = rows,
        .count = ARRAY_LEN(rows),
        .groups = GROUP_A,
        .target = t,
        .origins = origins,
    };
}

/* Read a command line given as words separated by single spaces. */
static bool read_line(const char *line, struct target *t, struct settings_args *args,
                      struct err *err)
{
    static char text[256]; /* arguments point into it */
    char *argv[32] = {text};
    int argc = 1;
    struct settings s = on(t);

    (void)snprintf(text, sizeof(text), "%s", line);
    for (char *p = text; *p != '\0'; argc++) {
        argv[argc] = p;
        p += strcspn(p, " ");
        if (*p == ' ')
            *p++ = '\0';
    }
    settings_defaults(&s);
    return settings_from_argv(&s, argc, argv, args, err);
}

static void release(struct target *t, struct settings_args *args)
{
    struct settings s = on(t);

    settings_release(&s);
    settings_args_release(args);
}

static void defaults_are_the_presets(void **state)
{
    struct target t;
    struct settings s = on(&t);

    (void)state;
    memset(&t, 0x55, sizeof(t));
    settings_defaults(&s);
    assert_null(t.name);
    assert_int_equal(t.count, 0);
    assert_int_equal(t.tries, 3);
    assert_int_equal(t.size, 1000000);
    assert_int_equal(t.wait_ms, 5000);
    assert_false(t.quiet);
    assert_true(t.loud);
    assert_int_equal(t.mode, SETTING_UNSET);
    assert_int_equal(t.colour, 1);
    assert_int_equal(settings_origin(&s, "wait"), SETTING_FROM_DEFAULT);
}

static void flags_fill_their_fields(void **state)
{
    struct target t;
    struct settings_args args = {0};
    struct err err = {0};

    (void)state;
    assert_true(read_line("--name out --max-requests=7 --tries 0 --size 2KiB --wait 1m --quiet "
                          "--no-loud --mode slow",
                          &t, &args, &err));
    assert_string_equal(t.name, "out");
    assert_int_equal(t.count, 7);
    assert_int_equal(t.tries, 0);
    assert_int_equal(t.size, 2048);
    assert_int_equal(t.wait_ms, 60000);
    assert_true(t.quiet);
    assert_false(t.loud);
    assert_int_equal(t.mode, 1);
    assert_int_equal(args.count, 0);
    release(&t, &args);
}

static const struct {
    const char *name;
    const char *line;
    const char *o; /* value of -o */
    bool quiet;
    const char *args; /* joined by "," */
} styles[] = {
    {"short with a space",              "-o out",             "out",     false, ""         },
    {"short without a space",           "-oout",              "out",     false, ""         },
    {"cluster",                         "-ql",                NULL,      true,  ""         },
    {"cluster ending in a value",       "-qoout",             "out",     true,  ""         },
    {"cluster, value behind it",        "-qo out",            "out",     true,  ""         },
    {"flags behind arguments",          "in -q more -o out",  "out",     true,  "in,more"  },
    {"-- ends the flags",               "-- -q --name",       NULL,      false, "-q,--name"},
    {"second -- is an argument",        "-- --",              NULL,      false, "--"       },
    {"- is an argument",                "- -q",               NULL,      true,  "-"        },
    {"- is a value",                    "-o - x",             "-",       false, "x"        },
    {"a value may start with -",        "--name -x",          "-x",      false, ""         },
    {"= may be in a value",             "--name=a=b",         "a=b",     false, ""         },
    {"a value after = may look a flag", "--name=--quiet",     "--quiet", false, ""         },
    {"the last one wins",               "-o a -o b",          "b",       false, ""         },
    {"underscores will do",             "--max_requests 5 z", NULL,      false, "z"        },
};

static void each_style_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(styles); i++) {
        struct target t;
        struct settings_args args = {0};
        struct err err = {0};
        char joined[64] = "";

        print_message("  %s\n", styles[i].name);
        assert_true(read_line(styles[i].line, &t, &args, &err));
        for (size_t j = 0, n = 0; j < args.count; j++)
            n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%s%s", j > 0 ? "," : "",
                                  args.items[j]);
        assert_string_equal(joined, styles[i].args);
        assert_int_equal(t.quiet, styles[i].quiet);
        if (styles[i].o == NULL)
            assert_null(t.name);
        else
            assert_string_equal(t.name, styles[i].o);
        release(&t, &args);
    }
}

static const struct {
    const char *line;
    const char *msg;
} mistakes[] = {
    {"--max-request 5",    "unknown flag --max-request; did you mean --max-requests?"          },
    {"--max 5",            "unknown flag --max; did you mean --max-requests?"                  },
    {"--qiuet",            "unknown flag --qiuet; did you mean --quiet?"                       },
    {"--zebra=1",          "unknown flag --zebra; see sheaf status --help"                     },
    {"--othe 1",           "unknown flag --othe; see sheaf status --help"                      },
    {"--no-name",          "there is no --no-name: --name takes a value"                       },
    {"---",                "unknown flag ---; see sheaf status --help"                         },
    {"-z",                 "unknown flag -z; see sheaf status --help"                          },
    {"--other 1",          "sheaf status does not take --other"                                },
    {"-x 1",               "sheaf status does not take --other"                                },
    {"--name",             "--name needs a value"                                              },
    {"--name --quiet",     "--name needs a value"                                              },
    {"-o",                 "-o needs a value"                                                  },
    {"--name=",            "--name: the value is empty"                                        },
    {"--quiet=yes",        "--quiet takes no value"                                            },
    {"--max-requests ten", "--max-requests: \"ten\" is not a whole number"                     },
    {"--max-requests 0",   "--max-requests: \"0\" is too small, the least is 1"                },
    {"--max-requests -1",  "--max-requests: \"-1\" is too small, the least is 1"               },
    {"--max-requests=101", "--max-requests: \"101\" is too large, the most is 100"             },
    {"--wait 5",           "--wait: \"5\" needs a unit, such as 5s"                            },
    {"--wait 10ms",        "--wait: \"10ms\" is too small, the least is 1s"                    },
    {"--wait 61s",         "--wait: \"61s\" is too large, the most is 1m"                      },
    {"--size 0",           "--size: \"0\" is too small, the least is 1 B"                      },
    {"--size 1Q",          "--size: \"1Q\" is not a size such as 4096, 1MB or 100MiB"          },
    {"--mode medium",      "--mode: \"medium\" is not one of fast, slow"                       },
    {"-o x --wait nine",   "--wait: \"nine\" is not a duration such as 200ms, 5s, 10m or 1h30m"},
};

static void each_mistake_is_named_in_one_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct target t;
        struct settings_args args = {0};
        struct err err = {0};

        print_message("  %s\n", mistakes[i].line);
        assert_false(read_line(mistakes[i].line, &t, &args, &err));
        assert_string_equal(err.msg, mistakes[i].msg);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(args.items);
        release(&t, &args);
    }
}

static void clear_environment(void)
{
    unsetenv("SHEAF_WAIT");
    unsetenv("SHEAF_QUIET");
    unsetenv("SHEAF_LOUD");
    unsetenv("SHEAF_OTHER");
    unsetenv("SHEAF_NONSENSE");
    unsetenv("SHEAF_MAX_REQUESTS");
    unsetenv("TEST_MODE");
}

static void the_environment_fills_fields_of_taken_rows_that_allow_it(void **state)
{
    struct target t;
    struct settings s = on(&t);
    struct err err = {0};

    (void)state;
    setenv("SHEAF_MAX_REQUESTS", "9", 1);
    setenv("SHEAF_QUIET", "Yes", 1);
    setenv("SHEAF_WAIT", "", 1);
    setenv("SHEAF_LOUD", "false", 1);
    setenv("SHEAF_OTHER", "x", 1);
    setenv("SHEAF_NONSENSE", "x", 1);
    setenv("TEST_MODE", "fast", 1);
    settings_defaults(&s);
    assert_true(settings_from_env(&s, &err));
    clear_environment();
    assert_int_equal(t.count, 9);
    assert_true(t.quiet);
    assert_int_equal(t.wait_ms, 5000);
    assert_true(t.loud);
    assert_null(t.other);
    assert_int_equal(t.mode, 0);
    assert_int_equal(settings_origin(&s, "mode"), SETTING_FROM_ENVIRONMENT);
}

static const struct {
    const char *variable, *text, *msg;
} bad_variables[] = {
    {"SHEAF_WAIT",  "5",      "SHEAF_WAIT: \"5\" needs a unit, such as 5s"    },
    {"SHEAF_QUIET", "maybe",  "SHEAF_QUIET: \"maybe\" is not true or false"   },
    {"TEST_MODE",   "medium", "TEST_MODE: \"medium\" is not one of fast, slow"},
};

static void a_bad_variable_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_variables); i++) {
        struct target t;
        struct settings s = on(&t);
        struct err err = {0};

        setenv(bad_variables[i].variable, bad_variables[i].text, 1);
        settings_defaults(&s);
        assert_false(settings_from_env(&s, &err));
        assert_string_equal(err.msg, bad_variables[i].msg);
        assert_int_equal(err.kind, ERR_USAGE);
        clear_environment();
    }
}

static void the_higher_origin_wins_whatever_the_order(void **state)
{
    static const enum setting_origin orders[][3] = {
        {SETTING_FROM_FILE,        SETTING_FROM_ENVIRONMENT, SETTING_FROM_FLAG},
        {SETTING_FROM_FLAG,        SETTING_FROM_ENVIRONMENT, SETTING_FROM_FILE},
        {SETTING_FROM_ENVIRONMENT, SETTING_FROM_FLAG,        SETTING_FROM_FILE},
    };
    static const char *const texts[] = {"preset", "file", "environment", "flag"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        struct target t;
        struct settings s = on(&t);
        const struct setting *row = settings_find(&s, "name");
        struct err err = {0};

        settings_defaults(&s);
        for (size_t j = 0; j < 3; j++)
            assert_true(settings_set(&s, row, texts[orders[i][j]], orders[i][j], "x", &err));
        assert_string_equal(t.name, "flag");
        assert_string_equal(settings_origin_name(settings_origin(&s, "name")), "flag");
        settings_release(&s);
        assert_null(t.name);
    }
}

static void a_value_that_loses_is_still_checked(void **state)
{
    struct target t;
    struct settings s = on(&t);
    const struct setting *row = settings_find(&s, "wait");
    struct err err = {0};

    (void)state;
    settings_defaults(&s);
    assert_true(settings_set(&s, row, "9s", SETTING_FROM_FLAG, "--wait", &err));
    assert_false(settings_set(&s, row, "x", SETTING_FROM_FILE, "wait", &err));
    assert_int_equal(t.wait_ms, 9000);
}

static void help_is_aligned_wrapped_and_shows_defaults(void **state)
{
    static const char want[] =
        "  -o, --name FILE       A file.\n"
        "      --max-requests N  A count with a rather long sentence that has to be\n"
        "                        wrapped at the edge.\n"
        "      --tries N         Tries. (default: 3)\n"
        "      --size SIZE       A size. (default: 1MB)\n"
        "      --wait D          A time. (default: 5s)\n"
        "  -q, --quiet           Silence.\n"
        "  -l, --loud            Noise. (default: true)\n"
        "      --mode fast|slow  A mode.\n"
        "      --the-colour-with-a-long-name fast|slow\n"
        "                        A colour. (default: slow)\n";
    struct settings s = on(NULL);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    settings_print_help(out, &s);
    (void)fclose(out);
    assert_string_equal(text, want);
    free(text);
}

static void the_page_has_every_row(void **state)
{
    static const struct setting_group groups[] = {
        {GROUP_A, "a" },
        {GROUP_B, "b" },
        {0,       NULL},
    };
    static const char *const want[] = {
        "| `--name FILE`, `-o` | – | `SHEAF_NAME` | `name` | a | A file. |\n",
        "| `SHEAF_MAX_REQUESTS` | `max_requests` | a | A count with",
        "at the edge. 1 to 100. |\n",
        "| `--size SIZE` | 1MB | `SHEAF_SIZE` | `size` | a | A size. At least 1 B. |\n",
        "| `--loud`, `-l` | true | – | – | a | Noise. |\n",
        "| `--mode fast\\|slow` | – | `TEST_MODE` | `mode` | a | A mode. |\n",
        "| a, b | A colour. |\n",
        "| `--other VALUE`, `-x` | – | `SHEAF_OTHER` | `other` | b | Another. |\n",
    };
    struct settings s = on(NULL);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    settings_print_markdown(out, &s, groups);
    (void)fclose(out);
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        if (strstr(text, want[i]) == NULL)
            fail_msg("missing: %s in\n%s", want[i], text);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_the_presets),
        cmocka_unit_test(flags_fill_their_fields),
        cmocka_unit_test(each_style_is_understood),
        cmocka_unit_test(each_mistake_is_named_in_one_line),
        cmocka_unit_test(the_environment_fills_fields_of_taken_rows_that_allow_it),
        cmocka_unit_test(a_bad_variable_is_named),
        cmocka_unit_test(the_higher_origin_wins_whatever_the_order),
        cmocka_unit_test(a_value_that_loses_is_still_checked),
        cmocka_unit_test(help_is_aligned_wrapped_and_shows_defaults),
        cmocka_unit_test(the_page_has_every_row),
    };
    clear_environment();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
