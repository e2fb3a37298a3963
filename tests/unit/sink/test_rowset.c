#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/rowset.h"
#include "common/sink/sink.h"
#include "tests/testlib/scratch.h"

struct fixture {
    char path[SCRATCH_PATH_MAX];
    struct sink *sink;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    char url[SCRATCH_PATH_MAX + 16];

    scratch_make_fast(f->path);
    (void)snprintf(url, sizeof(url), "dir:%s", f->path);
    f->sink = sink_open(url, "job", "abc123def456", true, NULL);
    assert_non_null(f->sink);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    sink_close(f->sink);
    scratch_remove(f->path);
    free(f);
    return 0;
}

/* A window of @lines lines, of which @row and, if it is another, @other are in the set. */
static struct rowset_window window_of(uint32_t number, uint32_t lines, uint32_t row, uint32_t other)
{
    struct rowset_window w = {.window = number, .lines = lines};

    memset(w.mask, 0xff, sizeof(w.mask));
    w.mask[row / 8] = (uint8_t)(w.mask[row / 8] & ~(1u << row % 8));
    w.mask[other / 8] = (uint8_t)(w.mask[other / 8] & ~(1u << other % 8));
    w.left = mask_left(w.mask, lines);
    return w;
}

/* Publish a set of one row in each of @windows. */
static uint64_t put(struct fixture *f, const char *name, const uint32_t *windows, size_t count,
                    bool *existed)
{
    struct rowset_writer *w = rowset_begin(f->sink, name, false, 9000, NULL);
    uint64_t checksum = 0;

    assert_non_null(w);
    for (size_t i = 0; i < count; i++) {
        struct rowset_window window = window_of(windows[i], 10, windows[i] % 10, windows[i] % 10);

        assert_true(rowset_add(w, &window, NULL));
    }
    assert_true(rowset_commit(w, &checksum, existed, NULL));
    return checksum;
}

static void rows_come_back_part_by_part(void **state)
{
    struct fixture *f = *state;
    static const int64_t times[] = {1700000000000, -1};
    struct rowset_writer *w = rowset_begin(f->sink, "bad/0000000", true, 2048, NULL);
    struct rowset_window first = window_of(3, 1000, 0, 999);
    struct rowset_window second = window_of(1023, 7, 6, 6);
    struct rowset_window got;
    struct rowset *set;
    uint64_t checksum = 0;
    bool existed = true;
    size_t count;

    assert_non_null(w);
    first.times = times;
    first.crc = 0xfedcba98u;
    second.times = times + 1;
    assert_true(rowset_add(w, &first, NULL));
    assert_true(rowset_add(w, &second, NULL));
    assert_int_equal(rowset_writer_totals(w)->rows, 3);
    assert_true(rowset_commit(w, &checksum, &existed, NULL));
    assert_false(existed);

    set = rowset_open(f->sink, "bad/0000000", NULL);
    assert_non_null(set);
    assert_int_equal(rowset_checksum(set), checksum);
    assert_int_equal(rowset_totals(set)->rows, 3);
    assert_int_equal(rowset_totals(set)->windows, 2);
    assert_int_equal(rowset_totals(set)->job_windows, 2048);
    assert_int_equal(rowset_parts(set, &count)[1].part, 1);
    assert_int_equal(count, 2);

    assert_true(rowset_read_part(set, 0, NULL));
    assert_true(rowset_next(set, &got));
    assert_int_equal(got.window, 3);
    assert_int_equal(got.lines, 1000);
    assert_true(got.crc == 0xfedcba98u);
    assert_int_equal(got.left, 2);
    assert_false(mask_get(got.mask, 0));
    assert_true(mask_get(got.mask, 1));
    assert_false(mask_get(got.mask, 999));
    assert_int_equal(got.times[0], times[0]);
    assert_int_equal(got.times[1], times[1]);
    assert_false(rowset_next(set, &got));
    assert_true(rowset_read_part(set, 1, NULL));
    assert_true(rowset_next(set, &got));
    assert_int_equal(got.window, 1023);
    assert_int_equal(got.left, 1);
    assert_false(rowset_next(set, &got));
    assert_true(rowset_read_part(set, 7, NULL)); /* it has none of it */
    assert_false(rowset_next(set, &got));
    rowset_free(set);
}

static void an_empty_set_is_a_set(void **state)
{
    struct fixture *f = *state;
    struct rowset_window got;
    struct rowset *set;

    (void)put(f, "gen-1", NULL, 0, NULL);
    set = rowset_open(f->sink, "gen-1", NULL);
    assert_non_null(set);
    assert_int_equal(rowset_totals(set)->rows, 0);
    assert_true(rowset_read_part(set, 0, NULL));
    assert_false(rowset_next(set, &got));
    rowset_free(set);
}

static void windows_out_of_order_or_without_rows_are_refused(void **state)
{
    struct fixture *f = *state;
    struct rowset_window bad[] = {
        window_of(4, 10, 1, 1),        window_of(5, 10, 1, 1), window_of(6, 1001, 1, 1),
        window_of(7, 0, 0, 0),         window_of(8, 10, 1, 1), window_of(9, 10, 1, 1),
        window_of(1u << 28, 10, 1, 1),
    };
    static const int64_t time = 1;

    bad[1].window = 4; /* given already */
    bad[4].left = 2;   /* not what the mask says */
    bad[5].times = &time;
    for (size_t i = 1; i < ARRAY_LEN(bad); i++) {
        struct rowset_writer *w = rowset_begin(f->sink, "x", false, 0, NULL);

        assert_true(rowset_add(w, &bad[0], NULL));
        assert_false(rowset_add(w, &bad[i], NULL));
        rowset_abort(w);
    }
}

static void the_second_writer_learns_whether_he_had_the_same(void **state)
{
    struct fixture *f = *state;
    static const uint32_t some[] = {1, 2, 600};
    static const uint32_t others[] = {1, 2, 601};
    bool existed = true;
    uint64_t first = put(f, "gen-1", some, 3, &existed);

    assert_false(existed);
    assert_int_equal(put(f, "gen-1", some, 3, &existed), first);
    assert_true(existed);
    assert_true(put(f, "gen-1", others, 3, &existed) != first);
    assert_true(existed);
    struct rowset *set = rowset_open(f->sink, "gen-1", NULL);
    assert_int_equal(rowset_checksum(set), first);
    rowset_free(set);
}

/* Whether the file with its byte @at changed, or cut there, is noticed. */
static bool is_noticed(struct fixture *f, const char *path, size_t at, bool cut)
{
    struct rowset_window w;
    bool noticed = true;
    int fd = open(path, O_RDWR);
    char byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte = (char)(byte ^ 0x20);
    if (cut)
        assert_int_equal(ftruncate(fd, (off_t)at), 0);
    else
        assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    (void)close(fd);
    struct rowset *set = rowset_open(f->sink, "gen-1", NULL);
    if (set != NULL) {
        noticed = !rowset_read_part(set, 0, NULL) || !rowset_read_part(set, 1, NULL);
        while (rowset_next(set, &w))
            ;
    }
    rowset_free(set);
    return noticed;
}

static void every_changed_and_every_missing_byte_is_noticed(void **state)
{
    struct fixture *f = *state;
    static const uint32_t some[] = {1, 2, 600};
    char path[SINK_PATH_MAX + 16];
    char whole[512];
    ssize_t size;

    (void)put(f, "gen-1", some, 3, NULL);
    (void)snprintf(path, sizeof(path), "%s/gen-1", sink_path(f->sink));
    int fd = open(path, O_RDONLY);
    size = read(fd, whole, sizeof(whole));
    (void)close(fd);
    assert_in_range(size, 100, sizeof(whole) - 1);
    for (int cut = 0; cut < 2; cut++) {
        for (size_t at = 0; at < (size_t)size; at++) {
            fd = open(path, O_RDWR | O_TRUNC);
            assert_int_equal(write(fd, whole, (size_t)size), size);
            (void)close(fd);
            assert_true(is_noticed(f, path, at, cut != 0));
        }
    }
}

static void a_part_is_of_the_newest_generation_that_lists_it(void **state)
{
    struct fixture *f = *state;
    static const uint32_t one[] = {5, 600, 2000};
    static const uint32_t two[] = {601};
    static const uint32_t three[] = {6};
    uint32_t newest = 7;
    size_t count;

    struct generations *g = generations_load(f->sink, NULL);
    assert_int_equal(generations_newest(g), 0);
    assert_int_equal(generations_of_part(g, 0, GENERATION_ANY), 0);
    assert_int_equal(generations_windows(g), 0);
    assert_null(generations_parts(g, &count));
    generations_free(g);

    (void)put(f, "gen-1", one, 3, NULL);
    (void)put(f, "gen-2", two, 1, NULL);
    (void)put(f, "gen-3", three, 1, NULL);
    assert_true(sink_publish(f->sink, "gen-04", "", 0, NULL, NULL)); /* not a generation's name */
    assert_true(sink_publish(f->sink, "gen-x", "", 0, NULL, NULL));
    assert_true(generations_find_newest(f->sink, &newest, NULL));
    assert_int_equal(newest, 3);
    g = generations_load(f->sink, NULL);
    assert_non_null(g);
    assert_int_equal(generations_newest(g), 3);
    assert_int_equal(generations_windows(g), 9000);
    assert_int_equal(generations_of_part(g, 0, GENERATION_ANY), 3);
    assert_int_equal(generations_of_part(g, 0, 3), 1);
    assert_int_equal(generations_of_part(g, 0, 1), 0);
    assert_int_equal(generations_of_part(g, 0, 0), 0);
    assert_int_equal(generations_of_part(g, 1, GENERATION_ANY), 2);
    assert_int_equal(generations_of_part(g, 2, GENERATION_ANY), 0);
    assert_int_equal(generations_of_part(g, 3, GENERATION_ANY), 1);
    struct part_generation *parts = generations_parts(g, &count);
    assert_int_equal(count, 3);
    assert_int_equal(parts[0].part, 0);
    assert_int_equal(parts[0].generation, 3);
    assert_int_equal(parts[1].part, 1);
    assert_int_equal(parts[1].generation, 2);
    assert_int_equal(parts[2].part, 3);
    assert_int_equal(parts[2].generation, 1);
    free(parts);
    generations_free(g);
}

static void a_generation_that_is_missing_is_an_error(void **state)
{
    struct fixture *f = *state;
    static const uint32_t some[] = {5};
    struct err err = {0};

    (void)put(f, "gen-2", some, 1, NULL);
    assert_null(generations_load(f->sink, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    assert_non_null(strstr(err.msg, "gen-1"));
}

static void names_of_generations_are_stable(void **state)
{
    char a[LAYOUT_NAME_MAX];

    (void)state;
    assert_string_equal(layout_generation(a, 12), "gen-12");
    assert_string_equal(layout_out(a, 3, 2), "out.g2/0000003.jsonl");
    assert_string_equal(layout_dead(a, 3, 2), "dead.g2/0000003.jsonl");
    assert_string_equal(layout_bad(a, 3, 0), "bad/0000003");
    assert_string_equal(layout_bad(a, 3, 2), "bad.g2/0000003");
    assert_string_equal(layout_report(a, 3, 2), "rep.g2/0000003.json");
    assert_string_equal(layout_inputs(a, 3, 2), "in.g2/0000003.json");
    assert_string_equal(layout_cancelled(a, 0), "cancelled.json");
    assert_string_equal(layout_cancelled(a, 2), "cancelled.g2.json");
    assert_string_equal(layout_ended(a, 2), "ended.g2");
    assert_string_equal(layout_requests(a, 123), "req/0000123");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_come_back_part_by_part),
        TEST(an_empty_set_is_a_set),
        TEST(windows_out_of_order_or_without_rows_are_refused),
        TEST(the_second_writer_learns_whether_he_had_the_same),
        TEST(every_changed_and_every_missing_byte_is_noticed),
        TEST(a_part_is_of_the_newest_generation_that_lists_it),
        TEST(a_generation_that_is_missing_is_an_error),
        cmocka_unit_test(names_of_generations_are_stable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
