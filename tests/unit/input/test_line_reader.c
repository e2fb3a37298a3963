#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/digest/crc32c.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "tests/unit/input/input_files.h"

#define BOM "\xEF\xBB\xBF"

enum { LIMIT = 10 };

struct want {
    uint64_t offset, len;
    const char *text;
    bool too_long;
};

static const struct {
    const char *name;
    const char *bytes;
    size_t count;
    struct want lines[4];
} cases[] = {
    {"nothing",                                     "",             0, {{0}}                                                     },
    {"one line",                                    "abc\n",        1, {{0, 4, "abc", false}}                                    },
    {"no final newline",                            "abc\nd",       2, {{0, 4, "abc", false}, {4, 1, "d", false}}                },
    {"CRLF",                                        "abc\r\nd\r\n", 2, {{0, 5, "abc", false}, {5, 3, "d", false}}                },
    {"a carriage return inside",                    "a\rb\n\r\n",   2, {{0, 4, "a\rb", false}, {4, 2, "", false}}                },
    {"a carriage return at the end",                "ab\r",         1, {{0, 3, "ab\r", false}}                                   },
    {"two carriage returns",                        "ab\r\r\n",     1, {{0, 5, "ab\r", false}}                                   },
    {"blank lines",                                 "\n\n \n",      3, {{0, 1, "", false}, {1, 1, "", false}, {2, 2, " ", false}}},
    {"a byte order mark",                           BOM "ab\nc\n",  2, {{0, 6, "ab", false}, {6, 2, "c", false}}                 },
    {"only a byte order mark",                      BOM,            1, {{0, 3, "", false}}                                       },
    {"a byte order mark and a newline",             BOM "\r\n",     1, {{0, 5, "", false}}                                       },
    {"a byte order mark elsewhere",
     "a\n" BOM "b\n",
     2,                                                                {{0, 2, "a", false}, {2, 5, BOM "b", false}}              },
    {"half a byte order mark",                      "\xEF\xBB\n",   1, {{0, 3, "\xEF\xBB", false}}                               },
    {"as long as the limit",
     "0123456789\nx\n",                                             2,
     {{0, 11, "0123456789", false}, {11, 2, "x", false}}                                                                         },
    {"longer than the limit",
     "0123456789a\nx\n",                                            2,
     {{0, 12, "0123456789", true}, {12, 2, "x", false}}                                                                          },
    {"the limit counts what is before the newline",
     "012345678\r\n0123456789\r\n",                                 2,
     {{0, 11, "012345678", false}, {11, 12, "0123456789", true}}                                                                 },
    {"too long without a final newline",            "0123456789ab", 1, {{0, 12, "0123456789", true}}                             },
    {"too long with a byte order mark",
     BOM "01234567\nx",
     2,                                                                {{0, 12, "0123456", true}, {12, 1, "x", false}}           },
    {"two that are too long",
     "0123456789ab\n0123456789cd\ne",                               3,
     {{0, 13, "0123456789", true}, {13, 13, "0123456789", true}, {26, 1, "e", false}}                                            },
};

static struct line_reader *open_reader(const char *path, size_t limit, struct source **src)
{
    struct err err = {0};

    *src = source_open(path, &err);
    assert_non_null(*src);
    return line_reader_new(*src, limit);
}

static bool next(struct line_reader *r, struct line *line)
{
    struct err err = {0};
    bool end = false;

    if (!line_reader_next(r, line, &end, &err))
        fail_msg("%s", err.msg);
    return !end;
}

static void every_kind_of_line_is_delivered(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct source *src = NULL;
        struct line line;
        const char *bytes = cases[i].bytes;
        struct line_reader *r = open_reader(input_file("case", bytes, strlen(bytes)), LIMIT, &src);

        print_message("  %s\n", cases[i].name);
        for (size_t k = 0; k < cases[i].count; k++) {
            const struct want *w = &cases[i].lines[k];

            assert_true(next(r, &line));
            assert_int_equal(line.number, k + 1);
            assert_int_equal(line.offset, w->offset);
            assert_int_equal(line.len, w->len);
            assert_int_equal(line.too_long, w->too_long);
            assert_int_equal(line.text_len, strlen(w->text));
            assert_memory_equal(line.text, w->text, line.text_len);
            if (w->too_long)
                assert_int_equal(line.crc32c, crc32c(0, bytes + w->offset, w->len));
            else
                assert_memory_equal(line.bytes, bytes + w->offset, w->len);
        }
        assert_false(next(r, &line));
        assert_false(next(r, &line));
        line_reader_free(r);
        source_close(src);
    }
}

/* Lines of every length across the ends of blocks and of the buffer. */
static void lines_across_blocks_are_whole(void **state)
{
    enum { TOTAL = 6000000 };
    static const size_t limits[] = {100, 70000, 300000, 16000000};
    char *data = malloc(TOTAL);
    uint64_t s = 88172645463325252;

    (void)state;
    assert_non_null(data);
    for (size_t i = 0; i < TOTAL; i++)
        data[i] = (char)('a' + i % 23);
    for (size_t at = 0; at < TOTAL;) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        at += s % 7 == 0 ? s / 7 % 700000 : s / 7 % 200;
        if (at < TOTAL)
            data[at++] = '\n';
    }
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        struct source *src = NULL;
        struct line line;
        uint64_t at = 0;
        uint64_t number = 0;
        struct line_reader *r = open_reader(input_file("long", data, TOTAL), limits[i], &src);

        while (next(r, &line)) {
            const char *nl = memchr(data + at, '\n', TOTAL - at);
            size_t content = (nl != NULL ? (size_t)(nl - data) : TOTAL) - at;

            assert_int_equal(line.offset, at);
            assert_int_equal(line.number, ++number);
            assert_int_equal(line.len, content + (nl != NULL));
            assert_int_equal(line.too_long, content > limits[i]);
            assert_memory_equal(line.text, data + at, line.text_len);
            if (line.too_long) {
                assert_int_equal(line.text_len,
                                 limits[i] < LINE_KEPT_BYTES ? limits[i] : LINE_KEPT_BYTES);
                assert_int_equal(line.crc32c, crc32c(0, data + at, line.len));
            }
            at += line.len;
        }
        assert_int_equal(at, TOTAL);
        line_reader_free(r);
        source_close(src);
    }
    free(data);
}

static void reading_goes_on_in_the_middle(void **state)
{
    struct source *src = NULL;
    struct line line;
    struct err err = {0};
    struct line_reader *r = open_reader(input_file("middle", "a\n" BOM "b\nc\n", 8), LIMIT, &src);

    (void)state;
    assert_true(source_seek(src, 2, &err));
    line_reader_start(r, 2, 17);
    assert_true(next(r, &line));
    assert_int_equal(line.offset, 2);
    assert_int_equal(line.number, 17);
    assert_int_equal(line.text_len, 4);
    assert_true(next(r, &line));
    assert_int_equal(line.offset, 7);
    assert_int_equal(line.number, 18);
    line_reader_free(r);
    source_close(src);
    line_reader_free(NULL);
}

static void a_failing_source_fails_the_reader(void **state)
{
    struct source *src = NULL;
    struct line line;
    struct err err = {0};
    bool end = false;
    struct line_reader *r = open_reader(input_file("bad.gz", "no gzip", 7), LIMIT, &src);

    (void)state;
    assert_false(line_reader_next(r, &line, &end, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    line_reader_free(r);
    source_close(src);
}

/* A file of holes: fifty million zero bytes, then a line. */
static void a_line_of_fifty_megabytes_is_passed_over(void **state)
{
    static const char tail[] = "\nlast\n";
    const char *path = input_file("huge", "", 0);
    struct source *src = NULL;
    struct line line;
    FILE *f = fopen(path, "r+");

    (void)state;
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), 50000000), 0);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    assert_true(fputs(tail, f) >= 0);
    assert_int_equal(fclose(f), 0);

    struct line_reader *r = open_reader(path, 16000000, &src);

    assert_true(next(r, &line));
    assert_true(line.too_long);
    assert_int_equal(line.len, 50000001);
    assert_int_equal(line.text_len, LINE_KEPT_BYTES);
    assert_null(line.bytes);
    assert_true(next(r, &line));
    assert_int_equal(line.offset, 50000001);
    assert_int_equal(line.number, 2);
    assert_memory_equal(line.text, "last", 4);
    assert_false(next(r, &line));
    line_reader_free(r);
    source_close(src);
}

static void blank_means_nothing_to_see(void **state)
{
    (void)state;
    assert_true(line_is_blank("", 0));
    assert_true(line_is_blank(" \t\r", 3));
    assert_false(line_is_blank(" x", 2));
    assert_false(line_is_blank("\0", 1));
    assert_false(line_is_blank("\v", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_line_is_delivered),
        cmocka_unit_test(lines_across_blocks_are_whole),
        cmocka_unit_test(reading_goes_on_in_the_middle),
        cmocka_unit_test(a_failing_source_fails_the_reader),
        cmocka_unit_test(a_line_of_fifty_megabytes_is_passed_over),
        cmocka_unit_test(blank_means_nothing_to_see),
    };
    return cmocka_run_group_tests(tests, input_files_setup, input_files_teardown);
}
