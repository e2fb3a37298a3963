#include "tests/testlib/unit.h"

#include <stdbool.h>
#include <string.h>

#include "common/base/id.h"

static void an_id_has_the_length_and_the_characters_promised(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 32; len++) {
        char id[34];

        memset(id, '#', sizeof(id));
        id_random(id, len);
        assert_int_equal(strlen(id), len);
        assert_int_equal(strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz"), len);
        assert_int_equal(id[len + 1], '#');
    }
}

static void two_ids_differ(void **state)
{
    char a[21], b[21];

    (void)state;
    id_random(a, 20);
    id_random(b, 20);
    assert_string_not_equal(a, b);
}

static void every_character_turns_up(void **state)
{
    char id[4097];
    bool seen[128] = {false};
    unsigned distinct = 0;

    (void)state;
    id_random(id, sizeof(id) - 1);
    for (const char *p = id; *p != '\0'; p++) {
        distinct += seen[(unsigned char)*p] ? 0 : 1;
        seen[(unsigned char)*p] = true;
    }
    assert_int_equal(distinct, 36);
}

static void a_random_number_is_below_its_bound_and_reaches_all_below(void **state)
{
    bool seen[7] = {false};

    (void)state;
    assert_int_equal(id_random_below(1), 0);
    for (int i = 0; i < 1000; i++) {
        uint32_t r = id_random_below(7);
        assert_true(r < 7);
        seen[r] = true;
    }
    for (int i = 0; i < 7; i++)
        assert_true(seen[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_has_the_length_and_the_characters_promised),
        cmocka_unit_test(two_ids_differ),
        cmocka_unit_test(every_character_turns_up),
        cmocka_unit_test(a_random_number_is_below_its_bound_and_reaches_all_below),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
