#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/protocol/protocol_bench.h"

static void a_job_is_opened_once_and_resumed_by_its_input_only(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_string_equal(b->text, "ji1");
    assert_int_equal(b->cursor.line, 1);
    assert_int_equal(bench_put_window(b, JOB, 0, LANE), PROTOCOL_OK);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_RESUME);
    assert_int_equal(b->cursor.window, 1);
    assert_int_equal(b->cursor.offset, 100);
    assert_int_equal(b->cursor.line, 11);
    assert_int_equal(b->state, JOB_OPEN);
    assert_int_equal(bench_open(b, JOB, "fp2"), PROTOCOL_CONFLICT);
    assert_string_equal(b->text, "fp1");
}

static void an_open_overwrites_the_tunables(void **state)
{
    struct bench *b = *state;
    struct job_tunables tunables = {.max_inflight_shards = 5, .max_attempts = 9, .poll_ms = 77};

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_RESUME);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.max_attempts, 9);
    assert_int_equal(b->job.poll_ms, 77);
}

static void a_window_is_taken_exactly_at_the_cursor(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *name;
        uint32_t window;
        enum protocol_answer answer;
    } cases[] = {
        {"ahead of the cursor", 1, PROTOCOL_CURSOR},
        {"at the cursor",       0, PROTOCOL_OK    },
        {"a repeat",            0, PROTOCOL_DUP   },
        {"the next",            1, PROTOCOL_OK    },
    };

    assert_int_equal(bench_put_window(b, JOB, 0, LANE), PROTOCOL_NOJOB);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(bench_put_window(b, JOB, cases[i].window, LANE), cases[i].answer);
    }
    assert_int_equal(b->cursor.window, 2);
    assert_int_equal(bench_redis(b, "XLEN sheaf:{0}:q:j1:lane1"), 2);
}

static void another_offset_is_not_the_cursor(void **state)
{
    struct bench *b = *state;
    struct window_put window = {.job = JOB, .offset0 = 1, .offset1 = 50, .next_line = 2};

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_put(b, &window), PROTOCOL_CURSOR);
    assert_int_equal(b->cursor.offset, 0);
}

static void too_many_shards_or_bytes_are_refused_and_nothing_is_written(void **state)
{
    struct bench *b = *state;
    struct job_tunables tunables = {.max_inflight_shards = 2, .max_inflight_bytes = 4};
    uint8_t mask = 0;
    struct shard_put shard = {.lane = LANE, .left = 1, .mask = &mask, .label = "{}"};
    struct window_put window = {.job = JOB, .offset1 = 10, .next_line = 2, .requests = 1};

    window.shards = &shard;
    window.shard_count = 1;
    window.payload = "12345";
    window.payload_len = 5;
    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_NEW);
    assert_int_equal(bench_put(b, &window), PROTOCOL_OK);
    window.window = 1;
    window.offset0 = 10;
    window.offset1 = 20;
    assert_int_equal(bench_put(b, &window), PROTOCOL_FULL); /* by bytes */
    assert_int_equal(b->cursor.window, 1);
    window.payload_len = 0;
    assert_int_equal(bench_put(b, &window), PROTOCOL_OK); /* no bytes, still room for a shard */
    window.window = 2;
    window.offset0 = 20;

    int64_t writes = bench_writes(b);
    assert_int_equal(bench_put(b, &window), PROTOCOL_FULL); /* by shards */
    assert_int_equal(bench_writes(b), writes);
}

static void a_full_job_has_room_again_when_a_shard_is_settled(void **state)
{
    struct bench *b = *state;
    struct job_tunables tunables = {.max_inflight_shards = 1, .max_inflight_bytes = 4};

    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_NEW);
    assert_int_equal(bench_put_window(b, JOB, 0, LANE), PROTOCOL_OK);
    assert_int_equal(bench_put_window(b, JOB, 1, LANE), PROTOCOL_FULL);
    bench_settle_all(b);
    assert_int_equal(bench_put_window(b, JOB, 1, LANE), PROTOCOL_OK);
}

static void a_shard_that_the_sink_has_settled_is_only_counted(void **state)
{
    struct bench *b = *state;
    uint8_t masks[2] = {0x0f, 0xf8};
    struct shard_put shards[2] = {
        {.index = 0, .lane = LANE,    .left = 0, .mask = masks,     .label = "{}"},
        {.index = 1, .lane = "lane2", .left = 3, .mask = masks + 1, .label = "{}"},
    };
    struct window_put window = {.job = JOB, .offset1 = 10, .next_line = 9, .requests = 8};

    window.invalid = 1;
    window.ok = 3;
    window.bad = 1;
    window.shards = shards;
    window.shard_count = 2;
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_put(b, &window), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.shards, 2);
    assert_int_equal(b->job.shards_done, 1);
    assert_int_equal(b->job.shards_in_flight, 1);
    assert_int_equal(b->job.requests, 8);
    assert_int_equal(b->job.invalid, 1);
    assert_int_equal(b->job.ok, 3);
    assert_int_equal(b->job.bad, 1);
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:s:j1:0:0"), 0);
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:s:j1:0:1"), 1);
}

static void a_payload_goes_with_the_last_lane_that_needs_it(void **state)
{
    struct bench *b = *state;
    uint8_t masks[2] = {0x0f, 0xf0};
    struct shard_put shards[2] = {
        {.index = 0, .lane = LANE,    .left = 4, .mask = masks,     .label = "{}"},
        {.index = 1, .lane = "lane2", .left = 4, .mask = masks + 1, .label = "{}"},
    };
    struct window_put window = {.job = JOB, .offset1 = 10, .next_line = 9, .requests = 8};

    window.shards = shards;
    window.shard_count = 2;
    window.payload = "pay\0load";
    window.payload_len = 8;
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_put(b, &window), PROTOCOL_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(bench_view(b), PROTOCOL_OK);
        assert_int_equal(b->job.payload_bytes, 8);
        const char *bid = i == 0 ? "b0" : "b1";
        assert_int_equal(bench_pack(b, bid, NULL), PROTOCOL_OK);
        assert_int_equal(bench_advance(b, bid, NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
        assert_int_equal(bench_done(b, bid, NULL, 0, false), PROTOCOL_OK);
    }
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.payload_bytes, 0);
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:p:j1:0"), 0);
}

static void a_seal_must_be_at_the_cursor(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_NOJOB);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_put_window(b, JOB, 0, LANE), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 2), PROTOCOL_CURSOR);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_DUP);
    assert_int_equal(bench_put_window(b, JOB, 1, LANE), PROTOCOL_CURSOR);
    assert_int_equal(b->state, JOB_SEALED);
}

static void an_empty_job_is_final_at_once(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 0);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_FINAL);
    assert_true(b->job.finished_ms > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(a_job_is_opened_once_and_resumed_by_its_input_only),
        TEST(an_open_overwrites_the_tunables),
        TEST(a_window_is_taken_exactly_at_the_cursor),
        TEST(another_offset_is_not_the_cursor),
        TEST(too_many_shards_or_bytes_are_refused_and_nothing_is_written),
        TEST(a_full_job_has_room_again_when_a_shard_is_settled),
        TEST(a_shard_that_the_sink_has_settled_is_only_counted),
        TEST(a_payload_goes_with_the_last_lane_that_needs_it),
        TEST(a_seal_must_be_at_the_cursor),
        TEST(an_empty_job_is_final_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
