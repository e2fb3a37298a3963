#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/rows/rows.h"
#include "tests/testlib/scratch.h"

static char folder[SCRATCH_PATH_MAX];

static int setup(void **state)
{
    (void)state;
    scratch_make(folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

static void put_bytes(const char *name, const char *bytes, size_t len)
{
    char path[SCRATCH_PATH_MAX + 64];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void put(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

static void make_folder(const char *name)
{
    char path[SCRATCH_PATH_MAX + 64];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static const struct {
    const char *file, *object, *problem;
} want[] = {
    {"10.txt",    "{\"file\":\"10.txt\",\"text\":\"ten\"}",                      NULL                                          },
    {"2.txt",     "{\"file\":\"2.txt\",\"text\":\"two\\n\\\"lines\\\"\\r\\n\"}", NULL                                          },
    {"B.txt",     "{\"file\":\"B.txt\",\"text\":\"\"}",                          NULL                                          },
    {"a.txt",     "{\"file\":\"a.txt\",\"text\":\"a mark\"}",                    NULL                                          },
    {"bad.txt",   NULL,                                                          "bad.txt: line 2, column 2: not valid UTF-8"  },
    {"big.txt",   NULL,                                                          "big.txt: line 1: the row is over 16 MiB"     },
    {"utf16.txt", NULL,                                                          "utf16.txt: line 1, column 1: not valid UTF-8"},
    {"中.md",    "{\"file\":\"中.md\",\"text\":\"文\"}",                      NULL                                          },
};

static void put_all(void)
{
    char *big = malloc(ROW_MAX_BYTES + 1);

    memset(big, 'x', ROW_MAX_BYTES + 1);
    put_bytes("big.txt", big, ROW_MAX_BYTES + 1);
    free(big);
    put("2.txt", "two\n\"lines\"\r\n");
    put("10.txt", "ten");
    put("B.txt", "");
    put("a.txt", "\xEF\xBB\xBF"
                 "a mark");
    put("bad.txt", "good\n中\xD6");
    put("utf16.txt", "\xFF\xFEx");
    put("中.md", "文");
    put(".hidden", "no row");
    make_folder("sub");
    put("sub/c.txt", "no row");
}

static void files_of_a_folder_are_rows(void **state)
{
    struct rows_options options = {0};
    struct err err = {0};
    struct row row;
    bool end = false;
    struct rows *rows = NULL;

    (void)state;
    put_all();
    rows = rows_open(folder, &options, &err);
    assert_int_equal(rows_format(rows), ROWS_TEXTS);
    assert_true(rows_columns_known(rows));
    assert_int_equal(rows_column_count(rows), 2);
    assert_string_equal(rows_column(rows, 0), "file");
    assert_string_equal(rows_column(rows, 1), "text");
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_true(rows_next(rows, &row, &end, &err) && !end);
        assert_int_equal(row.index, i);
        assert_int_equal(row.line, 1);
        assert_string_equal(row.file, want[i].file);
        if (want[i].problem != NULL) {
            assert_string_equal(row.problem, want[i].problem);
            assert_int_equal(row.object.kind, JSON_ABSENT);
            continue;
        }
        assert_null(row.problem);
        assert_int_equal(row.object.len, strlen(want[i].object));
        assert_memory_equal(row.object.text, want[i].object, row.object.len);
        assert_ptr_equal(row.bytes.p, row.object.text);
        assert_int_equal(row.bytes.len, row.object.len);
    }
    assert_true(rows_next(rows, &row, &end, &err) && end);
    rows_close(rows);
}

static void files_of_a_folder_may_have_an_encoding(void **state)
{
    struct rows_options options = {.encoding = "gb18030"};
    struct err err = {0};
    struct row row;
    bool end = false;
    struct rows *rows = NULL;

    (void)state;
    put("a.txt", "\xD6\xD0");
    put("b.txt", "\xD6\xD0\xFF");
    rows = rows_open(folder, &options, &err);
    assert_true(rows_next(rows, &row, &end, &err));
    assert_memory_equal(row.object.text, "{\"file\":\"a.txt\",\"text\":\"中\"}", row.object.len);
    assert_true(rows_next(rows, &row, &end, &err));
    assert_string_equal(row.problem, "b.txt: line 1: byte 3 of the file is not valid gb18030");
    rows_close(rows);
}

static void an_empty_folder_has_no_rows(void **state)
{
    struct rows_options options = {.format = ROWS_TEXTS};
    struct err err = {0};
    struct row row;
    bool end = false;
    struct rows *rows = rows_open(folder, &options, &err);

    (void)state;
    assert_true(rows_next(rows, &row, &end, &err) && end);
    rows_close(rows);
}

static void a_file_that_goes_away_is_a_failure(void **state)
{
    char path[SCRATCH_PATH_MAX + 64];
    struct rows_options options = {0};
    struct err err = {0};
    struct row row;
    bool end = false;
    struct rows *rows = NULL;

    (void)state;
    put("a.txt", "a");
    rows = rows_open(folder, &options, &err);
    (void)snprintf(path, sizeof(path), "%s/a.txt", folder);
    assert_int_equal(unlink(path), 0);
    assert_false(rows_next(rows, &row, &end, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_non_null(strstr(err.msg, "a.txt: No such file"));
    rows_close(rows);
}

/* ---- fingerprints */

static void fingerprint(const char *name, enum rows_format format, const char *encoding,
                        char out[65])
{
    char path[SCRATCH_PATH_MAX + 64];
    struct rows_options options = {format, encoding};
    struct err err = {0};

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (!rows_fingerprint(path, &options, out, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(strlen(out), 64);
}

static int rename_file(const char *from, const char *to)
{
    char a[SCRATCH_PATH_MAX + 64];
    char b[SCRATCH_PATH_MAX + 64];

    (void)snprintf(a, sizeof(a), "%s/%s", folder, from);
    (void)snprintf(b, sizeof(b), "%s/%s", folder, to);
    return rename(a, b);
}

static void a_file_is_known_by_content_format_and_encoding(void **state)
{
    char a[65];
    char b[65];

    (void)state;
    put("a.csv", "a\n1\n");
    put("b.csv", "a\n1\n");
    put("c.csv", "a\n2\n");
    fingerprint("a.csv", ROWS_AUTO, NULL, a);
    fingerprint("b.csv", ROWS_CSV, "UTF-8", b);
    assert_string_equal(a, b);
    fingerprint("c.csv", ROWS_AUTO, NULL, b);
    assert_string_not_equal(a, b);
    fingerprint("a.csv", ROWS_TSV, NULL, b);
    assert_string_not_equal(a, b);
    fingerprint("a.csv", ROWS_AUTO, "gb18030", b);
    assert_string_not_equal(a, b);
}

static void a_folder_is_known_by_the_files_that_are_rows(void **state)
{
    char a[65];
    char b[65];

    (void)state;
    put("a.txt", "1");
    put("b.txt", "2");
    fingerprint(".", ROWS_AUTO, NULL, a);
    put(".hidden", "x");
    make_folder("sub");
    fingerprint(".", ROWS_AUTO, NULL, b);
    assert_string_equal(a, b);
    put("b.txt", "3");
    fingerprint(".", ROWS_AUTO, NULL, b);
    assert_string_not_equal(a, b);
    put("b.txt", "2");
    assert_int_equal(rename_file("b.txt", "c.txt"), 0);
    fingerprint(".", ROWS_AUTO, NULL, b);
    assert_string_not_equal(a, b);
    assert_int_equal(rename_file("c.txt", "b.txt"), 0);
    fingerprint(".", ROWS_AUTO, NULL, b);
    assert_string_equal(a, b);
    put("c.txt", "");
    fingerprint(".", ROWS_AUTO, NULL, b);
    assert_string_not_equal(a, b);
}

static void what_cannot_be_read_has_no_fingerprint(void **state)
{
    struct rows_options options = {.format = ROWS_CSV};
    struct err err = {0};
    char out[65];

    (void)state;
    assert_false(rows_fingerprint("/nowhere/a.csv", &options, out, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    assert_true(rows_fingerprint("-", &options, out, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(files_of_a_folder_are_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(files_of_a_folder_may_have_an_encoding, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_folder_has_no_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_goes_away_is_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_is_known_by_content_format_and_encoding, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_folder_is_known_by_the_files_that_are_rows, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_has_no_fingerprint, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
