#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/enrich/sample.h"
#include "common/rows/rows.h"
#include "tests/testlib/scratch.h"

static char folder[SCRATCH_PATH_MAX];
static char path[SCRATCH_PATH_MAX + 32];

static int setup(void **state)
{
    (void)state;
    scratch_make(folder);
    (void)snprintf(path, sizeof(path), "%s/rows.jsonl", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

/* Row i of @count is 100 + (i * 7919) % count bytes long: each length once; every tenth is broken.
 */
static void write_rows(size_t count, bool broken)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        int len = 92 + (int)(i * 7919 % count);

        assert_true(fprintf(file, broken && i % 10 == 0 ? "[\"a\",%*s]\n" : "{\"a\":\"%*s\"}\n",
                            len, "1") > 0);
    }
    assert_int_equal(fclose(file), 0);
}

static size_t bytes_of(uint64_t index, size_t count)
{
    return 100 + (size_t)index * 7919 % count;
}

static struct sample choose(size_t n)
{
    struct rows_options options = {0};
    struct sample sample = {0};
    struct err err = {0};

    if (!sample_choose(path, &options, n, &sample, &err))
        fail_msg("%s", err.msg);
    return sample;
}

static void count_whys(const struct sample *s, size_t counts[3])
{
    counts[SAMPLE_SHORTEST] = counts[SAMPLE_LONGEST] = counts[SAMPLE_RANDOM] = 0;
    for (size_t i = 0; i < s->count; i++)
        counts[s->rows[i].why]++;
}

static void a_spread_has_the_shortest_and_the_longest(void **state)
{
    size_t counts[3];
    struct sample s;

    (void)state;
    write_rows(1000, false);
    s = choose(20);
    assert_int_equal(s.total, 1000);
    assert_int_equal(s.count, 20);
    count_whys(&s, counts);
    assert_int_equal(counts[SAMPLE_SHORTEST], 5);
    assert_int_equal(counts[SAMPLE_LONGEST], 5);
    assert_int_equal(counts[SAMPLE_RANDOM], 10);
    for (size_t i = 0; i < s.count; i++) {
        const struct sample_row *row = &s.rows[i];

        assert_true(i == 0 || s.rows[i - 1].index < row->index);
        assert_int_equal(row->bytes, bytes_of(row->index, 1000));
        if (row->why == SAMPLE_SHORTEST)
            assert_in_range(row->bytes, 100, 104);
        else if (row->why == SAMPLE_LONGEST)
            assert_in_range(row->bytes, 1095, 1099);
        else
            assert_in_range(row->bytes, 105, 1094);
    }
    sample_release(&s);
}

static void the_same_rows_give_the_same_sample(void **state)
{
    struct sample a;
    struct sample b;
    size_t same = 0;

    (void)state;
    write_rows(1000, false);
    a = choose(40);
    b = choose(40);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.rows, b.rows, a.count * sizeof(*a.rows));
    sample_release(&b);
    write_rows(1001, false);
    b = choose(40);
    for (size_t i = 0; i < a.count; i++)
        for (size_t k = 0; k < b.count; k++)
            same += a.rows[i].why == SAMPLE_RANDOM && b.rows[k].why == SAMPLE_RANDOM &&
                    a.rows[i].index == b.rows[k].index;
    assert_in_range(same, 0, 10); /* of 20 */
    sample_release(&a);
    sample_release(&b);
}

/* Each row has its chance: over many inputs, the random ones lie evenly. */
static void random_ones_lie_evenly(void **state)
{
    size_t low = 0;

    (void)state;
    for (size_t round = 0; round < 40; round++) {
        struct sample s;

        write_rows(400 + round, false);
        s = choose(40);
        for (size_t i = 0; i < s.count; i++)
            low += s.rows[i].why == SAMPLE_RANDOM && s.rows[i].index < 200;
        sample_release(&s);
    }
    assert_in_range(low, 330, 470); /* of 800 */
}

static void rows_with_a_problem_are_not_chosen(void **state)
{
    struct sample s;

    (void)state;
    write_rows(100, true);
    s = choose(1000);
    assert_int_equal(s.total, 100);
    assert_int_equal(s.count, 90);
    for (size_t i = 0; i < s.count; i++)
        assert_int_not_equal(s.rows[i].index % 10, 0);
    sample_release(&s);
}

static const struct {
    size_t rows, asked, shortest, longest, random;
} sizes[] = {
    {0,  20, 0, 0, 0 },
    {1,  20, 1, 0, 0 },
    {10, 1,  0, 0, 1 },
    {10, 2,  1, 1, 0 },
    {10, 3,  1, 1, 1 },
    {10, 4,  1, 1, 2 },
    {10, 8,  2, 2, 4 },
    {8,  20, 5, 3, 0 },
    {20, 20, 5, 5, 10},
    {21, 20, 5, 5, 10},
    {10, 0,  0, 0, 0 },
};

static void there_are_as_many_as_asked_for_or_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t counts[3];
        struct sample s;

        print_message("  %zu of %zu\n", sizes[i].asked, sizes[i].rows);
        write_rows(sizes[i].rows, false);
        s = choose(sizes[i].asked);
        count_whys(&s, counts);
        assert_int_equal(counts[SAMPLE_SHORTEST], sizes[i].shortest);
        assert_int_equal(counts[SAMPLE_LONGEST], sizes[i].longest);
        assert_int_equal(counts[SAMPLE_RANDOM], sizes[i].random);
        sample_release(&s);
    }
}

static void rows_of_one_length_are_chosen_too(void **state)
{
    FILE *file = fopen(path, "we");
    struct sample s;

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_true(fputs("{}\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    s = choose(20);
    assert_int_equal(s.count, 20);
    for (size_t i = 1; i < s.count; i++)
        assert_true(s.rows[i - 1].index < s.rows[i].index);
    sample_release(&s);
}

static void what_cannot_be_read_is_told(void **state)
{
    struct rows_options options = {.format = ROWS_JSON};
    struct sample sample = {0};
    struct err err = {0};

    (void)state;
    assert_false(sample_choose("/nowhere/rows.json", &options, 5, &sample, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    write_rows(3, false);
    err = (struct err){0};
    assert_false(sample_choose(path, &options, 5, &sample, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_null(sample.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spread_has_the_shortest_and_the_longest),
        cmocka_unit_test(the_same_rows_give_the_same_sample),
        cmocka_unit_test(random_ones_lie_evenly),
        cmocka_unit_test(rows_with_a_problem_are_not_chosen),
        cmocka_unit_test(there_are_as_many_as_asked_for_or_all),
        cmocka_unit_test(rows_of_one_length_are_chosen_too),
        cmocka_unit_test(what_cannot_be_read_is_told),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
