#include "tests/testlib/unit.h"

#include <event2/event.h>
#include <string.h>

#include "common/daemon/crew.h"
#include "common/daemon/daemon.h"
#include "tests/unit/protocol/protocol_bench.h"

#define SHORT_LEASE_MS 300

/* A crew of workers on a batch "b1" that runs, and what it holds. */
struct ship {
    struct bench *bench;
    struct daemon daemon;
    struct crew *crew;
    struct work work;
    bool holds;
};

static void on_claimed(struct claim *claim, const char *nonce, void *arg)
{
    struct ship *ship = arg;

    crew_begin(ship->crew, &ship->work, claim, nonce);
    ship->holds = true;
}

static void on_lost(struct work *work, void *arg)
{
    (void)arg;
    crew_end(work);
}

static enum protocol_answer poll_again(struct ship *ship, const char *nonce)
{
    return bench_advance_with(ship->bench, "b1", nonce, BATCH_RUN, BATCH_RUN, PROTOCOL_WK, 0, NULL,
                              0);
}

static int set_up(void **state)
{
    static struct ship ship;
    void *bench = NULL;
    struct err err = {0};

    memset(&ship, 0, sizeof(ship));
    assert_int_equal(bench_set_up(&bench), 0);
    ship.bench = bench;
    ship.daemon.base = ship.bench->base;
    ship.daemon.protocol = ship.bench->protocol;
    ship.daemon.options.lease_ms = SHORT_LEASE_MS;
    ship.daemon.provider =
        provider_new(NULL, provider_profile_find("openai"), NULL, "key", NULL, &err);
    assert_non_null(ship.daemon.provider);
    bench_job(ship.bench, JOB, 1);
    assert_int_equal(bench_pack(ship.bench, "b1", &bench_limits), PROTOCOL_OK);
    bench_run(ship.bench, "b1");
    assert_int_equal(poll_again(&ship, NULL), PROTOCOL_OK);
    *state = &ship;
    return 0;
}

static int tear_down(void **state)
{
    struct ship *ship = *state;
    void *bench = ship->bench;

    crew_free(ship->crew);
    provider_free(ship->daemon.provider);
    return bench_tear_down(&bench);
}

static void turn_for(struct ship *ship, int ms)
{
    struct timeval time = {ms / 1000, (ms % 1000) * 1000};

    assert_int_equal(event_base_loopexit(ship->daemon.base, &time), 0);
    (void)event_base_dispatch(ship->daemon.base);
}

/* Until the crew holds the batch. */
static void board(struct ship *ship)
{
    const struct crew_hooks hooks = {
        .role = PROTOCOL_WK, .limit = 1, .claimed = on_claimed, .lost = on_lost, .arg = ship};

    ship->crew = crew_new(&ship->daemon, &hooks);
    for (int i = 0; i < 100 && !ship->holds; i++)
        turn_for(ship, 20);
    assert_true(ship->holds);
    assert_string_equal(ship->work.bid, "b1");
}

static void what_is_being_worked_on_is_nobody_elses(void **state)
{
    struct ship *ship = *state;

    board(ship);
    turn_for(ship, 2 * SHORT_LEASE_MS);
    assert_int_equal(bench_claim(ship->bench, PROTOCOL_WK, "other"), PROTOCOL_NONE);
}

/* The move's answer may be late: a renewal in between must not take the record along. */
static void a_record_is_due_when_its_last_move_says(void **state)
{
    struct ship *ship = *state;

    board(ship);
    work_leave(&ship->work);
    assert_int_equal(poll_again(ship, ship->work.nonce), PROTOCOL_OK);
    turn_for(ship, SHORT_LEASE_MS * 2 / 3);
    assert_int_equal(bench_claim(ship->bench, PROTOCOL_WK, "other"), PROTOCOL_OK);
    assert_string_equal(ship->bench->batch.bid, "b1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_being_worked_on_is_nobody_elses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_record_is_due_when_its_last_move_says, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
