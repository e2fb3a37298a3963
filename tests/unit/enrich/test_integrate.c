#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/json/scan.h"
#include "common/merge/publish.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"
#include "tests/unit/enrich/enrich_world.h"

#define RECIPE                                                                                \
    "model: glm-4-air\n"                                                                      \
    "id_field: id\n"                                                                          \
    "analyses:\n"                                                                             \
    "  - name: mood\n"                                                                        \
    "    prompt: 'mood of {{text}}'\n"                                                        \
    "    when: text != ''\n"                                                                  \
    "    answer: {repair: true, schema: {type: object, required: [n], additionalProperties: " \
    "false,"                                                                                  \
    " properties: {n: {type: integer, minimum: 1, maximum: 5}}}}\n"                           \
    "    output: ai.mood\n"                                                                   \
    "  - name: kind\n"                                                                        \
    "    prompt: \"kinds:\\n{{vocabulary}}\\n{{#rows}}{{_id}}: {{text}}\\n{{/rows}}\"\n"      \
    "    answer: {type: json}\n"                                                              \
    "    vocabulary: {terms: [news, diary]}\n"                                                \
    "    pack: {rows: 2, answer: kind}\n"                                                     \
    "    default: diary\n"

#define ROWS                                     \
    "{\"id\":\"a\",\"text\":\"\xe5\xa5\xbd\"}\n" \
    "{\"id\":\"b\", \"text\":\"bad\"}\n"         \
    "[1, 2]\n"                                   \
    "{\"id\":\"c\",\"text\":\"\"}\n"

static int set_up(void **state)
{
    struct enrich_world *w = xcalloc(1, sizeof(*w));

    enrich_world_make(w, RECIPE, "rows.jsonl", ROWS);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    enrich_world_free(*state);
    free(*state);
    return 0;
}

static void must_integrate(struct enrich_world *w, bool closed, bool adopted)
{
    struct enrich_report report;
    struct err err = {0};
    bool was = !adopted;

    if (!enrich_world_integrate(w, closed, &report, &was, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(was, adopted);
    enrich_report_release(&report);
}

static const struct enrich_said first[] = {
    {"mood_0000", "{\"n\": 4}",                          NULL},
    {"mood_0001", "```json\n{\"n\": 2}\n```",            NULL},
    {"kind_0000", "[{\"id\":\"b\",\"kind\":\"news\"}]",  NULL},
    {"kind_0003", "[{\"id\":\"c\",\"kind\":\"essay\"}]", NULL},
};
static const struct enrich_said second[] = {
    {"kind_0000", "[{\"id\":\"a\",\"kind\":\"diary\"}]", NULL},
    {"kind_0003", "I would say an essay.",               NULL},
};

static void answer_both_rounds(struct enrich_world *w)
{
    enrich_world_round(w, first, ARRAY_LEN(first));
    enrich_world_round(w, second, ARRAY_LEN(second));
}

#define OUTPUT                                                                                     \
    "{\"id\":\"a\",\"text\":\"\xe5\xa5\xbd\",\"ai\":{\"mood\":{\"n\":4}},\"kind\":\"diary\","      \
    "\"_sheaf\":{\"mood\":\"ok\",\"kind\":\"ok\"}}\n"                                              \
    "{\"id\":\"b\", \"text\":\"bad\",\"ai\":{\"mood\":{\"n\":2}},\"kind\":\"news\","               \
    "\"_sheaf\":{\"mood\":{\"status\":\"repaired\",\"repairs\":[\"fence\"]},\"kind\":\"ok\"}}\n"   \
    "{\"_sheaf\":{\"error\":{\"code\":\"invalid_row\",\"message\":\"line 3, column 1: the row is " \
    "not an object but of type array\"},\"row\":\"[1, 2]\"}}\n"                                    \
    "{\"id\":\"c\",\"text\":\"\",\"kind\":\"diary\",\"_sheaf\":{\"mood\":\"skipped\","             \
    "\"kind\":{\"status\":\"defaulted\",\"code\":\"invalid_answer\","                              \
    "\"why\":\"not JSON: expected a value\"}}}\n"

#define NO_ROW                                                                                   \
    "\"response\":null,\"error\":{\"code\":\"invalid_row\",\"message\":\"line 3, column 1: the " \
    "row is not an object but of type array\"}}\n"

static void rows_come_out_with_their_answers_and_what_became_of_each(void **state)
{
    struct enrich_world *w = *state;

    enrich_world_round(w, first, ARRAY_LEN(first));
    enrich_world_assert_asked(w, "mood_0000 mood_0001 kind_0000 kind_0003 ");
    assert_int_equal(enrich_world_judge(w).pairs, 2);
    assert_int_equal(enrich_world_judge(w).lost, 1);
    assert_int_equal(enrich_world_judge(w).invalid, 1);
    enrich_world_round(w, second, ARRAY_LEN(second));
    enrich_world_assert_asked(w, "kind_0000 kind_0003 ");
    assert_int_equal(enrich_world_judge(w).pairs, 0);

    must_integrate(w, false, false);
    enrich_world_assert_file(w, ".jsonl", OUTPUT);
    enrich_world_assert_file(w, ".errors.jsonl",
                             "{\"id\":null,\"custom_id\":\"mood_0002\",\"row\":2,\"row_id\":\"2\","
                             "\"analysis\":\"mood\"," NO_ROW
                             "{\"id\":null,\"custom_id\":\"kind_0002\",\"row\":2,\"row_id\":\"2\","
                             "\"analysis\":\"kind\"," NO_ROW);
}

static void a_repeat_finds_its_files_and_writes_nothing(void **state)
{
    struct enrich_world *w = *state;

    answer_both_rounds(w);
    must_integrate(w, false, false);
    assert_true(publish_check(w->output, w->rounds[0].spec, false, NULL));
    must_integrate(w, false, true);
    enrich_world_write(w->output, "somebody else's\n");
    struct err err = {0};
    struct enrich_report report;
    assert_false(enrich_world_integrate(w, false, &report, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    enrich_world_assert_file(w, ".jsonl", "somebody else's\n");
}

static void an_output_that_was_lost_is_written_again(void **state)
{
    struct enrich_world *w = *state;

    answer_both_rounds(w);
    must_integrate(w, false, false);
    assert_int_equal(unlink(w->output), 0);
    must_integrate(w, false, false);
    enrich_world_assert_file(w, ".jsonl", OUTPUT);
}

static void what_is_open_is_not_integrated_unless_nothing_comes_after(void **state)
{
    struct enrich_world *w = *state;
    struct enrich_report report;
    struct err err = {0};

    enrich_world_round(w, first, ARRAY_LEN(first));
    assert_false(enrich_world_integrate(w, false, &report, NULL, &err));
    assert_int_equal(err.kind, ERR_TEMPORARY);
    assert_non_null(strstr(err.msg, "row 0: \"kind\""));
    enrich_world_assert_file(w, ".jsonl", "");
    must_integrate(w, true, false);
    struct buf out = enrich_world_read(w->output);
    assert_non_null(strstr(out.data, "\"kind\":{\"status\":\"defaulted\",\"code\":\"forgotten\""));
    assert_non_null(strstr(out.data, "\\\"essay\\\" is not in the vocabulary"));
    buf_release(&out);
}

/* A JSON list of one text of @len times @c; the caller releases it. */
static struct buf make_answer(char c, size_t len)
{
    struct buf text = BUF_INIT(len + 8);

    assert_true(buf_append(&text, "[\"", 2) && buf_reserve(&text, len + 2));
    memset(text.data + 2, c, len);
    text.len += len;
    assert_true(buf_append(&text, "\"]", 2));
    return text;
}

static void answers_beyond_those_that_are_kept_are_read_again(void **state)
{
    enum { LARGE = 6 << 20 }; /* two such are kept */

    struct enrich_world w;
    struct judge *judge;
    struct buf answers[3];
    struct err err = {0};
    bool end = true;

    (void)state;
    enrich_world_make(&w,
                      "model: m\nanalyses:\n  - {name: a, prompt: '{{t}}', answer: {type: json}}\n",
                      "rows.jsonl", "{\"t\":1}\n{\"t\":2}\n{\"t\":3}\n");
    for (int i = 0; i < 3; i++)
        answers[i] = make_answer((char)('a' + i), LARGE);
    const struct enrich_said said[] = {
        {"a_0000", answers[0].data, NULL},
        {"a_0001", answers[1].data, NULL},
        {"a_0002", answers[2].data, NULL},
    };
    enrich_world_round(&w, said, ARRAY_LEN(said));
    judge = judge_new(&w.recipe, w.rounds, w.count, &err);
    assert_true(judge_block(judge, &end, &err));
    for (uint32_t row = 0; row < 3; row++) {
        struct judged found;

        assert_true(judge_look(judge, row, 0, &found, &err));
        assert_int_equal(found.verdict, VERDICT_OK);
        assert_int_equal(found.json.len, answers[row].len);
        assert_memory_equal(found.json.p, answers[row].data, found.json.len);
        buf_release(&answers[row]);
    }
    judge_free(judge);
    enrich_world_free(&w);
}

static void what_was_asked_once_counts_as_asked_when_it_cannot_be_asked_again(void **state)
{
    static const struct enrich_said said[] = {
        {NULL, "no JSON", NULL}
    };
    struct enrich_world w;
    struct enrich_report report;
    char path[SCRATCH_PATH_MAX + 16];
    struct err err = {0};

    (void)state;
    enrich_world_make(&w,
                      "model: m\nanalyses:\n  - {name: a, prompt: '{{t}}', images: '{{i}}', "
                      "answer: {type: json}}\n",
                      "rows.jsonl", "{\"t\":1,\"i\":\"a.png\"}\n{\"t\":2,\"i\":\"b.png\"}\n");
    (void)snprintf(path, sizeof(path), "%s/a.png", w.path);
    enrich_world_write(path, "\x89PNG\r\n\x1a\nrest");
    enrich_world_round(&w, said, 1);
    enrich_world_assert_asked(&w, "a_0000 ");
    assert_int_equal(unlink(path), 0);
    enrich_world_round(&w, said, 1);
    enrich_world_assert_asked(&w, "");
    if (!enrich_world_integrate(&w, true, &report, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(report.analyses[0].asked, 1);
    assert_int_equal(report.analyses[0].requests, 1);
    enrich_report_release(&report);
    enrich_world_free(&w);
}

static void rows_that_changed_and_another_recipe_are_refused(void **state)
{
    struct enrich_world *w = *state;
    struct enrich_report report;
    struct err err = {0};

    answer_both_rounds(w);
    enrich_world_write(w->rows, ROWS "{}\n");
    assert_false(enrich_world_integrate(w, false, &report, NULL, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    enrich_world_write(w->rows, ROWS);
    w->recipe.digest[0] ^= 1;
    assert_false(enrich_world_integrate(w, false, &report, NULL, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    enrich_world_assert_file(w, ".jsonl", "");
    w->recipe.digest[0] ^= 1;
    must_integrate(w, false, false);
}

#define TALLIES "model: m\nanalyses:\n  - {name: t, prompt: \"{{n}}\"}\n"

/* 2,500 rows of one digit each; row @other has another one. */
static char *tally_rows(size_t other)
{
    char *text = xcalloc(2500, 8);

    for (size_t i = 0; i < 2500; i++)
        memcpy(text + i * 8, i == other ? "{\"n\":7}\n" : "{\"n\":1}\n", 8);
    return text;
}

static void change_row(const struct enrich_world *w, size_t row)
{
    char *text = tally_rows(row);
    FILE *file = fopen(w->rows, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 8, 2500, file), 2500);
    assert_int_equal(fclose(file), 0);
    free(text);
}

static void rows_that_changed_between_are_named(void **state)
{
    static const struct {
        size_t row;
        const char *words;
    } cases[] = {
        {0,    "rows 0 to 999 are not what they were when they were asked about"    },
        {1234, "rows 1000 to 1999 are not what they were when they were asked about"},
        {2499, "rows 2000 to 2499 are not what they were when they were asked about"},
    };
    struct enrich_world *w = *state;
    struct enrich_report report;

    enrich_world_free(w);
    enrich_world_make(w, TALLIES, "rows.jsonl", "");
    change_row(w, SIZE_MAX);
    enrich_world_round(w, &(struct enrich_said){NULL, "x", NULL}, 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};

        change_row(w, cases[i].row);
        assert_false(enrich_world_integrate(w, false, &report, NULL, &err));
        assert_int_equal(err.kind, ERR_INPUT);
        assert_non_null(strstr(err.msg, cases[i].words));
        assert_non_null(strstr(err.msg, "rows.jsonl"));
        enrich_world_assert_file(w, ".jsonl", "");
    }
    change_row(w, SIZE_MAX);
    must_integrate(w, false, false);
}

/* The next round asks nothing about rows that are not those of the round before. */
static void a_later_round_is_not_rendered_of_rows_that_changed(void **state)
{
    struct enrich_world *w = *state;
    struct rows *rows;
    struct judge *judge;
    struct render *render;
    struct render_choice choice;
    struct render_options options = {.choice = &choice};
    const struct block *block;
    struct err err = {0};
    bool end = false;

    enrich_world_free(w);
    enrich_world_make(w, TALLIES, "rows.jsonl", "");
    change_row(w, SIZE_MAX);
    enrich_world_round(w, &(struct enrich_said){NULL, "x", NULL}, 1);
    change_row(w, 1500);
    judge = judge_new(&w->recipe, w->rounds, w->count, NULL);
    choice = judge_choice(judge);
    rows = rows_open(w->rows, &w->recipe.rows, NULL);
    render = render_new(&w->recipe, rows, &options);
    assert_true(render_block(render, &block, &end, NULL));
    assert_false(render_block(render, &block, &end, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "rows 1000 to 1999 are not what they were"));
    render_free(render);
    rows_close(rows);
    judge_free(judge);
}

#define PICTURES                                                                 \
    "model: m\nmultimodal_model: mm\nanalyses:\n"                                \
    "  - {name: mood, prompt: \"{{c}}\", images: \"{{pics}}\", default: calm}\n" \
    "  - {name: kind, prompt: \"{{c}}\", images: \"{{pics}}\"}\n"

/* One image of a list is enough. A default covers what could not be asked, but not what is no row.
 */
static void a_row_whose_image_is_missing_has_the_default_or_fails(void **state)
{
    struct enrich_world *w = *state;

    enrich_world_free(w);
    enrich_world_make(w, PICTURES, "rows.jsonl",
                      "{\"c\":1,\"pics\":[\"https://a.example/1.png\",\"gone.png\"]}\n"
                      "{\"c\":2,\"pics\":[\"rows.jsonl\"]}\n"
                      "7\n"
                      "{\"c\":3}\n");
    enrich_world_round(w, &(struct enrich_said){NULL, "x", NULL}, 1);
    enrich_world_assert_asked(w, "mood_0003 kind_0003 ");
    assert_int_equal(enrich_world_judge(w).pairs, 0);
    must_integrate(w, false, false);
    struct buf out = enrich_world_read(w->output);
    const char *line = strstr(out.data, "\"mood\":\"calm\"");
    assert_non_null(line);
    line = strstr(line, "{\"mood\":{\"status\":\"defaulted\",\"code\":\"image_missing\",\"why\":");
    assert_non_null(line);
    assert_non_null(strstr(line, "\"kind\":{\"status\":\"failed\",\"code\":\"image_missing\""));
    assert_non_null(strstr(line, "{\"status\":\"defaulted\",\"code\":\"image_invalid\",\"why\":"));
    assert_non_null(strstr(line, "\n{\"_sheaf\":{\"error\":{\"code\":\"invalid_row\""));
    assert_non_null(strstr(line, "{\"c\":3,\"mood\":\"x\",\"kind\":\"x\","));
    buf_release(&out);
    char path[SCRATCH_PATH_MAX + 64];
    (void)snprintf(path, sizeof(path), "%s/out.errors.jsonl", w->path);
    struct buf errors = enrich_world_read(path);
    assert_non_null(strstr(errors.data, "\"custom_id\":\"kind_0000\""));
    assert_null(strstr(errors.data, "\"custom_id\":\"mood_0000\""));
    assert_non_null(strstr(errors.data, "\"custom_id\":\"mood_0002\""));
    buf_release(&errors);
}

static void rounds_have_their_order(void **state)
{
    struct enrich_world *w = *state;
    struct enrich_open open;
    struct err err = {0};

    answer_both_rounds(w);
    const struct enrich_round swapped[] = {w->rounds[1], w->rounds[0]};
    assert_false(enrich_judge(&w->recipe, swapped, 2, &open, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err.msg, "is round 2 instead of 1"));
}

static void an_errors_file_that_would_be_another_one_is_replaced(void **state)
{
    static const struct enrich_said failed[] = {
        {"mood_0000", NULL,                                             "content_filter"},
        {"mood_0001", "{\"n\": 1}",                                     NULL            },
        {NULL,        "{\"a\":\"news\",\"b\":\"news\",\"c\":\"news\"}", NULL            },
    };
    struct enrich_world *w = *state;
    char path[512], name[LAYOUT_NAME_MAX];

    enrich_world_round(w, failed, ARRAY_LEN(failed));
    must_integrate(w, false, false);
    must_integrate(w, false, true);
    (void)snprintf(path, sizeof(path), "%.300s/%.100s", sink_path(w->rounds[0].sink),
                   layout_dead(name, 0, 0));
    enrich_world_write(path,
                       "{\"custom_id\":\"mood_0000\",\"response\":{\"status_code\":400},"
                       "\"error\":{\"code\":\"content_filter\",\"message\":\"no <luck>\"}}\n");
    must_integrate(w, false, false);
    (void)snprintf(path, sizeof(path), "%s/out.errors.jsonl", w->path);
    struct buf errors = enrich_world_read(path);
    assert_non_null(strstr(errors.data, "\"response\":{\"status_code\":400},\"error\":{\"code\":"
                                        "\"content_filter\",\"message\":\"no <luck>\"}}\n"));
    buf_release(&errors);
}

static void a_pack_that_the_provider_failed_is_asked_row_by_row(void **state)
{
    static const struct enrich_said failed[] = {
        {"kind_0000", NULL,        "content_filter"},
        {"kind_0003", NULL,        "content_filter"},
        {NULL,        "{\"n\":1}", NULL            },
    };
    static const struct enrich_said alone[] = {
        {"kind_0000", NULL,                "content_filter"},
        {"kind_0001", "{\"b\": \"news\"}", NULL            },
    };
    struct enrich_world *w = *state;

    enrich_world_round(w, failed, ARRAY_LEN(failed));
    /* Row 3 was alone in its pack: that failure is final. */
    assert_int_equal(enrich_world_judge(w).lost, 2);
    enrich_world_round(w, alone, ARRAY_LEN(alone));
    enrich_world_assert_asked(w, "kind_0000 kind_0001 ");
    assert_int_equal(enrich_world_judge(w).pairs, 0);
    must_integrate(w, false, false);
    struct buf out = enrich_world_read(w->output);
    assert_non_null(strstr(out.data, "\"mood\":\"ok\",\"kind\":{\"status\":\"defaulted\","
                                     "\"code\":\"content_filter\",\"why\":\"no <luck>\"}"));
    assert_non_null(strstr(out.data, "\"kind\":\"news\""));
    buf_release(&out);
}

static void a_job_that_was_cancelled_says_so_of_rows_that_were_not_sent(void **state)
{
    static const struct enrich_said cancelled[] = {
        {"mood_0000", "{\"n\": 4}", NULL},
        {NULL,        NULL,         NULL},
    };
    struct enrich_world *w = *state;

    enrich_world_round(w, cancelled, ARRAY_LEN(cancelled));
    assert_int_equal(enrich_world_judge(w).pairs, 0);
    must_integrate(w, true, false);
    struct buf out = enrich_world_read(w->output);
    assert_non_null(strstr(out.data, "\"mood\":\"ok\",\"kind\":{\"status\":\"defaulted\","
                                     "\"code\":\"job_cancelled\""));
    assert_non_null(strstr(out.data, "\"mood\":{\"status\":\"failed\",\"code\":\"job_cancelled\""));
    buf_release(&out);
}

static void raw_answers_are_kept_where_the_recipe_says_so(void **state)
{
    static const char recipe[] =
        "model: m\nkeep_raw: true\nanalyses:\n"
        "  - {name: a, prompt: '{{t}}', answer: {schema: {type: integer}, "
        "repair: true}, tries: 1}\n"
        "  - {name: p, prompt: '{{#rows}}{{t}}{{/rows}}', answer: {type: json}, "
        "pack: {answer: x}}\n";
    static const struct enrich_said said[] = {
        {"a_0000", "```\n7\n```",            NULL},
        {"a_0001", "seven \"7\"",            NULL},
        {"p_0000", "{\"0\": [1], \"1\": 2}", NULL},
    };
    struct enrich_world w;
    struct enrich_report report;
    struct err err = {0};

    (void)state;
    enrich_world_make(&w, recipe, "rows.jsonl", "{\"t\":1}\n{\"t\":2}\n");
    enrich_world_round(&w, said, ARRAY_LEN(said));
    if (!enrich_world_integrate(&w, false, &report, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(enrich_report_failed(&report), 1);
    enrich_report_release(&report);
    enrich_world_assert_file(
        &w, ".jsonl",
        "{\"t\":1,\"a\":7,\"p\":[1],\"_sheaf\":{\"a\":{\"status\":\"repaired\",\"repairs\":"
        "[\"fence\"],\"raw\":\"```\\n7\\n```\"},\"p\":{\"status\":\"ok\",\"raw\":"
        "\"{\\\"0\\\": [1], \\\"1\\\": 2}\"}}}\n"
        "{\"t\":2,\"p\":2,\"_sheaf\":{\"a\":{\"status\":\"failed\",\"code\":\"invalid_answer\","
        "\"why\":\"not JSON: there is no JSON value in it\",\"raw\":\"seven "
        "\\\"7\\\"\"},\"p\":\"ok\"}}\n");
    enrich_world_free(&w);
}

static void the_name_of_the_output_says_its_form(void **state)
{
    static const struct {
        const char *suffix, *begin, *row, *end;
    } forms[] = {
        {".csv",  "id,text,ai.mood,kind,_sheaf\n",
         "\na,\xe5\xa5\xbd,\"{\"\"n\"\":4}\",diary,\"{\"\"mood\"\":\"\"ok\"\",\"\"kind\"\":"
         "\"\"ok\"\"}\"\n",                                                                                              "\"\"}}\"\n"},
        {".json", "[\n",                               "\n{\"id\":\"b\", \"text\":\"bad\",\"ai\":{\"mood\":{\"n\":2}},",
         "}}}\n]\n"                                                                                                                  },
        {".tsv",  "id\ttext\tai.mood\tkind\t_sheaf\n", "\nb\tbad\t\"{\"\"n\"\":2}\"\tnews\t\"{",
         "\"\"}}\"\n"                                                                                                                },
    };
    struct enrich_world *w = *state;

    answer_both_rounds(w);
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        (void)snprintf(w->output, sizeof(w->output), "%s/out%s", w->path, forms[i].suffix);
        must_integrate(w, true, false);
        struct buf out = enrich_world_read(w->output);
        assert_true(strncmp(out.data, forms[i].begin, strlen(forms[i].begin)) == 0);
        assert_non_null(strstr(out.data, forms[i].row));
        assert_string_equal(out.data + out.len - strlen(forms[i].end), forms[i].end);
        buf_release(&out);
    }
}

/* Rows of several blocks and parts of answers, some of them wrong. */
static void many_rows_keep_their_order_and_their_answers(void **state)
{
    static const char recipe[] =
        "model: m\nanalyses:\n"
        "  - {name: a, prompt: '{{t}}', answer: {schema: {type: integer}}}\n";
    static const struct enrich_said wrong[] = {
        {"a_0000", "x", NULL},
        {"a_1999", "x", NULL},
        {"a_2499", "x", NULL},
        {NULL,     "1", NULL}
    };
    static const struct enrich_said right[] = {
        {NULL, "2", NULL}
    };
    struct buf rows = BUF_INIT(1 << 20);
    struct enrich_world w;
    struct enrich_report report;
    struct err err = {0};

    (void)state;
    for (int i = 0; i < 2500; i++)
        assert_true(buf_printf(&rows, "{\"t\":%d}\n", i));
    enrich_world_make(&w, recipe, "rows.jsonl", rows.data);
    enrich_world_round(&w, wrong, ARRAY_LEN(wrong));
    assert_int_equal(enrich_world_judge(&w).invalid, 3);
    enrich_world_round(&w, right, ARRAY_LEN(right));
    enrich_world_assert_asked(&w, "a_0000 a_1999 a_2499 ");
    if (!enrich_world_integrate(&w, false, &report, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(report.rows, 2500);
    assert_int_equal(report.analyses[0].verdicts[VERDICT_OK], 2500);
    buf_clear(&rows);
    for (int i = 0; i < 2500; i++)
        assert_true(buf_printf(&rows, "{\"t\":%d,\"a\":%d,\"_sheaf\":{\"a\":\"ok\"}}\n", i,
                               i == 0 || i == 1999 || i == 2499 ? 2 : 1));
    enrich_world_assert_file(&w, ".jsonl", rows.data);
    enrich_report_release(&report);
    buf_release(&rows);
    enrich_world_free(&w);
}

static void no_rows_give_three_files_all_the_same(void **state)
{
    struct enrich_world w;
    struct enrich_report report;
    struct err err = {0};

    (void)state;
    enrich_world_make(&w, RECIPE, "rows.jsonl", "");
    enrich_world_round(&w, NULL, 0);
    if (!enrich_world_integrate(&w, false, &report, NULL, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(report.rows, 0);
    enrich_world_assert_file(&w, ".jsonl", "");
    enrich_world_assert_file(&w, ".errors.jsonl", "");
    struct stat st;
    char path[SCRATCH_PATH_MAX + 32];
    (void)snprintf(path, sizeof(path), "%s/out.report.json", w.path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 100);
    enrich_report_release(&report);
    enrich_world_free(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_out_with_their_answers_and_what_became_of_each),
        TEST(a_repeat_finds_its_files_and_writes_nothing),
        TEST(an_output_that_was_lost_is_written_again),
        TEST(what_is_open_is_not_integrated_unless_nothing_comes_after),
        cmocka_unit_test(answers_beyond_those_that_are_kept_are_read_again),
        cmocka_unit_test(what_was_asked_once_counts_as_asked_when_it_cannot_be_asked_again),
        TEST(rows_that_changed_and_another_recipe_are_refused),
        TEST(rows_that_changed_between_are_named),
        TEST(a_later_round_is_not_rendered_of_rows_that_changed),
        TEST(a_row_whose_image_is_missing_has_the_default_or_fails),
        TEST(rounds_have_their_order),
        TEST(an_errors_file_that_would_be_another_one_is_replaced),
        TEST(a_pack_that_the_provider_failed_is_asked_row_by_row),
        TEST(a_job_that_was_cancelled_says_so_of_rows_that_were_not_sent),
        cmocka_unit_test(raw_answers_are_kept_where_the_recipe_says_so),
        TEST(the_name_of_the_output_says_its_form),
        cmocka_unit_test(many_rows_keep_their_order_and_their_answers),
        cmocka_unit_test(no_rows_give_three_files_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
