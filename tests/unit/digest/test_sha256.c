#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/digest/sha256.h"

/* FIPS 180-4 examples. */
static const struct {
    const char *text, *hex;
} cases[] = {
    {"",                                                         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc",                                                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                            },
};

static void known_digests(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char hex[SHA256_HEX_LEN + 1];

        sha256_hex(cases[i].text, strlen(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void finish_starts_anew(void **state)
{
    struct sha256 *sha = sha256_new();
    char hex[SHA256_HEX_LEN + 1];

    (void)state;
    sha256_update(sha, "ab", 2);
    sha256_update(sha, "c", 1);
    sha256_finish(sha, hex);
    assert_string_equal(hex, cases[1].hex);
    sha256_finish(sha, hex);
    assert_string_equal(hex, cases[0].hex);
    sha256_free(sha);
    sha256_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(finish_starts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
