/*
 * Documents that come from the sink or from Redis: payloads, evidence and ids.
 * Read as they are, and as what is in a good frame, which few mutations keep.
 * What was taken is written again and must come back the same.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "common/codec/evidence.h"
#include "common/codec/frame.h"
#include "common/codec/ids.h"
#include "common/codec/payload.h"
#include "common/model/mask.h"

#define LIMIT (64u << 20)

static bool same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return (a == NULL) == (b == NULL) && a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static void read_payload(const void *bytes, size_t len)
{
    struct buf out = BUF_INIT(LIMIT);
    struct payload p, back;

    if (!payload_decode(bytes, len, &p, NULL))
        return;
    if (payload_encode(p.first_line, p.bytes, p.len, &out, NULL)) {
        FUZZ_CHECK(payload_decode(out.data, out.len, &back, NULL));
        FUZZ_CHECK(back.first_line == p.first_line && back.crc == p.crc);
        FUZZ_CHECK(back.len == p.len && (p.len == 0 || memcmp(back.bytes, p.bytes, p.len) == 0));
        payload_release(&back);
    }
    payload_release(&p);
    buf_release(&out);
}

static void check_members(const struct evidence *a, const struct evidence *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct member *m = &a->members[i];
        const struct member *n = &b->members[i];

        FUZZ_CHECK(i == 0 || m->window > a->members[i - 1].window);
        FUZZ_CHECK(m->left <= m->lines);
        FUZZ_CHECK(m->window == n->window && m->lines == n->lines && m->left == n->left);
        FUZZ_CHECK(m->attempt == n->attempt && m->crc == n->crc);
        FUZZ_CHECK(memcmp(m->mask, n->mask, sizeof(m->mask)) == 0);
    }
}

static void read_evidence(const void *bytes, size_t len)
{
    struct buf out = BUF_INIT(LIMIT);
    struct evidence e, back;

    if (!evidence_decode(bytes, len, &e, NULL))
        return;
    FUZZ_CHECK(evidence_encode(&e, &out));
    FUZZ_CHECK(evidence_decode(out.data, out.len, &back, NULL));
    FUZZ_CHECK(strcmp(e.bid, back.bid) == 0 && strcmp(e.remote, back.remote) == 0);
    FUZZ_CHECK(strcmp(e.failure, back.failure) == 0 && strcmp(e.message, back.message) == 0);
    FUZZ_CHECK(e.remote_created_ms == back.remote_created_ms && e.run_ms == back.run_ms);
    FUZZ_CHECK(e.ended_ms == back.ended_ms && e.lines == back.lines && e.alien == back.alien);
    FUZZ_CHECK(e.garbled == back.garbled && e.duplicate == back.duplicate);
    FUZZ_CHECK(e.count == back.count);
    check_members(&e, &back);
    evidence_release(&back);
    evidence_release(&e);
    buf_release(&out);
}

static void read_ids(const void *bytes, size_t len)
{
    struct buf out = BUF_INIT(LIMIT);
    struct ids ids, back;

    if (!ids_decode(bytes, len, &ids, NULL))
        return;
    if (ids_encode(ids.crc, ids.entries, ids.count, &out, NULL)) {
        FUZZ_CHECK(ids_decode(out.data, out.len, &back, NULL));
        FUZZ_CHECK(ids.crc == back.crc && ids.count == back.count);
        for (size_t i = 0; i < ids.count; i++) {
            const struct ids_entry *a = &ids.entries[i];
            const struct ids_entry *b = &back.entries[i];

            FUZZ_CHECK(a->line == b->line && same_bytes(a->id, a->id_len, b->id, b->id_len));
            FUZZ_CHECK(same_bytes(a->reason, a->reason_len, b->reason, b->reason_len));
        }
        ids_release(&back);
    }
    ids_release(&ids);
    buf_release(&out);
}

static void read_documents(const void *bytes, size_t len)
{
    read_payload(bytes, len);
    read_evidence(bytes, len);
    read_ids(bytes, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf framed = BUF_INIT(LIMIT);

    read_documents(data, size);
    FUZZ_CHECK(frame_pack(data, size, &framed, NULL));
    read_documents(framed.data, framed.len);
    buf_release(&framed);
    return 0;
}
