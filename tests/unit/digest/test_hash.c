#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/digest/hash.h"

static void hex_is_the_published_value(void **state)
{
    char hex[HASH_HEX_LEN + 1];

    (void)state;
    hash_hex("", 0, hex); /* XXH3-128 of nothing, seed 0: xxhsum's test vector */
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
}

static void hex_tells_inputs_apart(void **state)
{
    char a[HASH_HEX_LEN + 1];
    char b[HASH_HEX_LEN + 1];

    (void)state;
    hash_hex("file-a", 6, a);
    hash_hex("file-b", 6, b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), HASH_HEX_LEN);
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
    static char bytes[100000];
    struct hash64 *hash = hash64_new();

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7 + i / 251);
    for (size_t at = 0, n = 1; at < sizeof(bytes); at += n, n = n * 2 + 1) {
        if (n > sizeof(bytes) - at)
            n = sizeof(bytes) - at;
        hash64_update(hash, bytes + at, n);
        assert_true(hash64_value(hash) == hash64_of(bytes, at + n));
    }
    hash64_free(hash);
    hash64_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_is_the_published_value),
        cmocka_unit_test(hex_tells_inputs_apart),
        cmocka_unit_test(pieces_give_the_hash_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
