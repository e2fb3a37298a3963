#include "tests/testlib/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/json/request_line.h"
#include "common/recipe/condition.h"
#include "common/recipe/template.h"
#include "common/tokens/tokens.h"
#include "tests/unit/enrich/asking.h"

static int set_up(void **state)
{
    struct asking *a = xcalloc(1, sizeof(*a));

    asking_make(a);
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    asking_free(*state);
    free(*state);
    return 0;
}

static void log_item(struct buf *log, const struct recipe *recipe, const struct render_item *item,
                     bool lines)
{
    assert_true(buf_printf(log, "%s", recipe->analyses[item->analysis].name));
    for (size_t i = 0; i < item->row_count; i++)
        assert_true(buf_printf(log, "%c%" PRIu32, i == 0 ? ' ' : ',', item->rows[i]));
    if (item->code != RENDER_ASKED)
        assert_true(buf_printf(log, " %s%s%s\n", render_code_name(item->code),
                               item->why[0] == '\0' ? "" : ": ", item->why));
    else if (lines)
        assert_true(buf_printf(log, " %.*s", (int)item->line.len, item->line.p));
    else
        assert_true(buf_printf(log, "%s\n", item->multimodal ? " image" : ""));
}

/* What becomes of the rows: one line for each item. The caller releases it. */
static struct buf render_all(struct asking *a, const struct render_options *options, bool lines)
{
    static const struct render_options none = {0};
    struct buf log = BUF_INIT(256u << 20);
    struct render *r = render_new(&a->recipe, a->rows, options == NULL ? &none : options);
    const struct block *block;
    struct render_item item;
    bool end = false;

    assert_true(buf_append(&log, "", 0));
    for (;;) {
        assert_true(render_block(r, &block, &end, NULL));
        if (end)
            break;
        while (render_next(r, &item))
            log_item(&log, &a->recipe, &item, lines);
        assert_false(render_next(r, &item));
    }
    render_free(r);
    return log;
}

static void assert_items(struct asking *a, const struct render_options *options, const char *items)
{
    struct buf log = render_all(a, options, false);

    assert_string_equal(log.data, items);
    buf_release(&log);
}

static void test_a_line_is_what_the_batch_api_takes(void **state)
{
    struct asking *a = *state;
    struct analysis *one = asking_add(a, "polarity", "判断:\n{{content}}");

    one->system = asking_template("You are \"strict\".");
    asking_parameters(one, "\"temperature\":0.2,\"max_tokens\":20");
    asking_rows(a, "{\"content\":\"a\\\"b\\n\\u4f60\"}\n");
    struct buf log = render_all(a, NULL, true);
    assert_string_equal(
        log.data,
        "polarity 0 {\"custom_id\":\"polarity_0000\",\"method\":\"POST\",\"url\":\"/v1/chat/"
        "completions\",\"body\":{\"model\":\"m\",\"temperature\":0.2,\"max_tokens\":20,"
        "\"messages\":[{\"role\":\"system\",\"content\":\"You are \\\"strict\\\".\"},{\"role\":"
        "\"user\",\"content\":\"判断:\\na\\\"b\\n你\"}]}}\n");
    buf_release(&log);
}

static void test_a_line_says_what_it_takes_and_what_was_asked(void **state)
{
    struct asking *a = *state;
    struct analysis *one = asking_add(a, "p", "Say {{t}}");
    static const struct render_options none = {0};
    const struct block *block;
    struct render_item item;
    struct request_line request;
    struct tokens_estimate estimate;
    char why[REQUEST_WHY_SIZE];
    bool end = true;

    one->system = asking_template("Be brief about {{t}}");
    asking_parameters(one, "\"max_tokens\":33");
    asking_rows(a, "{\"t\":\"你好\"}\n");
    struct render *r = render_new(&a->recipe, a->rows, &none);
    assert_true(render_block(r, &block, &end, NULL));
    assert_true(render_next(r, &item));
    assert_int_equal(item.prompt.len, strlen("Say 你好"));
    assert_memory_equal(item.prompt.p, "Say 你好", item.prompt.len);
    assert_memory_equal(item.system.p, "Be brief about 你好", item.system.len);
    assert_string_equal(item.model, "m");
    assert_int_equal(item.max_output, 33);

    assert_true(request_line_parse(item.line.p, item.line.len - 1, NULL, &request, why));
    struct json_value body = {JSON_OBJECT, request.body.p, request.body.len};
    assert_true(tokens_of_body(tokens_family_of("m"), &body, &estimate));
    assert_int_equal(item.tokens, estimate.input);
    assert_true(item.tokens > 5);
    render_free(r);
}

static void test_requests_come_by_analysis_and_then_by_row(void **state)
{
    struct asking *a = *state;

    asking_add(a, "x", "{{c}}");
    asking_add(a, "y", "{{c}}");
    asking_rows(a, "{\"c\":1}\n{\"c\":2}\n{\"c\":3}\n");
    assert_items(a, NULL, "x 0\nx 1\nx 2\ny 0\ny 1\ny 2\n");
}

static void test_the_index_goes_on_over_the_blocks(void **state)
{
    struct asking *a = *state;
    struct buf text = BUF_INIT(1 << 20);

    asking_add(a, "x", "{{c}}");
    for (int i = 0; i < 1002; i++)
        assert_true(buf_printf(&text, "{\"c\":%d}\n", i));
    asking_rows(a, text.data);
    struct buf log = render_all(a, NULL, true);
    assert_non_null(strstr(log.data, "x 999 {\"custom_id\":\"x_0999\""));
    assert_non_null(strstr(log.data, "x 1 {\"custom_id\":\"x_1001\""));
    buf_release(&log);
    buf_release(&text);
}

static void test_pairs_that_are_not_asked_say_why(void **state)
{
    struct asking *a = *state;

    asking_add(a, "x", "{{c}}")->when = condition_parse("when", "n > 1", NULL);
    asking_add(a, "y", "{{d}}");
    asking_rows(a, "{\"c\":1,\"n\":5,\"d\":1}\n[]\n{\"c\":1,\"n\":1}\n");
    struct buf log = render_all(a, NULL, false);
    char *problem = strstr(log.data, "x 1 invalid_row: line 2");
    assert_non_null(problem);
    assert_int_equal(strncmp(log.data, "x 0\nx 1", 7), 0);
    assert_non_null(strstr(log.data, "\nx 2 skipped\ny 0\ny 1 invalid_row: line 2"));
    assert_non_null(strstr(log.data, "\ny 2 template_error: t:1:3: "));
    buf_release(&log);
}

static void test_a_request_that_is_too_long_is_not_sent(void **state)
{
    struct asking *a = *state;
    struct render_options options = {.max_line_bytes = 300};
    char text[600], content[301];

    memset(content, 'c', 300);
    content[300] = '\0';
    asking_add(a, "x", "{{c}}");
    (void)snprintf(text, sizeof(text), "{\"c\":\"short\"}\n{\"c\":\"%s\"}\n{\"c\":\"s\"}\n",
                   content);
    asking_rows(a, text);
    struct buf log = render_all(a, &options, false);
    assert_int_equal(strncmp(log.data, "x 0\nx 1 row_too_long: its request has 4", 38), 0);
    assert_non_null(strstr(log.data, "at most 300 can be sent\nx 2\n"));
    buf_release(&log);
}

/* The limit counts the line as the provider gets it: with the custom_id of the wire. */
static void test_the_longest_request_is_sent_and_one_byte_more_is_not(void **state)
{
    struct asking *a = *state;
    size_t asked = 0, refused = 0;

    asking_add(a, "a_name_of_forty_eight_characters_longer_than_wire", "{{c}}");
    asking_rows(a, "{\"c\":\"content\"}\n");
    struct buf whole = render_all(a, NULL, true);
    size_t len = strlen(strchr(whole.data, '{')) - 1;
    for (size_t most = len - 2; most < len + 2; most++) {
        struct render_options options = {.max_line_bytes = most};

        asking_rows(a, "{\"c\":\"content\"}\n");
        struct buf log = render_all(a, &options, false);
        bool sent = strstr(log.data, "row_too_long") == NULL;
        assert_int_equal(sent, most >= len);
        asked += sent;
        refused += !sent;
        buf_release(&log);
    }
    assert_int_equal(asked, 2);
    assert_int_equal(refused, 2);
    buf_release(&whole);
}

static void test_a_request_of_more_than_sixteen_megabytes_is_not_sent(void **state)
{
    struct asking *a = *state;
    size_t n = 15u << 20;
    char *text = xcalloc(1, n + 100);

    (void)snprintf(text, 20, "{\"c\":\"");
    memset(text + 6, 'c', n);
    memcpy(text + 6 + n, "\"}\n{\"c\":\"s\"}\n", 14);
    asking_add(a, "x", "{{c}}{{c}}{{c}}{{c}}{{c}}");
    asking_add(a, "y", "{{c}}{{c}}");
    asking_rows(a, text);
    struct buf log = render_all(a, NULL, false);
    assert_int_equal(strncmp(log.data, "x 0 row_too_long: ", 18), 0);
    assert_non_null(strstr(log.data, "\ny 0 row_too_long: "));
    assert_non_null(strstr(log.data, "\nx 0\ny 0\n"));
    buf_release(&log);
    free(text);
}

/* Packs. */

static struct analysis *add_pack(struct asking *a, uint32_t rows, uint64_t tokens)
{
    struct analysis *one =
        asking_add(a, "k", "Each of these:\n{{#rows}}{{_id}}: {{c}}\n{{/rows}}end");

    one->pack_rows = rows;
    one->pack_tokens = tokens;
    a->recipe.id_field = xstrdup("id");
    return one;
}

static void test_a_pack_is_one_request_about_several_rows(void **state)
{
    struct asking *a = *state;

    add_pack(a, 2, 0);
    asking_rows(a, "{\"id\":\"a\",\"c\":1}\n{\"id\":\"b\",\"c\":2}\n{\"id\":\"c\",\"c\":3}\n");
    struct buf log = render_all(a, NULL, true);
    assert_string_equal(
        log.data,
        "k 0,1 {\"custom_id\":\"k_0000\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
        "\"body\":{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Each of "
        "these:\\na: 1\\nb: 2\\nend\"}]}}\n"
        "k 2 {\"custom_id\":\"k_0002\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
        "\"body\":{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Each of "
        "these:\\nc: 3\\nend\"}]}}\n");
    buf_release(&log);
}

static void test_rows_that_cannot_be_asked_are_left_out_of_a_pack(void **state)
{
    struct asking *a = *state;

    add_pack(a, 3, 0)->when = condition_parse("when", "not skip", NULL);
    asking_rows(a, "{\"c\":0}\n{}\n{\"c\":2,\"skip\":1}\nx\n{\"c\":4}\n{\"c\":5}\n{\"c\":6}\n");
    struct buf log = render_all(a, NULL, false);
    assert_non_null(strstr(log.data, "k 1 template_error: "));
    assert_non_null(strstr(log.data, "k 2 skipped\n"));
    assert_non_null(strstr(log.data, "k 3 invalid_row: "));
    assert_non_null(strstr(log.data, "k 0,4,5\nk 6\n"));
    buf_release(&log);
}

static void test_a_row_with_the_id_of_another_begins_the_next_pack(void **state)
{
    struct asking *a = *state;

    add_pack(a, 10, 0);
    asking_rows(a, "{\"id\":1,\"c\":0}\n{\"id\":2,\"c\":0}\n{\"id\":\"1\",\"c\":0}\n{\"id\":3,"
                   "\"c\":0}\n");
    assert_items(a, NULL, "k 0,1\nk 2,3\n");
}

static void test_a_pack_keeps_to_its_tokens(void **state)
{
    struct asking *a = *state;
    static const struct render_options none = {0};
    struct buf text = BUF_INIT(1 << 20);
    const struct block *block;
    struct render_item item;
    bool end = false;
    size_t asked = 0, packs = 0, most = 0;

    add_pack(a, 1000, 400);
    for (int i = 0; i < 1000; i++)
        assert_true(buf_printf(
            &text, "{\"id\":%d,\"c\":\"%.*s\"}\n", i, i % 90 + 1,
            "one two three four five six seven eight nine ten eleven 12 13 fourteen; fifteen, "
            "sixteen! seventeen? eighteen"));
    asking_rows(a, text.data);
    struct render *r = render_new(&a->recipe, a->rows, &none);
    assert_true(render_block(r, &block, &end, NULL));
    while (render_next(r, &item)) {
        if (item.code == RENDER_ASKED) {
            assert_int_equal(item.rows[0], asked);
            assert_true(item.tokens <= 400);
            most = item.tokens > most ? item.tokens : most;
        }
        asked += item.row_count;
        packs++;
    }
    assert_int_equal(asked, 1000);
    assert_true(most > 350); /* and fills them */
    assert_true(packs > 30 && packs < 200);
    render_free(r);
    buf_release(&text);
}

static void test_a_row_over_the_tokens_of_a_pack_is_asked_alone(void **state)
{
    struct asking *a = *state;
    char text[1200], content[1001];

    memset(content, '9', 1000);
    content[1000] = '\0';
    add_pack(a, 10, 60);
    (void)snprintf(text, sizeof(text), "{\"c\":1}\n{\"c\":\"%s\"}\n{\"c\":3}\n{\"c\":4}\n",
                   content);
    asking_rows(a, text);
    assert_items(a, NULL, "k 0\nk 1\nk 2,3\n");
}

static void test_a_pack_keeps_to_the_line_and_a_row_over_it_is_not_sent(void **state)
{
    struct asking *a = *state;
    struct render_options options = {.max_line_bytes = 330};
    char content[601];
    struct buf text = BUF_INIT(1 << 20);

    memset(content, 'c', 600);
    content[600] = '\0';
    add_pack(a, 10, 0);
    for (int i = 0; i < 4; i++)
        assert_true(buf_printf(&text, "{\"c\":\"%.50s\"}\n", content));
    assert_true(buf_printf(&text, "{\"c\":\"%s\"}\n", content));
    for (int i = 0; i < 4; i++)
        assert_true(buf_printf(&text, "{\"c\":\"%.8s\"}\n", "\\\"\\\"\\\"\\\""));
    asking_rows(a, text.data);
    struct buf log = render_all(a, &options, false);
    assert_int_equal(strncmp(log.data, "k 0,1,2\nk 3\nk 4 row_too_long: ", 30), 0);
    assert_non_null(strstr(log.data, "\nk 5,6,7,8\n"));
    buf_release(&log);
    buf_release(&text);
}

/* What the plain sum of the rows' texts does not see, because quotes are escaped. */
static void test_a_pack_that_turns_out_too_long_is_divided(void **state)
{
    struct asking *a = *state;
    struct render_options options = {.max_line_bytes = 400};
    struct buf text = BUF_INIT(1 << 20);
    uint32_t next = 0;

    add_pack(a, 100, 0);
    for (int i = 0; i < 40; i++)
        assert_true(buf_printf(&text, "{\"c\":\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\"}\n"));
    asking_rows(a, text.data);
    struct buf log = render_all(a, &options, false);
    for (const char *p = log.data; *p != '\0';) {
        if (*p == ' ' || *p == ',')
            assert_int_equal(strtoul(p + 1, NULL, 10), next++);
        p++;
    }
    assert_int_equal(next, 40);
    assert_null(strstr(log.data, "row_too_long"));
    buf_release(&log);
    buf_release(&text);
}

static void test_packs_do_not_cross_blocks(void **state)
{
    struct asking *a = *state;
    struct buf text = BUF_INIT(1 << 20);

    add_pack(a, 600, 0);
    for (int i = 0; i < 1100; i++)
        assert_true(buf_printf(&text, "{\"c\":%d}\n", i));
    asking_rows(a, text.data);
    struct buf log = render_all(a, NULL, false);
    assert_non_null(strstr(log.data, ",599\nk 600,"));
    assert_non_null(strstr(log.data, ",999\nk 0,"));
    assert_non_null(strstr(log.data, ",99\n"));
    buf_release(&log);
    buf_release(&text);
}

static void test_every_block_has_ids_of_its_own(void **state)
{
    struct asking *a = *state;
    struct buf text = BUF_INIT(1 << 20);

    add_pack(a, 1000, 0);
    for (int i = 0; i < 1000; i++)
        assert_true(buf_printf(&text, "{\"id\":%d,\"c\":1}\n", i));
    assert_true(buf_printf(&text, "{\"id\":5,\"c\":1}\n{\"id\":5,\"c\":1}\n{\"id\":6,\"c\":1}\n"));
    asking_rows(a, text.data);
    struct buf log = render_all(a, NULL, false);
    assert_non_null(strstr(log.data, ",999\nk 0\nk 1,2\n"));
    buf_release(&log);
    buf_release(&text);
}

/* Choices. */

struct script {
    const char *asks; /* by pair, row by row: '-' not, 'a' ask, '1' alone */
    size_t calls;
};

static bool choose(void *arg, const struct block *rows, uint8_t *ask, struct err *err)
{
    struct script *s = arg;

    (void)err;
    s->calls++;
    assert_int_equal(strlen(s->asks) % rows->count, 0);
    for (size_t i = 0; s->asks[i] != '\0'; i++)
        ask[i] = s->asks[i] == '-'   ? RENDER_ASK_NOT
                 : s->asks[i] == '1' ? RENDER_ASK_ALONE
                                     : RENDER_ASK;
    return true;
}

static bool refuse(void *arg, const struct block *rows, uint8_t *ask, struct err *err)
{
    (void)arg;
    (void)rows;
    (void)ask;
    return err_set(err, ERR_PERMANENT, "no choice");
}

static void test_only_chosen_pairs_are_asked(void **state)
{
    struct asking *a = *state;
    struct script script = {.asks = "-a"
                                    "a-"
                                    "--"
                                    "aa"};
    struct render_choice choice = {.block = choose, .arg = &script};
    struct render_options options = {.choice = &choice};

    asking_add(a, "x", "{{c}}");
    asking_add(a, "y", "{{c}}");
    asking_rows(a, "{\"c\":1}\n{\"c\":2}\n{\"c\":3}\n{\"c\":4}\n");
    assert_items(a, &options, "x 1\nx 3\ny 0\ny 3\n");
    assert_int_equal(script.calls, 1);
}

static void test_alone_is_alone_also_where_rows_are_packed(void **state)
{
    struct asking *a = *state;
    struct script script = {.asks = "aa1a1-aa"};
    struct render_choice choice = {.block = choose, .arg = &script};
    struct render_options options = {.choice = &choice};

    add_pack(a, 10, 0);
    asking_rows(a, "{\"c\":1}\n{\"c\":2}\n{\"c\":3}\n{\"c\":4}\n{\"c\":5}\n{\"c\":6}\n{\"c\":7}\n{"
                   "\"c\":8}\n");
    assert_items(a, &options, "k 0,1\nk 2\nk 3\nk 4\nk 6,7\n");
}

static void test_a_choice_that_fails_ends_the_rendering(void **state)
{
    struct asking *a = *state;
    struct render_choice choice = {.block = refuse};
    struct render_options options = {.choice = &choice};
    const struct block *block;
    struct err err = {0};
    bool end = false;

    asking_add(a, "x", "{{c}}");
    asking_rows(a, "{\"c\":1}\n");
    struct render *r = render_new(&a->recipe, a->rows, &options);
    assert_false(render_block(r, &block, &end, &err));
    assert_string_equal(err.msg, "no choice");
    render_free(r);
}

/* Images. */

static void add_images(struct analysis *one, const char *text)
{
    one->images = xcalloc(1, sizeof(*one->images));
    one->images[0] = asking_template(text);
    one->image_count = 1;
}

static void test_a_row_with_an_image_takes_the_multimodal_model(void **state)
{
    struct asking *a = *state;

    add_images(asking_add(a, "x", "{{c}}"), "{{i | default: \"\"}}");
    asking_rows(a, "{\"c\":1,\"i\":\"https://a.example/b.png?c=d&e\"}\n{\"c\":2}\n");
    struct buf log = render_all(a, NULL, true);
    assert_string_equal(
        log.data,
        "x 0 {\"custom_id\":\"x_0000\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
        "\"body\":{\"model\":\"mm\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
        "\"text\",\"text\":\"1\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://"
        "a.example/b.png?c=d&e\"}}]}]}}\n"
        "x 1 {\"custom_id\":\"x_0001\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\","
        "\"body\":{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"2\"}]}}\n");
    buf_release(&log);
}

static void test_an_image_file_becomes_a_data_url(void **state)
{
    struct asking *a = *state;
    char path[SCRATCH_PATH_MAX + 16];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/a.png", a->path);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite("\x89PNG\r\n\x1a\nrest", 1, 12, file), 12);
    assert_int_equal(fclose(file), 0);
    add_images(asking_add(a, "x", "{{c}}"), "{{i}}");
    asking_rows(
        a,
        "{\"c\":1,\"i\":\"a.png\"}\n{\"c\":2,\"i\":\"b.png\"}\n{\"c\":2,\"i\":\"rows.jsonl\"}\n");
    struct buf log = render_all(a, NULL, true);
    assert_non_null(strstr(log.data, "{\"url\":\"data:image/png;base64,iVBORw0KGgpyZXN0\"}"));
    assert_non_null(strstr(log.data, "\nx 1 image_missing: "));
    assert_non_null(strstr(log.data, "\nx 2 image_invalid: "));
    buf_release(&log);
}

static void test_a_row_may_have_several_images_or_none(void **state)
{
    struct asking *a = *state;

    add_images(asking_add(a, "x", "{{c}}"), "{{i}}");
    asking_rows(a,
                "{\"c\":1,\"i\":[\"http://a/1\",\"http://a/2\"]}\n{\"c\":2}\n{\"c\":3,\"i\":null}\n"
                "{\"c\":4,\"i\":[]}\n{\"c\":5,\"i\":[\"http://a/1\",7]}\n");
    struct buf log = render_all(a, NULL, true);
    assert_non_null(strstr(
        log.data, "{\"url\":\"http://a/"
                  "1\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"http://a/2\"}}]}]}}\n"));
    buf_release(&log);
    asking_rows(a,
                "{\"c\":1,\"i\":[\"http://a/1\",\"http://a/2\"]}\n{\"c\":2}\n{\"c\":3,\"i\":null}\n"
                "{\"c\":4,\"i\":[]}\n");
    assert_items(a, NULL, "x 0 image\nx 1\nx 2\nx 3\n");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_a_line_is_what_the_batch_api_takes),
        CASE(test_a_line_says_what_it_takes_and_what_was_asked),
        CASE(test_requests_come_by_analysis_and_then_by_row),
        CASE(test_the_index_goes_on_over_the_blocks),
        CASE(test_pairs_that_are_not_asked_say_why),
        CASE(test_a_request_that_is_too_long_is_not_sent),
        CASE(test_the_longest_request_is_sent_and_one_byte_more_is_not),
        CASE(test_a_request_of_more_than_sixteen_megabytes_is_not_sent),
        CASE(test_a_pack_is_one_request_about_several_rows),
        CASE(test_rows_that_cannot_be_asked_are_left_out_of_a_pack),
        CASE(test_a_row_with_the_id_of_another_begins_the_next_pack),
        CASE(test_a_pack_keeps_to_its_tokens),
        CASE(test_a_row_over_the_tokens_of_a_pack_is_asked_alone),
        CASE(test_a_pack_keeps_to_the_line_and_a_row_over_it_is_not_sent),
        CASE(test_a_pack_that_turns_out_too_long_is_divided),
        CASE(test_packs_do_not_cross_blocks),
        CASE(test_every_block_has_ids_of_its_own),
        CASE(test_only_chosen_pairs_are_asked),
        CASE(test_alone_is_alone_also_where_rows_are_packed),
        CASE(test_a_choice_that_fails_ends_the_rendering),
        CASE(test_a_row_with_an_image_takes_the_multimodal_model),
        CASE(test_an_image_file_becomes_a_data_url),
        CASE(test_a_row_may_have_several_images_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
