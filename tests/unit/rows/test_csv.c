#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/rows/csv.h"

enum { RECORDS_MAX = 5, FIELDS_MAX = 6 };

static const struct {
    const char *name, *text;
    const char *records[RECORDS_MAX]; /* each with its line end */
} cuts[] = {
    {"one",                                    "a,b\n",               {"a,b\n"}                  },
    {"no final line end",                      "a\nb",                {"a\n", "b"}               },
    {"CRLF",                                   "a\r\nb\r\n",          {"a\r\n", "b\r\n"}         },
    {"a line end in quotes",                   "\"a\nb\",c\nd\n",     {"\"a\nb\",c\n", "d\n"}    },
    {"a CRLF in quotes",                       "\"a\r\nb\"\r\nd\r\n", {"\"a\r\nb\"\r\n", "d\r\n"}},
    {"doubled quotes before a line end",       "\"a\"\"\nb\"\nc\n",   {"\"a\"\"\nb\"\n", "c\n"}  },
    {"doubled quotes, then closed",            "\"a\"\"\"\nb\n",      {"\"a\"\"\"\n", "b\n"}     },
    {"empty quotes",                           "\"\"\n\"\"\n",        {"\"\"\n", "\"\"\n"}       },
    {"a quote inside a field opens nothing",   "a\"b\nc\"\n",         {"a\"b\n", "c\"\n"}        },
    {"a quote behind a space opens nothing",   "a, \"b\nc\n",         {"a, \"b\n", "c\n"}        },
    {"a quote behind a separator opens",       "a,\"\n\",\"\"\nb\n",  {"a,\"\n\",\"\"\n", "b\n"} },
    {"text behind a closing quote",            "\"a\"b\nc\n",         {"\"a\"b\n", "c\n"}        },
    {"a quote in text behind a closing quote", "\"a\"b\"\nc\n",       {"\"a\"b\"\n", "c\n"}      },
    {"blank lines",                            "\n\na\n",             {"\n", "\n", "a\n"}        },
    {"a quote that is never closed",           "a\n\"b\nc\n",         {"a\n", "\"b\nc\n"}        },
};

/* The same whether a record is seen at once or byte by byte. */
static void check_cut(size_t i, size_t step)
{
    const char *p = cuts[i].text;
    const char *end = p + strlen(p);

    for (size_t k = 0; k < RECORDS_MAX && cuts[i].records[k] != NULL; k++) {
        struct csv_state state = {.separator = ','};
        const char *start = p;
        bool whole = false;

        while (!whole && p < end) {
            const char *seen = (size_t)(end - p) > step ? p + step : end;

            whole = csv_record_end(&state, &p, seen);
        }
        assert_int_equal(p - start, strlen(cuts[i].records[k]));
        assert_memory_equal(start, cuts[i].records[k], (size_t)(p - start));
    }
    assert_ptr_equal(p, end);
}

static void records_end_outside_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        print_message("  %s\n", cuts[i].name);
        check_cut(i, 1);
        check_cut(i, 2);
        check_cut(i, 1000);
    }
}

static const struct {
    const char *record;
    const char *fields[FIELDS_MAX];
    const char *wrong; /* of the last field */
    size_t offset;
} splits[] = {
    {"",                  {""},               NULL,                               0},
    {"a",                 {"a"},              NULL,                               0},
    {"a,b,c",             {"a", "b", "c"},    NULL,                               0},
    {",",                 {"", ""},           NULL,                               0},
    {"a,,",               {"a", "", ""},      NULL,                               0},
    {" a , b ",           {" a ", " b "},     NULL,                               0},
    {"\"a\",b",           {"a", "b"},         NULL,                               0},
    {"\"a,b\",c",         {"a,b", "c"},       NULL,                               0},
    {"\"\",x",            {"", "x"},          NULL,                               0},
    {"\"\"\"\",x",        {"\"", "x"},        NULL,                               0},
    {"\"a\"\"b\"",        {"a\"b"},           NULL,                               0},
    {"\"\"\"a\"\"\"\"\"", {"\"a\"\""},        NULL,                               0},
    {"\"a\r\nb\"",        {"a\r\nb"},         NULL,                               0},
    {"a\"b,c\"\"d",       {"a\"b", "c\"\"d"}, NULL,                               0},
    {"中文,\"，\"",    {"中文", "，"},  NULL,                               0},
    {"x,\"a\"b",          {"x", NULL},        "text behind a closing quote",      3},
    {"x,\"a\" ",          {"x", NULL},        "text behind a closing quote",      3},
    {"x,\"a\"b\",c",      {"x", NULL},        "text behind a closing quote",      3},
    {"\"a",               {NULL},             "a quote that is never closed",     0},
    {"\"",                {NULL},             "a quote that is never closed",     0},
    {"\"a\"\"",           {NULL},             "a quote that is never closed",     0},
    {"ab\rc",             {NULL},             "a carriage return outside quotes", 2},
};

static void fields_are_split_and_decoded(void **state)
{
    struct buf scratch = BUF_INIT(1000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(splits); i++) {
        const char *p = splits[i].record;
        const char *end = p + strlen(p);
        struct slice field;
        size_t n = 0;

        print_message("  %s\n", splits[i].record);
        while (csv_next(&p, end, ',', &field)) {
            const char *want = splits[i].fields[n++];
            struct slice text = {0};
            size_t offset = 0;
            const char *wrong = csv_decode(&field, &scratch, &text, &offset);

            if (want == NULL) {
                assert_string_equal(wrong, splits[i].wrong);
                assert_int_equal(offset, splits[i].offset);
                break;
            }
            assert_null(wrong);
            assert_int_equal(text.len, strlen(want));
            assert_memory_equal(text.p, want, text.len);
        }
        assert_true(n == FIELDS_MAX || splits[i].fields[n] == NULL);
    }
    buf_release(&scratch);
}

static void a_tab_separates_where_it_is_asked_for(void **state)
{
    const char *record = "a,b\t\"c\td\"";
    const char *p = record;
    struct slice field;

    (void)state;
    assert_true(csv_next(&p, record + strlen(record), '\t', &field));
    assert_int_equal(field.len, 3);
    assert_true(csv_next(&p, record + strlen(record), '\t', &field));
    assert_int_equal(field.len, 5);
    assert_false(csv_next(&p, record + strlen(record), '\t', &field));
}

static const struct {
    const char *text;
    char separator;
    const char *want;
} encodings[] = {
    {"",     ',',  ""            },
    {"a b",  ',',  "a b"         },
    {"a,b",  ',',  "\"a,b\""     },
    {"a,b",  '\t', "a,b"         },
    {"a\tb", '\t', "\"a\tb\""    },
    {"a\"b", ',',  "\"a\"\"b\""  },
    {"\"\"", ',',  "\"\"\"\"\"\""},
    {"a\nb", ',',  "\"a\nb\""    },
    {"a\rb", ',',  "\"a\rb\""    },
    {"=1+1", ',',  "=1+1"        },
};

static void fields_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
        struct buf out = BUF_INIT(100);

        assert_true(
            csv_encode(&out, encodings[i].text, strlen(encodings[i].text), encodings[i].separator));
        assert_string_equal(out.data, encodings[i].want);
        buf_release(&out);
    }
}

/* Any text comes back from what it is encoded as. */
static void what_is_encoded_decodes_to_itself(void **state)
{
    static const char alphabet[] = "a\",\n\r\t ";
    struct buf out = BUF_INIT(1000);
    struct buf scratch = BUF_INIT(1000);

    (void)state;
    for (unsigned n = 0; n < 7 * 7 * 7 * 7 * 7; n++) {
        char text[5];
        struct slice field;
        struct slice decoded = {0};
        size_t offset = 0;
        struct csv_state s = {.separator = ','};

        for (unsigned i = 0, rest = n; i < 5; i++, rest /= 7)
            text[i] = alphabet[rest % 7];
        buf_clear(&out);
        assert_true(csv_encode(&out, text, 5, ','));

        const char *p = out.data;
        const char *whole = out.data;

        assert_false(csv_record_end(&s, &whole, out.data + out.len));
        assert_true(csv_next(&p, out.data + out.len, ',', &field));
        assert_null(p);
        assert_null(csv_decode(&field, &scratch, &decoded, &offset));
        assert_int_equal(decoded.len, 5);
        assert_memory_equal(decoded.p, text, 5);
    }
    buf_release(&out);
    buf_release(&scratch);
}

static void a_line_end_is_known(void **state)
{
    (void)state;
    assert_int_equal(csv_line_end("", 0), 0);
    assert_int_equal(csv_line_end("a", 1), 0);
    assert_int_equal(csv_line_end("a\n", 2), 1);
    assert_int_equal(csv_line_end("a\r\n", 3), 2);
    assert_int_equal(csv_line_end("\r\n", 2), 2);
    assert_int_equal(csv_line_end("a\r", 2), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_end_outside_quotes),
        cmocka_unit_test(fields_are_split_and_decoded),
        cmocka_unit_test(a_tab_separates_where_it_is_asked_for),
        cmocka_unit_test(fields_are_quoted_where_they_must_be),
        cmocka_unit_test(what_is_encoded_decodes_to_itself),
        cmocka_unit_test(a_line_end_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
