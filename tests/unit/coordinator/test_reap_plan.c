#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "coordinator/core/reap_plan.h"

#define GRACE INT64_C(600000)

static void our_files_are_known_by_their_name(void **state)
{
    static const struct {
        const char *filename;
        bool ours;
    } cases[] = {
        {"sheaf-abcdefghij12-0123456789abcdef.jsonl",     true },
        {"sheaf-0-0123456789abcdef.jsonl",                false}, /* of no job */
        {"sheaf-abcdefghij12-0123456789abcde.jsonl",      false},
        {"sheaf-abcdefghij12-0123456789abcdef0.jsonl",    false},
        {"sheaf-abcdefghij1-0123456789abcdef.jsonl",      false},
        {"sheaf-abcdefghij12-0123456789abcdef.json",      false},
        {"sheaf-abcdefghij12-0123456789abcdef.jsonl.bak", false},
        {"sheaf-abcdefghij12-0123456789ABCDEF.jsonl",     false},
        {"sheaf-abcdefghij12_0123456789abcdef.jsonl",     false},
        {"my-sheaf-abcdefghij12-0123456789abcdef.jsonl",  false},
        {"batch.jsonl",                                   false},
        {"sheaf-",                                        false},
        {"",                                              false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reap_name name = {.bid = "untouched"};

        print_message("  %s\n", cases[i].filename);
        assert_int_equal(reap_name_parse(cases[i].filename, &name), cases[i].ours);
        assert_string_equal(name.bid, cases[i].ours ? "0123456789abcdef" : "untouched");
        if (cases[i].ours)
            assert_string_equal(name.ji, "abcdefghij12");
    }
}

/* Which facts a row states; all others are false. */
enum { KNOWN = 1, ENDED = 2, RECORD = 4, ITS_FILE = 8 };

static const struct {
    const char *name;
    unsigned facts;
    enum batch_state state;
    int64_t age_ms; /* -1: seen for the first time */
    enum reap_verdict want;
} verdicts[] = {
    {"another Redis' file, however old",       0,                                 BATCH_BUILD,  10 * GRACE, REAP_FOREIGN},
    {"... also when a record has the name",    RECORD,                            BATCH_RUN,    10 * GRACE, REAP_FOREIGN},
    {"seen for the first time",                KNOWN,                             BATCH_BUILD,  -1,         REAP_WAIT   },
    {"seen lately",                            KNOWN,                             BATCH_BUILD,  GRACE - 1,  REAP_WAIT   },
    {"without a record for long enough",       KNOWN,                             BATCH_BUILD,  GRACE,      REAP_TAKE   },
    {"without a record, of an ended job",      KNOWN | ENDED,                     BATCH_BUILD,  -1,         REAP_TAKE   },
    {"the record's own file",                  KNOWN | RECORD | ITS_FILE,         BATCH_RUN,    10 * GRACE, REAP_KEEP   },
    {"the same, a worker's to delete",         KNOWN | ENDED | RECORD | ITS_FILE, BATCH_CLEAN,  -1,
     REAP_KEEP                                                                                                          },
    {"it may be the upload that is under way", KNOWN | RECORD,                    BATCH_BUILD,  10 * GRACE, REAP_KEEP   },
    {"the twin of a submitted file",           KNOWN | RECORD,                    BATCH_SUBMIT, GRACE,      REAP_TAKE   },
    {"the twin, young",                        KNOWN | RECORD,                    BATCH_SUBMIT, 0,          REAP_WAIT   },
    {"the twin of an integrated file",         KNOWN | ENDED | RECORD,            BATCH_CLEAN,  0,          REAP_TAKE   },
};

static void each_file_gets_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
        const struct reap_facts facts = {
            .job_known = (verdicts[i].facts & KNOWN) != 0,
            .job_ended = (verdicts[i].facts & ENDED) != 0,
            .record_exists = (verdicts[i].facts & RECORD) != 0,
            .state = verdicts[i].state,
            .is_its_file = (verdicts[i].facts & ITS_FILE) != 0,
            .since_ms = verdicts[i].age_ms < 0 ? 0 : 1000,
            .now_ms = 1000 + verdicts[i].age_ms,
            .grace_ms = GRACE,
        };

        print_message("  %s\n", verdicts[i].name);
        assert_string_equal(reap_verdict_name(reap_file_verdict(&facts)),
                            reap_verdict_name(verdicts[i].want));
    }
}

/* "x:ID" for a cancel, "d:ID" for a delete, in order. */
static void written(const struct reap_op *ops, size_t count, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(out) + strlen(ops[i].id) + 4 < size);
        strncat(out, ops[i].kind == REAP_CANCEL ? "x:" : "d:", size - strlen(out) - 1);
        strncat(out, ops[i].id, size - strlen(out) - 1);
        strncat(out, " ", size - strlen(out) - 1);
    }
}

static void what_lives_is_cancelled_and_the_file_goes_last(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        struct reap_batch batches[2];
        bool settled;
        const char *want;
    } cases[] = {
        {"no batch was made of it",                           0, {{.id = ""}},                                                           true, "d:f "                },
        {"a live batch: its file is needed to find it again",
         1,                                                      {{.id = "b", .status = REMOTE_RUNNING}},
         false,                                                                                                                                "x:b "                },
        {"a word we do not know may be live",
         1,                                                      {{.id = "b", .status = REMOTE_UNKNOWN}},
         false,                                                                                                                                "x:b "                },
        {"a cancelled batch on its way out",
         1,                                                      {{.id = "b", .status = REMOTE_CANCELLING}},
         false,                                                                                                                                ""                    },
        {"an ended batch and all its files",
         1,                                                      {{.id = "b", .status = REMOTE_COMPLETED, .output = "o", .error = "e"}},
         true,                                                                                                                                 "d:o d:e d:f "        },
        {"an ended batch without results",                    1, {{.id = "b", .status = REMOTE_FAILED}},                                 true, "d:f "                },
        {"one of two lives",
         2,                                                      {{.id = "b", .status = REMOTE_EXPIRED, .output = "o"},
          {.id = "c", .status = REMOTE_QUEUED}},
         false,                                                                                                                                "d:o x:c "            },
        {"two have ended",
         2,                                                      {{.id = "b", .status = REMOTE_CANCELLED, .output = "o", .error = "e"},
          {.id = "c", .status = REMOTE_COMPLETED, .output = "p", .error = "q"}},
         true,                                                                                                                                 "d:o d:e d:p d:q d:f "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct reap_op ops[REAP_OPS_MAX(2)];
        size_t count = 0;
        char text[64];

        print_message("  %s\n", cases[i].name);
        assert_int_equal(reap_plan("f", cases[i].batches, cases[i].count, ops, &count),
                         cases[i].settled);
        written(ops, count, text, sizeof(text));
        assert_string_equal(text, cases[i].want);
    }
}

static void the_next_round_comes_when_it_can_do_something(void **state)
{
    static const struct {
        const char *name;
        struct reap_rest rest;
        int64_t grace_ms, want_ms;
    } cases[] = {
        {"nothing left",                 {.live = false},                   GRACE, 6 * GRACE},
        {"a batch is being cancelled",   {.live = true, .waiting = true},   GRACE, 30000    },
        {"... with a short grace",       {.live = true},                    1000,  1000     },
        {"a file is too young",          {.waiting = true},                 GRACE, GRACE    },
        {"foreign files are no reason",  {.foreign = true},                 GRACE, 6 * GRACE},
        {"... unless Redis forgot jobs", {.foreign = true, .shaken = true}, GRACE, GRACE    },
        {"nothing is, after a loss",     {.shaken = true},                  GRACE, 6 * GRACE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(reap_next_ms(&cases[i].rest, cases[i].grace_ms), cases[i].want_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_files_are_known_by_their_name),
        cmocka_unit_test(each_file_gets_its_verdict),
        cmocka_unit_test(what_lives_is_cancelled_and_the_file_goes_last),
        cmocka_unit_test(the_next_round_comes_when_it_can_do_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
