#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "simulator/reader.h"

static int file_with(const char *text, size_t len)
{
    char path[] = "/tmp/test_sim_reader_XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    (void)unlink(path);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void lines_end_at_lf_or_at_the_end(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *last;
    } cases[] = {
        {"",           0, NULL },
        {"a",          1, "a"  },
        {"a\n",        1, "a"  },
        {"a\nb",       2, "b"  },
        {"a\r\nb\r\n", 2, "b\r"},
        {"\n\n",       2, ""   },
        {"a\n\nc\n",   3, "c"  }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = file_with(cases[i].text, strlen(cases[i].text));
        struct reader r;
        struct block block;

        reader_init(&r, fd);
        assert_true(reader_next(&r, &block, NULL));
        assert_int_equal(block.count, cases[i].count);
        assert_int_equal(block.first, 1);
        if (cases[i].count != 0) {
            struct slice last = block.lines[block.count - 1];

            assert_int_equal(last.n, strlen(cases[i].last));
            assert_memory_equal(last.p, cases[i].last, last.n);
            assert_true(reader_next(&r, &block, NULL));
            assert_int_equal(block.count, 0);
        }
        reader_release(&r);
        (void)close(fd);
    }
}

/* 2,500 short lines, one of 5 MB, two short ones. */
static void blocks_cover_every_line_once(void **state)
{
    size_t long_len = (size_t)5 << 20;
    size_t cap = long_len + 100000;
    char *text = malloc(cap);
    size_t len = 0;
    uint64_t line = 0;
    struct reader r;
    struct block block;

    (void)state;
    assert_non_null(text);
    for (int i = 0; i < 2500; i++)
        len += (size_t)snprintf(text + len, cap - len, "line %d\n", i);
    memset(text + len, 'x', long_len);
    len += long_len;
    len += (size_t)snprintf(text + len, cap - len, "\nline a\nline b\n");
    int fd = file_with(text, len);
    reader_init(&r, fd);
    while (reader_next(&r, &block, NULL) && block.count != 0) {
        assert_int_equal(block.first, line + 1);
        for (size_t i = 0; i < block.count; i++, line++) {
            if (line == 2500)
                assert_int_equal(block.lines[i].n, long_len);
            else
                assert_memory_equal(block.lines[i].p, "line ", 5);
        }
    }
    assert_int_equal(line, 2503);
    reader_release(&r);
    (void)close(fd);
    free(text);
}

static void a_monstrous_line_is_refused(void **state)
{
    struct err err = {0};
    struct reader r;
    struct block block;
    int fd = file_with("", 0);

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)READER_LINE_MAX + 100), 0); /* NUL bytes, no LF */
    reader_init(&r, fd);
    assert_false(reader_next(&r, &block, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    reader_release(&r);
    (void)close(fd);
}

static void white_space_is_blank(void **state)
{
    (void)state;
    assert_true(line_is_blank((struct slice){"", 0}));
    assert_true(line_is_blank((struct slice){" \t\r", 3}));
    assert_false(line_is_blank((struct slice){" x", 2}));
    assert_false(line_is_blank((struct slice){"\0", 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_lf_or_at_the_end),
        cmocka_unit_test(blocks_cover_every_line_once),
        cmocka_unit_test(a_monstrous_line_is_refused),
        cmocka_unit_test(white_space_is_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
