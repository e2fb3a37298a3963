#include "tests/testlib/unit.h"

#include <stdio.h>
#include <string.h>

#include "common/input/shard_plan.h"
#include "common/model/mask.h"

#define MAX_LINES 8

/* A window of these lines, as a cutter would give it. */
struct made {
    struct window window;
    struct window_line lines[MAX_LINES];
};

static void make_window(struct made *made, const char *const *lines, uint32_t count)
{
    memset(made, 0, sizeof(*made));
    for (uint32_t i = 0; i < count; i++)
        made->lines[i] =
            (struct window_line){.text = lines[i], .text_len = strlen(lines[i]), .number = 100 + i};
    made->window.lines = made->lines;
    made->window.count = count;
}

static const char *const mixed[] = {
    "{\"custom_id\":\"a\",\"body\":{\"model\":\"m1\"}}",
    "{\"custom_id\":\"b\",\"body\":{\"model\":\"m2\"}}",
    "not json",
    "{\"custom_id\":\"d\",\"body\":{\"model\":\"m1\",\"x\":1}}",
    "{\"custom_id\":\"e\",\"url\":\"/v1/embeddings\",\"body\":{\"model\":\"m1\"}}",
};

static struct job_spec spec_of(const char *model)
{
    struct job_spec spec = {.site = "site"};

    (void)snprintf(spec.model, sizeof(spec.model), "%s", model);
    return spec;
}

static void each_line_is_in_exactly_one_shard(void **state)
{
    struct job_spec spec = spec_of("");
    struct shard_plan plan;
    struct made made;

    (void)state;
    make_window(&made, mixed, 5);
    shard_plan_make(&plan, &spec, &made.window, NULL);
    assert_int_equal(plan.count, 3); /* m1, m2, and m1 at another endpoint */
    assert_int_equal(plan.invalid, 1);
    for (uint32_t i = 0; i < 5; i++) {
        unsigned clear = 0;

        for (size_t k = 0; k < plan.count; k++)
            clear += !mask_get(plan.shards[k].mask, i);
        assert_int_equal(clear, i == 2 ? 0 : 1);
    }
    assert_int_equal(plan.shards[0].left, 2);
    assert_string_not_equal(plan.shards[0].lane, plan.shards[2].lane);
    assert_string_equal(plan.shards[1].label,
                        "{\"endpoint\":\"/v1/chat/completions\",\"model\":\"m2\"}");
    shard_plan_release(&plan);
}

static void lines_that_cannot_be_sent_say_why_and_keep_their_id(void **state)
{
    static const char *const lines[] = {"{\"custom_id\":\"torn\",\"body\":{}}",
                                        "{\"custom_id\":\"huge\",\"body\":{\"cut"};
    struct job_spec spec = spec_of("");
    struct shard_plan plan;
    struct made made;

    (void)state;
    make_window(&made, lines, 2);
    made.lines[1].too_long = true;
    shard_plan_make(&plan, &spec, &made.window, NULL);
    assert_int_equal(plan.count, 0);
    assert_int_equal(plan.invalid, 2);
    assert_memory_equal(plan.lines[0].custom_id.p, "\"torn\"", 6);
    assert_string_equal(plan.lines[0].why, "no model");
    assert_int_equal(plan.lines[1].number, 101);
    assert_memory_equal(plan.lines[1].custom_id.p, "\"huge\"", 6);
    assert_non_null(strstr(plan.lines[1].why, "longer than 16000000 bytes"));
    shard_plan_release(&plan);
}

static void a_line_longer_than_the_provider_takes_is_not_sent(void **state)
{
    static const char *const lines[] = {
        "{\"custom_id\":\"long\",\"body\":{\"model\":\"m\",\"x\":12}}",
        "{\"custom_id\":\"fits\",\"body\":{\"model\":\"m\",\"x\":1}}"};
    struct job_spec spec = spec_of("");
    struct shard_plan plan;
    struct made made;

    (void)state;
    make_window(&made, lines, 2);
    shard_plan_make(&plan, &spec, &made.window, NULL); /* nobody says how long */
    assert_int_equal(plan.invalid, 0);
    uint64_t longest = plan.shards[0].longest;
    shard_plan_release(&plan);

    (void)snprintf(spec.provider, sizeof(spec.provider), "dashscope");
    spec.max_line_bytes = longest - 1;
    shard_plan_make(&plan, &spec, &made.window, NULL);
    assert_int_equal(plan.invalid, 1);
    assert_false(plan.lines[0].valid);
    assert_memory_equal(plan.lines[0].custom_id.p, "\"long\"", 6);
    assert_non_null(strstr(plan.lines[0].why, "provider dashscope takes at most"));
    assert_true(plan.lines[1].valid);
    assert_int_equal(plan.shards[0].left, 1);
    shard_plan_release(&plan);
    spec.max_line_bytes = longest;
    shard_plan_make(&plan, &spec, &made.window, NULL);
    assert_int_equal(plan.invalid, 0);
    shard_plan_release(&plan);
}

static void a_shard_knows_what_its_requests_take_in_tokens(void **state)
{
    static const char *const lines[] = {
        "{\"body\":{\"model\":\"gpt-4\",\"prompt\":\"123456\",\"max_tokens\":50,\"n\":2}}",
        "{\"body\":{\"model\":\"gpt-4\",\"prompt\":\"123456\"}}",
        "{\"body\":{\"model\":\"qwen-plus\",\"prompt\":\"123456\",\"max_tokens\":7}}",
        "{\"body\":{\"model\":\"gpt-4\"}}",
        "{\"body\":{\"model\":\"gpt-4\",\"prompt\":\"a long one\",\"max_tokens\":900}}"};
    const uint8_t settled[MEMBER_MASK_BYTES] = {1u << 4};
    struct job_spec spec = spec_of("");
    struct shard_plan plan;
    struct made made;

    (void)state;
    make_window(&made, lines, 5);
    shard_plan_make(&plan, &spec, &made.window, settled);
    assert_int_equal(plan.count, 2);
    /* digits are read in threes there, and a request without text takes one */
    assert_int_equal(plan.shards[0].tokens, 2 * tokens_of_text(TOKENS_CL100K, "123456", 6) + 1);
    assert_int_equal(plan.shards[0].est_output, 100);
    assert_int_equal(plan.shards[0].open_ended, 2);
    assert_int_equal(plan.shards[1].tokens, tokens_of_text(TOKENS_QWEN3, "123456", 6));
    assert_true(plan.shards[1].tokens > tokens_of_text(TOKENS_CL100K, "123456", 6));
    assert_int_equal(plan.shards[1].est_output, 7);
    assert_int_equal(plan.shards[1].open_ended, 0);
    shard_plan_release(&plan);
}

static void a_default_model_makes_its_lane(void **state)
{
    static const char *const lines[] = {"{\"body\":{}}", "{\"body\":{\"model\":\"preset\"}}"};
    struct job_spec spec = spec_of("preset");
    struct shard_plan plan;
    struct made made;

    (void)state;
    make_window(&made, lines, 2);
    shard_plan_make(&plan, &spec, &made.window, NULL);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.shards[0].left, 2);
    shard_plan_release(&plan);
}

/* Redis was lost, the sink has some answers: the same shards, with less to do. */
static void what_is_settled_is_not_sent_but_keeps_the_shards_numbers(void **state)
{
    struct job_spec spec = spec_of("");
    struct shard_plan plain, again;
    struct made made;
    uint8_t settled[MEMBER_MASK_BYTES] = {0};

    (void)state;
    mask_set(settled, 0);
    mask_set(settled, 1);
    make_window(&made, mixed, 5);
    shard_plan_make(&plain, &spec, &made.window, NULL);
    shard_plan_make(&again, &spec, &made.window, settled);
    assert_int_equal(again.count, plain.count);
    for (size_t k = 0; k < plain.count; k++)
        assert_string_equal(again.shards[k].lane, plain.shards[k].lane);
    assert_int_equal(again.shards[0].left, 1);
    assert_int_equal(again.shards[1].left, 0);
    assert_true(again.shards[0].bytes < plain.shards[0].bytes);
    shard_plan_release(&plain);
    shard_plan_release(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_in_exactly_one_shard),
        cmocka_unit_test(lines_that_cannot_be_sent_say_why_and_keep_their_id),
        cmocka_unit_test(a_line_longer_than_the_provider_takes_is_not_sent),
        cmocka_unit_test(a_shard_knows_what_its_requests_take_in_tokens),
        cmocka_unit_test(a_default_model_makes_its_lane),
        cmocka_unit_test(what_is_settled_is_not_sent_but_keeps_the_shards_numbers),
    };
    return cmocka_run_group_tests_name("shard_plan", tests, NULL, NULL);
}
