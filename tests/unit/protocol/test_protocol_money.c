#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/protocol/protocol_bench.h"

#define UNIT    INT64_C(1000000000)
#define MILLION 1000000u
#define MODEL_A "{\"endpoint\":\"/v1/chat/completions\",\"model\":\"model-a\"}"

/* One CNY for a million input tokens, two for output. */
static const struct price_quote quote = {"CNY", UNIT, UNIT, 2 * UNIT};

/* A shard of one window. */
struct one {
    const char *lane;
    uint32_t left; /* 10 unless given */
    uint64_t tokens, est_output;
    uint32_t open_ended;
    const struct price_quote *quote; /* NULL: not known */
    uint64_t line_tokens, line_output;
};

static enum protocol_answer put(struct bench *b, uint32_t w, const struct one *one)
{
    uint8_t mask[2] = {0, 0xfc};
    struct shard_put shard = {.left = one->left != 0 ? one->left : 10,
                              .bytes = 100,
                              .tokens = one->tokens,
                              .est_output = one->est_output,
                              .open_ended = one->open_ended,
                              .line_tokens = one->line_tokens,
                              .line_output = one->line_output,
                              .priced = one->quote != NULL,
                              .longest = 20,
                              .mask = mask,
                              .label = MODEL_A};
    struct window_put window = {.job = JOB,
                                .window = w,
                                .offset0 = 100 * (uint64_t)w,
                                .offset1 = 100 * (uint64_t)w + 100,
                                .next_line = 10 * (uint64_t)w + 11,
                                .requests = 10,
                                .crc = 7,
                                .shards = &shard,
                                .shard_count = 1};

    if (one->quote != NULL)
        shard.quote = *one->quote;
    (void)snprintf(shard.lane, sizeof(shard.lane), "%s", one->lane != NULL ? one->lane : LANE);
    return bench_put(b, &window);
}

static struct job_tunables tunables_of(const char *currency, int64_t cap)
{
    struct job_tunables t = {.max_inflight_shards = 2000,
                             .max_inflight_bytes = MILLION,
                             .poll_ms = 1,
                             .max_attempts = 3,
                             .max_cost_nano = cap};

    (void)snprintf(t.currency, sizeof(t.currency), "%s", currency);
    return t;
}

static enum protocol_answer open_capped(struct bench *b, int64_t cap)
{
    struct job_tunables t = tunables_of("CNY", cap);

    return bench_open_with(b, JOB, &t);
}

/* A sealed job of @windows windows, each of a million input tokens: 1.15 CNY with the margin. */
static void job_of(struct bench *b, int64_t cap, uint32_t windows)
{
    static const struct one one = {.tokens = MILLION, .quote = &quote};

    assert_int_equal(open_capped(b, cap), PROTOCOL_NEW);
    for (uint32_t w = 0; w < windows; w++)
        assert_int_equal(put(b, w, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, windows), PROTOCOL_OK);
}

static void assert_money(struct bench *b, int64_t spent, int64_t reserved)
{
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.spent_nano, spent);
    assert_int_equal(b->job.reserved_nano, reserved);
}

static void assert_held(struct bench *b, bool held)
{
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_string_equal(b->job.hold, held ? "budget" : "");
}

/* The packed batch @bid comes back: all of it settled, at @nano. */
static void settle(struct bench *b, const char *bid, int64_t nano)
{
    bench_run(b, bid);
    assert_int_equal(bench_advance(b, bid, NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true, .nano = nano, .lines = 10};
    assert_int_equal(bench_done(b, bid, NULL, 0, false), PROTOCOL_OK);
}

static void a_batch_takes_what_fits_under_the_cap_and_reserves_it(void **state)
{
    struct bench *b = *state;

    job_of(b, 3 * UNIT, 3);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 20);
    assert_string_equal(b->batch.model, "model-a");
    assert_true(b->batch.priced);
    assert_string_equal(b->batch.quote.currency, "CNY");
    assert_int_equal(b->batch.quote.output, 2 * UNIT);
    assert_int_equal(b->batch.reserved_nano, 2300000000);
    assert_int_equal(b->batch.likely_nano, 2 * UNIT);
    assert_money(b, 0, 2300000000);
    assert_int_equal(b->job.max_cost_nano, 3 * UNIT);
    assert_string_equal(b->job.currency, "CNY");
    assert_int_equal(b->job.left_nano, 3 * UNIT);
    assert_true(b->job.need_nano >= 3450000000 && b->job.need_nano <= 3450000030);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, false); /* b1 may cost less */
}

static void when_nothing_fits_and_nothing_is_under_way_the_job_is_held(void **state)
{
    struct bench *b = *state;

    job_of(b, 3 * UNIT, 3);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    settle(b, "b1", 2 * UNIT);
    assert_money(b, 2 * UNIT, 0);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, true);
    assert_string_equal(b->why, "the cap is CNY 3.00: 2.00 is spent, and the next 10 requests may "
                                "cost 1.15");
    assert_int_equal(open_capped(b, 3 * UNIT), PROTOCOL_RESUME); /* no more: held again */
    assert_held(b, false);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, true);
    assert_int_equal(b->job.opens, 2);
    assert_int_equal(open_capped(b, 4 * UNIT), PROTOCOL_RESUME);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10);
    assert_money(b, 2 * UNIT, 1150000000);
    settle(b, "b2", UNIT);
    assert_money(b, 3 * UNIT, 0);
    assert_int_equal(b->job.left_nano, 0);
    assert_int_equal(b->job.need_nano, 0);
}

static void a_batch_that_costs_less_leaves_the_rest_to_others(void **state)
{
    struct bench *b = *state;

    job_of(b, 2400000000, 3);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    settle(b, "b1", UNIT);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK);
    assert_money(b, UNIT, 1150000000);
}

static void done_settles_once(void **state)
{
    struct bench *b = *state;

    job_of(b, -1, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    settle(b, "b1", 700);
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK); /* its reply was lost */
    assert_money(b, 700, 0);
    assert_int_equal(b->job.output_lines, 10);
    assert_int_equal(bench_drop(b, "b1"), PROTOCOL_OK);
    assert_money(b, 700, 0);
}

static void a_lower_cap_is_obeyed_from_then_on(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.max_requests = 10;
    job_of(b, 9 * UNIT, 3);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    assert_int_equal(open_capped(b, 2200000000), PROTOCOL_RESUME);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_held(b, false);
    settle(b, "b1", 1050000000);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_OK);
    assert_int_equal(open_capped(b, 0), PROTOCOL_RESUME);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE);
    settle(b, "b2", UNIT);
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_NONE);
    assert_held(b, true);
    assert_int_equal(open_capped(b, -1), PROTOCOL_RESUME); /* none at all */
    assert_int_equal(bench_pack(b, "b3", &limits), PROTOCOL_OK);
    assert_money(b, 2050000000, 1150000000); /* counted all the same */
}

static void without_a_cap_what_is_spent_is_counted(void **state)
{
    struct bench *b = *state;

    job_of(b, -1, 2);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 20);
    settle(b, "b1", 5 * UNIT);
    assert_money(b, 5 * UNIT, 0);
    assert_int_equal(b->job.max_cost_nano, -1);
}

static void a_job_that_knows_no_currency_counts_nothing(void **state)
{
    struct bench *b = *state;
    struct job_tunables t = tunables_of("", 0);
    static const struct one one = {.tokens = MILLION, .quote = &quote};

    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_false(b->batch.priced);
    settle(b, "b1", 9);
    assert_money(b, 0, 0);
    assert_int_equal(b->job.unpriced, 10);
}

static void unpack_whole(struct bench *b)
{
    assert_int_equal(
        bench_wait(b, protocol_job_unpack(b->protocol, JOB, "acc2", 10, bench_plain, b)),
        PROTOCOL_OK);
}

static void end_unsent(struct bench *b)
{
    static const struct protocol_field fields[] = {
        {BATCH_F_FAILURE, "job_held"},
        {BATCH_F_FREE,    "1"       }
    };

    assert_int_equal(
        bench_wait(b, protocol_job_hold(b->protocol, JOB, "operator", "", bench_plain, b)),
        PROTOCOL_OK);
    assert_int_equal(bench_claim(b, PROTOCOL_CO, NULL), PROTOCOL_OK);
    assert_int_equal(bench_advance_with(b, "b1", NULL, BATCH_BUILD, BATCH_FETCH, PROTOCOL_WK, 0,
                                        fields, ARRAY_LEN(fields)),
                     PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true};
    assert_int_equal(bench_done(b, "b1", NULL, 10, false), PROTOCOL_OK);
}

static void cancel_all(struct bench *b)
{
    bench_run(b, "b1");
    assert_int_equal(bench_cancel(b, 100), PROTOCOL_OK);
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true};
    assert_int_equal(bench_done(b, "b1", NULL, 10, false), PROTOCOL_OK);
}

static void send_again_free(struct bench *b)
{
    bench_run(b, "b1");
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true};
    assert_int_equal(bench_done(b, "b1", NULL, 4, false), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_OK); /* reserves again, for less */
    assert_true(b->batch.reserved_nano > 0 && b->batch.reserved_nano < 1150000000);
    assert_money(b, 0, b->batch.reserved_nano);
    settle(b, "b2", 0);
}

static void every_exit_gives_the_reservation_back(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *name;
        void (*leave)(struct bench *b);
    } cases[] = {
        {"taken apart",            unpack_whole   },
        {"held before it is sent", end_unsent     },
        {"cancelled",              cancel_all     },
        {"sent again",             send_again_free},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        redis_server_ask(&b->server, "FLUSHALL", NULL, 0);
        job_of(b, 2 * UNIT, 1);
        assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
        assert_money(b, 0, 1150000000);
        cases[i].leave(b);
        assert_money(b, 0, 0);
        assert_int_equal(bench_redis(b, "HEXISTS sheaf:{0}:b:b1 rsv"), 0);
    }
}

static void purge_forgets_all_of_it(void **state)
{
    struct bench *b = *state;

    job_of(b, 2 * UNIT, 1);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    settle(b, "b1", 1);
    assert_int_equal(bench_drop(b, "b1"), PROTOCOL_OK);
    assert_int_equal(bench_merge_all(b), 1);
    assert_int_equal(bench_wait(b, protocol_job_purge(b->protocol, JOB, bench_plain, b)),
                     PROTOCOL_OK);
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:jm:j1 sheaf:{0}:j:j1"), 0);
}

static void a_lane_without_a_price_waits_under_a_cap_and_goes_on_with_one(void **state)
{
    struct bench *b = *state;
    static const struct one one = {.tokens = MILLION};
    struct lane_quote quotes[] = {
        {.lane = LANE, .priced = true, .quote = {"CNY", UNIT, UNIT, UNIT}}
    };
    struct job_tunables t = tunables_of("CNY", 5 * UNIT);

    assert_int_equal(open_capped(b, 5 * UNIT), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE);
    assert_held(b, true);
    assert_non_null(strstr(b->why, "model-a"));
    assert_int_equal(b->job.need_nano, -1);
    assert_int_equal(b->job.left_unpriced, 10);
    t.quotes = quotes;
    t.quote_count = 1;
    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_RESUME);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.reserved_nano, 1150000000);
    quotes[0].priced = false; /* nobody knows it any more: what is packed keeps its quote */
    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_RESUME);
    assert_money(b, 0, 1150000000);
    assert_int_equal(b->job.left_unpriced, 10);
}

static void a_batch_packed_without_a_price_is_reserved_for_when_it_is_known(void **state)
{
    struct bench *b = *state;
    static const struct one one = {.tokens = MILLION, .est_output = 500000};
    static const struct lane_quote quotes[] = {
        {.lane = LANE, .priced = true, .quote = {"CNY", UNIT, UNIT, UNIT}}
    };
    struct job_tunables t = tunables_of("CNY", UNIT);

    assert_int_equal(open_capped(b, -1), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &one), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", &(struct pack_limits){.linger_ms = 0}), PROTOCOL_OK);
    assert_false(b->batch.priced);
    assert_money(b, 0, 0);
    t.quotes = quotes;
    t.quote_count = 1;
    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_RESUME);
    assert_money(b, 0, 1650000000);
    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_RESUME);
    assert_money(b, 0, 1650000000);
}

static void returned_usage_calibrates_the_estimate(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;
    static const struct one one = {.tokens = MILLION, .open_ended = 10, .quote = &quote};
    static const struct {
        struct batch_bill bill;
        int64_t reserved; /* for the next one */
    } cases[] = {
        {{.lines = 0},                                                            1150000000 + 20480000},
        {{.lines = 10, .est_input = MILLION, .input = 1500000, .output = 20},
         1725000000 + 20480000                                                                         },
        {{.lines = 10, .est_input = MILLION, .input = 1500000, .output = 39980},
         1725000000 + 60000000                                                                         },
        {{.lines = 20, .est_input = 2 * MILLION, .input = 97000000, .output = 0},
         4600000000 + 30000000                                                                         },
    };

    limits.max_requests = 10;
    assert_int_equal(open_capped(b, 99 * UNIT), PROTOCOL_NEW);
    for (uint32_t w = 0; w <= ARRAY_LEN(cases); w++)
        assert_int_equal(put(b, w, &one), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b", &limits), PROTOCOL_OK);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char bid[8] = "b";
        char next[8];

        if (i > 0)
            (void)snprintf(bid, sizeof(bid), "b%zu", i);
        (void)snprintf(next, sizeof(next), "b%zu", i + 1);
        bench_run(b, bid);
        assert_int_equal(bench_advance(b, bid, NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
        b->bill = cases[i].bill;
        assert_int_equal(bench_done(b, bid, NULL, 0, false), PROTOCOL_OK);
        assert_int_equal(bench_pack(b, next, &limits), PROTOCOL_OK);
        assert_int_equal(b->batch.reserved_nano, cases[i].reserved);
    }
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.est_input_tokens, 4 * MILLION);
    assert_int_equal(b->job.act_input_tokens, 100 * MILLION);
    assert_int_equal(b->job.output_tokens, 40000);
    assert_int_equal(b->job.output_lines, 40);
}

static enum protocol_answer tell_spent(struct bench *b, const struct batch_cost *costs, size_t n)
{
    return bench_wait(b, protocol_job_spent(b->protocol, JOB, costs, n, bench_plain, b));
}

static void what_the_sink_has_the_bills_of_is_spent(void **state)
{
    struct bench *b = *state;
    static const struct batch_cost costs[] = {
        {"b1", 100 * UNIT}, /* alive: its own `done` counts it */
        {"b8", 2 * UNIT  },
        {"b9", 3 * UNIT  },
        {"b8", 1 * UNIT  }, /* its share of another part */
    };

    assert_int_equal(tell_spent(b, costs, 4), PROTOCOL_NOJOB);
    job_of(b, 200 * UNIT, 2);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(tell_spent(b, costs, 4), PROTOCOL_OK);
    assert_int_equal(tell_spent(b, costs, 4), PROTOCOL_OK);
    assert_money(b, 6 * UNIT, 2300000000);
    settle(b, "b1", 50 * UNIT);
    assert_money(b, 56 * UNIT, 0);
    assert_int_equal(tell_spent(b, costs, 4), PROTOCOL_OK); /* in CLEAN: it is settled */
    assert_money(b, 106 * UNIT, 0);
    assert_int_equal(tell_spent(b, costs, 1), PROTOCOL_OK); /* never lower */
    assert_money(b, 106 * UNIT, 0);
}

static void what_is_free_always_fits(void **state)
{
    struct bench *b = *state;
    static const struct price_quote nothing = {"CNY", 0, 0, 0};
    static const struct one one = {.tokens = MILLION, .open_ended = 10, .quote = &nothing};

    assert_int_equal(open_capped(b, 0), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_true(b->batch.priced);
    settle(b, "b1", 0);
    assert_money(b, 0, 0);
    assert_int_equal(b->job.unpriced, 0);
}

static void another_currency_is_refused_once_money_is_spent(void **state)
{
    struct bench *b = *state;
    struct job_tunables dollars = tunables_of("USD", UNIT);

    job_of(b, 3 * UNIT, 2);
    assert_int_equal(bench_open_with(b, JOB, &dollars), PROTOCOL_RESUME);
    assert_int_equal(bench_pack(b, "b0", NULL), PROTOCOL_NONE); /* quoted in another one */
    assert_held(b, true);
    assert_int_equal(open_capped(b, 3 * UNIT), PROTOCOL_RESUME);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    settle(b, "b1", UNIT);
    assert_int_equal(bench_open_with(b, JOB, &dollars), PROTOCOL_STATE);
    assert_string_equal(b->text, "CNY");
    assert_money(b, UNIT, 0);
    assert_int_equal(b->job.max_cost_nano, 3 * UNIT);
}

static void a_cancelled_job_ends_although_its_cap_is_used_up(void **state)
{
    struct bench *b = *state;

    job_of(b, 0, 2);
    redis_server_ask(&b->server, "HSET sheaf:{0}:j:j1 cancel 0", NULL, 0); /* it stopped half way */
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_false(b->batch.priced);
    assert_money(b, 0, 0);
    assert_int_equal(bench_generation(b, 1, 0, 1), PROTOCOL_OK); /* and now it is not */
    assert_int_equal(bench_redis(b, "EXISTS sheaf:{0}:b:b1"), 0);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, true);
}

static void an_input_that_is_still_cut_is_waited_for(void **state)
{
    struct bench *b = *state;
    struct job_tunables t = tunables_of("CNY", UNIT);
    static const struct one dear = {.tokens = MILLION, .quote = &quote};
    static const struct one cheap = {.tokens = 1000, .quote = &quote};

    t.max_inflight_shards = 2;
    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &dear), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE);
    assert_held(b, false);
    assert_int_equal(put(b, 1, &cheap), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10);
    settle(b, "b1", 10);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, false);
    assert_int_equal(put(b, 2, &dear), PROTOCOL_OK); /* as much as may be in flight */
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, true);
}

static void what_backs_off_is_waited_for(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;

    limits.max_requests = 10;
    job_of(b, 1200000000, 2);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    bench_run(b, "b1");
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true, .nano = UNIT};
    redis_server_ask(&b->server, "HSET sheaf:{0}:j:j1 poll 100000", NULL, 0);
    assert_int_equal(bench_done(b, "b1", NULL, 1, true), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_held(b, false);
}

/* One lane is full of another job's: what fits the cap there still comes. */
static void what_fits_the_cap_is_waited_for_whatever_else_forbids_it(void **state)
{
    struct bench *b = *state;
    struct pack_limits limits = bench_limits;
    static const struct one dear = {.tokens = MILLION, .quote = &quote};
    static const struct one cheap = {.tokens = 1000, .quote = &quote};

    limits.lane_requests = 10;
    assert_int_equal(open_capped(b, UNIT), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &dear), PROTOCOL_OK);
    assert_int_equal(put(b, 1, &cheap), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 2), PROTOCOL_OK);
    redis_server_ask(&b->server, "HSET sheaf:{0}:lane:" ACCOUNT ":lane1 ub 1 ut 1 ur 10", NULL, 0);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_NONE);
    assert_held(b, false);
    redis_server_ask(&b->server, "DEL sheaf:{0}:lane:" ACCOUNT ":lane1", NULL, 0);
    assert_int_equal(bench_pack(b, "b1", &limits), PROTOCOL_OK);
    settle(b, "b1", 10);
    assert_int_equal(bench_pack(b, "b2", &limits), PROTOCOL_NONE);
    assert_held(b, true);
}

static void what_fits_the_cap_is_found_behind_any_number_that_does_not(void **state)
{
    struct bench *b = *state;
    static const struct one dear = {.tokens = MILLION, .quote = &quote};
    static const struct one cheap = {.tokens = 1000, .quote = &quote};

    assert_int_equal(open_capped(b, UNIT), PROTOCOL_NEW);
    for (uint32_t w = 0; w < 1100; w++)
        assert_int_equal(put(b, w, w == 1098 ? &cheap : &dear), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1100), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 10);
    assert_money(b, 0, 1150000);
    settle(b, "b1", 10);
    assert_int_equal(bench_pack(b, "b2", NULL), PROTOCOL_NONE);
    assert_held(b, true);
}

static void the_hold_names_the_model_without_a_price(void **state)
{
    struct bench *b = *state;
    static const struct one one = {.tokens = MILLION};

    assert_int_equal(open_capped(b, UNIT), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE);
    assert_held(b, true);
    assert_string_equal(b->why, "there is a cap, and no price is known for model model-a");
}

/* Sums that do not fit in 63 bits would stop a script half way, and leave a batch that is nowhere.
 */
static void amounts_that_are_too_large_are_the_largest(void **state)
{
    struct bench *b = *state;
    static const struct price_quote mad = {"CNY", 0, 0, 1000 * UNIT};
    static const struct one one = {.est_output = 10 * (uint64_t)UINT32_MAX, .quote = &mad};

    assert_int_equal(open_capped(b, -1), PROTOCOL_NEW);
    for (uint32_t w = 0; w < 600; w++)
        assert_int_equal(put(b, w, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 600), PROTOCOL_OK);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.need_nano, -1);
    assert_int_equal(b->job.left_nano, MONEY_MOST);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 6000);
    assert_money(b, 0, MONEY_MOST);
    bench_run(b, "b1");
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true,
                                  .nano = INT64_MAX,
                                  .lines = UINT64_MAX,
                                  .est_input = UINT64_MAX,
                                  .input = UINT64_MAX,
                                  .output = UINT64_MAX};
    assert_int_equal(bench_done(b, "b1", NULL, 0, false), PROTOCOL_OK);
    assert_money(b, MONEY_MOST, 0);
}

/* As the version before this one left it: no sums of the work, and the keys are its own. */
static void a_job_from_before_its_work_was_summed_up_gets_the_sums(void **state)
{
    struct bench *b = *state;

    job_of(b, 4 * UNIT, 3);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    int64_t need = b->job.need_nano;
    redis_server_ask(&b->server, "DEL sheaf:{0}:jm:j1", NULL, 0);
    redis_server_ask(&b->server, "HSET sheaf:{0}:cfg schema 2", NULL, 0);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.need_nano, -1);
    assert_int_equal(b->job.left_unpriced, 30);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_NONE); /* no price */
    redis_server_ask(&b->server,
                     "HSET sheaf:{0}:jm:j1 q:lane1 CNY:1000000000:1000000000:2000000000", NULL, 0);
    redis_server_ask(&b->server, "HDEL sheaf:{0}:j:j1 hold", NULL, 0);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.requests, 30);
    bench_run(b, "b1");
    assert_int_equal(bench_advance(b, "b1", NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
    b->bill = (struct batch_bill){.priced = true, .nano = UNIT};
    assert_int_equal(bench_done(b, "b1", NULL, 4, false), PROTOCOL_OK); /* 4 lines of each again */
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.need_nano, -1);
    assert_int_equal(open_capped(b, 4 * UNIT), PROTOCOL_RESUME);
    assert_int_equal(bench_view(b), PROTOCOL_OK);
    assert_int_equal(b->job.left_unpriced, 0);
    assert_true(b->job.need_nano > 0 && b->job.need_nano < need);
}

static void schema_is(struct bench *b, int expected)
{
    assert_int_equal(bench_redis(b, "HGET sheaf:{0}:cfg schema"), expected);
}

static void keys_of_the_version_before_are_taken_over(void **state)
{
    struct bench *b = *state;
    struct job_tunables t = tunables_of("CNY", -1);

    schema_is(b, 0);
    assert_int_equal(open_capped(b, UNIT), PROTOCOL_NEW);
    schema_is(b, 3);
    redis_server_ask(&b->server, "HSET sheaf:{0}:cfg schema 2", NULL, 0);
    assert_int_equal(bench_claim(b, PROTOCOL_WK, NULL), PROTOCOL_NONE);
    schema_is(b, 3);
    redis_server_ask(&b->server, "HSET sheaf:{0}:cfg schema 2", NULL, 0);
    assert_int_equal(bench_open_with(b, JOB, &t), PROTOCOL_RESUME);
    schema_is(b, 3);
}

static void another_currency_is_refused_while_batches_are_under_way(void **state)
{
    struct bench *b = *state;
    struct job_tunables dollars = tunables_of("USD", UNIT);
    static const struct price_quote nothing = {"CNY", 0, 0, 0};
    static const struct one free_one = {.tokens = MILLION, .quote = &nothing};

    job_of(b, 3 * UNIT, 2);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_open_with(b, JOB, &dollars), PROTOCOL_STATE);
    assert_string_equal(b->text, "CNY");
    redis_server_ask(&b->server, "FLUSHALL", NULL, 0);
    assert_int_equal(open_capped(b, 0), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &free_one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK); /* of which nothing is reserved */
    assert_int_equal(bench_open_with(b, JOB, &dollars), PROTOCOL_STATE);
    assert_string_equal(b->text, "CNY");
}

/* As scripts wrote it that did not keep the most of one line: it may have all of it. */
static void the_largest_line_of_a_shard_is_kept(void **state)
{
    struct bench *b = *state;
    static const struct one one = {.tokens = MILLION,
                                   .est_output = 500,
                                   .quote = &quote,
                                   .line_tokens = 1000,
                                   .line_output = 200};

    assert_int_equal(open_capped(b, -1), PROTOCOL_NEW);
    assert_int_equal(put(b, 0, &one), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, JOB, 1), PROTOCOL_OK);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->members[0].most_tokens, MILLION);
    assert_int_equal(b->members[0].line_tokens, 1000);
    assert_int_equal(b->members[0].line_output, 200);
    redis_server_ask(&b->server, "HDEL sheaf:{0}:s:j1:0:0 mi mo", NULL, 0);
    assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->members[0].line_tokens, MILLION);
    assert_int_equal(b->members[0].line_output, 500);
}

/* As scripts wrote it that knew of no money. */
static void a_shard_from_before_there_was_money_counts_as_one_without_ceilings(void **state)
{
    struct bench *b = *state;

    job_of(b, 3 * UNIT, 1);
    redis_server_ask(&b->server, "HDEL sheaf:{0}:s:j1:0:0 eo un", NULL, 0);
    redis_server_ask(&b->server, "XTRIM sheaf:{0}:q:j1:lane1 MAXLEN 0", NULL, 0);
    redis_server_ask(&b->server, "XADD sheaf:{0}:q:j1:lane1 * e 0:0:0:10:10:100:1000000", NULL, 0);
    assert_int_equal(bench_pack(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->batch.reserved_nano, 1150000000 + 10 * 1024 * 2000);
    assert_int_equal(bench_members(b, "b1", NULL), PROTOCOL_OK);
    assert_int_equal(b->members[0].open_ended, 10);
    settle(b, "b1", UNIT);
    assert_money(b, UNIT, 0);
    assert_int_equal(b->job.left_nano, 0);
}

struct told {
    struct bench *bench;
    size_t count;
    char lane[LANE_ID_LEN + 1];
    char label[128];
};

static void on_lanes(enum protocol_answer answer, const struct job_lane *lanes, size_t count,
                     const struct err *err, void *arg)
{
    struct told *t = arg;

    t->count = count;
    if (count == 1) {
        memcpy(t->lane, lanes[0].lane, sizeof(t->lane));
        (void)snprintf(t->label, sizeof(t->label), "%s", lanes[0].label);
    }
    bench_plain(answer, err, t->bench);
}

static void the_lanes_of_a_job_are_told_with_their_labels(void **state)
{
    struct bench *b = *state;
    struct told t = {.bench = b};

    assert_int_equal(bench_wait(b, protocol_job_lanes(b->protocol, JOB, on_lanes, &t)),
                     PROTOCOL_NOJOB);
    job_of(b, -1, 2);
    assert_int_equal(bench_wait(b, protocol_job_lanes(b->protocol, JOB, on_lanes, &t)),
                     PROTOCOL_OK);
    assert_int_equal(t.count, 1);
    assert_string_equal(t.lane, LANE);
    assert_string_equal(t.label, MODEL_A);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
        TEST(a_batch_takes_what_fits_under_the_cap_and_reserves_it),
        TEST(when_nothing_fits_and_nothing_is_under_way_the_job_is_held),
        TEST(a_batch_that_costs_less_leaves_the_rest_to_others),
        TEST(done_settles_once),
        TEST(a_lower_cap_is_obeyed_from_then_on),
        TEST(without_a_cap_what_is_spent_is_counted),
        TEST(a_job_that_knows_no_currency_counts_nothing),
        TEST(every_exit_gives_the_reservation_back),
        TEST(purge_forgets_all_of_it),
        TEST(a_lane_without_a_price_waits_under_a_cap_and_goes_on_with_one),
        TEST(a_batch_packed_without_a_price_is_reserved_for_when_it_is_known),
        TEST(returned_usage_calibrates_the_estimate),
        TEST(what_the_sink_has_the_bills_of_is_spent),
        TEST(what_is_free_always_fits),
        TEST(another_currency_is_refused_once_money_is_spent),
        TEST(a_cancelled_job_ends_although_its_cap_is_used_up),
        TEST(an_input_that_is_still_cut_is_waited_for),
        TEST(what_backs_off_is_waited_for),
        TEST(what_fits_the_cap_is_waited_for_whatever_else_forbids_it),
        TEST(what_fits_the_cap_is_found_behind_any_number_that_does_not),
        TEST(the_hold_names_the_model_without_a_price),
        TEST(amounts_that_are_too_large_are_the_largest),
        TEST(a_job_from_before_its_work_was_summed_up_gets_the_sums),
        TEST(keys_of_the_version_before_are_taken_over),
        TEST(another_currency_is_refused_while_batches_are_under_way),
        TEST(the_largest_line_of_a_shard_is_kept),
        TEST(a_shard_from_before_there_was_money_counts_as_one_without_ceilings),
        TEST(the_lanes_of_a_job_are_told_with_their_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
