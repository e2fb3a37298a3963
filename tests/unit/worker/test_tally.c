#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "worker/core/tally.h"

/* Window 3: ten lines, line 4 not asked for. Window 7: three lines, all asked for, one failure
 * behind it. */
static void judge(const struct tally *t, size_t index, bool billed, uint32_t max_attempts,
                  struct verdict *out)
{
    const struct tally_end end = {
        .billed = billed, .had_a_try = true, .max_attempts = max_attempts};

    tally_verdict(t, index, &end, out);
}

static void two_members(struct member m[2])
{
    memset(m, 0, 2 * sizeof(*m));
    m[0] = (struct member){.window = 3, .lines = 10, .left = 9};
    mask_set(m[0].mask, 4);
    m[1] = (struct member){.window = 7, .lines = 3, .left = 3, .attempt = 1, .failures = 1};
}

static void only_lines_that_were_asked_for_are_members(void **state)
{
    static const struct {
        const char *name;
        uint32_t window, line;
        bool member;
    } cases[] = {
        {"asked for",                     3, 0,  true },
        {"last line of the window",       3, 9,  true },
        {"its bit was set: another lane", 3, 4,  false},
        {"behind the window's end",       3, 10, false},
        {"a window of another batch",     4, 0,  false},
        {"the second member",             7, 2,  true },
    };
    struct member m[2];
    struct tally t;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("  %s\n", cases[i].name);
        assert_int_equal(tally_member(&t, ordinal_make(cases[i].window, cases[i].line)) != NULL,
                         cases[i].member);
    }
    tally_release(&t);
}

static void settle_lines(struct tally *t, uint32_t window, uint32_t from, uint32_t to,
                         enum outcome outcome)
{
    for (uint32_t i = from; i < to; i++)
        (void)tally_note(t, ordinal_make(window, i), outcome);
}

static void a_shard_with_every_answer_is_settled(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 3, 0, 9, OUTCOME_OK);
    settle_lines(&t, 3, 9, 10, OUTCOME_PERM);
    settle_lines(&t, 3, 4, 5, OUTCOME_OK);                /* alien: its bit was set */
    (void)tally_note(&t, ordinal_make(3, 0), OUTCOME_OK); /* a duplicate counts once */
    judge(&t, 0, true, 3, &v);
    assert_int_equal(v.left, 0);
    assert_false(v.charged);
    assert_int_equal(t.ok, 8);
    assert_int_equal(t.failed, 1);
    assert_int_equal(t.alien, 2);
    assert_int_equal(t.duplicate, 1);
    tally_release(&t);
}

static void a_task_is_seen_once_in_however_many_passes(void **state)
{
    struct member m[2];
    struct tally t, next;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 3, 0, 3, OUTCOME_OK);
    settle_lines(&t, 7, 0, 1, OUTCOME_RETRY); /* not settled, but not missing either */
    tally_note_garbled(&t);
    assert_int_equal(t.seen, 4);
    tally_seal(&t);
    tally_init(&next, m, 2, t.blob, t.blob_len);
    tally_begin_pass(&next);
    assert_int_equal(next.lines, 0);
    assert_int_equal(next.garbled, 0);
    assert_int_equal(next.seen, 4);
    settle_lines(&next, 3, 1, 4, OUTCOME_OK);
    settle_lines(&next, 7, 0, 1, OUTCOME_RETRY);
    assert_int_equal(next.seen, 5);
    assert_int_equal(next.ok, 1);
    tally_release(&next);
    tally_release(&t);
}

static void what_is_missing_is_sent_again_and_charged(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 3, 0, 2, OUTCOME_OK);
    (void)tally_note(&t, ordinal_make(3, 5), OUTCOME_RETRY);
    judge(&t, 0, true, 3, &v);
    assert_int_equal(v.left, 7);
    assert_true(v.charged);
    assert_true(mask_get(v.mask, 0) && mask_get(v.mask, 4) && !mask_get(v.mask, 5));
    tally_release(&t);
}

static void expired_lines_are_sent_again_free(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 7, 0, 2, OUTCOME_OK);
    (void)tally_note(&t, ordinal_make(7, 2), OUTCOME_FREE);
    judge(&t, 1, true, 2, &v);
    assert_int_equal(v.left, 1);
    assert_false(v.charged);
    assert_int_equal(v.exhausted, 0);
    tally_release(&t);
}

static void the_last_charged_failure_settles_what_failed_and_only_that(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    (void)tally_note(&t, ordinal_make(7, 0), OUTCOME_RETRY);
    (void)tally_note(&t, ordinal_make(7, 1), OUTCOME_FREE);
    judge(&t, 1, true, 2, &v); /* line 2 is missing */
    assert_true(v.charged);
    assert_int_equal(v.exhausted, 2);
    assert_int_equal(v.left, 1);
    assert_false(mask_get(v.mask, 1));
    tally_release(&t);
}

static void a_batch_the_provider_never_worked_on_charges_nothing(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    judge(&t, 1, false, 1, &v);
    assert_false(v.charged);
    assert_int_equal(v.left, 3);
    tally_release(&t);
}

static void nothing_is_sent_for_ever(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    m[1].attempt = 19;
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 7, 0, 3, OUTCOME_FREE);
    judge(&t, 1, true, 3, &v);
    assert_int_equal(v.left, 0);
    assert_int_equal(v.exhausted, 3);
    tally_release(&t);
}

static void a_batch_that_settles_anything_ends_no_shard(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    m[1].attempt = 500;
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 3, 0, 1, OUTCOME_PERM);
    judge(&t, 1, false, 3, &v);
    assert_int_equal(v.left, 3);
    tally_release(&t);
}

static void a_full_queue_never_makes_a_dead_letter(void **state)
{
    struct tally_end end = {.billed = false, .had_a_try = false, .max_attempts = 3};
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    m[1].attempt = 5000;
    tally_init(&t, m, 2, NULL, 0);
    tally_verdict(&t, 1, &end, &v);
    assert_int_equal(v.left, 3);
    assert_false(v.charged);
    tally_release(&t);
}

static void want_of_money_never_makes_a_dead_letter(void **state)
{
    struct member m[2];
    struct tally first, second;
    struct verdict v;

    (void)state;
    two_members(m);
    m[1].attempt = 5000;
    tally_init(&first, m, 2, NULL, 0);
    settle_lines(&first, 7, 0, 3, OUTCOME_FREE);
    tally_note_unpaid(&first);
    tally_seal(&first);
    tally_init(&second, m, 2, first.blob, first.blob_len); /* the first worker died */
    assert_int_equal(second.unpaid, 1);
    judge(&second, 1, true, 3, &v);
    assert_int_equal(v.left, 3);
    assert_false(v.charged);
    assert_true(v.untried);
    tally_release(&first);
    tally_release(&second);
}

static void what_failed_beside_lines_without_money_is_settled_at_its_last_try(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    settle_lines(&t, 7, 0, 1, OUTCOME_RETRY);
    settle_lines(&t, 7, 1, 3, OUTCOME_FREE);
    tally_note_unpaid(&t);
    judge(&t, 1, true, 2, &v);
    assert_int_equal(v.exhausted, 1);
    assert_int_equal(v.left, 2);
    tally_release(&t);
}

static void what_is_refused_as_a_whole_is_settled_at_once(void **state)
{
    struct tally_end end = {.billed = false, .refused = true, .max_attempts = 3};
    struct member m[2];
    struct tally t;
    struct verdict v;

    (void)state;
    two_members(m);
    tally_init(&t, m, 2, NULL, 0);
    tally_verdict(&t, 0, &end, &v);
    assert_int_equal(v.left, 0);
    assert_int_equal(v.exhausted, 9);
    tally_release(&t);
}

static void lines_of_the_file_are_the_tasks_it_asked_for_in_its_order(void **state)
{
    static const struct {
        int64_t line;
        bool found;
        uint32_t window, index;
    } cases[] = {
        {1,  true,  7, 0},
        {3,  true,  7, 2},
        {4,  true,  3, 0},
        {7,  true,  3, 3},
        {8,  true,  3, 5},
        {12, true,  3, 9},
        {13, false, 0, 0},
        {0,  false, 0, 0},
    };
    struct member m[2], in_file[2];

    (void)state;
    two_members(m);
    in_file[0] = m[1]; /* the file has window 7 first */
    in_file[1] = m[0];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ordinal = 0;

        print_message("  line %d\n", (int)cases[i].line);
        assert_int_equal(tally_file_line(in_file, 2, cases[i].line, &ordinal), cases[i].found);
        if (cases[i].found)
            assert_true(ordinal == ordinal_make(cases[i].window, cases[i].index));
    }
}

static void the_blob_carries_everything_to_the_next_worker(void **state)
{
    struct member m[2];
    struct tally first, second;
    struct verdict a, b;

    (void)state;
    two_members(m);
    tally_init(&first, m, 2, NULL, 0);
    settle_lines(&first, 3, 0, 5, OUTCOME_OK);
    (void)tally_note(&first, ordinal_make(7, 1), OUTCOME_FREE);
    tally_note_garbled(&first);
    tally_seal(&first);
    tally_init(&second, m, 2, first.blob, first.blob_len);
    assert_int_equal(second.lines, 7);
    assert_int_equal(second.garbled, 1);
    for (size_t i = 0; i < 2; i++) {
        judge(&first, i, true, 2, &a);
        judge(&second, i, true, 2, &b);
        assert_memory_equal(&a, &b, sizeof(a));
    }
    tally_release(&second);
    tally_init(&second, m, 2, first.blob, first.blob_len - 1); /* not ours: ignored */
    judge(&second, 0, true, 3, &b);
    assert_int_equal(b.left, 9);
    tally_release(&first);
    tally_release(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_lines_that_were_asked_for_are_members),
        cmocka_unit_test(a_shard_with_every_answer_is_settled),
        cmocka_unit_test(a_task_is_seen_once_in_however_many_passes),
        cmocka_unit_test(what_is_missing_is_sent_again_and_charged),
        cmocka_unit_test(expired_lines_are_sent_again_free),
        cmocka_unit_test(the_last_charged_failure_settles_what_failed_and_only_that),
        cmocka_unit_test(a_batch_the_provider_never_worked_on_charges_nothing),
        cmocka_unit_test(nothing_is_sent_for_ever),
        cmocka_unit_test(a_batch_that_settles_anything_ends_no_shard),
        cmocka_unit_test(a_full_queue_never_makes_a_dead_letter),
        cmocka_unit_test(want_of_money_never_makes_a_dead_letter),
        cmocka_unit_test(what_failed_beside_lines_without_money_is_settled_at_its_last_try),
        cmocka_unit_test(what_is_refused_as_a_whole_is_settled_at_once),
        cmocka_unit_test(lines_of_the_file_are_the_tasks_it_asked_for_in_its_order),
        cmocka_unit_test(the_blob_carries_everything_to_the_next_worker),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
