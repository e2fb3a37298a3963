/* Recipe files: what becomes of good ones, and what is said about bad ones. */
#include "tests/unit/recipe/recipe_fixture.h"

#include "common/recipe/template.h"

#define ONE(text) "model: m\nanalyses:\n  - name: a\n" text
#define PROMPT    "    prompt: p\n"

static void put_files(void)
{
    kitchen_write("data/words.json", "{\"list\": [\"red\", \"blue\"]}");
    kitchen_write("data/tree.json", "{\"warm\": [\"red\"], \"cold\": [\"blue\"]}");
    kitchen_write("data/broken.json", "{\"list\": [\n  \"red\",]}");
    kitchen_write("data/n.json", "{\"type\": \"object\", \"properties\": {\"n\": {\"type\": "
                                 "\"integer\"}}, \"required\": [\"n\"]}");
    kitchen_write("data/bad_schema.json", "{\n  \"type\": \"object\",\n  \"propertes\": {}\n}");
    kitchen_write("data/prompt.md", "\xef\xbb\xbfSay {{word}}.\r\n");
    kitchen_write("data/bad.md", "one\ntwo {{#if x}}\n");
    kitchen_write("data/loop.md", "{{> data/loop.md}}");
    kitchen_write("data/latin.md", "one\ncaf\xe9\n");
}

static int set_up(void **state)
{
    static struct kitchen kitchen;

    kitchen_open(&kitchen);
    put_files();
    *state = &kitchen;
    return 0;
}

static int tear_down(void **state)
{
    kitchen_close(*state);
    return 0;
}

struct bad {
    const char *text, *wanted;
};

static const struct bad files[] = {
    {"",                                                  "recipe.yaml: the file must be one mapping; there is nothing in it"},
    {"- a\n",                                             "recipe.yaml:1:1: the file must be one mapping"                    },
    {"model: [\n",                                        "recipe.yaml:2:1: did not find expected node content"              },
    {"model: &x m\n",                                     "recipe.yaml:1:8: anchors (&) are not allowed"                     },
    {"openai_api_key: k\n",
     "recipe.yaml:1:1: \"openai_api_key\": a configuration file may not hold a secret; use "
     "api_key_file or the environment"                                                                                       },
    {"model: m\n",                                        "recipe.yaml: has no analyses"                                     },
    {"modle: m\n",                                        "recipe.yaml:1:1: unknown key \"modle\"; did you mean \"model\"?"  },
    {"xyzzy: m\n",
     "recipe.yaml:1:1: unknown key \"xyzzy\"; there are provider, model, multimodal_model, "
     "defaults, id_field, input, keep_raw, url and analyses"                                                                 },
    {"model: m\nmodel: n\n",                              "recipe.yaml:2:1: duplicate key \"model\", first in line 1"        },
    {"model: m\nanalyses: []\n",                          "recipe.yaml:2:1: analyses: needs a list of analyses"              },
    {"model: m\nanalyses: {a: 1}\n",                      "recipe.yaml:2:1: analyses: needs a list of analyses"              },
    {"model: m\nanalyses: [a]\n",                         "recipe.yaml:2:12: an analysis needs a mapping"                    },
    {"analyses:\n  - {name: a, prompt: p}\n",
     "recipe.yaml:2:5: no model: name one here, for the whole recipe, or with --model"                                       },
    {"model: [m]\nanalyses:\n  - {name: a, prompt: p}\n",
     "recipe.yaml:1:1: model: needs one value, not a list"                                                                   },
    {"model:\nanalyses:\n  - {name: a, prompt: p}\n",     "recipe.yaml:1:7: model: has no value"                             },
    {"id_field: a..b\n" ONE(PROMPT),
     "recipe.yaml:1:11: id_field: \"a..b\" has an empty name in it"                                                          },
    {"input: jsonl\n" ONE(PROMPT),                        "recipe.yaml:1:8: input: needs a mapping"                          },
    {"input: {form: jsonl}\n" ONE(PROMPT),
     "recipe.yaml:1:9: unknown key \"form\"; did you mean \"format\"?"                                                       },
    {"input: {format: xml}\n" ONE(PROMPT),
     "recipe.yaml:1:17: format: needs auto, jsonl, json, csv, tsv or texts, not \"xml\""                                     },
    {"input: {encoding: gb1803}\n" ONE(PROMPT),
     "recipe.yaml:1:19: the encoding \"gb1803\" is not known; did you mean \"gb18030\"?"                                     },
    {"input: {encoding: zebra}\n" ONE(PROMPT),
     "recipe.yaml:1:19: the encoding \"zebra\" is not known"                                                                 },
    {"input: {encoding: UTF-8//IGNORE}\n" ONE(PROMPT),
     "recipe.yaml:1:19: the encoding \"UTF-8//IGNORE\" is not known"                                                         },
    {"input: {format: jsnl}\n" ONE(PROMPT),
     "recipe.yaml:1:17: format: needs auto, jsonl, json, csv, tsv or texts, not \"jsnl\"; did you "
     "mean \"jsonl\"?"                                                                                                       },
    {"url: /v1/embeddings\n" ONE(PROMPT),
     "recipe.yaml:1:6: url: needs a path that ends in /chat/completions, not \"/v1/embeddings\""                             },
    {"url: https://x/chat/completions\n" ONE(PROMPT),
     "recipe.yaml:1:6: url: needs a path that ends in /chat/completions, not "
     "\"https://x/chat/completions\""                                                                                        },
    {"keep_raw: 1\n" ONE(PROMPT),                         "recipe.yaml:1:11: keep_raw: needs true or false, not \"1\""       },
    {"defaults: 3\n" ONE(PROMPT),                         "recipe.yaml:1:11: defaults: needs a mapping"                      },
    {"defaults: {messages: []}\n" ONE(PROMPT),
     "recipe.yaml:1:12: messages: is no parameter; Sheaf writes it itself"                                                   },
};

static const struct bad analyses[] = {
    {"model: m\nanalyses:\n  - prompt: p\n",                                                 "recipe.yaml:3:5: an analysis needs a name"                                  },
    {"model: m\nanalyses:\n  - {name: a b, prompt: p}\n",
     "recipe.yaml:3:12: name: \"a b\": letters, digits, _ and - only, at most 48 of them"                                                                                 },
    {"model: m\nanalyses:\n  - {name: a, prompt: p}\n  - {name: a, prompt: q}\n",
     "recipe.yaml:4:12: name: there is an analysis \"a\" already"                                                                                                         },
    {ONE("    promt: p\n"),                                                                  "recipe.yaml:4:5: unknown key \"promt\"; did you mean \"prompt\"?"           },
    {ONE(""),                                                                                "recipe.yaml:3:5: an analysis needs a prompt, or a prompt_file"              },
    {ONE(PROMPT "    prompt_file: data/prompt.md\n"),
     "recipe.yaml:5:18: prompt and prompt_file: only one of them"                                                                                                         },
    {ONE("    prompt_file: data/none.md\n"),
     "recipe.yaml:4:18: data/none.md: cannot be read: No such file or directory"                                                                                          },
    {ONE("    prompt_file: data\n"),                                                         "recipe.yaml:4:18: data: cannot be read: Is a directory"                     },
    {ONE("    prompt_file: data/latin.md\n"),
     "recipe.yaml:4:18: data/latin.md: line 2 is not UTF-8"                                                                                                               },
    {ONE(PROMPT "    when: x ==\n"),                                                         "recipe.yaml:5:11: when: column 5: "                                         },
    {ONE(PROMPT "    parameters: {model: x}\n"),
     "recipe.yaml:5:18: model: is no parameter; Sheaf writes it itself"                                                                                                   },
    {ONE(PROMPT "    images: []\n"),                                                         "recipe.yaml:5:5: images: has no template"                                   },
    {ONE(PROMPT "    tries: 0\n"),
     "recipe.yaml:5:12: tries: needs a whole number from 1 to 10, not \"0\""                                                                                              },
    {ONE(PROMPT "    tries: 3\n    on_invalid: fail\n"),
     "recipe.yaml:5:12: tries: needs on_invalid: retry"                                                                                                                   },
    {ONE(PROMPT "    on_invalid: again\n"),
     "recipe.yaml:5:17: on_invalid: needs retry, default or fail, not \"again\""                                                                                          },
    {ONE(PROMPT "    on_invalid: defualt\n"),
     "recipe.yaml:5:17: on_invalid: needs retry, default or fail, not \"defualt\"; did you mean "
     "\"default\"?"                                                                                                                                                       },
    {ONE(PROMPT "    on_invalid: default\n"),
     "recipe.yaml:5:17: on_invalid: default: there is no default"                                                                                                         },
    {ONE(PROMPT "    on_invalid: fail\n    default: x\n"),
     "recipe.yaml:6:14: default: is never used with on_invalid: fail"                                                                                                     },
    {ONE(PROMPT "    output: x..y\n"),
     "recipe.yaml:5:13: output: \"x..y\" has an empty name in it"                                                                                                         },
    {ONE(PROMPT "    output: _sheaf.a\n"),
     "recipe.yaml:5:13: output: _sheaf is where it is said what became of the answers"                                                                                    },
    {"model: m\nanalyses:\n  - {name: a, prompt: p, output: x.y}\n  - {name: b, prompt: p, output: "
     "x}\n",                                                                            "recipe.yaml:4:34: output: \"x\" collides with \"x.y\" of the analysis \"a\""},
    {"model: m\nanalyses:\n  - {name: a, prompt: p, output: b}\n  - {name: b, prompt: p}\n",
     "recipe.yaml:4:12: output: \"b\" collides with \"b\" of the analysis \"a\""                                                                                          },
};

static const struct bad answers[] = {
    {ONE(PROMPT "    answer: json\n"),                                                        "recipe.yaml:5:13: answer: needs a mapping"},
    {ONE(PROMPT "    answer: {typ: json}\n"),
     "recipe.yaml:5:14: unknown key \"typ\"; did you mean \"type\"?"                                                                     },
    {ONE(PROMPT "    answer: {type: xml}\n"),
     "recipe.yaml:5:20: type: needs text or json, not \"xml\""                                                                           },
    {ONE(PROMPT "    answer: {type: jsno}\n"),
     "recipe.yaml:5:20: type: needs text or json, not \"jsno\"; did you mean \"json\"?"                                                  },
    {ONE(PROMPT "    answer: {type: jsn}\n"),
     "recipe.yaml:5:20: type: needs text or json, not \"jsn\"; did you mean \"json\"?"                                                   },
    {ONE(PROMPT "    answer: {repair: yes}\n"),
     "recipe.yaml:5:22: repair: needs true or false, not \"yes\""                                                                        },
    {ONE(PROMPT "    answer: {schema: data/none.json}\n"),
     "recipe.yaml:5:22: data/none.json: cannot be read: No such file or directory"                                                       },
    {ONE(PROMPT "    answer: {schema: data/bad_schema.json}\n"),
     "data/bad_schema.json:3:3: unknown keyword "                                                                                        },
    {ONE(PROMPT "    answer: {schema: {typ: object}}\n"),
     "recipe.yaml:5:14: schema:1:2: unknown keyword "                                                                                    },
    {ONE(PROMPT "    vocabulary: data/broken.json\n"),                                        "data/broken.json:2:"                      },
    {ONE(PROMPT "    vocabulary: {path: list}\n"),
     "recipe.yaml:5:5: vocabulary: needs a file, or terms"                                                                               },
    {ONE(PROMPT "    vocabulary: {file: data/words.json, path: lost}\n"),                     "data/words.json:1:1: "                    },
    {ONE(PROMPT "    vocabulary: {file: data/words.json, pat: list}\n"),
     "recipe.yaml:5:41: unknown key \"pat\"; did you mean \"path\"?"                                                                     },
    {ONE(PROMPT "    vocabulary: {terms: [a], at: x}\n"),
     "recipe.yaml:5:5: vocabulary: at, parent and child need answer: {type: json}"                                                       },
    {ONE(PROMPT "    answer: {type: json}\n    vocabulary: {terms: [a], child: x}\n"),
     "recipe.yaml:6:5: vocabulary: a child needs a parent"                                                                               },
    {ONE(PROMPT "    vocabulary: {terms: [a, a]}\n"),                                         "recipe.yaml:5:18: terms:1:"               },
    {ONE("    prompt: \"{{vocabulary}}\"\n"),
     "recipe.yaml:3:5: {{vocabulary}} is used, and the analysis has no vocabulary"                                                       },
    {ONE(PROMPT "    answer: {schema: data/n.json}\n    default: {n: \"3\"}\n"),
     "recipe.yaml:6:5: default: is no valid answer: n: expected an integer, got a string (\"3\")"                                        },
    {ONE(PROMPT "    vocabulary: {file: data/words.json, path: list}\n    default: green\n"),
     "recipe.yaml:6:14: default: is no valid answer: \"green\" is not in the vocabulary"                                                 },
    {ONE(PROMPT "    default: [x]\n"),
     "recipe.yaml:5:5: default: is no valid answer: expected a text"                                                                     },
    {ONE(PROMPT "    default:\n"),
     "recipe.yaml:5:13: default: is no valid answer: expected a text"                                                                    },
};

static const struct bad packs[] = {
    {ONE("    prompt: \"{{#rows}}{{x}}{{/rows}}\"\n"),
     "recipe.yaml:4:13: {{#rows}} is for packs only; add pack: {rows: 20}"        },
    {ONE(PROMPT "    pack: {rows: 2}\n"),
     "recipe.yaml:4:13: the prompt of a pack needs {{#rows}}...{{/rows}}"         },
    {ONE("    prompt: \"{{#rows}}x{{/rows}}\"\n    pack: 20\n"),
     "recipe.yaml:5:11: pack: needs a mapping"                                    },
    {ONE("    prompt: \"{{#rows}}x{{/rows}}\"\n    pack: {row: 20}\n"),
     "recipe.yaml:5:12: unknown key \"row\"; did you mean \"rows\"?"              },
    {ONE("    prompt: \"{{#rows}}x{{/rows}}\"\n    pack: {rows: 5000}\n"),
     "recipe.yaml:5:18: rows: needs a whole number from 1 to 1000, not \"5000\""  },
    {ONE("    prompt: \"{{#rows}}x{{/rows}}\"\n    pack: {id: i, answer: i}\n"),
     "recipe.yaml:5:5: pack: id and answer are the same member"                   },
    {ONE("    prompt: \"{{#rows}}x{{/rows}}\"\n    system: \"{{x}}\"\n    pack: {rows: 2}\n"),
     "recipe.yaml:5:13: the system prompt of a pack cannot use a row's columns"   },
    {ONE("    prompt: \"{{#rows}}x{{/rows}}\"\n    images: \"{{x}}\"\n    pack: {rows: 2}\n"),
     "recipe.yaml:6:5: pack: an analysis with images asks about one row at a time"},
};

/* A message that ends in a space or colon in the table is only begun there. */
static void check_all(const struct bad *cases, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(cases[i].wanted);
        char last = cases[i].wanted[len - 1];
        struct recipe recipe;
        struct err err = {0};

        if (kitchen_load(cases[i].text, NULL, &recipe, &err))
            fail_msg("accepted:\n%s", cases[i].text);
        if (last == ' ' || last == ':' ? strncmp(err.msg, cases[i].wanted, len) != 0
                                       : strcmp(err.msg, cases[i].wanted) != 0) {
            print_error("%s\nsaid:   %s\nwanted: %s\n", cases[i].text, err.msg, cases[i].wanted);
            wrong++;
        }
        assert_int_equal(err.kind, ERR_USAGE);
        assert_int_equal(recipe.count, 0);
    }
    assert_int_equal(wrong, 0);
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void a_bad_file_is_told_by_its_place(void **state)
{
    (void)state;
    check_all(files, COUNT(files));
}

static void a_bad_analysis_is_told_by_its_place(void **state)
{
    (void)state;
    check_all(analyses, COUNT(analyses));
}

static void bad_answers_are_told_by_their_place(void **state)
{
    (void)state;
    check_all(answers, COUNT(answers));
}

static void a_bad_pack_is_told_by_its_place(void **state)
{
    (void)state;
    check_all(packs, COUNT(packs));
}

/* In a block of "|" the place is the file's; lines that were folded are not those of the file. */
static void templates_are_told_by_their_own_place(void **state)
{
    static const struct bad cases[] = {
        {ONE("    prompt_file: data/bad.md\n"),                               "data/bad.md:2:"                  },
        {ONE("    prompt_file: data/loop.md\n"),                              "data/loop.md:1:"                 },
        {ONE("    prompt: \"{{> data/none.md}}\"\n"),                         "recipe.yaml:4:13: prompt:1:"     },
        {ONE("    prompt: \"{{x\"\n"),                                        "recipe.yaml:4:13: prompt:1:"     },
        {ONE(PROMPT "    images: [\"{{x}}\", \"{{\"]\n"),                     "recipe.yaml:5:23: images:1:"     },
        {ONE("    prompt: |\n      甲\n\n      {{x}} {{y | defualt: 1}}\n"),
         "recipe.yaml:7:19: unknown filter \"defualt\"; did you mean \"default\"?"                              },
        {ONE("    prompt: |-\n\n      a\n        {{#if x}}\n      b\n"),
         "recipe.yaml:7:11: {{#if}} is never closed: expected {{/if}}"                                          },
        {ONE("    prompt: |+ # as it is\r\n      a\r\n      {{|}}\r\n\r\n"),
         "recipe.yaml:6:9: expected "                                                                           },
        {ONE("    prompt: |2\n        {{#fi}}\n"),                            "recipe.yaml:5:12: unknown block "},
        {ONE(PROMPT "    system: |\n     {{|}}\n    when: x\n"),              "recipe.yaml:6:8: expected "      },
        {ONE("    images:\n      - |\n        {{|}}\n" PROMPT),               "recipe.yaml:6:11: expected "     },
        {ONE("    prompt: |\n      a\n      {{> data/none.md}}\n"),
         "recipe.yaml:6:9: data/none.md: cannot be read: No such file or directory"                             },
        {ONE("    prompt: >\n      a\n      {{|}}\n"),                        "recipe.yaml:4:13: prompt:1:"     },
        {ONE("    prompt: |\n      a\xc2\x85      {{|}}\n"),                  "recipe.yaml:4:13: prompt:2:"     },
        {ONE("    prompt: \"a\\n{{\"\n"),                                     "recipe.yaml:4:13: prompt:2:"     },
    };

    (void)state;
    check_all(cases, COUNT(cases));
}

static const char full[] =
    "model: one\n"
    "multimodal_model: eye\n"
    "defaults: {temperature: 0.2, stop: [\"\\n\", b], response_format: {type: json_object}}\n"
    "id_field: meta.id\n"
    "input: {format: csv, encoding: gb18030}\n"
    "keep_raw: true\n"
    "url: /api/paas/v4/chat/completions\n"
    "analyses:\n"
    "  - name: plain\n"
    "    prompt: |\n"
    "      first {{word}}\n"
    "      second\n"
    "  - name: rich-1\n"
    "    prompt_file: data/prompt.md\n"
    "    system: be short\n"
    "    images: \"{{pic}}\"\n"
    "    when: word != ''\n"
    "    model: two\n"
    "    parameters: {temperature: 1, n_best: \"3\"}\n"
    "    answer: {schema: data/n.json, repair: true}\n"
    "    on_invalid: retry\n"
    "    tries: 4\n"
    "    default: {n: 3}\n"
    "    output: deep.rich\n"
    "    keep_raw: false\n"
    "  - name: packed\n"
    "    prompt: \"{{vocabulary}} {{#rows}}{{_id}} {{word}}{{/rows}}\"\n"
    "    vocabulary: {file: data/tree.json, at: c, parent: p, child: k}\n"
    "    pack: {max_tokens: 4000, id: key}\n"
    "    on_invalid: fail\n"
    "  - name: label\n"
    "    prompt: p\n"
    "    vocabulary: {terms: [\"3\", 四]}\n"
    "    on_invalid: default\n"
    "    default: 3\n";

static void check_request_parts(const struct recipe *r)
{
    const struct analysis *plain = kitchen_find(r, "plain"), *rich = kitchen_find(r, "rich-1");

    assert_string_equal(plain->model, "one");
    assert_string_equal(plain->multimodal_model, "eye");
    assert_string_equal(plain->parameters, "\"temperature\":0.2,\"stop\":[\"\\n\",\"b\"],"
                                           "\"response_format\":{\"type\":\"json_object\"}");
    assert_string_equal(plain->url, "/api/paas/v4/chat/completions");
    assert_null(plain->when);
    assert_null(plain->system);
    assert_int_equal(plain->image_count, 0);
    assert_string_equal(rich->model, "two");
    assert_string_equal(rich->multimodal_model, "eye");
    assert_string_equal(rich->parameters, "\"stop\":[\"\\n\",\"b\"],\"response_format\":{\"type\":"
                                          "\"json_object\"},\"temperature\":1,\"n_best\":\"3\"");
    assert_non_null(rich->system);
    assert_int_equal(rich->image_count, 1);
    assert_string_equal(rich->when_name, "recipe.yaml:17:11: when");
}

static void check_answers(const struct recipe *r)
{
    const struct analysis *plain = kitchen_find(r, "plain"), *rich = kitchen_find(r, "rich-1"),
                          *packed = kitchen_find(r, "packed"), *label = kitchen_find(r, "label");

    assert_int_equal(plain->answer.type, ANSWER_TEXT);
    assert_int_equal(plain->on_invalid, ON_INVALID_RETRY);
    assert_int_equal(plain->tries, 2);
    assert_null(plain->fallback);
    assert_string_equal(plain->output, "plain");
    assert_true(plain->keep_raw);
    assert_int_equal(rich->answer.type, ANSWER_JSON);
    assert_true(rich->answer.repair);
    assert_ptr_equal(rich->answer.schema, rich->schema);
    assert_int_equal(rich->tries, 4);
    assert_string_equal(rich->fallback, "{\"n\":3}");
    assert_string_equal(rich->output, "deep.rich");
    assert_false(rich->keep_raw);
    assert_int_equal(packed->answer.type, ANSWER_JSON);
    assert_int_equal(packed->on_invalid, ON_INVALID_FAIL);
    assert_int_equal(packed->tries, 1);
    assert_string_equal(packed->vocabulary_text, "- warm\n  - red\n- cold\n  - blue");
    assert_string_equal(packed->answer.where.at, "c");
    assert_string_equal(packed->answer.where.parent, "p");
    assert_string_equal(packed->answer.where.child, "k");
    assert_int_equal(packed->pack_rows, RECIPE_PACK_PRESET);
    assert_int_equal(packed->pack_tokens, 4000);
    assert_string_equal(packed->pack_id, "key");
    assert_null(packed->pack_answer);
    assert_int_equal(label->answer.type, ANSWER_TEXT);
    assert_string_equal(label->fallback, "\"3\"");
    assert_int_equal(label->on_invalid, ON_INVALID_DEFAULT);
    assert_int_equal(label->tries, 1);
}

static void everything_in_a_recipe_is_understood(void **state)
{
    struct recipe r;
    struct err err = {0};

    if (!kitchen_load(full, NULL, &r, &err))
        fail_msg("%s", err.msg);
    const struct kitchen *kitchen = *state;
    assert_string_equal(r.folder, kitchen->folder);
    assert_string_equal(r.id_field, "meta.id");
    assert_int_equal(r.id_line, 4);
    assert_int_equal(r.id_column, 11);
    assert_int_equal(r.rows.format, ROWS_CSV);
    assert_string_equal(r.rows.encoding, "gb18030");
    assert_int_equal(r.count, 4);
    assert_int_equal(kitchen_place(&r, "other"), r.count);
    check_request_parts(&r);
    check_answers(&r);
    assert_int_equal(r.file_count, 3);
    assert_string_equal(r.files[0].path, "data/prompt.md");
    assert_string_equal(r.files[0].text, "Say {{word}}.\r\n");
    recipe_release(&r);
    assert_null(r.analyses);
}

/* What a template makes of the row {"word":"hello"}. */
static void check_rendered(const struct template *t, const char *wanted)
{
    struct json_value row;
    struct buf out = BUF_INIT(4096);
    struct err err = {0};
    const struct template_row one = {&row, "id", 0};
    const struct template_input input = {.row = &one};

    assert_true(json_scan("{\"word\":\"hello\"}\n", 17, &row, NULL));
    if (!template_render(t, &input, &out, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(out.data, wanted);
    buf_release(&out);
}

static void prompts_are_as_they_are_written(void **state)
{
    struct recipe r;

    (void)state;
    assert_true(kitchen_load(full, NULL, &r, NULL));
    check_rendered(r.analyses[0].prompt, "first hello\nsecond\n");
    check_rendered(r.analyses[1].prompt, "Say hello.");
    recipe_release(&r);
}

static void flags_go_before_the_file_but_not_before_an_analysis(void **state)
{
    const struct recipe_overrides flags = {.model = "new", .format = ROWS_JSON, .encoding = "big5"};
    struct recipe r, without;

    (void)state;
    assert_true(kitchen_load(full, &flags, &r, NULL));
    assert_string_equal(kitchen_find(&r, "plain")->model, "new");
    assert_string_equal(kitchen_find(&r, "rich-1")->model, "two");
    assert_string_equal(kitchen_find(&r, "plain")->multimodal_model, "eye");
    assert_int_equal(r.rows.format, ROWS_JSON);
    assert_string_equal(r.rows.encoding, "big5");
    assert_true(kitchen_load(full, NULL, &without, NULL));
    assert_string_not_equal(r.digest, without.digest);
    recipe_release(&r);
    recipe_release(&without);

    assert_true(kitchen_load("analyses: [{name: a, prompt: p}]\n", &flags, &r, NULL));
    assert_string_equal(r.analyses[0].model, "new");
    assert_string_equal(r.analyses[0].multimodal_model, "new");
    recipe_release(&r);
}

static void layout_and_comments_make_no_other_recipe(void **state)
{
    static const char *const same[] = {
        (ONE(PROMPT "    parameters: {top_p: 1}\n")),
        "# why\nmodel: \"m\"\nanalyses: [{name: a, prompt: 'p', \"parameters\": {top_p: 1}}]\n",
        "{\"model\":\"m\",\n\"analyses\":[{\"name\":\"a\",\"prompt\":\"p\",\"parameters\":{\"top_"
        "p\":1}}]}",
    };
    struct recipe r[4];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_true(kitchen_load(same[i], NULL, &r[i], NULL));
    assert_string_equal(r[0].digest, r[1].digest);
    assert_string_equal(r[0].digest, r[2].digest);
    assert_true(kitchen_load(ONE(PROMPT "    parameters: {top_p: \"1\"}\n"), NULL, &r[3], NULL));
    assert_string_not_equal(r[0].digest, r[3].digest);
    for (size_t i = 0; i < 4; i++)
        recipe_release(&r[i]);
}

static void a_file_is_kept_once_however_often_it_is_named(void **state)
{
    struct recipe r;

    (void)state;
    assert_true(kitchen_load("model: m\nanalyses:\n"
                             "  - {name: a, prompt_file: data/prompt.md}\n"
                             "  - {name: b, prompt_file: data/prompt.md, "
                             "system: \"{{> data/prompt.md}}\"}\n",
                             NULL, &r, NULL));
    assert_int_equal(r.file_count, 1);
    assert_string_equal(r.files[0].sha256,
                        "b3afeed26c6b3a9f0f69df1e6102879174af63d436915a3f39452e6aae049be2");
    recipe_release(&r);
}

static void files_are_named_from_where_the_recipe_was_named(void **state)
{
    struct recipe r;
    struct err err = {0};

    (void)state;
    kitchen_write("data/recipe.yaml", ONE("    prompt_file: bad.md\n"));
    assert_false(recipe_load("data/recipe.yaml", NULL, &r, &err));
    assert_int_equal(strncmp(err.msg, "data/bad.md:2:", 14), 0);
    err = (struct err){0};
    assert_false(recipe_load("none.yaml", NULL, &r, &err));
    assert_string_equal(err.msg, "none.yaml: cannot be read: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_file_is_told_by_its_place),
        cmocka_unit_test(a_bad_analysis_is_told_by_its_place),
        cmocka_unit_test(bad_answers_are_told_by_their_place),
        cmocka_unit_test(a_bad_pack_is_told_by_its_place),
        cmocka_unit_test(templates_are_told_by_their_own_place),
        cmocka_unit_test(everything_in_a_recipe_is_understood),
        cmocka_unit_test(prompts_are_as_they_are_written),
        cmocka_unit_test(flags_go_before_the_file_but_not_before_an_analysis),
        cmocka_unit_test(layout_and_comments_make_no_other_recipe),
        cmocka_unit_test(a_file_is_kept_once_however_often_it_is_named),
        cmocka_unit_test(files_are_named_from_where_the_recipe_was_named),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
