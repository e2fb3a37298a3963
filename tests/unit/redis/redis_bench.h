#ifndef UNIT_REDIS_REDIS_BENCH_H
#define UNIT_REDIS_REDIS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/redis/redis_conn.h"
#include "tests/testlib/redis_server.h"

struct event_base;

/* A server of its own, a connection to it, and what callbacks saw. */
struct bench {
    struct event_base *base;
    struct redis_server server;
    struct redis_url url;
    struct redis_conn *conn;
    int waited_for; /* stop the loop after so many callbacks */
    int done_runs;
    int outcomes[4]; /* how many ended so */
    char text[256];  /* the last reply */
    int64_t number;
    struct err err; /* the last one */
    int ups, downs;
    struct err reason; /* of the last loss */
    bool inside;       /* inside redis_call(): no callback may run */
};

int bench_set_up(void **state); /* with an open server */
int bench_tear_down(void **state);

/** A new connection, in place of the one there is. */
void bench_connect(struct bench *b, int timeout_ms);

/** A redis_done_fn; @arg is the bench. */
void bench_done(const struct redis_result *result, void *arg);

/** Send the blank-separated words of @command. */
struct redis_command *bench_send(struct bench *b, const char *command);

/** Turn the loop until @count more callbacks have run; fails after 20 s. */
void bench_wait(struct bench *b, int count);

/** Send it and wait for its end; the outcome. */
enum redis_outcome bench_ask(struct bench *b, const char *command);

/** Turn the loop for @ms. */
void bench_run_for(struct bench *b, int64_t ms);

#endif
