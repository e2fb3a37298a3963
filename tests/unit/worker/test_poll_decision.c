#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "worker/core/poll_decision.h"

#define LAG 120000

static struct poll_facts facts_of(int64_t age_ms, uint32_t empty_polls)
{
    return (struct poll_facts){
        .plan = {.bound_ms = 60000, .minimum_ms = 30000},
        .age_ms = age_ms,
        .file_age_ms = age_ms,
        .lag_ms = LAG,
        .empty_polls = empty_polls
    };
}

static void each_failed_poll(void **state)
{
    static const struct {
        const char *name;
        enum provider_class class;
        int64_t age_ms;
        uint32_t empty_polls;
        enum poll_action want;
    } cases[] = {
        {"an outage says nothing about the batch", PROVIDER_AMBIGUOUS, 1000,    0,  POLL_AGAIN},
        {"however long it lasts",                  PROVIDER_NOT_SENT,  9999999, 99, POLL_AGAIN},
        {"a refused key is told",                  PROVIDER_AUTH,      1000,    0,  POLL_KEY  },
        {"a young batch may not be visible yet",   PROVIDER_NOT_FOUND, LAG - 1, 50, POLL_AGAIN},
        {"an old one is asked about ten times",    PROVIDER_NOT_FOUND, LAG,     8,  POLL_AGAIN},
        {"and is lost then",                       PROVIDER_NOT_FOUND, LAG,     9,  POLL_END  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct provider_error error = {.class = cases[i].class, .retry_after_ms = -1};
        struct poll_facts facts = facts_of(cases[i].age_ms, cases[i].empty_polls);

        print_message("  %s\n", cases[i].name);
        facts.error = &error;
        assert_string_equal(poll_action_name(poll_decide(&facts).action),
                            poll_action_name(cases[i].want));
    }
}

static const struct {
    const char *name;
    enum remote_status status;
    const char *output, *error_file, *code, *param;
    int64_t age_ms;
    uint32_t empty_polls;
    enum poll_action want;
    bool free_rest;
    const char *failure;
} answers[] = {
    {"running: again",                          REMOTE_RUNNING,   "",  "",  "",                     "",        1000,   0, POLL_AGAIN,     false, NULL                  },
    {"an unknown word is not an end",           REMOTE_UNKNOWN,   "",  "",  "",                     "",        1000,   0, POLL_AGAIN,     false,
     NULL                                                                                                                                                              },
    {"completed",                               REMOTE_COMPLETED, "o", "",  "",                     "",        1000,   0, POLL_FETCH,     false, NULL                  },
    {"completed with an error file only",       REMOTE_COMPLETED, "",  "e", "",                     "",        1000,   0, POLL_FETCH,
     false,                                                                                                                                      NULL                  },
    {"expired with partial results",            REMOTE_EXPIRED,   "o", "e", "",                     "",        1000,   0, POLL_FETCH,     true,
     NULL                                                                                                                                                              },
    {"cancelled with partial results",          REMOTE_CANCELLED, "o", "",  "",                     "",        1000,   0, POLL_FETCH,     true,
     NULL                                                                                                                                                              },
    {"failed but with results",                 REMOTE_FAILED,    "o", "",  "",                     "",        1000,   0, POLL_FETCH,     false, NULL                  },
    {"completed without files: not yet",        REMOTE_COMPLETED, "",  "",  "",                     "",        1000,   8, POLL_AGAIN,
     false,                                                                                                                                      NULL                  },
    {"but not more than ten polls",             REMOTE_COMPLETED, "",  "",  "",                     "",        1000,   9, POLL_END,       false,
     "output_missing"                                                                                                                                                  },
    {"or five minutes",                         REMOTE_COMPLETED, "",  "",  "",                     "",        300000, 0, POLL_END,       false,
     "output_missing"                                                                                                                                                  },
    {"expired without anything is free",        REMOTE_EXPIRED,   "",  "",  "",                     "",        300000, 0, POLL_END,       true,
     "batch_expired"                                                                                                                                                   },
    {"failed with a reason",                    REMOTE_FAILED,    "",  "",  "invalid_url",          "url",     1000,   0, POLL_END,       false,
     "invalid_url"                                                                                                                                                     },
    {"failed without one",                      REMOTE_FAILED,    "",  "",  "",                     "",        1000,   0, POLL_END,       false, "batch_failed"        },
    {"a full queue is free and holds the lane", REMOTE_FAILED,    "",  "",  "token_limit_exceeded", "",
     1000,                                                                                                             0, POLL_END,       true,  "token_limit_exceeded"},
    {"a file not visible yet: same file",       REMOTE_FAILED,    "",  "",  "invalid_request",      "file_id",
     LAG - 1,                                                                                                          0, POLL_SAME_FILE, false, NULL                  },
    {"a file gone: upload again",               REMOTE_FAILED,    "",  "",  "invalid_request",      "file_id", LAG,    0,
     POLL_REBUILD,                                                                                                                        false, NULL                  },
};

static void each_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct remote_batch batch = {.status = answers[i].status};
        struct poll_facts facts = facts_of(answers[i].age_ms, answers[i].empty_polls);

        print_message("  %s\n", answers[i].name);
        (void)snprintf(batch.output_file_id, sizeof(batch.output_file_id), "%s", answers[i].output);
        (void)snprintf(batch.error_file_id, sizeof(batch.error_file_id), "%s",
                       answers[i].error_file);
        if (answers[i].code[0] != '\0') {
            struct remote_error *e = &batch.errors[0];

            batch.error_count = batch.errors_total = 1;
            e->line = -1;
            (void)snprintf(e->code, sizeof(e->code), "%s", answers[i].code);
            (void)snprintf(e->param, sizeof(e->param), "%s", answers[i].param);
            if (strcmp(answers[i].param, "file_id") == 0)
                (void)snprintf(e->message, sizeof(e->message), "Cannot find file x");
        }
        facts.batch = &batch;
        struct poll_decision d = poll_decide(&facts);
        assert_string_equal(poll_action_name(d.action), poll_action_name(answers[i].want));
        assert_int_equal(d.free_rest, answers[i].free_rest);
        if (answers[i].failure != NULL)
            assert_string_equal(d.failure, answers[i].failure);
    }
}

static void lines_that_are_named_do_not_cost_the_others_a_try(void **state)
{
    struct remote_batch batch = {.status = REMOTE_FAILED, .error_count = 1, .errors_total = 1};
    struct poll_facts facts = facts_of(1000, 0);

    (void)state;
    (void)snprintf(batch.errors[0].code, sizeof(batch.errors[0].code),
                   "missing_required_parameter");
    facts.batch = &batch;
    batch.errors[0].line = -1;
    assert_false(poll_decide(&facts).free_rest);
    batch.errors[0].line = 3;
    struct poll_decision d = poll_decide(&facts);
    assert_string_equal(poll_action_name(d.action), "end");
    assert_true(d.free_rest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failed_poll),
        cmocka_unit_test(each_answer),
        cmocka_unit_test(lines_that_are_named_do_not_cost_the_others_a_try),
    };
    return cmocka_run_group_tests_name("poll_decision", tests, NULL, NULL);
}
