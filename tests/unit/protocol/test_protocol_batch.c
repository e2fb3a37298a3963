#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/protocol/protocol_bench.h"

/* One fenced call on batch "b1" in FETCH, as the holder of @nonce. */
typedef enum protocol_answer (*fenced_fn)(struct bench *b, const char *bid, const char *nonce);

static enum protocol_answer do_renew(struct bench *b, const char *bid, const char *nonce)
{
    return bench_wait(b,
                      protocol_renew(b->protocol, bid, nonce, PROTOCOL_WK, LEASE, bench_plain, b));
}

static enum protocol_answer do_advance(struct bench *b, const char *bid, const char *nonce)
{
    return bench_advance(b, bid, nonce, BATCH_FETCH, BATCH_FETCH);
}

static enum protocol_answer do_advance_elsewhere(struct bench *b, const char *bid,
                                                 const char *nonce)
{
    return bench_advance(b, bid, nonce, BATCH_BUILD, BATCH_SUBMIT);
}

static enum protocol_answer do_advance_again(struct bench *b, const char *bid, const char *nonce)
{
    return bench_advance(b, bid, nonce, BATCH_RUN, BATCH_FETCH);
}

static enum protocol_answer do_chunk(struct bench *b, const char *bid, const char *nonce)
{
    return bench_chunk(b, bid, nonce, 0, 10);
}

static enum protocol_answer do_late_chunk(struct bench *b, const char *bid, const char *nonce)
{
    return bench_chunk(b, bid, nonce, 20, 30);
}

static enum protocol_answer do_done(struct bench *b, const char *bid, const char *nonce)
{
    return bench_done(b, bid, nonce, 0, false);
}

static enum protocol_answer do_drop(struct bench *b, const char *bid, const char *nonce)
{
    return bench_wait(b, protocol_drop(b->protocol, bid, nonce, bench_plain, b));
}

static void only_the_holder_of_the_lease_is_obeyed(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *name;
        fenced_fn call;
        enum protocol_answer holder; /* what the holder is told */
    } cases[] = {
        {"renew",              do_renew,             PROTOCOL_OK   },
        {"members",            bench_members,        PROTOCOL_OK   },
        {"advance",            do_advance,           PROTOCOL_OK   },
        {"advance, elsewhere", do_advance_elsewhere, PROTOCOL_STATE},
        {"advance, a repeat",  do_advance_again,     PROTOCOL_OK   },
        {"drop, too early",    do_drop,              PROTOCOL_STATE},
        {"chunk",              do_chunk,             PROTOCOL_OK   },
        {"chunk, a repeat",    do_chunk,             PROTOCOL_OK   },
        {"chunk, elsewhere",   do_late_chunk,        PROTOCOL_CKPT },
        {"done",               do_done,              PROTOCOL_OK   },
        {"done, a repeat",     do_done,              PROTOCOL_OK   },
        {"chunk, too late",    do_chunk,             PROTOCOL_STATE},
        {"drop",               do_drop,              PROTOCOL_OK   },
        {"drop, a repeat",     do_drop,              PROTOCOL_GONE },
        {"done, too late",     do_done,              PROTOCOL_GONE },
    };

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        if (cases[i].holder != PROTOCOL_GONE) {
            int64_t writes = bench_writes(b);

            assert_int_equal(cases[i].call(b, "b1", "zombie"), PROTOCOL_FENCED);
            assert_int_equal(bench_writes(b), writes);
        }
        assert_int_equal(cases[i].call(b, "none", "n1"), PROTOCOL_GONE);
        assert_int_equal(cases[i].call(b, "b1", "n1"), cases[i].holder);
    }
}

static void a_checkpoint_of_another_remote_batch_is_refused(void **state)
{
    struct bench *b = *state;
    struct protocol_field other = {BATCH_F_REMOTE, "r2"};

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    assert_int_equal(
        bench_advance_with(b, "b1", NULL, BATCH_FETCH, BATCH_FETCH, PROTOCOL_WK, 0, &other, 1),
        PROTOCOL_OK);
    assert_int_equal(bench_chunk(b, "b1", NULL, 0, 10), PROTOCOL_STATE);
}

static void another_pass_begins_at_the_beginning_and_keeps_the_bits(void **state)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_CHECK, "" },
        {BATCH_F_PASS,  "1"}
    };
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    assert_int_equal(bench_chunk(b, "b1", NULL, 0, 10), PROTOCOL_OK);
    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_FETCH, BATCH_FETCH, PROTOCOL_WK, 0,
                                        fields, ARRAY_LEN(fields)),
                     PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
    assert_int_equal(b->batch.pass, 1);
    assert_int_equal(b->batch.checkpoint, 0);
    assert_int_equal(b->batch.masks_len, 3);
    assert_int_equal(bench_chunk(b, "b1", "n1", 10, 20), PROTOCOL_FENCED);
    assert_int_equal(bench_chunk(b, "b1", "n2", 10, 20), PROTOCOL_CKPT);
    assert_int_equal(bench_chunk(b, "b1", "n2", 0, 10), PROTOCOL_OK);
}

static void a_chunk_is_seen_by_the_next_holder(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    assert_int_equal(bench_chunk(b, "b1", NULL, 0, 10), PROTOCOL_OK);
    assert_int_equal(b->number, 10);
    assert_int_equal(bench_chunk(b, "b1", NULL, 20, 30), PROTOCOL_CKPT);
    assert_int_equal(b->number, 10);
    assert_int_equal(
        bench_advance_with(b, "b1", NULL, BATCH_FETCH, BATCH_FETCH, PROTOCOL_WK, 0, NULL, 0),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_OK);
    assert_int_equal(b->batch.checkpoint, 10);
    assert_int_equal(b->batch.masks_len, 3);
    assert_memory_equal(b->batch.masks, "\0\1\xff", 3);
    assert_int_equal(bench_members(b, "b1", "n1"), PROTOCOL_FENCED);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->views[0].ok, 2);
    assert_int_equal(b->views[0].bad, 1);
    assert_int_equal(b->job.ok, 0);
    assert_int_equal(bench_done(b, "b1", "n2", 0, false), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK); /* nothing is counted twice */
    assert_int_equal(b->views[0].ok, 0);
    assert_int_equal(b->views[0].bad, 0);
    assert_int_equal(b->job.ok, 2);
    assert_int_equal(b->job.bad, 8);
}

/* What was uploaded before is not what is being built. */
static void a_record_knows_since_when_it_is_being_built(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.build_ms, b->batch.packed_ms);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_BUILD, BATCH_SUBMIT), PROTOCOL_OK);
    redis_server_ask(&b->server, "HSET sheaf:{0}:b:b1 t0 5", NULL, 0);
    int64_t before_ms = b->number;
    assert_int_equal(
        bench_advance_with(b, "b1", NULL, BATCH_SUBMIT, BATCH_BUILD, PROTOCOL_CO, 0, NULL, 0),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    int64_t built_ms = b->batch.build_ms;
    assert_in_range(built_ms, before_ms, before_ms + 60000);
    assert_int_equal(
        bench_advance_with(b, "b1", "n2", BATCH_BUILD, BATCH_BUILD, PROTOCOL_CO, 0, NULL, 0),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n3"), PROTOCOL_OK);
    assert_int_equal(b->batch.build_ms, built_ms); /* put off: it is still being built */
}

static const struct protocol_field all_fields[] = {
    {BATCH_F_FILE,     "file-1"    },
    {BATCH_F_FILE_MS,  PROTOCOL_NOW},
    {BATCH_F_INTENT,   PROTOCOL_NOW},
    {BATCH_F_RUN_MS,   "5"         },
    {BATCH_F_ENDPOINT, "/v1/x"     },
    {BATCH_F_REMOTE,   "r1"        },
    {BATCH_F_CREATED,  "6"         },
    {BATCH_F_OUTPUT,   "file-o"    },
    {BATCH_F_ERROR,    "file-e"    },
    {BATCH_F_OBYTES,   "70"        },
    {BATCH_F_EBYTES,   "80"        },
    {BATCH_F_FAILURE,  "why not"   },
    {BATCH_F_FREE,     "1"         },
    {BATCH_F_LOOKS,    "2"         },
    {BATCH_F_PASS,     "4"         },
    {BATCH_F_ROUNDS,   "a/b:3 c:1" },
    {BATCH_F_TRIES_OF, "a/b"       },
    {BATCH_F_RSTATUS,  "going"     },
    {BATCH_F_RDONE,    "9"         },
    {BATCH_F_RFAILED,  "1"         },
};

static void expect_all_fields(const struct batch *batch, int64_t sent_ms)
{
    assert_int_equal(batch->state, BATCH_SUBMIT);
    assert_string_equal(batch->file, "file-1");
    assert_int_equal(batch->file_ms, sent_ms);
    assert_int_equal(batch->intent_ms, sent_ms);
    assert_int_equal(batch->run_ms, 5);
    assert_string_equal(batch->endpoint, "/v1/x");
    assert_string_equal(batch->remote, "r1");
    assert_int_equal(batch->remote_created_ms, 6);
    assert_string_equal(batch->output, "file-o");
    assert_string_equal(batch->error, "file-e");
    assert_int_equal(batch->output_bytes, 70);
    assert_int_equal(batch->error_bytes, 80);
    assert_string_equal(batch->failure, "why not");
    assert_true(batch->free_rest);
    assert_int_equal(batch->looks, 2);
    assert_int_equal(batch->pass, 4);
    assert_string_equal(batch->rounds, "a/b:3 c:1");
    assert_string_equal(batch->tries_of, "a/b");
}

/* A new batch "b1" with all fields set, in SUBMIT and due now; Redis' time of it. */
static int64_t submit_with_all_fields(struct bench *b)
{
    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_BUILD, BATCH_SUBMIT, PROTOCOL_CO, 0,
                                        all_fields, ARRAY_LEN(all_fields)),
                     PROTOCOL_OK);
    return b->number;
}

static void the_fields_of_an_advance_come_back_with_a_claim(void **state)
{
    struct bench *b = *state;
    int64_t sent_ms = submit_with_all_fields(b);

    assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_NONE);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    expect_all_fields(&b->batch, sent_ms);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_string_equal(b->views[0].remote_status, "going");
    assert_int_equal(b->views[0].remote_done, 9);
    assert_int_equal(b->views[0].remote_failed, 1);
}

static void an_empty_value_deletes_its_field(void **state)
{
    struct bench *b = *state;
    static const struct protocol_field gone[] = {
        {BATCH_F_FILE,   ""  },
        {BATCH_F_INTENT, NULL}
    };

    (void)submit_with_all_fields(b);
    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_SUBMIT, BATCH_SUBMIT, PROTOCOL_CO, 0,
                                        gone, ARRAY_LEN(gone)),
                     PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "HEXISTS sheaf:{0}:b:b1 file"), 0);
    assert_int_equal(bench_redis(b, "HEXISTS sheaf:{0}:b:b1 its"), 0);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n3"), PROTOCOL_OK);
    assert_string_equal(b->batch.file, "");
    assert_int_equal(b->batch.intent_ms, 0);
}

static void a_lease_keeps_others_away_until_it_ends(void **state)
{
    struct bench *b = *state;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_in_range(b->number, LEASE - 5000, LEASE);
    assert_int_equal(
        bench_wait(b, protocol_renew(b->protocol, "b1", "n1", PROTOCOL_CO, 30, bench_plain, b)),
        PROTOCOL_OK);
    usleep(40000);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    assert_int_equal(
        bench_wait(b, protocol_renew(b->protocol, "b1", "n1", PROTOCOL_CO, 30, bench_plain, b)),
        PROTOCOL_FENCED);
}

static void an_idle_claim_writes_nothing(void **state)
{
    struct bench *b = *state;
    int64_t writes = 0;

    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    writes = bench_writes(b);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
        assert_int_equal(bench_claim(b, PROTOCOL_WK, "n2"), PROTOCOL_NONE);
        assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
        assert_int_equal(bench_view(b), PROTOCOL_OK);
        assert_int_equal(bench_list(b), PROTOCOL_OK);
        assert_int_equal(bench_site(b, SITE_OK, ""), PROTOCOL_OK);
    }
    assert_int_equal(bench_writes(b), writes);
}

static void every_path_into_fetch_gives_the_slot_back_once(void **state)
{
    struct bench *b = *state;
    static const enum batch_state paths[][4] = {
        {BATCH_BUILD,  BATCH_FETCH},
        {           BATCH_BUILD,   BATCH_SUBMIT,            BATCH_FETCH},
        { BATCH_BUILD, BATCH_SUBMIT,            BATCH_RUN, BATCH_FETCH},
    };
    char bid[BATCH_ID_LEN + 1];

    bench_job(b, JOB, 1);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        (void)snprintf(bid, sizeof(bid), "b%zu", i);
        assert_int_equal(bench_pack(b, bid, NULL), PROTOCOL_OK);
        for (size_t k = 0; paths[i][k] != BATCH_FETCH; k++) {
            assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ub"), 1);
            assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ut"), 50);
            assert_int_equal(bench_redis(b, "HGET sheaf:{0}:j:j1 ub"), 1);
            assert_int_equal(bench_advance(b, bid, NULL, paths[i][k], paths[i][k + 1]),
                             PROTOCOL_OK);
        }
        for (unsigned again = 0; again < 2; again++) {
            assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ub"), 0);
            assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ut"), 0);
            assert_int_equal(bench_redis(b, "HGET sheaf:{0}:j:j1 ub"), 0);
            assert_int_equal(bench_advance(b, bid, NULL, BATCH_FETCH, BATCH_FETCH), PROTOCOL_OK);
        }
        assert_int_equal(bench_done(b, bid, NULL, 10, false), PROTOCOL_OK);
        assert_int_equal(bench_redis(b, "HGET sheaf:{0}:lane:acc1:lane1 ub"), 0);
    }
}

static void what_is_left_is_ready_at_once_or_after_a_backoff(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *name;
        bool charged;
        int64_t min_ms, max_ms; /* until it may be packed again */
    } cases[] = {
        {"not charged",      false, 0,   0  },
        {"the first charge", true,  150, 200}, /* 2 x 100 ms */
        {"not charged",      false, 0,   0  },
        {"the second",       true,  350, 400},
    };
    char bid[BATCH_ID_LEN + 1];

    bench_job(b, JOB, 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        (void)snprintf(bid, sizeof(bid), "b%zu", i);
        assert_int_equal(bench_pack(b, bid, NULL), PROTOCOL_OK);
        assert_int_equal(bench_advance(b, bid, NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
        assert_int_equal(bench_done(b, bid, NULL, 4, cases[i].charged), PROTOCOL_OK);
        if (cases[i].charged) {
            assert_int_equal(bench_pack(b, "early", NULL), PROTOCOL_NONE);
            assert_in_range(b->number, cases[i].min_ms, cases[i].max_ms);
            usleep(410000);
        }
    }
    assert_int_equal(bench_pack(b, "last", NULL), PROTOCOL_OK);
    assert_int_equal(bench_members(b, "last", NULL), PROTOCOL_OK);
    assert_int_equal(b->members[0].attempt, 4);
    assert_int_equal(b->members[0].failures, 2);
    assert_int_equal(b->members[0].left, 4);
    assert_int_equal(b->members[0].bytes, 40);
    assert_int_equal(b->members[0].mask[0], 0xff);
}

static void a_batch_that_was_no_try_counts_as_none(void **state)
{
    struct bench *b = *state;
    static const uint8_t mask[2] = {0xff, 0x03};
    static const struct member_done member = {
        .left = 10, .untried = true, .mask = mask, .mask_len = sizeof(mask), .bytes = 100};

    bench_job(b, JOB, 1);
    bench_to_fetch(b, "b1");
    assert_int_equal(bench_wait(b, protocol_done(b->protocol, "b1", "n1", 0, &member, 1, &b->bill,
                                                 bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK); /* at once */
    assert_int_equal(bench_members(b, "b2", NULL), PROTOCOL_OK);
    assert_int_equal(b->members[0].attempt, 0);
    assert_int_equal(b->members[0].failures, 0);
}

static void done_must_name_every_member(void **state)
{
    struct bench *b = *state;
    const uint8_t mask[2] = {0};
    struct member_done members[2] = {
        {.window = 0, .mask = mask, .mask_len = 2},
        {.window = 7, .mask = mask, .mask_len = 2}
    };
    int64_t writes = 0;

    bench_job(b, JOB, 2);
    bench_to_fetch(b, "b1");
    writes = bench_writes(b);
    for (size_t count = 1; count <= 2; count++) {
        assert_int_equal(bench_wait(b, protocol_done(b->protocol, "b1", "n1", 0, members, count,
                                                     &b->bill, bench_plain, b)),
                         PROTOCOL_FAILED);
        assert_int_equal(b->err.kind, ERR_INTERNAL);
        assert_non_null(strstr(b->err.msg, "INVARIANT"));
    }
    assert_int_equal(bench_writes(b), writes);
    members[1].window = 1;
    assert_int_equal(bench_wait(b, protocol_done(b->protocol, "b1", "n1", 0, members, 2, &b->bill,
                                                 bench_plain, b)),
                     PROTOCOL_OK);
}

struct seen {
    struct bench *b;
    char bytes[16];
    size_t len;
};

static void on_payload(enum protocol_answer answer, const void *bytes, size_t len,
                       const struct err *err, void *arg)
{
    struct seen *seen = arg;

    seen->len = len;
    if (bytes != NULL)
        memcpy(seen->bytes, bytes, len < sizeof(seen->bytes) ? len : sizeof(seen->bytes));
    bench_plain(answer, err, seen->b);
}

static void a_payload_comes_back_byte_for_byte(void **state)
{
    struct bench *b = *state;
    struct seen seen = {.b = b};
    uint8_t mask = 0;
    struct shard_put shard = {.lane = LANE, .left = 1, .mask = &mask, .label = "{}"};
    struct window_put window = {.job = JOB, .offset1 = 10, .next_line = 2, .requests = 1};

    window.payload = "a\0\r\n\xff";
    window.payload_len = 5;
    window.shards = &shard;
    window.shard_count = 1;
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    assert_int_equal(bench_put(b, &window), PROTOCOL_OK);
    assert_int_equal(bench_wait(b, protocol_payload(b->protocol, JOB, 0, on_payload, &seen)),
                     PROTOCOL_OK);
    assert_int_equal(seen.len, 5);
    assert_memory_equal(seen.bytes, "a\0\r\n\xff", 5);
    assert_int_equal(bench_wait(b, protocol_payload(b->protocol, JOB, 1, on_payload, &seen)),
                     PROTOCOL_GONE);
}

static int64_t rolled_from, rolled_to;

static void on_rollback(int64_t seen, int64_t now, void *arg)
{
    (void)arg;
    rolled_from = seen;
    rolled_to = now;
}

static void a_claim_notices_that_redis_was_rolled_back(void **state)
{
    struct bench *b = *state;

    rolled_from = -1;
    protocol_on_rollback(b->protocol, on_rollback, NULL);
    bench_job(b, JOB, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_advance_with(b, "b1", i == 0 ? "n1" : "n2", BATCH_BUILD, BATCH_BUILD,
                                            PROTOCOL_CO, 0, NULL, 0),
                         PROTOCOL_OK);
        assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_OK);
    }
    assert_int_equal(protocol_tick(b->protocol), 3);
    assert_int_equal(rolled_from, -1);
    redis_server_ask(&b->server, "HSET sheaf:{0}:cfg tick 1", NULL, 0);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n2"), PROTOCOL_NONE);
    assert_int_equal(rolled_from, 3);
    assert_int_equal(rolled_to, 1);
}

static void without_redis_a_call_fails_at_its_time_limit(void **state)
{
    struct bench *b = *state;

    redis_server_kill(&b->server);
    protocol_set_timeout_ms(b->protocol, 100);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, "n1"), PROTOCOL_FAILED);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
    assert_int_equal(bench_view(b), PROTOCOL_FAILED);
    assert_int_equal(bench_members(b, "b1", "n1"), PROTOCOL_FAILED);
}

static void a_redis_without_room_is_a_temporary_failure(void **state)
{
    struct bench *b = *state;

    redis_server_ask(&b->server, "CONFIG SET maxmemory 1", NULL, 0);
    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_FAILED);
    assert_int_equal(b->err.kind, ERR_TEMPORARY);
}

static void a_cancelled_call_calls_nobody(void **state)
{
    struct bench *b = *state;
    unsigned before = 0;

    assert_int_equal(bench_open(b, JOB, "fp1"), PROTOCOL_NEW);
    before = b->callbacks;
    protocol_call_cancel(protocol_job_hold(b->protocol, JOB, "operator", "", bench_plain, b));
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->callbacks, before + 1);
    protocol_call_cancel(NULL);
    protocol_job_hold(b->protocol, JOB, "operator", "", bench_plain, b); /* dropped by the free */
}

static void on_hold_free(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct bench *b = arg;

    protocol_free(b->protocol);
    b->protocol = NULL;
    bench_plain(answer, err, b);
}

static void a_callback_may_free_the_protocol(void **state)
{
    struct bench *b = *state;
    struct protocol_call *first =
        protocol_job_hold(b->protocol, JOB, "operator", "", on_hold_free, b);

    protocol_job_hold(b->protocol, JOB, "operator", "", bench_plain, b); /* dropped by the free */
    assert_int_equal(bench_wait(b, first), PROTOCOL_NOJOB);
    assert_null(b->protocol);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(a_record_knows_since_when_it_is_being_built),
        TEST(only_the_holder_of_the_lease_is_obeyed),
        TEST(a_checkpoint_of_another_remote_batch_is_refused),
        TEST(another_pass_begins_at_the_beginning_and_keeps_the_bits),
        TEST(a_chunk_is_seen_by_the_next_holder),
        TEST(the_fields_of_an_advance_come_back_with_a_claim),
        TEST(an_empty_value_deletes_its_field),
        TEST(a_lease_keeps_others_away_until_it_ends),
        TEST(an_idle_claim_writes_nothing),
        TEST(every_path_into_fetch_gives_the_slot_back_once),
        TEST(what_is_left_is_ready_at_once_or_after_a_backoff),
        TEST(a_batch_that_was_no_try_counts_as_none),
        TEST(done_must_name_every_member),
        TEST(a_payload_comes_back_byte_for_byte),
        TEST(a_claim_notices_that_redis_was_rolled_back),
        TEST(without_redis_a_call_fails_at_its_time_limit),
        TEST(a_redis_without_room_is_a_temporary_failure),
        TEST(a_cancelled_call_calls_nobody),
        TEST(a_callback_may_free_the_protocol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
