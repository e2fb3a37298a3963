#include "tests/testlib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/enrich/block.h"
#include "common/enrich/round_map.h"

#define ANALYSES 3

#define SUM 0xF0000000u /* of the first block of a draft; each next one has one more */

static const struct round_map_id the_id = {
    .recipe = "recipe-digest", .rows = "rows-fingerprint", .round = 2, .analyses = ANALYSES};

/* An item as a test writes it down. */
struct written {
    size_t analysis;
    enum render_code code;
    uint32_t rows[4];
    size_t row_count;
    bool multimodal;
    uint64_t tokens, max_output;
    const char *why;
    const char *ids[4]; /* NULL: not kept */
};

static bool append(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct buf *out = arg;

    return buf_append(out, bytes, len) || err_set(err, ERR_INTERNAL, "full");
}

static struct render_item item_of(const struct written *w)
{
    return (struct render_item){.analysis = w->analysis,
                                .code = w->code,
                                .rows = w->rows,
                                .row_count = w->row_count,
                                .multimodal = w->multimodal,
                                .tokens = w->tokens,
                                .max_output = w->max_output,
                                .why = w->why == NULL ? "" : w->why};
}

/* A map being written in memory. */
struct draft {
    struct buf file;
    struct round_map_writer *writer;
    struct round_counts counts;
};

static void draft_begin(struct draft *d)
{
    memset(d, 0, sizeof(*d));
    d->file = BUF_INIT(64u << 20);
    d->writer = round_map_writer_new(&the_id, append, &d->file);
    round_counts_init(&d->counts, ANALYSES);
}

static void draft_block(struct draft *d, size_t rows)
{
    const struct block block = {
        .first = d->counts.rows, .count = rows, .sum = SUM + (uint32_t)d->counts.blocks};

    assert_true(round_map_block(d->writer, &block, NULL));
    round_counts_block(&d->counts, rows);
}

static void draft_item(struct draft *d, const struct written *w)
{
    struct render_item item = item_of(w);

    assert_true(round_map_item(d->writer, &item, w->ids[0] == NULL ? NULL : w->ids, NULL));
    round_counts_item(&d->counts, &item);
}

static void draft_end(struct draft *d)
{
    assert_true(round_map_end(d->writer, &d->counts, NULL));
    round_map_writer_free(d->writer);
    d->writer = NULL;
}

static void draft_free(struct draft *d)
{
    buf_release(&d->file);
    round_counts_release(&d->counts);
}

static struct round_map *open_bytes(const char *bytes, size_t len, struct err *err)
{
    char path[] = "/tmp/sheaf-map-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return round_map_new(fd, "r2.map", err);
}

/* Read all of it; false, with @err, as the reader says. */
static bool read_all(const char *bytes, size_t len, struct err *err)
{
    struct round_map *map = open_bytes(bytes, len, err);
    const struct map_block *block;
    bool end = false;
    bool ok = map != NULL;

    while (ok && !end)
        ok = round_map_next(map, &block, &end, err);
    round_map_close(map);
    return ok;
}

static void assert_request(const struct map_request *got, const struct written *want)
{
    assert_int_equal(got->analysis, want->analysis);
    assert_int_equal(got->multimodal, want->multimodal);
    assert_int_equal(got->tokens, want->tokens);
    assert_int_equal(got->max_output, want->max_output);
    assert_int_equal(got->row_count, want->row_count);
    for (size_t i = 0; i < want->row_count; i++) {
        assert_int_equal(got->rows[i], want->rows[i]);
        if (want->ids[0] == NULL)
            assert_null(got->ids);
        else
            assert_string_equal(got->ids[i], want->ids[i]);
    }
}

static void assert_pair(const struct map_pair *got, const struct written *want)
{
    assert_int_equal(got->analysis, want->analysis);
    assert_int_equal(got->code, want->code);
    assert_int_equal(got->row, want->rows[0]);
    assert_string_equal(got->why, want->why == NULL ? "" : want->why);
}

static void assert_block(const struct map_block *block, const struct written *want, size_t count)
{
    size_t requests = 0, pairs = 0;

    for (size_t i = 0; i < count; i++) {
        if (want[i].code == RENDER_ASKED) {
            assert_true(requests < block->request_count);
            assert_request(&block->requests[requests++], &want[i]);
        } else {
            assert_true(pairs < block->pair_count);
            assert_pair(&block->pairs[pairs++], &want[i]);
        }
    }
    assert_int_equal(block->request_count, requests);
    assert_int_equal(block->pair_count, pairs);
}

/* What is asked: one row, and the answer to it. */
#define ASKED(a, row, t, max)                                                                \
    {                                                                                        \
        .analysis = (a), .rows = {(row)}, .row_count = 1, .tokens = (t), .max_output = (max) \
    }
#define NOT_ASKED(a, row, c, words)                                                   \
    {                                                                                 \
        .analysis = (a), .rows = {(row)}, .row_count = 1, .code = (c), .why = (words) \
    }

static const struct written a_pack = {
    .analysis = 1,
    .rows = {2,     4,  5    },
    .row_count = 3,
    .tokens = 4000000000,
    .max_output = 1,
    .ids = {"p-2", "", "五"}
};
static const struct written an_image = {
    .rows = {4}, .row_count = 1, .tokens = 9, .multimodal = true};
static const struct written a_pack_of_one = {
    .analysis = 1, .rows = {3}, .row_count = 1, .tokens = 5, .ids = {"p-3"}};

static const struct written one_of_each[] = {
    ASKED(0, 0, 300, 20),
    ASKED(0, 1, 7, 20),
    ASKED(0, 3, 8, 20),
    ASKED(0, 4, 10, 0),
    ASKED(0, 5, 10, 0),
    NOT_ASKED(0, 2, RENDER_SKIPPED, ""),
    NOT_ASKED(1, 0, RENDER_TEMPLATE_ERROR, "no \"a\""),
    NOT_ASKED(1, 1, RENDER_TEMPLATE_ERROR, "no \"b\""),
    ASKED(1, 2, 1, 1),
    ASKED(1, 3, 1, 1),
    NOT_ASKED(2, 0, RENDER_SKIPPED, ""),
    NOT_ASKED(2, 1, RENDER_SKIPPED, ""),
    NOT_ASKED(2, 2, RENDER_IMAGE_MISSING, "a.png"),
    NOT_ASKED(2, 5, RENDER_ROW_TOO_LONG, "long"),
};

#define EACH (sizeof(one_of_each) / sizeof(one_of_each[0]))

/* The table with what does not go into a table of one line each. */
static void fill_each(struct written out[EACH])
{
    memcpy(out, one_of_each, sizeof(one_of_each));
    out[3] = an_image;
    out[8] = a_pack;
    out[9] = a_pack_of_one;
}

static void draft_small(struct draft *d)
{
    struct written each[EACH];

    fill_each(each);
    draft_begin(d);
    draft_block(d, 6);
    for (size_t i = 0; i < EACH; i++)
        draft_item(d, &each[i]);
    draft_block(d, 1000);
    draft_block(d, 1);
    draft_item(d, &one_of_each[0]);
    draft_end(d);
}

static void test_reads_back_what_was_written(void **state)
{
    struct draft d;
    struct written each[EACH];
    const struct map_block *block;
    bool end = true;

    (void)state;
    fill_each(each);
    draft_small(&d);
    struct round_map *map = open_bytes(d.file.data, d.file.len, NULL);
    assert_non_null(map);
    assert_int_equal(round_map_id(map)->round, 2);
    assert_string_equal(round_map_id(map)->recipe, "recipe-digest");
    assert_string_equal(round_map_id(map)->rows, "rows-fingerprint");

    assert_true(round_map_next(map, &block, &end, NULL));
    assert_false(end);
    assert_int_equal(block->first, 0);
    assert_int_equal(block->rows, 6);
    assert_int_equal(block->sum, SUM);
    assert_block(block, each, EACH);

    assert_true(round_map_next(map, &block, &end, NULL));
    assert_int_equal(block->first, 6);
    assert_int_equal(block->rows, 1000);
    assert_int_equal(block->sum, SUM + 1);
    assert_block(block, NULL, 0);

    assert_true(round_map_next(map, &block, &end, NULL));
    assert_int_equal(block->first, 1006);
    assert_block(block, each, 1);

    assert_true(round_map_next(map, &block, &end, NULL));
    assert_true(end);
    assert_true(round_map_next(map, &block, &end, NULL));
    assert_true(end);
    const struct round_counts *counts = round_map_counts(map);
    assert_int_equal(counts->rows, 1007);
    assert_int_equal(counts->blocks, 3);
    assert_int_equal(counts->requests, 8);
    assert_int_equal(counts->analyses[0].requests, 6);
    assert_int_equal(counts->analyses[0].pairs[RENDER_SKIPPED], 1);
    assert_int_equal(counts->analyses[0].tokens, 300 + 7 + 8 + 9 + 10 + 300);
    assert_int_equal(counts->analyses[0].unbounded, 2);
    assert_int_equal(counts->analyses[1].pairs[RENDER_ASKED], 4);
    assert_int_equal(counts->analyses[1].pairs[RENDER_TEMPLATE_ERROR], 2);
    round_map_close(map);
    draft_free(&d);
}

static void test_a_round_without_rows_has_an_empty_map(void **state)
{
    struct draft d;
    const struct map_block *block;
    bool end = false;

    (void)state;
    draft_begin(&d);
    draft_end(&d);
    struct round_map *map = open_bytes(d.file.data, d.file.len, NULL);
    assert_non_null(map);
    assert_true(round_map_next(map, &block, &end, NULL));
    assert_true(end);
    round_map_close(map);
    draft_free(&d);
}

static void test_every_cut_off_file_is_refused(void **state)
{
    struct draft d;

    (void)state;
    draft_small(&d);
    for (size_t len = 0; len < d.file.len; len++) {
        struct err err = {0};

        assert_false(read_all(d.file.data, len, &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
        assert_non_null(strstr(err.msg, "r2.map"));
    }
    draft_free(&d);
}

static void test_every_changed_byte_is_noticed(void **state)
{
    struct draft d;

    (void)state;
    draft_small(&d);
    for (size_t i = 0; i < d.file.len; i++) {
        struct err err = {0};

        d.file.data[i] = (char)(d.file.data[i] ^ 0x10);
        assert_false(read_all(d.file.data, d.file.len, &err));
        d.file.data[i] = (char)(d.file.data[i] ^ 0x10);
    }
    assert_true(read_all(d.file.data, d.file.len, NULL));
    draft_free(&d);
}

static void test_bytes_behind_the_end_are_refused(void **state)
{
    struct draft d;
    struct err err = {0};

    (void)state;
    draft_small(&d);
    assert_true(buf_append(&d.file, "x", 1));
    assert_false(read_all(d.file.data, d.file.len, &err));
    assert_non_null(strstr(err.msg, "behind its end"));
    draft_free(&d);
}

static void test_sums_that_do_not_fit_are_noticed(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct draft d;
        struct err err = {0};

        draft_begin(&d);
        draft_block(&d, 2);
        draft_item(&d, &one_of_each[0]);
        d.counts.rows += i == 0;
        d.counts.blocks += i == 1;
        d.counts.requests += i == 2;
        draft_end(&d);
        assert_false(read_all(d.file.data, d.file.len, &err));
        assert_non_null(strstr(err.msg, "sums"));
        draft_free(&d);
    }
}

static void test_anything_else_is_no_map(void **state)
{
    static const char *const files[] = {"", "SHEAF", "{\"a\":1}\n{\"b\":2}\n", "SHEAFMAPSHEAFMAP"};

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct err err = {0};

        assert_null(open_bytes(files[i], strlen(files[i]), &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
    }
}

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t len = 0;

    for (; *hex != '\0'; hex += hex[2] == ' ' ? 3 : 2)
        out[len++] = (uint8_t)strtoul((char[]){hex[0], hex[1], '\0'}, NULL, 16);
    return len;
}

/* Blocks that have the right checksum and make no sense, as a broken program would write them. */
static void test_nonsense_with_a_right_checksum_is_refused(void **state)
{
    static const char *const blocks[] = {
        "42 00 00 00",                            /* no rows */
        "42 00 e9 07 00",                         /* 1,001 rows */
        "42 01 05 00",                            /* not the next row */
        "42 00 05 00 0c 00 00 00 01 00",          /* analysis 3 of 3 */
        "42 00 05 00 03",                         /* no such kind */
        "42 00 05 00 00 00 00 05 01 01",          /* row 5 of 5 */
        "42 00 05 00 00 00 00 03 03 01 01 01",    /* rows 3 to 5 */
        "42 00 05 00 00 00 00 00 00",             /* a run of none */
        "42 00 05 00 01 00 00 00 02 00 00",       /* a pack with a row twice */
        "42 00 05 00 01 00 00 00 02 04 01",       /* a pack with row 5 */
        "42 00 05 00 01 00 00 00 00 00",          /* a pack of none */
        "42 00 05 00 02 00 00 00 00 01",          /* a pair that is asked */
        "42 00 05 00 02 09 00 00 00 01",          /* no such code */
        "42 00 05 00 02 01 05 78 00 00 01",       /* a reason that goes on behind the end */
        "42 00 05 00 02 01 01 78 78 00 01",       /* a reason without a NUL */
        "42 00 05 00 00 00 00 00 05 ff ff ff ff", /* numbers that break off */
        "42 00 01 00 02 01 00 00 00 01 02 01 00 00 00 01 02 01 00 00 00 01 02 01 00 00 00 01",
        "42 00 05 80 80 80 80 10", /* a sum of more than 32 bits */
        "51",                      /* no record that is known */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct draft d;
        uint8_t frame[8], bytes[64];
        size_t len = from_hex(blocks[i], bytes);
        struct err err = {0};

        draft_begin(&d);
        draft_end(&d); /* the last record is replaced */
        d.file.len = 8 + 8 + get_u32((const uint8_t *)d.file.data + 8);
        put_u32(put_u32(frame, (uint32_t)len), crc32c(0, bytes, len));
        assert_true(buf_append(&d.file, frame, sizeof(frame)));
        assert_true(buf_append(&d.file, bytes, len));
        assert_false(read_all(d.file.data, d.file.len, &err));
        if (strstr(err.msg, "too early") != NULL)
            fail_msg("block %zu was taken", i);
        draft_free(&d);
    }
}

static void test_a_map_of_something_else_is_a_conflict(void **state)
{
    struct draft d;
    struct round_map_id other[] = {the_id, the_id, the_id, the_id};
    static const char *const words[] = {"another recipe", "other rows", "round 2, not of round 3",
                                        "another recipe"};

    (void)state;
    other[0].recipe[0] = 'X';
    other[1].rows[0] = 'X';
    other[2].round = 3;
    other[3].analyses = 2;
    draft_small(&d);
    struct round_map *map = open_bytes(d.file.data, d.file.len, NULL);
    assert_non_null(map);
    assert_true(round_map_check(map, &the_id, NULL));
    for (size_t i = 0; i < 4; i++) {
        struct err err = {0};

        assert_false(round_map_check(map, &other[i], &err));
        assert_int_equal(err.kind, ERR_CONFLICT);
        assert_non_null(strstr(err.msg, words[i]));
    }
    round_map_close(map);
    draft_free(&d);
}

static void test_a_newer_version_is_refused_as_such(void **state)
{
    struct draft d;
    struct err err = {0};

    (void)state;
    draft_begin(&d);
    draft_end(&d);
    uint8_t *frame = (uint8_t *)d.file.data + 8;
    uint32_t len = get_u32(frame);
    frame[8 + 1] = ROUND_MAP_VERSION + 1;
    put_u32(frame + 4, crc32c(0, frame + 8, len));
    assert_false(read_all(d.file.data, d.file.len, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    draft_free(&d);
}

static void test_a_long_reason_is_cut_between_characters(void **state)
{
    struct draft d;
    char why[1200] = "x";
    const struct map_block *block;
    bool end = false;

    (void)state;
    for (size_t i = 1; i + 3 < sizeof(why); i += 3)
        memcpy(why + i, "长", 4);
    draft_begin(&d);
    draft_block(&d, 1);
    draft_item(&d, &(struct written){
                       .code = RENDER_TEMPLATE_ERROR, .rows = {0}, .row_count = 1, .why = why});
    draft_end(&d);
    struct round_map *map = open_bytes(d.file.data, d.file.len, NULL);
    assert_non_null(map);
    assert_true(round_map_next(map, &block, &end, NULL));
    assert_int_equal(strlen(block->pairs[0].why), 511);
    assert_memory_equal(block->pairs[0].why, why, 511);
    assert_int_equal((511 - 1) % 3, 0);
    round_map_close(map);
    draft_free(&d);
}

static void test_a_million_rows_take_two_bytes_each(void **state)
{
    struct draft d;

    (void)state;
    draft_begin(&d);
    for (uint32_t block = 0; block < 100; block++) {
        draft_block(&d, 1000);
        for (uint32_t row = 0; row < 1000; row++)
            draft_item(&d, &(struct written){
                               .rows = {row}, .row_count = 1, .tokens = 500, .max_output = 100});
    }
    draft_end(&d);
    assert_true(d.file.len < 100 * 2035 + 200);
    assert_true(read_all(d.file.data, d.file.len, NULL));
    draft_free(&d);
}

static uint32_t next_random(uint64_t *seed, uint32_t bound)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % bound;
}

/* One random item for what is left of the rows from *@row. */
static struct written random_item(uint64_t *seed, size_t analysis, uint32_t *row, uint32_t rows)
{
    static const char *const ids[] = {"a", "b", "cc", "d"};
    struct written w = {.analysis = analysis, .row_count = 1};

    w.rows[0] = *row;
    w.code = next_random(seed, 3) == 0 ? 1 + next_random(seed, RENDER_CODES - 1) : RENDER_ASKED;
    *row += next_random(seed, 4) == 0 ? 2 : 1;
    if (w.code != RENDER_ASKED) {
        w.why = next_random(seed, 2) == 0 ? "one" : "two";
        return w;
    }
    w.tokens = (uint64_t)next_random(seed, 70000) << next_random(seed, 20);
    w.max_output = next_random(seed, 3) == 0 ? next_random(seed, 3) : 0;
    w.multimodal = next_random(seed, 5) == 0;
    while (w.row_count < 4 && *row < rows && next_random(seed, 3) == 0) {
        w.rows[w.row_count++] = *row;
        *row += 1 + next_random(seed, 2);
    }
    if (analysis == 1)
        memcpy(w.ids, ids, sizeof(ids));
    return w;
}

static void test_random_blocks_come_back(void **state)
{
    uint64_t seed = 7;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct written items[512];
        size_t count = 0;
        struct draft d;
        const struct map_block *block;
        bool end = false;
        uint32_t rows = 1 + next_random(&seed, 120);

        draft_begin(&d);
        draft_block(&d, rows);
        for (size_t a = 0; a < ANALYSES; a++) {
            for (uint32_t row = 0; row < rows;) {
                items[count] = random_item(&seed, a, &row, rows);
                draft_item(&d, &items[count++]);
            }
        }
        draft_end(&d);
        struct round_map *map = open_bytes(d.file.data, d.file.len, NULL);
        assert_non_null(map);
        assert_true(round_map_next(map, &block, &end, NULL));
        assert_block(block, items, count);
        assert_true(round_map_next(map, &block, &end, NULL));
        assert_true(end);
        round_map_close(map);
        draft_free(&d);
    }
}

static void test_custom_ids_have_four_digits_or_more(void **state)
{
    static const struct {
        uint64_t row;
        const char *id;
    } cases[] = {
        {0,                      "topics_0000"        },
        {12,                     "topics_0012"        },
        {9999,                   "topics_9999"        },
        {10000,                  "topics_10000"       },
        {UINT64_C(123456789012), "topics_123456789012"}
    };
    struct buf id = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(round_custom_id(&id, "topics", cases[i].row));
        assert_string_equal(id.data, cases[i].id);
    }
    buf_release(&id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_back_what_was_written),
        cmocka_unit_test(test_a_round_without_rows_has_an_empty_map),
        cmocka_unit_test(test_every_cut_off_file_is_refused),
        cmocka_unit_test(test_every_changed_byte_is_noticed),
        cmocka_unit_test(test_bytes_behind_the_end_are_refused),
        cmocka_unit_test(test_sums_that_do_not_fit_are_noticed),
        cmocka_unit_test(test_anything_else_is_no_map),
        cmocka_unit_test(test_nonsense_with_a_right_checksum_is_refused),
        cmocka_unit_test(test_a_map_of_something_else_is_a_conflict),
        cmocka_unit_test(test_a_newer_version_is_refused_as_such),
        cmocka_unit_test(test_a_long_reason_is_cut_between_characters),
        cmocka_unit_test(test_a_million_rows_take_two_bytes_each),
        cmocka_unit_test(test_random_blocks_come_back),
        cmocka_unit_test(test_custom_ids_have_four_digits_or_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
