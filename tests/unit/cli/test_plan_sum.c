#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/core/plan_print.h"
#include "cli/core/plan_spread.h"
#include "cli/core/plan_sum.h"
#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"

#define CHAT "/v1/chat/completions"

static const struct price_table prices = {
    .fx = {.usdcny = 7250000000, .as_of = "2026-11-20"},
};

static const struct provider_limits limits = {.max_requests = 50000, .batches_alive = 10};

static struct plan *new_plan(const char *provider)
{
    struct plan *plan = calloc(1, sizeof(*plan));

    assert_non_null(plan);
    plan->input = "in.jsonl";
    plan->profile = provider_profile_find(provider);
    plan->limits = &limits;
    plan->prices = &prices;
    return plan;
}

static void add(struct plan *plan, const char *endpoint, const char *model,
                const struct plan_count *count)
{
    plan_count_add(&plan_lane_for(plan, endpoint, model)->count, count);
}

static void end(struct plan *plan)
{
    plan_release(plan);
    free(plan);
}

static const struct {
    uint64_t requests, bytes, max_requests, max_bytes, batches;
    const char *endpoint;
} cuts[] = {
    {1,     10,        0,       0,  1,  CHAT},
    {50000, 1000,      0,       0,  1,  CHAT},
    {50001, 1000,      0,       0,  2,  CHAT},
    {10,    190000000, 0,       0,  1,  CHAT},
    {10,    190000001, 0,       0,  2,  CHAT},
    {10,    380000001, 0,       0,  3,  CHAT},
    {101,   1000,      10,      0,  11, CHAT},
    {101,   1000,      10,      50, 20, CHAT},
    {101,   1000,      1000000, 0,  1,  CHAT},
    {0,     0,         0,       0,  0,  CHAT},
};

static void test_batches_are_as_many_as_requests_or_bytes_need(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        struct plan *plan = new_plan("openai");

        plan->max_requests = cuts[i].max_requests;
        plan->max_bytes = cuts[i].max_bytes;
        add(plan, cuts[i].endpoint, "gpt-4o-mini",
            &(struct plan_count){.requests = cuts[i].requests, .bytes = cuts[i].bytes});
        plan_finish(plan);
        assert_int_equal(plan->batches, cuts[i].batches);
        end(plan);
    }
}

static void test_a_batch_holds_one_endpoint_and_model(void **state)
{
    struct plan *plan = new_plan("openai");
    const struct plan_count one = {.requests = 1, .bytes = 5, .longest = 5, .tokens = 7};
    const struct plan_count long_one = {.requests = 2, .bytes = 20, .longest = 15, .open_ended = 1};

    (void)state;
    add(plan, CHAT, "a", &one);
    add(plan, CHAT, "b", &one);
    add(plan, "/v1/embeddings", "a", &one);
    add(plan, CHAT, "a", &long_one);
    plan_finish(plan);
    assert_int_equal(plan->lane_count, 3);
    assert_int_equal(plan->batches, 3);
    assert_int_equal(plan->lanes[0].count.requests, 3);
    assert_int_equal(plan->lanes[0].count.bytes, 25);
    assert_int_equal(plan->lanes[0].count.longest, 15);
    assert_int_equal(plan->total.requests, 5);
    assert_int_equal(plan->total.bytes, 35);
    assert_int_equal(plan->total.longest, 15);
    assert_int_equal(plan->total.tokens, 21);
    assert_int_equal(plan->total.open_ended, 1);
    end(plan);
}

/* glm-4-air costs 0.5 CNY for a million tokens, half of that in a batch. */
static void test_money_is_input_and_the_longest_answers(void **state)
{
    struct plan *plan = new_plan("zhipu");

    (void)state;
    add(plan, CHAT, "glm-4-air",
        &(struct plan_count){.requests = 10, .tokens = 1000000, .max_output = 2000000});
    plan_finish(plan);
    assert_true(plan->price.known);
    assert_string_equal(plan->price.currency, "CNY");
    assert_int_equal(plan->price.input, 250000000);
    assert_int_equal(plan->price.batch, 750000000);
    assert_int_equal(plan->price.realtime, 1500000000);
    assert_int_equal(plan->price.reserved, 750000000 + 37500000);
    assert_null(plan->unpriced);
    end(plan);
}

static void test_an_answer_without_a_limit_is_reckoned_with(void **state)
{
    struct plan *plan = new_plan("zhipu");

    (void)state;
    add(plan, CHAT, "glm-4-air",
        &(struct plan_count){.requests = 1000, .tokens = 0, .open_ended = 1000});
    plan_finish(plan);
    assert_int_equal(plan->price.batch, INT64_C(250000000) * 1024 / 1000);
    end(plan);
}

static void test_free_is_nothing_and_unknown_is_not(void **state)
{
    const struct plan_count count = {.requests = 3, .tokens = 1000, .max_output = 1000};
    struct plan *plan = new_plan("zhipu");
    struct buf text = BUF_INIT(1 << 20);

    (void)state;
    add(plan, CHAT, "glm-4-flash", &count);
    plan_finish(plan);
    assert_true(plan->price.known);
    assert_int_equal(plan->price.batch, 0);
    plan_print_text(plan, &text);
    assert_non_null(strstr(text.data, "¥0.00"));
    assert_null(strstr(text.data, "?"));
    end(plan);

    plan = new_plan("zhipu");
    add(plan, CHAT, "glm-4-flash", &count);
    add(plan, CHAT, "no-such-model", &count);
    plan_finish(plan);
    assert_false(plan->price.known);
    assert_string_equal(plan->unpriced, "no-such-model");
    buf_clear(&text);
    plan_print_text(plan, &text);
    assert_non_null(
        strstr(text.data, "price        ?  (no price is known for no-such-model at zhipu"));
    buf_clear(&text);
    plan_print_json(plan, &text);
    assert_non_null(strstr(text.data, "\"price\":null,\"unpriced_model\":\"no-such-model\""));
    end(plan);
    buf_release(&text);
}

static const struct {
    const char *currency;
    int64_t cap;
    const char *model;
    enum plan_cap want;
    const char *says;
} caps[] = {
    {"",    0,           "glm-4-air",     PLAN_CAP_NONE,    NULL                               },
    {"CNY", 20000000000, "glm-4-air",     PLAN_CAP_ENOUGH,  "cap          ¥20.00: enough"     },
    {"CNY", 787500000,   "glm-4-air",     PLAN_CAP_ENOUGH,  "enough"                           },
    {"CNY", 787499999,   "glm-4-air",     PLAN_CAP_TIGHT,   "may be too low; ¥0.79 surely is" },
    {"CNY", 250000000,   "glm-4-air",     PLAN_CAP_TIGHT,   "may be too low"                   },
    {"CNY", 249999999,   "glm-4-air",     PLAN_CAP_TOO_LOW, "¥0.25: too low; ¥0.79 surely is"},
    {"USD", 1000000000,  "glm-4-air",     PLAN_CAP_ENOUGH,  "$1.00: enough"                    },
    {"USD", 10000000,    "glm-4-air",     PLAN_CAP_TOO_LOW, "$0.010000: too low"               },
    {"CNY", 20000000000, "no-such-model", PLAN_CAP_UNKNOWN,
     "refused, for what it costs is not known"                                                 },
};

static void test_a_cap_is_held_against_the_estimate_with_its_margin(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(caps); i++) {
        struct plan *plan = new_plan("zhipu");
        struct buf text = BUF_INIT(1 << 20);

        (void)snprintf(plan->cap_currency, sizeof(plan->cap_currency), "%s", caps[i].currency);
        plan->cap = caps[i].cap;
        add(plan, CHAT, caps[i].model,
            &(struct plan_count){.requests = 10, .tokens = 1000000, .max_output = 2000000});
        plan_finish(plan);
        assert_string_equal(plan_cap_name(plan_cap(plan)), plan_cap_name(caps[i].want));
        plan_print_text(plan, &text);
        if (caps[i].says != NULL && strstr(text.data, caps[i].says) == NULL)
            fail_msg("%s is not in %s", caps[i].says, text.data);
        if (caps[i].says == NULL)
            assert_null(strstr(text.data, "cap  "));
        buf_release(&text);
        end(plan);
    }
}

static void test_without_a_rate_a_cap_in_the_other_currency_says_nothing(void **state)
{
    static const struct price_table no_rate = {.count = 0};
    struct plan *plan = new_plan("zhipu");

    (void)state;
    plan->prices = &no_rate;
    memcpy(plan->cap_currency, "USD", 4);
    plan->cap = MONEY_UNIT;
    add(plan, CHAT, "glm-4-air", &(struct plan_count){.requests = 1, .tokens = 1});
    plan_finish(plan);
    assert_int_equal(plan_cap(plan), PLAN_CAP_UNKNOWN);
    end(plan);
}

static void test_of_problems_the_first_ten_are_kept_and_all_counted(void **state)
{
    struct plan *plan = new_plan("openai");
    struct buf text = BUF_INIT(1 << 20);

    (void)state;
    for (uint64_t line = 1; line <= 25; line++) {
        char why[40];

        (void)snprintf(why, sizeof(why), "cause %d\x1b[2J", (int)line);
        plan_problem_add(plan, &(struct plan_at){line == 1 ? "a.txt" : NULL, line, "topics"},
                         "image_missing", why);
    }
    plan_finish(plan);
    plan_print_text(plan, &text);
    assert_int_equal(plan->invalid, 25);
    assert_non_null(strstr(text.data, "25 cannot be sent; the first 10 are\n"));
    assert_non_null(strstr(text.data, "    a.txt, line 1, topics: image_missing: cause 1?[2J\n"));
    assert_non_null(strstr(text.data, "    line 10, topics: image_missing: cause 10?[2J\n"));
    assert_null(strstr(text.data, "line 11,"));
    buf_release(&text);
    end(plan);
}

static void test_a_row_that_cannot_be_read_has_its_place_once(void **state)
{
    struct plan *plan = new_plan("openai");
    struct buf text = BUF_INIT(1 << 20);

    (void)state;
    plan_problem_add(plan, &(struct plan_at){NULL, 7, NULL}, "invalid_row", "line 7: is no object");
    plan_problem_add(plan, &(struct plan_at){NULL, 8, NULL}, NULL, "not valid JSON");
    plan_finish(plan);
    plan_print_text(plan, &text);
    assert_non_null(strstr(text.data, "\n    invalid_row: line 7: is no object\n"
                                      "    line 8: not valid JSON\n"));
    buf_release(&text);
    end(plan);
}

static struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static void keep_all(struct plan_spread *s, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (plan_spread_wants(s))
            plan_spread_keep(s, i, 1, slice_of(""), slice_of("p"));
}

static void test_what_is_kept_is_spread_over_all_of_it(void **state)
{
    static const uint64_t sizes[] = {0, 1, 2, 5, 9, 10, 11, 19, 20, 21, 100, 1000, 12345, 100000};

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        struct plan_spread s = {0};

        keep_all(&s, sizes[k]);
        assert_int_equal(s.seen, sizes[k]);
        assert_true(s.count <= PLAN_SPREAD_MAX);
        assert_true(sizes[k] < PLAN_PROMPTS ? s.count == sizes[k] : s.count >= PLAN_PROMPTS);
        for (size_t i = 0; i < s.count; i++)
            assert_int_equal(s.kept[i].row, i * s.stride);
        if (sizes[k] == 0)
            assert_null(plan_spread_pick(&s, 0, 5));
        else
            assert_int_equal(plan_spread_pick(&s, 0, 5)->row, 0);
        if (sizes[k] >= 20) /* the last one is in the last fifth */
            assert_true(plan_spread_pick(&s, 4, 5)->row >= sizes[k] - sizes[k] / 5 - s.stride);
        plan_spread_release(&s);
    }
}

static void test_long_prompts_are_cut_between_characters(void **state)
{
    struct buf text = BUF_INIT(10000);
    struct plan_spread s = {0};

    (void)state;
    assert_true(buf_append(&text, "x", 1));
    while (text.len < 3000)
        assert_true(buf_append(&text, "\xE4\xBD\xA0", 3));
    assert_true(plan_spread_wants(&s));
    plan_spread_keep(&s, 0, 1, slice_of("short"), (struct slice){text.data, text.len});
    assert_string_equal(s.kept[0].system, "short");
    assert_int_equal(strlen(s.kept[0].prompt), 1 + PLAN_PROMPT_BYTES / 3 * 3 - 3);
    assert_int_equal(s.kept[0].prompt_len, text.len);
    plan_spread_release(&s);
    buf_release(&text);
}

/* Analyses with so many requests each. */
static struct plan *recipe_plan(size_t analyses, uint64_t requests)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
    struct plan *plan = new_plan("zhipu");

    plan->recipe = "r.yaml";
    plan->analyses = calloc(analyses, sizeof(*plan->analyses));
    assert_non_null(plan->analyses);
    plan->analysis_count = analyses;
    for (size_t i = 0; i < analyses; i++) {
        plan->analyses[i] = (struct plan_analysis){
            .name = names[i],
            .url = CHAT,
            .models = {"glm-4-air",                               "glm-4v-plus"  },
            .count = {{.requests = requests, .tokens = 4000000}, {.requests = 0}},
        };
        keep_all(&plan->analyses[i].spread, requests);
    }
    return plan;
}

static const struct {
    size_t analyses;
    uint64_t requests;
    const char *want;
} prompts[] = {
    {1, 0,   ""                   },
    {1, 1,   "a0 "                },
    {1, 3,   "a0 a1 a2 "          },
    {1, 5,   "a0 a1 a2 a3 a4 "    },
    {1, 100, "a0 a16 a48 a64 a96 "},
    {2, 1,   "a0 b0 "             },
    {2, 2,   "a0 b0 a1 b1 "       },
    {3, 5,   "a0 b1 c2 a3 b4 "    },
    {7, 5,   "a0 b1 c2 d3 e4 "    },
    {7, 1,   "a0 b0 c0 d0 e0 "    },
};

static void test_five_prompts_of_all_analyses_and_never_one_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(prompts); i++) {
        struct plan *plan = recipe_plan(prompts[i].analyses, prompts[i].requests);
        struct buf text = BUF_INIT(1000);

        assert_true(buf_append(&text, "", 0));
        for (size_t k = 0; k < PLAN_PROMPTS; k++) {
            const char *name = NULL;
            const struct plan_sample *s = plan_prompt(plan, k, &name);

            if (s != NULL)
                assert_true(buf_printf(&text, "%s%d ", name, (int)s->row));
        }
        assert_null(plan_prompt(plan, PLAN_PROMPTS, &(const char *){NULL}));
        assert_string_equal(text.data, prompts[i].want);
        buf_release(&text);
        end(plan);
    }
}

static void test_analyses_share_the_batches_of_a_model(void **state)
{
    struct plan *plan = recipe_plan(3, 10);

    (void)state;
    plan->analyses[1].count[1] = (struct plan_count){.requests = 2, .tokens = 1000000};
    plan_finish(plan);
    assert_int_equal(plan->lane_count, 2);
    assert_string_equal(plan->lanes[0].model, "glm-4-air");
    assert_int_equal(plan->lanes[0].count.requests, 30);
    assert_string_equal(plan->lanes[1].model, "glm-4v-plus");
    assert_int_equal(plan->lanes[1].count.requests, 2);
    assert_int_equal(plan->batches, 2);
    assert_int_equal(plan->analyses[0].price.input, 1000000000);
    assert_int_equal(plan->analyses[1].price.input, 1000000000 + 5000000000);
    assert_int_equal(plan->price.input, 3 * INT64_C(1000000000) + 5000000000);
    end(plan);
}

static void test_the_json_is_json(void **state)
{
    struct plan *plan = recipe_plan(2, 3);
    struct buf text = BUF_INIT(1 << 20);
    struct json_value root;

    (void)state;
    plan_problem_add(plan, &(struct plan_at){"f\"", 3, NULL}, NULL, "not \"JSON\"\n");
    plan_finish(plan);
    plan_print_json(plan, &text);
    assert_true(json_scan(text.data, text.len, &root, NULL));

    struct json_value price = json_member(&root, "price");
    struct json_value analyses = json_member(&root, "analyses");
    struct json_value prompt_list = json_member(&root, "prompts");

    assert_int_equal(price.kind, JSON_OBJECT);
    assert_int_equal(analyses.kind, JSON_ARRAY);
    assert_int_equal(prompt_list.kind, JSON_ARRAY);
    end(plan);
    plan = new_plan("openai");
    plan_finish(plan);
    buf_clear(&text);
    plan_print_json(plan, &text);
    assert_true(json_scan(text.data, text.len, &root, NULL));
    assert_non_null(strstr(text.data, "\"rows\":null"));
    assert_non_null(strstr(text.data, "\"price\":null"));
    end(plan);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches_are_as_many_as_requests_or_bytes_need),
        cmocka_unit_test(test_a_batch_holds_one_endpoint_and_model),
        cmocka_unit_test(test_money_is_input_and_the_longest_answers),
        cmocka_unit_test(test_an_answer_without_a_limit_is_reckoned_with),
        cmocka_unit_test(test_free_is_nothing_and_unknown_is_not),
        cmocka_unit_test(test_a_cap_is_held_against_the_estimate_with_its_margin),
        cmocka_unit_test(test_without_a_rate_a_cap_in_the_other_currency_says_nothing),
        cmocka_unit_test(test_of_problems_the_first_ten_are_kept_and_all_counted),
        cmocka_unit_test(test_a_row_that_cannot_be_read_has_its_place_once),
        cmocka_unit_test(test_what_is_kept_is_spread_over_all_of_it),
        cmocka_unit_test(test_long_prompts_are_cut_between_characters),
        cmocka_unit_test(test_five_prompts_of_all_analyses_and_never_one_twice),
        cmocka_unit_test(test_analyses_share_the_batches_of_a_model),
        cmocka_unit_test(test_the_json_is_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
