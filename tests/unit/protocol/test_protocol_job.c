#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/protocol/protocol_bench.h"

static enum protocol_answer hold(struct bench *b, const char *reason)
{
    return bench_wait(b, protocol_job_hold(b->protocol, JOB, reason, "why", bench_plain, b));
}

static enum protocol_answer resume(struct bench *b, const char *reason)
{
    return bench_wait(b, protocol_job_resume(b->protocol, JOB, reason, bench_plain, b));
}

static enum protocol_answer purge(struct bench *b)
{
    return bench_wait(b, protocol_job_purge(b->protocol, JOB, bench_plain, b));
}

static void put_windows(struct bench *b, uint32_t from, uint32_t to)
{
    for (uint32_t w = from; w < to; w++)
        assert_int_equal(bench_put_window(b, JOB, w, LANE), PROTOCOL_OK);
}

static void a_part_is_due_exactly_when_it_is_closed_and_settled(void **state)
{
    struct bench *b = *state;
    const uint32_t whole = 512; /* windows of a part */

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    put_windows(b, 0, whole - 1);
    bench_settle_all(b);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_NONE); /* empty, not closed */
    put_windows(b, whole - 1, whole + 1);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_NONE); /* closed, not empty */
    bench_settle_all(b);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_OK);
    assert_true(b->is_part);
    assert_int_equal(b->part, 0);
    assert_string_equal(b->job.job, JOB);
    assert_int_equal(bench_part_done(b, 0, NULL), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_NONE);
    assert_int_equal(bench_seal(b, JOB, whole + 1), PROTOCOL_OK); /* closes the last one */
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_OK);
    assert_int_equal(b->part, 1);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_SEALED);
    assert_int_equal(b->job.parts, 2);
    assert_int_equal(b->job.parts_done, 1);
    assert_int_equal(bench_part_done(b, 1, NULL), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_FINAL);
    assert_true(b->job.finished_ms >= b->job.created_ms);
}

static int64_t trouble_since(struct bench *b)
{
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    return b->job.trouble_since_ms;
}

static void trouble_is_noted_once_and_ends_with_any_progress(void **state)
{
    struct bench *b = *state;
    struct protocol *p = b->protocol;

    assert_int_equal(bench_wait(b, protocol_job_note(p, "nobody", "disk", "full", bench_plain, b)),
                     PROTOCOL_NOJOB);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    put_windows(b, 0, 2);
    assert_int_equal(trouble_since(b), 0);
    assert_int_equal(bench_wait(b, protocol_job_note(p, JOB, "disk", "full", bench_plain, b)),
                     PROTOCOL_OK);
    int64_t since = trouble_since(b);
    assert_true(since > 0);
    assert_int_equal(bench_wait(b, protocol_job_note(p, JOB, "quota", "gone", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(trouble_since(b), since); /* the first of a row */
    assert_string_equal(b->job.trouble, "quota");
    assert_int_equal(bench_wait(b, protocol_job_note(p, JOB, "limits", "later", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(trouble_since(b), since);
    assert_string_equal(b->job.trouble, "quota"); /* own limits hide nothing */
    bench_settle_all(b);
    assert_int_equal(trouble_since(b), 0);
    assert_string_equal(b->job.trouble, "");
    assert_int_equal(bench_wait(b, protocol_job_note(p, JOB, "disk", "full", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_wait(b, protocol_job_note(p, JOB, NULL, NULL, bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(trouble_since(b), 0);
}

static void what_a_batch_failed_for_is_not_over_with_an_accepted_create(void **state)
{
    struct bench *b = *state;
    struct protocol *p = b->protocol;

    bench_job(b, JOB, 8);
    for (unsigned failed = 0; failed < 2; failed++) {
        const char *bid = failed ? "b1" : "b0";
        static const struct pack_limits one = {.max_requests = 10};

        assert_int_equal(bench_pack(b, bid, &one), PROTOCOL_OK);
        assert_int_equal(
            bench_wait(b, failed
                              ? protocol_job_note_failed(p, JOB, "quota", "money", bench_plain, b)
                              : protocol_job_note(p, JOB, "quota", "later", bench_plain, b)),
            PROTOCOL_OK);
        bench_run(b, bid);
        assert_int_equal(trouble_since(b) > 0, failed);
    }
    assert_int_equal(bench_wait(b, protocol_job_note(p, JOB, NULL, NULL, bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(trouble_since(b), 0); /* one runs */
}

static void windows_that_fill_their_parts_make_no_empty_one(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 512);
    bench_settle_all(b);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.parts, 1);
    assert_int_equal(b->job.state, JOB_FINAL);
}

static void a_part_has_one_holder(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_part_done(b, 0, "n1"), PROTOCOL_GONE);
    bench_job(b, JOB, 1);
    assert_int_equal(bench_part_done(b, 0, "n1"), PROTOCOL_GONE);
    bench_settle_all(b);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n1"), PROTOCOL_OK);
    assert_int_equal(bench_part_done(b, 0, "zombie"), PROTOCOL_FENCED);
    assert_int_equal(
        bench_wait(b, protocol_renew_part(b->protocol, JOB, 0, "zombie", LEASE, bench_plain, b)),
        PROTOCOL_FENCED);
    assert_int_equal(
        bench_wait(b, protocol_renew_part(b->protocol, JOB, 0, "n1", LEASE, bench_plain, b)),
        PROTOCOL_OK);
    assert_int_equal(bench_part_done(b, 0, "n1"), PROTOCOL_OK);
    assert_int_equal(bench_part_done(b, 0, "n1"), PROTOCOL_OK); /* a repeat */
    assert_int_equal(
        bench_wait(b, protocol_renew_part(b->protocol, JOB, 0, "n1", LEASE, bench_plain, b)),
        PROTOCOL_GONE);
}

static void a_part_with_a_hole_is_opened_by_its_holder_only(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_reopen(b, "n1", 0), PROTOCOL_GONE);
    bench_job(b, JOB, 2);
    bench_settle_all(b);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n1"), PROTOCOL_OK);
    assert_int_equal(bench_reopen(b, "zombie", 1), PROTOCOL_FENCED);
    assert_int_equal(bench_reopen(b, "n1", 1), PROTOCOL_OK);
    assert_int_equal(b->number, 1);
    assert_int_equal(bench_reopen(b, "n1", 1), PROTOCOL_FENCED); /* the part is no longer due */
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n1"), PROTOCOL_NONE);
    assert_int_equal(bench_pack(b, "again", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 3);
    assert_int_equal(bench_advance(b, "again", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_done(b, "again", NULL, 0, false), PROTOCOL_OK);
    assert_int_equal(bench_wait(b, protocol_drop(b->protocol, "again", "n1", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_FINAL);
}

static int64_t job_field(struct bench *b, const char *field)
{
    char command[64];

    (void)snprintf(command, sizeof(command), "HGET sheaf:{0}:j:j1 %s", field);
    return bench_redis(b, command);
}

/* Settle all that is ready and merge all that is due. */
static void finish_job(struct bench *b)
{
    bench_settle_all(b);
    (void)bench_merge_all(b);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_FINAL);
}

/* Claim the part that is due, and find window @window of it without evidence. */
static void reopen_in_merge(struct bench *b, uint32_t part, uint32_t window)
{
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n1"), PROTOCOL_OK);
    assert_true(b->is_part);
    assert_int_equal(b->part, part);
    assert_int_equal(bench_reopen(b, "n1", window), PROTOCOL_OK);
    assert_int_equal(b->number, 1);
}

static void a_new_generation_has_its_parts_merged_again(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 513);
    finish_job(b);
    assert_int_equal(job_field(b, "bad"), 5130);
    assert_int_equal(bench_generation(b, 1, 1, 1), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_SEALED);
    assert_int_equal(b->job.finished_ms, 0);
    assert_int_equal(b->job.parts_done, 1);
    assert_int_equal(b->job.generation, 1);
    reopen_in_merge(b, 1, 512);
    assert_int_equal(job_field(b, "bad"), 5127);
    assert_int_equal(b->job.generation, 1); /* so says the claim */
    finish_job(b);
    assert_int_equal(b->job.bad, 5130);
}

static void a_generation_is_told_of_any_number_of_times(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    finish_job(b);
    for (unsigned i = 0; i < 2; i++) { /* the reply was lost */
        assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
        assert_int_equal(job_field(b, "pdone"), 0);
    }
    reopen_in_merge(b, 0, 0);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(job_field(b, "infs"), 1);
    finish_job(b);
    int64_t writes = bench_writes(b);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK); /* long after */
    assert_int_equal(job_field(b, "pdone"), 1);
    assert_in_range(bench_writes(b) - writes, 0, 1);
    assert_int_equal(bench_generation(b, 2, 0, 1), PROTOCOL_OK); /* is not about this part */
    assert_int_equal(job_field(b, "pdone"), 1);
    assert_int_equal(bench_generation(b, 3, 0, 3), PROTOCOL_OK);
    assert_int_equal(job_field(b, "pdone"), 0);
}

static void who_merges_a_part_as_it_was_before_a_generation_loses_it(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    bench_settle_all(b);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "old"), PROTOCOL_OK);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(bench_part_done(b, 0, "old"), PROTOCOL_FENCED);
    assert_int_equal(bench_reopen(b, "old", 0), PROTOCOL_FENCED);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "new"), PROTOCOL_OK); /* at once */
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(bench_part_done(b, 0, "new"), PROTOCOL_OK); /* it knows of it */
}

/* A zombie's lease may come back with a rollback, and an open may bring the generation first. */
static void a_part_is_merged_in_the_generation_that_its_claim_knew(void **state)
{
    struct bench *b = *state;
    struct job_tunables tunables = {.max_inflight_shards = 9, .generation = 1};

    bench_job(b, JOB, 1);
    bench_settle_all(b);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "old"), PROTOCOL_OK);
    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_RESUME);
    assert_int_equal(bench_part_done(b, 0, "old"), PROTOCOL_OK);
    assert_int_equal(job_field(b, "pdone"), 1);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(job_field(b, "pdone"), 0);
}

static void an_older_generation_is_refused(void **state)
{
    struct bench *b = *state;
    int64_t writes = 0;

    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_NOJOB);
    bench_job(b, JOB, 2);
    finish_job(b);
    assert_int_equal(bench_generation(b, 5, 0, 5), PROTOCOL_OK);
    writes = bench_writes(b);
    assert_int_equal(bench_generation(b, 4, 0, 4), PROTOCOL_STATE);
    assert_int_equal(bench_writes(b), writes);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.generation, 5);
}

static void a_generation_may_begin_while_the_job_is_under_way(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    put_windows(b, 0, 3);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(job_field(b, "infs"), 3);
    assert_int_equal(bench_seal(b, JOB, 3), PROTOCOL_OK);
    bench_settle_all(b);
    reopen_in_merge(b, 0, 1);
    finish_job(b);
    assert_int_equal(b->job.bad, 30);
    assert_int_equal(b->job.shards_done, 3);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(job_field(b, "pdone"), 1);
}

static void a_newer_generation_outranks_a_cancel_and_a_cancel_its_own(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 2);
    assert_int_equal(bench_cancel(b, 9), PROTOCOL_OK);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK);
    assert_int_equal(bench_cancel(b, 9), PROTOCOL_STATE); /* the sink still has its mark */
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_false(b->job.cancelled);
    reopen_in_merge(b, 0, 0);
    assert_int_equal(bench_cancel_in(b, 1, 9), PROTOCOL_OK);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_ENDED);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_true(b->job.cancelled);
    assert_int_equal(b->job.shards_in_flight, 0);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_generation(b, 2, 0, 2), PROTOCOL_OK);
    finish_job(b);
    assert_false(b->job.cancelled);
}

static void an_open_brings_the_sinks_generation_back(void **state)
{
    struct bench *b = *state;
    struct job_tunables tunables = {.max_inflight_shards = 9, .generation = 2};

    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_NEW); /* Redis was lost */
    assert_int_equal(bench_cancel_in(b, 1, 9), PROTOCOL_STATE);
    assert_int_equal(bench_cancel_in(b, 2, 9), PROTOCOL_OK);
    for (uint32_t generation = 1; generation <= 2; generation++) { /* not newer */
        tunables.generation = generation;
        assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_RESUME);
        assert_int_equal(bench_view(b), PROTOCOL_OK);
        assert_int_equal(b->job.generation, 2);
        assert_true(b->job.cancelled);
    }
    tunables.generation = 3; /* Redis went back behind its first reopen */
    assert_int_equal(bench_open_with(b, JOB, &tunables), PROTOCOL_RESUME);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.generation, 3);
    assert_false(b->job.cancelled);
}

static void the_first_hold_stays_until_it_is_lifted(void **state)
{
    struct bench *b = *state;

    assert_int_equal(hold(b, "auth"), PROTOCOL_NOJOB);
    assert_int_equal(resume(b, NULL), PROTOCOL_NOJOB);
    bench_job(b, JOB, 1);
    assert_int_equal(resume(b, NULL), PROTOCOL_DUP);
    assert_int_equal(hold(b, "auth"), PROTOCOL_OK);
    assert_int_equal(hold(b, "operator"), PROTOCOL_DUP);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_string_equal(b->job.hold, "auth");
    assert_int_equal(resume(b, "operator"), PROTOCOL_DUP);
    assert_int_equal(resume(b, "auth"), PROTOCOL_OK);
    assert_int_equal(hold(b, "operator"), PROTOCOL_OK);
    assert_int_equal(resume(b, NULL), PROTOCOL_OK);
    bench_settle_all(b);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(hold(b, "operator"), PROTOCOL_ENDED);
}

/* b1 is being built, b2 waits for room, b3's create may have been sent, b4 runs; "n1" has all. */
static void four_batches(struct bench *b)
{
    static const struct pack_limits one_shard = {
        .max_requests = 10, .max_bytes = 100000000, .lane_batches = 10};
    static const struct protocol_field waits[] = {
        {BATCH_F_FILE,  "file-2"},
        {BATCH_F_WAITS, "1"     }
    };
    static const struct protocol_field intent = {BATCH_F_INTENT, PROTOCOL_NOW};

    bench_job(b, JOB, 9);
    assert_int_equal(bench_pack(b, "b1", &one_shard), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &one_shard), PROTOCOL_OK);
    assert_int_equal(
        bench_advance_with(b, "b2", NULL, BATCH_BUILD, BATCH_SUBMIT, PROTOCOL_CO, 0, NULL, 0),
        PROTOCOL_OK);
    struct lane_lesson full = {.bid = "b2", .hold_ms = 3600000, .why = "full"};
    assert_int_equal(bench_learn(b, LANE, &full), PROTOCOL_OK);
    assert_int_equal(bench_advance_with(b, "b2", NULL, BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_CO,
                                        3600000, waits, ARRAY_LEN(waits)),
                     PROTOCOL_OK);
    redis_server_ask(&b->server, "HDEL sheaf:{0}:lane:acc1:lane1 hold", NULL, 0);
    assert_int_equal(bench_pack(b, "b3", &one_shard), PROTOCOL_OK);
    assert_int_equal(bench_advance_with(b, "b3", NULL, BATCH_BUILD, BATCH_SUBMIT, PROTOCOL_CO,
                                        LEASE, &intent, 1),
                     PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b4", &one_shard), PROTOCOL_OK);
    bench_run(b, "b4");
}

/* What was not sent is anybody's at once; what may be at the provider is still "n1"'s. */
static void assert_unsent_is_recalled(struct bench *b)
{
    static const struct protocol_field intent = {BATCH_F_INTENT, PROTOCOL_NOW};

    assert_int_equal(bench_redis(b, "ZCARD sheaf:{0}:wait:acc1:lane1"), 0);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_SUBMIT), PROTOCOL_FENCED);
    assert_int_equal(bench_advance_with(b, "b2", NULL, BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_CO,
                                        LEASE, &intent, 1),
                     PROTOCOL_FENCED);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b1");
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b2");
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(bench_advance(b, "b3", NULL, BATCH_SUBMIT, BATCH_RUN), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b4", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
}

static void a_hold_takes_back_what_was_not_sent(void **state)
{
    struct bench *b = *state;

    four_batches(b);
    assert_int_equal(hold(b, "operator"), PROTOCOL_OK);
    assert_unsent_is_recalled(b);
}

static void a_cancel_takes_back_what_was_not_sent(void **state)
{
    struct bench *b = *state;

    four_batches(b);
    assert_int_equal(bench_cancel(b, 100), PROTOCOL_OK);
    assert_unsent_is_recalled(b);
}

/* Its create was under way when the job was held, and was refused. */
static void what_comes_back_unsent_under_a_hold_is_due_at_once_and_waits_for_no_room(void **state)
{
    static const struct protocol_field refused[] = {
        {BATCH_F_INTENT, "" },
        {BATCH_F_WAITS,  "1"}
    };
    static const struct protocol_field lost = {BATCH_F_LOOKS, "1"};
    struct bench *b = *state;

    four_batches(b);
    assert_int_equal(hold(b, "operator"), PROTOCOL_OK);
    assert_int_equal(bench_advance_with(b, "b3", NULL, BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_CO,
                                        3600000, &lost, 1),
                     PROTOCOL_OK); /* it may have been sent: it is looked for in its time */
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(bench_advance_with(b, "b3", NULL, BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_CO,
                                        3600000, refused, ARRAY_LEN(refused)),
                     PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "ZCARD sheaf:{0}:wait:acc1:lane1"), 0);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_string_equal(b->batch.bid, "b3");
}

static void a_cancel_settles_what_waits_in_steps(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_cancel(b, 10), PROTOCOL_NOJOB);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    put_windows(b, 0, 2);
    bench_to_fetch(b, "b1"); /* two of them end in a backoff */
    assert_int_equal(bench_done(b, "b1", NULL, 10, true), PROTOCOL_OK);
    put_windows(b, 2, 3);
    bench_to_fetch(b, "b2"); /* one is at the provider */
    put_windows(b, 3, 8);
    assert_int_equal(hold(b, "operator"), PROTOCOL_OK);

    assert_int_equal(bench_cancel(b, 4), PROTOCOL_MORE);
    assert_int_equal(bench_cancel(b, 4), PROTOCOL_OK);
    assert_int_equal(bench_cancel(b, 4), PROTOCOL_OK);
    assert_int_equal(hold(b, "operator"), PROTOCOL_ENDED);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_true(b->job.cancelled);
    assert_string_equal(b->job.hold, "");
    assert_int_equal(b->job.shards_in_flight, 1);
    assert_int_equal(b->job.bad, 70);

    put_windows(b, 8, 9); /* the rest of the input is only counted */
    assert_int_equal(bench_pack(b, "b3", NULL), PROTOCOL_NONE);
    assert_int_equal(bench_seal(b, JOB, 9), PROTOCOL_OK);
    assert_int_equal(bench_chunk(b, "b2", NULL, 0, 9), PROTOCOL_OK);   /* what was paid is kept */
    assert_int_equal(bench_done(b, "b2", NULL, 7, true), PROTOCOL_OK); /* and nothing goes again */
    assert_int_equal(bench_wait(b, protocol_drop(b->protocol, "b2", "n1", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_wait(b, protocol_drop(b->protocol, "b1", "n1", bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.state, JOB_FINAL);
    assert_int_equal(b->job.ok, 2);
    assert_int_equal(b->job.bad, 88);
    assert_int_equal(b->job.requests, 90);
    assert_int_equal(bench_cancel(b, 4), PROTOCOL_ENDED);
}

static void a_cancel_that_stopped_half_way_does_not_strand_shards(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 3);
    assert_int_equal(bench_cancel(b, 1), PROTOCOL_MORE);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_true(b->job.cancelled);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
    assert_int_equal(bench_done(b, "b1", NULL, 10, false), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
}

static void only_a_job_that_has_ended_is_purged_and_nothing_of_it_stays(void **state)
{
    struct bench *b = *state;
    char keys[256] = "";
    static const char *const stay[] = {/* what lanes and accounts have learned */
                                       "DEL sheaf:{0}:lane:lane1", "DEL sheaf:{0}:lane:acc1:lane1",
                                       "DEL sheaf:{0}:store:acc1"};

    assert_int_equal(purge(b), PROTOCOL_NOJOB);
    bench_job(b, JOB, 2);
    assert_int_equal(purge(b), PROTOCOL_BUSY);
    bench_to_fetch(b, "b1");
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK); /* never dropped */
    assert_int_equal(purge(b), PROTOCOL_BUSY);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_OK);
    assert_false(b->is_part);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(purge(b), PROTOCOL_OK);
    assert_int_equal(purge(b), PROTOCOL_NOJOB);
    redis_server_ask(&b->server, "DEL sheaf:{0}:cfg", NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(stay); i++)
        redis_server_ask(&b->server, stay[i], NULL, 0);
    redis_server_ask(&b->server, "KEYS *", keys, sizeof(keys));
    assert_string_equal(keys, "*0\r\n");
}

static void a_site_remembers_its_first_failure_in_a_row(void **state)
{
    struct bench *b = *state;
    int64_t since = 0;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_site(b, SITE_OK, ""), PROTOCOL_OK);
    assert_int_equal(b->number, 0);
    assert_int_equal(bench_site(b, SITE_DOWN, "refused"), PROTOCOL_OK);
    since = b->number;
    assert_true(since > 0);
    assert_int_equal(bench_site(b, SITE_AUTH, "401"), PROTOCOL_OK);
    assert_int_equal(b->number, since);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.site_state, SITE_AUTH);
    assert_string_equal(b->text, "401");
    assert_int_equal(b->job.site_since_ms, since);
    assert_int_equal(bench_site(b, SITE_OK, ""), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.site_state, SITE_OK);
    assert_int_equal(b->job.site_since_ms, 0);
}

static void a_view_shows_the_live_batches(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    assert_int_equal(bench_view(b), PROTOCOL_NOJOB);
    limits.max_requests = 10;
    bench_job(b, JOB, 2);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(bench_learn(b, LANE, &(struct lane_lesson){.hold_ms = 1000, .why = "429"}),
                     PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->count, 2);
    assert_int_equal(b->job.batches, 2);
    assert_int_equal(b->job.batches_alive, 2);
    assert_int_equal(b->views[0].state, BATCH_BUILD);
    assert_int_equal(b->views[0].requests, 10);
    assert_int_equal(b->views[0].remote_done, -1);
    assert_string_equal(b->lane_label, "{}");
    assert_true(b->views[0].lane_hold_ms > b->job.now_ms);
}

static void the_list_names_every_job_oldest_first(void **state)
{
    struct bench *b = *state;

    assert_int_equal(bench_list(b), PROTOCOL_OK);
    assert_int_equal(b->count, 0);
    bench_job(b, JOB, 1);
    redis_server_ask(&b->server, "ZADD sheaf:{0}:jobs 1 j1", NULL, 0);
    bench_job(b, "j2", 0);
    assert_int_equal(hold(b, "operator"), PROTOCOL_OK);
    assert_int_equal(bench_list(b), PROTOCOL_OK);
    assert_int_equal(b->count, 2);
    assert_string_equal(b->rows[0].job, JOB);
    assert_int_equal(b->rows[0].state, JOB_SEALED);
    assert_string_equal(b->rows[0].hold, "operator");
    assert_int_equal(b->rows[0].requests, 10);
    assert_false(b->rows[0].cancelled);
    assert_string_equal(b->rows[1].job, "j2");
    assert_int_equal(b->rows[1].state, JOB_FINAL);
    assert_true(b->rows[1].created_ms > 0 && b->rows[1].created_ms <= b->number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(trouble_is_noted_once_and_ends_with_any_progress),
        TEST(what_a_batch_failed_for_is_not_over_with_an_accepted_create),
        TEST(a_part_is_due_exactly_when_it_is_closed_and_settled),
        TEST(windows_that_fill_their_parts_make_no_empty_one),
        TEST(a_part_has_one_holder),
        TEST(a_part_with_a_hole_is_opened_by_its_holder_only),
        TEST(a_new_generation_has_its_parts_merged_again),
        TEST(a_generation_is_told_of_any_number_of_times),
        TEST(who_merges_a_part_as_it_was_before_a_generation_loses_it),
        TEST(a_part_is_merged_in_the_generation_that_its_claim_knew),
        TEST(an_older_generation_is_refused),
        TEST(a_generation_may_begin_while_the_job_is_under_way),
        TEST(a_newer_generation_outranks_a_cancel_and_a_cancel_its_own),
        TEST(an_open_brings_the_sinks_generation_back),
        TEST(the_first_hold_stays_until_it_is_lifted),
        TEST(a_hold_takes_back_what_was_not_sent),
        TEST(a_cancel_takes_back_what_was_not_sent),
        TEST(what_comes_back_unsent_under_a_hold_is_due_at_once_and_waits_for_no_room),
        TEST(a_cancel_settles_what_waits_in_steps),
        TEST(a_cancel_that_stopped_half_way_does_not_strand_shards),
        TEST(only_a_job_that_has_ended_is_purged_and_nothing_of_it_stays),
        TEST(a_site_remembers_its_first_failure_in_a_row),
        TEST(a_view_shows_the_live_batches),
        TEST(the_list_names_every_job_oldest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
