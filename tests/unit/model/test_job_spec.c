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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cut_fits_the_limits),
        cmocka_unit_test(names_of_jobs),
        cmocka_unit_test(any_path_gives_a_valid_name),
    };
    return cmocka_run_group_tests_name("job_spec", tests, NULL, NULL);
}
