#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/enrich/pack.h"

#define ROWS 8

/* Pack rows 0.. in order, as a renderer does; the sizes of the packs as "3 3 2". */
static void pack_all(const struct pack_limits *limits, const char *const *ids,
                     const uint64_t *tokens, const size_t *bytes, size_t count, char *out)
{
    struct pack *pack = xcalloc(1, sizeof(*pack));
    uint32_t same[ROWS];

    pack_same_ids(ids, count, same);
    out[0] = '\0';
    for (uint32_t row = 0; row < count; row++) {
        struct line_part part = {.tokens = tokens[row], .bytes = bytes == NULL ? 1 : bytes[row]};

        if (!pack_takes(pack, limits, row, &part, same)) {
            (void)snprintf(out + strlen(out), 8, "%zu ", pack->count);
            pack_drop(pack, pack->count);
            assert_int_equal(pack->sum.tokens, 0);
            assert_int_equal(pack->sum.bytes, 0);
        }
        pack_add(pack, row, &part);
    }
    (void)snprintf(out + strlen(out), 8, "%zu", pack->count);
    free(pack);
}

static const char *const different[ROWS] = {"a", "b", "c", "d", "e", "f", "g", "h"};

static void test_packs_are_filled_in_order_up_to_their_limits(void **state)
{
    static const struct {
        const char *name;
        struct pack_limits limits;
        uint64_t tokens[ROWS];
        size_t bytes[ROWS];
        const char *packs;
    } cases[] = {
        {"by rows",                                     {.rows = 3, .bytes = 1000},   {1, 1, 1, 1, 1, 1, 1, 1}, {0}, "3 3 2"},
        {"one row each",
         {.rows = 1, .bytes = 1000},
         {1, 1, 1, 1, 1, 1, 1, 1},
         {0},
         "1 1 1 1 1 1 1 1"                                                                                                  },
        {"all in one",                                  {.rows = 100, .bytes = 1000}, {1, 1, 1, 1, 1, 1, 1, 1}, {0}, "8"    },
        {"by tokens, what is in every request counted",
         {.rows = 100, .tokens = 100, .bytes = 1000, .base = {.tokens = 40}},
         {20, 20, 20, 20, 20, 30, 30, 30},
         {0},
         "3 2 2 1"                                                                                                          },
        {"exactly the limit",
         {.rows = 100, .tokens = 80, .bytes = 1000},
         {20, 20, 20, 20, 20, 20, 20, 20},
         {0},
         "4 4"                                                                                                              },
        {"a large row alone",
         {.rows = 100, .tokens = 50, .bytes = 1000},
         {10, 10, 500, 10, 10, 50, 1, 1},
         {0},
         "2 1 2 1 2"                                                                                                        },
        {"by bytes",
         {.rows = 100, .bytes = 100, .base = {.bytes = 10}},
         {1, 1, 1, 1, 1, 1, 1, 1},
         {30, 30, 30, 31, 60, 1, 99, 1},
         "3 1 2 1 1"                                                                                                        },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char packs[128];

        pack_all(&cases[i].limits, different, cases[i].tokens, cases[i].bytes, ROWS, packs);
        if (strcmp(packs, cases[i].packs) != 0)
            fail_msg("%s: %s instead of %s", cases[i].name, packs, cases[i].packs);
    }
}

static void test_an_id_is_in_a_pack_once(void **state)
{
    static const struct {
        const char *ids[ROWS];
        const char *packs;
    } cases[] = {
        {{"a", "b", "c", "d", "e", "f", "g", "h"}, "8"      },
        {{"a", "b", "a", "d", "e", "f", "g", "h"}, "2 6"    },
        {{"a", "a", "a", "a", "b", "c", "d", "e"}, "1 1 1 5"},
        {{"a", "b", "c", "b", "a", "c", "d", "a"}, "3 4 1"  },
        {{"", "", "x", "X", "x ", "é", "e", "x"}, "1 6 1"  },
    };
    static const uint64_t tokens[ROWS] = {1, 1, 1, 1, 1, 1, 1, 1};
    struct pack_limits limits = {.rows = 100, .bytes = 1000};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char packs[128];

        pack_all(&limits, cases[i].ids, tokens, NULL, ROWS, packs);
        if (strcmp(packs, cases[i].packs) != 0)
            fail_msg("case %zu: %s instead of %s", i, packs, cases[i].packs);
    }
}

static void test_what_is_dropped_is_gone_and_the_rest_stays(void **state)
{
    struct pack *pack = xcalloc(1, sizeof(*pack));

    (void)state;
    for (uint32_t row = 0; row < 5; row++)
        pack_add(pack, row * 2, &(struct line_part){.tokens = 1u << row, .bytes = row});
    pack_drop(pack, 2);
    assert_int_equal(pack->count, 3);
    assert_int_equal(pack->rows[0], 4);
    assert_int_equal(pack->rows[2], 8);
    assert_int_equal(pack->sum.tokens, 4 + 8 + 16);
    assert_int_equal(pack->sum.bytes, 2 + 3 + 4);
    free(pack);
}

static void test_fewer_is_always_fewer_and_never_none(void **state)
{
    struct pack_limits limits = {.tokens = 1000};

    (void)state;
    assert_int_equal(pack_fewer(&limits, 10, 2000), 5);
    assert_int_equal(pack_fewer(&limits, 10, 1001), 9);
    assert_int_equal(pack_fewer(&limits, 2, 9000000), 1);
    assert_int_equal(pack_fewer(&limits, 10, 0), 5);
    assert_int_equal(pack_fewer(&limits, 3, 0), 1);
    for (size_t count = 2; count < 50; count++) {
        for (uint64_t tokens = 0; tokens < 5000; tokens += 37) {
            size_t fewer = pack_fewer(&limits, count, tokens);

            assert_true(fewer >= 1 && fewer < count);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packs_are_filled_in_order_up_to_their_limits),
        cmocka_unit_test(test_an_id_is_in_a_pack_once),
        cmocka_unit_test(test_what_is_dropped_is_gone_and_the_rest_stays),
        cmocka_unit_test(test_fewer_is_always_fewer_and_never_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
