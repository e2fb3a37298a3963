#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "worker/core/poll_judge.h"

#define MINUTE 60000
#define HOUR   3600000
#define LAG    (2 * MINUTE)
#define GRACE  (5 * MINUTE)

static const struct provider_limits limits = {
    .visibility_lag_ms = LAG,
    .window_ms = 24 * (int64_t)HOUR,
    .stuck_validating_ms = HOUR,
    .stuck_finalizing_ms = HOUR,
    .stuck_running_ms = HOUR,
    .stuck_cancel_ms = 6 * (int64_t)HOUR,
    .stuck_cancelling_ms = 15 * (int64_t)MINUTE,
};

static struct remote_batch batch_of(const char *status)
{
    struct remote_batch b = {.status = remote_status_parse(status)};

    (void)snprintf(b.status_text, sizeof(b.status_text), "%s", status);
    return b;
}

static struct poll_facts facts_of(const struct remote_batch *b, const char *known)
{
    return (struct poll_facts){.batch = b,
                               .limits = &limits,
                               .known_status = known,
                               .in_status_ms = MINUTE,
                               .age_ms = MINUTE,
                               .file_age_ms = MINUTE,
                               .stopped_ms = -1,
                               .grace_ms = GRACE};
}

/* Azure names two files without a byte for each batch that has failed. */
static void a_failed_batch_is_judged_by_its_errors_where_its_files_tell_nothing(void **state)
{
    static const struct {
        const char *name, *code, *output, *error;
        int64_t bytes[2];
        bool tells;
        enum retry_step want; /* when the files were looked at */
    } cases[] = {
        {"two empty files and a reason",
         "token_limit_exceeded",                 "o",
         "e",                                              {0, 0},
         false,                                                           RETRY_FAILED},
        {"two empty files and no reason",  NULL, "o", "e", {0, 0}, false, RETRY_FAILED},
        {"the reason again in the file",
         "invalid_json_line",                    "o",
         "e",                                              {0, 9},
         false,                                                           RETRY_FAILED},
        {"errors of requests, no reason",  NULL, "",  "e", {0, 9}, true,  RETRY_ENDED },
        {"results in spite of its reason",
         "token_limit_exceeded",                 "o",
         "",                                               {9, 0},
         true,                                                            RETRY_ENDED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct remote_batch b = batch_of("failed");
        struct poll_facts f = facts_of(&b, "validating");
        struct poll_judgement j;

        print_message("  %s\n", cases[i].name);
        (void)snprintf(b.output_file_id, sizeof(b.output_file_id), "%s", cases[i].output);
        (void)snprintf(b.error_file_id, sizeof(b.error_file_id), "%s", cases[i].error);
        if (cases[i].code != NULL)
            (void)snprintf(b.errors[b.error_count++].code, sizeof(b.errors[0].code), "%s",
                           cases[i].code);
        assert_int_equal(poll_files_tell(&b, cases[i].bytes), cases[i].tells);
        f.files_empty = !cases[i].tells;
        poll_judge(&f, &j);
        assert_string_equal(retry_step_name(j.step), retry_step_name(cases[i].want));
        if (cases[i].want == RETRY_FAILED && cases[i].code != NULL)
            assert_string_equal(j.what.code, cases[i].code);
    }
}

static void a_status_only_goes_forward(void **state)
{
    static const struct {
        const char *known, *told;
        bool stale;
    } cases[] = {
        {"",            "validating",  false},
        {"validating",  "in_progress", false},
        {"in_progress", "in_progress", false},
        {"in_progress", "validating",  true },
        {"finalizing",  "in_progress", true },
        {"finalizing",  "cancelling",  false},
        {"completed",   "finalizing",  true },
        {"completed",   "completed",   false},
        {"in_progress", "pondering",   false},
        {"pondering",   "validating",  false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct remote_batch b = batch_of(cases[i].told);
        struct poll_facts f = facts_of(&b, cases[i].known);
        struct poll_judgement j;

        print_message("  %s, then %s\n", cases[i].known, cases[i].told);
        poll_judge(&f, &j);
        assert_int_equal(j.stale, cases[i].stale);
    }
}

static void what_lasts_too_long_is_stuck(void **state)
{
    static const struct {
        const char *name, *known, *told;
        int64_t in_status_ms, age_ms, stopped_ms;
        unsigned when;
    } cases[] = {
        {"an hour of validating",                 "validating",  "validating",  HOUR,        HOUR,      -1,          RETRY_IF_SLOW                   },
        {"less",                                  "validating",  "validating",  HOUR - 1,    HOUR,      -1,          0                               },
        {"only just validating",                  "in_progress", "finalizing",  HOUR,        HOUR,      -1,          0                               },
        {"an hour of a word nobody knows",        "pondering",   "pondering",   HOUR,        HOUR,      -1,          RETRY_IF_SLOW                   },
        {"an hour of finalizing",                 "finalizing",  "finalizing",  HOUR,        HOUR,      -1,          RETRY_IF_SLOW                   },
        {"a day of running is what was promised", "in_progress", "in_progress", 24 * HOUR,
         24 * HOUR,                                                                                     -1,          0                               },
        {"an hour more is not",                   "in_progress", "in_progress", 25 * HOUR,   25 * HOUR, -1,
         RETRY_IF_SLOW                                                                                                                               },
        {"six hours more ends it",                "in_progress", "in_progress", 30 * HOUR,   30 * HOUR, -1,
         RETRY_IF_SLOW | RETRY_IF_OVERDUE                                                                                                            },
        {"once",                                  "cancelling",  "cancelling",  MINUTE,      30 * HOUR, MINUTE,      RETRY_IF_SLOW                   },
        {"and not for ever",                      "cancelling",  "cancelling",  MINUTE,      30 * HOUR, 15 * MINUTE,
         RETRY_IF_SLOW | RETRY_IF_STOPPED                                                                                                            },
        {"a glance at finalizing, an hour ago",   "finalizing",  "in_progress", HOUR,        HOUR,      -1,
         RETRY_IF_SLOW                                                                                                                               },
        {"and six hours beyond the window",       "finalizing",  "in_progress", HOUR,        30 * HOUR, -1,
         RETRY_IF_SLOW | RETRY_IF_OVERDUE                                                                                                            },
        {"a cancel that was taken and forgotten", "cancelling",  "in_progress", MINUTE,      30 * HOUR,
         15 * MINUTE,                                                                                                RETRY_IF_SLOW | RETRY_IF_STOPPED},
        {"cancelling by nobody, taken back",      "cancelling",  "in_progress", 15 * MINUTE, HOUR,      -1,          0                               },
        {"an end that was taken back",            "completed",   "finalizing",  30 * HOUR,   30 * HOUR, -1,
         RETRY_IF_SLOW | RETRY_IF_OVERDUE                                                                                                            },
        {"cancelling by somebody else",           "cancelling",  "cancelling",  15 * MINUTE, HOUR,      -1,
         RETRY_IF_STOPPED                                                                                                                            },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct remote_batch b = batch_of(cases[i].told);
        struct poll_facts f = facts_of(&b, cases[i].known);
        struct poll_judgement j;

        print_message("  %s\n", cases[i].name);
        f.in_status_ms = cases[i].in_status_ms;
        f.age_ms = cases[i].age_ms;
        f.stopped_ms = cases[i].stopped_ms;
        poll_judge(&f, &j);
        assert_int_equal(j.when, cases[i].when);
        assert_string_equal(retry_step_name(j.step), cases[i].when == 0 ? "poll" : "stuck");
    }
}

static void a_limit_of_zero_is_none(void **state)
{
    static const struct provider_limits none = {.visibility_lag_ms = LAG};
    struct remote_batch b = batch_of("cancelling");
    struct poll_facts f = facts_of(&b, "cancelling");
    struct poll_judgement j;

    (void)state;
    f.limits = &none;
    f.age_ms = f.in_status_ms = f.stopped_ms = 999 * (int64_t)HOUR;
    poll_judge(&f, &j);
    assert_string_equal(retry_step_name(j.step), "poll");
}

static void an_end_is_judged_by_what_it_brings(void **state)
{
    static const struct {
        const char *name, *known, *told, *output, *error_file;
        int64_t in_status_ms;
        unsigned when;
    } cases[] = {
        {"completed",                           "",           "completed", "o", "",  0,         RETRY_IF_RESULTS                   },
        {"with an error file only",             "",           "completed", "",  "e", 0,         RETRY_IF_RESULTS                   },
        {"expired with some",                   "",           "expired",   "o", "",  0,         RETRY_IF_RESULTS | RETRY_IF_PARTIAL},
        {"failed with some",                    "",           "failed",    "o", "",  0,         RETRY_IF_RESULTS                   },
        {"completed without files, seen first", "finalizing", "completed", "",  "",  HOUR,
         RETRY_IF_YOUNG                                                                                                            },
        {"and for less than the grace",         "completed",  "completed", "",  "",  GRACE - 1,
         RETRY_IF_YOUNG                                                                                                            },
        {"and for longer",                      "completed",  "completed", "",  "",  GRACE,     0                                  },
        {"cancelled without files",             "cancelled",  "cancelled", "",  "",  GRACE,     RETRY_IF_PARTIAL                   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct remote_batch b = batch_of(cases[i].told);
        struct poll_facts f = facts_of(&b, cases[i].known);
        struct poll_judgement j;

        print_message("  %s\n", cases[i].name);
        (void)snprintf(b.output_file_id, sizeof(b.output_file_id), "%s", cases[i].output);
        (void)snprintf(b.error_file_id, sizeof(b.error_file_id), "%s", cases[i].error_file);
        f.in_status_ms = cases[i].in_status_ms;
        poll_judge(&f, &j);
        assert_string_equal(retry_step_name(j.step), "ended");
        assert_int_equal(j.when, cases[i].when);
    }
}

static void a_failure_is_told_in_the_providers_words(void **state)
{
    struct remote_batch b = batch_of("failed");
    struct poll_facts f = facts_of(&b, "validating");
    struct poll_judgement j;

    (void)state;
    poll_judge(&f, &j);
    assert_string_equal(retry_step_name(j.step), "failed");
    assert_int_equal(j.what.class, PROVIDER_UNKNOWN);
    assert_int_equal(j.when, RETRY_IF_YOUNG);
    assert_int_equal(j.what.line, -1);

    b.error_count = b.errors_total = 2;
    b.errors[0] = (struct remote_error){.line = -1, .code = "one", .message = "first"};
    b.errors[1] = (struct remote_error){.line = 7, .code = "two", .message = "second"};
    f.file_age_ms = LAG;
    poll_judge(&f, &j);
    assert_string_equal(j.what.code, "one");
    assert_string_equal(j.what.message, "first");
    assert_int_equal(j.what.line, 7);
    assert_int_equal(j.when, RETRY_IF_NAMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_batch_is_judged_by_its_errors_where_its_files_tell_nothing),
        cmocka_unit_test(a_status_only_goes_forward),
        cmocka_unit_test(what_lasts_too_long_is_stuck),
        cmocka_unit_test(a_limit_of_zero_is_none),
        cmocka_unit_test(an_end_is_judged_by_what_it_brings),
        cmocka_unit_test(a_failure_is_told_in_the_providers_words),
    };
    return cmocka_run_group_tests_name("poll_judge", tests, NULL, NULL);
}
