#ifndef UNIT_PROTOCOL_PROTOCOL_BENCH_H
#define UNIT_PROTOCOL_PROTOCOL_BENCH_H

#include "common/protocol/protocol.h"
#include "tests/testlib/redis_server.h"

struct event_base;
struct redis_conn;

#define JOB   "j1"
#define SITE  "site1"
#define LANE  "lane1"
#define LEASE 60000

#define ACCOUNT "acc1"

/* A server of its own, a connection, and what the last callback saw. */
struct bench {
    struct redis_server server;
    struct event_base *base;
    struct redis_conn *conn;
    struct protocol *protocol;
    enum protocol_answer answer;
    struct err err;
    struct job_cursor cursor;
    enum job_state state;
    char text[256];     /* ji, payload: whatever the call gives as text */
    int64_t number;     /* wait, time, checkpoint, since, reopened */
    struct batch batch; /* of the last claim or pack */
    bool is_part;
    uint32_t part;
    struct job_view job; /* without its borrowed texts */
    size_t count;
    struct member members[1000];
    struct job_row rows[4];
    struct batch_view views[8];
    struct lane_view lanes[8]; /* without their borrowed texts */
    size_t lane_count;
    struct account_view accounts[4];
    size_t account_count;
    char hold_why[64]; /* of the first lane */
    char lane_label[64];
    char why[256];          /* of the job's hold */
    struct batch_bill bill; /* what bench_done() gives */
    unsigned callbacks;
};

int bench_set_up(void **state);
int bench_tear_down(void **state);

/** Turn the loop until @call has been answered; its answer. */
enum protocol_answer bench_wait(struct bench *b, struct protocol_call *call);

/** Each makes the call and waits. NULL nonce: "n1". */
enum protocol_answer bench_open(struct bench *b, const char *job, const char *fingerprint);
enum protocol_answer bench_open_with(struct bench *b, const char *job,
                                     const struct job_tunables *tunables);
enum protocol_answer bench_put(struct bench *b, const struct window_put *window);
enum protocol_answer bench_seal(struct bench *b, const char *job, uint32_t windows);
enum protocol_answer bench_pack(struct bench *b, const char *bid, const struct pack_limits *limits);
enum protocol_answer bench_claim(struct bench *b, enum protocol_role role, const char *nonce);
enum protocol_answer bench_advance(struct bench *b, const char *bid, const char *nonce,
                                   enum batch_state from, enum batch_state to);
enum protocol_answer bench_advance_with(struct bench *b, const char *bid, const char *nonce,
                                        enum batch_state from, enum batch_state to,
                                        enum protocol_role role, int64_t due_in_ms,
                                        const struct protocol_field *fields, size_t count);
enum protocol_answer bench_members(struct bench *b, const char *bid, const char *nonce);
enum protocol_answer bench_chunk(struct bench *b, const char *bid, const char *nonce,
                                 uint64_t offset0, uint64_t offset1);
enum protocol_answer bench_part_done(struct bench *b, uint32_t part, const char *nonce);
enum protocol_answer bench_reopen(struct bench *b, const char *nonce, uint32_t window);
enum protocol_answer bench_cancel(struct bench *b, uint32_t max);
enum protocol_answer bench_cancel_in(struct bench *b, uint32_t generation, uint32_t max);
enum protocol_answer bench_learn(struct bench *b, const char *lane,
                                 const struct lane_lesson *lesson);
enum protocol_answer bench_take(struct bench *b, enum protocol_rate rate, int64_t interval_ms,
                                uint32_t burst);
enum protocol_answer bench_drop(struct bench *b, const char *bid);
enum protocol_answer bench_view(struct bench *b);
enum protocol_answer bench_list(struct bench *b);
enum protocol_answer bench_site(struct bench *b, enum site_state state, const char *why);

/** A protocol_fn; @arg is the bench. */
void bench_plain(enum protocol_answer answer, const struct err *err, void *arg);

/** Put window @w of @job: 10 requests of @lane, 100 bytes and 50 tokens in all. */
enum protocol_answer bench_put_window(struct bench *b, const char *job, uint32_t w,
                                      const char *lane);

/** Open @job with defaults, put @windows such windows of LANE, and seal it. */
void bench_job(struct bench *b, const char *job, uint32_t windows);

/** done for a batch of all of bench_put_window()'s shards; each has @left left. */
enum protocol_answer bench_done(struct bench *b, const char *bid, const char *nonce, uint32_t left,
                                bool charged);

/** Resubmission @generation; @newest is the newest that lists rows of @part. */
enum protocol_answer bench_generation(struct bench *b, uint32_t generation, uint32_t part,
                                      uint32_t newest);

/** Take @bid from BUILD to RUN. */
void bench_run(struct bench *b, const char *bid);

/** Pack one batch named @bid and take it to FETCH, leased to "n1". */
void bench_to_fetch(struct bench *b, const char *bid);

/** Pack, settle and drop batches until nothing is ready. */
void bench_settle_all(struct bench *b);

/** Merge all parts that are due. How many. */
unsigned bench_merge_all(struct bench *b);

/** Limits with which everything goes into one batch at once. */
extern const struct pack_limits bench_limits;

/** The integer that a redis command answers; 0 for nil. */
int64_t bench_redis(struct bench *b, const char *command);

/** How many writes the server has seen. */
int64_t bench_writes(struct bench *b);

#endif
