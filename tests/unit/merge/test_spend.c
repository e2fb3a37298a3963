#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/merge/report.h"
#include "common/merge/report_cost.h"
#include "common/merge/requests.h"
#include "common/merge/spend.h"
#include "common/merge/spent.h"
#include "common/model/ordinal.h"
#include "tests/unit/merge/world.h"

#define DAY_1 1764000000000 /* 2025-11-24 */
#define DAY_2 (DAY_1 + 86400000)

static const struct job_spec zhipu = {.job = "j", .provider = "zhipu"};

static struct spend row_of(const char *model, const char *day, const char *currency, int64_t nano)
{
    struct spend s = {
        .requests = 2, .usage = {100, 10, 20, 5},
             .est_input = 90, .nano = nano
    };

    (void)snprintf(s.model, sizeof(s.model), "%s", model);
    (void)snprintf(s.day, sizeof(s.day), "%s", day);
    (void)snprintf(s.currency, sizeof(s.currency), "%s", currency);
    s.likely_nano = nano * 2;
    return s;
}

static void add(struct spend_list *list, struct spend row)
{
    spend_add(list, &row);
}

static void rows_of_one_model_day_and_currency_are_one(void **state)
{
    struct spend_list list = {0};

    (void)state;
    add(&list, row_of("m", "2025-11-25", "CNY", 7));
    add(&list, row_of("m", "2025-11-24", "CNY", 1));
    add(&list, row_of("a", "2025-11-24", "CNY", 100));
    add(&list, row_of("m", "2025-11-24", "", 0));
    add(&list, row_of("m", "2025-11-24", "CNY", 2));
    spend_sort(&list);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0].model, "a");
    assert_string_equal(list.items[1].currency, "");
    assert_int_equal(list.items[2].nano, 3);
    assert_int_equal(list.items[2].likely_nano, 6);
    assert_int_equal(list.items[2].requests, 4);
    assert_int_equal(list.items[2].est_input, 180);
    assert_int_equal(list.items[2].usage.cached, 20);
    assert_string_equal(list.items[3].day, "2025-11-25");
    spend_release(&list);
}

static void the_money_of_a_part_comes_back_as_it_was(void **state)
{
    struct report r = {
        .wastes = {{1, 0, 5}, {2, 1, 6}, {3, 3, 0}}
    };
    struct report back = {0};
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    add(&r.spend, row_of("glm \"x\"", "2025-11-24", "CNY", INT64_C(4600000000000000000)));
    add(&r.spend, row_of("", "", "", 0));
    r.spend.items[0].guessed = 1;
    assert_true(report_write_part(&r, &out));
    assert_true(report_parse_part(out.data, out.len, &back, NULL));
    assert_int_equal(back.spend.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct spend *was = &r.spend.items[i];
        const struct spend *is = &back.spend.items[i];

        assert_string_equal(is->model, was->model);
        assert_string_equal(is->day, was->day);
        assert_string_equal(is->currency, was->currency);
        assert_int_equal(is->requests * 100 + is->guessed, was->requests * 100 + was->guessed);
        assert_int_equal(is->est_input, was->est_input);
        assert_memory_equal(&is->usage, &was->usage, sizeof(is->usage));
        assert_int_equal(is->nano, was->nano);
        assert_int_equal(is->likely_nano, was->likely_nano);
    }
    assert_memory_equal(back.wastes, r.wastes, sizeof(r.wastes)); /* without padding */
    report_add(&back, &r);
    assert_int_equal(back.spend.count, 2);
    assert_true(back.spend.items[1].likely_nano == INT64_MAX); /* a sum does not turn round */
    assert_int_equal(back.wastes[WASTE_SUPERSEDED].lines, 4);
    assert_int_equal(back.wastes[WASTE_FAILED].unpriced, 6);
    for (size_t i = 0; i + 1 < out.len; i++) {
        struct report cut = {0};

        assert_false(report_parse_part(out.data, i, &cut, NULL));
    }
    report_release(&r);
    report_release(&back);
    buf_release(&out);
}

static void a_part_from_before_there_were_bills_has_an_unknown_cost(void **state)
{
    static const char text[] =
        "{\"version\":2,\"generation\":0,\"requests\":2,\"ok\":2,\"failed\":0,\"invalid\":0,"
        "\"attempts\":3,\"duplicates\":0,\"superseded\":0,\"paid_twice\":0,\"prompt_tokens\":9,"
        "\"completion_tokens\":9,\"cached_tokens\":0,\"reasoning_tokens\":0,\"wasted_prompt\":0,"
        "\"wasted_completion\":0,\"wasted_cached\":0,\"wasted_reasoning\":0,\"out_bytes\":1,"
        "\"dead_bytes\":0,\"out_sha256\":\"\",\"dead_sha256\":\"\",\"codes\":[],\"batches\":[]}\n";
    struct report r = {0};
    struct report_cost cost;

    (void)state;
    assert_true(report_parse_part(text, strlen(text), &r, NULL));
    report_cost(&r, &zhipu, NULL, &cost);
    assert_false(cost.known);
    report_release(&r);
}

static void costs_add_up_and_what_is_not_known_is_never_zero(void **state)
{
    static const struct {
        const char *name;
        struct {
            const char *model, *currency;
            int64_t nano;
        } rows[3];
        bool known;
        int64_t nano;
        const char *currency;
    } cases[] = {
        {"nothing was billed",       {{0}},                                       true,  0,  "CNY"},
        {"one model",                {{"glm-4-air", "CNY", 10}},                  true,  10, "CNY"},
        {"two models",               {{"glm-4-air", "CNY", 10}, {"x", "CNY", 5}}, true,  15, "CNY"},
        {"a free one",               {{"glm-4-flash", "CNY", 0}},                 true,  0,  "CNY"},
        {"one without a price",      {{"x", "CNY", 5}, {"y", "", 0}},             false, 5,  "CNY"},
        {"only one without a price", {{"y", "", 0}},                              false, 0,  "CNY"},
        {"billed in another one",    {{"x", "USD", 5}},                           true,  5,  "USD"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct report r = {
            .wastes = {{1, 0, 3}, {0, 0, 0}, {1, 0, 1}}
        };
        struct report_cost cost;

        print_message("  %s\n", cases[i].name);
        for (size_t k = 0; k < 3 && cases[i].rows[k].model != NULL; k++)
            add(&r.spend, row_of(cases[i].rows[k].model, "2025-11-24", cases[i].rows[k].currency,
                                 cases[i].rows[k].nano));
        report_cost(&r, &zhipu, NULL, &cost);
        assert_int_equal(cost.known, cases[i].known);
        assert_int_equal(cost.nano, cases[i].nano);
        assert_int_equal(cost.likely_nano, 2 * cases[i].nano);
        assert_int_equal(cost.wasted_nano, 4);
        assert_string_equal(cost.currency, cases[i].currency);
        report_release(&r);
    }
}

static void assert_has(const struct buf *text, const char *part)
{
    if (strstr(text->data, part) == NULL)
        fail_msg("no %s in:\n%s", part, text->data);
}

static void the_report_has_the_price_without_a_batch_and_both_currencies(void **state)
{
    struct price_table table = {
        .fx = {.usdcny = 8 * MONEY_UNIT, .as_of = "2026-11-20"}
    };
    struct report r = {
        .wastes = {{1, 0, 40000}, {0, 0, 0}, {0, 0, 0}}
    };
    struct buf out = BUF_INIT(1 << 20);
    struct json_value doc;

    (void)state;
    /* glm-4-air: half of 0.5 CNY a million, in and out */
    add(&r.spend, row_of("glm-4-air", "2025-11-24", "CNY", 30000));
    add(&r.spend, row_of("glm-4-air", "2025-11-25", "CNY", 30000));
    assert_true(report_put_cost_json(&out, &r, &zhipu, &table));
    assert_true(json_scan(out.data, out.len, &doc, NULL));
    assert_has(&out, "\"currency\": \"CNY\"");
    assert_has(&out, "\"total\": \"0.000060000\",\n    \"total_nano\": 60000");
    assert_has(&out, "\"estimated_nano\": 120000");
    assert_has(&out, "\"realtime_nano\": 115000");
    assert_has(&out, "\"unknown_models\": []");
    assert_has(&out, "{\"model\": \"glm-4-air\", \"requests\": 4, \"without_usage\": 0, "
                     "\"prompt_tokens\": 200, \"cached_tokens\": 20, \"completion_tokens\": 40, "
                     "\"reasoning_tokens\": 10, \"nano\": 60000}");
    assert_has(&out, "{\"day\": \"2025-11-25\", \"requests\": 2, \"nano\": 30000}");
    assert_has(&out, "\"duplicates\": {\"lines\": 1, \"without_price\": 0, \"nano\": 40000}");
    assert_has(&out, "\"input_tokens\": {\"estimated\": 180, \"actual\": 200}");
    assert_has(&out, "\"fx\": {\"USDCNY\": \"8.000000000\", \"as_of\": \"2026-11-20\", "
                     "\"usd_nano\": 7500, \"cny_nano\": 60000}");
    buf_clear(&out);
    assert_true(report_put_cost_text(&out, &r, &zhipu, &table));
    assert_has(&out, "cost             ¥0.000060 ($0.000008 at 8.0 of 2026-11-20)\n"
                     "estimated        ¥0.000120 (+100.0 %)\n"
                     "realtime         ¥0.000115\n"
                     "wasted           ¥0.000040\n"
                     "estimate         180 input tokens, 200 counted (-10.0 %)\n");
    report_release(&r);
    buf_release(&out);
}

/* 5 lines say what they took, 4 do not: a token in each of 3 of them is no 0 of the others. */
static void answers_that_say_nothing_are_like_the_others(void **state)
{
    struct report r = {0};
    struct report_cost cost;
    struct spend row = row_of("glm-4-air", "2025-11-24", "CNY", 30000);

    (void)state;
    row.requests = 9;
    row.guessed = 4;
    row.usage = (struct usage){.prompt = 3000004, .completion = 4};
    add(&r.spend, row);
    report_cost(&r, &zhipu, NULL, &cost);
    assert_true(cost.realtime_known);
    /* 5,400,007 tokens in (3,000,004 x 9 / 5) and 7 out, at 0.5 CNY a million */
    assert_int_equal(cost.realtime_nano, INT64_C(2700007) * 1000);
    report_release(&r);
}

static void a_model_without_a_price_is_named(void **state)
{
    struct report r = {0};
    struct buf out = BUF_INIT(1 << 20);
    struct json_value doc;

    (void)state;
    add(&r.spend, row_of("glm-4-air", "2025-11-24", "CNY", MONEY_UNIT));
    add(&r.spend, row_of("mine", "2025-11-24", "", 0));
    assert_true(report_put_cost_json(&out, &r, &zhipu, NULL));
    assert_true(json_scan(out.data, out.len, &doc, NULL));
    assert_has(&out, "\"total\": null,\n    \"total_nano\": null");
    assert_has(&out, "\"known_nano\": 1000000000");
    assert_has(&out, "\"realtime\": null");
    assert_has(&out, "\"unknown_models\": [\"mine\"]");
    assert_has(&out, "\"reasoning_tokens\": 5, \"nano\": null}");
    assert_has(&out, "{\"day\": \"2025-11-24\", \"requests\": 4, \"nano\": null}");
    assert_has(&out, "\"fx\": null");
    buf_clear(&out);
    assert_true(report_put_cost_text(&out, &r, &zhipu, NULL));
    assert_has(&out, "cost             ?, and ¥1.00 of what has a price; no price is known of "
                     "\"mine\"\n");
    buf_clear(&out);
    report_release(&r);
    r = (struct report){0};
    assert_true(report_put_cost_text(&out, &r, &zhipu, NULL));
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

/* ---- what a merge counts */

#define OK_LINE                                                                      \
    "{\"response\":{\"status_code\":200,\"body\":{\"usage\":{\"prompt_tokens\":100," \
    "\"completion_tokens\":10}}},\"error\":null}"
#define BILLED_FAILURE                                                             \
    "{\"response\":{\"status_code\":500,\"body\":{\"usage\":{\"prompt_tokens\":7," \
    "\"completion_tokens\":0}}},\"error\":{\"code\":\"late\"}}"
#define FREE_FAILURE "{\"response\":null,\"error\":{\"code\":\"batch_expired\"}}"

static int set_up(void **state)
{
    struct world *w = xcalloc(1, sizeof(*w));

    world_make(w, 4);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    free(*state);
    return 0;
}

static void put(struct world *w, const char *bid, int64_t created_ms, const char *file,
                struct record record)
{
    struct segment_batch batch = {.created_ms = created_ms};

    (void)snprintf(batch.bid, sizeof(batch.bid), "%s", bid);
    world_segment(w, 0, &batch, file, 0, &record, 1);
}

/* Evidence of all four lines of window 0, at one nano-unit a token. */
static void bill(struct world *w, uint32_t part, const char *bid, int64_t ended_ms, int64_t nano,
                 bool priced)
{
    struct member member = {.window = part * PART_WINDOWS, .lines = 4};
    struct evidence e = {
        .remote = "r",
        .ended_ms = ended_ms,
        .model = "glm-4-air",
        .quote = {"CNY", 1000000, 1000000,            1000000},
        .bill = {.lines = 2,     .priced = priced,   .nano = nano},
        .members = &member,
        .count = 1
    };

    (void)snprintf(e.bid, sizeof(e.bid), "%s", bid);
    world_evidence(w, part, &e);
}

static void a_merge_counts_the_bills_and_what_was_for_nothing(void **state)
{
    struct world *w = *state;
    static const char lines[] =
        "{\"custom_id\":\"a\",\"body\":{}}\n{\"custom_id\":\"b\",\"body\":{}}\n"
        "{\"custom_id\":\"c\",\"body\":{}}\n{\"custom_id\":\"d\",\"body\":{}}\n";
    struct report r = {0};
    bool found = false;

    world_write_input(w, lines, strlen(lines));
    put(w, "b1", 1, "f1", world_record(0, 0, 0, OUTCOME_OK, OK_LINE));
    put(w, "b1", 1, "f2", world_record(0, 0, 9, OUTCOME_OK, OK_LINE)); /* it repeats itself */
    put(w, "b2", 2, "f3", world_record(0, 0, 0, OUTCOME_OK, OK_LINE)); /* paid again */
    put(w, "b1", 1, "f4", world_record(0, 1, 0, OUTCOME_RETRY, BILLED_FAILURE));
    put(w, "b2", 2, "f5", world_record(0, 1, 0, OUTCOME_OK, OK_LINE));
    put(w, "b1", 1, "f6", world_record(0, 2, 0, OUTCOME_FREE, FREE_FAILURE));
    put(w, "b2", 2, "f7", world_record(0, 2, 0, OUTCOME_PERM, BILLED_FAILURE));
    put(w, "b3", 3, "f8", world_record(0, 3, 0, OUTCOME_PERM, BILLED_FAILURE)); /* no price */
    bill(w, 0, "b1", DAY_1, 117, true);
    bill(w, 0, "b2", DAY_2, 227, true);
    bill(w, 0, "b3", DAY_2, 0, false);
    assert_int_equal(world_merge(w, 0, 1, false, NULL), MERGE_DONE);
    assert_true(report_load_part(w->sink, 0, 0, &r, &found, NULL) && found);
    assert_int_equal(r.spend.count, 3);
    assert_string_equal(r.spend.items[0].day, "2025-11-24");
    assert_int_equal(r.spend.items[0].nano, 117);
    assert_string_equal(r.spend.items[1].currency, "");
    assert_int_equal(r.spend.items[2].nano, 227);
    assert_int_equal(r.wastes[WASTE_DUPLICATES].lines, 1);
    assert_int_equal(r.wastes[WASTE_DUPLICATES].nano, 110);
    assert_int_equal(r.wastes[WASTE_SUPERSEDED].lines, 1);
    assert_int_equal(r.wastes[WASTE_SUPERSEDED].nano, 7);
    assert_int_equal(r.wastes[WASTE_FAILED].lines, 2);
    assert_int_equal(r.wastes[WASTE_FAILED].nano, 7);
    assert_int_equal(r.wastes[WASTE_FAILED].unpriced, 1);
    report_release(&r);
}

static void what_was_spent_is_read_off_the_evidence(void **state)
{
    struct world *w = *state;
    struct spent_list spent;
    struct err err = {0};
    int64_t sum = 0;

    assert_true(spent_read(w->sink, "CNY", &spent, NULL));
    assert_int_equal(spent.count, 0);
    assert_true(requests_publish_index(w->sink, 1, 100, 2049, NULL));
    bill(w, 0, "b1", DAY_1, 5, true);
    bill(w, 1, "b1", DAY_1, 7, true);
    bill(w, 1, "b2", DAY_1, 11, true);
    bill(w, 1, "b3", DAY_1, 0, false);
    assert_true(spent_read(w->sink, "CNY", &spent, NULL));
    assert_int_equal(spent.count, 3);
    for (size_t i = 0; i < spent.count; i++)
        sum += spent.items[i].nano;
    assert_int_equal(sum, 23);
    spent_release(&spent);
    assert_false(spent_read(w->sink, "USD", &spent, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "has spent money in CNY, and its provider bills in USD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_one_model_day_and_currency_are_one),
        cmocka_unit_test(the_money_of_a_part_comes_back_as_it_was),
        cmocka_unit_test(a_part_from_before_there_were_bills_has_an_unknown_cost),
        cmocka_unit_test(costs_add_up_and_what_is_not_known_is_never_zero),
        cmocka_unit_test(the_report_has_the_price_without_a_batch_and_both_currencies),
        cmocka_unit_test(answers_that_say_nothing_are_like_the_others),
        cmocka_unit_test(a_model_without_a_price_is_named),
        cmocka_unit_test_setup_teardown(a_merge_counts_the_bills_and_what_was_for_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_was_spent_is_read_off_the_evidence, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
