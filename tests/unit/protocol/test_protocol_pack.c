#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/protocol/protocol_bench.h"

static enum protocol_answer lane_hold(struct bench *b, const char *lane, int64_t ms)
{
    return bench_learn(b, lane, &(struct lane_lesson){.hold_ms = ms, .why = "429"});
}

static void all_that_fits_goes_into_one_batch(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE);
    assert_int_equal(b->number, -1);
    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b1");
    assert_string_equal(b->batch.job, JOB);
    assert_string_equal(b->batch.lane, LANE);
    assert_int_equal(b->batch.state, BATCH_BUILD);
    assert_int_equal(b->batch.requests, 30);
    assert_int_equal(b->batch.bytes, 300);
    assert_true(b->batch.packed_ms > 1500000000000);
    assert_string_equal(b->job.ji, "ji1");
    assert_string_equal(b->text, "{\"v\":1}");
    assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->count, 3);
    assert_int_equal(b->members[2].window, 2);
    assert_int_equal(b->members[2].offset, 200);
    assert_int_equal(b->members[2].length, 100);
    assert_int_equal(b->members[2].first_line, 21);
    assert_int_equal(b->members[2].lines, 10);
    assert_int_equal(b->members[2].left, 10);
    assert_int_equal(b->members[2].crc, 7);
    assert_int_equal(b->members[2].longest, 20);
    assert_int_equal(b->members[2].tokens, 50);
    assert_int_equal(b->members[2].mask[1], 0xfc);
}

static void a_repeat_gives_the_same_batch_and_a_taken_name_is_refused(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 2);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 20);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ub"), 1);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_SUBMIT), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_DUP);
}

static void each_limit_alone_ends_a_batch_but_never_below_one_shard(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *name;
        struct pack_limits limits;
        uint64_t max_requests, max_bytes; /* the job's own */
        uint64_t requests;                /* of the batch */
    } cases[] = {
        {"requests",                      {.max_requests = 25}, 0,  0,   20},
        {"bytes",                         {.max_bytes = 299},   0,  0,   20},
        {"tokens",                        {.lane_tokens = 149}, 0,  0,   20},
        {"requests, exactly",             {.max_requests = 30}, 0,  0,   30},
        {"the job's requests",            {0},                  10, 0,   10},
        {"the job's bytes",               {0},                  0,  100, 10},
        {"the job asks for more",         {.max_requests = 20}, 90, 0,   20},
        {"requests below one shard",      {.max_requests = 9},  0,  0,   10},
        {"bytes below one shard",         {.max_bytes = 1},     0,  0,   10},
        {"tokens below one shard",        {.lane_tokens = 1},   0,  0,   10},
        {"the job's bytes below a shard", {0},                  0,  9,   10},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pack_limits limits = bench_limits;
        struct job_tunables tunables = {.max_inflight_shards = 100, .max_inflight_bytes = 1};

        print_message("  %s\n", cases[i].name);
        redis_server_ask(&b->server, "FLUSHALL", NULL, 0);
        bench_job(b, JOB, 5);
        tunables.max_requests = cases[i].max_requests;
        tunables.max_bytes = cases[i].max_bytes;
        assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_RESUME);
        if (cases[i].limits.max_requests != 0)
            limits.max_requests = cases[i].limits.max_requests;
        if (cases[i].limits.max_bytes != 0)
            limits.max_bytes = cases[i].limits.max_bytes;
        if (cases[i].limits.lane_tokens != 0)
            limits.lane_tokens = cases[i].limits.lane_tokens;
        assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
        assert_int_equal(b->batch.requests, cases[i].requests);
    }
}

/* One request of @bytes bytes in window @w. */
static void put_bytes(struct bench *b, uint32_t w, uint64_t bytes)
{
    uint8_t mask = 0;
    struct shard_put shard = {
        .lane = LANE, .left = 1, .bytes = bytes, .mask = &mask, .label = "{}"};
    struct window_put window = {.job = JOB, .window = w, .offset0 = w, .offset1 = w + 1};

    window.requests = 1;
    window.next_line = w + 2;
    window.shards = &shard;
    window.shard_count = 1;
    assert_int_equal(bench_put(b, &window), PROTOCOL_OK);
}

static void what_does_not_fit_is_passed_over_and_keeps_its_place(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;
    static const uint32_t windows[][3] = {
        {0, 2, 3},
        {1, 4 }
    };
    static const size_t counts[] = {3, 2};

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    for (uint32_t w = 0; w < 5; w++)
        put_bytes(b, w, (const uint64_t[]){100, 250, 100, 50, 40}[w]);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        const char *bid = i == 0 ? "b1" : "b2";

        limits.max_bytes = i == 0 ? 250 : 300;
        assert_int_equal(bench_pack(b, bid, &limits), PROTOCOL_OK);
        assert_int_equal(bench_members(b, bid, NULL), PROTOCOL_OK);
        assert_int_equal(b->count, counts[i]);
        for (size_t k = 0; k < counts[i]; k++)
            assert_int_equal(b->members[k].window, windows[i][k]);
    }
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:q:j1:lane1"), 0);
}

static void a_token_cap_below_one_shard_lets_one_batch_live_at_a_time(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.lane_tokens = 1;
    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
}

static void an_open_job_lingers_and_a_full_or_sealed_one_does_not(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.linger_ms = 300;
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_put_window(b, JOB, 0, LANE), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_NONE);
    assert_in_range(b->number, 1, 300);
    limits.max_requests = 10; /* it can't become fuller */
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    limits.max_requests = 50000;
    assert_int_equal(bench_put_window(b, JOB, 1, LANE), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    usleep(310000);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    limits.linger_ms = 60000;
    assert_int_equal(bench_put_window(b, JOB, 2, LANE), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE);
    assert_int_equal(bench_seal(b, JOB, 3), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_OK);
}

static void a_full_lane_and_a_held_lane_block_nobody(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.lane_batches = 1;
    limits.max_requests = 10;
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    for (uint32_t w = 0; w < 6; w++)
        assert_int_equal(bench_put_window(b, JOB, w, (const char *[]){"la", "lb", "lc"}[w % 3]),
                         PROTOCOL_OK);
    assert_int_equal(lane_hold(b, "lb", 60000), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_string_equal(b->batch.lane, "la");
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_string_equal(b->batch.lane, "lc");
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE);
    assert_in_range(b->number, 50000, 60000); /* until the hold ends */
}

static void six_hundred_blocked_pairs_do_not_starve_the_next(void **state)
{
    struct bench *b = *state;
    char job[16];

    for (unsigned i = 0; i < 601; i++) {
        (void)snprintf(job, sizeof(job), "j%03u", i);
        assert_int_equal(bench_open(b, job, "fp1"), PROTOCOL_NEW);
        assert_int_equal(bench_put_window(b, job, 0, i < 600 ? "held" : "free"), PROTOCOL_OK);
    }
    assert_int_equal(lane_hold(b, "held", 60000), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.job, "j600");
}

static void jobs_of_one_lane_take_turns(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;
    const char *order[] = {"a", "b", "a", "b"};
    char bid[BATCH_ID_LEN + 1];

    limits.max_requests = 10;
    bench_job(b, "a", 2);
    bench_job(b, "b", 2);
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(bid, sizeof(bid), "b%u", i);
        assert_int_equal(bench_pack(b, bid, &limits), PROTOCOL_OK);
        assert_string_equal(b->batch.job, order[i]);
        usleep(2000);
    }
}

static void max_batches_counts_over_all_lanes_of_a_job(void **state)
{
    struct bench *b = *state;
    struct job_tunables tunables = {.max_inflight_shards = 9, .max_batches = 2};

    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_NEW);
    for (uint32_t w = 0; w < 3; w++)
        assert_int_equal(bench_put_window(b, JOB, w, (const char *[]){"la", "lb", "lc"}[w]),
                         PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", NULL), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b2", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.lane, "lc");
}

static void a_held_job_is_not_packed(void **state)
{
    struct bench *b = *state;
    struct protocol *p = b->protocol;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_wait(b, protocol_job_hold(p, JOB, "auth", "401", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE);
    assert_int_equal(bench_wait(b, protocol_job_resume(p, JOB, "auth", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
}

static void a_hold_of_a_lane_ends_by_itself_and_with_any_batch_of_it(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.max_requests = 10;
    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(lane_hold(b, LANE, 60000), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    bench_run(b, "b1");
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(lane_hold(b, LANE, 50), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE);
    usleep(60000);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_OK);
}

static void a_thousand_ready_shards_are_packed_by_one_script(void **state)
{
    struct bench *b = *state;
    char info[4096] = "";
    const char *at;

    bench_job(b, JOB, 1000);
    redis_server_ask(&b->server, "CONFIG RESETSTAT", NULL, 0);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10000);
    redis_server_ask(&b->server, "INFO commandstats", info, sizeof(info));
    at = strstr(info, "cmdstat_evalsha:calls=1,usec=");
    if (at == NULL)
        at = strstr(info, "cmdstat_eval:calls=1,usec=");
    assert_non_null(at);
    print_message("  %ld us in the server\n", strtol(strstr(at, "usec=") + 5, NULL, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(all_that_fits_goes_into_one_batch),
        TEST(a_repeat_gives_the_same_batch_and_a_taken_name_is_refused),
        TEST(each_limit_alone_ends_a_batch_but_never_below_one_shard),
        TEST(what_does_not_fit_is_passed_over_and_keeps_its_place),
        TEST(a_token_cap_below_one_shard_lets_one_batch_live_at_a_time),
        TEST(an_open_job_lingers_and_a_full_or_sealed_one_does_not),
        TEST(a_full_lane_and_a_held_lane_block_nobody),
        TEST(six_hundred_blocked_pairs_do_not_starve_the_next),
        TEST(jobs_of_one_lane_take_turns),
        TEST(max_batches_counts_over_all_lanes_of_a_job),
        TEST(a_held_job_is_not_packed),
        TEST(a_hold_of_a_lane_ends_by_itself_and_with_any_batch_of_it),
        TEST(a_thousand_ready_shards_are_packed_by_one_script),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
