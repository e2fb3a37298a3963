#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "tests/unit/enrich/enrich_world.h"

#define RECIPE                                                                           \
    "model: glm-4-air\n"                                                                 \
    "analyses:\n"                                                                        \
    "  - name: mood\n"                                                                   \
    "    prompt: '{{t}}'\n"                                                              \
    "    when: t != ''\n"                                                                \
    "    answer: {repair: true, schema: {type: object, properties: {n: {type: integer}," \
    " why: {type: string}}}}\n"                                                          \
    "    output: ai.mood\n"                                                              \
    "  - name: kinds\n"                                                                  \
    "    prompt: '{{#rows}}{{_id}} {{t}}{{/rows}}'\n"                                    \
    "    answer: {type: json}\n"                                                         \
    "    vocabulary: {terms: ['<news>', '\xe6\x97\xa5\xe8\xae\xb0']}\n"                  \
    "    pack: {rows: 4, answer: kinds}\n"                                               \
    "    default: []\n"

#define ROWS "{\"t\":\"x\"}\n{\"t\":\"y\"}\n{\"t\":\"\"}\n7\n{\"t\":\"z\"}\n"

static const struct enrich_said first[] = {
    {"mood_0000",  "{\"n\":4,\"why\":\"a\"}", NULL},
    {"mood_0001",  "```\n{\"n\":2}\n```",     NULL},
    {"mood_0004",  "no idea",                 NULL},
    {"kinds_0000",
     "[{\"id\":0,\"kinds\":[\"<news>\",\"\xe6\x97\xa5\xe8\xae\xb0\"]},{\"id\":1,\"kinds\":[]},"
     "{\"id\":2,\"kinds\":[\"essay\"]}]",     NULL},
};
static const struct enrich_said second[] = {
    {"mood_0004",  NULL,                                  "content_filter"},
    {"kinds_0002", "[{\"id\":2,\"kinds\":[\"essay\"]}]",  NULL            },
    {"kinds_0004", "[{\"id\":4,\"kinds\":[\"<news>\"]}]", NULL            },
};

struct place {
    struct enrich_world world;
    struct enrich_report report;
};

static int set_up(void **state)
{
    struct place *p = xcalloc(1, sizeof(*p));
    struct err err = {0};

    enrich_world_make(&p->world, RECIPE, "rows.jsonl", ROWS);
    enrich_world_round(&p->world, first, ARRAY_LEN(first));
    enrich_world_round(&p->world, second, ARRAY_LEN(second));
    if (!enrich_world_integrate(&p->world, false, &p->report, NULL, &err))
        fail_msg("%s", err.msg);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;

    enrich_report_release(&p->report);
    enrich_world_free(&p->world);
    free(p);
    return 0;
}

static struct buf read_report(const struct place *p)
{
    char path[SCRATCH_PATH_MAX + 32];

    (void)snprintf(path, sizeof(path), "%s/out.report.json", p->world.path);
    return enrich_world_read(path);
}

static void every_row_and_every_answer_is_counted(void **state)
{
    const struct place *p = *state;
    const struct enrich_analysis *mood = &p->report.analyses[0];
    const struct enrich_analysis *kinds = &p->report.analyses[1];

    assert_int_equal(p->report.rows, 5);
    assert_int_equal(p->report.written, 5);
    assert_int_equal(p->report.invalid_rows, 1);
    assert_int_equal(p->report.rounds, 2);
    assert_int_equal(enrich_report_failed(&p->report), 3);
    assert_int_equal(enrich_report_coverage(&p->report, 0), 400);
    assert_int_equal(enrich_report_coverage(&p->report, 1), 600);

    assert_int_equal(mood->verdicts[VERDICT_OK], 1);
    assert_int_equal(mood->verdicts[VERDICT_REPAIRED], 1);
    assert_int_equal(mood->verdicts[VERDICT_FAILED], 2);
    assert_int_equal(mood->verdicts[VERDICT_SKIPPED], 1);
    assert_int_equal(mood->repairs[REPAIR_FENCE], 1);
    assert_int_equal(mood->asked, 3);
    assert_int_equal(mood->requests, 4);
    assert_int_equal(mood->answers, 3);
    assert_int_equal(mood->invalid, 1);
    assert_int_equal(mood->failures, 1);

    assert_int_equal(kinds->verdicts[VERDICT_OK], 3);
    assert_int_equal(kinds->verdicts[VERDICT_DEFAULTED], 1);
    assert_int_equal(kinds->verdicts[VERDICT_FAILED], 1);
    assert_int_equal(kinds->requests, 3);
    assert_int_equal(kinds->answers, 5);
    assert_int_equal(kinds->invalid, 2);
    assert_int_equal(kinds->lost, 1);
}

static void tokens_and_money_are_those_of_the_answers(void **state)
{
    const struct place *p = *state;
    const struct enrich_spend *mood = &p->report.analyses[0].spend[0];
    const struct enrich_spend *kinds = &p->report.analyses[1].spend[0];
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano, wasted;

    assert_string_equal(mood->model, "glm-4-air");
    assert_int_equal(mood->usage.prompt, 300);
    assert_int_equal(mood->usage.completion, 30);
    assert_int_equal(mood->wasted.prompt, 100);
    /* Two rows of four in the first request, and all of the second. */
    assert_int_equal(kinds->usage.prompt, 300);
    assert_int_equal(kinds->wasted.prompt, 150);
    assert_int_equal(kinds->wasted.completion, 15);
    assert_int_equal(p->report.analyses[1].metered, 300);
    assert_true(enrich_report_cost(&p->report, currency, &nano, &wasted));
    assert_string_equal(currency, "CNY");
    assert_true(nano > 0 && nano == mood->nano + kinds->nano);
    assert_int_equal(wasted, mood->wasted_nano + kinds->wasted_nano);
}

static void a_model_without_a_price_makes_the_cost_unknown(void **state)
{
    struct place *p = *state;
    const struct enrich_money nobody = {.prices = NULL, .provider = "nobody"};
    struct enrich_report report;
    struct report_times times = {0};
    struct buf text = BUF_INIT(1 << 20);
    char currency[MONEY_CURRENCY_SIZE];
    int64_t nano, wasted;
    struct err err = {0};

    assert_true(
        enrich_report_collect(&p->world.recipe, p->world.rounds, 2, false, &nobody, &report, &err));
    assert_false(enrich_report_cost(&report, currency, &nano, &wasted));
    assert_true(enrich_report_write_text(&report, p->world.rounds[0].spec, &times, &text));
    assert_non_null(strstr(text.data, "cost of answers  ?\n"));
    enrich_report_release(&report);
    buf_release(&text);
}

static void without_the_rows_the_counts_are_the_same(void **state)
{
    struct place *p = *state;
    struct enrich_report report;
    struct report_times times = {0};
    struct buf here = BUF_INIT(1 << 20);
    struct buf there = BUF_INIT(1 << 20);
    const struct enrich_money money = {.prices = NULL, .provider = "zhipu"};
    struct err err = {0};

    assert_int_equal(unlink(p->world.rows), 0);
    assert_true(
        enrich_report_collect(&p->world.recipe, p->world.rounds, 2, false, &money, &report, &err));
    assert_true(enrich_report_write_text(&p->report, p->world.rounds[0].spec, &times, &here));
    assert_true(enrich_report_write_text(&report, p->world.rounds[0].spec, &times, &there));
    assert_string_equal(here.data, there.data);
    enrich_report_release(&report);

    /* After the first round two are open. */
    assert_true(
        enrich_report_collect(&p->world.recipe, p->world.rounds, 1, false, &money, &report, &err));
    assert_int_equal(report.analyses[0].verdicts[VERDICT_OPEN], 1);
    assert_int_equal(report.analyses[1].verdicts[VERDICT_OPEN], 2);
    assert_int_equal(report.analyses[1].verdicts[VERDICT_DEFAULTED], 0);
    enrich_report_release(&report);
    buf_release(&here);
    buf_release(&there);
}

static void the_document_has_all_of_an_ordinary_report_and_the_recipes_part(void **state)
{
    const struct place *p = *state;
    struct buf text = read_report(p);
    struct json_value doc;

    assert_true(json_scan(text.data, text.len, &doc, NULL));
    static const char *const members[] = {"schema", "job",  "ji",    "requests",
                                          "tokens", "cost", "files", "recipe"};
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        assert_int_not_equal(json_member(&doc, members[i]).kind, JSON_ABSENT);
    static const char *const pieces[] = {
        "\"recipe\": {\"rows\": 5, \"invalid_rows\": 1, \"written\": 5, \"rounds\": 2, ",
        "\"rows\": {\"ok\": 1, \"repaired\": 1, \"defaulted\": 0, \"failed\": 2, \"skipped\": 1, "
        "\"open\": 0}, \"coverage\": 0.400,",
        "\"repairs\": {\"fence\": 1}",
        "{\"why\": \"nothing for the row in the pack's answer\", \"count\": 1}",
        "{\"path\": \"n\", \"values\": 2, \"different\": 2, \"others\": 0, \"numbers\": "
        "{\"count\": 2, \"min\": 2, \"mean\": 3, \"max\": 4},",
        "{\"value\": 4, \"count\": 1}",
        "{\"value\": \"<news>\", \"count\": 2}, {\"value\": \"\xe6\x97\xa5\xe8\xae\xb0\", "
        "\"count\": 1}",
        "{\"value\": [], \"count\": 1}",
    };
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        if (strstr(text.data, pieces[i]) == NULL)
            fail_msg("it lacks %s", pieces[i]);
    buf_release(&text);
}

static void the_document_is_valid_with_the_greatest_numbers(void **state)
{
    static const struct enrich_said said[] = {
        {"m_0000", "{\"n\":1e308,\"o\":1e308}",  NULL},
        {"m_0001", "{\"n\":1e308,\"o\":-1e308}", NULL},
        {"m_0002", "{\"n\":1e308,\"o\":1e308}",  NULL},
        {"m_0003", "{\"n\":1e308,\"o\":-1e308}", NULL},
    };
    struct place p = {0};
    struct buf text;
    struct json_value doc;
    struct err err = {0};

    (void)state;
    enrich_world_make(&p.world,
                      "model: m\nanalyses:\n  - {name: m, prompt: '{{t}}', answer: {type: json}}\n",
                      "rows.jsonl", "{\"t\":1}\n{\"t\":2}\n{\"t\":3}\n{\"t\":4}\n");
    enrich_world_round(&p.world, said, ARRAY_LEN(said));
    if (!enrich_world_integrate(&p.world, false, &p.report, NULL, &err))
        fail_msg("%s", err.msg);
    text = read_report(&p);
    assert_true(json_scan(text.data, text.len, &doc, NULL));
    assert_non_null(strstr(text.data, "\"min\": 1e+308, \"mean\": 1e+308, \"max\": 1e+308}"));
    assert_non_null(strstr(text.data, "\"min\": -1e+308, \"mean\": 0, \"max\": 1e+308}"));
    buf_release(&text);
    enrich_report_release(&p.report);
    enrich_world_free(&p.world);
}

static void the_text_has_a_line_for_each_analysis(void **state)
{
    struct place *p = *state;
    struct report_times times = {0};
    struct buf text = BUF_INIT(1 << 20);
    static const char *const pieces[] = {
        "rows             5\n  no objects     1\nrounds           2\n",
        "\nmood                                 1         1         0         2         1 ",
        " 0     40.0% ",
        "\nkinds: 3 requests\n  2 answers not valid, 1 row forgotten\n",
        "  repaired: fence 1\n",
        "  n: least 2, mean 3, greatest 4; 2 50.0%, 4 50.0%\n",
        "  answer[]: <news> 66.6%, \xe6\x97\xa5\xe8\xae\xb0 33.3%\n",
    };

    assert_true(enrich_report_write_text(&p->report, p->world.rounds[0].spec, &times, &text));
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        if (strstr(text.data, pieces[i]) == NULL)
            fail_msg("it lacks \"%s\":\n%s", pieces[i], text.data);
    buf_release(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_and_every_answer_is_counted),
        TEST(tokens_and_money_are_those_of_the_answers),
        TEST(a_model_without_a_price_makes_the_cost_unknown),
        TEST(without_the_rows_the_counts_are_the_same),
        TEST(the_document_has_all_of_an_ordinary_report_and_the_recipes_part),
        TEST(the_text_has_a_line_for_each_analysis),
        cmocka_unit_test(the_document_is_valid_with_the_greatest_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
