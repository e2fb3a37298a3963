#include "common/codec/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/codec/frame.h"
#include "common/codec/unpack.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"

#define ELEMENTS        24
#define ELEMENTS_1      13
#define MEMBER_ELEMENTS 5
#define MAX_BYTES       (4u << 20)

static int pack_member(msgpack_packer *pk, const struct member *m)
{
    int failed = msgpack_pack_array(pk, MEMBER_ELEMENTS);

    failed |= msgpack_pack_uint32(pk, m->window);
    failed |= msgpack_pack_uint32(pk, m->lines);
    failed |= msgpack_pack_uint32(pk, m->attempt);
    failed |= msgpack_pack_uint32(pk, m->crc);
    failed |= msgpack_pack_bin_with_body(pk, m->mask, mask_bytes(m->lines));
    return failed;
}

static int pack_head(msgpack_packer *pk, const struct evidence *e)
{
    int failed = msgpack_pack_array(pk, ELEMENTS);

    failed |= msgpack_pack_uint32(pk, EVIDENCE_VERSION);
    failed |= pack_text(pk, e->bid);
    failed |= pack_text(pk, e->remote);
    failed |= msgpack_pack_int64(pk, e->remote_created_ms);
    failed |= msgpack_pack_int64(pk, e->run_ms);
    failed |= msgpack_pack_int64(pk, e->ended_ms);
    failed |= pack_text(pk, e->failure);
    failed |= pack_text(pk, e->message);
    failed |= msgpack_pack_uint64(pk, e->lines);
    failed |= msgpack_pack_uint64(pk, e->alien);
    failed |= msgpack_pack_uint64(pk, e->garbled);
    failed |= msgpack_pack_uint64(pk, e->duplicate);
    return failed;
}

static int pack_bill(msgpack_packer *pk, const struct evidence *e)
{
    char quote[PRICE_QUOTE_TEXT_MAX];
    const struct bill *b = &e->bill;
    int failed = pack_text(pk, e->model);

    failed |= pack_text(pk, b->priced ? price_quote_format(&e->quote, quote) : "");
    failed |= msgpack_pack_uint64(pk, b->usage.prompt);
    failed |= msgpack_pack_uint64(pk, b->usage.cached);
    failed |= msgpack_pack_uint64(pk, b->usage.completion);
    failed |= msgpack_pack_uint64(pk, b->usage.reasoning);
    failed |= msgpack_pack_uint64(pk, b->lines);
    failed |= msgpack_pack_uint64(pk, b->est_input);
    failed |= msgpack_pack_uint64(pk, b->guessed);
    failed |= msgpack_pack_int64(pk, b->nano);
    failed |= msgpack_pack_int64(pk, b->likely_nano);
    return failed;
}

bool evidence_encode(const struct evidence *e, struct buf *out)
{
    struct buf doc = BUF_INIT(MAX_BYTES);
    msgpack_packer pk;

    msgpack_packer_init(&pk, &doc, pack_write);
    int failed = pack_head(&pk, e);
    failed |= msgpack_pack_array(&pk, e->count);
    for (size_t i = 0; i < e->count; i++)
        failed |= pack_member(&pk, &e->members[i]);
    failed |= pack_bill(&pk, e);
    bool ok = failed == 0 && frame_pack(doc.data, doc.len, out, NULL);
    buf_release(&doc);
    return ok;
}

static bool read_member(const msgpack_object *o, struct member *m)
{
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != MEMBER_ELEMENTS)
        return false;

    const msgpack_object *e = o->via.array.ptr;
    if (!unpack_u32(&e[0], ORDINAL_MAX_WINDOW, &m->window) ||
        !unpack_u32(&e[1], ORDINAL_LINES, &m->lines) ||
        !unpack_u32(&e[2], UINT32_MAX, &m->attempt) || !unpack_u32(&e[3], UINT32_MAX, &m->crc) ||
        e[4].type != MSGPACK_OBJECT_BIN || e[4].via.bin.size != mask_bytes(m->lines))
        return false;
    if (e[4].via.bin.size != 0)
        memcpy(m->mask, e[4].via.bin.ptr, e[4].via.bin.size);
    m->left = mask_left(m->mask, m->lines);
    return true;
}

static bool read_members(const msgpack_object *o, struct evidence *out)
{
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size > PART_WINDOWS)
        return false;

    size_t count = o->via.array.size;
    struct member *members = xcalloc(count + 1, sizeof(*members));
    for (size_t i = 0; i < count; i++) {
        if (!read_member(&o->via.array.ptr[i], &members[i]) ||
            (i > 0 && members[i].window <= members[i - 1].window)) {
            free(members);
            return false;
        }
    }
    out->members = members;
    out->owned = members;
    out->count = count;
    return true;
}

static bool read_bill(const msgpack_object *o, struct evidence *e)
{
    struct bill *b = &e->bill;
    char quote[PRICE_QUOTE_TEXT_MAX];

    if (!unpack_text(&o[0], e->model, sizeof(e->model)) ||
        !unpack_text(&o[1], quote, sizeof(quote)) ||
        !unpack_u64(&o[2], UINT64_MAX, &b->usage.prompt) ||
        !unpack_u64(&o[3], UINT64_MAX, &b->usage.cached) ||
        !unpack_u64(&o[4], UINT64_MAX, &b->usage.completion) ||
        !unpack_u64(&o[5], UINT64_MAX, &b->usage.reasoning) ||
        !unpack_u64(&o[6], UINT64_MAX, &b->lines) ||
        !unpack_u64(&o[7], UINT64_MAX, &b->est_input) ||
        !unpack_u64(&o[8], UINT64_MAX, &b->guessed) || !unpack_i64(&o[9], &b->nano) ||
        !unpack_i64(&o[10], &b->likely_nano))
        return false;
    b->priced = quote[0] != '\0';
    e->billed = true;
    return !b->priced || price_quote_parse(quote, &e->quote);
}

static bool read_elements(const msgpack_object *o, size_t count, struct evidence *out)
{
    struct evidence e = {0};

    if (!unpack_text(&o[1], e.bid, sizeof(e.bid)) ||
        !unpack_text(&o[2], e.remote, sizeof(e.remote)) ||
        !unpack_i64(&o[3], &e.remote_created_ms) || !unpack_i64(&o[4], &e.run_ms) ||
        !unpack_i64(&o[5], &e.ended_ms) || !unpack_text(&o[6], e.failure, sizeof(e.failure)) ||
        !unpack_text(&o[7], e.message, sizeof(e.message)) ||
        !unpack_u64(&o[8], UINT64_MAX, &e.lines) || !unpack_u64(&o[9], UINT64_MAX, &e.alien) ||
        !unpack_u64(&o[10], UINT64_MAX, &e.garbled) ||
        !unpack_u64(&o[11], UINT64_MAX, &e.duplicate) ||
        (count > ELEMENTS_1 && !read_bill(&o[13], &e)) || !read_members(&o[12], &e))
        return false;
    *out = e;
    return true;
}

bool evidence_decode(const void *bytes, size_t len, struct evidence *out, struct err *err)
{
    msgpack_unpacked doc;
    char *content;
    size_t content_len;

    if (!frame_unpack(bytes, len, MAX_BYTES, &content, &content_len, err))
        return err_wrap(err, "evidence");
    bool ok =
        unpack_document(content, content_len, EVIDENCE_VERSION, ELEMENTS, "evidence", &doc, NULL) ||
        unpack_document(content, content_len, EVIDENCE_VERSION_1, ELEMENTS_1, "evidence", &doc,
                        err);
    if (ok) {
        ok = read_elements(doc.data.via.array.ptr, doc.data.via.array.size, out) ||
             err_set(err, ERR_PERMANENT, "evidence: an element is wrong");
        msgpack_unpacked_destroy(&doc);
    }
    free(content);
    return ok;
}

void evidence_release(struct evidence *evidence)
{
    free(evidence->owned);
    *evidence = (struct evidence){0};
}
