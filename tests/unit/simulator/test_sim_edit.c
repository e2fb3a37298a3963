#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "simulator/edit.h"
#include "simulator/spoil.h"
#include "simulator/text.h"

static void members_are_changed_or_taken_away(void **state)
{
    static const struct {
        const char *doc, *member, *json, *wanted;
    } cases[] = {
        {"{\"a\":1,\"b\":2}",                "b",     "[3]",   "{\"a\":1,\"b\":[3]}\n"          },
        {"{\"a\":1}",                        "b",     "null",  "{\"a\":1,\"b\":null}\n"         },
        {"{\"a\":1,\"b\":2}",                "a",     NULL,    "{\"b\":2}\n"                    },
        {"{\"a\":{\"b\":{\"c\":1}}}",        "a.b.c", "\"x\"", "{\"a\":{\"b\":{\"c\":\"x\"}}}\n"},
        {"{\"a\":1}",                        "a.b",   "2",     "{\"a\":1}\n"                    },
        {"{\"a\":1}",                        "x.b",   "2",     "{\"a\":1}\n"                    },
        {"{\"data\":[{\"a\":1},{\"b\":1}]}", "a",     "2",
         "{\"data\":[{\"a\":2},{\"b\":1,\"a\":2}]}\n"                                           },
        {"{\"value\":[{\"a\":1}]}",          "a",     NULL,    "{\"value\":[{}]}\n"             },
        {"[{\"a\":1},2]",                    "a",     "2",     "[{\"a\":2},2]\n"                },
        {"<html>",                           "a",     "2",     "<html>"                         },
        {"",                                 "a",     "2",     ""                               },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf doc = TEXT_INIT;

        print_message("  %s %s\n", cases[i].doc, cases[i].member);
        text_put(&doc, cases[i].doc);
        edit_member(&doc, cases[i].member, cases[i].json);
        assert_string_equal(doc.data, cases[i].wanted);
        buf_release(&doc);
    }
}

static void lines_are_spoiled_and_those_before_are_not(void **state)
{
    static const char first[] = "{\"first\":1}\n";
    static const char line[] = "{\"id\":1,\"response\":{\"body\":{\"a\":\"b\"}}}\n";
    static const struct {
        void (*spoil)(struct buf *out, size_t from);
        const char *wanted;
    } cases[] = {
        {spoil_string, "{\"id\":1,\"response\":{\"body\":\"{\\\"a\\\":\\\"b\\\"}\"}}\n"           },
        {spoil_torn,   "{\"id\":1,\"response\":\n"                                                },
        {spoil_glued,  "{\"id\":1,\"response\":{\"id\":1,\"response\":{\"body\":{\"a\":\"b\"}}}\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = TEXT_INIT;

        text_put(&out, first);
        text_put(&out, line);
        cases[i].spoil(&out, strlen(first));
        assert_memory_equal(out.data, first, strlen(first));
        assert_string_equal(out.data + strlen(first), cases[i].wanted);
        buf_release(&out);
    }
}

static void a_big_line_has_its_answer_still(void **state)
{
    static const char line[] = "{\"response\":{\"body\":{\"a\":1}}}\n";
    struct buf out = TEXT_INIT;

    (void)state;
    text_put(&out, line);
    spoil_big(&out, 0);
    assert_in_range(out.len, 5000000, 5000100);
    assert_int_equal(out.len, strlen(out.data));
    assert_non_null(strstr(out.data, "x\",\"a\":1}}}\n"));
    buf_release(&out);
}

static void lines_are_laid_out_across_pieces(void **state)
{
    struct layout l = {.crlf = true, .bom = true, .blank_lines = true};
    struct buf out = TEXT_INIT;

    (void)state;
    for (int i = 0; i < 11; i++) {
        size_t from = out.len;

        text_put(&out, "x\n");
        layout_apply(&l, &out, from);
        layout_apply(&l, &out, out.len);
    }
    assert_memory_equal(out.data, "\xef\xbb\xbfx\r\nx\r\n", 9);
    assert_string_equal(out.data + out.len - 11, "x\r\nx\r\n\r\nx\r\n");
    assert_int_equal(out.len, 3 + 11 * 3 + 2);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_changed_or_taken_away),
        cmocka_unit_test(lines_are_spoiled_and_those_before_are_not),
        cmocka_unit_test(a_big_line_has_its_answer_still),
        cmocka_unit_test(lines_are_laid_out_across_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
