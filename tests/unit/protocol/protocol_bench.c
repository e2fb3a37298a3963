#include "tests/testlib/unit.h"

#include "tests/unit/protocol/protocol_bench.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/loop/loop.h"
#include "common/redis/redis_conn.h"

const struct pack_limits bench_limits = {
    .max_requests = 50000,
    .max_bytes = 100000000,
    .lane_batches = 10,
};

static const struct job_tunables bench_tunables = {
    .max_inflight_shards = 100000,
    .max_inflight_bytes = 1000000,
    .poll_ms = 100,
    .max_attempts = 3,
};

int bench_set_up(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    struct redis_url url;

    b->base = loop_new();
    redis_server_start(&b->server);
    assert_true(redis_url_parse(b->server.url, &url, NULL));
    b->conn = redis_conn_new(b->base, &url, 10000);
    b->protocol = protocol_new(b->conn, "0");
    protocol_set_account(b->protocol, ACCOUNT);
    *state = b;
    return 0;
}

int bench_tear_down(void **state)
{
    struct bench *b = *state;

    batch_release(&b->batch);
    protocol_free(b->protocol);
    redis_conn_free(b->conn);
    redis_server_stop(&b->server);
    loop_free(b->base);
    free(b);
    return 0;
}

/* What each callback does first. */
static struct bench *answered(enum protocol_answer answer, const struct err *err, void *arg)
{
    struct bench *b = arg;

    assert_int_equal(answer == PROTOCOL_FAILED, err != NULL);
    b->answer = answer;
    b->err = err != NULL ? *err : (struct err){0};
    b->callbacks++;
    event_base_loopbreak(b->base);
    return b;
}

enum protocol_answer bench_wait(struct bench *b, struct protocol_call *call)
{
    unsigned before = b->callbacks;

    assert_non_null(call);
    while (b->callbacks == before)
        assert_int_equal(event_base_loop(b->base, EVLOOP_ONCE), 0);
    return b->answer;
}

void bench_plain(enum protocol_answer answer, const struct err *err, void *arg)
{
    answered(answer, err, arg);
}

static void keep_text(struct bench *b, const char *text)
{
    (void)snprintf(b->text, sizeof(b->text), "%s", text);
}

static void on_open(enum protocol_answer answer, const struct job_opened *opened,
                    const struct err *err, void *arg)
{
    struct bench *b = answered(answer, err, arg);

    assert_int_equal(opened == NULL, answer == PROTOCOL_FAILED);
    if (opened == NULL)
        return;
    keep_text(b, answer == PROTOCOL_CONFLICT ? opened->fingerprint
                 : answer == PROTOCOL_STATE  ? opened->currency
                                             : opened->ji);
    b->cursor = opened->cursor;
    b->state = opened->state;
}

static void on_put(enum protocol_answer answer, const struct job_cursor *cursor,
                   enum job_state state, const struct err *err, void *arg)
{
    struct bench *b = answered(answer, err, arg);

    if (cursor != NULL)
        b->cursor = *cursor;
    b->state = state;
}

static void on_claim(enum protocol_answer answer, struct claim *claim, int64_t wait_ms,
                     const struct err *err, void *arg)
{
    struct bench *b = answered(answer, err, arg);

    assert_int_equal(claim != NULL, answer == PROTOCOL_OK);
    b->number = wait_ms;
    if (claim == NULL)
        return;
    batch_release(&b->batch);
    batch_move(&b->batch, &claim->batch);
    b->is_part = claim->is_part;
    b->part = claim->part;
    b->job = claim->job;
    keep_text(b, claim->job.spec);
}

static void on_number(enum protocol_answer answer, int64_t number, const struct err *err, void *arg)
{
    answered(answer, err, arg)->number = number;
}

static void on_unsigned(enum protocol_answer answer, uint64_t number, const struct err *err,
                        void *arg)
{
    answered(answer, err, arg)->number = (int64_t)number;
}

static void on_members(enum protocol_answer answer, const struct member *members, size_t count,
                       const struct err *err, void *arg)
{
    struct bench *b = answered(answer, err, arg);

    b->count = count;
    if (count != 0)
        memcpy(b->members, members, count * sizeof(*members));
}

static void keep_lanes(struct bench *b, const struct job_view *view)
{
    b->lane_count = view->lane_count;
    b->account_count = view->account_count;
    assert_true(b->lane_count <= ARRAY_LEN(b->lanes));
    assert_true(b->account_count <= ARRAY_LEN(b->accounts));
    for (size_t i = 0; i < b->lane_count; i++)
        b->lanes[i] = view->lanes[i];
    for (size_t i = 0; i < b->account_count; i++)
        b->accounts[i] = view->accounts[i];
    if (b->lane_count != 0)
        (void)snprintf(b->hold_why, sizeof(b->hold_why), "%s", view->lanes[0].hold_why);
}

static void on_view(enum protocol_answer answer, const struct job_view *view, const struct err *err,
                    void *arg)
{
    struct bench *b = answered(answer, err, arg);

    if (view == NULL)
        return;
    b->job = *view;
    keep_text(b, view->site_why);
    (void)snprintf(b->why, sizeof(b->why), "%s", view->why);
    keep_lanes(b, view);
    b->count = view->batches_view_count;
    assert_true(b->count <= sizeof(b->views) / sizeof(*b->views));
    if (b->count == 0)
        return;
    memcpy(b->views, view->batches_view, b->count * sizeof(*b->views));
    (void)snprintf(b->lane_label, sizeof(b->lane_label), "%s", b->views[0].lane_label);
}

static void on_list(enum protocol_answer answer, const struct job_row *rows, size_t count,
                    int64_t now_ms, const struct err *err, void *arg)
{
    struct bench *b = answered(answer, err, arg);

    b->count = count;
    b->number = now_ms;
    assert_true(count <= sizeof(b->rows) / sizeof(*b->rows));
    if (count != 0)
        memcpy(b->rows, rows, count * sizeof(*rows));
}

static const char *nonce_or_default(const char *nonce)
{
    return nonce != NULL ? nonce : "n1";
}

enum protocol_answer bench_open_with(struct bench *b, const char *job,
                                     const struct job_tunables *tunables)
{
    return bench_wait(b, protocol_job_open(b->protocol, job, "ji1", "fp1", SITE, "{\"v\":1}",
                                           tunables, on_open, b));
}

enum protocol_answer bench_open(struct bench *b, const char *job, const char *fingerprint)
{
    return bench_wait(b, protocol_job_open(b->protocol, job, "ji1", fingerprint, SITE, "{\"v\":1}",
                                           &bench_tunables, on_open, b));
}

enum protocol_answer bench_put(struct bench *b, const struct window_put *window)
{
    return bench_wait(b, protocol_shard_put(b->protocol, window, on_put, b));
}

enum protocol_answer bench_seal(struct bench *b, const char *job, uint32_t windows)
{
    return bench_wait(b, protocol_job_seal(b->protocol, job, windows, bench_plain, b));
}

enum protocol_answer bench_pack(struct bench *b, const char *bid, const struct pack_limits *limits)
{
    return bench_wait(b, protocol_pack(b->protocol, SITE, bid, "n1", LEASE,
                                       limits != NULL ? limits : &bench_limits, on_claim, b));
}

enum protocol_answer bench_claim(struct bench *b, enum protocol_role role, const char *nonce)
{
    return bench_wait(
        b, protocol_claim(b->protocol, SITE, role, nonce_or_default(nonce), LEASE, on_claim, b));
}

enum protocol_answer bench_advance_with(struct bench *b, const char *bid, const char *nonce,
                                        enum batch_state from, enum batch_state to,
                                        enum protocol_role role, int64_t due_in_ms,
                                        const struct protocol_field *fields, size_t count)
{
    return bench_wait(b, protocol_advance(b->protocol, bid, nonce_or_default(nonce), from, to, role,
                                          due_in_ms, fields, count, on_number, b));
}

enum protocol_answer bench_advance(struct bench *b, const char *bid, const char *nonce,
                                   enum batch_state from, enum batch_state to)
{
    enum protocol_role role = to == BATCH_BUILD || to == BATCH_SUBMIT ? PROTOCOL_CO : PROTOCOL_WK;

    return bench_advance_with(b, bid, nonce, from, to, role, LEASE, NULL, 0);
}

enum protocol_answer bench_members(struct bench *b, const char *bid, const char *nonce)
{
    return bench_wait(b,
                      protocol_members(b->protocol, bid, nonce_or_default(nonce), on_members, b));
}

enum protocol_answer bench_chunk(struct bench *b, const char *bid, const char *nonce,
                                 uint64_t offset0, uint64_t offset1)
{
    struct chunk_put chunk = {.remote = "r1", .offset0 = offset0, .offset1 = offset1};

    chunk.masks = "\0\1\xff";
    chunk.masks_len = 3;
    chunk.ok = 2;
    chunk.bad = 1;
    return bench_wait(b, protocol_chunk(b->protocol, bid, nonce_or_default(nonce), &chunk, LEASE,
                                        on_unsigned, b));
}

enum protocol_answer bench_part_done(struct bench *b, uint32_t part, const char *nonce)
{
    return bench_wait(
        b, protocol_part_done(b->protocol, JOB, part, nonce_or_default(nonce), bench_plain, b));
}

enum protocol_answer bench_generation(struct bench *b, uint32_t generation, uint32_t part,
                                      uint32_t newest)
{
    const struct part_generation parts[] = {
        {.part = part, .generation = newest}
    };

    return bench_wait(b,
                      protocol_generation(b->protocol, JOB, generation, parts, 1, bench_plain, b));
}

enum protocol_answer bench_reopen(struct bench *b, const char *nonce, uint32_t window)
{
    struct shard_reopen shard = {
        .member = {.window = window, .left = 3, .lines = 10, .bytes = 30, .tokens = 15},
        .lane = LANE,
    };

    return bench_wait(b, protocol_reopen(b->protocol, JOB, nonce, &shard, 1, on_unsigned, b));
}

enum protocol_answer bench_cancel(struct bench *b, uint32_t max)
{
    return bench_cancel_in(b, 0, max);
}

enum protocol_answer bench_cancel_in(struct bench *b, uint32_t generation, uint32_t max)
{
    return bench_wait(b, protocol_job_cancel(b->protocol, JOB, generation, max, bench_plain, b));
}

enum protocol_answer bench_view(struct bench *b)
{
    return bench_wait(b, protocol_job_view(b->protocol, JOB, on_view, b));
}

enum protocol_answer bench_list(struct bench *b)
{
    return bench_wait(b, protocol_job_list(b->protocol, on_list, b));
}

enum protocol_answer bench_learn(struct bench *b, const char *lane,
                                 const struct lane_lesson *lesson)
{
    return bench_wait(b, protocol_lane_learn(b->protocol, lane, lesson, bench_plain, b));
}

enum protocol_answer bench_take(struct bench *b, enum protocol_rate rate, int64_t interval_ms,
                                uint32_t burst)
{
    return bench_wait(b, protocol_rate_take(b->protocol, rate, interval_ms, burst, on_number, b));
}

enum protocol_answer bench_drop(struct bench *b, const char *bid)
{
    return bench_wait(b, protocol_drop(b->protocol, bid, "n1", bench_plain, b));
}

void bench_run(struct bench *b, const char *bid)
{
    static const struct protocol_field intent = {BATCH_F_INTENT, PROTOCOL_NOW};
    static const struct protocol_field remote = {BATCH_F_REMOTE, "r1"};

    assert_int_equal(
        bench_advance_with(b, bid, NULL, BATCH_BUILD, BATCH_SUBMIT, PROTOCOL_CO, LEASE, &intent, 1),
        PROTOCOL_OK);
    assert_int_equal(
        bench_advance_with(b, bid, NULL, BATCH_SUBMIT, BATCH_RUN, PROTOCOL_WK, LEASE, &remote, 1),
        PROTOCOL_OK);
}

enum protocol_answer bench_site(struct bench *b, enum site_state state, const char *why)
{
    return bench_wait(b, protocol_site_note(b->protocol, SITE, state, why, on_number, b));
}

enum protocol_answer bench_put_window(struct bench *b, const char *job, uint32_t w,
                                      const char *lane)
{
    uint8_t mask[2] = {0, 0xfc};
    struct shard_put shard = {
        .left = 10, .bytes = 100, .tokens = 50, .longest = 20, .mask = mask, .label = "{}"};
    struct window_put window = {
        .job = job,
        .window = w,
        .offset0 = 100 * (uint64_t)w,
        .offset1 = 100 * (uint64_t)w + 100,
        .next_line = 10 * (uint64_t)w + 11,
        .requests = 10,
        .crc = 7,
        .shards = &shard,
        .shard_count = 1,
    };

    (void)snprintf(shard.lane, sizeof(shard.lane), "%s", lane);
    return bench_put(b, &window);
}

void bench_job(struct bench *b, const char *job, uint32_t windows)
{
    assert_int_equal(bench_open(b, job, "fp1"), PROTOCOL_NEW);
    for (uint32_t w = 0; w < windows; w++)
        assert_int_equal(bench_put_window(b, job, w, LANE), PROTOCOL_OK);
    assert_int_equal(bench_seal(b, job, windows), PROTOCOL_OK);
}

enum protocol_answer bench_done(struct bench *b, const char *bid, const char *nonce, uint32_t left,
                                bool charged)
{
    static const uint8_t mask[2] = {0xff, 0xff};
    struct member_done members[1000] = {{0}};

    if (bench_members(b, bid, nonce) != PROTOCOL_OK)
        b->count = 1; /* done itself is to refuse */
    for (size_t i = 0; i < b->count; i++)
        members[i] = (struct member_done){
            .window = b->members[i].window,
            .index = b->members[i].index,
            .left = left,
            .charged = charged,
            .mask = mask,
            .mask_len = sizeof(mask),
            .bytes = 10 * (uint64_t)left,
            .tokens = 5 * (uint64_t)left,
            .most_tokens = 5 * (uint64_t)left,
        };
    return bench_wait(b, protocol_done(b->protocol, bid, nonce_or_default(nonce), 0, members,
                                       b->count != 0 ? b->count : 1, &b->bill, bench_plain, b));
}

void bench_to_fetch(struct bench *b, const char *bid)
{
    assert_int_equal(bench_pack(b, bid, NULL), PROTOCOL_OK);
    bench_run(b, bid);
    assert_int_equal(bench_advance(b, bid, NULL, BATCH_RUN, BATCH_FETCH), PROTOCOL_OK);
}

void bench_settle_all(struct bench *b)
{
    char bid[BATCH_ID_LEN + 1];

    for (unsigned i = 0;; i++) {
        (void)snprintf(bid, sizeof(bid), "settle%u", i);
        if (bench_pack(b, bid, NULL) != PROTOCOL_OK)
            return;
        assert_int_equal(bench_advance(b, bid, NULL, BATCH_BUILD, BATCH_FETCH), PROTOCOL_OK);
        assert_int_equal(bench_done(b, bid, NULL, 0, false), PROTOCOL_OK);
        assert_int_equal(bench_wait(b, protocol_drop(b->protocol, bid, "n1", bench_plain, b)),
                         PROTOCOL_OK);
    }
}

unsigned bench_merge_all(struct bench *b)
{
    unsigned merged = 0;

    while (bench_claim(b, PROTOCOL_WK, NULL) == PROTOCOL_OK && b->is_part) {
        assert_int_equal(bench_part_done(b, b->part, NULL), PROTOCOL_OK);
        merged++;
    }
    return merged;
}

int64_t bench_redis(struct bench *b, const char *command)
{
    char out[512] = "";
    const char *number = out + 1;

    redis_server_ask(&b->server, command, out, sizeof(out));
    if (out[0] == '$') {
        number = strchr(out, '\n');
        assert_non_null(number);
        return out[1] == '-' ? 0 : strtoll(number + 1, NULL, 10);
    }
    assert_int_equal(out[0], ':');
    return strtoll(number, NULL, 10);
}

int64_t bench_writes(struct bench *b)
{
    static const char key[] = "rdb_changes_since_last_save:";
    char out[4096] = "";
    const char *at;

    redis_server_ask(&b->server, "INFO persistence", out, sizeof(out));
    at = strstr(out, key);
    assert_non_null(at);
    return strtoll(at + sizeof(key) - 1, NULL, 10);
}
