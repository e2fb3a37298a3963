#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/json/scan.h"
#include "common/recipe/json_equal.h"
#include "common/recipe/repair.h"

#define F(repair) (1u << REPAIR_##repair)

static const struct {
    const char *text, *json;
    unsigned repairs;
} mended[] = {
  /* Fences */
    {"```json\n{\"a\": 1}\n```",                                   "{\"a\":1}",                                    F(FENCE)               },
    {"```\n[1,2]\n```\n",                                          "[1,2]",                                        F(FENCE)               },
    {"```JSON\r\n{\"a\":1}\r\n```",                                "{\"a\":1}",                                    F(FENCE)               },
    {"```json {\"a\":1} ```",                                      "{\"a\":1}",                                    F(FENCE)               },
    {"```json\n{\"a\":1}",                                         "{\"a\":1}",                                    F(FENCE)               }, /* the fence alone was cut off */
    {"```json\n3\n```",                                            "3",                                            F(FENCE)               },
    {"```\n\"正面\"\n```",                                       "\"正面\"",                                   F(FENCE)               },
    {"Sure! Here it is:\n```json\n{\"a\":1}\n```\nAnything else?", "{\"a\":1}",
     F(FENCE) | F(BRACES)                                                                                                                 },
    {"```json\n{\"a\":1}\n```\nAnything else?",                    "{\"a\":1}",                                    F(FENCE) | F(BRACES)   },
    {"{\"a\":1}\n```",                                             "{\"a\":1}",                                    F(BRACES)              },
    {"```json\n{\"code\": \"x ``` y\"}\n```",                      "{\"code\":\"x ``` y\"}",                       F(FENCE)               },
 /* Prose around */
    {"The answer is {\"polarity\": 3}.",                           "{\"polarity\":3}",                             F(BRACES)              },
    {"根据内容，情感极性为：{\"polarity\": 3}",         "{\"polarity\":3}",                             F(BRACES)              },
    {"{\"polarity\": 3}\n\n解释：内容是中性的。",        "{\"polarity\":3}",                             F(BRACES)              },
    {"labels: [\"a\", \"b\"]",                                     "[\"a\",\"b\"]",                                F(BRACES)              },
    {"As [1] and [2] say: {\"a\":1}",                              "{\"a\":1}",                                    F(BRACES)              }, /* objects before lists */
    {"I [think] it is {\"a\":1}",                                  "{\"a\":1}",                                    F(BRACES)              },
    {"Use {polarity: n} as asked: {\"polarity\": 3}",              "{\"polarity\":3}",                             F(BRACES)              },
    {"{\"a\":1} I repeat: {\"a\":1}",                              "{\"a\":1}",                                    F(BRACES)              },
    {"Brace for {\"s\": \"a } b { c\"} now",                       "{\"s\":\"a } b { c\"}",                        F(BRACES)              },
 /* Thinking */
    {"<think>Is it {\"a\": 2}? No.</think>\n\n{\"a\":1}",          "{\"a\":1}",                                    F(THINKING)            },
    {"Hm, {\"a\": 2}?\n</think>\n{\"a\":1}",                       "{\"a\":1}",                                    F(THINKING)            },
    {"<think>\n\n</think>\n\n```json\n{\"a\":1}\n```",             "{\"a\":1}",                                    F(THINKING) | F(FENCE) },
 /* Commas */
    {"{\"a\": 1,}",                                                "{\"a\":1}",                                    F(COMMAS)              },
    {"[1, 2, ]",                                                   "[1,2]",                                        F(COMMAS)              },
    {"{\"a\": [1,2,], \"b\": {\"c\": 1,},\n}",                     "{\"a\":[1,2],\"b\":{\"c\":1}}",                F(COMMAS)              },
 /* Quotes and words, as Python prints them */
    {"{'a': 'x', 'b': [True, False, None]}",                       "{\"a\":\"x\",\"b\":[true,false,null]}",
     F(QUOTES) | F(WORDS)                                                                                                                 },
    {"{'a': \"it's\"}",                                            "{\"a\":\"it's\"}",                             F(QUOTES)              },
    {"{'a': 'it\\'s'}",                                            "{\"a\":\"it's\"}",                             F(QUOTES)              },
    {"{'a': 'say \"hi\"'}",                                        "{\"a\":\"say \\\"hi\\\"\"}",                   F(QUOTES)              },
    {"{'a': 'x\\xa0y\\n'}",                                        "{\"a\":\"x\\u00a0y\\n\"}",                     F(QUOTES)              },
    {"{'情感': '正面'}",                                       "{\"情感\":\"正面\"}",                      F(QUOTES)              },
    {"{\"a\": True}",                                              "{\"a\":true}",                                 F(WORDS)               },
    {"True",                                                       "true",                                         F(WORDS)               },
    {"'positive'",                                                 "\"positive\"",                                 F(QUOTES)              },
    {"{\"a\": \"True, None\", \"b\": None}",                       "{\"a\":\"True, None\",\"b\":null}",            F(WORDS)               },
 /* Full-width marks */
    {"{\"a\"：1，\"b\"：2}",                                    "{\"a\":1,\"b\":2}",                            F(PUNCTUATION)         },
    {"{“a”: “正面”}",                                    "{\"a\":\"正面\"}",                           F(PUNCTUATION)         },
    {"{“a”：“他说“好””，“b”：1}",            "{\"a\":\"他说“好”\",\"b\":1}",          F(PUNCTUATION)         },
    {"{“a\": \"x\"}",                                            "{\"a\":\"x\"}",                                F(PUNCTUATION)         },
    {"｛\"a\"：［1，2］｝",                                  "{\"a\":[1,2]}",                                F(PUNCTUATION)         },
    {"[\"足球\"、\"篮球\"]",                                  "[\"足球\",\"篮球\"]",                      F(PUNCTUATION)         },
    {"{\"a\":\"好，很好：“是”\"，\"b\":1}",             "{\"a\":\"好，很好：“是”\",\"b\":1}", F(PUNCTUATION)         },
    {"{\xE3\x80\x80\"a\":\xC2\xA0"
     "1}",                                                    "{\"a\":1}",                                    F(PUNCTUATION)         },
    {"{“a”: “say \"hi\" now”}",                            "{\"a\":\"say \\\"hi\\\" now\"}",               F(PUNCTUATION)         },
 /* Inside of strings: what JSON cannot hold as it is */
    {"{\"a\": \"line\nnext\tcell\"}",                              "{\"a\":\"line\\nnext\\tcell\"}",               F(NEWLINES)            },
    {"{\"a\": \"bell\x07\"}",                                      "{\"a\":\"bell\\u0007\"}",                      F(NEWLINES)            },
    {"{\"a\": \"C:\\dir \\alpha \\u12\"}",                         "{\"a\":\"C:\\\\dir \\\\alpha \\\\u12\"}",      F(ESCAPES)             },
    {"{\"a\": \"it\\'s\"}",                                        "{\"a\":\"it's\"}",                             F(ESCAPES)             },
 /* Comments */
    {"{\"a\": 3 // neutral\n}",                                    "{\"a\":3}",                                    F(COMMENTS)            },
    {"{/* the answer */ \"a\": 3, // yes\n}",                      "{\"a\":3}",                                    F(COMMENTS) | F(COMMAS)},
    {"{\"url\": \"http://x/*y*/\", 'a': 1}",                       "{\"url\":\"http://x/*y*/\",\"a\":1}",          F(QUOTES)              },
 /* Cut off: nothing is made up, half values are left out */
    {"{\"a\": 1, \"b\": \"half",                                   "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\":",                                          "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b",                                             "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1,",                                                 "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1",                                                  NULL,                                           0                      }, /* it may have been 12 */
    {"{\"a\": 1 ",                                                 "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": 12",                                       "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": -",                                        "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": 1.",                                       "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": 1e",                                       "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": tru",                                      "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": true",                                     "{\"a\":1,\"b\":true}",                         F(CUT)                 },
    {"{\"a\": 1, \"b\": \"x\\",                                    "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": \"x\\u4f",                                 "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": [",                                        "{\"a\":1}",                                    F(CUT)                 },
    {"{\"a\": 1, \"b\": [\"x\", {\"c\": ",                         "{\"a\":1,\"b\":[\"x\"]}",                      F(CUT)                 },
    {"[{\"id\":1,\"p\":3},{\"id\":2,\"p\":4},{\"id\":3,",
     "[{\"id\":1,\"p\":3},{\"id\":2,\"p\":4},{\"id\":3}]",                                                         F(CUT)                 },
    {"```json\n{\"a\": [1, 2],\n```",                              "{\"a\":[1,2]}",                                F(FENCE) | F(CUT)      },
    {"Here: {\"a\": 1, \"b\": \"x",                                "{\"a\":1}",                                    F(BRACES) | F(CUT)     },
    {"```json\n{'a': True, 'b': [1, 2, ",                          "{\"a\":true,\"b\":[1,2]}",
     F(FENCE) | F(QUOTES) | F(WORDS) | F(CUT)                                                                                             },
    {"{\"a\": \"x",                                                NULL,                                           0                      },
    {"{",                                                          NULL,                                           0                      },
    {"[[[",                                                        NULL,                                           0                      },
 /* An example beside what is cut off, broken, or of another form is not the answer */
    {"As {\"p\": 5} says: {\"p\": 1, \"why\": \"he is an",         NULL,                                           0                      },
    {"Format: {\"p\": 5}\n{\"p\": 1 \"why\": \"bad\"}",            NULL,                                           0                      },
    {"{\"p\": 1, \"why\": \"a } b \"no\" to\"} {\"c\":2}",         NULL,                                           0                      },
    {"Use {\"p\": n} as asked: {\"p\": 3}",                        NULL,                                           0                      },
    {"{\"p\":1}\n```json\n{\"p\":2",                               NULL,                                           0                      },
    {"```\n{\"p\":1,\n```\nOnce more:\n```\n{\"p\":2}\n```",       NULL,                                           0                      },
    {"As [1] says: {\"p\":1, \"q\":\"x",                           NULL,                                           0                      },
    {"e.g. {\"p\":1}, now [{\"p\":2}]",                            NULL,                                           0                      },
    {"[1 and 2] say, [3] too: {\"p\":1}",                          "{\"p\":1}",                                    F(BRACES)              },
    {"[2 says \"x\"] {\"p\":1}",                                   NULL,                                           0                      },
    {"[/INST] {\"p\":1}",                                          "{\"p\":1}",                                    F(BRACES)              },
 /* What cannot be mended without guessing */
    {"[“他说“好”，“行”]",                           NULL,                                           0                      },
    {"[“他说\"好\"，\"行\"]",                               NULL,                                           0                      },
    {"{“a”: “say ”no” now”}",                          NULL,                                           0                      },
    {"[“a“]",                                                  NULL,                                           0                      },
    {"{“a”: “x” y “z”}",                               NULL,                                           0                      },
    {"",                                                           NULL,                                           0                      },
    {"  \n ",                                                      NULL,                                           0                      },
    {"The polarity is three.",                                     NULL,                                           0                      },
    {"polarity: 3",                                                NULL,                                           0                      },
    {"3 is the answer",                                            NULL,                                           0                      },
    {"{\"a\":1} or {\"a\":2}",                                     NULL,                                           0                      },
    {"{\"a\":1}\n{\"b\":2}",                                       NULL,                                           0                      },
    {"[1] or [2]",                                                 NULL,                                           0                      },
    {"{\"a\": \"he said \"hi\" to me\"}",                          NULL,                                           0                      },
    {"{\"a\": \"he said \"hi\"\", \"b\": {\"c\": 1}}",             NULL,                                           0                      }, /* never the inner object */
    {"{\"a\": [1, 2}",                                             NULL,                                           0                      },
    {"{\"a\" 1}",                                                  NULL,                                           0                      },
    {"{a: 1}",                                                     NULL,                                           0                      },
    {"[1, 2, ...]",                                                NULL,                                           0                      },
    {"[1,,2]",                                                     NULL,                                           0                      },
    {"{\"a\": 01}",                                                NULL,                                           0                      },
    {"{\"a\": NaN}",                                               NULL,                                           0                      },
    {"{\"a\": +1}",                                                NULL,                                           0                      },
    {"{\"a\": .5}",                                                NULL,                                           0                      },
    {"<think>no end {\"a\":1}",                                    NULL,                                           0                      },
    {"I'm sorry, but I can't help with that.",                     NULL,                                           0                      },
    {"```json\n```",                                               NULL,                                           0                      },
    {"{\"a\":1}}",                                                 "{\"a\":1}",                                    F(BRACES)              },
    {"{{\"a\":1}}",                                                "{\"a\":1}",                                    F(BRACES)              },
};

static void print_repairs(unsigned repairs)
{
    for (unsigned i = 0; i < REPAIR_COUNT; i++)
        if ((repairs >> i & 1) != 0)
            print_message("    %s\n", repair_name((enum repair)i));
}

static void each_mangling_is_mended_or_refused(void **state)
{
    struct buf out = BUF_INIT(1 << 16);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mended); i++) {
        const char *text = mended[i].text;
        struct repaired done = {0};
        struct json_value root;
        const char *what = NULL;
        bool ok = false;

        out.len = 0;
        print_message("  %s\n", text);
        assert_false(json_scan(text, strlen(text), &root, NULL)); /* else it would not come here */
        ok = repair_json(&out, text, strlen(text), &done, &what);
        print_message("  -> %.*s %s\n", (int)out.len, out.len > 0 ? out.data : "",
                      what != NULL ? what : "");
        assert_int_equal(ok, mended[i].json != NULL);
        assert_int_equal(what != NULL, mended[i].json == NULL);
        print_repairs(done.repairs);
        if (mended[i].json == NULL) {
            assert_int_equal(out.len, 0);
            continue;
        }
        assert_int_equal(done.repairs, mended[i].repairs);
        assert_string_equal(out.data, mended[i].json);
        assert_true(json_scan(out.data, out.len, &root, NULL));
    }
    buf_release(&out);
}

static void every_repair_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < REPAIR_COUNT; i++) {
        const char *name = repair_name((enum repair)i);

        assert_string_not_equal(name, "?");
        for (unsigned j = 0; j < i; j++)
            assert_string_not_equal(name, repair_name((enum repair)j));
    }
    assert_string_equal(repair_name((enum repair)REPAIR_COUNT), "?");
}

static void objects_in_a_row_become_a_list_where_several_are_expected(void **state)
{
    static const struct {
        const char *text, *json;
        unsigned repairs;
    } cases[] = {
        {"{\"id\":1}\n{\"id\":2}",                           "[{\"id\":1},{\"id\":2}]", F(LIST)                        },
        {"{\"id\":1},\n{\"id\":2},",                         "[{\"id\":1},{\"id\":2}]", F(LIST)                        },
        {"1. {'id':1}\n2. {\"id\":2,}",                      "[{\"id\":1},{\"id\":2}]", F(LIST) | F(QUOTES) | F(COMMAS)},
        {"```\n{\"id\":1}\n{\"id\":2}\n```",                 "[{\"id\":1},{\"id\":2}]", F(LIST)                        },
        {"[1] {\"id\":1} [2 b] {\"id\":2}",                  "[{\"id\":1},{\"id\":2}]", F(LIST)                        },
        {"[1] {\"id\":1} {\"id\": \"x\" y} {\"id\":2}",      NULL,                      0                              },
        {"e.g. {\"id\":1} Now: {\"id\":1, \"p\":",           NULL,                      0                              },
        {"{\"id\":1}\n[{\"id\":1}, {\"id\":",                NULL,                      0                              },
        {"{\"id\":1}\n```\n{\"id\":2,\n```\n{\"id\":2}",     NULL,                      0                              },
        {"e.g. {\"id\":1} Now: [{\"id\":1,\"p\":2}]",        "[{\"id\":1,\"p\":2}]",    F(BRACES)                      },
        {"e.g. {'id':1} Now: ```[{\"id\":1,},]```",          "[{\"id\":1}]",
         F(FENCE) | F(BRACES) | F(COMMAS)                                                                              },
        {"[{\"id\":1}] is the form: {\"all\":[{\"id\":2}]}", NULL,                      0                              },
        {"[{\"id\":1}] or [{\"id\":2}]",                     NULL,                      0                              },
        {"{\"id\":1}\n{\"id\":2}\n{\"id\":3,\"p\":",         "[{\"id\":1},{\"id\":2}]", F(LIST) | F(CUT)               },
        {"<think>{\"id\":0}</think>{\"id\":1}{\"id\":2}",    "[{\"id\":1},{\"id\":2}]",
         F(LIST) | F(THINKING)                                                                                         },
        {"[1] [2]",                                          NULL,                      0                              },
        {"none",                                             NULL,                      0                              },
        {"",                                                 NULL,                      0                              },
    };
    struct buf out = BUF_INIT(1000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct repaired done = {0};
        const char *what = NULL;

        print_message("  %s\n", cases[i].text);
        out.len = 0;
        assert_int_equal(repair_list(&out, cases[i].text, strlen(cases[i].text), &done, &what),
                         cases[i].json != NULL);
        if (cases[i].json == NULL)
            continue;
        assert_string_equal(out.data, cases[i].json);
        assert_int_equal(done.repairs, cases[i].repairs);
    }
    buf_release(&out);
}

static void what_was_cut_inside_lies_behind_the_whole(void **state)
{
    static const char text[] = "[{\"id\": 1, \"l\": [\"a\"]}, {\"id\": 2, \"l\": [\"a\", \"b";
    struct buf out = BUF_INIT(1000);
    struct repaired done = {0};
    const char *what = NULL;

    (void)state;
    assert_true(repair_json(&out, text, strlen(text), &done, &what));
    assert_string_equal(out.data, "[{\"id\":1,\"l\":[\"a\"]},{\"id\":2,\"l\":[\"a\"]}]");
    assert_int_equal(done.whole, strlen("[{\"id\":1,\"l\":[\"a\"]},{\"id\":2,\"l\":[\"a\""));
    buf_release(&out);
}

static void thinking_is_taken_off_the_front_only(void **state)
{
    static const struct {
        const char *text, *rest; /* NULL: there is none */
    } cases[] = {
        {"<think>a</think>b",          "b"         },
        {" \n<think>\na\n</think>\nb", "\nb"       },
        {"a</think>b",                 "b"         },
        {"<think>a",                   ""          },
        {"b <think>a",                 NULL        },
        {"plain",                      NULL        },
        {"",                           NULL        },
        {"<think>a</think>b</think>c", "b</think>c"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *p = cases[i].text;
        size_t len = strlen(p);

        print_message("  %s\n", cases[i].text);
        assert_int_equal(repair_thinking(&p, &len), cases[i].rest != NULL);
        assert_int_equal(len, strlen(cases[i].rest != NULL ? cases[i].rest : cases[i].text));
        assert_string_equal(p, cases[i].rest != NULL ? cases[i].rest : cases[i].text);
    }
}

static void the_limit_of_the_output_is_kept(void **state)
{
    struct buf out = BUF_INIT(20);
    struct repaired done = {0};
    const char *what = NULL;
    static const char text[] = "{'a': 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'}";

    (void)state;
    assert_false(repair_json(&out, text, strlen(text), &done, &what));
    assert_string_equal(what, "it is too long");
    buf_release(&out);
}

static void deep_nesting_is_refused_and_64_levels_are_not(void **state)
{
    char text[400];
    struct buf out = BUF_INIT(10000);
    struct repaired done = {0};
    const char *what = NULL;

    (void)state;
    for (int depth = 63; depth <= 64; depth++) {
        (void)snprintf(text, sizeof(text), "%.*s1,%.*s", depth,
                       "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", depth,
                       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
        out.len = 0;
        assert_true(repair_json(&out, text, strlen(text), &done, &what));
    }
    memset(text, '[', 65);
    memcpy(text + 65, "1,", 2);
    memset(text + 67, ']', 65);
    text[132] = '\0';
    out.len = 0;
    assert_false(repair_json(&out, text, strlen(text), &done, &what));
    buf_release(&out);
}

/* Properties of what is made at random */

static uint64_t seed;

static unsigned draw(unsigned below)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(seed >> 33) % below;
}

static void make_string(struct buf *out)
{
    static const char *const parts[] = {
        "a",    "情感",   "\\\"", "\\\\", "\\n", "\\u4f53", "😀",  "{",        "}",
        "[1,",  ": ",     "'",    "“好”", "，",  "```",     "//", "</think>", "\\ud83d\\ude00",
        "True", "/* x */"};

    assert_true(buf_append(out, "\"", 1));
    for (unsigned n = draw(6); n > 0; n--)
        assert_true(buf_printf(out, "%s", parts[draw(ARRAY_LEN(parts))]));
    assert_true(buf_append(out, "\"", 1));
}

static void make_value(struct buf *out, unsigned depth);

static void make_container(struct buf *out, unsigned depth, bool object)
{
    unsigned count = draw(4);

    assert_true(buf_append(out, object ? "{" : "[", 1));
    for (unsigned i = 0; i < count; i++) {
        assert_true(buf_printf(out, "%s%s", i > 0 ? "," : "", draw(3) == 0 ? "\n  " : ""));
        if (object)
            assert_true(buf_printf(out, "\"m%u\": ", i));
        make_value(out, depth - 1);
    }
    assert_true(buf_append(out, object ? "}" : "]", 1));
}

static void make_value(struct buf *out, unsigned depth)
{
    static const char *const scalars[] = {"0",    "-12.50",          "3e8", "true", "false",
                                          "null", "9007199254740993"};
    unsigned kind = draw(depth == 0 ? 2 : 5);

    if (kind == 0)
        assert_true(buf_printf(out, "%s", scalars[draw(ARRAY_LEN(scalars))]));
    else if (kind == 1)
        make_string(out);
    else
        make_container(out, depth, kind >= 3);
}

/* Whether @part has nothing that @whole does not have at the same place. */
static bool is_part(const struct json_value *part, const struct json_value *whole)
{
    struct json_iter it = json_iter_begin(part);
    struct json_iter other = json_iter_begin(whole);
    struct json_value name;
    struct json_value value;
    struct json_value other_name;
    struct json_value other_value;

    if (part->kind != whole->kind)
        return false;
    if (part->kind != JSON_ARRAY && part->kind != JSON_OBJECT)
        return part->len == whole->len && memcmp(part->text, whole->text, part->len) == 0;
    while (json_iter_next(&it, &name, &value)) {
        if (!json_iter_next(&other, &other_name, &other_value) ||
            (name.kind != JSON_ABSENT && !json_equal(&name, &other_name)) ||
            !is_part(&value, &other_value))
            return false;
    }
    return true;
}

static void a_cut_answer_holds_nothing_that_the_whole_did_not(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct buf out = BUF_INIT(1 << 20);
    size_t saved = 0;

    (void)state;
    seed = 4;
    for (unsigned round = 0; round < 20000; round++) {
        struct json_value whole;
        struct json_value part;
        struct repaired done = {0};
        const char *what = NULL;

        text.len = 0;
        out.len = 0;
        make_container(&text, 4, round % 2 == 0);
        assert_true(json_scan(text.data, text.len, &whole, NULL));

        size_t cut = 1 + draw((unsigned)text.len);

        if (json_scan(text.data, cut, &part, NULL) || memmem(text.data, cut, "</think>", 8) != NULL)
            continue;
        if (!repair_json(&out, text.data, cut, &done, &what))
            continue;
        saved++;
        if (!json_scan(out.data, out.len, &part, NULL) || !is_part(&part, &whole))
            fail_msg("%.*s\n -> %s", (int)cut, text.data, out.data);
        assert_int_equal(done.repairs, F(CUT));
        assert_true(done.whole <= out.len);
    }
    print_message("  %zu were saved\n", saved);
    assert_true(saved > 5000);
    buf_release(&text);
    buf_release(&out);
}

/* Write @value as Python would. */
static void as_python(struct buf *out, const struct json_value *value)
{
    struct json_iter it = json_iter_begin(value);
    struct json_value name;
    struct json_value element;
    bool object = value->kind == JSON_OBJECT;
    unsigned n = 0;

    if (value->kind == JSON_BOOL || value->kind == JSON_NULL) {
        assert_true(buf_printf(out, "%s",
                               value->kind == JSON_NULL ? "None"
                               : *value->text == 't'    ? "True"
                                                        : "False"));
        return;
    }
    if (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY) {
        assert_true(buf_append(out, value->text, value->len));
        return;
    }
    assert_true(buf_append(out, object ? "{" : "[", 1));
    while (json_iter_next(&it, &name, &element)) {
        assert_true(buf_printf(out, "%s", n++ > 0 ? ", " : ""));
        if (object)
            assert_true(buf_printf(out, "'%.*s': ", (int)name.len - 2, name.text + 1));
        as_python(out, &element);
    }
    assert_true(buf_append(out, object ? ",}" : ",]", n > 0 ? 2 : 1) &&
                (n > 0 || buf_append(out, object ? "}" : "]", 1)));
}

static void what_is_mended_means_the_same(void **state)
{
    struct buf text = BUF_INIT(1 << 20);
    struct buf python = BUF_INIT(1 << 20);
    struct buf out = BUF_INIT(1 << 20);

    (void)state;
    seed = 7;
    for (unsigned round = 0; round < 5000; round++) {
        struct json_value before;
        struct json_value after;
        struct repaired done = {0};
        const char *what = NULL;

        text.len = 0;
        python.len = 0;
        out.len = 0;
        assert_true(buf_printf(&text, "{\"first\":true,\"rest\":"));
        make_value(&text, 4);
        assert_true(buf_append(&text, "}", 1));
        assert_true(json_scan(text.data, text.len, &before, NULL));
        if (memmem(text.data, text.len, "</think>", 8) != NULL)
            continue;
        assert_true(buf_printf(&python, "Here you are:\n```python\n"));
        as_python(&python, &before);
        assert_true(buf_printf(&python, "\n```\nDone."));
        if (memmem(python.data, python.len, "{,", 2) != NULL ||
            memmem(python.data, python.len, "[,", 2) != NULL)
            continue;
        if (!repair_json(&out, python.data, python.len, &done, &what) ||
            !json_scan(out.data, out.len, &after, NULL) || !json_equal(&before, &after))
            fail_msg("%s\n -> %s", python.data, what == NULL ? out.data : what);
    }
    buf_release(&text);
    buf_release(&python);
    buf_release(&out);
}

static void hostile_text_takes_little_time(void **state)
{
    static const char *const units[] = {
        "{",        "[",    "{\"a\":",    "{\"}", "[1,",  "}{", "{\"a\":1}", "{\"a\":[",
        "“",        "\\",   "```",        "/*",   "//\n", "{'", "[\"",       "{\"a\": 1, x} ",
        "</think>", "[[],", "{\"a\":\"}", "，"};
    struct buf text = BUF_INIT(1 << 22);
    struct buf out = BUF_INIT(1 << 22);
    clock_t start = clock();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        struct repaired done = {0};
        const char *what = NULL;

        text.len = 0;
        out.len = 0;
        while (text.len < 200000)
            assert_true(buf_printf(&text, "%s", units[i]));
        (void)!repair_json(&out, text.data, text.len, &done, &what);
    }
    assert_true(clock() - start < 10 * CLOCKS_PER_SEC);
    buf_release(&text);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mangling_is_mended_or_refused),
        cmocka_unit_test(every_repair_has_a_name_of_its_own),
        cmocka_unit_test(objects_in_a_row_become_a_list_where_several_are_expected),
        cmocka_unit_test(what_was_cut_inside_lies_behind_the_whole),
        cmocka_unit_test(thinking_is_taken_off_the_front_only),
        cmocka_unit_test(the_limit_of_the_output_is_kept),
        cmocka_unit_test(deep_nesting_is_refused_and_64_levels_are_not),
        cmocka_unit_test(a_cut_answer_holds_nothing_that_the_whole_did_not),
        cmocka_unit_test(what_is_mended_means_the_same),
        cmocka_unit_test(hostile_text_takes_little_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
