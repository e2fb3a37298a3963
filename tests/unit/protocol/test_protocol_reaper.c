#include "tests/testlib/unit.h"

#include <string.h>

#include "common/protocol/protocol_reaper.h"
#include "tests/unit/protocol/protocol_bench.h"

#define HOUR INT64_C(3600000)

/* What the last callback saw. */
struct seen {
    struct bench *b;
    struct reap_note notes[4];
    size_t note_count;
    struct reap_job jobs[4];
    size_t job_count;
    struct reap_record records[4];
    size_t record_count;
    int64_t now_ms, wait_ms;
};

static void on_claim(enum protocol_answer answer, const struct reap_claimed *claimed,
                     int64_t wait_ms, const struct err *err, void *arg)
{
    struct seen *s = arg;

    s->wait_ms = wait_ms;
    s->note_count = s->job_count = 0;
    if (claimed != NULL) {
        assert_true(claimed->note_count <= 4 && claimed->job_count <= 4);
        s->now_ms = claimed->now_ms;
        s->note_count = claimed->note_count;
        s->job_count = claimed->job_count;
        memcpy(s->notes, claimed->notes, s->note_count * sizeof(s->notes[0]));
        memcpy(s->jobs, claimed->jobs, s->job_count * sizeof(s->jobs[0]));
    }
    bench_plain(answer, err, s->b);
}

static void on_look(enum protocol_answer answer, const struct reap_record *records, size_t count,
                    const struct err *err, void *arg)
{
    struct seen *s = arg;

    assert_true(count <= 4);
    s->record_count = count;
    if (count > 0)
        memcpy(s->records, records, count * sizeof(*records));
    bench_plain(answer, err, s->b);
}

static enum protocol_answer claim(struct seen *s, const char *nonce, int64_t lease_ms,
                                  int64_t max_age_ms)
{
    return bench_wait(
        s->b, protocol_reap_claim(s->b->protocol, nonce, lease_ms, max_age_ms, on_claim, s));
}

static enum protocol_answer look(struct seen *s, const char *nonce, const char *a, const char *b)
{
    const char *bids[] = {a, b};

    return bench_wait(s->b, protocol_reap_look(s->b->protocol, nonce, LEASE, bids, 2, on_look, s));
}

static enum protocol_answer done(struct seen *s, const char *nonce, int64_t next_ms, const char *a,
                                 const char *b)
{
    const char *ids[] = {a, b};

    return bench_wait(s->b, protocol_reap_done(s->b->protocol, nonce, next_ms, ids,
                                               b != NULL ? 2 : 1, bench_plain, s->b));
}

static void one_round_at_a_time(void **state)
{
    struct seen s = {.b = *state};

    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r2", LEASE, 0), PROTOCOL_BUSY);
    assert_true(s.wait_ms > 0 && s.wait_ms <= LEASE);
    assert_int_equal(look(&s, "r2", "x", "y"), PROTOCOL_FENCED);
    assert_int_equal(done(&s, "r2", HOUR, "f1", NULL), PROTOCOL_FENCED);
    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK); /* its own: begun anew */
    assert_int_equal(done(&s, "r1", HOUR, "f1", NULL), PROTOCOL_OK);
    assert_int_equal(done(&s, "r1", HOUR, "f1", NULL), PROTOCOL_FENCED);
}

static void a_lease_that_ended_is_anybodys(void **state)
{
    struct seen s = {.b = *state};

    assert_int_equal(claim(&s, "r1", -1, HOUR), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r2", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(look(&s, "r1", "x", "y"), PROTOCOL_FENCED);
}

static void a_round_is_due_by_age_or_when_the_last_one_said(void **state)
{
    struct seen s = {.b = *state};

    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(done(&s, "r1", HOUR, "f1", NULL), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r2", LEASE, HOUR / 2), PROTOCOL_NONE);
    assert_true(s.wait_ms > HOUR / 2 - 10000 && s.wait_ms <= HOUR / 2);
    assert_int_equal(claim(&s, "r2", LEASE, 2 * HOUR), PROTOCOL_NONE);
    assert_true(s.wait_ms > HOUR - 10000 && s.wait_ms <= HOUR);
    assert_int_equal(claim(&s, "r2", LEASE, 0), PROTOCOL_OK);
    assert_int_equal(done(&s, "r2", 0, "f1", NULL), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r3", LEASE, HOUR), PROTOCOL_OK);
}

static void what_is_noted_keeps_its_first_time_and_the_rest_is_forgotten(void **state)
{
    struct seen s = {.b = *state};

    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(s.note_count, 0);
    int64_t first_ms = s.now_ms;
    assert_int_equal(done(&s, "r1", 0, "f1", "f2"), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r2", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(s.note_count, 2);
    int64_t noted_ms = s.notes[strcmp(s.notes[0].id, "f2") == 0 ? 0 : 1].since_ms;
    assert_true(noted_ms >= first_ms && noted_ms <= s.now_ms);
    assert_int_equal(done(&s, "r2", 0, "f2", NULL), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r3", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(s.note_count, 1);
    assert_string_equal(s.notes[0].id, "f2");
    assert_int_equal(s.notes[0].since_ms, noted_ms);
}

static void jobs_are_told_by_incarnation_and_whether_they_ended(void **state)
{
    struct seen s = {.b = *state};

    bench_job(s.b, JOB, 1);
    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(s.job_count, 1);
    assert_false(s.jobs[0].ended);
    bench_settle_all(s.b);
    (void)bench_merge_all(s.b);
    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK);
    assert_true(s.jobs[0].ended);
    assert_int_equal(bench_open(s.b, JOB, "fp1"), PROTOCOL_RESUME);
    assert_string_equal(s.jobs[0].ji, s.b->text);
}

static void records_are_looked_up_in_order(void **state)
{
    struct seen s = {.b = *state};
    const struct protocol_field fields[] = {
        {BATCH_F_FILE, "file-1"}
    };

    bench_job(s.b, JOB, 1);
    assert_int_equal(bench_pack(s.b, "b1", &bench_limits), PROTOCOL_OK);
    assert_int_equal(claim(&s, "r1", LEASE, HOUR), PROTOCOL_OK);
    assert_int_equal(look(&s, "r1", "nobody", "b1"), PROTOCOL_OK);
    assert_int_equal(s.record_count, 2);
    assert_false(s.records[0].exists);
    assert_true(s.records[1].exists);
    assert_int_equal(s.records[1].state, BATCH_BUILD);
    assert_string_equal(s.records[1].file, "");
    assert_int_equal(bench_advance_with(s.b, "b1", "n1", BATCH_BUILD, BATCH_SUBMIT, PROTOCOL_CO,
                                        LEASE, fields, 1),
                     PROTOCOL_OK);
    assert_int_equal(look(&s, "r1", "b1", "b1"), PROTOCOL_OK);
    assert_int_equal(s.records[0].state, BATCH_SUBMIT);
    assert_string_equal(s.records[0].file, "file-1");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, bench_set_up, bench_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(one_round_at_a_time),
        CASE(a_lease_that_ended_is_anybodys),
        CASE(a_round_is_due_by_age_or_when_the_last_one_said),
        CASE(what_is_noted_keeps_its_first_time_and_the_rest_is_forgotten),
        CASE(jobs_are_told_by_incarnation_and_whether_they_ended),
        CASE(records_are_looked_up_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
