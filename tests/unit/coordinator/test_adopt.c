#include "tests/testlib/unit.h"

#include <stdio.h>

#include "common/base/attr.h"
#include "coordinator/core/adopt.h"

#define NAME "sheaf-abcdefghij12-0123456789abcdef.jsonl"
#define T    INT64_C(1700000000000)

static void a_file_is_ours_by_name_size_and_time(void **state)
{
    static const struct {
        const char *what, *name;
        int64_t bytes, created_ms, theirs_ms;
        enum remote_file_status status;
        bool ours;
    } cases[] = {
        {"stored just now",                NAME,    70, T,          -1,         REMOTE_FILE_PROCESSED, true },
        {"being checked",                  NAME,    70, T,          -1,         REMOTE_FILE_PENDING,   true },
        {"of no use",                      NAME,    70, T,          -1,         REMOTE_FILE_ERROR,     false},
        {"another batch's",                "other", 70, T,          -1,         REMOTE_FILE_PROCESSED, false},
        {"cut, or of another try",         NAME,    69, T,          -1,         REMOTE_FILE_PROCESSED, false},
        {"at the start, in whole seconds", NAME,    70, T - 60999,  -1,         REMOTE_FILE_PROCESSED, true },
        {"from before: maybe an orphan",   NAME,    70, T - 61001,  -1,         REMOTE_FILE_PROCESSED, false},
        {"of no known time",               NAME,    70, 0,          -1,         REMOTE_FILE_PROCESSED, false},
        {"by a clock that is ahead",       NAME,    70, T + 560000, T + 600000, REMOTE_FILE_PROCESSED, true },
        {"from before, by that clock",     NAME,    70, T + 530000, T + 600000, REMOTE_FILE_PROCESSED,
         false                                                                                              },
        {"by a clock that is behind",      NAME,    70, T - 640000, T - 600000, REMOTE_FILE_PROCESSED,
         true                                                                                               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct adopt_facts facts = {.name = NAME,
                                          .size = 70,
                                          .build_ms = T - 60000,
                                          .now_ms = T,
                                          .theirs_ms = cases[i].theirs_ms};
        struct remote_file file = {.bytes = cases[i].bytes,
                                   .created_unix_ms = cases[i].created_ms,
                                   .status = cases[i].status};

        print_message("  %s\n", cases[i].what);
        (void)snprintf(file.filename, sizeof(file.filename), "%s", cases[i].name);
        assert_int_equal(adopt_is_ours(&facts, &file), cases[i].ours);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_ours_by_name_size_and_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
