#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/digest/crc32c.h"

/* The examples of RFC 3720, B.4, and the usual check value. */
static void known_sums_are_right(void **state)
{
    unsigned char zeros[32] = {0};
    unsigned char ones[32];
    unsigned char up[32];

    (void)state;
    memset(ones, 0xFF, sizeof(ones));
    for (size_t i = 0; i < sizeof(up); i++)
        up[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, zeros, 32), 0x8A9136AA);
    assert_int_equal(crc32c(0, ones, 32), 0x62A8AB43);
    assert_int_equal(crc32c(0, up, 32), 0x46DD794E);
    assert_int_equal(crc32c(0, "123456789", 9), 0xE3069283);
    assert_int_equal(crc32c(0, "", 0), 0);
}

static void every_way_gives_the_same_sum(void **state)
{
    unsigned char bytes[300];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * i + 7 * i);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        uint32_t whole = crc32c(0, bytes, len);

        assert_int_equal(crc32c_portable(0, bytes, len), whole);
        for (size_t cut = 0; cut <= len; cut += 13) {
            uint32_t a = crc32c(0, bytes, cut);
            uint32_t b = crc32c(0, bytes + cut, len - cut);

            assert_int_equal(crc32c(a, bytes + cut, len - cut), whole);
            assert_int_equal(crc32c_combine(a, b, len - cut), whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sums_are_right),
        cmocka_unit_test(every_way_gives_the_same_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
