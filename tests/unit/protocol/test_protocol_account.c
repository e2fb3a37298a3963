#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/protocol/protocol_bench.h"

#define OTHER "acc2"

/* ---- whose batches */

static void a_batch_belongs_to_the_account_that_packed_it(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.account, ACCOUNT);
    assert_int_equal(
        bench_advance_with(b, "b1", NULL, BATCH_BUILD, BATCH_BUILD, PROTOCOL_CO, 0, NULL, 0),
        PROTOCOL_OK);
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(b->number, -1);
    protocol_set_account(b->protocol, ACCOUNT);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_string_equal(b->batch.account, ACCOUNT);
}

static void another_accounts_worker_gets_no_batch_but_any_part(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK); /* CLEAN, due now */
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
    assert_true(b->is_part);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n3"), PROTOCOL_NONE);
}

static void of_both_sets_the_more_overdue_is_claimed_first(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *due_part, *due_batch;
        bool part_first;
    } cases[] = {
        {"ZADD sheaf:{0}:due:site1:wk 5 p:j1:0", "ZADD sheaf:{0}:due:acc1:wk 6 b:b1", true },
        {"ZADD sheaf:{0}:due:site1:wk 7 p:j1:0", "ZADD sheaf:{0}:due:acc1:wk 6 b:b1", false},
    };

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        redis_server_ask(&b->server, cases[i].due_part, NULL, 0);
        redis_server_ask(&b->server, cases[i].due_batch, NULL, 0);
        assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_OK);
        assert_int_equal(b->is_part, cases[i].part_first);
        assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_OK);
        assert_int_equal(b->is_part, !cases[i].part_first);
    }
}

static void live_batches_are_counted_by_account_until_they_are_dropped(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.max_requests = 10;
    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:acc:site1 acc1"), 1);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:acc:site1 acc2"), 2);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->account_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(b->accounts[i].batches,
                         strcmp(b->accounts[i].account, OTHER) == 0 ? 2 : 1);
    for (size_t i = 0; i < b->count; i++)
        assert_string_equal(b->views[i].account,
                            strcmp(b->views[i].bid, "b1") == 0 ? ACCOUNT : OTHER);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(bench_drop(b, "b1"), PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "HEXISTS sheaf:{0}:acc:site1 acc1"), 0);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->account_count, 1);
    assert_string_equal(b->accounts[0].account, OTHER);
}

static void budgets_are_of_one_account(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.max_requests = 10;
    limits.lane_batches = 1;
    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_int_equal(bench_learn(b, LANE, &(struct lane_lesson){.hold_ms = 60000}), PROTOCOL_OK);
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc2:lane1 ut"), 50);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc2:lane1 ur"), 10);
}

static void on_count(enum protocol_answer answer, uint64_t count, const struct err *err, void *arg)
{
    struct bench *b = arg;

    b->number = (int64_t)count;
    bench_plain(answer, err, arg);
}

static int64_t note_accounts(struct bench *b, int64_t overdue_ms)
{
    assert_int_equal(
        bench_wait(b, protocol_account_note(b->protocol, SITE, overdue_ms, on_count, b)),
        PROTOCOL_OK);
    return b->number;
}

static void a_job_hears_of_overdue_batches_that_nobody_has_the_key_of(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(note_accounts(b, 0), 0);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    bench_run(b, "b1");
    assert_int_equal(
        bench_advance_with(b, "b1", NULL, BATCH_RUN, BATCH_RUN, PROTOCOL_WK, 0, NULL, 0),
        PROTOCOL_OK);
    usleep(20000);
    assert_int_equal(note_accounts(b, 0), 0); /* it is our own */
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(note_accounts(b, 60000), 0);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_string_equal(b->job.trouble, "");
    assert_int_equal(note_accounts(b, 10), 1);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_string_equal(b->job.trouble, TROUBLE_ACCOUNT);
    assert_true(b->job.trouble_since_ms > 0);
}

/* ---- storage */

static void files_and_bytes_count_from_pack_to_drop(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;
    static const struct protocol_field sizes[] = {
        {BATCH_F_OBYTES, "70"},
        {BATCH_F_EBYTES, "30"}
    };

    limits.max_requests = 10; /* 100 bytes */
    limits.account_files = 8;
    bench_job(b, JOB, 4);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE); /* 3 files each */
    bench_run(b, "b1");
    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_RUN, BATCH_FETCH, PROTOCOL_WK, LEASE,
                                        sizes, ARRAY_LEN(sizes)),
                     PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 files"), 6);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 bytes"), 300);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE); /* the slot is free, no file */
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(bench_drop(b, "b1"), PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 files"), 3);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 bytes"), 100);
    limits.account_bytes = 199;
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE);
    limits.account_bytes = 200;
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_OK);
}

static void a_storage_smaller_than_one_batch_holds_one_at_a_time(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.account_files = 1;
    limits.account_bytes = 1;
    limits.batch_files = 1;
    bench_job(b, JOB, 2);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10); /* one shard */
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 files"), 1);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(bench_drop(b, "b1"), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
}

/* ---- rates */

static void a_rate_gives_its_burst_at_once_and_then_one_each_interval(void **state)
{
    struct bench *b = *state;
    static const int64_t waits[] = {0, 0, 0, 1000, 2000, 3000};

    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 1000, 3), PROTOCOL_OK);
        if (waits[i] == 0)
            assert_int_equal(b->number, 0);
        else
            assert_in_range(b->number, waits[i] - 500, waits[i]);
    }
    assert_int_equal(bench_take(b, PROTOCOL_RATE_UPLOADS, 1000, 1), PROTOCOL_OK);
    assert_int_equal(b->number, 0); /* another rate */
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 1000, 3), PROTOCOL_OK);
    assert_int_equal(b->number, 0); /* another account */
}

static void a_queue_of_turns_never_grows_over_15_minutes(void **state)
{
    struct bench *b = *state;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 300000, 1), PROTOCOL_OK);
    assert_in_range(b->number, 890000, 900000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 300000, 1), PROTOCOL_BUSY);
        assert_in_range(b->number, 290000, 300000);
    }
}

static void a_clock_that_went_back_delays_nobody_for_longer_than_that(void **state)
{
    struct bench *b = *state;

    redis_server_ask(&b->server, "HSET sheaf:{0}:rate:acc1 creates 99999999999999", NULL, 0);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 1000, 2), PROTOCOL_BUSY);
    assert_in_range(b->number, 1, 1000);
}

static enum protocol_answer rate_hold(struct bench *b, int64_t for_ms)
{
    return bench_wait(
        b, protocol_rate_hold(b->protocol, PROTOCOL_RATE_CREATES, for_ms, bench_plain, b));
}

static void a_held_rate_starts_again_one_by_one_and_no_hold_shortens_it(void **state)
{
    struct bench *b = *state;

    assert_int_equal(rate_hold(b, 10000), PROTOCOL_OK);
    assert_int_equal(rate_hold(b, 50), PROTOCOL_OK);
    for (int64_t i = 0; i < 3; i++) {
        assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 1000, 5), PROTOCOL_OK);
        assert_in_range(b->number, 9000 + 1000 * i, 10000 + 1000 * i);
    }
    assert_int_equal(rate_hold(b, 3600000), PROTOCOL_OK);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 1000, 5), PROTOCOL_HELD);
    assert_in_range(b->number, 2690000, 2700000);
}

/* A day: as a provider may ask for. */
static void hold_all(struct bench *b)
{
    static const enum protocol_rate rates[] = {PROTOCOL_RATE_UPLOADS, PROTOCOL_RATE_CREATES,
                                               PROTOCOL_RATE_POLLS};

    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        assert_int_equal(
            bench_wait(b, protocol_rate_hold(b->protocol, rates[i], 86400000, bench_plain, b)),
            PROTOCOL_OK);
        assert_int_equal(bench_take(b, rates[i], 1000, 5), PROTOCOL_HELD);
    }
}

static void assert_no_rate_is_held(struct bench *b)
{
    assert_int_equal(bench_take(b, PROTOCOL_RATE_UPLOADS, 1000, 5), PROTOCOL_OK);
    assert_int_equal(b->number, 0);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_CREATES, 1000, 5), PROTOCOL_OK);
    assert_int_equal(b->number, 0);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_POLLS, 1000, 5), PROTOCOL_OK);
    assert_int_equal(b->number, 0);
}

static enum protocol_answer resume(struct bench *b, const char *reason)
{
    return bench_wait(b, protocol_job_resume(b->protocol, JOB, reason, bench_plain, b));
}

static void an_operator_and_an_open_lift_what_holds_the_accounts_rates(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    hold_all(b);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_in_range(b->job.parked_ms, b->job.now_ms + 86390000, b->job.now_ms + 86400000);
    assert_int_equal(resume(b, "auth"), PROTOCOL_DUP);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_POLLS, 1000, 5), PROTOCOL_HELD);
    assert_int_equal(resume(b, "operator"), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.parked_ms, 0);
    assert_no_rate_is_held(b);
    assert_int_equal(resume(b, NULL), PROTOCOL_DUP);
    hold_all(b);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_RESUME);
    assert_no_rate_is_held(b);
}

static void what_was_put_off_for_long_is_due_when_a_person_resumes(void **state)
{
    static const struct {
        int64_t due_in_ms;
        bool wakes;
    } cases[] = {
        {3600000, true },
        {LEASE,   false}, /* it may be a lease */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench *b = *state;

        redis_server_ask(&b->server, "FLUSHALL", NULL, 0);
        bench_job(b, JOB, 1);
        assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
        assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_BUILD, BATCH_BUILD, PROTOCOL_CO,
                                            cases[i].due_in_ms, NULL, 0),
                         PROTOCOL_OK);
        assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
        assert_int_equal(bench_view(b), PROTOCOL_OK);
        assert_int_equal(b->job.parked_ms != 0, cases[i].wakes);
        assert_int_equal(resume(b, "operator"), cases[i].wakes ? PROTOCOL_OK : PROTOCOL_DUP);
        assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"),
                         cases[i].wakes ? PROTOCOL_OK : PROTOCOL_NONE);
    }
}

static void an_interval_lets_no_window_see_more_than_the_limit(void **state)
{
    static const struct {
        uint64_t limit;
        int64_t window_ms;
        uint32_t burst;
    } cases[] = {
        {2000, 3600000, 200},
        {1000, 60000,   50 },
        {300,  60000,   1  },
        {1,    60000,   1  },
        {7,    60000,   7  },
        {7,    60000,   3  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t interval =
            protocol_rate_interval_ms(cases[i].limit, cases[i].window_ms, cases[i].burst);
        int64_t after_burst = (cases[i].window_ms - 1) / interval; /* calls at k * interval */

        assert_true(interval > 0);
        assert_true(cases[i].burst + after_burst <= (int64_t)cases[i].limit);
    }
}

/* Three batches that run and are to be polled now. */
static void three_to_poll(struct bench *b)
{
    struct pack_limits limits = bench_limits;
    char bid[BATCH_ID_LEN + 1];

    limits.max_requests = 10;
    bench_job(b, JOB, 4);
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(bid, sizeof(bid), "b%u", i);
        assert_int_equal(bench_pack(b, bid, &limits), PROTOCOL_OK);
        bench_run(b, bid);
        assert_int_equal(
            bench_advance_with(b, bid, NULL, BATCH_RUN, BATCH_RUN, PROTOCOL_WK, 0, NULL, 0),
            PROTOCOL_OK);
    }
    assert_int_equal(bench_pack(b, "fetch", &limits), PROTOCOL_OK);
}

static void claims_hand_out_no_more_polls_than_the_rate(void **state)
{
    struct bench *b = *state;
    int64_t writes = 0;

    three_to_poll(b);
    protocol_pace_polls(b->protocol, 60000, 2);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n3"), PROTOCOL_OK);
    writes = bench_writes(b);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_claim(b, PROTOCOL_WK, "n4"), PROTOCOL_NONE);
        assert_in_range(b->number, 50000, 60000); /* the next turn */
    }
    assert_int_equal(bench_writes(b), writes);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_POLLS, 60000, 2), PROTOCOL_OK);
    assert_in_range(b->number, 50000, 60000); /* it is the same queue */
    protocol_pace_polls(b->protocol, 0, 0);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n4"), PROTOCOL_OK);
}

static void a_hold_of_the_polls_counts_without_a_limit_too(void **state)
{
    struct bench *b = *state;

    three_to_poll(b);
    assert_int_equal(
        bench_wait(b, protocol_rate_hold(b->protocol, PROTOCOL_RATE_POLLS, 5000, bench_plain, b)),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_NONE);
    assert_in_range(b->number, 4000, 5000);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_take(b, PROTOCOL_RATE_POLLS, 0, 1), PROTOCOL_OK);
        assert_in_range(b->number, 4000, 5000);
    }
    redis_server_ask(&b->server, "HSET sheaf:{0}:rate:acc1 polls_til 5", NULL, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
    assert_int_equal(bench_take(b, PROTOCOL_RATE_POLLS, 0, 1), PROTOCOL_OK);
    assert_int_equal(b->number, 0);
}

static void results_are_claimed_although_no_poll_is_allowed(void **state)
{
    struct bench *b = *state;

    three_to_poll(b);
    protocol_pace_polls(b->protocol, 60000, 1);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
    assert_int_equal(b->batch.state, BATCH_RUN);
    assert_int_equal(
        bench_advance_with(b, "fetch", NULL, BATCH_BUILD, BATCH_FETCH, PROTOCOL_WK, 0, NULL, 0),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n3"), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "fetch");
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n4"), PROTOCOL_NONE);
}

static void a_lease_of_a_polled_batch_is_renewed_where_it_waits(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    bench_run(b, "b1");
    assert_int_equal(
        bench_wait(b, protocol_renew(b->protocol, "b1", "n1", PROTOCOL_WK, 30, bench_plain, b)),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_NONE);
    assert_in_range(b->number, 1, 30);
    usleep(40000);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
}

/* ---- another version's keys */

static void keys_of_another_version_are_refused(void **state)
{
    struct bench *b = *state;

    redis_server_ask(&b->server, "HSET sheaf:{0}:cfg tick 7", NULL, 0);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_FAILED);
    assert_int_equal(b->err.kind, ERR_PERMANENT);
    assert_non_null(strstr(b->err.msg, "another version of Sheaf"));
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_FAILED);
    redis_server_ask(&b->server, "HSET sheaf:{0}:cfg schema 1", NULL, 0);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_FAILED);
    redis_server_ask(&b->server, "DEL sheaf:{0}:cfg", NULL, 0);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(a_batch_belongs_to_the_account_that_packed_it),
        TEST(another_accounts_worker_gets_no_batch_but_any_part),
        TEST(of_both_sets_the_more_overdue_is_claimed_first),
        TEST(live_batches_are_counted_by_account_until_they_are_dropped),
        TEST(budgets_are_of_one_account),
        TEST(a_job_hears_of_overdue_batches_that_nobody_has_the_key_of),
        TEST(files_and_bytes_count_from_pack_to_drop),
        TEST(a_storage_smaller_than_one_batch_holds_one_at_a_time),
        TEST(a_rate_gives_its_burst_at_once_and_then_one_each_interval),
        TEST(a_queue_of_turns_never_grows_over_15_minutes),
        TEST(a_clock_that_went_back_delays_nobody_for_longer_than_that),
        TEST(a_held_rate_starts_again_one_by_one_and_no_hold_shortens_it),
        TEST(an_operator_and_an_open_lift_what_holds_the_accounts_rates),
        TEST(what_was_put_off_for_long_is_due_when_a_person_resumes),
        cmocka_unit_test(an_interval_lets_no_window_see_more_than_the_limit),
        TEST(claims_hand_out_no_more_polls_than_the_rate),
        TEST(a_hold_of_the_polls_counts_without_a_limit_too),
        TEST(results_are_claimed_although_no_poll_is_allowed),
        TEST(a_lease_of_a_polled_batch_is_renewed_where_it_waits),
        TEST(keys_of_another_version_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
