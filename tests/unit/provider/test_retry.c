#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/provider/retry.h"

#define SECOND   1000
#define MINUTE   60000
#define HOUR     3600000
#define DAY      86400000
#define HALFWAY  0x80000000U
#define ONE_LINE (RETRY_IF_ALONE | RETRY_IF_SINGLE)

static struct retry_facts facts_of(unsigned when, unsigned tries)
{
    return (struct retry_facts){
        .when = when, .tries = tries, .rounds = tries, .server_wait_ms = -1, .random = UINT32_MAX};
}

/* One line of the specification: what is done the first time, and where the tries end. */
static const struct {
    enum retry_step step;
    enum provider_class class;
    unsigned when;
    unsigned tries; /* before this one */
    enum retry_action want;
    int64_t wait_ms;
    bool tell;
} cases[] = {
  /* clang-format off */
    {RETRY_UPLOAD, PROVIDER_NOT_SENT, 0, 0, RETRY_AGAIN, SECOND - 1, false},
    {RETRY_UPLOAD, PROVIDER_NOT_SENT, 0, 50, RETRY_AGAIN, MINUTE - 1, false},
    {RETRY_UPLOAD, PROVIDER_AMBIGUOUS, 0, 0, RETRY_RESOLVE, SECOND - 1, false},
    {RETRY_UPLOAD, PROVIDER_RATE_LIMIT, 0, 0, RETRY_AGAIN, 5 * SECOND, false},
    {RETRY_UPLOAD, PROVIDER_RATE_LIMIT, 0, 20, RETRY_AGAIN, 5 * MINUTE, true},
    {RETRY_UPLOAD, PROVIDER_QUOTA_FILES, 0, 0, RETRY_REAP, MINUTE, true},
    {RETRY_UPLOAD, PROVIDER_QUOTA_FILES, 0, 9, RETRY_REAP, 15 * MINUTE, true},
    {RETRY_UPLOAD, PROVIDER_INVALID_FILE, RETRY_IF_TOO_BIG, 0, RETRY_SPLIT, 0, false},
    {RETRY_UPLOAD, PROVIDER_INVALID_FILE, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_UPLOAD, PROVIDER_INVALID_LINE, RETRY_IF_NAMED, 0, RETRY_DEAD_LETTER, 0, false},
    {RETRY_UPLOAD, PROVIDER_INVALID_LINE, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_UPLOAD, PROVIDER_MODEL_UNSUPPORTED, 0, 0, RETRY_DEAD_LETTER, 0, false},
    {RETRY_UPLOAD, PROVIDER_REFUSED, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_UPLOAD, PROVIDER_NOT_FOUND, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_UPLOAD, PROVIDER_AUTH, 0, 0, RETRY_RESUBMIT_FREE, 5 * MINUTE, false},
    {RETRY_CREATE, PROVIDER_AUTH, 0, 0, RETRY_KEY, 15 * SECOND, false},
    {RETRY_CREATE, PROVIDER_AUTH, 0, 9, RETRY_KEY, 15 * MINUTE, false},
    {RETRY_UPLOAD, PROVIDER_BILLING, 0, 0, RETRY_HOLD_LANE, MINUTE, true},
    {RETRY_UPLOAD, PROVIDER_BILLING, 0, 9, RETRY_HOLD_LANE, 15 * MINUTE, true},

    {RETRY_FILE_READY, PROVIDER_NONE, 0, 0, RETRY_WAIT, SECOND, false},
    {RETRY_FILE_READY, PROVIDER_NONE, 0, 63, RETRY_WAIT, 30 * SECOND, true},
    {RETRY_FILE_READY, PROVIDER_NONE, 0, 64, RETRY_REBUILD, 0, true},
    {RETRY_FILE_READY, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 0, RETRY_WAIT, SECOND, false},
    {RETRY_FILE_READY, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 8, RETRY_WAIT, 15 * SECOND, true},
    {RETRY_FILE_READY, PROVIDER_NOT_FOUND, 0, 0, RETRY_REBUILD, 0, true},
    {RETRY_FILE_READY, PROVIDER_INVALID_FILE, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_FILE_READY, PROVIDER_AMBIGUOUS, 0, 0, RETRY_WAIT, SECOND - 1, false},

    {RETRY_CREATE, PROVIDER_NOT_SENT, 0, 0, RETRY_AGAIN, SECOND - 1, false},
    {RETRY_CREATE, PROVIDER_RATE_LIMIT, 0, 0, RETRY_AGAIN, 15 * SECOND, false},
    {RETRY_CREATE, PROVIDER_RATE_LIMIT, 0, 9, RETRY_AGAIN, 15 * MINUTE, true},
    {RETRY_CREATE, PROVIDER_QUOTA_CREATES, 0, 0, RETRY_AGAIN, MINUTE, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, 0, 0, RETRY_HOLD_LANE, 5 * SECOND, false},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, 0, 10, RETRY_RESUBMIT_FREE, MINUTE, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, RETRY_IF_ALONE, 0, RETRY_HOLD_LANE, 5 * SECOND, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, RETRY_IF_ALONE, 2, RETRY_SPLIT, 0, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, ONE_LINE, 0, RETRY_HOLD_LANE, MINUTE, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, ONE_LINE, 9, RETRY_HOLD_LANE, 15 * MINUTE, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, ONE_LINE, 10, RETRY_SPLIT, 0, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, ONE_LINE | RETRY_IF_ROOM, 1, RETRY_HOLD_LANE, MINUTE, true},
    {RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, ONE_LINE | RETRY_IF_ROOM, 2, RETRY_SPLIT, 0, true},
    {RETRY_CREATE, PROVIDER_RATE_LIMIT, 0, 2, RETRY_AGAIN, MINUTE, true},
    {RETRY_CREATE, PROVIDER_REFUSED, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_CREATE, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 0, RETRY_SAME_FILE, SECOND, false},
    {RETRY_CREATE, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 9, RETRY_SAME_FILE, 15 * SECOND, true},
    {RETRY_CREATE, PROVIDER_NOT_FOUND, 0, 0, RETRY_REBUILD, 0, false},
    {RETRY_CREATE, PROVIDER_NOT_FOUND, 0, 5, RETRY_STOP_LANE, 0, true},
    {RETRY_CREATE, PROVIDER_BILLING, 0, 0, RETRY_HOLD_LANE, MINUTE, true},

    {RETRY_SEARCH, PROVIDER_AMBIGUOUS, 0, 0, RETRY_AGAIN, 2 * SECOND, false},
    {RETRY_SEARCH, PROVIDER_REFUSED, 0, 99, RETRY_AGAIN, MINUTE, false},

    {RETRY_POLL, PROVIDER_NONE, 0, 0, RETRY_WAIT, 0, false},
    {RETRY_POLL, PROVIDER_AMBIGUOUS, 0, 9999, RETRY_AGAIN, MINUTE - 1, false},
    {RETRY_POLL, PROVIDER_REFUSED, 0, 9999, RETRY_AGAIN, MINUTE - 1, false},
    {RETRY_POLL, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 99, RETRY_WAIT, 15 * SECOND, false},
    {RETRY_POLL, PROVIDER_NOT_FOUND, 0, 0, RETRY_AGAIN, 200 * SECOND, false},
    {RETRY_POLL, PROVIDER_NOT_FOUND, 0, 2, RETRY_AGAIN, 200 * SECOND, false},
    {RETRY_POLL, PROVIDER_NOT_FOUND, 0, 3, RETRY_RESOLVE, 0, true},
    {RETRY_POLL, PROVIDER_NOT_FOUND, 0, 4, RETRY_RESUBMIT_COUNTED, 0, true},

    {RETRY_FAILED, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 0, RETRY_SAME_FILE, 5 * SECOND, false},
    {RETRY_FAILED, PROVIDER_NOT_FOUND, 0, 0, RETRY_REBUILD, 0, false},
    {RETRY_FAILED, PROVIDER_NOT_FOUND, 0, 5, RETRY_STOP_LANE, 0, true},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, 0, 0, RETRY_RESUBMIT_FREE, MINUTE, false},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, RETRY_IF_ALONE, 0, RETRY_SPLIT, 0, true},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, ONE_LINE, 0, RETRY_SAME_FILE, MINUTE, true},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, ONE_LINE, 9, RETRY_SAME_FILE, 15 * MINUTE, true},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, ONE_LINE, 10, RETRY_SPLIT, 0, true},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, ONE_LINE | RETRY_IF_ROOM, 1, RETRY_SAME_FILE, MINUTE, true},
    {RETRY_FAILED, PROVIDER_QUOTA_ENQUEUED, ONE_LINE | RETRY_IF_ROOM, 2, RETRY_SPLIT, 0, true},
    {RETRY_FAILED, PROVIDER_RATE_LIMIT, 0, 0, RETRY_RESUBMIT_FREE, MINUTE, true},
    {RETRY_FAILED, PROVIDER_BILLING, 0, 0, RETRY_RESUBMIT_FREE, 15 * MINUTE, true},
    {RETRY_FAILED, PROVIDER_INVALID_FILE, RETRY_IF_TOO_BIG, 0, RETRY_SPLIT, 0, false},
    {RETRY_FAILED, PROVIDER_INVALID_LINE, RETRY_IF_NAMED, 0, RETRY_DEAD_LETTER, 0, false},
    {RETRY_FAILED, PROVIDER_INVALID_LINE, 0, 0, RETRY_STOP_LANE, 0, true},
    {RETRY_FAILED, PROVIDER_MODEL_UNSUPPORTED, 0, 0, RETRY_DEAD_LETTER, 0, false},
    {RETRY_FAILED, PROVIDER_UNKNOWN, 0, 0, RETRY_SAME_FILE, 5 * MINUTE, true},
    {RETRY_FAILED, PROVIDER_UNKNOWN, 0, 1, RETRY_SAME_FILE, 30 * MINUTE, true},
    {RETRY_FAILED, PROVIDER_UNKNOWN, 0, 2, RETRY_STOP_LANE, 0, true},
    {RETRY_FAILED, PROVIDER_UNKNOWN, RETRY_IF_NAMED, 0, RETRY_DEAD_LETTER, 0, false},

    {RETRY_ENDED, PROVIDER_NONE, RETRY_IF_RESULTS, 0, RETRY_FETCH, 0, false},
    {RETRY_ENDED, PROVIDER_NONE, RETRY_IF_RESULTS | RETRY_IF_PARTIAL, 0, RETRY_FETCH, 0, false},
    {RETRY_ENDED, PROVIDER_NONE, RETRY_IF_YOUNG, 0, RETRY_WAIT, 0, false},
    {RETRY_ENDED, PROVIDER_NONE, RETRY_IF_PARTIAL, 0, RETRY_RESUBMIT_FREE, 0, false},
    {RETRY_ENDED, PROVIDER_NONE, 0, 0, RETRY_RESUBMIT_COUNTED, 0, true},

    {RETRY_STUCK, PROVIDER_NONE, 0, 0, RETRY_WAIT, 0, false},
    {RETRY_STUCK, PROVIDER_NONE, RETRY_IF_SLOW, 0, RETRY_WAIT, 0, true},
    {RETRY_STUCK, PROVIDER_NONE, RETRY_IF_SLOW | RETRY_IF_OVERDUE, 0, RETRY_CANCEL_BATCH, 0, true},
    {RETRY_STUCK, PROVIDER_NONE, RETRY_IF_STOPPED | RETRY_IF_OVERDUE, 0, RETRY_FETCH, 0, true},

    {RETRY_CANCEL, PROVIDER_AMBIGUOUS, 0, 0, RETRY_AGAIN, SECOND - 1, false},
    {RETRY_CANCEL, PROVIDER_CONFLICT_STATE, 0, 0, RETRY_WAIT, 0, false},

    {RETRY_DOWNLOAD, PROVIDER_TRUNCATED, 0, 0, RETRY_AGAIN, SECOND - 1, false},
    {RETRY_DOWNLOAD, PROVIDER_TRUNCATED, 0, 10, RETRY_AGAIN, 30 * SECOND, true},
    {RETRY_DOWNLOAD, PROVIDER_NONE, RETRY_IF_SHORT, 0, RETRY_AGAIN, MINUTE, false},
    {RETRY_DOWNLOAD, PROVIDER_NONE, RETRY_IF_SHORT, 1, RETRY_AGAIN, MINUTE, false},
    {RETRY_DOWNLOAD, PROVIDER_NONE, RETRY_IF_SHORT, 2, RETRY_FETCH, 0, false},
    {RETRY_DOWNLOAD, PROVIDER_NOT_FOUND, RETRY_IF_YOUNG, 0, RETRY_WAIT, 15 * SECOND, false},
    {RETRY_DOWNLOAD, PROVIDER_NOT_FOUND, 0, 0, RETRY_AGAIN, 2 * MINUTE, true},
    {RETRY_DOWNLOAD, PROVIDER_NOT_FOUND, 0, 4, RETRY_AGAIN, 2 * MINUTE, true},
    {RETRY_DOWNLOAD, PROVIDER_NOT_FOUND, 0, 5, RETRY_RESUBMIT_COUNTED, 0, true},
  /* clang-format on */
};

static void each_failure_has_its_action_and_its_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct retry_facts facts = facts_of(cases[i].when, cases[i].tries);
        struct retry_decision d = retry_decide(cases[i].step, cases[i].class, &facts);

        print_message("  %s, %s, after %u\n", retry_step_name(cases[i].step),
                      provider_class_name(cases[i].class), cases[i].tries);
        assert_string_equal(retry_action_name(d.action), retry_action_name(cases[i].want));
        assert_int_equal(d.wait_ms, cases[i].wait_ms);
        assert_int_equal(d.tell, cases[i].tell);
    }
}

static void every_class_has_an_answer_at_every_step(void **state)
{
    (void)state;
    for (unsigned step = 0; step < RETRY_ROW; step++) {
        for (int class = 0; class <= PROVIDER_UNKNOWN; class ++) {
            for (unsigned tries = 0; tries < 100; tries += 9) {
                struct retry_facts facts = facts_of(0, tries);
                struct retry_decision d =
                    retry_decide((enum retry_step)step, (enum provider_class) class, &facts);

                assert_string_not_equal(retry_action_name(d.action), "?");
                assert_true(d.wait_ms >= 0 && d.wait_ms <= 30 * MINUTE);
            }
        }
    }
}

/* A second create where the first may have worked is a second bill. */
static void a_create_that_may_have_worked_is_never_just_repeated(void **state)
{
    static const enum provider_class unsure[] = {PROVIDER_AMBIGUOUS, PROVIDER_UNKNOWN,
                                                 PROVIDER_TRUNCATED, PROVIDER_ABORTED};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(unsure); i++) {
        for (unsigned tries = 0; tries < 30; tries++) {
            struct retry_facts facts = facts_of(0, tries);

            assert_int_equal(retry_decide(RETRY_CREATE, unsure[i], &facts).action, RETRY_RESOLVE);
        }
    }
}

static void a_wait_is_any_point_up_to_its_length(void **state)
{
    struct retry_facts facts = facts_of(0, 3);

    (void)state;
    facts.random = 0;
    assert_int_equal(retry_decide(RETRY_UPLOAD, PROVIDER_NOT_SENT, &facts).wait_ms, 0);
    facts.random = HALFWAY;
    assert_int_equal(retry_decide(RETRY_UPLOAD, PROVIDER_NOT_SENT, &facts).wait_ms, 4 * SECOND);
    assert_int_equal(retry_decide(RETRY_UPLOAD, PROVIDER_RATE_LIMIT, &facts).wait_ms, 40 * SECOND);
}

static void the_providers_wish_to_wait_wins(void **state)
{
    static const struct {
        enum retry_step step;
        enum provider_class class;
        int64_t asked_ms, wait_ms;
        bool tell;
    } wishes[] = {
        {RETRY_UPLOAD, PROVIDER_RATE_LIMIT,   1 * SECOND,  1 * SECOND,  false},
        {RETRY_CREATE, PROVIDER_RATE_LIMIT,   15 * MINUTE, 15 * MINUTE, true },
        {RETRY_CREATE, PROVIDER_RATE_LIMIT,   2 * HOUR,    2 * HOUR,    true },
        {RETRY_UPLOAD, PROVIDER_QUOTA_TIME,   5 * HOUR,    5 * HOUR,    true },
        {RETRY_UPLOAD, PROVIDER_QUOTA_TIME,   9 * DAY,     DAY,         true },
        {RETRY_UPLOAD, PROVIDER_RATE_LIMIT,   0,           5 * SECOND,  false},
        {RETRY_CREATE, PROVIDER_AMBIGUOUS,    1 * HOUR,    0,           false},
        {RETRY_UPLOAD, PROVIDER_INVALID_LINE, 1 * HOUR,    0,           true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
        struct retry_facts facts = facts_of(0, 0);

        facts.server_wait_ms = wishes[i].asked_ms;
        struct retry_decision d = retry_decide(wishes[i].step, wishes[i].class, &facts);
        assert_int_equal(d.wait_ms, wishes[i].wait_ms);
        assert_int_equal(d.tell, wishes[i].tell);
    }
}

static void a_call_that_shall_not_be_repeated_goes_on_to_what_follows(void **state)
{
    struct retry_facts facts = facts_of(0, 0);

    (void)state;
    facts.no_repeat = true;
    struct retry_decision d = retry_decide(RETRY_POLL, PROVIDER_NOT_FOUND, &facts);
    assert_string_equal(retry_action_name(d.action), "resolve");
    d = retry_decide(RETRY_CREATE, PROVIDER_RATE_LIMIT, &facts);
    assert_string_equal(retry_action_name(d.action), "retry");
    assert_int_equal(d.wait_ms, 15 * MINUTE);
    d = retry_decide(RETRY_CREATE, PROVIDER_AMBIGUOUS, &facts);
    assert_string_equal(retry_action_name(d.action), "resolve");
}

static void long_waits_shrink_where_polls_are_often(void **state)
{
    struct retry_facts facts = facts_of(0, 0);

    (void)state;
    facts.poll_ms = 100;
    assert_int_equal(retry_decide(RETRY_FAILED, PROVIDER_UNKNOWN, &facts).wait_ms, 500);
    assert_int_equal(retry_decide(RETRY_UPLOAD, PROVIDER_QUOTA_FILES, &facts).wait_ms, 100);
    assert_int_equal(retry_decide(RETRY_UPLOAD, PROVIDER_RATE_LIMIT, &facts).wait_ms, 5 * SECOND);
    facts.poll_ms = HOUR;
    assert_int_equal(retry_decide(RETRY_FAILED, PROVIDER_UNKNOWN, &facts).wait_ms, 5 * MINUTE);
    assert_int_equal(retry_grace_ms(100), SECOND);
    assert_int_equal(retry_grace_ms(MINUTE), 5 * MINUTE);
    assert_int_equal(retry_grace_ms(0), 5 * MINUTE);
}

static void a_lesson_is_learned_once_a_row(void **state)
{
    struct retry_facts facts = facts_of(0, 0);

    (void)state;
    assert_int_equal(retry_decide(RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, &facts).lesson,
                     RETRY_LESS_QUEUED);
    facts.tries = 1;
    assert_int_equal(retry_decide(RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, &facts).lesson,
                     RETRY_NO_LESSON);
    facts.tries = 10;
    assert_int_equal(retry_decide(RETRY_CREATE, PROVIDER_QUOTA_ENQUEUED, &facts).lesson,
                     RETRY_LESS_QUEUED);
}

static void failures_are_of_one_kind_where_the_same_rows_hold(void **state)
{
    static const struct {
        enum retry_step step;
        enum provider_class class;
        unsigned when;
        const char *kind;
    } kinds[] = {
        {RETRY_POLL,       PROVIDER_NOT_FOUND,      0,                               "poll/not_found"       },
        {RETRY_POLL,       PROVIDER_NOT_FOUND,      RETRY_IF_YOUNG,                  "poll/not_found+1"     },
        {RETRY_POLL,       PROVIDER_AMBIGUOUS,      0,                               "poll/any"             },
        {RETRY_POLL,       PROVIDER_NOT_SENT,       RETRY_IF_YOUNG,                  "poll/any"             },
        {RETRY_SEARCH,     PROVIDER_NOT_FOUND,      0,                               "search/any"           },
        {RETRY_FAILED,     PROVIDER_UNKNOWN,        RETRY_IF_YOUNG,                  "failed/any"           },
        {RETRY_FAILED,     PROVIDER_QUOTA_ENQUEUED, RETRY_IF_YOUNG,                  "failed/quota_enqueued"},
        {RETRY_FAILED,     PROVIDER_UNKNOWN,        RETRY_IF_YOUNG | RETRY_IF_NAMED, "failed/any+2"         },
        {RETRY_FILE_READY, PROVIDER_NONE,           0,                               "file_ready/none"      },
    };
    char kind[RETRY_KIND_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        retry_kind(kinds[i].step, kinds[i].class, kinds[i].when, kind);
        assert_string_equal(kind, kinds[i].kind);
        assert_true(retry_kind_is_of(kind, kinds[i].step));
        assert_false(retry_kind_is_of(kind, RETRY_STUCK));
    }
    assert_false(retry_kind_is_of("", RETRY_POLL));
}

static void kinds_are_counted_apart(void **state)
{
    static const struct {
        const char *counts, *kind;
        unsigned count;
        const char *more;
    } steps[] = {
        {"",            "a/b",   0, "a/b:1"        },
        {"a/b:1",       "a/b",   1, "a/b:2"        },
        {"a/b:2",       "a/b+1", 0, "a/b:2 a/b+1:1"},
        {"a/b:2 c:9",   "a/b",   2, "a/b:3 c:9"    },
        {"a/b:2 c:9",   "c",     9, "a/b:2 c:10"   },
        {"x:1 y:2 z:3", "y",     2, "x:1 y:3 z:3"  },
        {"a/bc:4",      "a/b",   0, "a/bc:4 a/b:1" },
        {"3",           "a/b",   0, "3 a/b:1"      },
    };
    char out[RETRY_COUNTS_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_int_equal(retry_count(steps[i].counts, steps[i].kind), steps[i].count);
        retry_count_more(steps[i].counts, steps[i].kind, out);
        assert_string_equal(out, steps[i].more);
    }
}

/* Whatever a record goes through, no count is lost: else it could go round for ever. */
static void all_kinds_of_rounds_find_room(void **state)
{
    char counts[2][RETRY_COUNTS_SIZE] = {"", ""};
    size_t count = 0;
    const struct retry_row *rows = retry_rows(&count);

    (void)state;
    for (unsigned round = 0; round < 1000; round++) {
        for (size_t i = 0; i < count; i++) {
            char kind[RETRY_KIND_SIZE];
            int class = rows[i].class == RETRY_ANY ? PROVIDER_UNKNOWN : rows[i].class;

            if ((rows[i].flags & RETRY_ROUNDS) == 0 && rows[i].action != RETRY_REBUILD)
                continue;
            retry_kind(rows[i].step, (enum provider_class) class, rows[i].when, kind);
            unsigned before = retry_count(counts[0], kind);
            retry_count_more(counts[0], kind, counts[1]);
            assert_int_equal(retry_count(counts[1], kind), before + 1);
            memcpy(counts[0], counts[1], sizeof(counts[0]));
        }
    }
    assert_true(strlen(counts[0]) < RETRY_COUNTS_SIZE - 1);
}

static void each_row_of_a_result_file(void **state)
{
    static const struct {
        enum row_class class;
        const char *want;
    } lines[] = {
        {ROW_OK,             "fetch"           },
        {ROW_EXPIRED,        "resubmit_free"   },
        {ROW_CANCELLED,      "resubmit_free"   },
        {ROW_TIMEOUT,        "resubmit_free"   },
        {ROW_QUOTA,          "resubmit_free"   },
        {ROW_RATE,           "resubmit_counted"},
        {ROW_SERVER,         "resubmit_counted"},
        {ROW_AUTH,           "resubmit_counted"},
        {ROW_UNKNOWN,        "resubmit_counted"},
        {ROW_MODEL,          "dead_letter"     },
        {ROW_CONTENT_POLICY, "dead_letter"     },
        {ROW_TOO_LONG,       "dead_letter"     },
        {ROW_BAD,            "dead_letter"     },
    };

    (void)state;
    assert_int_equal(ARRAY_LEN(lines), ROW_CLASSES);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        assert_string_equal(retry_action_name(retry_row_action(lines[i].class)), lines[i].want);
}

static void what_is_too_big_says_so(void **state)
{
    (void)state;
    assert_true(retry_is_too_big(PROVIDER_INVALID_FILE, 413, "", ""));
    assert_true(retry_is_too_big(PROVIDER_INVALID_FILE, 435, "", ""));
    assert_true(retry_is_too_big(PROVIDER_INVALID_FILE, 400, "too_many_tasks", ""));
    assert_true(retry_is_too_big(PROVIDER_INVALID_FILE, 400, "", "The file is too large."));
    assert_false(retry_is_too_big(PROVIDER_INVALID_FILE, 400, "empty_file", "The file is empty."));
    assert_false(retry_is_too_big(PROVIDER_REFUSED, 413, "", ""));
    assert_true(retry_is_too_many("too_many_tasks", ""));
    assert_false(retry_is_too_many("", "The file is too large."));
}

static void a_full_queue_says_what_it_counts(void **state)
{
    (void)state;
    assert_int_equal(retry_queue_of("token_limit_exceeded", ""), RETRY_QUEUE_TOKENS);
    assert_int_equal(retry_queue_of("", "Enqueued token limit reached for this batch"),
                     RETRY_QUEUE_TOKENS);
    assert_int_equal(retry_queue_of("TaskRunningNumberExceedLimit", ""), RETRY_QUEUE_BATCHES);
    assert_int_equal(retry_queue_of("", "Too many live batches. The limit is 3."),
                     RETRY_QUEUE_BATCHES);
    assert_int_equal(retry_queue_of("", "the queue of requests is full"), RETRY_QUEUE_REQUESTS);
    assert_int_equal(retry_queue_of("", ""), RETRY_QUEUE_TOKENS);
}

/* What the reader of the table relies on. */
static void rows_of_a_kind_stand_together_and_end(void **state)
{
    size_t count = 0;
    const struct retry_row *rows = retry_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = i + 1; k < count; k++) {
            bool same = rows[i].step == rows[k].step && rows[i].class == rows[k].class &&
                        rows[i].when == rows[k].when;

            if (same)
                assert_true(rows[k - 1].step == rows[i].step &&
                            rows[k - 1].class == rows[i].class &&
                            rows[k - 1].when == rows[i].when && rows[k - 1].tries > 0);
        }
        assert_true(rows[i].base_ms <= rows[i].cap_ms);
    }
    assert_int_equal(rows[count - 1].tries, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_failure_has_its_action_and_its_wait),
        cmocka_unit_test(every_class_has_an_answer_at_every_step),
        cmocka_unit_test(a_create_that_may_have_worked_is_never_just_repeated),
        cmocka_unit_test(a_wait_is_any_point_up_to_its_length),
        cmocka_unit_test(the_providers_wish_to_wait_wins),
        cmocka_unit_test(a_call_that_shall_not_be_repeated_goes_on_to_what_follows),
        cmocka_unit_test(long_waits_shrink_where_polls_are_often),
        cmocka_unit_test(a_lesson_is_learned_once_a_row),
        cmocka_unit_test(failures_are_of_one_kind_where_the_same_rows_hold),
        cmocka_unit_test(kinds_are_counted_apart),
        cmocka_unit_test(all_kinds_of_rounds_find_room),
        cmocka_unit_test(each_row_of_a_result_file),
        cmocka_unit_test(what_is_too_big_says_so),
        cmocka_unit_test(a_full_queue_says_what_it_counts),
        cmocka_unit_test(rows_of_a_kind_stand_together_and_end),
    };
    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
