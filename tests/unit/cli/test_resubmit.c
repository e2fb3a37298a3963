#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/core/resubmit_filter.h"
#include "cli/core/resubmit_plan.h"
#include "common/base/attr.h"
#include "common/json/scan.h"

/* What a filter says of a row. */
static const struct {
    const char *codes, *shards; /* NULL: not given */
    uint32_t window;
    int64_t status;
    const char *code;
    bool fits;
} choices[] = {
    {NULL,                       NULL,      0,  400, "content_filter", true },
    {"400 content_filter",       NULL,      0,  400, "content_filter", true },
    {"content_filter",           NULL,      0,  400, "content_filter", true },
    {"400",                      NULL,      0,  400, "content_filter", true },
    {"40",                       NULL,      0,  400, "content_filter", false},
    {"400 content",              NULL,      0,  400, "content_filter", false},
    {"429 content_filter",       NULL,      0,  400, "content_filter", false},
    {"500, content_filter ,429", NULL,      0,  400, "content_filter", true },
    {"500,429",                  NULL,      0,  400, "content_filter", false},
    {"1301",                     NULL,      0,  400, "1301",           true },
    {"400",                      NULL,      0,  -1,  "400",            true },
    {"500",                      NULL,      0,  500, "",               true },
    {"missing_result",           NULL,      0,  -1,  "missing_result", true },
    {"missing_result",           NULL,      0,  0,   "missing_result", true },
    {"unknown",                  NULL,      0,  -1,  "",               true },
    {"unknown",                  NULL,      0,  500, "",               false},
    {"unknown",                  NULL,      0,  -1,  "x",              false},
    {NULL,                       "3-7",     3,  500, "",               true },
    {NULL,                       "3-7",     7,  500, "",               true },
    {NULL,                       "3-7",     8,  500, "",               false},
    {NULL,                       "3-7",     2,  500, "",               false},
    {NULL,                       "3,5",     4,  500, "",               false},
    {NULL,                       "3, 5",    5,  500, "",               true },
    {NULL,                       "0,10-20", 15, 500, "",               true },
    {"500",                      "3-7",     4,  500, "",               true },
    {"500",                      "3-7",     8,  500, "",               false},
    {"429",                      "3-7",     4,  500, "",               false},
};

static void a_row_fits_by_cause_and_by_window(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        struct resubmit_filter f = {0};

        print_message("  --code %s --shard %s: %u %d %s\n",
                      choices[i].codes ? choices[i].codes : "-",
                      choices[i].shards ? choices[i].shards : "-", choices[i].window,
                      (int)choices[i].status, choices[i].code);
        if (choices[i].codes != NULL)
            assert_true(resubmit_filter_add_codes(&f, choices[i].codes, NULL));
        if (choices[i].shards != NULL)
            assert_true(resubmit_filter_add_shards(&f, choices[i].shards, NULL));
        assert_int_equal(
            resubmit_filter_fits(&f, choices[i].window, choices[i].status, choices[i].code),
            choices[i].fits);
        resubmit_filter_release(&f);
    }
}

static const char *const bad_shards[] = {"",     "x",         "3-",           "-3",  "7-3",
                                         "3,,4", "3-7-9",     "3.5",          "1 2", "0x10",
                                         ",",    "268435456", "3-99999999999"};

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_shards); i++) {
        struct resubmit_filter f = {0};
        struct err err = {0};

        print_message("  \"%s\"\n", bad_shards[i]);
        assert_false(resubmit_filter_add_shards(&f, bad_shards[i], &err));
        assert_int_equal(err.kind, ERR_USAGE);
        resubmit_filter_release(&f);
    }
    struct resubmit_filter f = {0};
    struct err err = {0};
    assert_false(resubmit_filter_add_codes(&f, "429,,500", &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_false(resubmit_filter_add_codes(&f, "invalid_request_line", &err));
    assert_non_null(strstr(err.msg, "cannot be sent"));
    resubmit_filter_release(&f);
}

static const struct resubmit_plan_lane priced[] = {
    {.model = "gpt-4o-mini",            .requests = 10, .bytes = 20000, .tokens = 4500},
    {.model = "gpt-4o-mini-2024-07-18", .requests = 5,  .bytes = 3000,  .tokens = 4500},
};
static const struct resubmit_plan_lane unpriced[] = {
    {.label = "{}", .model = "gpt-4o-mini", .requests = 10, .bytes = 20000, .tokens = 4500},
    {.label = "{}", .model = "my-own",      .requests = 5,  .bytes = 3000,  .tokens = 4500},
};

static struct resubmit_plan_facts facts_of(const struct resubmit_plan_lane *lanes)
{
    return (struct resubmit_plan_facts){.job = "nightly",
                                        .generation = 1,
                                        .failed = 16,
                                        .invalid = 1,
                                        .rows = 15,
                                        .windows = 2,
                                        .lanes = lanes,
                                        .lane_count = lanes == NULL ? 0 : 2,
                                        .lanes_why = "/data/in.jsonl: No such file or directory",
                                        .provider = "openai",
                                        .max_requests = 4,
                                        .max_bytes = 10000,
                                        .ok = 100,
                                        .completion_tokens = 2000};
}

static void a_plan_adds_up_its_lanes(void **state)
{
    struct resubmit_plan_facts facts = facts_of(priced);
    struct resubmit_plan plan;

    (void)state;
    resubmit_plan_make(&facts, &plan);
    assert_int_equal(plan.batches, 3 + 2); /* 10 of at most 4; 5 of at most 4 */
    assert_int_equal(plan.bytes, 23000);
    assert_int_equal(plan.input_tokens, 9000);
    assert_int_equal(plan.output_tokens, 300);
    /* half of 9,000 at 0.15 and 300 at 0.60 for a million */
    assert_int_equal(plan.nano, 765000);
    assert_string_equal(plan.currency, "USD");
    facts.max_requests = 0;
    facts.max_bytes = 1000;
    resubmit_plan_make(&facts, &plan);
    assert_int_equal(plan.batches, 20 + 3);
}

static void of_no_rows_all_is_known(void **state)
{
    struct resubmit_plan_facts facts = facts_of(priced);
    struct resubmit_plan plan;

    (void)state;
    facts.rows = 0;
    facts.lane_count = 0;
    facts.ok = 0;
    resubmit_plan_make(&facts, &plan);
    assert_int_equal(plan.batches, 0);
    assert_int_equal(plan.bytes, 0);
    assert_int_equal(plan.input_tokens, 0);
    assert_int_equal(plan.output_tokens, 0);
    assert_int_equal(plan.nano, 0);
    assert_null(plan.currency);
}

static void what_is_not_known_is_not_zero(void **state)
{
    struct resubmit_plan_facts facts = facts_of(unpriced);
    struct resubmit_plan plan;
    struct buf text = BUF_INIT(1 << 16);

    (void)state;
    resubmit_plan_make(&facts, &plan);
    assert_int_equal(plan.nano, -1); /* one model has no price */
    assert_null(plan.currency);
    facts = facts_of(priced);
    facts.ok = 0;
    resubmit_plan_make(&facts, &plan);
    assert_int_equal(plan.output_tokens, -1);
    assert_int_equal(plan.nano, -1); /* how long answers are is not known */
    facts = facts_of(NULL);
    resubmit_plan_make(&facts, &plan);
    assert_int_equal(plan.batches, -1);
    assert_int_equal(plan.nano, -1);
    resubmit_plan_print(&facts, &plan, &text);
    assert_non_null(strstr(text.data, "15 of 16 failed rows"));
    assert_non_null(strstr(text.data, "price          ?"));
    assert_non_null(strstr(text.data, "lanes          ?  (/data/in.jsonl"));
    buf_release(&text);
}

static void the_price_says_whose_list_it_is_of(void **state)
{
    struct price own = {.model = "my-own", .currency = "USD", .cached = -1, .batch_percent = 50};
    struct price_table table = {.rows = &own, .count = 1};
    struct resubmit_plan_facts facts = facts_of(unpriced);
    struct resubmit_plan plan;
    struct buf text = BUF_INIT(1 << 16);

    (void)state;
    facts.prices = &table;
    resubmit_plan_make(&facts, &plan);
    resubmit_plan_print(&facts, &plan, &text);
    assert_non_null(strstr(text.data, ", by the configured prices and the list of pydantic/"));
    buf_clear(&text);
    facts.lanes = &unpriced[1];
    facts.lane_count = 1;
    resubmit_plan_make(&facts, &plan);
    resubmit_plan_print(&facts, &plan, &text);
    assert_non_null(strstr(text.data, ", by the configured prices\n"));
    buf_clear(&text);
    facts.lanes = &unpriced[0];
    resubmit_plan_make(&facts, &plan);
    resubmit_plan_print(&facts, &plan, &text);
    assert_non_null(strstr(text.data, ", by the list of pydantic/genai-prices"));
    buf_release(&text);
}

static void the_document_is_json(void **state)
{
    struct resubmit_plan_facts facts = facts_of(priced);
    struct resubmit_plan plan;
    struct buf text = BUF_INIT(1 << 16);
    struct json_value doc;
    int64_t n;

    (void)state;
    resubmit_plan_make(&facts, &plan);
    resubmit_plan_print_json(&facts, &plan, &text);
    assert_true(json_scan(text.data, text.len, &doc, NULL));
    struct json_value nano = json_member(&doc, "price_nano");
    assert_true(json_to_int64(&nano, &n) && n == 765000);
    buf_clear(&text);
    facts = facts_of(NULL);
    resubmit_plan_make(&facts, &plan);
    resubmit_plan_print_json(&facts, &plan, &text);
    assert_true(json_scan(text.data, text.len, &doc, NULL));
    struct json_value lanes = json_member(&doc, "lanes");
    nano = json_member(&doc, "price_nano");
    assert_true(json_is_null(&lanes) && json_is_null(&nano));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_fits_by_cause_and_by_window),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(a_plan_adds_up_its_lanes),
        cmocka_unit_test(of_no_rows_all_is_known),
        cmocka_unit_test(what_is_not_known_is_not_zero),
        cmocka_unit_test(the_price_says_whose_list_it_is_of),
        cmocka_unit_test(the_document_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
