#include "tests/testlib/unit.h"

#include <string.h>

#include "common/base/attr.h"
#include "common/codec/evidence.h"
#include "common/codec/frame.h"
#include "common/codec/ids.h"
#include "common/codec/unpack.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"

static void assert_same_bill(const struct bill *a, const struct bill *b)
{
    assert_memory_equal(&a->usage, &b->usage, sizeof(a->usage));
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->est_input, b->est_input);
    assert_int_equal(a->guessed, b->guessed);
    assert_int_equal(a->priced, b->priced);
    assert_int_equal(a->nano, b->nano);
    assert_int_equal(a->likely_nano, b->likely_nano);
}

static void assert_same_member(const struct member *a, const struct member *b)
{
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->lines, b->lines);
    assert_int_equal(a->attempt, b->attempt);
    assert_true(a->crc == b->crc);
    assert_memory_equal(a->mask, b->mask, MEMBER_MASK_BYTES);
}

static void evidence_comes_back_as_it_was(void **state)
{
    struct member members[2] = {
        {.window = 512,  .lines = 1000, .attempt = 2, .crc = 0xdeadbeef},
        {.window = 1023, .lines = 3,    .attempt = 0, .crc = 7         },
    };
    struct evidence e = {
        .bid = "0123456789abcdef",
        .remote = "batch_1",
        .remote_created_ms = 1700000000123,
        .run_ms = 5,
        .ended_ms = -1,
        .failure = "token_limit_exceeded",
        .message = "Enqueued token limit reached — 超出限制",
        .lines = 1ull << 40,
        .alien = 1,
        .garbled = 2,
        .duplicate = 3,
        .model = "glm-4-air",
        .quote = {"CNY",        250000000, 125000000, 250000000},
        .bill = { .usage = {.prompt = 1ull << 50, .cached = 5, .completion = 7, .reasoning = 2},
                  .lines = 1003,
                  .est_input = 12345,
                  .guessed = 4,
                  .priced = true,
                  .nano = 14310000000,
                  .likely_nano = 14800000000},
        .members = members,
        .count = 2,
    };
    struct buf out = BUF_INIT(1 << 20);
    struct evidence back;

    (void)state;
    mask_set(members[0].mask, 999);
    mask_set(members[1].mask, 1);
    assert_true(evidence_encode(&e, &out));
    assert_true(evidence_decode(out.data, out.len, &back, NULL));
    assert_string_equal(back.bid, e.bid);
    assert_string_equal(back.remote, e.remote);
    assert_true(back.remote_created_ms == e.remote_created_ms && back.ended_ms == -1);
    assert_string_equal(back.failure, e.failure);
    assert_string_equal(back.message, e.message);
    assert_true(back.lines == e.lines);
    assert_int_equal(back.alien + back.garbled * 10 + back.duplicate * 100, 321);
    assert_int_equal(back.count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_same_member(&back.members[i], &members[i]);
    assert_int_equal(back.members[1].left, 2);
    assert_true(back.billed);
    assert_string_equal(back.model, "glm-4-air");
    assert_string_equal(back.quote.currency, "CNY");
    assert_int_equal(back.quote.cached, 125000000);
    assert_same_bill(&back.bill, &e.bill);
    evidence_release(&back);
    buf_release(&out);
}

static void the_same_evidence_gives_the_same_bytes(void **state)
{
    struct evidence e = {.bid = "b", .remote = "r"};
    struct buf a = BUF_INIT(1 << 20);
    struct buf b = BUF_INIT(1 << 20);

    (void)state;
    assert_true(evidence_encode(&e, &a) && evidence_encode(&e, &b));
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    buf_release(&a);
    buf_release(&b);
}

static void members_out_of_order_are_refused(void **state)
{
    struct member members[2] = {
        {.window = 4, .lines = 1},
        {.window = 4, .lines = 1},
    };
    struct evidence e = {.bid = "b", .members = members, .count = 2};
    struct buf out = BUF_INIT(1 << 20);
    struct evidence back;
    struct err err = {0};

    (void)state;
    assert_true(evidence_encode(&e, &out));
    assert_false(evidence_decode(out.data, out.len, &back, &err));
    assert_int_equal(err.kind, ERR_PERMANENT);
    buf_release(&out);
}

static void cut_evidence_is_refused(void **state)
{
    struct evidence e = {.bid = "b", .remote = "r"};
    struct buf out = BUF_INIT(1 << 20);
    struct evidence back;

    (void)state;
    assert_true(evidence_encode(&e, &out));
    for (size_t i = 0; i < out.len; i++)
        assert_false(evidence_decode(out.data, i, &back, NULL));
    buf_release(&out);
}

/* Before there were bills. */
static void put_version_1(struct buf *out)
{
    struct buf doc = BUF_INIT(1 << 20);
    msgpack_packer pk;

    msgpack_packer_init(&pk, &doc, pack_write);
    msgpack_pack_array(&pk, 13);
    msgpack_pack_uint32(&pk, 1);
    pack_text(&pk, "0123456789abcdef");
    pack_text(&pk, "batch_1");
    for (int64_t i = 11; i <= 13; i++)
        msgpack_pack_int64(&pk, i);
    pack_text(&pk, "");
    pack_text(&pk, "");
    for (uint64_t i = 1; i <= 4; i++)
        msgpack_pack_uint64(&pk, i);
    msgpack_pack_array(&pk, 1);
    msgpack_pack_array(&pk, 5);
    for (uint32_t i = 1; i <= 4; i++)
        msgpack_pack_uint32(&pk, i);
    msgpack_pack_bin_with_body(&pk, "\1", 1);
    assert_true(frame_pack(doc.data, doc.len, out, NULL));
    buf_release(&doc);
}

static void evidence_of_the_first_version_is_read_and_has_no_bill(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    struct evidence back;

    (void)state;
    put_version_1(&out);
    assert_true(evidence_decode(out.data, out.len, &back, NULL));
    assert_string_equal(back.remote, "batch_1");
    assert_int_equal(back.ended_ms, 13);
    assert_int_equal(back.duplicate, 4);
    assert_int_equal(back.count, 1);
    assert_int_equal(back.members[0].left, 1);
    assert_false(back.billed);
    assert_false(back.bill.priced);
    evidence_release(&back);
    buf_release(&out);
}

static void a_quote_that_is_none_is_refused(void **state)
{
    struct evidence e = {
        .bid = "b", .bill = {.priced = true},
             .quote = { "?:", 1, 1, 1}
    };
    struct buf out = BUF_INIT(1 << 20);
    struct evidence back;

    (void)state;
    assert_true(evidence_encode(&e, &out));
    assert_false(evidence_decode(out.data, out.len, &back, NULL));
    buf_release(&out);
}

static void ids_come_back_as_they_were(void **state)
{
    const struct ids_entry named = {.line = 1, .id = "\"订单-1\"", .id_len = 10};
    const struct ids_entry nameless = {.line = 3};
    const struct ids_entry refused = {
        .line = 1ull << 40, .id = "\"\"", .id_len = 2, .reason = "no body", .reason_len = 7};
    const struct ids_entry entries[] = {named, nameless, refused};
    struct buf out = BUF_INIT(1 << 20);
    struct ids back;

    (void)state;
    assert_true(ids_encode(9, entries, ARRAY_LEN(entries), &out, NULL));
    assert_true(ids_decode(out.data, out.len, &back, NULL));
    assert_int_equal(back.crc, 9);
    assert_int_equal(back.count, 3);
    assert_memory_equal(back.entries[0].id, entries[0].id, entries[0].id_len);
    assert_null(back.entries[0].reason);
    assert_null(back.entries[1].id);
    assert_true(back.entries[2].line == 1ull << 40);
    assert_int_equal(back.entries[2].reason_len, 7);
    assert_memory_equal(back.entries[2].reason, "no body", 7);
    ids_release(&back);
    for (size_t i = 0; i < out.len; i++)
        assert_false(ids_decode(out.data, i, &back, NULL));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evidence_comes_back_as_it_was),
        cmocka_unit_test(the_same_evidence_gives_the_same_bytes),
        cmocka_unit_test(members_out_of_order_are_refused),
        cmocka_unit_test(cut_evidence_is_refused),
        cmocka_unit_test(evidence_of_the_first_version_is_read_and_has_no_bill),
        cmocka_unit_test(a_quote_that_is_none_is_refused),
        cmocka_unit_test(ids_come_back_as_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
