#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/json/scan.h"
#include "common/recipe/answer.h"
#include "common/recipe/schema.h"

#define MAX_BYTES   ((size_t)1 << 22)
#define BIT(repair) (1u << REPAIR_##repair)
#define POLARITY                                                                       \
    "{\"type\":\"object\",\"required\":[\"polarity\"],\"additionalProperties\":false," \
    "\"properties\":{\"polarity\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5}}}"
#define NOTHING(id) "the answer to the pack has nothing for id \"" id "\""

static const char *const ids[] = {"p1", "7", "情感"};

/* Of a row: the answer, or "forgotten", or why it is not valid ("!..."). */
struct split_case {
    const char *text;
    const char *rows[3];
    unsigned repairs;
};

static void assert_row(const struct answer *a, const char *expected, unsigned repairs)
{
    if (strcmp(expected, "forgotten") == 0) {
        assert_true(a->forgotten);
        assert_int_equal(a->verdict, ANSWER_INVALID);
        assert_non_null(strstr(a->why, "has nothing for id"));
        return;
    }
    assert_false(a->forgotten);
    if (*expected == '!') {
        assert_int_equal(a->verdict, ANSWER_INVALID);
        assert_string_equal(a->why, expected + 1);
        return;
    }
    assert_string_equal(a->why, "");
    assert_int_equal(a->repairs, repairs);
    assert_int_equal(a->verdict, repairs == 0 ? ANSWER_OK : ANSWER_REPAIRED);
    assert_int_equal(a->json.len, strlen(expected));
    assert_memory_equal(a->json.p, expected, a->json.len);
}

static void run_cases(const struct answer_rule *rule, const char *answer_field,
                      const struct split_case *cases, size_t count)
{
    struct answer_pack pack = {
        .id_field = "id", .answer_field = answer_field, .ids = ids, .count = 3};
    struct answer_scratch scratch;

    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        struct answer_content content = {
            .text = {cases[i].text, strlen(cases[i].text)}
        };
        struct answer out[3];

        print_message("  %s\n", cases[i].text);
        assert_true(answer_split(rule, &pack, &content, &scratch, out));
        for (size_t row = 0; row < 3; row++)
            assert_row(&out[row], cases[i].rows[row], cases[i].repairs);
    }
    answer_scratch_release(&scratch);
}

#define P(n) "{\"polarity\":" #n "}"

static const struct split_case named[] = {
    {"[{\"id\":\"p1\",\"polarity\":1},{\"id\":7,\"polarity\":2},{\"polarity\":3,\"id\":"
     "\"情感\"}]",                                                                    {P(1), P(2), P(3)},
     0                                                                                                                                                         },
    {"[{\"id\":\"\\u60c5\\u611f\",\"polarity\":3},{\"id\":\"7\",\"polarity\":2},"
     "{\"polarity\":1,\"id\":\"p1\"}]",                                                 {P(1), P(2), P(3)},
     0                                                                                                                                                         },
    {"{\"results\": [{\"id\":\"p1\",\"polarity\":1}, {\"id\":7,\"polarity\":2}]}",
     {P(1), P(2), "forgotten"},
     0                                                                                                                                                         },
    {"{\"note\":\"x\",\"skipped\":[1],\"results\":[{\"id\":7,\"polarity\":2}]}",
     {"forgotten", P(2), "forgotten"},
     0                                                                                                                                                         },
    {"{\"p1\":{\"polarity\":1},\"7\":{\"polarity\":2},\"情感\":{\"polarity\":3}}",
     {P(1), P(2), P(3)},
     0                                                                                                                                                         },
    {"{\"results\":{\"p1\":{\"polarity\":1},\"p2\":{\"polarity\":2}}}",
     {P(1), "forgotten", "forgotten"},
     0                                                                                                                                                         },
    {"{\"id\":\"p1\",\"polarity\":1}",                                                       {P(1), "forgotten", "forgotten"},                                0},
 /* One row spoils no other */
    {"[{\"id\":\"p1\",\"polarity\":\"one\"},{\"id\":7,\"polarity\":2},{\"id\":\"情感\"}]",
     {"!polarity: expected an integer, got a string (\"one\")", P(2), "!polarity: is missing"},
     0                                                                                                                                                         },
    {"[{\"id\":\"p1\",\"polarity\":1,\"why\":\"x\"},{\"id\":7,\"polarity\":2}]",
     {"!why: such a member is not allowed", P(2), "forgotten"},
     0                                                                                                                                                         },
 /* Others than asked for: the first counts */
    {"[{\"id\":\"p1\",\"polarity\":1},{\"id\":\"p1\",\"polarity\":5},{\"id\":\"p9\","
     "\"polarity\":2},"
     "{\"polarity\":3},7,null,{\"id\":null},{\"id\":7.0,\"polarity\":3}]",              {P(1), "forgotten", "forgotten"},
     0                                                                                                                                                         },
    {"[]",                                                                                   {"forgotten", "forgotten", "forgotten"},                         0},
    {"{\"results\":[]}",                                                                     {"forgotten", "forgotten", "forgotten"},                         0},
 /* Mended */
    {"```json\n[{'id':'p1','polarity':1,},]\n```",
     {P(1), "forgotten", "forgotten"},
     BIT(FENCE) | BIT(QUOTES) | BIT(COMMAS)                                                                                                                    },
    {"e.g. {\"id\":\"p1\",\"polarity\":5}. Now: "
     "[{\"id\":\"p1\",\"polarity\":1},{\"id\":7,\"polarity\":2}]",                      {P(1), P(2), "forgotten"},
     BIT(BRACES)                                                                                                                                               },
    {"e.g. {\"id\":\"p1\",\"polarity\":5}. Now: {\"id\":\"p1\",\"polarity\":1} "
     "{\"id\":7,\"polarity\":2}",                                                       {"!there are several answers for id \"p1\"", P(2), "forgotten"},
     BIT(LIST)                                                                                                                                                 },
    {"{\"id\":\"p1\",\"polarity\":1}\n{\"id\":7,\"polarity\":2}",
     {P(1), P(2), "forgotten"},
     BIT(LIST)                                                                                                                                                 },
 /* Cut off: what was complete before counts, what was cut inside does not */
    {"[{\"id\":\"p1\",\"polarity\":1},{\"id\":7,\"polarity\":2},{\"id\":\"情感\",\"pol",
     {P(1), P(2), "forgotten"},
     BIT(CUT)                                                                                                                                                  },
    {"[{\"id\":\"p1\",\"polarity\":1},{\"id\":7,\"polarity\":2,\"x",
     {P(1), "forgotten", "forgotten"},
     BIT(CUT)                                                                                                                                                  },
    {"{\"results\":[{\"id\":\"p1\",\"polarity\":1},{\"id\":7,\"polarity\":2},",
     {P(1), P(2), "forgotten"},
     BIT(CUT)                                                                                                                                                  },
    {"{\"p1\":{\"polarity\":1},\"7\":{\"polarity\":2,\"x\":[",
     {P(1), "forgotten", "forgotten"},
     BIT(CUT)                                                                                                                                                  },
};

static void each_row_gets_what_names_it(void **state)
{
    struct err err = {0};
    struct schema *schema = schema_parse("s", POLARITY, strlen(POLARITY), &err);
    struct answer_rule rule = {.type = ANSWER_JSON, .repair = true, .schema = schema};

    (void)state;
    assert_non_null(schema);
    run_cases(&rule, NULL, named, ARRAY_LEN(named));
    schema_free(schema);
}

static void the_answer_may_be_a_member_of_its_own(void **state)
{
    static const struct split_case cases[] = {
        {"[{\"id\":\"p1\",\"answer\":[1, 2]},{\"id\":7},{\"id\":\"情感\",\"answer\":null}]",
         {"[1,2]", "!the element has no \"answer\"", "null"},
         0                                                                                                                            },
        {"{\"p1\":[1],\"情感\":\"x\"}",                                                      {"[1]", "forgotten", "\"x\""},        0},
        {"{\"p1\":{\"answer\":\"x\"},\"7\":{\"other\":1},\"情感\":{\"id\":\"情感\",\"answer\":[1, "
         "{}]}}",                                                                     {"\"x\"", "{\"other\":1}", "[1,{}]"},
         0                                                                                                                            },
    };
    struct answer_rule rule = {.type = ANSWER_JSON};

    (void)state;
    run_cases(&rule, "answer", cases, ARRAY_LEN(cases));
}

static void an_answer_to_one_row_need_not_name_it(void **state)
{
    static const struct {
        const char *text;
        bool readable;
        const char *row;
    } cases[] = {
        {"{\"polarity\":3}",                               true,  P(3)                                                         },
        {"[{\"polarity\":3}]",                             true,  P(3)                                                         },
        {"{\"results\":[{\"polarity\":3}]}",               true,  P(3)                                                         },
        {"{\"id\":\"p1\",\"polarity\":3}",                 true,  P(3)                                                         },
        {"{\"p1\":{\"polarity\":3}}",                      true,  P(3)                                                         },
        {"{\"polarity\":9}",                               true,  "!polarity: expected at most 5, got 9"                       },
        {"[{\"polarity\":3},{\"polarity\":4}]",            true,  "forgotten"                                                  }, /* which? */
        {"{\"id\":\"p2\",\"polarity\":3}",                 true,  "forgotten"                                                  },
        {"{\"results\":[{\"id\":\"p2\",\"polarity\":3}]}", true,  "forgotten"                                                  },
        {"[]",                                             true,  "forgotten"                                                  },
        {"{}",                                             true,  "!polarity: is missing"                                      },
        {"3",                                              false, "!expected a list of objects with \"id\", or an object by id"},
    };
    struct err err = {0};
    struct schema *schema = schema_parse("s", POLARITY, strlen(POLARITY), &err);
    struct answer_rule rule = {.type = ANSWER_JSON, .schema = schema};
    struct answer_pack pack = {.id_field = "id", .ids = ids, .count = 1};
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer_content content = {
            .text = {cases[i].text, strlen(cases[i].text)}
        };
        struct answer out;

        print_message("  %s\n", cases[i].text);
        assert_int_equal(answer_split(&rule, &pack, &content, &scratch, &out), cases[i].readable);
        assert_row(&out, cases[i].row, 0);
    }
    answer_scratch_release(&scratch);
    schema_free(schema);
}

#define TOPICS                                                                              \
    "{\"type\":\"object\",\"required\":[\"topics\",\"score\"],\"properties\":{\"topics\":{" \
    "\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"score\":{\"type\":\"integer\"}}}"

/* With the schema and without. */
static const struct {
    const char *text, *with, *without;
} alone[] = {
    {"{\"topics\":[{\"t\":\"x\"}],\"score\":2}",                      "=",                                     "="            },
    {"{\"topics\":[{\"t\":\"x\"},{\"t\":\"y\"}],\"score\":2}",        "=",                                     "="            },
    {"{\"topics\":[{\"id\":7,\"t\":\"x\"}],\"score\":2}",             "=",                                     "="            },
    {"{\"topics\":[{\"id\":\"p1\",\"t\":\"x\"}],\"score\":2}",        "=",                                     "{\"t\":\"x\"}"},
    {"{\"topics\":[],\"score\":2}",                                   "=",                                     "="            },
    {"{\"topics\":[{\"id\":7,\"t\":\"x\"}]}",                         "forgotten",                             "forgotten"    },
    {"{\"topics\":[{\"t\":\"x\"}]}",                                  "!topics: is missing",                   "{\"t\":\"x\"}"},
    {"{\"note\":1,\"all\":[{\"topics\":[],\"score\":2}]}",            "{\"topics\":[],\"score\":2}",           "="            },
    {"{\"all\":[{\"id\":\"p1\",\"topics\":[],\"score\":2}],\"n\":1}", "{\"topics\":[],\"score\":2}",
     "{\"topics\":[],\"score\":2}"                                                                                            },
    {"{\"id\":\"p1\",\"topics\":[{\"id\":7}],\"score\":2}",           "{\"topics\":[{\"id\":7}],\"score\":2}",
     "{\"topics\":[{\"id\":7}],\"score\":2}"                                                                                  },
    {"{\"id\":\"p2\",\"topics\":[{\"id\":\"p1\"}],\"score\":2}",      "forgotten",                             "forgotten"    },
};

static void an_answer_to_one_row_is_all_of_it_where_that_is_valid(void **state)
{
    struct err err = {0};
    struct schema *schema = schema_parse("s", TOPICS, strlen(TOPICS), &err);
    struct answer_pack pack = {.id_field = "id", .ids = ids, .count = 1};
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < 2 * ARRAY_LEN(alone); i++) {
        const char *text = alone[i / 2].text;
        const char *row = i % 2 == 0 ? alone[i / 2].with : alone[i / 2].without;
        struct answer_rule rule = {.type = ANSWER_JSON, .schema = i % 2 == 0 ? schema : NULL};
        struct answer_content content = {
            .text = {text, strlen(text)}
        };
        struct answer out;

        print_message("  %s\n", text);
        assert_true(answer_split(&rule, &pack, &content, &scratch, &out));
        assert_row(&out, *row == '=' ? text : row, 0);
    }
    answer_scratch_release(&scratch);
    schema_free(schema);
}

static void texts_are_packed_as_strings(void **state)
{
    static const struct split_case cases[] = {
        {"[{\"id\":\"p1\",\"answer\":\"a\"},{\"id\":7,\"answer\":3},{\"id\":\"情感\",\"answer\":"
         "\"\"}]",            {"\"a\"", "!expected a text, got number", "!the answer is empty"},
         0                                                                                                 },
        {"{\"p1\":\"a\",\"7\":\"b\"}", {"\"a\"", "\"b\"", "forgotten"},                                   0},
    };
    static const struct split_case bare[] = {
        {"[{\"id\":\"p1\",\"summary\":\"a\"},{\"id\":7,\"a\":\"b\",\"c\":\"d\"}]",
         {"\"a\"", "!expected a text, got object", "forgotten"},
         0},
    };
    struct answer_rule rule = {.type = ANSWER_TEXT};

    (void)state;
    run_cases(&rule, "answer", cases, ARRAY_LEN(cases));
    run_cases(&rule, NULL, bare, ARRAY_LEN(bare));
}

static void an_answer_that_cannot_be_read_is_nobodys(void **state)
{
    static const struct {
        const char *text;
        bool cut;
        const char *why;
    } cases[] = {
        {"I cannot do that.",                       false, "not JSON: there is no JSON value in it"                    },
        {"",                                        false, "the answer is empty"                                       },
        {"3",                                       false, "expected a list of objects with \"id\", or an object by id"},
        {"{}",                                      false, "expected a list of objects with \"id\", or an object by id"},
        {"{\"a\":[{\"id\":1}],\"b\":[{\"id\":2}]}", false,
         "expected a list of objects with \"id\", or an object by id"                                                  },
        {"{\"polarity\":3}",                        false, "expected a list of objects with \"id\", or an object by id"},
        {"[{\"id\":\"p1",                           true,
         "cut off at the limit of output tokens: not JSON: it was cut off before anything in it "
         "was "
         "complete"                                                                                                    },
    };
    struct answer_rule rule = {.type = ANSWER_JSON, .repair = true};
    struct answer_pack pack = {.id_field = "id", .ids = ids, .count = 3};
    struct answer_scratch scratch;

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer_content content = {
            .text = {cases[i].text, strlen(cases[i].text)},
              .cut = cases[i].cut
        };
        struct answer out[3];

        print_message("  %s\n", cases[i].text);
        assert_false(answer_split(&rule, &pack, &content, &scratch, out));
        for (size_t row = 0; row < 3; row++) {
            assert_int_equal(out[row].verdict, ANSWER_INVALID);
            assert_false(out[row].forgotten);
            assert_string_equal(out[row].why, cases[i].why);
        }
    }
    answer_scratch_release(&scratch);
}

static void a_large_pack_keeps_every_answer(void **state)
{
    enum { COUNT = 1000 };

    static char names[COUNT][16];
    static const char *large[COUNT];
    static struct answer out[COUNT];
    struct buf text = BUF_INIT(MAX_BYTES);
    struct answer_rule rule = {.type = ANSWER_JSON};
    struct answer_pack pack = {.id_field = "id", .ids = large, .count = COUNT};
    struct answer_scratch scratch;
    char expected[40];

    (void)state;
    answer_scratch_init(&scratch, MAX_BYTES);
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "row-%zu", i);
        large[i] = names[i];
        assert_true(buf_printf(&text, "%s{\"n\":%zu,\"id\":\"row-%zu\"}", i == 0 ? "[" : ",",
                               COUNT - 1 - i, COUNT - 1 - i));
    }
    assert_true(buf_append(&text, "]", 1));

    struct answer_content content = {
        .text = {text.data, text.len}
    };

    assert_true(answer_split(&rule, &pack, &content, &scratch, out));
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(expected, sizeof(expected), "{\"n\":%zu}", i);
        assert_row(&out[i], expected, 0);
    }
    answer_scratch_release(&scratch);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_gets_what_names_it),
        cmocka_unit_test(the_answer_may_be_a_member_of_its_own),
        cmocka_unit_test(an_answer_to_one_row_need_not_name_it),
        cmocka_unit_test(an_answer_to_one_row_is_all_of_it_where_that_is_valid),
        cmocka_unit_test(texts_are_packed_as_strings),
        cmocka_unit_test(an_answer_that_cannot_be_read_is_nobodys),
        cmocka_unit_test(a_large_pack_keeps_every_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
