#include "tests/testlib/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/enrich/block.h"
#include "tests/unit/enrich/asking.h"

static int set_up(void **state)
{
    struct asking *a = xcalloc(1, sizeof(*a));

    asking_make(a);
    *state = a;
    return 0;
}

static int tear_down(void **state)
{
    asking_free(*state);
    free(*state);
    return 0;
}

/* The sizes of the blocks: "1000 1000 17". */
static void cut(struct asking *a, char *out, size_t cap)
{
    struct block_reader *reader = block_reader_new(a->rows, NULL);
    const struct block *block;
    uint64_t first = 0;
    bool end = false;

    out[0] = '\0';
    for (;;) {
        assert_true(block_next(reader, &block, &end, NULL));
        if (end)
            break;
        assert_int_equal(block->first, first);
        for (size_t i = 0; i < block->count; i++)
            assert_int_equal(block->rows[i].index, first + i);
        first += block->count;
        (void)snprintf(out + strlen(out), cap - strlen(out), "%zu ", block->count);
    }
    assert_true(block_next(reader, &block, &end, NULL));
    assert_true(end);
    block_reader_free(reader);
}

static void put_row(struct buf *out, size_t bytes)
{
    assert_true(buf_append(out, "{\"a\":\"", 6));
    assert_true(buf_reserve(out, bytes));
    memset(out->data + out->len, 'x', bytes - 8);
    out->len += bytes - 8;
    assert_true(buf_append(out, "\"}\n", 3));
}

static void test_blocks_end_at_their_limits(void **state)
{
    static const struct {
        const char *name;
        size_t rows, bytes, rows2, bytes2;
        const char *blocks;
    } cases[] = {
        {"no rows",                      0,    0,              0, 0,       ""        },
        {"one row",                      1,    10,             0, 0,       "1 "      },
        {"exactly the rows of a block",  1000, 10,             0, 0,       "1000 "   },
        {"one more",                     1001, 10,             0, 0,       "1000 1 " },
        {"by bytes",                     9,    1 << 20,        0, 0,       "4 4 1 "  },
        {"a byte too many",              1,    (4 << 20) - 10, 2, 11,      "1 2 "    },
        {"exactly the bytes of a block", 1,    (4 << 20) - 20, 3, 10,      "3 1 "    },
        {"a row larger than a block",    1,    10,             3, 5 << 20, "1 1 1 1 "},
    };
    struct asking *a = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf text = BUF_INIT(64u << 20);
        char blocks[256];

        assert_true(buf_append(&text, "", 0));
        for (size_t n = 0; n < cases[i].rows; n++)
            put_row(&text, cases[i].bytes);
        for (size_t n = 0; n < cases[i].rows2; n++)
            put_row(&text, cases[i].bytes2);
        asking_rows(a, text.data);
        cut(a, blocks, sizeof(blocks));
        if (strcmp(blocks, cases[i].blocks) != 0)
            fail_msg("%s: %s", cases[i].name, blocks);
        buf_release(&text);
    }
}

static void test_rows_keep_all_they_have(void **state)
{
    struct asking *a = *state;
    const struct block *block;
    bool end = true;

    asking_rows(a, "{\"a\": 1}\n\nnonsense\n  {\"b\":[2, 3]}  \r\n");
    struct block_reader *reader = block_reader_new(a->rows, NULL);
    assert_true(block_next(reader, &block, &end, NULL));
    assert_false(end);
    assert_int_equal(block->count, 3);

    assert_memory_equal(block->rows[0].object.text, "{\"a\": 1}", 9); /* with the NUL */
    assert_null(block->rows[0].problem);
    assert_null(block->rows[0].file);
    assert_int_equal(block->rows[1].object.kind, JSON_ABSENT);
    assert_non_null(strstr(block->rows[1].problem, "line 3"));
    assert_memory_equal(block->rows[1].bytes.p, "nonsense", 8);
    assert_int_equal(block->rows[1].line, 3);
    assert_int_equal(block->rows[2].object.kind, JSON_OBJECT);
    assert_memory_equal(block->rows[2].object.text, "{\"b\":[2, 3]}", 12);
    assert_int_equal(block->rows[2].line, 4);
    block_reader_free(reader);
}

static void test_rows_of_tables_have_objects_of_their_own(void **state)
{
    struct asking *a = *state;
    const struct block *block;
    bool end = true;

    a->recipe.rows.format = ROWS_CSV;
    asking_rows(a, "id,text\n7,\"say \"\"hi\"\"\"\n8,b\n");
    struct block_reader *reader = block_reader_new(a->rows, "id");
    assert_true(block_next(reader, &block, &end, NULL));
    assert_int_equal(block->count, 2);
    assert_memory_equal(block->rows[0].object.text, "{\"id\":\"7\",\"text\":\"say \\\"hi\\\"\"}",
                        31);
    assert_memory_equal(block->rows[0].bytes.p, "7,\"say \"\"hi\"\"\"", 15);
    assert_string_equal(block->ids[1], "8");
    block_reader_free(reader);
}

static void test_names_of_text_files_come_along(void **state)
{
    struct asking *a = *state;
    const struct block *block;
    bool end = true;

    rows_close(a->rows);
    a->recipe.rows.format = ROWS_JSONL;
    asking_rows(a, "one");
    rows_close(a->rows);
    a->recipe.rows.format = ROWS_TEXTS;
    a->rows = rows_open(a->path, &a->recipe.rows, NULL);
    struct block_reader *reader = block_reader_new(a->rows, "file");
    assert_true(block_next(reader, &block, &end, NULL));
    assert_int_equal(block->count, 1);
    assert_string_equal(block->rows[0].file, "rows.jsonl");
    assert_string_equal(block->ids[0], "rows.jsonl");
    block_reader_free(reader);
}

static void test_ids_are_the_text_of_the_id_field_or_the_index(void **state)
{
    static const struct {
        const char *row, *id;
    } cases[] = {
        {"{\"m\":{\"id\":\"p-1\"}}",        "p-1"                                       },
        {"{\"m\":{\"id\":\"\\u4f60\\n\"}}", "你\n"                                     },
        {"{\"m\":{\"id\":\"a\\u0000b\"}}",  "a\xEF\xBF\xBD"
                                           "b"},
        {"{\"m\":{\"id\":12.50}}",          "12.50"                                     },
        {"{\"m\":{\"id\":true}}",           "true"                                      },
        {"{\"m\":{\"id\":null}}",           "6"                                         },
        {"{\"m\":{\"id\":\"\"}}",           "7"                                         },
        {"{\"m\":{\"id\":[1]}}",            "8"                                         },
        {"{\"m\":{}}",                      "9"                                         },
        {"no row",                          "10"                                        },
    };
    enum { COUNT = sizeof(cases) / sizeof(cases[0]) };
    struct asking *a = *state;
    struct buf text = BUF_INIT(1 << 20);
    const struct block *block;
    bool end = true;

    assert_true(buf_printf(&text, "{\"m\":{\"id\":1}}\n"));
    for (size_t i = 0; i < COUNT; i++)
        assert_true(buf_printf(&text, "%s\n", cases[i].row));
    asking_rows(a, text.data);
    struct block_reader *reader = block_reader_new(a->rows, "m.id");
    assert_true(block_next(reader, &block, &end, NULL));
    assert_int_equal(block->count, COUNT + 1);
    for (size_t i = 0; i < COUNT; i++)
        assert_string_equal(block->ids[i + 1], cases[i].id);
    block_reader_free(reader);
    buf_release(&text);
}

static void test_an_id_that_is_too_long_is_none(void **state)
{
    struct asking *a = *state;
    const struct block *block;
    bool end = true;
    char text[2000];
    char id[300];

    memset(id, 'i', sizeof(id));
    (void)snprintf(text, sizeof(text),
                   "{\"id\":\"%.256s\"}\n{\"id\":\"%.257s\"}\n{\"id\":\"%.299s\"}\n", id, id, id);
    asking_rows(a, text);
    struct block_reader *reader = block_reader_new(a->rows, "id");
    assert_true(block_next(reader, &block, &end, NULL));
    assert_int_equal(strlen(block->ids[0]), BLOCK_ID_MAX);
    assert_string_equal(block->ids[1], "1");
    assert_string_equal(block->ids[2], "2");
    block_reader_free(reader);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_blocks_end_at_their_limits),
        CASE(test_rows_keep_all_they_have),
        CASE(test_rows_of_tables_have_objects_of_their_own),
        CASE(test_names_of_text_files_come_along),
        CASE(test_ids_are_the_text_of_the_id_field_or_the_index),
        CASE(test_an_id_that_is_too_long_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
