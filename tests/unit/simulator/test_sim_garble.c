/* What is done to an answer's text to make it worse. */
#include "tests/testlib/unit.h"

#include "simulator/garble.h"
#include "simulator/text.h"

struct sample {
    enum garble how;
    const char *text, *wanted;
};

static const struct sample samples[] = {
    {GARBLE_NONE,       "{\"a\":1}",                                               "{\"a\":1}"                                },
    {GARBLE_PROSE,      "{\"a\":1}",                                               "I would need to know more to answer that."},
    {GARBLE_WRAPPED,    "{}",
     "Here is the answer:\n{}\nLet me know if you "
     "need anything else."                                                                                                    },
    {GARBLE_FENCED,     "[1]",                                                     "```json\n[1]\n```"                        },
    {GARBLE_LOOSE,      "{\"a\":[\"b\"]}",                                         "{'a':['b'],}"                             },
    {GARBLE_LOOSE,      "[\"it's\"]",                                              "[\"it's\",]"                              },
    {GARBLE_LOOSE,      "好",                                                     "好"                                      },
    {GARBLE_CUT_OFF,    "{\"a\":1}",                                               "{\"a\""                                   },
    {GARBLE_CUT_OFF,    "好好好好",                                            "好好"                                   },
    {GARBLE_WRONG_WORD, "{\"id\":\"x\",\"n\":3}",                                  "{\"id\":\"x\",\"n\":\"three\"}"           },
    {GARBLE_WRONG_WORD, "{\"t\":[{\"a\":\"x\",\"b\":\"y\"}]}",
     "{\"t\":[{\"a\":\"x\",\"b\":\"no-such-word\"}]}"                                                                         },
    {GARBLE_WRONG_WORD, "[{\"id\":\"1\",\"l\":\"p\"},{\"id\":\"2\",\"l\":\"q\"}]",
     "[{\"id\":\"1\",\"l\":\"no-such-word\"},{\"id\":\"2\",\"l\":\"q\"}]"                                                     },
    {GARBLE_WRONG_WORD, "{\"a\":null}",                                            "{\"a\":null}"                             },
    {GARBLE_WRONG_WORD, "共现",                                                  "no-such-word"                             },
    {GARBLE_EXTRA_KEY,  "{\"a\":1}",                                               "{\"a\":1,\"comment\":\"made up\"}"        },
    {GARBLE_EXTRA_KEY,  "[{\"a\":1},{}]",                                          "[{\"a\":1,\"comment\":\"made up\"},{}]"   },
    {GARBLE_EXTRA_KEY,  "text",                                                    "text"                                     },
    {GARBLE_FORGOTTEN,  "[{\"id\":1},{\"id\":2}]",                                 "[{\"id\":1}]"                             },
    {GARBLE_FORGOTTEN,  "{\"results\":[1,2]}",                                     "{\"results\":[1]}"                        },
    {GARBLE_FORGOTTEN,  "[]",                                                      "[]"                                       },
};

static void each_kind_does_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct buf text = TEXT_INIT;

        text_put(&text, samples[i].text);
        garble_text(&text, samples[i].how);
        assert_string_equal(text.data, samples[i].wanted);
        assert_int_equal(text.len, strlen(samples[i].wanted));
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_does_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
