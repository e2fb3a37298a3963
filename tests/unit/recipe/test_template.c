#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/recipe/template.h"

/* Partials that are in memory. */
struct file {
    const char *path, *text;
};

static const struct file files[] = {
    {"hello.md",   "Hello {{name}}!\n"            },
    {"twice.md",   "{{> hello.md}} {{> hello.md}}"},
    {"self.md",    "a\n{{> self.md}}"             },
    {"ping.md",    "{{> pong.md}}"                },
    {"pong.md",    "x\n  {{> ping.md}}"           },
    {"bad.md",     "one\ntwo {{#if x}}"           },
    {"close.md",   "{{/if}}"                      },
    {"item.md",    "<{{this.n}}>"                 },
    {"windows.md", "line\r\n"                     },
    {"rows.md",    "{{#rows}}{{_id}} {{/rows}}"   },
};

static bool read_file(void *arg, const char *path, const char **text, size_t *len, struct err *err)
{
    (void)arg;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (strcmp(files[i].path, path) == 0) {
            *text = files[i].text;
            *len = strlen(files[i].text);
            return true;
        }
    }
    return err_set(err, ERR_USAGE, "No such file or directory");
}

static const struct template_files readers = {.read = read_file};

static struct template *parse(const char *text, struct err *err)
{
    return template_parse("t.md", text, strlen(text), &readers, err);
}

static struct template_row row_of(const char *json, struct json_value *value, const char *id)
{
    assert_true(json_scan(json, strlen(json), value, NULL));
    return (struct template_row){value, id, 12};
}

static bool render(const char *text, const char *json, struct buf *out, struct err *err)
{
    struct json_value value;
    struct template_row row = row_of(json, &value, "p-1");
    struct template *t = parse(text, err);

    if (t == NULL)
        fail_msg("%s: %s", text, err->msg);

    bool ok = template_render(
        t, &(struct template_input){.row = &row, .vocabulary = "A\nB", .family = TOKENS_O200K}, out,
        err);

    template_free(t);
    return ok;
}

static const struct {
    const char *text, *row, *want;
} good[] = {
    {"",                                                                                "{}",                                              ""                                 },
    {"plain { } }} text",                                                               "{}",                                              "plain { } }} text"                },
    {"a{{{{b}}",                                                                        "{}",                                              "a{{b}}"                           },
    {"{",                                                                               "{}",                                              "{"                                },
    {"a{",                                                                              "{}",                                              "a{"                               },
    {"\xEF\xBB\xBFx",                                                                   "{}",                                              "x"                                },
    {"{{name}}",                                                                        "{\"name\":\"Ann\"}",                              "Ann"                              },
    {"{{ name }}|{{  name  }}",                                                         "{\"name\":\"Ann\"}",                              "Ann|Ann"                          },
    {"{\"id\":{{id}}}",                                                                 "{\"id\":7}",                                      "{\"id\":7}"                       },
    {"{{a.b}} {{a.c.d}}",                                                               "{\"a\":{\"b\":\"x\",\"c\":{\"d\":true}}}",        "x true"                           },
    {"{{a.b}}",                                                                         "{\"a.b\":\"dot\",\"a\":{\"b\":\"x\"}}",           "dot"                              },
    {"{{items.1}}",                                                                     "{\"items\":[1,2.50]}",                            "2.50"                             },
    {"{{`user name`}} {{`vocabulary`}}",                                                "{\"user name\":\"U\",\"vocabulary\":\"col\"}",    "U col"                            },
    {"{{\xE5\x86\x85\xE5\xAE\xB9}}",                                                    "{\"\xE5\x86\x85\xE5\xAE\xB9\":\"\xE5\xA5\xBD\"}",
     "\xE5\xA5\xBD"                                                                                                                                                           },
    {"{{n}} {{t}} {{f}}",                                                               "{\"n\":1e400,\"t\":true,\"f\":false}",            "1e400 true false"                 },
    {"{{s}}",                                                                           "{\"s\":\"\"}",                                    ""                                 },
    {"{{s}}",                                                                           "{\"s\":\"\\u4f60\\n\\\"q\\\"\\ud83d\\ude00\"}",
     "\xE4\xBD\xA0\n\"q\"\xF0\x9F\x98\x80"                                                                                                                                    },
    {"{{s}}",                                                                           "{\"s\":\"a\\u0000b\\ud800\"}",
     "a\xEF\xBF\xBD"
     "b\xEF\xBF\xBD"                                                                                                                                                          },
    {"{{s}}",                                                                           "{\"s\":\"<&'>\"}",                                "<&'>"                             },
    {"{{o}}",                                                                           "{\"o\": { \"a\" : [ 1, \"x y\" ] } }",            "{\"a\":[1,\"x y\"]}"              },
    {"{{o}}",                                                                           "{\"o\": [\"\\u4f60\\n\\u0001\\\"\\/\"] }",        "[\"\xE4\xBD\xA0\\n\\u0001\\\"/\"]"},
    {"{{this}}",                                                                        "{ \"a\" : 1 }",                                   "{\"a\":1}"                        },
    {"{{this.a}}",                                                                      "{\"a\":1}",                                       "1"                                },
    {"{{_id}} {{_index}}",                                                              "{}",                                              "p-1 12"                           },
    {"{{_id | json}}",                                                                  "{}",                                              "\"p-1\""                          },
    {"{{vocabulary}}",                                                                  "{}",                                              "A\nB"                             },
    {"{{x | default: \"none\"}}",                                                       "{}",                                              "none"                             },
    {"{{x | default: 'it\\'s \\\\ \\n'}}.",                                             "{}",                                              "it's \\ \n."                      },
    {"{{x | default: \"a }} b\"}}",                                                     "{}",                                              "a }} b"                           },
    {"{{x | default: -1.5}}",                                                           "{}",                                              "-1.5"                             },
    {"{{x | default: \"\"}}",                                                           "{\"x\":null}",                                    ""                                 },
    {"{{x|default:\"e\"}}",                                                             "{\"x\":\"\"}",                                    "e"                                },
    {"{{x | default: \"e\"}}",                                                          "{\"x\":0}",                                       "0"                                },
    {"{{x | default: \"e\"}}",                                                          "{\"x\":[]}",                                      "[]"                               },
    {"{{x | cut: 3}}",                                                                  "{\"x\":\"abcdef\"}",                              "abc"                              },
    {"{{x | cut: 3}}",                                                                  "{\"x\":\"ab\"}",                                  "ab"                               },
    {"{{x | cut: 2}}",                                                                  "{\"x\":\"\\u4f60\xE5\xA5\xBD\xE5\x90\x97\"}",     "\xE4\xBD\xA0\xE5\xA5\xBD"         },
    {"{{x | cut: 1}}",                                                                  "{\"x\":\"\xF0\x9F\x98\x80z\"}",                   "\xF0\x9F\x98\x80"                 },
    {"{{x | cut: 3}}",                                                                  "{\"x\":[10,20]}",                                 "[10"                              },
    {"{{x | default: \"abcdef\" | cut: 2}}",                                            "{}",                                              "ab"                               },
    {"{{x | cut_tokens: 1000}}",                                                        "{\"x\":\"some words\"}",                          "some words"                       },
    {"{{x | json}}",                                                                    "{\"x\":\"a\\\"b\\u4f60\\t\"}",                    "\"a\\\"b\xE4\xBD\xA0\\t\""        },
    {"{{x | json}}",                                                                    "{\"x\":[ 1 , 2 ]}",                               "[1,2]"                            },
    {"{{x | json}} {{y | json}}",                                                       "{\"x\":7,\"y\":true}",                            "7 true"                           },
    {"{{x | cut: 3 | json}}",                                                           "{\"x\":\"a\\\"bcd\"}",                            "\"a\\\"b\""                       },
    {"{{x | cut: 3 | json}}",                                                           "{\"x\":[10]}",                                    "\"[10\""                          },
    {"{{x | default: \"q\\\"\" | json}}",                                               "{}",                                              "\"q\\\"\""                        },
    {"{{#if x}}yes{{else}}no{{/if}}",                                                   "{\"x\":1}",                                       "yes"                              },
    {"{{#if x}}yes{{else}}no{{/if}}",                                                   "{}",                                              "no"                               },
    {"{{#if x}}yes{{/if}}.",                                                            "{\"x\":0.0}",                                     "."                                },
    {"{{#if x}}yes{{/if}}.",                                                            "{\"x\":{}}",                                      "."                                },
    {"{{#if x}}{{#if y}}xy{{else}}x{{/if}}{{else}}-{{/if}}",                            "{\"x\":\"1\"}",                                   "x"                                },
    {"{{#if vocabulary}}V{{/if}}",                                                      "{}",                                              "V"                                },
    {"{{#each l}}{{this}};{{/each}}",                                                   "{\"l\":[1,\"b\",true]}",                          "1;b;true;"                        },
    {"{{#each l}}{{this}}{{#if @last}}.{{else}}, {{/if}}{{/each}}",                     "{\"l\":[1,2,3]}",                                 "1, 2, 3."                         },
    {"{{#each l}}{{#if @first}}^{{/if}}{{@index}}={{@number}} {{/each}}",               "{\"l\":[7,8]}",
     "^0=1 1=2 "                                                                                                                                                              },
    {"{{#each l}}{{this.n}}/{{n}} {{/each}}",                                           "{\"l\":[{\"n\":1},{\"n\":2}],\"n\":\"row\"}",
     "1/row 2/row "                                                                                                                                                           },
    {"{{#each o}}{{@key}}={{this}} {{/each}}",                                          "{\"o\":{\"a\":1,\"\\u4f60\":2}}",
     "a=1 \xE4\xBD\xA0=2 "                                                                                                                                                    },
    {"{{#each l}}[{{#each this.m}}{{this}}{{/each}}]{{/each}}",
     "{\"l\":[{\"m\":[1,2]},{\"m\":[]},{}]}",                                                                                              "[12][][]"                         },
    {"{{#each l}}{{#each this}}{{@index}}{{/each}}{{@index}};{{/each}}",                "{\"l\":[[5,5],[5]]}",
     "010;01;"                                                                                                                                                                },
    {"{{#each l}}x{{else}}none{{/each}}",                                               "{\"l\":[]}",                                      "none"                             },
    {"{{#each l}}x{{else}}none{{/each}}",                                               "{}",                                              "none"                             },
    {"{{#each l}}x{{else}}none{{/each}}",                                               "{\"l\":\"\"}",                                    "none"                             },
    {"{{#each l}}{{#each this}}a{{else}}{{this.0 | default: \"e\"}}{{/each}}{{/each}}",
     "{\"l\":[[],[1]]}",                                                                                                                   "ea"                               },
    {"{{! a note }}x{{!}}",                                                             "{}",                                              "x"                                },
    {"a\n{{#if x}}\nb\n{{/if}}\nc\n",                                                   "{\"x\":1}",                                       "a\nb\nc\n"                        },
    {"a\n  {{#if x}}  \n  b\n  {{else}}\n  d\n\t{{/if}}\nc",                            "{}",                                              "a\n  d\nc"                        },
    {"a\r\n{{#if x}}\r\nb\r\n{{/if}}\r\n",                                              "{\"x\":1}",                                       "a\r\nb\r\n"                       },
    {"a\n{{! alone }}\nb",                                                              "{}",                                              "a\nb"                             },
    {"a {{#if x}}\nb{{/if}}\n",                                                         "{\"x\":1}",                                       "a \nb\n"                          },
    {"  {{x}}\n",                                                                       "{\"x\":1}",                                       "  1\n"                            },
    {"{{#if x}}\nb\n{{/if}}",                                                           "{\"x\":1}",                                       "b\n"                              },
    {"{{> hello.md}}",                                                                  "{\"name\":\"Ann\"}",                              "Hello Ann!"                       },
    {"{{>twice.md}}\n",                                                                 "{\"name\":\"B\"}",                                "Hello B! Hello B!\n"              },
    {"{{> \"hello.md\" }}",                                                             "{\"name\":\"Ann\"}",                              "Hello Ann!"                       },
    {"{{> windows.md}}.",                                                               "{}",                                              "line."                            },
    {"{{#each l}}{{> item.md}}{{/each}}",                                               "{\"l\":[{\"n\":1},{\"n\":2}],\"n\":0}",           "<1><2>"                           },
    {"{{else_where}} {{elsewhere}}",                                                    "{\"else_where\":1,\"elsewhere\":2}",              "1 2"                              },
    {"{{this}}{{x}}",                                                                   "{\"x\":1,\"x\":2}",                               "{\"x\":1,\"x\":2}2"               },
};

static void test_what_a_template_renders_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct buf out = BUF_INIT(1 << 20);
        struct err err = {0};

        assert_true(buf_append(&out, ">", 1));
        if (!render(good[i].text, good[i].row, &out, &err))
            fail_msg("%s: %s", good[i].text, err.msg);
        if (strcmp(out.data + 1, good[i].want) != 0 || strlen(out.data) != out.len)
            fail_msg("%s: got <%s>, want <%s>", good[i].text, out.data + 1, good[i].want);
        buf_release(&out);
    }
}

static const struct {
    const char *text, *row, *why;
} rows_that_fail[] = {
    {"a\n b {{x}}",                         "{}",                     "t.md:2:6: the row has no \"x\""                       },
    {"{{a.b | cut: 3}}",                    "{\"a\":{}}",             "t.md:1:3: the row has no \"a.b\""                     },
    {"\xE4\xBD\xA0 {{x}}",                  "{\"x\":null}",           "t.md:1:5: \"x\" is null in the row"                   },
    {"{{x | json}}",                        "{\"x\":null}",           "t.md:1:3: \"x\" is null in the row"                   },
    {"{{#each l}}{{this.n}}{{/each}}",      "{\"l\":[{\"n\":1},{}]}",
     "t.md:1:14: the item has no \"n\""                                                                                      },
    {"{{#each l}}{{this}}{{/each}}",        "{\"l\":[null]}",         "t.md:1:14: \"this\" is null in the item"              },
    {"{{#each l}}x{{/each}}",               "{\"l\":\"text\"}",
     "t.md:1:9: expected a list to go through, got a string"                                                                 },
    {"{{#each l}}x{{/each}}",               "{\"l\":7}",              "t.md:1:9: expected a list to go through, got a number"},
    {"{{#if x}}{{else}}{{x}}{{/if}}",       "{}",                     "t.md:1:20: the row has no \"x\""                      },
    {"{{> hello.md}}",                      "{}",                     "hello.md:1:9: the row has no \"name\""                },
    {"{{#rows}}{{_id}}{{/rows}}{{! none}}", "{}",                     ""                                                     },
};

static void test_a_row_without_what_is_needed_is_its_own_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows_that_fail); i++) {
        struct buf out = BUF_INIT(1 << 20);
        struct err err = {0};

        assert_true(buf_append(&out, "kept", 4));

        bool ok = render(rows_that_fail[i].text, rows_that_fail[i].row, &out, &err);

        assert_int_equal(ok, rows_that_fail[i].why[0] == '\0');
        assert_string_equal(err.msg, rows_that_fail[i].why);
        assert_int_equal(err.kind, ok ? ERR_NONE : ERR_INPUT);
        assert_string_equal(out.data, "kept");
        buf_release(&out);
    }
}

static const struct {
    const char *text, *why;
} bad[] = {
    {"a\n\xE4\xBD\xA0{{x",                     "t.md:2:5: expected | or }}, found the end of the text"                   },
    {"{{",                                     "t.md:1:3: expected a column, found the end of the text"                  },
    {"{{}}",                                   "t.md:1:3: expected a column, found }}"                                   },
    {"{{ }} x",                                "t.md:1:4: expected a column, found }}"                                   },
    {"{{x y}}",                                "t.md:1:5: expected | or }}, found y"                                     },
    {"{{x\ny}}",                               "t.md:2:1: expected | or }}, found y"                                     },
    {"{{x}",                                   "t.md:1:4: expected | or }}, found }"                                     },
    {"{{a..b}}",                               "t.md:1:3: \"a..b\" has an empty name in it"                              },
    {"{{.a}}",                                 "t.md:1:3: \".a\" has an empty name in it"                                },
    {"{{a.}}",                                 "t.md:1:3: \"a.\" has an empty name in it"                                },
    {"{{x | }}",                               "t.md:1:7: expected default, cut, cut_tokens or json, found }}"           },
    {"{{x | defualt: 1}}",                     "t.md:1:7: unknown filter \"defualt\"; did you mean \"default\"?"         },
    {"{{x | cut-tokens: 1}}",
     "t.md:1:7: unknown filter \"cut-tokens\"; did you mean \"cut_tokens\"?"                                             },
    {"{{x | upper}}",
     "t.md:1:7: unknown filter \"upper\": expected default, cut, cut_tokens or json"                                     },
    {"{{x | cut 5}}",                          "t.md:1:11: expected a colon, found 5"                                    },
    {"{{x | cut: }}",                          "t.md:1:12: expected a whole number, found }}"                            },
    {"{{x | cut: 0}}",                         "t.md:1:12: expected a number from 1 to 1000000000"                       },
    {"{{x | cut: 99999999999999999999}}",      "t.md:1:12: expected a number from 1 to 1000000000"                       },
    {"{{x | cut: 5x}}",                        "t.md:1:13: expected | or }}, found x"                                    },
    {"{{x | cut: 5 | cut: 6}}",                "t.md:1:16: cut is there twice"                                           },
    {"{{x | cut: 5 | default: \"\"}}",         "t.md:1:16: default must be the first filter"                             },
    {"{{x | json | cut: 5}}",                  "t.md:1:14: json must be the last filter"                                 },
    {"{{x | default: none}}",                  "t.md:1:16: expected a text in quotes or a number, found none"            },
    {"{{x | default: \"none}}",                "t.md:1:16: the quote is never closed"                                    },
    {"{{x | default: \"\\q\"}}",               "t.md:1:17: expected n, t, \\ or a quote behind the backslash"            },
    {"{{x | default: 1 | default: 2}}",        "t.md:1:20: default is there twice"                                       },
    {"{{{x}}}",
     "t.md:1:1: three braces: write {{x}} (nothing is escaped here), or {{{{ for a literal {{"                           },
    {"{{`x}}",                                 "t.md:1:3: the backtick is never closed"                                  },
    {"{{``}}",                                 "t.md:1:3: an empty name"                                                 },
    {"{{#unless x}}",                          "t.md:1:4: unknown block \"unless\": expected if, each or rows"           },
    {"{{#fi x}}{{/fi}}",                       "t.md:1:4: unknown block \"fi\"; did you mean \"if\"?"                    },
    {"{{#if}}",                                "t.md:1:6: expected a column, found }}"                                   },
    {"{{#if x | json}}",                       "t.md:1:9: expected }}, found |"                                          },
    {"{{#if _id}}{{/if}}",                     "t.md:1:7: expected a column behind #if"                                  },
    {"{{#each vocabulary}}{{/each}}",          "t.md:1:9: expected a column behind #each"                                },
    {"x\n{{#if x}}y",                          "t.md:2:3: {{#if}} is never closed: expected {{/if}}"                     },
    {"{{#if x}}\n{{#each y}}{{/if}}",          "t.md:2:14: expected {{/each}} for the {{#each}} in line 2"               },
    {"{{/if}}",                                "t.md:1:3: {{/if}} closes nothing"                                        },
    {"{{else}}",                               "t.md:1:3: {{else}} without {{#if}} or {{#each}}"                         },
    {"{{#if x}}{{else}}{{else}}{{/if}}",       "t.md:1:20: {{else}} without {{#if}} or {{#each}}"                        },
    {"{{#rows}}{{else}}{{/rows}}",             "t.md:1:12: {{else}} without {{#if}} or {{#each}}"                        },
    {"{{#if x}}{{#rows}}{{/rows}}{{/if}}",     "t.md:1:12: {{#rows}} cannot be inside another block"                     },
    {"{{#rows}}{{x}}{{/rows}} {{y}}",
     "t.md:1:27: outside {{#rows}} there is no row: it is a request for several"                                         },
    {"{{#rows}}{{x}}{{/rows}} {{_id}}",
     "t.md:1:27: outside {{#rows}} there is no row: it is a request for several"                                         },
    {"{{@index}}",                             "t.md:1:3: @index stands for something only inside {{#each}} or {{#rows}}"},
    {"{{#rows}}{{@key}}{{/rows}}",             "t.md:1:12: @key stands for something only inside {{#each}}"              },
    {"{{#each x}}{{else}}{{@index}}{{/each}}",
     "t.md:1:22: @index stands for something only inside {{#each}} or {{#rows}}"                                         },
    {"{{#each x}}{{@indx}}{{/each}}",
     "t.md:1:14: unknown name \"@indx\"; did you mean \"@index\"?"                                                       },
    {"{{! never",                              "t.md:1:3: the tag is never closed: expected }}"                          },
    {"{{> }}",                                 "t.md:1:3: expected the name of a file behind >"                          },
    {"{{> gone.md}}",                          "t.md:1:3: gone.md: No such file or directory"                            },
    {"{{> t.md}}",                             "t.md:1:3: a template loop: t.md > t.md"                                  },
    {"{{> self.md}}",                          "self.md:2:3: a template loop: t.md > self.md > self.md"                  },
    {"{{> ping.md}}",                          "pong.md:2:5: a template loop: t.md > ping.md > pong.md > ping.md"        },
    {"{{> bad.md}}{{/if}}",                    "bad.md:2:7: {{#if}} is never closed: expected {{/if}}"                   },
    {"{{#if x}}{{> close.md}}",                "close.md:1:3: {{/if}} closes nothing"                                    },
    {"{{#if x}}{{> rows.md}}{{/if}}",          "rows.md:1:3: {{#rows}} cannot be inside another block"                   },
};

static void test_a_wrong_template_says_where_and_what_was_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};

        assert_null(parse(bad[i].text, &err));
        if (strcmp(err.msg, bad[i].why) != 0)
            fail_msg("%s: got <%s>, want <%s>", bad[i].text, err.msg, bad[i].why);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(parse(bad[i].text, NULL));
    }
}

static void test_blocks_go_only_so_deep(void **state)
{
    struct buf text = BUF_INIT(10000);
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < TEMPLATE_DEPTH_MAX; i++)
        assert_true(buf_printf(&text, "{{#each x}}"));
    for (size_t i = 0; i < TEMPLATE_DEPTH_MAX; i++)
        assert_true(buf_printf(&text, "{{/each}}"));

    struct template *t = parse(text.data, &err);

    assert_non_null(t);
    template_free(t);
    buf_clear(&text);
    for (size_t i = 0; i <= TEMPLATE_DEPTH_MAX; i++)
        assert_true(buf_printf(&text, "{{#if x}}"));
    assert_null(parse(text.data, &err));
    assert_non_null(strstr(err.msg, "more than 16 blocks inside each other"));
    buf_release(&text);
}

/* Every partial includes the next one twice: a doubling at each step. */
static bool read_doubling(void *arg, const char *path, const char **text, size_t *len,
                          struct err *err)
{
    static char texts[64][128];
    size_t n = strlen(path);

    (void)arg;
    (void)err;
    (void)snprintf(texts[n], sizeof(texts[n]), "{{> %.*s}}{{> %.*s}}", (int)n + 1,
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", (int)n + 1,
                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    *text = n < *(const size_t *)arg ? texts[n] : "0123456789";
    *len = strlen(*text);
    return true;
}

static void test_partials_go_only_so_deep_and_come_to_only_so_much(void **state)
{
    size_t depth = 99;
    struct template_files doubling = {read_doubling, &depth};
    struct err err = {0};

    (void)state;
    assert_null(template_parse("t", "{{> a}}", 7, &doubling, &err));
    assert_non_null(strstr(err.msg, "more than 16 partials inside each other"));
    depth = 15;
    assert_null(template_parse("t", "{{> a}}{{> a}}{{> a}}", 21, &doubling, &err));
    assert_non_null(strstr(err.msg, "with its partials the template is larger than 4 MiB"));
    assert_null(template_parse("t", "{{> a}}", 7, NULL, &err));
    assert_string_equal(err.msg, "t:1:3: there are no files to take a from");
}

static void test_text_that_passes_the_limit_is_an_error_and_leaves_nothing(void **state)
{
    struct buf out = BUF_INIT(20);
    struct err err = {0};

    (void)state;
    assert_true(render("{{x}}", "{\"x\":\"0123456789\"}", &out, &err));
    assert_false(render("{{x}}", "{\"x\":\"0123456789\"}", &out, &err));
    assert_string_equal(err.msg, "t.md:1:3: the text passes 20 bytes");
    assert_false(render("01234567890", "{}", &out, &err));
    assert_string_equal(err.msg, "t.md: the text passes 20 bytes");
    assert_false(render("{{x | cut: 5 | json}}", "{\"x\":\"\\u0001\\u0001\"}", &out, &err));
    assert_string_equal(out.data, "0123456789");
    buf_release(&out);
}

/* Quoted in place: what grows most is what is no UTF-8, and a template may hold it. */
static void test_a_text_of_any_bytes_is_quoted(void **state)
{
    struct buf text = BUF_INIT(10000);
    struct buf out = BUF_INIT(10000);
    struct err err = {0};

    (void)state;
    assert_true(buf_printf(&text, "{{x | default: \""));
    for (int i = 0; i < 200; i++)
        assert_true(buf_append(&text, "\xF4", 1));
    assert_true(buf_printf(&text, "\" | cut: 200 | json}}"));
    assert_true(render(text.data, "{}", &out, &err));
    assert_int_equal(out.len, 2 + 3 * 200);
    assert_memory_equal(out.data, "\"\xEF\xBF\xBD\xEF\xBF\xBD", 7);
    buf_release(&text);
    buf_release(&out);
}

static void test_missing_is_empty_where_it_is_asked_for(void **state)
{
    struct buf out = BUF_INIT(100);
    struct json_value value;
    struct template_row row = row_of("{\"n\":null}", &value, "1");
    struct template_input input = {.row = &row, .missing_is_empty = true};
    struct template *t = parse("[{{x}}{{n}}{{n | json}}{{x | default: \"d\"}}]", NULL);

    (void)state;
    assert_true(template_render(t, &input, &out, NULL));
    assert_string_equal(out.data, "[\"\"d]");
    template_free(t);
    buf_release(&out);
}

static void test_without_a_vocabulary_or_a_row_what_needs_them_fails(void **state)
{
    struct buf out = BUF_INIT(100);
    struct err err = {0};
    struct template_input none = {0};
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{{vocabulary}}",    "t.md:1:3: there is no vocabulary here"            },
        {"{{_id}}",           "t.md:1:3: there is no row here"                   },
        {"{{_index}}",        "t.md:1:3: there is no row here"                   },
        {"{{x}}",             "t.md:1:3: there is no row here to take \"x\" from"},
        {"{{#if x}}x{{/if}}", NULL                                               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct template *t = parse(cases[i].text, &err);

        assert_int_equal(template_render(t, &none, &out, &err), cases[i].why == NULL);
        if (cases[i].why != NULL)
            assert_string_equal(err.msg, cases[i].why);
        template_free(t);
    }
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

/* A pack of three. */
struct pack {
    struct json_value values[3];
    struct template_row rows[3];
    struct template_input input;
};

static void pack_init(struct pack *p, const char *a, const char *b, const char *c)
{
    p->rows[0] = row_of(a, &p->values[0], "a");
    p->rows[1] = row_of(b, &p->values[1], "b");
    p->rows[2] = row_of(c, &p->values[2], "c");
    p->rows[2].index = 14;
    p->input = (struct template_input){.rows = p->rows, .row_count = 3};
}

static void test_a_pack_renders_every_row_in_its_block(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct pack p;
    struct template *t = parse("Rate:\n{{#rows}}\n{{@number}}. {{_id}}/{{_index}}: {{x}}"
                               "{{#each l}} {{this}}{{/each}}{{#if @last}}!{{/if}}\n{{/rows}}\nEnd",
                               NULL);

    (void)state;
    pack_init(&p, "{\"x\":1}", "{\"x\":\"two\",\"l\":[5,6]}", "{\"x\":3}");
    assert_true(template_render(t, &p.input, &out, NULL));
    assert_string_equal(out.data, "Rate:\n1. a/12: 1\n2. b/12: two 5 6\n3. c/14: 3!\nEnd");
    buf_clear(&out);
    assert_true(template_render_row(t, &p.input, &p.rows[1], &out, NULL));
    assert_string_equal(out.data, "1. b/12: two 5 6!\n");
    template_free(t);
    buf_release(&out);
}

static void test_a_row_that_would_spoil_a_pack_is_found_alone(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct err err = {0};
    struct pack p;
    struct template *t = parse("{{#rows}}{{x}}{{/rows}}{{#rows}}{{y}}{{/rows}}", NULL);

    (void)state;
    pack_init(&p, "{\"x\":1,\"y\":2}", "{\"x\":1}", "{\"x\":3,\"y\":4}");
    assert_true(template_render_row(t, &p.input, &p.rows[0], &out, &err));
    assert_string_equal(out.data, "12");
    assert_false(template_render_row(t, &p.input, &p.rows[1], &out, &err));
    assert_string_equal(err.msg, "t.md:1:35: the row has no \"y\" (row b)");
    assert_string_equal(out.data, "12");
    err = (struct err){0};
    assert_false(template_render(t, &p.input, &out, &err));
    assert_string_equal(err.msg, "t.md:1:35: the row has no \"y\" (row b)");
    p.input.row_count = 1;
    assert_true(template_render(t, &p.input, &out, &err));
    assert_string_equal(out.data, "1212");
    template_free(t);
    buf_release(&out);
}

static void note_column(void *arg, const char *path, const struct template_place *place,
                        bool optional)
{
    assert_true(buf_printf(arg, "%s %s:%zu:%zu%s\n", path, place->name, place->line, place->column,
                           optional ? "?" : ""));
}

static void test_columns_are_told_with_their_places(void **state)
{
    struct buf out = BUF_INIT(1000);
    struct template *t =
        parse("{{a}} {{b.c | default: \"\"}}\n{{#if d.e}}{{d.e}}{{d}}{{d.f}}{{else}}{{d.e}}{{/if}}"
              "{{#each l}}{{this}}{{this.x}}{{g}}{{l.0}}{{/each}}{{this.h}}{{this}}{{_id}}"
              "{{vocabulary}}{{> hello.md}}{{`i j`}}",
              NULL);

    (void)state;
    template_columns(t, note_column, &out);
    assert_string_equal(out.data, "a t.md:1:3\n"
                                  "b.c t.md:1:9?\n"
                                  "d.e t.md:2:7?\n"
                                  "d.e t.md:2:14?\n"
                                  "d t.md:2:21?\n"
                                  "d.f t.md:2:26\n"
                                  "d.e t.md:2:41\n"
                                  "l t.md:2:61?\n"
                                  "g t.md:2:84\n"
                                  "l.0 t.md:2:89\n"
                                  "h t.md:2:105\n"
                                  "name hello.md:1:9\n"
                                  "i j t.md:2:158\n");
    template_free(t);
    buf_release(&out);
}

static const struct {
    const char *text;
    bool rows, row, vocabulary;
} uses[] = {
    {"text",                               false, false, false},
    {"{{a}}",                              false, true,  false},
    {"{{_id}}",                            false, true,  false},
    {"{{this}}",                           false, true,  false},
    {"{{#if a}}x{{/if}}",                  false, true,  false},
    {"{{vocabulary}}",                     false, false, true },
    {"{{#if vocabulary}}x{{/if}}",         false, false, true },
    {"{{#rows}}{{a}}{{_id}}{{/rows}}",     true,  false, false},
    {"{{> rows.md}}{{vocabulary | json}}", true,  false, true },
};

static void test_what_a_template_uses_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        struct template *t = parse(uses[i].text, NULL);

        assert_non_null(t);
        assert_int_equal(template_has_rows(t), uses[i].rows);
        assert_int_equal(template_uses_row(t), uses[i].row);
        assert_int_equal(template_uses_vocabulary(t), uses[i].vocabulary);
        template_free(t);
    }
    template_free(NULL);
}

static void test_tokens_are_cut_as_they_are_counted(void **state)
{
    static const char row[] = "{\"x\":\"the quick brown fox jumps over the lazy dog again\"}";
    struct buf out = BUF_INIT(1000);
    struct err err = {0};
    size_t before = 0;

    (void)state;
    for (int n = 1; n < 12; n++) {
        char text[40];

        (void)snprintf(text, sizeof(text), "{{x | cut_tokens: %d}}", n);
        buf_clear(&out);
        assert_true(render(text, row, &out, &err));
        assert_true(tokens_of_text(TOKENS_O200K, out.data, out.len) <= (uint64_t)n);
        assert_true(out.len >= before);
        before = out.len;
    }
    assert_true(before > 20);
    buf_clear(&out);
    assert_true(render("{{x | cut_tokens: 9 | cut: 5}}", row, &out, &err));
    assert_string_equal(out.data, "the q");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_template_renders_to),
        cmocka_unit_test(test_a_row_without_what_is_needed_is_its_own_error),
        cmocka_unit_test(test_a_wrong_template_says_where_and_what_was_expected),
        cmocka_unit_test(test_blocks_go_only_so_deep),
        cmocka_unit_test(test_partials_go_only_so_deep_and_come_to_only_so_much),
        cmocka_unit_test(test_text_that_passes_the_limit_is_an_error_and_leaves_nothing),
        cmocka_unit_test(test_a_text_of_any_bytes_is_quoted),
        cmocka_unit_test(test_missing_is_empty_where_it_is_asked_for),
        cmocka_unit_test(test_without_a_vocabulary_or_a_row_what_needs_them_fails),
        cmocka_unit_test(test_a_pack_renders_every_row_in_its_block),
        cmocka_unit_test(test_a_row_that_would_spoil_a_pack_is_found_alone),
        cmocka_unit_test(test_columns_are_told_with_their_places),
        cmocka_unit_test(test_what_a_template_uses_is_known),
        cmocka_unit_test(test_tokens_are_cut_as_they_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
