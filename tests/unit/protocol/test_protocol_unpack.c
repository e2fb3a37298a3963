#include "tests/testlib/unit.h"

#include "tests/unit/protocol/protocol_bench.h"

#define OTHER "acc2"

static enum protocol_answer unpack(struct bench *b, const char *account, uint32_t max)
{
    return bench_wait(b, protocol_job_unpack(b->protocol, JOB, account, max, bench_plain, b));
}

/* As a coordinator leaves a batch whose upload was refused. */
static void fail_once(struct bench *b, const char *bid)
{
    static const struct protocol_field tries = {BATCH_F_TRIES, "1"};

    assert_int_equal(
        bench_advance_with(b, bid, NULL, BATCH_BUILD, BATCH_BUILD, PROTOCOL_CO, 15000, &tries, 1),
        PROTOCOL_OK);
}

/* Nothing is counted for a batch any more. */
static void assert_nothing_is_held(struct bench *b)
{
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ub"), 0);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ut"), 0);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ur"), 0);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 files"), 0);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:store:acc1 bytes"), 0);
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:j:j1 ub"), 0);
    assert_int_equal(bench_redis(b, "SCARD sheaf:{0}:jb:j1"), 0);
    assert_int_equal(bench_redis(b, "ZCARD sheaf:{0}:due:acc1:co"), 0);
    assert_int_equal(bench_redis(b, "HLEN sheaf:{0}:acc:site1"), 0);
}

static void what_failed_before_its_upload_is_packed_anew_by_another_account(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    fail_once(b, "b1");
    assert_int_equal(unpack(b, NULL, 100), PROTOCOL_OK);
    assert_nothing_is_held(b);
    assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_GONE);
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_string_equal(b->batch.account, OTHER);
    assert_int_equal(b->batch.requests, 30);
    assert_int_equal(bench_advance(b, "b2", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_done(b, "b2", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(bench_drop(b, "b2"), PROTOCOL_OK);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_FINAL);
}

static void a_batch_that_never_failed_stays_unless_it_is_of_another_account(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(unpack(b, NULL, 100), PROTOCOL_OK);
    assert_int_equal(unpack(b, ACCOUNT, 100), PROTOCOL_OK);
    assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(unpack(b, OTHER, 100), PROTOCOL_OK);
    assert_nothing_is_held(b);
}

static void what_was_uploaded_stays(void **state)
{
    static const struct protocol_field file[] = {
        {BATCH_F_FILE,  "file_1"},
        {BATCH_F_TRIES, "1"     }
    };
    static const enum batch_state states[] = {BATCH_BUILD, BATCH_SUBMIT};
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_BUILD, states[i], PROTOCOL_CO, 0,
                                            file, ARRAY_LEN(file)),
                         PROTOCOL_OK);
        assert_int_equal(unpack(b, OTHER, 100), PROTOCOL_OK);
        assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_OK);
    }
}

/* As a coordinator leaves a batch whose upload was refused for good: nothing was charged. */
static void end_without_charge(struct bench *b, const char *refused, const char *free)
{
    const struct protocol_field fields[] = {
        {BATCH_F_FAILURE, "invalid_api_key"},
        {BATCH_F_FREE,    free             },
        {BATCH_F_REFUSED, refused          },
    };

    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH, PROTOCOL_WK, 0,
                                        fields, ARRAY_LEN(fields)),
                     PROTOCOL_OK);
}

static void what_ended_without_a_charge_is_not_bound_to_its_account(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 2);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    end_without_charge(b, "", "1");
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_true(b->views[0].is_empty);
    assert_int_equal(unpack(b, ACCOUNT, 100), PROTOCOL_OK); /* its own worker ends it */
    assert_int_equal(bench_redis(b, "SCARD sheaf:{0}:jb:j1"), 1);
    assert_int_equal(unpack(b, OTHER, 100), PROTOCOL_OK);
    assert_nothing_is_held(b);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 20);
}

static void what_leaves_something_behind_stays(void **state)
{
    static const struct {
        const char *refused, *free;
    } cases[] = {
        {"",              "" },
        {"{\"data\":[]}", "1"}
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench *b = *state;

        redis_server_ask(&b->server, "FLUSHALL", NULL, 0);
        bench_job(b, JOB, 1);
        assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
        end_without_charge(b, cases[i].refused, cases[i].free);
        assert_int_equal(unpack(b, OTHER, 100), PROTOCOL_OK);
        assert_int_equal(bench_redis(b, "SCARD sheaf:{0}:jb:j1"), 1);
        assert_int_equal(bench_view(b), PROTOCOL_OK);
        assert_false(b->views[0].is_empty);
    }
}

static void what_nobody_takes_up_for_long_goes_apart(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(unpack(b, NULL, 100), PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "SCARD sheaf:{0}:jb:j1"), 1);
    redis_server_ask(&b->server, "ZADD sheaf:{0}:due:acc1:co 1 b:b1", NULL, 0);
    assert_int_equal(unpack(b, NULL, 100), PROTOCOL_OK);
    assert_nothing_is_held(b);
}

static void count_jobs(enum protocol_answer answer, uint64_t count, const struct err *err,
                       void *arg)
{
    bench_plain(answer, err, arg);
    ((struct bench *)arg)->number = (int64_t)count;
}

static void daemons_of_another_account_take_apart_what_is_overdue(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    redis_server_ask(&b->server, "ZADD sheaf:{0}:due:acc1:co 1 b:b1", NULL, 0);
    protocol_set_account(b->protocol, OTHER);
    assert_int_equal(bench_wait(b, protocol_account_note(b->protocol, SITE, 1000, count_jobs, b)),
                     PROTOCOL_OK);
    assert_int_equal(b->number, 0);
    assert_nothing_is_held(b);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
}

static void a_batch_that_only_its_record_is_left_of_is_forgotten(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    end_without_charge(b, "", "1");
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(unpack(b, OTHER, 100), PROTOCOL_OK);
    assert_nothing_is_held(b);
    assert_int_equal(bench_merge_all(b), 1);
}

static void many_take_several_calls(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.max_requests = 10;
    bench_job(b, JOB, 3);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_OK);
    assert_int_equal(unpack(b, OTHER, 2), PROTOCOL_MORE);
    assert_int_equal(bench_redis(b, "SCARD sheaf:{0}:jb:j1"), 1);
    assert_int_equal(unpack(b, OTHER, 2), PROTOCOL_OK);
    assert_nothing_is_held(b);
    assert_int_equal(unpack(b, OTHER, 2), PROTOCOL_OK); /* as often as you like */
}

static void a_job_that_is_not_there_has_nothing_to_unpack(void **state)
{
    assert_int_equal(unpack(*state, NULL, 1), PROTOCOL_NOJOB);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_failed_before_its_upload_is_packed_anew_by_another_account),
        TEST(a_batch_that_never_failed_stays_unless_it_is_of_another_account),
        TEST(what_was_uploaded_stays),
        TEST(what_ended_without_a_charge_is_not_bound_to_its_account),
        TEST(what_leaves_something_behind_stays),
        TEST(what_nobody_takes_up_for_long_goes_apart),
        TEST(daemons_of_another_account_take_apart_what_is_overdue),
        TEST(a_batch_that_only_its_record_is_left_of_is_forgotten),
        TEST(many_take_several_calls),
        TEST(a_job_that_is_not_there_has_nothing_to_unpack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
