#include "tests/testlib/unit.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/err.h"
#include "common/digest/crc32c.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/input/window.h"
#include "tests/unit/input/input_files.h"

#define BOM "\xEF\xBB\xBF"

enum { LIMIT = 10, MAX_WINDOWS = 700 };

/* What is compared of a window; the lines come as a checksum. */
struct seen {
    uint64_t index, offset, len, first_line, line_count;
    uint32_t count, crc32c, lines_sum;
    bool held;
};

struct cutting {
    struct source *src;
    struct line_reader *reader;
    struct window_cutter *cutter;
};

static struct cutting cut_from(const char *path, size_t limit, struct window_limits limits,
                               const struct seen *start)
{
    struct cutting c = {0};
    struct err err = {0};

    c.src = source_open(path, &err);
    assert_non_null(c.src);
    c.reader = line_reader_new(c.src, limit);
    if (start != NULL) {
        assert_true(source_seek(c.src, start->offset, &err));
        line_reader_start(c.reader, start->offset, start->first_line);
    }
    c.cutter = window_cutter_new(c.reader, limits, start != NULL ? start->index : 0);
    return c;
}

static void cut_end(struct cutting *c)
{
    window_cutter_free(c->cutter);
    line_reader_free(c->reader);
    source_close(c->src);
}

static uint32_t sum_of(uint32_t sum, const struct window_line *l)
{
    uint64_t head[3] = {l->number, l->text_len, l->too_long};

    return crc32c(crc32c(sum, head, sizeof(head)), l->text, l->text_len);
}

/* The bytes of a window, read again and split, are the same requests. */
static void assert_split_agrees(const struct window *w, const char *bytes, size_t limit)
{
    struct window_line *lines = malloc((w->count + 1) * sizeof(*lines));
    size_t n = 0;

    assert_non_null(lines);
    n = window_split(bytes, w->len, w->offset, w->first_line, limit, lines, w->count);
    assert_int_equal(n, w->count);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sum_of(0, &lines[i]), sum_of(0, &w->lines[i]));
    if (n > 1)
        assert_int_equal(window_split(bytes, w->len, w->offset, w->first_line, limit, lines, n - 1),
                         n);
    free(lines);
}

static bool cut_next(struct cutting *c, const char *all, size_t limit, struct seen *out)
{
    struct window w;
    struct err err = {0};
    bool end = false;

    if (!window_cutter_next(c->cutter, &w, &end, &err))
        fail_msg("%s", err.msg);
    if (end)
        return false;
    *out = (struct seen){
        .index = w.index,
        .offset = w.offset,
        .len = w.len,
        .first_line = w.first_line,
        .line_count = w.line_count,
        .count = w.count,
        .crc32c = w.crc32c,
        .held = w.bytes != NULL,
    };
    for (uint32_t i = 0; i < w.count; i++)
        out->lines_sum = sum_of(out->lines_sum, &w.lines[i]);
    assert_int_equal(w.crc32c, crc32c(0, all + w.offset, w.len));
    if (w.bytes != NULL)
        assert_memory_equal(w.bytes, all + w.offset, w.len);
    assert_split_agrees(&w, all + w.offset, limit);
    return true;
}

static size_t cut_all(const char *path, const char *all, size_t limit, struct window_limits limits,
                      const struct seen *start, struct seen out[MAX_WINDOWS])
{
    struct cutting c = cut_from(path, limit, limits, start);
    size_t n = 0;

    while (n < MAX_WINDOWS && cut_next(&c, all, limit, &out[n]))
        n++;
    assert_true(n < MAX_WINDOWS);
    cut_end(&c);
    return n;
}

static const struct {
    const char *name;
    const char *bytes;
    struct window_limits limits;
    size_t count;
    struct {
        uint64_t offset, len, first_line;
        uint32_t count;
        bool held;
    } windows[4];
} cases[] = {
    {"an empty input",                                      "",                 {2, 100}, 0, {{0}}                                                          },
    {"an input of blank lines",                             "\n \n\t\r\n",      {2, 100}, 0, {{0}}                                                          },
    {"only a byte order mark",                              BOM "\n",           {2, 100}, 0, {{0}}                                                          },
    {"one line",                                            "a\n",              {2, 100}, 1, {{0, 2, 1, 1, true}}                                           },
    {"one line without a newline",                          "a",                {2, 100}, 1, {{0, 1, 1, 1, true}}                                           },
    {"exactly two windows",                                 "a\nb\nc\nd\n",     {2, 100}, 2, {{0, 4, 1, 2, true}, {4, 4, 3, 2, true}}                       },
    {"one line more",                                       "a\nb\nc",          {2, 100}, 2, {{0, 4, 1, 2, true}, {4, 1, 3, 1, true}}                       },
    {"no limit of lines is one",                            "a\nb\n",           {0, 100}, 2, {{0, 2, 1, 1, true}, {2, 2, 2, 1, true}}                       },
    {"bytes fit exactly",                                   "aa\nbb\ncc\n",     {9, 6},   2, {{0, 6, 1, 2, true}, {6, 3, 3, 1, true}}                       },
    {"one byte less",
     "aa\nbb\ncc\n",                                                            {9, 5},
     3,                                                                                      {{0, 3, 1, 1, true}, {3, 3, 2, 1, true}, {6, 3, 3, 1, true}}   },
    {"a line over the bytes stands alone",
     "a\nbbbbbbb\nc\n",                                                         {9, 5},
     3,                                                                                      {{0, 2, 1, 1, true}, {2, 8, 2, 1, true}, {10, 2, 3, 1, true}}  },
    {"blank lines are no requests",
     "a\n\n\nb\n\nc\n",                                                         {2, 100},
     2,                                                                                      {{0, 7, 1, 2, true}, {7, 2, 6, 1, true}}                       },
    {"blank lines that fit are taken behind a full window",
     "a\nb\n\n \nc\n",                                                          {2, 100},
     2,                                                                                      {{0, 7, 1, 2, true}, {7, 2, 5, 1, true}}                       },
    {"blank lines that do not fit open the next window",
     "a\nb\n\n\n\nc\n",                                                         {2, 5},
     2,                                                                                      {{0, 5, 1, 2, true}, {5, 4, 4, 1, true}}                       },
    {"blank lines at the start",
     "\n\na\nb\n",                                                              {1, 100},
     2,                                                                                      {{0, 4, 1, 1, true}, {4, 2, 4, 1, true}}                       },
    {"blank lines at the start over the bytes",
     "\n\n\n\n\na\nb\n",                                                        {2, 3},
     2,                                                                                      {{0, 7, 1, 1, true}, {7, 2, 7, 1, true}}                       },
    {"blank lines at the end over the bytes",               "a\nb\n\n\n\n\n\n", {2, 4},   1, {{0, 9, 1, 2, true}}                                           },
    {"blank lines at the end without a newline",            "a\n\n  ",          {2, 2},   1, {{0, 5, 1, 1, true}}                                           },
    {"a line that is too long stands alone",
     "a\n0123456789x\nb\n",                                                     {9, 100},
     3,                                                                                      {{0, 2, 1, 1, true}, {2, 12, 2, 1, false}, {14, 2, 3, 1, true}}},
    {"blank lines before one that is too long",
     "\n\n0123456789x\nb\n",                                                    {9, 100},
     2,                                                                                      {{0, 14, 1, 1, false}, {14, 2, 4, 1, true}}                    },
    {"blank lines behind one that is too long",
     "0123456789x\n\n\nb\n",                                                    {9, 100},
     2,                                                                                      {{0, 12, 1, 1, false}, {12, 4, 2, 1, true}}                    },
    {"blank lines at the end behind one that is too long",
     "0123456789x\n\n\n",                                                       {9, 100},
     1,                                                                                      {{0, 14, 1, 1, false}}                                         },
    {"two that are too long",
     "0123456789x\n0123456789y",                                                {9, 100},
     2,                                                                                      {{0, 12, 1, 1, false}, {12, 11, 2, 1, false}}                  },
    {"spaces that are too long are a request",
     "a\n           \n",                                                        {9, 100},
     2,                                                                                      {{0, 2, 1, 1, true}, {2, 12, 2, 1, false}}                     },
    {"a byte order mark belongs to the first window",
     BOM "a\nb\n",
     {1, 100},
     2,                                                                                      {{0, 5, 1, 1, true}, {5, 2, 2, 1, true}}                       },
    {"CRLF",                                                "a\r\n\r\nb\r\n",   {1, 100}, 2, {{0, 5, 1, 1, true}, {5, 3, 3, 1, true}}                       },
};

static void each_case_is_cut_as_said(void **state)
{
    static struct seen got[MAX_WINDOWS];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *bytes = cases[i].bytes;
        const char *path = input_file("case", bytes, strlen(bytes));
        size_t n = cut_all(path, bytes, LIMIT, cases[i].limits, NULL, got);

        print_message("  %s\n", cases[i].name);
        assert_int_equal(n, cases[i].count);
        for (size_t k = 0; k < n; k++) {
            assert_int_equal(got[k].index, k);
            assert_int_equal(got[k].offset, cases[i].windows[k].offset);
            assert_int_equal(got[k].len, cases[i].windows[k].len);
            assert_int_equal(got[k].first_line, cases[i].windows[k].first_line);
            assert_int_equal(got[k].count, cases[i].windows[k].count);
            assert_int_equal(got[k].held, cases[i].windows[k].held);
        }
    }
}

static uint64_t random_next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Short lines, blank ones, CRLF, too long ones, in every mixture. */
static size_t make_input(char *out, size_t cap, uint64_t *s)
{
    size_t len = 0;
    size_t lines = random_next(s) % 40;
    unsigned blanks = (unsigned)(random_next(s) % 4);

    if (random_next(s) % 4 == 0) {
        memcpy(out, BOM, 3);
        len = 3;
    }
    while (lines-- > 0 && len + 20 < cap) {
        size_t n = random_next(s) % (LIMIT + 3);

        if (random_next(s) % 4 < blanks)
            memset(out + len, ' ', n = n % 4);
        else
            memset(out + len, (int)('a' + random_next(s) % 26), n);
        len += n;
        if (random_next(s) % 3 == 0)
            out[len++] = '\r';
        out[len++] = '\n';
    }
    if (len > 0 && random_next(s) % 2 == 0)
        len--; /* no final newline */
    return len;
}

/* Windows cover the input, or there is none and nothing to send. */
static void assert_covers(const struct seen *w, size_t n, const char *all, size_t len,
                          struct window_limits limits)
{
    uint64_t at = 0;
    uint64_t line = 1;

    for (size_t i = 0; i < n; i++) {
        assert_int_equal(w[i].index, i);
        assert_int_equal(w[i].offset, at);
        assert_int_equal(w[i].first_line, line);
        assert_true(w[i].count >= 1 && w[i].count <= limits.max_lines);
        at += w[i].len;
        line += w[i].line_count;
    }
    if (n > 0) {
        assert_int_equal(at, len);
    } else {
        struct window_line none;

        assert_int_equal(window_split(all, len, 0, 1, LIMIT, &none, 1), 0);
    }
}

static void cutting_goes_on_at_any_boundary(void **state)
{
    static struct seen whole[MAX_WINDOWS];
    static struct seen rest[MAX_WINDOWS];
    uint64_t s = 0xC0FFEE123456789;
    char all[1024];

    (void)state;
    for (int round = 0; round < 400; round++) {
        size_t len = make_input(all, sizeof(all), &s);
        struct window_limits limits = {1 + (uint32_t)(random_next(&s) % 5), random_next(&s) % 60};
        const char *path = input_file("random", all, len);
        size_t n = cut_all(path, all, LIMIT, limits, NULL, whole);

        assert_covers(whole, n, all, len, limits);
        for (size_t k = 0; k < n; k++) {
            size_t m = cut_all(path, all, LIMIT, limits, &whole[k], rest);

            assert_int_equal(m, n - k);
            assert_memory_equal(rest, whole + k, m * sizeof(rest[0]));
        }
    }
}

/* No window could have taken the line behind it. */
static void every_window_is_as_long_as_it_may_be(void **state)
{
    static struct seen w[MAX_WINDOWS];
    uint64_t s = 0xDECADE;
    char all[1024];

    (void)state;
    for (int round = 0; round < 400; round++) {
        size_t len = make_input(all, sizeof(all), &s);
        struct window_limits limits = {1 + (uint32_t)(random_next(&s) % 5), random_next(&s) % 60};
        size_t n = cut_all(input_file("longest", all, len), all, LIMIT, limits, NULL, w);

        for (size_t k = 0; k + 1 < n; k++) {
            const char *start = all + w[k + 1].offset;
            const char *nl = memchr(start, '\n', len - w[k + 1].offset);
            size_t next = nl != NULL ? (size_t)(nl - start) + 1 : len - w[k + 1].offset;
            const char *text = NULL;
            size_t text_len = 0;

            line_text(start, next, w[k + 1].offset, &text, &text_len);

            bool blank = line_is_blank(text, text_len);
            bool too_long = next - (nl != NULL) > LIMIT || !w[k].held;
            bool full = !blank && w[k].count == limits.max_lines;

            assert_true(too_long || full || w[k].len + next > limits.max_bytes);
        }
    }
}

static void many_blank_lines_are_counted_but_not_held(void **state)
{
    enum { BLANKS = 3000000 };
    static const struct window_limits limits = {10, 2000000};
    static struct seen whole[MAX_WINDOWS];
    static struct seen rest[MAX_WINDOWS];
    char *all = malloc((size_t)2 * BLANKS + 10);

    (void)state;
    assert_non_null(all);
    memset(all, '\n', (size_t)2 * BLANKS + 10);
    all[0] = 'a';
    all[BLANKS] = 'b';
    all[(size_t)2 * BLANKS] = 'c';

    const char *path = input_file("blanks", all, (size_t)2 * BLANKS + 10);
    size_t n = cut_all(path, all, 16000000, limits, NULL, whole);

    assert_int_equal(n, 3);
    assert_int_equal(whole[0].len, 2000000);
    assert_true(whole[0].held);
    assert_true(whole[1].held); /* a million blank lines are in front of it */
    assert_int_equal(whole[1].len, 2000000);
    assert_int_equal(whole[2].offset, 4000000);
    assert_false(whole[2].held);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(cut_all(path, all, 16000000, limits, &whole[k], rest), n - k);
        assert_memory_equal(rest, whole + k, (n - k) * sizeof(rest[0]));
    }
    free(all);
}

static void a_failing_source_fails_the_cutter(void **state)
{
    struct cutting c =
        cut_from(input_file("bad.zst", "no zstd", 7), LIMIT, (struct window_limits){1, 1}, NULL);
    struct window w;
    struct err err = {0};
    bool end = false;

    (void)state;
    assert_false(window_cutter_next(c.cutter, &w, &end, &err));
    assert_int_equal(err.kind, ERR_INPUT);
    cut_end(&c);
    window_cutter_free(NULL);
}

/* A file of holes, larger than any line may be, between two of the longest lines. */
static void the_longest_lines_need_little_memory(void **state)
{
    enum { LONGEST = 16000000, HOLE = 60000000 };
    struct rusage before;
    struct rusage after;
    struct window w;
    struct err err = {0};
    bool end = false;
    size_t n = 0;
    const char *path = input_file("large", "", 0);
    FILE *f = fopen(path, "r+");

    (void)state;
    assert_non_null(f);
    (void)fprintf(f, "%0*d\n", LONGEST, 1);
    (void)fflush(f);
    assert_int_equal(ftruncate(fileno(f), LONGEST + HOLE), 0);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    (void)fprintf(f, "\n%0*d\n", LONGEST, 1);
    assert_int_equal(fclose(f), 0);

    struct cutting c = cut_from(path, LONGEST, (struct window_limits){1000, 2000000}, NULL);

    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    while (window_cutter_next(c.cutter, &w, &end, &err) && !end)
        assert_int_equal(w.bytes == NULL, n++ == 1);
    assert_int_equal(err.kind, ERR_NONE);
    assert_int_equal(n, 3);
    cut_end(&c);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    print_message("  %ld kB more\n", after.ru_maxrss - before.ru_maxrss);
    if (dlsym(RTLD_DEFAULT, "__asan_init") == NULL) /* which fills what is allocated */
        assert_true(after.ru_maxrss - before.ru_maxrss < 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_lines_need_little_memory),
        cmocka_unit_test(each_case_is_cut_as_said),
        cmocka_unit_test(cutting_goes_on_at_any_boundary),
        cmocka_unit_test(every_window_is_as_long_as_it_may_be),
        cmocka_unit_test(many_blank_lines_are_counted_but_not_held),
        cmocka_unit_test(a_failing_source_fails_the_cutter),
    };
    return cmocka_run_group_tests(tests, input_files_setup, input_files_teardown);
}
