#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/rows/row_columns.h"
#include "common/rows/rows.h"
#include "tests/unit/input/input_files.h"

#define BOM "\xEF\xBB\xBF"

enum { ROWS_MAX = 5 };

/* A row: its object, or its problem. */
struct want {
    uint64_t line;
    const char *object, *problem;
    const char *bytes; /* NULL: as the object */
};

struct reading {
    const char *name, *file, *text;
    struct want rows[ROWS_MAX];
    const char *failure; /* behind the rows; without the file's name */
    size_t len;          /* of the text if it has NUL characters */
    const char *encoding;
};

static const struct reading jsonl[] = {
    {"nothing",                                 "a.jsonl", "",                                            {{0}}, NULL, 0, NULL},
    {"blank lines only",                        "a.jsonl", "\n \n\t\r\n",                                 {{0}}, NULL, 0, NULL},
    {"two rows",
     "a.jsonl",                                            "{\"a\":1}\n{\"a\":2}\n",
     {{1, "{\"a\":1}", NULL, NULL}, {2, "{\"a\":2}", NULL, NULL}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"only a byte order mark",                  "a.jsonl", BOM,                                           {{0}}, NULL, 0, NULL},
    {"no final line end",
     "a.ndjson",                                           "{\"a\":1}\n{\"a\":2}",
     {{1, "{\"a\":1}", NULL, NULL}, {2, "{\"a\":2}", NULL, NULL}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"CRLF, blank lines and a byte order mark",
     "a.jsonl",                                            BOM "{\"a\":1}\r\n\r\n\n{\"a\":2}\r\n",
     {{1, "{\"a\":1}", NULL, NULL}, {4, "{\"a\":2}", NULL, NULL}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"space around it is its own",
     "a.jsonl",                                            "  {\"a\":1} \n",
     {{1, "{\"a\":1}", NULL, "  {\"a\":1} "}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"what is no object",
     "a.jsonl",                                            "[1]\n\"x\"\n 5\nnull\n{}\n",
     {{1, NULL, "line 1, column 1: the row is not an object but of type array", "[1]"},
      {2, NULL, "line 2, column 1: the row is not an object but of type string", "\"x\""},
      {3, NULL, "line 3, column 2: the row is not an object but of type number", " 5"},
      {4, NULL, "line 4, column 1: the row is not an object but of type null", "null"},
      {5, "{}", NULL, NULL}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"what is no JSON",
     "a.jsonl",                                            "{\"a\" 1}\n{\"中文\":1,}\n{\"a\":1}x\n{\n",
     {{1, NULL, "line 1, column 6: not valid JSON: expected a colon", "{\"a\" 1}"},
      {2, NULL, "line 2, column 9: not valid JSON: expected a member name", "{\"中文\":1,}"},
      {3, NULL, "line 3, column 8: not valid JSON: text behind the value", "{\"a\":1}x"},
      {4, NULL, "line 4, column 2: not valid JSON: expected a member name", "{"}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"what is no UTF-8",
     "a.jsonl",                                            "{\"a\":\"\xD6\xD0\"}\n{}\n",
     {{1, NULL, "line 1, column 7: not valid JSON: invalid UTF-8", "{\"a\":\"\xD6\xD0\"}"},
      {2, "{}", NULL, NULL}},
     NULL,                                                                                                             0,
     NULL                                                                                                                     },
    {"UTF-16 without saying so",
     "a.jsonl",                                            "\xFF\xFE{",
     {{0}},
     "is UTF-16, not UTF-8: say so with --encoding utf-16",                                                            0,
     NULL                                                                                                                     },
};

static const struct reading arrays[] = {
    {"an empty one",                                "a.json", "[]",                                                  {{0}}, NULL,                                 0, NULL},
    {"an empty one with space",                     "a.json", BOM " \n[ \n] \n",                                     {{0}}, NULL,                                 0, NULL},
    {"one line",
     "a.json",                                                "[{\"a\":1},{\"a\":[2,\"]\"]}]",
     {{1, "{\"a\":1}", NULL, NULL}, {1, "{\"a\":[2,\"]\"]}", NULL, NULL}},
     NULL,                                                                                                                                                        0,
     NULL                                                                                                                                                                },
    {"many lines",
     "a.json",                                                "[\n  {\n    \"a\": 1\n  }\n,\n\n{}\n]\n",
     {{2, "{\n    \"a\": 1\n  }", NULL, NULL}, {7, "{}", NULL, NULL}},
     NULL,                                                                                                                                                        0,
     NULL                                                                                                                                                                },
    {"brackets, quotes and backslashes in strings",
     "a.json",                                                "[{\"a}\":\"]\\\"}\",\"b\":\"\\\\\"},{\"c\":\"{[\"}]",
     {{1, "{\"a}\":\"]\\\"}\",\"b\":\"\\\\\"}", NULL, NULL}, {1, "{\"c\":\"{[\"}", NULL, NULL}},
     NULL,                                                                                                                                                        0,
     NULL                                                                                                                                                                },
    {"what is no object",
     "a.json",                                                "[1, \"a,]\\\"\",\nnull ,[{}],{}]",
     {{1, NULL, "line 1, column 2: the row is not an object but of type number", "1"},
      {1, NULL, "line 1, column 5: the row is not an object but of type string", "\"a,]\\\"\""},
      {2, NULL, "line 2, column 1: the row is not an object but of type null", "null"},
      {2, NULL, "line 2, column 7: the row is not an object but of type array", "[{}]"},
      {2, "{}", NULL, NULL}},
     NULL,                                                                                                                                                        0,
     NULL                                                                                                                                                                },
    {"a row that is no JSON",
     "a.json",                                                "[{\"a\":1,},\n {\"b\"\n:x}, nil,{}]",
     {{1, NULL, "line 1, column 9: not valid JSON: expected a member name", "{\"a\":1,}"},
      {2, NULL, "line 3, column 2: not valid JSON: expected a value", "{\"b\"\n:x}"},
      {3, NULL, "line 3, column 6: not valid JSON: expected a value", "nil"},
      {3, "{}", NULL, NULL}},
     NULL,                                                                                                                                                        0,
     NULL                                                                                                                                                                },
    {"nothing at all",                              "a.json", "",                                                    {{0}}, ":1:1: expected an array of objects", 0, NULL},
    {"no array",                                    "a.json", "\n 5",                                                {{0}}, ":2:2: expected an array of objects", 0, NULL},
    {"lines of objects",
     "a.json",                                                "{\"a\":1}\n{\"a\":2}\n",
     {{0}},
     ":1:1: expected an array of objects; if it has an object in each line, say so with "
     "--input-format jsonl",                                                                                                                                      0,
     NULL                                                                                                                                                                },
    {"a comma too many",
     "a.json",                                                "[{},\n]",
     {{1, "{}", NULL, NULL}},
     ":2:1: expected a value",                                                                                                                                    0,
     NULL                                                                                                                                                                },
    {"a comma too early",                           "a.json", "[ ,{}]",                                              {{0}}, ":1:3: expected a value",             0, NULL},
    {"a comma missing",
     "a.json",                                                "[{}\n{}]",
     {{1, "{}", NULL, NULL}},
     ":2:1: expected a comma or a closing bracket",                                                                                                               0,
     NULL                                                                                                                                                                },
    {"text behind",
     "a.json",                                                "[{}] {}",
     {{1, "{}", NULL, NULL}},
     ":1:6: text behind the array",                                                                                                                               0,
     NULL                                                                                                                                                                },
    {"never closed",
     "a.json",                                                "[{}",
     {{1, "{}", NULL, NULL}},
     ":1:4: the array is not closed",                                                                                                                             0,
     NULL                                                                                                                                                                },
    {"never closed behind a comma",
     "a.json",                                                "[{},",
     {{1, "{}", NULL, NULL}},
     ":1:5: the array is not closed",                                                                                                                             0,
     NULL                                                                                                                                                                },
    {"never closed in a row",
     "a.json",                                                "[{},\n{\"a\":1,\n",
     {{1, "{}", NULL, NULL}},
     ":3:1: expected a member name",                                                                                                                              0,
     NULL                                                                                                                                                                },
    {"a brace missing",
     "a.json",                                                "[{\"a\":{\"b\":1},{\"c\":2}]",
     {{1, NULL, "line 1, column 15: not valid JSON: expected a member name",
       "{\"a\":{\"b\":1},{\"c\":2}]"}},
     ":1:23: the array is not closed; the row at line 1 is not valid JSON",                                                                                       0,
     NULL                                                                                                                                                                },
    {"a quote missing",
     "a.json",                                                "[{},{\"a\":\"b},\n{\"c\":2}]",
     {{1, "{}", NULL, NULL}},
     ":1:14: a control character in a string",                                                                                                                    0,
     NULL                                                                                                                                                                },
    {"a word that never ends",
     "a.json",                                                "[{},tru",
     {{1, "{}", NULL, NULL}},
     ":1:5: expected a value",                                                                                                                                    0,
     NULL                                                                                                                                                                },
    {"a number that never ends",                    "a.json", "[12",                                                 {{0}}, ":1:4: the array is not closed",      0, NULL},
};

static const struct reading csv[] = {
    {"only a header",                                     "a.csv", "id,text\n",                                    {{0}}, NULL, 0, NULL},
    {"only a header without line end",                    "a.csv", "id,text",                                      {{0}}, NULL, 0, NULL},
    {"RFC 4180",
     "a.csv",                                                      "id,text\r\n1,\"a \"\"b\"\",\r\nc\"\r\n2,\r\n",
     {{2, "{\"id\":\"1\",\"text\":\"a \\\"b\\\",\\r\\nc\"}", NULL, "1,\"a \"\"b\"\",\r\nc\""},
      {4, "{\"id\":\"2\",\"text\":\"\"}", NULL, "2,"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a byte order mark, blank lines, no final line end",
     "a.csv",                                                      BOM "\nid\n\n1\n\n\n2",
     {{4, "{\"id\":\"1\"}", NULL, "1"}, {7, "{\"id\":\"2\"}", NULL, "2"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a byte order mark before quotes",
     "a.csv",                                                      BOM "\"i,d\",b\n1,2\n",
     {{2, "{\"i,d\":\"1\",\"b\":\"2\"}", NULL, "1,2"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a row of one empty text",
     "a.csv",                                                      "id\n\"\"\n",
     {{2, "{\"id\":\"\"}", NULL, "\"\""}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a closing quote at the end",
     "a.csv",                                                      "id\n\"1\"",
     {{2, "{\"id\":\"1\"}", NULL, "\"1\""}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"space is text",
     "a.csv",                                                      "id, b\n 1,\"2\"\n",
     {{2, "{\"id\":\" 1\",\" b\":\"2\"}", NULL, " 1,\"2\""}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"control characters",
     "a.csv",                                                      "a\n\x01\t\n",
     {{2, "{\"a\":\"\\u0001\\t\"}", NULL, "\x01\t"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a NUL character",
     "a.csv",                                                      "a\n1\0002\n",
     {{2, "{\"a\":\"1\\u00002\"}", NULL, NULL}},
     NULL,                                                                                                                      6,
     NULL                                                                                                                              },
    {"tabs",
     "a.tsv",                                                      "id\tb,c\n1\t\"x\ty\"\n",
     {{2, "{\"id\":\"1\",\"b,c\":\"x\\ty\"}", NULL, "1\t\"x\ty\""}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"too few and too many fields",
     "a.csv",                                                      "a,b,c\n1,2\n1,2,3,4\n\"1\n,\"\n1,2,3\n",
     {{2, NULL, "line 2: has 2 fields, but the header names 3", "1,2"},
      {3, NULL, "line 3: has 4 fields, but the header names 3", "1,2,3,4"},
      {4, NULL, "line 4: has 1 field, but the header names 3", "\"1\n,\""},
      {6, "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\"}", NULL, "1,2,3"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"text behind quotes",
     "a.csv",                                                      "a,b\n中,\"x\ny\"z\n1,2\n",
     {{2, NULL, "line 3, column 3: text behind a closing quote", "中,\"x\ny\"z"},
      {4, "{\"a\":\"1\",\"b\":\"2\"}", NULL, "1,2"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a carriage return alone",
     "a.csv",                                                      "a,b\n1,2\r3,4\n",
     {{2, NULL, "line 2, column 4: a carriage return outside quotes", "1,2\r3,4"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"what is no UTF-8",
     "a.csv",                                                      "a\n中\xD6\n\n1\n",
     {{2, NULL,
       "line 2, column 2: not valid UTF-8; if the file is in another encoding, say so with "
       "--encoding",
       "中\xD6"},
      {4, "{\"a\":\"1\"}", NULL, "1"}},
     NULL,                                                                                                                      0,
     NULL                                                                                                                              },
    {"a quote that is never closed",
     "a.csv",                                                      "a,b\n1,2\n1,\"2\n3,4\n",
     {{2, "{\"a\":\"1\",\"b\":\"2\"}", NULL, "1,2"}},
     ":3:1: a quote in the record that begins here is never closed",                                                            0,
     NULL                                                                                                                              },
    {"nothing at all",
     "a.csv",                                                      "",
     {{0}},
     ":1:1: there is no header with the columns' names",                                                                        0,
     NULL                                                                                                                              },
    {"blank lines only",
     "a.csv",                                                      "\r\n\n",
     {{0}},
     ":3:1: there is no header with the columns' names",                                                                        0,
     NULL                                                                                                                              },
    {"a column without a name",
     "a.csv",                                                      "id,,text\n",
     {{0}},
     ":1:4: the column has no name",                                                                                            0,
     NULL                                                                                                                              },
    {"a last column without a name",
     "a.csv",                                                      "\"内容\",\n",
     {{0}},
     ":1:6: the column has no name",                                                                                            0,
     NULL                                                                                                                              },
    {"two columns of one name",
     "a.csv",                                                      "id,text,\"id\"\n",
     {{0}},
     ":1:9: an earlier column has the same name",                                                                               0,
     NULL                                                                                                                              },
    {"a name that is no UTF-8",
     "a.csv",                                                      "id,\xC4\xDA\xC8\xDD\n",
     {{0}},
     ":1:4: the column's name is not valid UTF-8; if the file is in another encoding, say so with "
     "--encoding",                                                                                                              0,
     NULL                                                                                                                              },
    {"a wrong quote in the header",
     "a.csv",                                                      "id,\"a\"b\n",
     {{0}},
     ":1:7: text behind a closing quote",                                                                                       0,
     NULL                                                                                                                              },
    {"line ends of old Macs",
     "a.csv",                                                      "id,text\r1,2\r",
     {{0}},
     ":1:8: a carriage return outside quotes",                                                                                  0,
     NULL                                                                                                                              },
};

static const struct reading encoded[] = {
    {"GB18030",
     "a.csv",                                          "\xB1\xEA\xCC\xE2,b\n\xD6\xD0\xCE\xC4,\x81\x30\x81\x30\n",
     {{2, "{\"标题\":\"中文\",\"b\":\"\xC2\x80\"}", NULL, "中文,\xC2\x80"}},
     NULL,                                                                                                                                                   0,
     "gb18030"                                                                                                                                                           },
    {"GB18030 with its byte order mark",
     "a.jsonl",                                        "\x84\x31\x95\x33{\"a\":\"\xD6\xD0\"}\n",
     {{1, "{\"a\":\"中\"}", NULL, NULL}},
     NULL,                                                                                                                                                   0,
     "GB18030"                                                                                                                                                           },
    {"a byte that is not GB18030",
     "a.csv",                                          "a\n\xD6\xD0\n\xD6\xD0 \xFFx\n\xCE\xC4\n",
     {{2, "{\"a\":\"中\"}", NULL, "中"},
      {3, NULL, "line 3: byte 9 of the file is not valid gb18030", "中 \xFFx"},
      {4, "{\"a\":\"文\"}", NULL, "文"}},
     NULL,                                                                                                                                                   0,
     "gb18030"                                                                                                                                                           },
    {"a byte that is not GB18030 at a start",
     "a.csv",                                          "a\n1\n\xFF\n2\n",
     {{2, "{\"a\":\"1\"}", NULL, "1"},
      {3, NULL, "line 3: byte 5 of the file is not valid gb18030", "\xFF"},
      {4, "{\"a\":\"2\"}", NULL, "2"}},
     NULL,                                                                                                                                                   0,
     "gb18030"                                                                                                                                                           },
    {"half a character at the end",
     "a.jsonl",                                        "{\"a\":1}\n{\"a\":\"\xD6",
     {{1, "{\"a\":1}", NULL, NULL},
      {2, NULL, "line 2: byte 15 of the file is not valid gb18030", "{\"a\":\"\xFF"}},
     NULL,                                                                                                                                                   0,
     "gb18030"                                                                                                                                                           },
    {"UTF-16 with a byte order mark",
     "a.jsonl",                                        "\xFE\xFF\0{\0}\0\n\0{\0}",
     {{1, "{}", NULL, NULL}, {2, "{}", NULL, NULL}},
     NULL,                                                                                                                                                   12,
     "utf-16"                                                                                                                                                            },
    {"half a pair in UTF-16",
     "a.jsonl",                                        "\xD8\x00\0\n\0{\0}\0\n",
     {{1, NULL, "line 1: byte 1 of the file is not valid UTF-16BE", "\xFF"}, {2, "{}", NULL, NULL}},
     NULL,                                                                                                                                                   10,
     "UTF-16BE"                                                                                                                                                          },
    {"UTF-8 by its name",
     "a.jsonl",                                        "{\"a\":\"中\"}",
     {{1, "{\"a\":\"中\"}", NULL, NULL}},
     NULL,                                                                                                                                                   0,
     "utf-8"                                                                                                                                                             },
    {"an array",
     "a.json",                                         "[{\"a\":\"\xD6\xD0\"}]",
     {{1, "{\"a\":\"中\"}", NULL, NULL}},
     NULL,                                                                                                                                                   0,
     "gbk"                                                                                                                                                               },
    {"Latin-1",                               "a.csv", "a\n\xE9\n",                                               {{2, "{\"a\":\"é\"}", NULL, "é"}}, NULL, 0,  "latin1"},
};

static void check_text(const char *got, size_t len, const char *want)
{
    if (len != strlen(want) || memcmp(got, want, len) != 0)
        fail_msg("\"%.*s\" is not \"%s\"", (int)len, got, want);
}

static void check_row(const struct row *row, uint64_t index, const struct want *want)
{
    assert_int_equal(row->index, index);
    assert_int_equal(row->line, want->line);
    assert_null(row->file);
    if (want->problem != NULL) {
        assert_non_null(row->problem);
        assert_string_equal(row->problem, want->problem);
        assert_int_equal(row->object.kind, JSON_ABSENT);
        check_text(row->bytes.p, row->bytes.len, want->bytes);
        return;
    }
    if (row->problem != NULL)
        fail_msg("%s", row->problem);
    assert_int_equal(row->object.kind, JSON_OBJECT);
    check_text(row->object.text, row->object.len, want->object);
    if (want->bytes != NULL)
        check_text(row->bytes.p, row->bytes.len, want->bytes);
}

static void check_failure(const struct err *err, const char *path, const char *want)
{
    size_t n = strlen(path);

    assert_int_equal(err->kind, ERR_INPUT);
    assert_memory_equal(err->msg, path, n);
    if (want[0] != ':')
        n += 2; /* ": " */
    assert_string_equal(err->msg + n, want);
}

static void check_reading(const char *path, const struct reading *c)
{
    struct rows_options options = {.encoding = c->encoding};
    struct err err = {0};
    struct row row = {0};
    bool end = false;
    bool ok = true;
    uint64_t n = 0;
    struct rows *rows = rows_open(path, &options, &err);

    print_message("  %s\n", c->name);
    for (; rows != NULL && (ok = rows_next(rows, &row, &end, &err)) && !end; n++) {
        assert_in_range(n, 0, ROWS_MAX - 1);
        check_row(&row, n, &c->rows[n]);
    }
    assert_true(n == ROWS_MAX || c->rows[n].line == 0);
    if (c->failure != NULL)
        check_failure(&err, path, c->failure);
    else if (rows == NULL || !ok)
        fail_msg("%s", err.msg);
    if (rows != NULL && end) {
        assert_true(rows_next(rows, &row, &end, &err)); /* the end stays the end */
        assert_true(end);
    }
    rows_close(rows);
}

static void check_all(const struct reading *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct reading *c = &cases[i];
        size_t len = c->len > 0 ? c->len : strlen(c->text);

        check_reading(input_file(c->file, c->text, len), c);
    }
}

static void json_lines_are_rows(void **state)
{
    (void)state;
    check_all(jsonl, ARRAY_LEN(jsonl));
}

static void elements_of_an_array_are_rows(void **state)
{
    (void)state;
    check_all(arrays, ARRAY_LEN(arrays));
}

static void records_of_csv_are_rows(void **state)
{
    (void)state;
    check_all(csv, ARRAY_LEN(csv));
}

static void other_encodings_become_utf8(void **state)
{
    (void)state;
    check_all(encoded, ARRAY_LEN(encoded));
}

static void compressed_files_are_read(void **state)
{
    static const struct reading gz = {"gzip", "a.csv.gz", "",  {{2, "{\"a\":\"1\"}", NULL, "1"}},
                                      NULL,   0,          NULL};
    static const struct reading zst = {"zstd", "a.json.zst", "", {{1, "{}", NULL, NULL}}, NULL,
                                       0,      NULL};
    char packed[100];
    gzFile file = gzopen(input_path("a.csv.gz"), "wb");

    (void)state;
    assert_int_equal(gzwrite(file, "a\n1\n", 4), 4);
    assert_int_equal(gzclose(file), Z_OK);
    check_reading(input_path("a.csv.gz"), &gz);

    size_t n = ZSTD_compress(packed, sizeof(packed), "[{}]", 4, 1);

    check_reading(input_file("a.json.zst", packed, n), &zst);
}

static void standard_input_is_json_lines(void **state)
{
    struct rows_options options = {0};
    struct err err = {0};
    struct row row;
    bool end = false;
    int saved = dup(STDIN_FILENO);

    (void)state;
    assert_non_null(freopen(input_file("x", "{\"a\":1}\n[", 9), "r", stdin));

    struct rows *rows = rows_open("-", &options, &err);

    assert_int_equal(rows_format(rows), ROWS_JSONL);
    assert_string_equal(rows_name(rows), "standard input");
    assert_false(rows_columns_known(rows));
    assert_true(rows_next(rows, &row, &end, &err));
    check_text(row.object.text, row.object.len, "{\"a\":1}");
    rows_close(rows);
    assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(saved), 0);
}

static const struct {
    const char *file;
    enum rows_format format;
    const char *encoding;
    enum err_kind kind;
    const char *message; /* part of it */
} refused[] = {
    {"there-is-none.csv", ROWS_AUTO,  NULL,              ERR_INPUT, "No such file"                                         },
    {"posts",             ROWS_AUTO,  NULL,              ERR_INPUT, "say so with --input-format"                           },
    {"posts.txt.gz",      ROWS_AUTO,  NULL,              ERR_INPUT, "say so with --input-format"                           },
    {"a.csv",             ROWS_TEXTS, NULL,              ERR_INPUT, "no folder"                                            },
    {"",                  ROWS_CSV,   NULL,              ERR_INPUT, "is a folder, which can only be read as texts, not csv"},
    {"a.csv",             ROWS_AUTO,  "gb1803",          ERR_USAGE, "\"gb1803\" is not known; did you mean \"gb18030\"?"   },
    {"a.csv",             ROWS_AUTO,  "gbk//IGNORE",     ERR_USAGE, "is not known"                                         },
    {"a.csv",             ROWS_AUTO,  "nothing-like-it", ERR_USAGE, "\"nothing-like-it\" is not known"                     },
};

static void what_cannot_be_read_is_refused(void **state)
{
    (void)state;
    (void)input_file("a.csv", "a\n", 2);
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct rows_options options = {refused[i].format, refused[i].encoding};
        struct err err = {0};

        print_message("  %s %s\n", refused[i].file, refused[i].message);
        assert_null(rows_open(input_path(refused[i].file), &options, &err));
        assert_int_equal(err.kind, refused[i].kind);
        if (strstr(err.msg, refused[i].message) == NULL)
            fail_msg("%s", err.msg);
    }
}

static void a_format_can_be_said(void **state)
{
    struct rows_options options = {.format = ROWS_TSV};
    struct err err = {0};
    struct rows *rows = rows_open(input_file("rows.txt", "a\tb\n1\t2\n", 8), &options, &err);

    (void)state;
    assert_int_equal(rows_format(rows), ROWS_TSV);
    assert_true(rows_columns_known(rows));
    assert_int_equal(rows_column_count(rows), 2);
    assert_string_equal(rows_column(rows, 1), "b");
    rows_close(rows);
}

static void the_style_of_csv_is_told(void **state)
{
    struct rows_options options = {0};
    struct err err = {0};
    const char *text = BOM "\"a\",b\r\n1,2\n";
    struct rows *rows = rows_open(input_file("s.csv", text, strlen(text)), &options, &err);
    struct rows_csv_style style = rows_csv_style(rows);

    (void)state;
    check_text(style.header.p, style.header.len, "\"a\",b");
    assert_int_equal(style.separator, ',');
    assert_true(style.crlf && style.mark);
    rows_close(rows);
}

static void names_of_formats_are_known(void **state)
{
    static const struct {
        const char *path;
        enum rows_format format;
    } files[] = {
        {"a.jsonl",     ROWS_JSONL},
        {"a.ndjson.gz", ROWS_JSONL},
        {"a.json.zst",  ROWS_JSON },
        {"a.CSV",       ROWS_CSV  },
        {"a.b.tsv",     ROWS_TSV  },
        {"csv",         ROWS_AUTO },
        {".csv",        ROWS_AUTO },
        {"a.csv.gz.gz", ROWS_AUTO },
        {"a.xlsx",      ROWS_AUTO },
    };
    enum rows_format format = ROWS_AUTO;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_int_equal(rows_format_of_name(files[i].path), files[i].format);
    for (int f = ROWS_AUTO; f <= ROWS_TEXTS; f++) {
        assert_true(rows_format_parse(rows_format_name((enum rows_format)f), &format));
        assert_int_equal(format, f);
    }
    assert_false(rows_format_parse("xlsx", &format));
}

static void a_header_has_its_limit(void **state)
{
    struct rows_options options = {0};

    (void)state;
    for (int over = 0; over < 2; over++) {
        FILE *file = fopen(input_path("wide.csv"), "we");
        struct err err = {0};

        for (int i = 0; i < ROW_COLUMNS_MAX + over; i++)
            assert_true(fprintf(file, "%sc%d", i > 0 ? "," : "", i) > 0);
        assert_int_equal(fclose(file), 0);

        struct rows *rows = rows_open(input_path("wide.csv"), &options, &err);

        assert_int_equal(rows != NULL, over == 0);
        assert_true(over == 0 || strstr(err.msg, ": the column is one too many") != NULL);
        rows_close(rows);
    }
}

/* Rows of many lengths, across the ends of blocks, in each format. */
static void rows_across_blocks_are_whole(void **state)
{
    static const struct {
        const char *file, *begin, *open, *close, *between, *end;
    } forms[] = {
        {"big.jsonl", "",    "{\"a\":\"", "\"}", "\n", "\n"},
        {"big.json",  "[",   "{\"a\":\"", "\"}", ",",  "]" },
        {"big.csv",   "a\n", "\"",        "\"",  "\n", "\n"},
    };
    static char filler[300001];

    (void)state;
    memset(filler, 'x', sizeof(filler) - 1);
    for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
        struct rows_options options = {.encoding = "latin1"};
        FILE *file = fopen(input_path(forms[f].file), "we");
        struct err err = {0};
        struct row row;
        bool end = false;
        size_t n = 0;

        assert_true(fputs(forms[f].begin, file) >= 0);
        for (size_t i = 0; i < 200; i++) {
            assert_true(i == 0 || fputs(forms[f].between, file) >= 0);
            assert_true(fprintf(file, "%s%s%s", forms[f].open,
                                filler + sizeof(filler) - 1 - i * 1499, forms[f].close) > 0);
        }
        assert_true(fputs(forms[f].end, file) >= 0);
        assert_int_equal(fclose(file), 0);
        for (int round = 0; round < 2; round++) {
            struct rows *rows = rows_open(input_path(forms[f].file), &options, &err);

            for (n = 0; rows_next(rows, &row, &end, &err) && !end; n++) {
                assert_null(row.problem);
                assert_int_equal(row.object.len, n * 1499 + 8);
            }
            assert_true(end && n == 200);
            rows_close(rows);
            options.encoding = NULL;
        }
    }
}

/* Over the limit by one: its start is kept, and the rows around it are whole. */
static void a_row_that_is_too_long_is_a_problem(void **state)
{
    static const struct {
        const char *file, *begin, *open, *close, *end;
        uint64_t line, after;
    } forms[] = {
        {"long.jsonl", "{}\n",   "{\"a\":\"", "\"}\n", "{}\n",   2, 3},
        {"long.json",  "[{},\n", "{\"a\":\"", "\"}",   ",\n{}]", 2, 3},
        {"long.csv",   "a\n1\n", "\"\n",      "\"\n",  "1\n",    3, 5},
    };
    static const size_t over[] = {0, 1u << 20, 1}; /* the last one for JSON lines only */
    char *filler = malloc(ROW_MAX_BYTES + (2u << 20));

    (void)state;
    memset(filler, 'x', ROW_MAX_BYTES + (2u << 20));
    for (size_t f = 0; f < ARRAY_LEN(forms); f++)
        for (size_t i = 0; i < ARRAY_LEN(over) - (f > 0); i++) {
            FILE *file = fopen(input_path(forms[f].file), "we");
            size_t len = ROW_MAX_BYTES - strlen(forms[f].open) - strlen(forms[f].close) + over[i];
            struct rows_options options = {0};
            struct err err = {0};
            struct row row;
            bool end = false;

            assert_true(fprintf(file, "%s%s", forms[f].begin, forms[f].open) > 0);
            assert_int_equal(fwrite(filler, 1, len, file), len);
            assert_true(fprintf(file, "%s%s", forms[f].close, forms[f].end) > 0);
            assert_int_equal(fclose(file), 0);

            struct rows *rows = rows_open(input_path(forms[f].file), &options, &err);

            assert_true(rows_next(rows, &row, &end, &err) && row.problem == NULL);
            assert_true(rows_next(rows, &row, &end, &err));
            assert_int_equal(row.line, forms[f].line);
            assert_int_equal(row.problem != NULL, over[i] > 0);
            if (over[i] > 0) {
                assert_non_null(strstr(row.problem, ": the row is over 16 MiB"));
                assert_int_equal(row.bytes.len, ROW_KEPT_BYTES);
                assert_memory_equal(row.bytes.p, forms[f].open, strlen(forms[f].open));
                assert_int_equal(row.bytes.p[ROW_KEPT_BYTES - 1], 'x');
            }
            assert_true(rows_next(rows, &row, &end, &err) && !end);
            assert_null(row.problem);
            assert_int_equal(row.index, 2);
            assert_int_equal(row.line, forms[f].after);
            assert_true(rows_next(rows, &row, &end, &err) && end);
            rows_close(rows);
        }
    free(filler);
}

/*
 * Rows that fill the blocks of 256 KiB so that the buffer has grown to its full size and is empty
 * before "{}" and the long row: that one does not begin at the buffer's start.
 */
static void a_row_that_is_too_long_behind_a_long_one(void **state)
{
    static const int widths[] = {100, 16 << 20, (256 << 10) - 100, 3, 17 << 20, 3};
    struct rows_options options = {0};
    struct err err = {0};
    struct row row;
    bool end = false;
    FILE *file = fopen(input_path("two.jsonl"), "we");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(widths); i++)
        assert_int_equal(fprintf(file, "%*s\n", widths[i] - 1, "{}"), widths[i]);
    assert_int_equal(fclose(file), 0);

    struct rows *rows = rows_open(input_path("two.jsonl"), &options, &err);

    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        assert_true(rows_next(rows, &row, &end, &err) && !end);
        assert_int_equal(row.problem != NULL, widths[i] > (int)ROW_MAX_BYTES);
        assert_int_equal(row.bytes.len, row.problem != NULL ? (int)ROW_KEPT_BYTES : widths[i] - 1);
        assert_int_equal(row.bytes.p[0], widths[i] > 3 ? ' ' : '{');
    }
    assert_true(rows_next(rows, &row, &end, &err) && end);
    rows_close(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_lines_are_rows),
        cmocka_unit_test(elements_of_an_array_are_rows),
        cmocka_unit_test(records_of_csv_are_rows),
        cmocka_unit_test(other_encodings_become_utf8),
        cmocka_unit_test(compressed_files_are_read),
        cmocka_unit_test(standard_input_is_json_lines),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(a_format_can_be_said),
        cmocka_unit_test(the_style_of_csv_is_told),
        cmocka_unit_test(names_of_formats_are_known),
        cmocka_unit_test(a_header_has_its_limit),
        cmocka_unit_test(rows_across_blocks_are_whole),
        cmocka_unit_test(a_row_that_is_too_long_is_a_problem),
        cmocka_unit_test(a_row_that_is_too_long_behind_a_long_one),
    };

    return cmocka_run_group_tests(tests, input_files_setup, input_files_teardown);
}
