#include "tests/testlib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/xmem.h"
#include "common/codec/frame.h"
#include "common/codec/payload.h"
#include "common/digest/crc32c.h"

static void a_window_comes_back_as_it_was(void **state)
{
    static const char window[] = "{\"a\":1}\n\n{\"b\":\"\\u0000\"}\r\n\0tail";
    struct buf out = BUF_INIT(1 << 20);
    struct payload p;

    (void)state;
    assert_true(payload_encode(77, window, sizeof(window), &out, NULL));
    assert_true(payload_decode(out.data, out.len, &p, NULL));
    assert_int_equal(p.first_line, 77);
    assert_int_equal(p.crc, crc32c(0, window, sizeof(window)));
    assert_int_equal(p.len, sizeof(window));
    assert_memory_equal(p.bytes, window, sizeof(window));
    payload_release(&p);
    buf_release(&out);
}

static void an_empty_window_is_a_window(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct payload p;

    (void)state;
    assert_true(payload_encode(1, "", 0, &out, NULL));
    assert_true(payload_decode(out.data, out.len, &p, NULL));
    assert_int_equal(p.len, 0);
    payload_release(&p);
    buf_release(&out);
}

static void a_window_over_the_limit_is_refused(void **state)
{
    struct buf out = BUF_INIT(64u << 20);
    char *big = xcalloc(PAYLOAD_MAX_BYTES, 1);
    struct err err = {0};

    (void)state;
    assert_false(payload_encode(1, big, PAYLOAD_MAX_BYTES, &out, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    assert_int_equal(out.len, 0);
    free(big);
    buf_release(&out);
}

static void a_bomb_is_refused_by_its_stated_size(void **state)
{
    struct buf out = BUF_INIT(64u << 20);
    size_t size = PAYLOAD_MAX_BYTES + 1;
    char *big = xcalloc(size, 1);
    struct payload p;
    struct err err = {0};

    (void)state;
    assert_true(frame_pack(big, size, &out, NULL));
    assert_false(payload_decode(out.data, out.len, &p, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    free(big);
    buf_release(&out);
}

/* msgpack bytes, each wrapped into a good frame. */
static const struct {
    const char *name, *bytes;
    size_t len;
} broken[] = {
    {"nothing",                  "",                                         0 },
    {"no array",                 "\x01",                                     1 },
    {"an empty array",           "\x90",                                     1 },
    {"another version",          "\x94\x02\x01\x00\xc4\x00",                 6 },
    {"three elements",           "\x93\x01\x01\x00",                         4 },
    {"a tail",                   "\x94\x01\x01\x00\xc4\x00\x00",             7 },
    {"a wrong checksum",         "\x94\x01\x01\x05\xc4\x00",                 6 },
    {"text instead of bytes",    "\x94\x01\x01\x00\xa0",                     5 },
    {"a negative line",          "\x94\x01\xff\x00\xc4\x00",                 6 },
    {"an array of 4 billion",    "\xdd\xff\xff\xff\xff",                     5 },
    {"a map of 2 billion",       "\xdf\x7f\xff\xff\xff",                     5 },
    {"bytes that are not there", "\x94\x01\x01\x00\xc6\xff\xff\xff\xff",     9 },
    {"an extension type",        "\x94\x01\x01\x00\xd4\x01\x02",             7 },
    {"nesting without end",      "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91", 10},
};

static void broken_documents_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        struct buf out = BUF_INIT(1 << 20);
        struct payload p;
        struct err err = {0};

        print_message("  %s\n", broken[i].name);
        assert_true(frame_pack(broken[i].bytes, broken[i].len, &out, NULL));
        assert_false(payload_decode(out.data, out.len, &p, &err));
        assert_int_equal(err.kind, ERR_PERMANENT);
        buf_release(&out);
    }
}

static void every_flipped_bit_and_cut_is_noticed(void **state)
{
    static const char window[] = "{\"custom_id\":\"a\"}\n{\"custom_id\":\"b\"}\n";
    struct buf out = BUF_INIT(1 << 20);
    struct payload p;

    (void)state;
    assert_true(payload_encode(1, window, sizeof(window) - 1, &out, NULL));
    for (size_t i = 0; i < out.len; i++) {
        assert_false(payload_decode(out.data, i, &p, NULL));
        for (int bit = 0; bit < 8; bit++) {
            out.data[i] = (char)(out.data[i] ^ 1 << bit);
            if (payload_decode(out.data, out.len, &p, NULL)) {
                /* a bit that means nothing to the format, or the line number, which has no sum */
                assert_int_equal(p.len, sizeof(window) - 1);
                assert_memory_equal(p.bytes, window, p.len);
                payload_release(&p);
            }
            out.data[i] = (char)(out.data[i] ^ 1 << bit);
        }
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_comes_back_as_it_was),
        cmocka_unit_test(an_empty_window_is_a_window),
        cmocka_unit_test(a_window_over_the_limit_is_refused),
        cmocka_unit_test(a_bomb_is_refused_by_its_stated_size),
        cmocka_unit_test(broken_documents_are_refused),
        cmocka_unit_test(every_flipped_bit_and_cut_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
