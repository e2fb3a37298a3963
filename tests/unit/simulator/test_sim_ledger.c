#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "simulator/hash.h"
#include "simulator/ledger.h"
#include "simulator/text.h"

static void add(struct ledger *l, uint64_t id, uint64_t body, enum row_outcome outcome)
{
    struct ledger_event event = ledger_event(id, body, outcome);

    ledger_record(l, &event, 1);
}

static void only_a_second_success_is_billed_twice(void **state)
{
    struct ledger l = {0};

    (void)state;
    add(&l, 1, 800, ROW_FAILED);
    add(&l, 1, 800, ROW_MISSING);
    add(&l, 1, 800, ROW_BILLED);
    add(&l, 2, 808, ROW_EXPIRED);
    add(&l, 2, 808, ROW_CANCELLED);
    add(&l, 2, 808, ROW_BILLED);
    add(&l, 2, 808, ROW_DUPLICATED);
    assert_int_equal(l.billed_twice, 0);
    assert_int_equal(l.executed_twice, 1);
    add(&l, 2, 808, ROW_BILLED);
    add(&l, 2, 808, ROW_BILLED);
    assert_int_equal(l.billed_twice, 1);
    assert_int_equal(l.body_changed, 0);
    add(&l, 2, 1600, ROW_BILLED);
    assert_int_equal(l.body_changed, 1);
    ledger_release(&l);
}

static void failures_are_counted_by_body(void **state)
{
    struct ledger l = {0};

    (void)state;
    assert_int_equal(ledger_failures(&l, 4096), 0);
    add(&l, 1, 4096, ROW_FAILED);
    add(&l, 2, 4096, ROW_EXPIRED);
    add(&l, 3, 4096, ROW_BILLED);
    add(&l, 4, 8192, ROW_MISSING);
    assert_int_equal(ledger_failures(&l, 4096), 2);
    assert_int_equal(ledger_failures(&l, 8192), 1);
    assert_int_equal(ledger_failures(&l, 12288), 0);
    ledger_release(&l);
}

static void many_rows_take_sixteen_bytes_each(void **state)
{
    struct ledger l = {0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < 100000; i++)
            add(&l, hash_mix(i, 9), hash_mix(i, 8), ROW_BILLED);
    }
    assert_int_equal(sizeof(struct ledger_row), 16);
    assert_int_equal(l.rows_used, 100000);
    assert_int_equal(l.billed_twice, 100000);
    assert_true(l.rows_cap <= 4 * l.rows_used);
    ledger_release(&l);
}

static void a_replay_gives_the_same_totals(void **state)
{
    char path[] = "/tmp/test_sim_ledger_XXXXXX";
    struct ledger_event events[3000];
    struct buf one = TEXT_INIT;
    struct buf two = TEXT_INIT;
    struct ledger a = {0};
    struct ledger b = {0};
    int fd = mkstemp(path);

    (void)state;
    for (uint64_t i = 0; i < ARRAY_LEN(events); i++)
        events[i] = ledger_event(hash_mix(i % 900, 1), hash_mix(i % 900, 2), i % ROW_OUTCOMES);
    assert_int_equal(write(fd, events, sizeof(events)), sizeof(events));
    (void)close(fd);
    ledger_record(&a, events, ARRAY_LEN(events));
    assert_true(ledger_replay(&b, path, NULL));
    (void)unlink(path);
    assert_true(ledger_replay(&b, path, NULL)); /* no file, no events */
    ledger_write_totals(&a, &one);
    ledger_write_totals(&b, &two);
    assert_string_equal(one.data, two.data);
    buf_release(&one);
    buf_release(&two);
    ledger_release(&a);
    ledger_release(&b);
}

static void rows_are_written_in_pieces(void **state)
{
    struct ledger l = {0};
    struct buf out = TEXT_INIT;
    size_t at = 0;
    size_t seen = 0;
    bool first = true;

    (void)state;
    for (uint64_t i = 1; i <= 5000; i++)
        add(&l, i, i << 3, i % 2 == 0 ? ROW_BILLED : ROW_FAILED);
    for (bool more = true; more; buf_clear(&out)) {
        more = ledger_write_rows(&l, 1, 10000, &at, &first, &out);
        assert_in_range(out.len, 0, 10100);
        for (const char *p = out.data; p != NULL && (p = strstr(p, "_hash")) != NULL; p++)
            seen++;
    }
    assert_int_equal(seen, 2500);
    buf_release(&out);
    ledger_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_second_success_is_billed_twice),
        cmocka_unit_test(failures_are_counted_by_body),
        cmocka_unit_test(many_rows_take_sixteen_bytes_each),
        cmocka_unit_test(a_replay_gives_the_same_totals),
        cmocka_unit_test(rows_are_written_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
