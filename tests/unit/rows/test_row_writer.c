#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/rows/row_columns.h"
#include "common/rows/row_writer.h"
#include "common/rows/rows.h"
#include "tests/unit/input/input_files.h"

#define BOM "\xEF\xBB\xBF"

enum { OUT_MAX = 1 << 20, PUTS_MAX = 4 };

struct put {
    const char *path, *json;
};

/* An input, the answers that go into each of its rows, and what comes out. */
struct writing {
    const char *name, *file, *text;
    enum row_form form;
    struct put puts[PUTS_MAX];
    const char *want;
    const char *encoding;
};

static const struct writing lines[] = {
    {"JSON lines as they were",
     "a.jsonl",                                 "{\"a\" : 1}\n\n {\"b\":2}\r\n",
     ROW_FORM_JSONL,                                                                                                        {{0}},
     "{\"a\" : 1}\n{\"b\":2}\n",                                                                                                                                                    NULL},
    {"with answers",
     "a.jsonl",                                 "{\"a\" : 1}\n",
     ROW_FORM_JSONL,                                                                                                        {{"s.x", "[1]"}, {"a", "2"}, {"_sheaf", "{}"}},
     "{\"a\" : 2,\"s\":{\"x\":[1]},\"_sheaf\":{}}\n",                                                                                                                               NULL},
    {"of several lines becomes one",
     "a.json",                                  "[{\n\t\"a\": \"x\\n  y\",\r\n\r\n    \"b\": [ 1,\n2 ] }]",
     ROW_FORM_JSONL,                                                                                                        {{"c", "{\n}"}},
     "{\"a\": \"x\\n  y\",\"b\": [ 1,2 ],\"c\":{} }\n",                                                                                                                             NULL},
    {"a row with a problem",
     "a.jsonl",                                 "[]\n",
     ROW_FORM_JSONL,                                                                                                        {{"_sheaf", "{\"error\":0}"}},
     "{\"_sheaf\":{\"error\":0}}\n",                                                                                                                                                NULL},
    {"CSV becomes JSON",
     "a.csv",                                   "a,b\n1,\"x\n\"\"\"\n",
     ROW_FORM_JSONL,                                                                                                        {{"a", "9"}, {"c", "8"}},
     "{\"a\":9,\"b\":\"x\\n\\\"\",\"c\":8}\n",                                                                                                                                      NULL},
    {"no rows",                      "a.jsonl", "",                                                         ROW_FORM_JSONL, {{0}},                                          "",     NULL},
    {"an array",
     "a.jsonl",                                 "{\"a\":1}\n{ }\n",
     ROW_FORM_JSON,                                                                                                         {{"s", "1"}},
     "[\n{\"a\":1,\"s\":1},\n{\"s\":1 }\n]\n",                                                                                                                                      NULL},
    {"an array keeps its lines",
     "a.json",                                  "[{\n\"a\":1}]",
     ROW_FORM_JSON,                                                                                                         {{"s", "1"}},
     "[\n{\n\"a\":1,\"s\":1}\n]\n",                                                                                                                                                 NULL},
    {"an empty array",               "a.jsonl", "",                                                         ROW_FORM_JSON,  {{0}},                                          "[]\n", NULL},
};

static const struct writing tables[] = {
    {"CSV as it stood, with answers",
     "a.csv",                                                                 "\"id\", t\n 1 ,\"x\"\n\"2\",\"a,\n\"\"b\"\"\"\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s.p", "3"}, {"_sheaf", "{\"s\":\"ok\"}"}},
     "\"id\", t,s.p,_sheaf\n 1 ,\"x\",3,\"{\"\"s\"\":\"\"ok\"\"}\"\n"
     "\"2\",\"a,\n\"\"b\"\"\",3,\"{\"\"s\"\":\"\"ok\"\"}\"\n",                                                                                                                                                                                                              NULL     },
    {"each kind of answer",
     "a.csv",                                                                 "a\n1\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"t", "\"x, \\\"y\\\"\\u4e2d\""}, {"n", "null"}, {"l", "[1,2]"}, {"b", "true"}},
     "a,t,n,l,b\n1,\"x, \"\"y\"\"中\",,\"[1,2]\",true\n",                                                                                                                                                                                                                  NULL     },
    {"line ends and a byte order mark as they stood",
     "a.csv",                                                                 BOM "a,b\r\n1,2\r\n3,4",
     ROW_FORM_CSV,                                                                                                                                                       {{"s", "5"}},
     BOM "a,b,s\r\n1,2,5\r\n3,4,5\r\n",
     NULL                                                                                                                                                                                                                                                                            },
    {"a name that begins like a byte order mark gets one before it",
     "a.csv",                                                                 "\n" BOM "a,b\n1,2\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s", "5"}},
     BOM BOM "a,b,s\n1,2,5\n",
     NULL                                                                                                                                                                                                                                                                            },
    {"such a name of JSON too",
     "a.jsonl",                                                               "{\"" BOM "a\":1}\n",
     ROW_FORM_TSV,                                                                                                                                                       {{"s", "5"}},
     BOM BOM "a\ts\n1\t5\n",
     NULL                                                                                                                                                                                                                                                                            },
    {"an answer in a column of the input",
     "a.csv",                                                                 "a,b,c\n1,\"2\",3\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s", "0"}, {"b", "\"new\""}},
     "a,b,c,s\n1,new,3,0\n",                                                                                                                                                                                                                                                NULL     },
    {"columns with dots",
     "a.csv",                                                                 "s.p,x\n1,2\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s.p", "9"}, {"s.q", "8"}},
     "s.p,x,s.q\n9,2,8\n",                                                                                                                                                                                                                                                  NULL     },
    {"a row with a problem",
     "a.csv",                                                                 "a,b\n1\n1,2\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"_sheaf", "{}"}},
     "a,b,_sheaf\n,,{}\n1,2,{}\n",                                                                                                                                                                                                                                          NULL     },
    {"no rows",                                                      "a.csv", "a,\"b\"\r\n",                                                               ROW_FORM_CSV, {{"s", "1"}},                                                                     "a,\"b\",s\r\n", NULL     },
    {"tabs become commas",
     "a.tsv",                                                                 "a,b\tc\n1\t\"x\"\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s", "1"}},
     "\"a,b\",c,s\n1,x,1\n",                                                                                                                                                                                                                                                NULL     },
    {"tabs stay tabs",
     "a.tsv",                                                                 "a,b\tc\n\"1\"\tx\n",
     ROW_FORM_TSV,                                                                                                                                                       {{"s", "\"\\t\""}},
     "a,b\tc\ts\n\"1\"\tx\t\"\t\"\n",                                                                                                                                                                                                                                       NULL     },
    {"JSON rows",
     "a.jsonl",                                                               "{\"a\":1,\"t\":\"x,\\ny\"}\n{\"t\":\"z\",\"n\":null,\"o\":{\"k\": [1]}}\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s.p", "7"}},
     "a,t,n,o,s.p\n1,\"x,\ny\",,,7\n,z,,\"{\"\"k\"\": [1]}\",7\n",                                                                                                                                                                                                          NULL     },
    {"JSON rows and an answer in their column",
     "a.jsonl",                                                               "{\"a\":1,\"b\":2}\n{\"b\":3}\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"a", "9"}},
     "a,b\n9,2\n9,3\n",                                                                                                                                                                                                                                                     NULL     },
    {"members of one name and escaped ones",
     "a.jsonl",                                                               "{\"a\":1,\"\\u0061\":2}\n{\"\\u0061\":3}\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s", "1"}},
     "a,s\n2,1\n3,1\n",                                                                                                                                                                                                                                                     NULL     },
    {"a line of nothing is a record",
     "a.jsonl",                                                               "{\"a\":1}\n{}\n",
     ROW_FORM_CSV,                                                                                                                                                       {{0}},
     "a\n1\n\"\"\n",                                                                                                                                                                                                                                                        NULL     },
    {"another encoding comes out as UTF-8",
     "a.csv",                                                                 "\xB1\xEA\n\xD6\xD0\n",
     ROW_FORM_CSV,                                                                                                                                                       {{"s", "1"}},
     "标,s\n中,1\n",                                                                                                                                                                                                                                                      "gb18030"},
};

static bool collect(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len) || err_set(err, ERR_UNAVAILABLE, "full");
}

static void note_all(const char *path, const struct rows_options *options, struct row_columns *c)
{
    struct err err = {0};
    struct row row;
    bool end = false;
    struct rows *rows = rows_open(path, options, &err);

    assert_non_null(rows);
    row_columns_init(c, rows);
    while (rows_next(rows, &row, &end, &err) && !end)
        assert_true(row_columns_note(c, &row, &err));
    assert_true(end);
    rows_close(rows);
}

static void write_all(const char *path, const struct writing *w, const struct row_columns *c,
                      struct buf *out)
{
    struct rows_options options = {.encoding = w->encoding};
    struct err err = {0};
    struct row row;
    bool end = false;
    struct row_put puts[PUTS_MAX];
    size_t count = 0;
    struct rows *rows = rows_open(path, &options, &err);
    struct row_writer *writer = row_writer_new(w->form, c, collect, out);

    for (; count < PUTS_MAX && w->puts[count].path != NULL; count++)
        puts[count] = (struct row_put){
            w->puts[count].path, {w->puts[count].json, strlen(w->puts[count].json)}
        };
    while (rows_next(rows, &row, &end, &err) && !end)
        assert_true(row_writer_add(writer, &row, puts, count, &err));
    assert_true(end);
    assert_true(row_writer_end(writer, &err));
    row_writer_free(writer);
    rows_close(rows);
}

static void check(const struct writing *w)
{
    const char *path = input_file(w->file, w->text, strlen(w->text));
    struct rows_options options = {.encoding = w->encoding};
    struct buf out = BUF_INIT(OUT_MAX);
    struct row_columns columns;

    print_message("  %s\n", w->name);
    note_all(path, &options, &columns);
    for (size_t i = 0; i < PUTS_MAX && w->puts[i].path != NULL; i++)
        row_columns_answer(&columns, w->puts[i].path);
    write_all(path, w, &columns, &out);
    assert_string_equal(out.len > 0 ? out.data : "", w->want);
    row_columns_release(&columns);
    buf_release(&out);
}

static void rows_are_written_as_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        check(&lines[i]);
}

static void rows_are_written_as_a_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        check(&tables[i]);
}

static void an_answer_that_is_not_there_leaves_its_cell(void **state)
{
    const char *path = input_file("a.csv", "a,b\n1,2\n", 8);
    struct rows_options options = {0};
    struct writing w = {.form = ROW_FORM_CSV};
    struct buf out = BUF_INIT(OUT_MAX);
    struct row_columns columns;

    (void)state;
    note_all(path, &options, &columns);
    row_columns_answer(&columns, "b");
    row_columns_answer(&columns, "s");
    row_columns_answer(&columns, "s");
    assert_int_equal(columns.answer_count, 2);
    write_all(path, &w, &columns, &out);
    assert_string_equal(out.data, "a,b,s\n1,2,\n");
    row_columns_release(&columns);
    buf_release(&out);
}

static bool refuse(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)arg;
    (void)bytes;
    (void)len;
    return err_set(err, ERR_UNAVAILABLE, "the disk is full");
}

static void a_failing_write_is_told(void **state)
{
    struct err err = {0};
    struct row row = {0};
    struct row_writer *writer = row_writer_new(ROW_FORM_JSON, NULL, refuse, NULL);

    (void)state;
    assert_false(row_writer_add(writer, &row, NULL, 0, &err));
    assert_int_equal(err.kind, ERR_UNAVAILABLE);
    assert_false(row_writer_end(writer, &err));
    row_writer_free(writer);
}

static void too_many_columns_are_refused(void **state)
{
    struct buf text = BUF_INIT(OUT_MAX);
    struct rows_options options = {.format = ROWS_JSONL};
    struct row_columns columns;
    struct err err = {0};
    struct row row = {.line = 7};

    (void)state;
    for (int i = 0; i <= ROW_COLUMNS_MAX; i++)
        assert_true(buf_printf(&text, "%c\"c%d\":1", i == 0 ? '{' : ',', i));
    assert_true(buf_append(&text, "}", 1));
    assert_true(json_scan(text.data, text.len, &row.object, NULL));
    note_all(input_file("empty", "", 0), &options, &columns);
    assert_false(row_columns_note(&columns, &row, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_int_equal(columns.input_count, ROW_COLUMNS_MAX);
    row_columns_release(&columns);
    buf_release(&text);
}

static void a_name_with_a_nul_is_no_column(void **state)
{
    const char *text = "{\"a\\u0000b\":1}";
    struct rows_options options = {.format = ROWS_JSONL};
    struct row_columns columns;
    struct err err = {0};
    struct row row = {.line = 7};

    (void)state;
    assert_true(json_scan(text, strlen(text), &row.object, NULL));
    note_all(input_file("empty", "", 0), &options, &columns);
    assert_false(row_columns_note(&columns, &row, &err));
    assert_string_equal(err.msg, "line 7: the name of a member has a NUL character in it, which no "
                                 "column can have");
    row_columns_release(&columns);
}

static void a_name_says_the_form(void **state)
{
    static const struct {
        const char *path;
        enum row_form form;
    } files[] = {
        {"a.jsonl",   ROW_FORM_JSONL},
        {"a.json",    ROW_FORM_JSON },
        {"a.json.gz", ROW_FORM_JSON },
        {"a.csv.zst", ROW_FORM_CSV  },
        {"a.tsv",     ROW_FORM_TSV  },
        {"-",         ROW_FORM_JSONL},
        {"out",       ROW_FORM_JSONL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_int_equal(row_form_of(files[i].path), files[i].form);
}

/* What was written as CSV is read again as the same rows. */
static void a_table_is_read_again(void **state)
{
    static const char alphabet[] = "a\",\n\r\t ;";
    struct buf json = BUF_INIT(OUT_MAX);
    struct buf out = BUF_INIT(OUT_MAX);
    struct rows_options options = {0};
    struct writing w = {.form = ROW_FORM_CSV, .file = "a.jsonl"};
    struct row_columns columns;
    struct err err = {0};
    struct row row;
    bool end = false;

    (void)state;
    for (unsigned n = 0; n < 4096; n++) {
        char text[4];

        for (unsigned i = 0, rest = n; i < 4; i++, rest /= 8)
            text[i] = alphabet[rest % 8];
        assert_true(buf_append(&json, "{\"t\":", 5) && json_string_encode(&json, text, 4) &&
                    buf_printf(&json, ",\"n\":\"%u\"}\n", n));
    }

    const char *path = input_file("a.jsonl", json.data, json.len);

    note_all(path, &options, &columns);
    write_all(path, &w, &columns, &out);

    struct rows *rows = rows_open(input_file("b.csv", out.data, out.len), &options, &err);
    const char *line = json.data;

    while (rows_next(rows, &row, &end, &err) && !end) {
        assert_null(row.problem);
        assert_memory_equal(row.object.text, line, row.object.len);
        line += row.object.len;
        assert_int_equal(*line++, '\n');
    }
    assert_true(end);
    assert_ptr_equal(line, json.data + json.len);
    rows_close(rows);
    row_columns_release(&columns);
    buf_release(&json);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_as_json),
        cmocka_unit_test(rows_are_written_as_a_table),
        cmocka_unit_test(an_answer_that_is_not_there_leaves_its_cell),
        cmocka_unit_test(a_failing_write_is_told),
        cmocka_unit_test(too_many_columns_are_refused),
        cmocka_unit_test(a_name_with_a_nul_is_no_column),
        cmocka_unit_test(a_name_says_the_form),
        cmocka_unit_test(a_table_is_read_again),
    };

    return cmocka_run_group_tests(tests, input_files_setup, input_files_teardown);
}
