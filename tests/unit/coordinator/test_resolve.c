#include "tests/testlib/unit.h"

#include <stdio.h>

#include "common/base/attr.h"
#include "coordinator/core/resolve.h"

/* Intent at 1,000,000; the list may be 30 s late. */
static const struct {
    const char *name;
    bool found, fenced;
    uint32_t looks;
    int64_t age;
    enum resolve_step want;
    int64_t wait;
} cases[] = {
    {"found at once is adopted at once",              true,  false, 0, 10,    RESOLVE_ADOPT, 0   },
    {"found after the fence is adopted too",          true,  true,  5, 90000, RESOLVE_ADOPT, 0   },
    {"absent and young: look again soon",             false, false, 0, 10,    RESOLVE_LOOK,  5000},
    {"absent, nearly settled: look when it is",       false, false, 3, 29000, RESOLVE_LOOK,  1000},
    {"absent in the first look, however late: again", false, false, 0, 90000, RESOLVE_LOOK,  0   },
    {"absent twice and settled: fence",               false, false, 1, 30000, RESOLVE_FENCE, 0   },
    {"absent behind the fence: surely not created",   false, true,  1, 30000, RESOLVE_BUILD, 0   },
};

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct resolve_facts facts = {.found = cases[i].found,
                                      .fenced = cases[i].fenced,
                                      .looks = cases[i].looks,
                                      .intent_ms = 1000000,
                                      .now_ms = 1000000 + cases[i].age,
                                      .settle_ms = 30000};
        int64_t wait = 0;

        print_message("  %s\n", cases[i].name);
        assert_string_equal(resolve_step_name(resolve_next(&facts, &wait)),
                            resolve_step_name(cases[i].want));
        assert_int_equal(wait, cases[i].wait);
    }
}

/* A new upload without a fence could run, and be billed, twice. */
static void nothing_is_built_anew_without_a_fence(void **state)
{
    (void)state;
    for (uint32_t looks = 0; looks < 5; looks++) {
        for (int64_t age = 0; age < 120000; age += 500) {
            struct resolve_facts facts = {.looks = looks, .now_ms = age, .settle_ms = 30000};
            int64_t wait = 0;

            assert_int_not_equal(resolve_next(&facts, &wait), RESOLVE_BUILD);
        }
    }
}

static void a_batch_that_failed_hides_no_other(void **state)
{
    static const struct {
        enum remote_status status;
        const char *file;
        size_t errors;
        bool nothing;
    } table[] = {
        {REMOTE_FAILED,    "",   0, true },
        {REMOTE_FAILED,    "",   1, true },
        {REMOTE_FAILED,    "f1", 1, true }, /* Azure names two files, and they are empty */
        {REMOTE_FAILED,    "f1", 0, false},
        {REMOTE_RUNNING,   "",   0, false},
        {REMOTE_COMPLETED, "f1", 1, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct remote_batch b = {.status = table[i].status, .error_count = table[i].errors};

        print_message("  %zu\n", i);
        (void)snprintf(b.error_file_id, sizeof(b.error_file_id), "%s", table[i].file);
        assert_int_equal(resolve_came_to_nothing(&b), table[i].nothing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(a_batch_that_failed_hides_no_other),
        cmocka_unit_test(nothing_is_built_anew_without_a_fence),
    };
    return cmocka_run_group_tests_name("resolve", tests, NULL, NULL);
}
