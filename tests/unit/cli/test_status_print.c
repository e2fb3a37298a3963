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

static void unknown_numbers_are_null_in_json_and_a_question_mark_for_people(void **state)
{
    struct job_view v = view_with(two, 2);
    struct buf out = BUF_INIT(16384);

    (void)state;
    status_print_json(&v, &out);
    assert_non_null(strstr(out.data, "\"job\":\"night \\\"ly\\\"\""));
    assert_non_null(strstr(out.data, "\"rows\":{\"total\":1000,\"cut\":1000,\"ok\":490,"
                                     "\"failed\":10,\"invalid\":3}"));
    assert_non_null(strstr(out.data, "\"remote_done\":120,\"remote_failed\":null"));
    assert_non_null(strstr(out.data, "\"lane\":{\"model\":\"m\"}"));
    assert_non_null(strstr(out.data, "\"finished_ms\":null}\n"));
    buf_clear(&out);
    v.state = JOB_OPEN;
    status_print_json(&v, &out);
    assert_non_null(strstr(out.data, "\"rows\":{\"total\":null,"));
    buf_clear(&out);
    v.state = JOB_SEALED;
    status_print_text(&v, &out);
    assert_non_null(strstr(out.data, "1000: 490 ok, 10 failed, 500 to go (50%)"));
    assert_non_null(strstr(out.data, "       ?  -"));
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
        cmocka_unit_test(unknown_numbers_are_null_in_json_and_a_question_mark_for_people),
        cmocka_unit_test(a_provider_cannot_move_the_cursor),
        cmocka_unit_test(a_list_of_nothing_prints_nothing_but_is_an_array_in_json),
    };
    return cmocka_run_group_tests_name("status_print", tests, NULL, NULL);
}
