#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/protocol/protocol_bench.h"

/* Ten requests a batch: 100 bytes and 50 tokens. */
static const struct pack_limits one_shard = {
    .max_requests = 10,
    .max_bytes = 100000000,
    .lane_batches = 10,
};

static int64_t budget(struct bench *b, const char *field)
{
    char command[64];

    (void)snprintf(command, sizeof(command), "HGET sheaf:{0}:lane:acc1:lane1 %s", field);
    return bench_redis(b, command);
}

static void set_budget(struct bench *b, const char *field, unsigned value)
{
    char command[64];

    (void)snprintf(command, sizeof(command), "HSET sheaf:{0}:lane:acc1:lane1 %s %u", field, value);
    redis_server_ask(&b->server, command, NULL, 0);
}

/* @running batches of one shard at the provider, and b<n> behind them with its intent written. */
static void fill_lane(struct bench *b, unsigned running, unsigned intents)
{
    static const struct protocol_field intent = {BATCH_F_INTENT, PROTOCOL_NOW};
    char bid[BATCH_ID_LEN + 1];

    for (unsigned i = 0; i < running + intents; i++) {
        (void)snprintf(bid, sizeof(bid), "b%u", i);
        assert_int_equal(bench_pack(b, bid, &one_shard), PROTOCOL_OK);
        if (i < running)
            bench_run(b, bid);
        else
            assert_int_equal(bench_advance_with(b, bid, NULL, BATCH_BUILD, BATCH_SUBMIT,
                                                PROTOCOL_CO, LEASE, &intent, 1),
                             PROTOCOL_OK);
    }
}

static void put_off(struct bench *b, const char *bid, int64_t due_in_ms)
{
    static const struct protocol_field waits[] = {
        {BATCH_F_INTENT, "" },
        {BATCH_F_WAITS,  "1"}
    };

    assert_int_equal(bench_advance_with(b, bid, NULL, BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_CO,
                                        due_in_ms, waits, ARRAY_LEN(waits)),
                     PROTOCOL_OK);
}

static const struct lane_lesson full = {
    .bid = "b3",
    .hold_ms = 60000,
    .why = "no more",
    .tokens_pct = 100,
    .requests_pct = 100,
    .batches_pct = 100,
};

/* ---- budgets */

static void the_lanes_requests_bound_what_is_alive(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.lane_requests = 25;
    bench_job(b, JOB, 4);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 20);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    limits.lane_requests = 30;
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10);
    assert_int_equal(budget(b, "ur"), 30);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(budget(b, "ur"), 10);
    assert_int_equal(budget(b, "ub"), 1);
    assert_int_equal(budget(b, "ut"), 50);
}

static void no_limit_is_written_as_0(void **state)
{
    struct bench *b = *state;
    static const struct pack_limits none = {0};

    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", &none), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 30);
}

static void only_what_may_be_at_the_provider_counts_as_in_use_there(void **state)
{
    struct bench *b = *state;
    static const struct {
        enum batch_state from, to;
        const char *intent; /* NULL: not mentioned */
        int64_t in_use;
    } steps[] = {
        {BATCH_BUILD,  BATCH_BUILD,  NULL,         0},
        {BATCH_BUILD,  BATCH_SUBMIT, NULL,         0},
        {BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_NOW, 1},
        {BATCH_SUBMIT, BATCH_SUBMIT, NULL,         1},
        {BATCH_SUBMIT, BATCH_SUBMIT, "",           0},
        {BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_NOW, 1},
        {BATCH_SUBMIT, BATCH_BUILD,  "",           0},
        {BATCH_BUILD,  BATCH_SUBMIT, PROTOCOL_NOW, 1},
        {BATCH_SUBMIT, BATCH_RUN,    NULL,         1},
        {BATCH_RUN,    BATCH_SUBMIT, "",           0},
        {BATCH_SUBMIT, BATCH_RUN,    NULL,         1},
        {BATCH_RUN,    BATCH_FETCH,  NULL,         0},
    };

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct protocol_field intent = {BATCH_F_INTENT, steps[i].intent};
        enum protocol_role role = steps[i].to == BATCH_RUN ? PROTOCOL_WK : PROTOCOL_CO;

        print_message("  step %zu\n", i);
        assert_int_equal(bench_advance_with(b, "b1", NULL, steps[i].from, steps[i].to, role, LEASE,
                                            &intent, steps[i].intent != NULL ? 1 : 0),
                         PROTOCOL_OK);
        assert_int_equal(budget(b, "rb"), steps[i].in_use);
        assert_int_equal(budget(b, "rt"), 50 * steps[i].in_use);
        assert_int_equal(budget(b, "rr"), 10 * steps[i].in_use);
    }
}

/* ---- lessons */

static void a_refusal_teaches_what_was_in_use_without_the_refused_batch(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 8);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_pack(b, "b4", &one_shard), PROTOCOL_OK); /* reserved, not sent */
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(budget(b, "capb"), 3);
    assert_int_equal(budget(b, "capt"), 150);
    assert_int_equal(budget(b, "capr"), 30);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->lane_count, 1);
    assert_string_equal(b->lanes[0].lane, LANE);
    assert_string_equal(b->lanes[0].account, ACCOUNT);
    assert_true(b->lanes[0].hold_ms > b->job.now_ms);
    assert_string_equal(b->hold_why, "no more");
    assert_int_equal(b->lanes[0].batches, 5);
    assert_int_equal(b->lanes[0].tokens, 250);
    assert_int_equal(b->lanes[0].requests, 50);
    assert_int_equal(b->lanes[0].cap_batches, 3);
    assert_int_equal(b->lanes[0].cap_tokens, 150);
    assert_int_equal(b->lanes[0].cap_requests, 30);
    assert_int_equal(b->lanes[0].cap_file_requests, 0);
}

static void what_a_lesson_leaves_out_stays_and_no_lesson_raises_a_cap(void **state)
{
    struct bench *b = *state;
    struct lane_lesson lesson = {.bid = "b3", .tokens_pct = 50};

    bench_job(b, JOB, 8);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_learn(b, LANE, &lesson), PROTOCOL_OK);
    assert_int_equal(budget(b, "capt"), 75);
    assert_int_equal(budget(b, "capb"), 0);
    assert_int_equal(budget(b, "capr"), 0);
    assert_int_equal(budget(b, "hold"), 0);
    lesson.tokens_pct = 100;
    lesson.file_requests = 7;
    lesson.file_bytes = 70;
    assert_int_equal(bench_learn(b, LANE, &lesson), PROTOCOL_OK);
    assert_int_equal(budget(b, "capt"), 75);
    lesson.file_requests = 8;
    lesson.file_bytes = 80;
    assert_int_equal(bench_learn(b, LANE, &lesson), PROTOCOL_OK);
    assert_int_equal(budget(b, "capfr"), 7);
    assert_int_equal(budget(b, "capfb"), 70);
}

static void a_batch_that_was_refused_alone_teaches_half_of_itself(void **state)
{
    struct bench *b = *state;
    struct lane_lesson lesson = full;

    bench_job(b, JOB, 8);
    fill_lane(b, 0, 1);
    lesson.bid = "b0";
    assert_int_equal(bench_learn(b, LANE, &lesson), PROTOCOL_OK);
    assert_int_equal(budget(b, "capb"), 1);
    assert_int_equal(budget(b, "capt"), 25);
    assert_int_equal(budget(b, "capr"), 5);
}

static void a_part_of_a_shard_that_was_refused_alone_teaches_half_of_the_part(void **state)
{
    struct bench *b = *state;
    struct lane_lesson lesson = full;

    bench_job(b, JOB, 8);
    set_budget(b, "capt", 20); /* four lines of ten */
    fill_lane(b, 0, 1);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, NULL), PROTOCOL_NONE);
    lesson.bid = "b0";
    assert_int_equal(bench_learn(b, LANE, &lesson), PROTOCOL_OK);
    assert_int_equal(budget(b, "capt"), 10);
    assert_int_equal(budget(b, "capr"), 2);
}

static void what_ended_meanwhile_was_in_use_when_it_was_refused(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 8);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(budget(b, "capb"), 3);
    assert_int_equal(budget(b, "capt"), 150);
}

static void a_batch_that_failed_for_want_of_room_teaches_after_its_end_too(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 8);
    fill_lane(b, 4, 0);
    assert_int_equal(bench_advance(b, "b3", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(budget(b, "capb"), 3);
    assert_int_equal(bench_pack(b, "more", &one_shard), PROTOCOL_NONE);
    assert_in_range(b->number, 50000, 60000);
}

static void three_batches_stay_alive_where_three_fit(void **state)
{
    struct bench *b = *state;
    char bid[BATCH_ID_LEN + 1];

    bench_job(b, JOB, 60);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    put_off(b, "b3", LEASE);
    for (unsigned i = 0; i < 16; i++) {
        (void)snprintf(bid, sizeof(bid), "b%u", i);
        assert_int_equal(bench_pack(b, "none", &one_shard), PROTOCOL_NONE);
        assert_int_equal(bench_advance(b, bid, NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
        /* the place is for the one that waits, then for the next */
        (void)snprintf(bid, sizeof(bid), "b%u", i + 3);
        if (i > 0)
            assert_int_equal(bench_pack(b, bid, &one_shard), PROTOCOL_OK);
        else
            assert_int_equal(bench_claim(b, PROTOCOL_CO, NULL), PROTOCOL_OK);
        assert_string_equal(b->batch.bid, bid);
        if (i > 0)
            bench_run(b, bid);
        else
            assert_int_equal(bench_advance(b, bid, NULL, BATCH_SUBMIT, BATCH_RUN), PROTOCOL_OK);
        assert_int_equal(budget(b, "rb"), 3);
    }
}

/* ---- growth */

/* Bring one shard home with two good results: the batch @bid in FETCH ends as a success. */
static void succeed(struct bench *b, const char *bid, bool keep_shard)
{
    assert_int_equal(bench_pack(b, bid, &one_shard), PROTOCOL_OK);
    bench_run(b, bid);
    assert_int_equal(bench_advance(b, bid, NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_chunk(b, bid, NULL, 0, 10), PROTOCOL_OK);
    assert_int_equal(bench_done(b, bid, NULL, keep_shard ? 10 : 0, false), PROTOCOL_OK);
}

static void success_grows_what_was_learned_and_failure_does_not(void **state)
{
    struct bench *b = *state;
    char bid[BATCH_ID_LEN + 1];

    bench_job(b, JOB, 25);
    set_budget(b, "capt", 100);
    set_budget(b, "capr", 100);
    set_budget(b, "capb", 2);
    set_budget(b, "capfr", 10);
    set_budget(b, "capfb", 1000);
    assert_int_equal(bench_pack(b, "bad", &one_shard), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "bad", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_done(b, "bad", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(budget(b, "capt"), 100);
    for (unsigned i = 1; i <= 20; i++) {
        (void)snprintf(bid, sizeof(bid), "b%u", i);
        succeed(b, bid, false);
        assert_int_equal(budget(b, "capt"), 100 + 3 * i); /* 5 % of 50 */
        assert_int_equal(budget(b, "capr"), 100 + i);
        assert_int_equal(budget(b, "capb"), i < 20 ? 2 : 3);
        assert_int_equal(budget(b, "capfr"), i < 10 ? 10 : i < 20 ? 11 : 12);
        assert_int_equal(budget(b, "capfb"), i < 10 ? 1000 : i < 20 ? 1050 : 1103);
    }
}

static void what_was_not_learned_does_not_grow(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 2);
    succeed(b, "b1", false);
    assert_int_equal(budget(b, "capt"), 0);
    assert_int_equal(budget(b, "capb"), 0);
    assert_int_equal(budget(b, "okb"), 0);
    assert_int_equal(budget(b, "okf"), 0);
}

static void a_learned_cap_is_obeyed_and_below_one_shard_it_asks_for_a_part(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *field;
        unsigned value;
        uint64_t requests; /* of the next batch */
        uint32_t asked;    /* of a shard of ten */
    } cases[] = {
        {"capfr", 25,  20, 0},
        {"capfb", 200, 20, 0},
        {"capt",  149, 20, 0},
        {"capr",  29,  20, 0},
        {"capfr", 10,  10, 0},
        {"capfr", 7,   10, 7},
        {"capfb", 39,  10, 3},
        {"capt",  25,  10, 5},
        {"capr",  9,   10, 9},
        {"capfr", 1,   10, 1},
        {"capfb", 1,   10, 1},
        {"capt",  1,   10, 1},
        {"capr",  1,   10, 1},
        {"capb",  1,   50, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s=%u\n", cases[i].field, cases[i].value);
        redis_server_ask(&b->server, "FLUSHALL", NULL, 0);
        bench_job(b, JOB, 5);
        set_budget(b, cases[i].field, cases[i].value);
        assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
        assert_int_equal(b->batch.requests, cases[i].requests);
        assert_int_equal(b->batch.asked, cases[i].asked);
    }
}

static void the_little_that_a_cap_has_grown_is_not_worth_a_file(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 40);
    set_budget(b, "capt", 1000);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 200);
    set_budget(b, "capt", 1100);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    set_budget(b, "capt", 1150);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 30);
}

static void the_last_shards_of_a_lane_are_packed_however_few(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 21);
    set_budget(b, "capt", 1000);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    set_budget(b, "capt", 1050);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10);
}

/* ---- holds, and who waits for room */

static enum protocol_answer resume(struct bench *b, const char *reason)
{
    return bench_wait(b, protocol_job_resume(b->protocol, JOB, reason, bench_plain, b));
}

static void only_a_batch_that_frees_room_ends_the_hold(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 9);
    fill_lane(b, 4, 1);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK); /* b3: refused */
    assert_int_equal(bench_advance(b, "b3", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_true(budget(b, "hold") > 0);
    assert_int_equal(bench_advance(b, "b4", NULL, BATCH_SUBMIT, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(budget(b, "hold"), 0); /* its create may have been sent */
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(budget(b, "hold"), 0);
}

static void no_batch_that_ends_brings_money(void **state)
{
    struct bench *b = *state;
    struct lane_lesson unpaid = {.bid = "b3", .hold_ms = LEASE, .firm = true, .why = "pay"};
    struct lane_lesson moment = {.bid = "b3", .hold_ms = 1, .firm = true};

    bench_job(b, JOB, 9);
    fill_lane(b, 4, 1);
    assert_int_equal(bench_learn(b, LANE, &unpaid), PROTOCOL_OK);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_true(budget(b, "hold") > 0);
    assert_int_equal(resume(b, "operator"), PROTOCOL_OK);
    assert_int_equal(budget(b, "hold"), 0);
    assert_int_equal(bench_learn(b, LANE, &moment), PROTOCOL_OK);
    usleep(5000);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(budget(b, "hold"), 0); /* that one was over */
}

static void who_waits_for_room_is_due_when_a_batch_ends(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 9);
    fill_lane(b, 3, 3);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    put_off(b, "b3", LEASE);
    put_off(b, "b5", LEASE);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b3"); /* the older one, and it alone */
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b5");
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:wait:acc1:lane1"), 0);
}

static void who_is_claimed_waits_no_more(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 9);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    put_off(b, "b3", 0);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n3"), PROTOCOL_NONE); /* n2 keeps its lease */
}

static void who_comes_to_wait_after_the_hold_ended_looks_soon(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 9);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    put_off(b, "b3", LEASE);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_in_range(b->number, 500, 1000);
}

static void an_operator_and_an_open_lift_what_holds_the_jobs_lanes(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 9);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    put_off(b, "b3", LEASE);
    assert_int_equal(resume(b, "auth"), PROTOCOL_DUP);
    assert_true(budget(b, "hold") > 0);
    assert_int_equal(resume(b, "operator"), PROTOCOL_OK);
    assert_int_equal(budget(b, "hold"), 0);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b3");
    assert_int_equal(resume(b, NULL), PROTOCOL_DUP);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_RESUME);
    assert_int_equal(budget(b, "hold"), 0);
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_open(b, "another", "fp1"), PROTOCOL_NEW);
    assert_true(budget(b, "hold") > 0);
}

static void a_lane_that_is_held_for_a_person_says_so_and_no_batch_frees_it(void **state)
{
    struct bench *b = *state;
    struct lane_lesson stop = {.bid = "b3", .hold_ms = LANE_HOLD_RESUME, .why = "no such model"};

    bench_job(b, JOB, 9);
    fill_lane(b, 3, 1);
    assert_int_equal(bench_learn(b, LANE, &stop), PROTOCOL_OK);
    put_off(b, "b3", LEASE);
    assert_int_equal(bench_advance(b, "b0", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    assert_true(budget(b, "hold") > 0);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(bench_pack(b, "more", NULL), PROTOCOL_NONE);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_string_equal(b->job.trouble, TROUBLE_LANE);
    int64_t writes = bench_writes(b);
    assert_int_equal(bench_pack(b, "more", NULL), PROTOCOL_NONE); /* told once */
    assert_int_equal(bench_writes(b), writes);
    assert_int_equal(resume(b, NULL), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "more", NULL), PROTOCOL_OK);
}

/* ---- the new fields of a batch */

static int64_t status_ms(struct bench *b, enum batch_state from, const struct protocol_field *f)
{
    assert_int_equal(bench_advance_with(b, "b1", NULL, from, BATCH_RUN, PROTOCOL_WK, 0, f, 2),
                     PROTOCOL_OK);
    int64_t now_ms = b->number;
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_OK);
    return now_ms - b->batch.status_ms;
}

static void the_time_of_a_status_is_when_it_last_changed(void **state)
{
    struct bench *b = *state;
    static const struct protocol_field first[] = {
        {BATCH_F_REMOTE,  "r1"        },
        {BATCH_F_RSTATUS, "validating"}
    };
    static const struct protocol_field next[] = {
        {BATCH_F_REMOTE,  "r1"         },
        {BATCH_F_RSTATUS, "in_progress"}
    };
    static const struct protocol_field other[] = {
        {BATCH_F_REMOTE,  "r2"         },
        {BATCH_F_RSTATUS, "in_progress"}
    };

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_SUBMIT), PROTOCOL_OK);
    assert_int_equal(status_ms(b, BATCH_SUBMIT, first), 0);
    redis_server_ask(&b->server, "HINCRBY sheaf:{0}:b:b1 rsts -5000", NULL, 0);
    assert_in_range(status_ms(b, BATCH_RUN, first), 5000, 20000);
    assert_int_equal(status_ms(b, BATCH_RUN, next), 0);
    redis_server_ask(&b->server, "HINCRBY sheaf:{0}:b:b1 rsts -5000", NULL, 0);
    assert_int_equal(status_ms(b, BATCH_RUN, other), 0); /* another remote batch */
}

static void tries_refusals_and_alarms_come_back_with_a_claim(void **state)
{
    struct bench *b = *state;
    static const struct protocol_field fields[] = {
        {BATCH_F_REFUSED, "[{\"line\":3}]"},
        {BATCH_F_TRIES,   "4"             },
        {BATCH_F_ALARM,   PROTOCOL_NOW    },
        {BATCH_F_STOP,    "17"            },
    };

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_null(b->batch.refused);
    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_BUILD, BATCH_BUILD, PROTOCOL_CO, 0,
                                        fields, ARRAY_LEN(fields)),
                     PROTOCOL_OK);
    int64_t now_ms = b->number;
    assert_int_equal(bench_claim(b, PROTOCOL_CO, NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.refused, "[{\"line\":3}]");
    assert_int_equal(b->batch.tries, 4);
    assert_int_equal(b->batch.alarm_ms, now_ms);
    assert_int_equal(b->batch.stop_ms, 17);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->views[0].tries, 4);
    assert_int_equal(b->views[0].alarm_ms, now_ms);
    assert_int_equal(b->views[0].stop_ms, 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(the_lanes_requests_bound_what_is_alive),
        TEST(no_limit_is_written_as_0),
        TEST(only_what_may_be_at_the_provider_counts_as_in_use_there),
        TEST(a_refusal_teaches_what_was_in_use_without_the_refused_batch),
        TEST(what_a_lesson_leaves_out_stays_and_no_lesson_raises_a_cap),
        TEST(a_batch_that_was_refused_alone_teaches_half_of_itself),
        TEST(a_part_of_a_shard_that_was_refused_alone_teaches_half_of_the_part),
        TEST(what_ended_meanwhile_was_in_use_when_it_was_refused),
        TEST(a_batch_that_failed_for_want_of_room_teaches_after_its_end_too),
        TEST(three_batches_stay_alive_where_three_fit),
        TEST(success_grows_what_was_learned_and_failure_does_not),
        TEST(what_was_not_learned_does_not_grow),
        TEST(a_learned_cap_is_obeyed_and_below_one_shard_it_asks_for_a_part),
        TEST(the_little_that_a_cap_has_grown_is_not_worth_a_file),
        TEST(the_last_shards_of_a_lane_are_packed_however_few),
        TEST(only_a_batch_that_frees_room_ends_the_hold),
        TEST(no_batch_that_ends_brings_money),
        TEST(who_waits_for_room_is_due_when_a_batch_ends),
        TEST(who_is_claimed_waits_no_more),
        TEST(who_comes_to_wait_after_the_hold_ended_looks_soon),
        TEST(an_operator_and_an_open_lift_what_holds_the_jobs_lanes),
        TEST(a_lane_that_is_held_for_a_person_says_so_and_no_batch_frees_it),
        TEST(the_time_of_a_status_is_when_it_last_changed),
        TEST(tries_refusals_and_alarms_come_back_with_a_claim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
