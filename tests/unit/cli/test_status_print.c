#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "cli/core/sample.h"
#include "cli/core/status_print.h"
#include "common/base/attr.h"

static struct job_view view_with(const struct batch_view *batches, size_t count)
{
    struct job_view v = {.job = "night \"ly\"",
                         .state = JOB_SEALED,
                         .why = "",
                         .site_why = "",
                         .requests = 1000,
                         .invalid = 3,
                         .ok = 490,
                         .bad = 7,
                         .shards = 4,
                         .shards_done = 2,
                         .parts = 1,
                         .batches = 3,
                         .now_ms = 60000,
                         .created_ms = 1000,
                         .batches_view = batches,
                         .batches_view_count = count};
    return v;
}

static const struct batch_view two[] = {
    {.bid = "aaaaaaaaaaaaaaaa",
     .state = BATCH_RUN,
     .requests = 300,
     .remote = "batch_1",
     .remote_status = "in_progress",
     .remote_done = 120,
     .remote_failed = -1,
     .lane_label = "{\"model\":\"m\"}"},
    {.bid = "bbbbbbbbbbbbbbbb",
     .state = BATCH_FETCH,
     .requests = 200,
     .remote_done = -1,
     .remote_failed = -1,
     .ok = 50,
     .bad = 1,
     .lane_label = ""                 },
};

static void three_truths_are_kept_apart(void **state)
{
    struct job_view v = view_with(two, 2);
    struct progress_sample s;

    (void)state;
    sample_from_view(&v, 5, "running", &s);
    assert_int_equal(s.integrated, 500);
    assert_int_equal(s.failed, 10);
    assert_int_equal(s.remote_done, 500 + 120 + 200);
    assert_int_equal(s.downloaded, 500 + 51);
    assert_int_equal(s.total, 1000);
    assert_int_equal(s.running, 1);
    assert_int_equal(s.fetching, 1);
    v.state = JOB_OPEN;
    sample_from_view(&v, 5, "cutting", &s);
    assert_int_equal(s.total, -1);
}

static void a_state_says_what_the_job_waits_for(void **state)
{
    static const struct {
        enum job_state job;
        const char *hold;
        bool cancelled;
        enum site_state site;
        uint64_t shards_done;
        const char *want;
    } cases[] = {
        {JOB_OPEN,   "",         false, SITE_OK,   0, "cutting"                             },
        {JOB_SEALED, "",         false, SITE_OK,   2, "running"                             },
        {JOB_SEALED, "",         false, SITE_OK,   4, "merging"                             },
        {JOB_SEALED, "operator", false, SITE_DOWN, 2, "held: operator"                      },
        {JOB_SEALED, "",         false, SITE_DOWN, 2, "waiting: no answer from the provider"},
        {JOB_OPEN,   "",         false, SITE_AUTH, 2, "the provider refuses the key"        },
        {JOB_SEALED, "operator", true,  SITE_OK,   2, "cancelling"                          },
        {JOB_FINAL,  "",         true,  SITE_AUTH, 4, "cancelled"                           },
        {JOB_FINAL,  "",         false, SITE_DOWN, 4, "finished"                            },
    };
    char out[SAMPLE_STATE_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct job_view v = view_with(NULL, 0);

        v.state = cases[i].job;
        v.cancelled = cases[i].cancelled;
        v.site_state = cases[i].site;
        v.shards_done = cases[i].shards_done;
        (void)snprintf(v.hold, sizeof(v.hold), "%s", cases[i].hold);
        assert_string_equal(sample_state(&v, out), cases[i].want);
    }
}

static void a_state_comes_with_the_words_of_whoever_caused_it(void **state)
{
    struct job_view v = view_with(NULL, 0);

    (void)state;
    v.why = "by hand";
    v.site_why = "502 Bad Gateway";
    v.trouble_why = "Enqueued token limit reached";
    assert_string_equal(sample_why(&v), ""); /* it just runs */
    (void)snprintf(v.trouble, sizeof(v.trouble), "quota");
    assert_string_equal(sample_why(&v), "Enqueued token limit reached");
    v.site_state = SITE_DOWN;
    assert_string_equal(sample_why(&v), "502 Bad Gateway");
    (void)snprintf(v.hold, sizeof(v.hold), "operator");
    assert_string_equal(sample_why(&v), "by hand");
    v.cancelled = true;
    assert_string_equal(sample_why(&v), "");
    v.cancelled = false;
    v.state = JOB_FINAL;
    assert_string_equal(sample_why(&v), "");
}

static void unknown_numbers_are_null_in_json_and_a_question_mark_for_people(void **state)
{
    struct job_view v = view_with(two, 2);
    struct buf out = BUF_INIT(16384);

    (void)state;
    status_print_json(&v, NULL, &out);
    assert_non_null(strstr(out.data, "\"job\":\"night \\\"ly\\\"\""));
    assert_non_null(strstr(out.data, "\"rows\":{\"total\":1000,\"cut\":1000,\"ok\":490,"
                                     "\"failed\":10,\"invalid\":3}"));
    assert_non_null(strstr(out.data, "\"remote_done\":120,\"remote_failed\":null"));
    assert_non_null(strstr(out.data, "\"lane\":{\"model\":\"m\"}"));
    assert_non_null(strstr(out.data, "\"finished_ms\":null,\"trail\":null}\n"));
    buf_clear(&out);
    v.state = JOB_OPEN;
    status_print_json(&v, NULL, &out);
    assert_non_null(strstr(out.data, "\"rows\":{\"total\":null,"));
    buf_clear(&out);
    v.state = JOB_SEALED;
    status_print_text(&v, &out);
    assert_non_null(strstr(out.data, "1000: 490 ok, 10 failed, 500 to go (50%)"));
    assert_non_null(strstr(out.data, "       ?  -"));
    buf_release(&out);
}

#define LABEL "{\"endpoint\":\"/v1/chat/completions\",\"model\":\"gpt\\u002d4o\"}"

static const struct lane_view lanes[] = {
    {.lane = "0123456789abcdef0123456789abcdef",
     .account = "0123456789ab",
     .label = LABEL,
     .hold_ms = 120000,
     .hold_why = "Enqueued token limit\033 reached",
     .batches = 3,
     .tokens = 5000,
     .requests = 40,
     .cap_batches = 4,
     .cap_tokens = 9000,
     .cap_file_requests = 500,
     .cap_file_bytes = 2000000},
    {.lane = "fedcba9876543210fedcba9876543210",                               .account = "",            .label = "", .hold_why = "" },
};

static void a_lane_shows_its_use_what_was_learned_and_its_hold(void **state)
{
    struct job_view v = view_with(NULL, 0);
    struct buf out = BUF_INIT(16384);

    (void)state;
    v.lanes = lanes;
    v.lane_count = 2;
    status_print_text(&v, &out);
    assert_non_null(strstr(out.data, "gpt-4o /v1/chat/completions"));
    assert_non_null(strstr(out.data, "0123456789ab      3/4           40        5000/9000\n"));
    assert_non_null(strstr(out.data, "held for another 1m: Enqueued token limit? reached\n"));
    assert_non_null(strstr(out.data, "one file holds at most 500 requests, 2.0 MB, as the"));
    assert_non_null(strstr(out.data, "fedcba9876543210fedcba9876543210"));
    buf_clear(&out);
    status_print_json(&v, NULL, &out);
    assert_non_null(strstr(out.data, "\"label\":" LABEL ",\"account\":\"0123456789ab\","
                                     "\"in_use\":{\"batches\":3,\"requests\":40,\"tokens\":5000},"
                                     "\"learned\":{\"batches\":4,\"requests\":null,"
                                     "\"tokens\":9000,\"file_requests\":500,"
                                     "\"file_bytes\":2000000},\"held_until_ms\":120000,"));
    assert_non_null(strstr(out.data, "\"held_until_ms\":null,\"held_why\":null}]"));
    buf_release(&out);
}

static void a_lane_that_waits_for_a_person_says_for_what(void **state)
{
    struct lane_view stopped = lanes[0];
    struct job_view v = view_with(NULL, 0);
    struct buf out = BUF_INIT(16384);

    (void)state;
    v.lanes = &stopped;
    v.lane_count = 1;
    v.now_ms = INT64_C(1790000000000);
    stopped.hold_ms = v.now_ms + INT64_C(100) * 365 * 24 * 3600 * 1000 - 60000;
    stopped.hold_why = "no such plan";
    status_print_text(&v, &out);
    assert_non_null(strstr(out.data, "    held until `sheaf resume`: no such plan\n"));
    assert_null(strstr(out.data, "held for another"));
    buf_clear(&out);
    stopped.hold_ms = v.now_ms + INT64_C(30) * 24 * 3600 * 1000; /* long, but it ends by itself */
    status_print_text(&v, &out);
    assert_non_null(strstr(out.data, "held for another 30d"));
    buf_release(&out);
}

static void a_hold_that_is_over_is_not_shown(void **state)
{
    struct job_view v = view_with(NULL, 0);
    struct buf out = BUF_INIT(16384);

    (void)state;
    v.lanes = lanes;
    v.lane_count = 1;
    v.now_ms = 120000;
    status_print_text(&v, &out);
    assert_null(strstr(out.data, "held for another"));
    buf_clear(&out);
    status_print_json(&v, NULL, &out);
    assert_non_null(strstr(out.data, "\"held_until_ms\":null,\"held_why\":null"));
    buf_release(&out);
}

static void whose_batches_there_are_is_said(void **state)
{
    static const struct account_view accounts[] = {
        {"0123456789ab", 3},
        {"ba9876543210", 1}
    };
    struct job_view v = view_with(NULL, 0);
    struct buf out = BUF_INIT(16384);

    (void)state;
    v.accounts = accounts;
    v.account_count = 2;
    status_print_text(&v, &out);
    assert_non_null(
        strstr(out.data, "accounts  0123456789ab: 3 batches, ba9876543210: 1 batches\n"));
    buf_clear(&out);
    status_print_json(&v, NULL, &out);
    assert_non_null(strstr(out.data, "\"accounts\":[{\"account\":\"0123456789ab\",\"batches\":3},"
                                     "{\"account\":\"ba9876543210\",\"batches\":1}]"));
    buf_release(&out);
}

static void a_stuck_batch_is_told_apart(void **state)
{
    struct batch_view stuck = two[0];
    struct job_view v = view_with(&stuck, 1);
    struct buf out = BUF_INIT(16384);

    (void)state;
    status_print_text(&v, &out);
    assert_null(strstr(out.data, "STUCK"));
    buf_clear(&out);
    stuck.tries = 2;
    stuck.status_ms = 10000;
    stuck.alarm_ms = 40000;
    stuck.stop_ms = 55000;
    status_print_text(&v, &out);
    assert_non_null(strstr(out.data, "failed 2 times in a row at this step\n"));
    assert_non_null(
        strstr(out.data, "STUCK: no other status for 50s; its cancel was asked for 5s"));
    buf_clear(&out);
    status_print_json(&v, NULL, &out);
    assert_non_null(strstr(out.data, "\"status_since_ms\":10000,\"stuck_since_ms\":40000,"
                                     "\"stopped_ms\":55000,"));
    buf_release(&out);
}

static void the_last_actions_are_listed(void **state)
{
    static const struct status_action actions[] = {
        {"2026-11-24T19:20:00.000Z", "ann@host",     "pause",  "{\"n\":1}"},
        {"2026-11-24T19:21:00.000Z", "bob\033@host", "resume", "{}"       },
    };
    struct buf out = BUF_INIT(16384);

    (void)state;
    status_print_actions(actions, 0, 0, &out);
    assert_int_equal(out.len, 0);
    status_print_actions(actions, 2, 2, &out);
    assert_non_null(
        strstr(out.data, "2026-11-24T19:20:00.000Z  ann@host              pause {\"n\":1}"));
    assert_non_null(strstr(out.data, "bob?@host             resume\n"));
    assert_null(strstr(out.data, "before"));
    status_print_actions(actions, 2, 9, &out);
    assert_non_null(strstr(out.data, "and 7 before"));
    buf_release(&out);
}

static void the_trail_is_put_as_it_is(void **state)
{
    struct job_view v = view_with(NULL, 0);
    struct buf out = BUF_INIT(16384);

    (void)state;
    status_print_json(&v, "[{\"verb\":\"open\"}]", &out);
    assert_non_null(strstr(out.data, ",\"trail\":[{\"verb\":\"open\"}]}\n"));
    buf_release(&out);
}

static void a_provider_cannot_move_the_cursor(void **state)
{
    struct job_view v = view_with(NULL, 0);
    struct buf out = BUF_INIT(16384);

    (void)state;
    v.site_state = SITE_DOWN;
    v.site_why = "bad\033[2J\r\ngateway";
    status_print_text(&v, &out);
    assert_null(strchr(out.data, '\033'));
    assert_non_null(strstr(out.data, "bad?[2J??gateway"));
    buf_release(&out);
}

static void a_list_of_nothing_prints_nothing_but_is_an_array_in_json(void **state)
{
    static const struct job_row row = {.job = "a", .state = JOB_FINAL, .requests = 5, .invalid = 1};
    struct buf out = BUF_INIT(16384);

    (void)state;
    status_print_list(NULL, 0, 0, &out);
    assert_int_equal(out.len, 0);
    status_print_list_json(NULL, 0, &out);
    assert_string_equal(out.data, "[]\n");
    buf_clear(&out);
    status_print_list(&row, 1, 60000, &out);
    assert_non_null(strstr(out.data, "finished"));
    buf_clear(&out);
    status_print_list_json(&row, 1, &out);
    assert_non_null(strstr(out.data, "\"failed\":1"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_truths_are_kept_apart),
        cmocka_unit_test(a_state_says_what_the_job_waits_for),
        cmocka_unit_test(a_state_comes_with_the_words_of_whoever_caused_it),
        cmocka_unit_test(unknown_numbers_are_null_in_json_and_a_question_mark_for_people),
        cmocka_unit_test(a_lane_shows_its_use_what_was_learned_and_its_hold),
        cmocka_unit_test(a_lane_that_waits_for_a_person_says_for_what),
        cmocka_unit_test(a_hold_that_is_over_is_not_shown),
        cmocka_unit_test(whose_batches_there_are_is_said),
        cmocka_unit_test(a_stuck_batch_is_told_apart),
        cmocka_unit_test(the_last_actions_are_listed),
        cmocka_unit_test(the_trail_is_put_as_it_is),
        cmocka_unit_test(a_provider_cannot_move_the_cursor),
        cmocka_unit_test(a_list_of_nothing_prints_nothing_but_is_an_array_in_json),
    };
    return cmocka_run_group_tests_name("status_print", tests, NULL, NULL);
}
