#include "tests/testlib/unit.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/enrich/answer_fields.h"
#include "common/enrich/report_words.h"
#include "common/enrich/tally.h"
#include "common/model/price_table.h"

static void add(struct answer_fields *f, const char *answer)
{
    const struct slice slice = {answer, strlen(answer)};

    answer_fields_add(f, &slice);
}

/* "path: value count, value count; path: ..." */
static void describe(struct answer_fields *f, struct buf *out)
{
    for (size_t i = 0; i < f->count; i++) {
        size_t count;
        const struct tally_entry *top = tally_top(f->items[i].tally, 100, &count);

        assert_true(buf_printf(out, "%s%s:", i == 0 ? "" : "; ", f->items[i].path));
        for (size_t k = 0; k < count; k++)
            assert_true(buf_printf(out, " %s*%d", top[k].text, (int)top[k].count));
    }
    assert_true(buf_printf(out, "%s", f->more ? " more" : ""));
}

static const struct {
    const char *answers[4], *fields;
} cases[] = {
    {{"3", "3", "5"},                                    ": v3*2 v5*1"                   },
    {{"\"3\"", "3"},                                     ": s3*1 v3*1"                   },
    {{"\"\\u4f53\"", "\"\xe4\xbd\x93\""},                ": s\xe4\xbd\x93*2"             },
    {{"true", "null", "false", "null"},                  ": vnull*2 vfalse*1 vtrue*1"    },
    {{"[\"a\",\"b\"]", "[\"a\"]", "[]"},                 "[]: sa*2 sb*1; : v[]*1"        },
    {{"{\"p\":1,\"q\":{\"r\":\"x\"}}", "{\"p\":2}"},     "p: v1*1 v2*1; q.r: sx*1"       },
    {{"{\"t\":[{\"a\":\"x\"},{\"a\":\"y\",\"b\":[]}]}"}, "t[].a: sx*1 sy*1; t[].b: v[]*1"},
    {{"[[1],[2]]", "{}"},                                "[][]: v1*1 v2*1; : v{}*1"      },
    {{"{\"a.b\":1}", "{\"a\":{\"b\":2}}"},               "a.b: v1*1 v2*1"                },
    {{"[[[[[[[[1]]]]]]]]", "[[[[[[[[[1]]]]]]]]]"},       "[][][][][][][][]: v1*1 more"   },
    {{"{\"a\\u0000b\":1,\"c\":2}"},                      "c: v2*1 more"                  },
};

static void answers_are_counted_by_where_their_values_stand(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer_fields f = {0};
        struct buf out = BUF_INIT(1 << 16);

        for (size_t k = 0; k < ARRAY_LEN(cases[i].answers) && cases[i].answers[k] != NULL; k++)
            add(&f, cases[i].answers[k]);
        describe(&f, &out);
        assert_string_equal(out.data, cases[i].fields);
        buf_release(&out);
        answer_fields_release(&f);
    }
}

static void numbers_have_a_mean_and_bounds(void **state)
{
    struct answer_fields f = {0};

    (void)state;
    add(&f, "{\"n\":-2}");
    add(&f, "{\"n\":4}");
    add(&f, "{\"n\":\"4\"}");
    assert_int_equal(f.items[0].values, 3);
    assert_int_equal(f.items[0].numbers, 2);
    assert_true(f.items[0].whole);
    assert_true(fabs(enrich_field_mean(&f.items[0]) - 1) < 1e-9);
    assert_true(fabs(f.items[0].min + 2) < 1e-9 && fabs(f.items[0].max - 4) < 1e-9);
    add(&f, "{\"n\":0.5}");
    assert_false(f.items[0].whole);
    add(&f, "{\"n\":1e999}");
    assert_int_equal(f.items[0].values, 5);
    assert_int_equal(f.items[0].numbers, 3);
    answer_fields_release(&f);
}

static void the_mean_of_the_greatest_numbers_is_finite(void **state)
{
    static const struct {
        const char *answers[4];
        double mean;
    } numbers[] = {
        {{"1e308", "1e308", "1e308"},                                                    1e308   },
        {{"1.7976931348623157e308", "1.7976931348623157e308", "1.7976931348623157e308"}, DBL_MAX },
        {{"1e308", "-1e308", "1e308", "-1e308"},                                         0       },
        {{"-1.7976931348623157e308", "-1.7976931348623157e308"},                         -DBL_MAX},
        {{"5e-324", "5e-324"},                                                           5e-324  },
        {{"0.1", "0.1", "0.1", "0.1"},                                                   0.1     },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct answer_fields f = {0};
        double mean;

        for (size_t k = 0; k < 4 && numbers[i].answers[k] != NULL; k++)
            add(&f, numbers[i].answers[k]);
        mean = enrich_field_mean(&f.items[0]);
        assert_true(isfinite(mean));
        assert_true(fabs(mean - numbers[i].mean) <= 1e-15 * fabs(numbers[i].mean));
        answer_fields_release(&f);
    }
}

static void too_many_places_are_not_counted(void **state)
{
    struct answer_fields f = {0};
    char answer[64];

    (void)state;
    for (int i = 0; i < ANSWER_FIELDS_MAX; i++) {
        (void)snprintf(answer, sizeof(answer), "{\"m%d\":1}", i);
        add(&f, answer);
    }
    assert_false(f.more);
    add(&f, "{\"one\":1}");
    add(&f, "{\"m0\":1}");
    assert_true(f.more);
    assert_int_equal(f.count, ANSWER_FIELDS_MAX);
    assert_int_equal(f.items[0].values, 2);
    answer_fields_release(&f);
}

static void a_tally_counts_its_first_texts_and_all_others_together(void **state)
{
    struct tally *t = tally_new(500);
    char text[16];
    size_t count;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            int len = snprintf(text, sizeof(text), "%d", i);

            tally_add(t, text, (size_t)len, 1);
        }
        /* Asking in between changes nothing. */
        (void)tally_top(t, 10, &count);
        assert_int_equal(count, 10);
    }
    tally_add(t, "7", 1, 1);
    const struct tally_entry *top = tally_top(t, 3, &count);
    assert_string_equal(top[0].text, "7");
    assert_int_equal(top[0].count, 4);
    assert_string_equal(top[1].text, "0");
    assert_string_equal(top[2].text, "1");
    assert_int_equal(tally_texts(t), 500);
    assert_int_equal(tally_total(t), 3001);
    assert_int_equal(tally_others(t), 1500);
    tally_free(t);
}

static void long_texts_are_cut_between_characters(void **state)
{
    struct tally *t = tally_new(10);
    struct buf text = BUF_INIT(1 << 12);
    size_t count;

    (void)state;
    assert_true(buf_printf(&text, "x"));
    for (int i = 0; i < 100; i++)
        assert_true(buf_printf(&text, "\xe5\xa5\xbd"));
    tally_add(t, text.data, text.len, 1);
    tally_add(t, text.data, text.len - 3, 1);
    const struct tally_entry *top = tally_top(t, 10, &count);
    assert_int_equal(count, 1);
    assert_int_equal(top[0].count, 2);
    assert_int_equal(strlen(top[0].text), 1 + 53 * 3 + 3);
    assert_string_equal(top[0].text + 1 + 52 * 3, "\xe5\xa5\xbd\xe2\x80\xa6");
    buf_release(&text);
    tally_free(t);
}

static void shares_and_numbers_are_written_for_people(void **state)
{
    static const struct {
        uint64_t n, total;
        const char *share;
    } shares[] = {
        {0,            0,             "\xe2\x80\x93"},
        {0,            7,             "0.0%"        },
        {1,            3,             "33.3%"       },
        {2,            3,             "66.6%"       },
        {3,            3,             "100.0%"      },
        {999999,       1000000,       "99.9%"       },
        {999999999999, 1000000000000, "99.9%"       },
    };
    char word[REPORT_WORD_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shares); i++)
        assert_string_equal(report_share(shares[i].n, shares[i].total, word), shares[i].share);
    assert_string_equal(report_number(0, word), "0");
    assert_string_equal(report_number(999, word), "999");
    assert_string_equal(report_number(1234567, word), "1,234,567");
    assert_string_equal(report_number(UINT64_MAX, word), "18,446,744,073,709,551,615");
    assert_string_equal(report_deviation(103, 100, word), "+3.0%");
    assert_string_equal(report_deviation(5, 0, word), "\xe2\x80\x93");
}

static void money_is_shown_in_both_currencies_with_the_day_of_the_rate(void **state)
{
    const struct price_fx none = {0};
    const struct price_fx fx = {.usdcny = 7250000000, .as_of = "2026-11-20"};
    char word[REPORT_WORD_MAX];

    (void)state;
    assert_string_equal(report_money(&fx, "CNY", 725000000000, word),
                        "\xc2\xa5"
                        "725.00 ($100.00 at 7.25 of 2026-11-20)");
    assert_string_equal(report_money(&fx, "USD", 2000000000, word), "$2.00 (\xc2\xa5"
                                                                    "14.50 at 7.25 of 2026-11-20)");
    assert_string_equal(report_money(&none, "USD", 2000000000, word), "$2.00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_counted_by_where_their_values_stand),
        cmocka_unit_test(numbers_have_a_mean_and_bounds),
        cmocka_unit_test(the_mean_of_the_greatest_numbers_is_finite),
        cmocka_unit_test(too_many_places_are_not_counted),
        cmocka_unit_test(a_tally_counts_its_first_texts_and_all_others_together),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(shares_and_numbers_are_written_for_people),
        cmocka_unit_test(money_is_shown_in_both_currencies_with_the_day_of_the_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
