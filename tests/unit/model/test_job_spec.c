#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/model/job_spec.h"

static void the_cut_fits_the_limits(void **state)
{
    static const struct {
        const char *name;
        uint64_t max_requests, max_bytes;
        uint32_t lines;
        uint64_t bytes;
    } cases[] = {
        {"no limits",                   0,     0,         1000, 2000000},
        {"a provider's limits",         50000, 200000000, 1000, 2000000},
        {"a quarter of a small file",   1000,  1000000,   250,  250000 },
        {"at least one line, one byte", 1,     1,         1,    1      },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job_spec spec = {0};

        print_message("  %s\n", cases[i].name);
        job_spec_set_cut(&spec, cases[i].max_requests, cases[i].max_bytes);
        assert_int_equal(spec.window_lines, cases[i].lines);
        assert_int_equal(spec.window_bytes, cases[i].bytes);
    }
}

static void names_of_jobs(void **state)
{
    static const struct {
        const char *name;
        bool valid;
    } cases[] = {
        {"in.jsonl",                                                          true },
        {"夜间任务",                                                      true },
        {"a b",                                                               true },
        {"",                                                                  false},
        {".",                                                                 false},
        {"..",                                                                false},
        {"a/b",                                                               false},
        {"a:b",                                                               false},
        {"a|b",                                                               false},
        {"a\nb",                                                              false},
        {"0123456789012345678901234567890123456789012345678901234567890123",  true },
        {"01234567890123456789012345678901234567890123456789012345678901234", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  \"%s\"\n", cases[i].name);
        assert_int_equal(job_name_is_valid(cases[i].name), cases[i].valid);
    }
}

static void any_path_gives_a_valid_name(void **state)
{
    static const struct {
        const char *path, *want;
    } cases[] = {
        {"in.jsonl",           "in.jsonl"    },
        {"/data/夜间.jsonl", "夜间.jsonl"},
        {"a:b|c",              "a-b-c"       },
        {"dir/",               "job"         },
        {"..",                 "job"         },
    };
    char out[JOB_NAME_MAX + 1];
    char longest[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        job_name_from_path(cases[i].path, out);
        assert_string_equal(out, cases[i].want);
    }
    memset(longest, 0, sizeof(longest));
    for (size_t i = 0; i + 3 < 200; i += 3)
        memcpy(longest + i, "中", 3);
    job_name_from_path(longest, out);
    assert_true(job_name_is_valid(out));
    assert_int_equal(strlen(out), 63); /* 21 whole characters */
}

static void a_round_has_the_job_s_name_and_its_number(void **state)
{
    static const struct {
        const char *name, *job;
        unsigned round;
    } cases[] = {
        {"posts",        "posts",       1  },
        {"posts.r2",     "posts",       2  },
        {"posts.r12",    "posts",       12 },
        {"posts.r999",   "posts",       999},
        {"posts.r1",     "posts.r1",    1  },
        {"posts.r02",    "posts.r02",   1  },
        {"posts.r1000",  "posts.r1000", 1  },
        {"posts.r",      "posts.r",     1  },
        {"posts-r2",     "posts-r2",    1  },
        {".r2",          ".r2",         1  },
        {"a.r2",         "a",           2  },
        {"posts.r2.r3",  "posts.r2",    3  },
        {"out.jsonl.r7", "out.jsonl",   7  },
    };
    char job[JOB_NAME_MAX + 1];
    char name[JOB_NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(job_round_parse(cases[i].name, job), cases[i].round);
        assert_string_equal(job, cases[i].job);
        assert_string_equal(job_round_name(job, cases[i].round, name), cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cut_fits_the_limits),
        cmocka_unit_test(names_of_jobs),
        cmocka_unit_test(a_round_has_the_job_s_name_and_its_number),
        cmocka_unit_test(any_path_gives_a_valid_name),
    };
    return cmocka_run_group_tests_name("job_spec", tests, NULL, NULL);
}
