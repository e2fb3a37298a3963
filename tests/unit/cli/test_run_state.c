#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "cli/core/run_state.h"
#include "common/base/attr.h"

#define GIVE_UP_MS 600000

static struct job_view view_of(enum job_state job, enum site_state site, const char *hold)
{
    struct job_view view = {.state = job,
                            .why = "",
                            .site_state = site,
                            .site_why = site == SITE_OK ? "" : "401 wrong key",
                            .now_ms = 5000000,
                            .site_since_ms = site == SITE_OK ? 0 : 4999000};

    (void)snprintf(view.hold, sizeof(view.hold), "%s", hold);
    return view;
}

static struct run_facts facts_of(const struct job_view *view)
{
    return (struct run_facts){.now_ms = 10000,
                              .redis_why = "connection refused",
                              .sight = view == NULL ? RUN_SIGHT_NONE : RUN_SIGHT_JOB,
                              .sight_why = "",
                              .view = view,
                              .is_opened = true,
                              .gives_cap = true,
                              .failure = {.said = ""},
                              .give_up_ms = GIVE_UP_MS};
}

static struct run_verdict look(const struct run_facts *facts)
{
    struct run_state memory = {0};
    struct run_verdict v;

    run_state_look(&memory, facts, &v);
    return v;
}

static void what_the_job_and_its_provider_say_decides(void **state)
{
    static const struct {
        const char *name;
        enum job_state job;
        enum site_state site;
        const char *hold;
        int64_t since_ms;
        enum run_step step;
        int code;
    } cases[] = {
        {"at work",               JOB_SEALED, SITE_OK,   "",              0,       RUN_GO_ON, 0 },
        {"held by an operator",   JOB_SEALED, SITE_OK,   "operator",      0,       RUN_GO_ON, 0 },
        {"key refused",           JOB_OPEN,   SITE_AUTH, "",              4999999, RUN_STOP,  4 },
        {"held for its key",      JOB_SEALED, SITE_OK,   "auth",          0,       RUN_STOP,  4 },
        {"spend cap",             JOB_SEALED, SITE_OK,   "budget",        0,       RUN_STOP,  6 },
        {"other input",           JOB_SEALED, SITE_OK,   "input_changed", 0,       RUN_STOP,  12},
        {"down for a second",     JOB_SEALED, SITE_DOWN, "",              4999000, RUN_GO_ON, 0 },
        {"down for ten minutes",  JOB_SEALED, SITE_DOWN, "",              4400000, RUN_GO_ON, 0 },
        {"down for longer",       JOB_SEALED, SITE_DOWN, "",              4399999, RUN_STOP,  8 },
        {"ended, then the cause", JOB_FINAL,  SITE_AUTH, "",              4399999, RUN_GO_ON, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job_view view = view_of(cases[i].job, cases[i].site, cases[i].hold);
        struct run_facts facts = facts_of(&view);

        print_message("  %s\n", cases[i].name);
        view.site_since_ms = cases[i].since_ms;
        struct run_verdict v = look(&facts);
        assert_int_equal(v.step, cases[i].step);
        assert_int_equal(v.code, cases[i].code);
        assert_int_equal(v.message[0] != '\0', v.step == RUN_STOP);
    }
}

static void a_hold_by_the_cap_of_an_earlier_run_is_not_this_run_s(void **state)
{
    struct job_view view = view_of(JOB_SEALED, SITE_OK, "budget");
    struct run_facts facts = facts_of(&view);

    (void)state;
    facts.is_opened = false;
    assert_int_equal(look(&facts).step, RUN_GO_ON);
    facts.is_opened = true;
    assert_int_equal(look(&facts).step, RUN_STOP);
}

static void a_cap_that_a_rollback_took_back_is_given_again(void **state)
{
    struct job_view view = view_of(JOB_SEALED, SITE_OK, "budget");
    struct run_facts facts = facts_of(&view);
    struct run_state memory = {0};
    struct run_verdict v;

    (void)state;
    facts.is_opened = false;
    facts.producer = RUN_PRODUCER_DONE;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_GO_ON);
    facts.now_ms += RUN_OPEN_MS;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_CUT_AGAIN);
    run_state_look(&memory, &facts, &v); /* and it has time for that */
    assert_int_equal(v.step, RUN_GO_ON);
}

static void at_the_cap_it_is_said_what_more_money_would_buy(void **state)
{
    struct job_view view = view_of(JOB_SEALED, SITE_OK, "budget");
    struct run_facts facts = facts_of(&view);

    (void)state;
    memcpy(view.currency, "CNY", 4);
    view.requests = 10000;
    view.invalid = 3;
    view.ok = 6000;
    view.bad = 10;
    view.spent_nano = 9020000000;
    view.left_nano = 5000000000;
    view.need_nano = 5790000001;
    assert_string_equal(look(&facts).advice,
                        "3987 requests are left, for about ¥5.00: the same command with "
                        "--max-cost 14.82CNY goes on to the end");
    facts.spent_before = 1000000000; /* of the rounds before */
    assert_non_null(strstr(look(&facts).advice, "--max-cost 15.82CNY "));
    facts.gives_cap = false; /* what sends rows again takes no cap */
    assert_non_null(strstr(look(&facts).advice, "the `sheaf run` of this job with --max-cost "));
    view.state = JOB_OPEN; /* nobody knows yet what is left */
    assert_string_equal(look(&facts).advice, "");
    view.state = JOB_SEALED;
    view.need_nano = -1;
    assert_string_equal(look(&facts).advice, "");
}

static void what_redis_says_decides(void **state)
{
    static const struct {
        const char *name;
        int64_t down_ms;
        bool refuses;
        enum run_sight sight;
        enum run_producer producer;
        enum run_step step;
        int code;
    } cases[] = {
        {"starting",       500,            false, RUN_SIGHT_NONE,   RUN_PRODUCER_WORKS, RUN_GO_ON,     0},
        {"gone a while",   GIVE_UP_MS,     false, RUN_SIGHT_NONE,   RUN_PRODUCER_WORKS, RUN_GO_ON,     0},
        {"gone too long",  GIVE_UP_MS + 1, false, RUN_SIGHT_NONE,   RUN_PRODUCER_WORKS, RUN_STOP,      9},
        {"wrong password", 1,              true,  RUN_SIGHT_NONE,   RUN_PRODUCER_WORKS, RUN_STOP,      9},
        {"broken record",  0,              false, RUN_SIGHT_BROKEN, RUN_PRODUCER_WORKS, RUN_STOP,      1},
        {"not yet opened", 0,              false, RUN_SIGHT_NO_JOB, RUN_PRODUCER_WORKS, RUN_GO_ON,     0},
        {"job lost",       0,              false, RUN_SIGHT_NO_JOB, RUN_PRODUCER_DONE,  RUN_CUT_AGAIN, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct run_facts facts = facts_of(NULL);

        print_message("  %s\n", cases[i].name);
        facts.redis_down_ms = cases[i].down_ms;
        facts.redis_refuses = cases[i].refuses;
        facts.sight = cases[i].sight;
        facts.producer = cases[i].producer;
        struct run_verdict v = look(&facts);
        assert_int_equal(v.step, cases[i].step);
        assert_int_equal(v.code, cases[i].code);
    }
}

static void what_a_child_ended_with_decides(void **state)
{
    static const struct {
        const char *name;
        struct run_failure failure;
        enum run_step step;
        int code;
    } cases[] = {
        {"killed once",                {"sheaf-worker", -9, 1, 0, 9000, ""},            RUN_GO_ON, 0 },
        {"killed ten times",           {"sheaf-worker", -9, 10, 0, 9000, ""},           RUN_GO_ON, 0 },
        {"killed for too long",        {"sheaf-worker", -9, 50, 0, -600000, ""},        RUN_STOP,  1 },
        {"killed, crashed nine times", {"sheaf-worker", -11, 30, 9, 9000, ""},          RUN_GO_ON, 0 },
        {"crashed nine times",         {"sheaf-worker", -11, 9, 9, 9000, ""},           RUN_GO_ON, 0 },
        {"crashed ten times",          {"sheaf-worker", -11, 10, 10, 9000, ""},         RUN_STOP,  1 },
        {"other input",                {"sheaf-producer", 12, 1, 1, 9000, "conflict"},  RUN_STOP,  12},
        {"bad input",                  {"sheaf-producer", 11, 1, 1, 9000, "line 1"},    RUN_STOP,  11},
        {"bad setting",                {"sheaf-coordinator", 2, 1, 1, 9000, "what?"},   RUN_STOP,  2 },
        {"no key",                     {"sheaf-worker", 4, 1, 1, 9000, "no key"},       RUN_STOP,  4 },
        {"disk full",                  {"sheaf-producer", 9, 50, 50, 9000, "no space"}, RUN_GO_ON, 0 },
        {"disk full for longer",       {"sheaf-producer", 9, 50, 50, -600000, "full"},  RUN_STOP,  9 },
        {"broken append file",         {"redis-server", 1, 10, 10, 9000, ""},           RUN_STOP,  9 },
        {"one death long ago",         {"sheaf-worker", 1, 1, 1, -700000, ""},          RUN_GO_ON, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job_view view = view_of(JOB_SEALED, SITE_OK, "");
        struct run_facts facts = facts_of(&view);

        print_message("  %s\n", cases[i].name);
        facts.failure = cases[i].failure;
        struct run_verdict v = look(&facts);
        assert_int_equal(v.step, cases[i].step);
        assert_int_equal(v.code, cases[i].code);
        if (v.step == RUN_STOP)
            assert_non_null(strstr(v.message, cases[i].failure.said));
    }
}

static void
a_finished_job_is_published_when_its_remote_files_are_gone_or_after_a_while(void **state)
{
    struct job_view view = view_of(JOB_FINAL, SITE_OK, "");
    struct run_facts facts = facts_of(&view);
    struct run_state memory = {0};
    struct run_verdict v;

    (void)state;
    view.batches_view_count = 1;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_GO_ON);
    facts.producer = RUN_PRODUCER_DONE;
    facts.now_ms += RUN_TIDY_MS - 1;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_GO_ON);
    facts.now_ms++;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_FINISHED);

    memory = (struct run_state){0};
    view.batches_view_count = 0;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_FINISHED);
    facts.producer = RUN_PRODUCER_WORKS;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_GO_ON);
}

static void a_job_that_is_open_again_is_cut_again(void **state)
{
    struct job_view view = view_of(JOB_OPEN, SITE_OK, "");
    struct run_facts facts = facts_of(&view);
    struct run_state memory = {0};
    struct run_verdict v;

    (void)state;
    facts.producer = RUN_PRODUCER_DONE;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_GO_ON);
    facts.now_ms += RUN_OPEN_MS - 1;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_GO_ON);
    facts.now_ms++;
    run_state_look(&memory, &facts, &v);
    assert_int_equal(v.step, RUN_CUT_AGAIN);
}

static void trouble_that_lasts_ends_with_the_code_of_its_kind(void **state)
{
    static const struct {
        const char *kind;
        int64_t lasts_ms;
        int code; /* 0: goes on */
    } cases[] = {
        {TROUBLE_QUOTA,   GIVE_UP_MS,     0 },
        {TROUBLE_QUOTA,   GIVE_UP_MS + 1, 8 },
        {TROUBLE_INPUT,   GIVE_UP_MS + 1, 11},
        {TROUBLE_DISK,    GIVE_UP_MS + 1, 9 },
        {TROUBLE_FILES,   GIVE_UP_MS + 1, 8 },
        {TROUBLE_LANE,    GIVE_UP_MS + 1, 8 },
        {TROUBLE_ACCOUNT, GIVE_UP_MS + 1, 12},
        {"",              GIVE_UP_MS + 1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job_view view = view_of(JOB_SEALED, SITE_OK, "");
        struct run_facts facts = facts_of(&view);

        (void)snprintf(view.trouble, sizeof(view.trouble), "%s", cases[i].kind);
        view.trouble_why = "no money left";
        view.trouble_since_ms = view.now_ms - cases[i].lasts_ms;
        struct run_verdict v = look(&facts);
        assert_int_equal(v.step, cases[i].code == 0 ? RUN_GO_ON : RUN_STOP);
        assert_int_equal(v.code, cases[i].code);
        if (cases[i].code != 0)
            assert_non_null(strstr(v.message, "no money left"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_that_lasts_ends_with_the_code_of_its_kind),
        cmocka_unit_test(what_the_job_and_its_provider_say_decides),
        cmocka_unit_test(a_hold_by_the_cap_of_an_earlier_run_is_not_this_run_s),
        cmocka_unit_test(a_cap_that_a_rollback_took_back_is_given_again),
        cmocka_unit_test(at_the_cap_it_is_said_what_more_money_would_buy),
        cmocka_unit_test(what_redis_says_decides),
        cmocka_unit_test(what_a_child_ended_with_decides),
        cmocka_unit_test(
            a_finished_job_is_published_when_its_remote_files_are_gone_or_after_a_while),
        cmocka_unit_test(a_job_that_is_open_again_is_cut_again),
    };
    return cmocka_run_group_tests_name("run_state", tests, NULL, NULL);
}
