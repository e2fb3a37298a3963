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

static void note_line(struct tally *t, uint32_t window, uint32_t line, enum outcome outcome,
                      const struct usage *usage)
{
    uint64_t ordinal = ordinal_make(window, line);

    if (tally_note(t, ordinal, outcome) && (usage != NULL || outcome == OUTCOME_OK))
        tally_note_usage(t, ordinal, usage);
}

static const struct usage took = {.prompt = 100, .cached = 40, .completion = 10, .reasoning = 3};

/* Two members of one part, one of the next: half a nano-unit a token in, one out. */
static struct batch a_batch(struct member m[3])
{
    memset(m, 0, 3 * sizeof(*m));
    m[0] = (struct member){.window = 3, .lines = 10, .left = 9, .tokens = 900, .est_output = 90};
    mask_set(m[0].mask, 4);
    m[1] = (struct member){.window = 7, .lines = 3, .left = 3, .tokens = 300, .open_ended = 3};
    m[2] = (struct member){.window = 520, .lines = 2, .left = 2, .tokens = 50, .est_output = 200};
    return (struct batch){
        .priced = true,
        .quote = {"CNY", 500000, 250000, 1000000},
        .likely_nano = 1400,
        .requests = 14
    };
}

static void each_task_is_billed_once_and_by_part(void **state)
{
    struct member m[3];
    struct batch batch = a_batch(m);
    struct tally t;
    struct bill bill;

    (void)state;
    tally_init(&t, m, 3, NULL, 0);
    assert_int_equal(t.part_count, 2);
    note_line(&t, 3, 0, OUTCOME_OK, &took);
    note_line(&t, 3, 0, OUTCOME_OK, &took); /* the server repeats it */
    note_line(&t, 3, 4, OUTCOME_OK, &took); /* alien */
    note_line(&t, 3, 1, OUTCOME_RETRY, NULL);
    note_line(&t, 3, 1, OUTCOME_OK, &took);
    note_line(&t, 7, 0, OUTCOME_PERM, &took); /* a failure that was billed */
    note_line(&t, 7, 1, OUTCOME_FREE, NULL);
    note_line(&t, 520, 1, OUTCOME_OK, &took);
    tally_bill(&t, 0, &batch, &bill);
    assert_int_equal(bill.lines, 3);
    assert_int_equal(bill.guessed, 0);
    assert_int_equal(bill.usage.prompt, 300);
    assert_int_equal(bill.usage.cached, 120);
    assert_int_equal(bill.usage.completion, 30);
    assert_int_equal(bill.usage.reasoning, 9);
    assert_int_equal(bill.est_input, 200 + 100);
    assert_true(bill.priced);
    assert_int_equal(bill.nano, 180 / 2 + 120 / 4 + 30);
    assert_int_equal(bill.likely_nano, 300);
    tally_bill(&t, 1, &batch, &bill);
    assert_int_equal(bill.lines, 1);
    assert_int_equal(bill.est_input, 25);
    assert_int_equal(bill.nano, 30 + 10 + 10);
    assert_int_equal(bill.likely_nano, 100);
    batch.priced = false;
    tally_bill(&t, 0, &batch, &bill);
    assert_false(bill.priced);
    assert_int_equal(bill.nano, 0);
    assert_int_equal(bill.usage.prompt, 300);
    tally_release(&t);
}

static void an_answer_that_says_nothing_costs_what_was_estimated(void **state)
{
    struct member m[3];
    struct batch batch = a_batch(m);
    struct tally t;
    struct bill bill;

    (void)state;
    tally_init(&t, m, 3, NULL, 0);
    note_line(&t, 520, 0, OUTCOME_OK, NULL);
    note_line(&t, 520, 0, OUTCOME_OK, &took); /* too late: it is billed */
    tally_bill(&t, 1, &batch, &bill);
    assert_int_equal(bill.lines, 0);
    assert_int_equal(bill.guessed, 1);
    assert_int_equal(bill.usage.prompt, 0);
    assert_int_equal(bill.est_input, 0);
    assert_int_equal(bill.nano, 13 + 100); /* 25 in at a half, 100 out */
    note_line(&t, 7, 2, OUTCOME_OK, NULL);
    tally_bill(&t, 0, &batch, &bill);
    assert_int_equal(bill.nano, 50 + 1024);
    tally_release(&t);
}

static void what_is_left_never_counts_for_less_than_it_can_be(void **state)
{
    static const struct {
        uint64_t total;
        uint32_t left;
        uint64_t most, expected;
    } cases[] = {
        {18420,      2,    10000,      18420     }, /* 21 x 400, 20 x 1 and 10,000: any two of them */
        {18420,      1,    10000,      10000     },
        {18420,      0,    10000,      0         },
        {10,         3,    1,          3         },
        {10,         30,   1,          10        },
        {UINT64_MAX, 1000, UINT64_MAX, UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(tally_at_most(cases[i].total, cases[i].left, cases[i].most),
                         cases[i].expected);
}

static void assert_lesson(const struct tally *t, uint64_t estimated, uint64_t counted)
{
    struct tally_lesson lesson;

    tally_teach(t, &lesson);
    assert_int_equal(lesson.estimated, estimated);
    assert_int_equal(lesson.counted, counted);
}

/* What is estimated too high makes calibration too low, and what is reserved with it. */
static void lines_teach_only_what_is_surely_of_them(void **state)
{
    struct member m = {
        .window = 3, .lines = 4, .left = 4, .tokens = 430, .most_tokens = 430, .line_tokens = 120};
    struct tally t;

    (void)state;
    tally_init(&t, &m, 1, NULL, 0);
    assert_lesson(&t, 0, 0);
    for (uint32_t i = 0; i < 3; i++)
        note_line(&t, 3, i, OUTCOME_OK, &took);
    assert_lesson(&t, 310, 300); /* the fourth, which failed, may have 120 of them */
    note_line(&t, 3, 3, OUTCOME_OK, &took);
    assert_lesson(&t, 430, 400);
    tally_release(&t);
    m.line_tokens = 400; /* it may be that one */
    tally_init(&t, &m, 1, NULL, 0);
    for (uint32_t i = 0; i < 3; i++)
        note_line(&t, 3, i, OUTCOME_OK, &took);
    assert_lesson(&t, 0, 0);
    note_line(&t, 3, 3, OUTCOME_OK, NULL);
    assert_lesson(&t, 0, 0); /* or the one that does not say what it took */
    tally_release(&t);
    m.line_tokens = 120;
    m.tokens = 215; /* of two lines that are left: nobody knows which */
    m.left = 2;
    m.mask[0] = 3;
    tally_init(&t, &m, 1, NULL, 0);
    note_line(&t, 3, 2, OUTCOME_OK, &took);
    note_line(&t, 3, 3, OUTCOME_OK, &took);
    assert_lesson(&t, 0, 0);
    tally_release(&t);
}

static void assert_same_bill(const struct bill *a, const struct bill *b)
{
    assert_memory_equal(&a->usage, &b->usage, sizeof(a->usage));
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->est_input, b->est_input);
    assert_int_equal(a->guessed, b->guessed);
    assert_int_equal(a->priced, b->priced);
    assert_int_equal(a->nano, b->nano);
    assert_int_equal(a->likely_nano, b->likely_nano);
}

static void who_takes_over_bills_no_line_again(void **state)
{
    struct member m[3];
    struct batch batch = a_batch(m);
    struct tally first, second;
    struct bill before, after;

    (void)state;
    tally_init(&first, m, 3, NULL, 0);
    note_line(&first, 3, 0, OUTCOME_OK, &took);
    note_line(&first, 7, 0, OUTCOME_OK, NULL);
    note_line(&first, 520, 0, OUTCOME_OK, &took);
    tally_seal(&first);
    tally_init(&second, m, 3, first.blob, first.blob_len);
    tally_begin_pass(&second); /* all of it is read once more */
    note_line(&second, 3, 0, OUTCOME_OK, &took);
    note_line(&second, 7, 0, OUTCOME_OK, &took);
    for (size_t part = 0; part < 2; part++) {
        tally_bill(&first, part, &batch, &before);
        tally_bill(&second, part, &batch, &after);
        assert_same_bill(&before, &after);
    }
    tally_release(&first);
    tally_release(&second);
}

static void what_an_older_worker_left_stays_settled(void **state)
{
    struct member m[2];
    struct tally t;
    struct verdict v;
    uint8_t blob[5 * 8 + 3 * 2 + 3 * 1] = {0};

    (void)state;
    two_members(m);
    blob[0] = 3;         /* lines */
    blob[40] = 0x03;     /* of window 3: 0 and 1 are settled, ... */
    blob[40 + 4] = 0x07; /* ... and so many were seen */
    blob[40 + 6] = 0x02; /* of window 7: line 1 */
    blob[40 + 6 + 2] = 0x02;
    tally_init(&t, m, 2, blob, sizeof(blob));
    assert_int_equal(t.lines, 3);
    assert_int_equal(t.seen, 4);
    judge(&t, 0, false, 3, &v);
    assert_int_equal(v.left, 7);
    judge(&t, 1, false, 3, &v);
    assert_int_equal(v.left, 2);
    assert_int_equal(t.parts[0].lines, 0);
    tally_release(&t);
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
        cmocka_unit_test(each_task_is_billed_once_and_by_part),
        cmocka_unit_test(an_answer_that_says_nothing_costs_what_was_estimated),
        cmocka_unit_test(what_is_left_never_counts_for_less_than_it_can_be),
        cmocka_unit_test(lines_teach_only_what_is_surely_of_them),
        cmocka_unit_test(who_takes_over_bills_no_line_again),
        cmocka_unit_test(what_an_older_worker_left_stays_settled),
    };
    return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
