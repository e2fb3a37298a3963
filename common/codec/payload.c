#include "common/codec/payload.h"

#include <stdlib.h>

#include "common/codec/frame.h"
#include "common/codec/unpack.h"
#include "common/digest/crc32c.h"

#define ELEMENTS   4
#define HEAD_BYTES 64u /* more than everything but the window takes */

bool payload_encode(uint64_t first_line, const void *bytes, size_t len, struct buf *out,
                    struct err *err)
{
    struct buf doc = BUF_INIT(PAYLOAD_MAX_BYTES);
    msgpack_packer pk;
    bool ok = false;

    msgpack_packer_init(&pk, &doc, pack_write);
    if (len > PAYLOAD_MAX_BYTES - HEAD_BYTES || msgpack_pack_array(&pk, ELEMENTS) != 0 ||
        msgpack_pack_uint32(&pk, PAYLOAD_VERSION) != 0 ||
        msgpack_pack_uint64(&pk, first_line) != 0 ||
        msgpack_pack_uint32(&pk, crc32c(0, bytes, len)) != 0 ||
        msgpack_pack_bin_with_body(&pk, bytes, len) != 0)
        err_set(err, ERR_PERMANENT, "a window of %zu bytes is too large to travel inline", len);
    else
        ok = frame_pack(doc.data, doc.len, out, err);
    buf_release(&doc);
    return ok;
}

/* @o[1..3]; *@out points into what was unpacked. */
static bool read_elements(const msgpack_object *o, struct payload *out, struct err *err)
{
    struct payload p = {0};

    if (!unpack_u64(&o[1], UINT64_MAX, &p.first_line) || !unpack_u32(&o[2], UINT32_MAX, &p.crc) ||
        o[3].type != MSGPACK_OBJECT_BIN)
        return err_set(err, ERR_PERMANENT, "inline payload: an element has the wrong type");
    p.bytes = o[3].via.bin.ptr;
    p.len = o[3].via.bin.size;
    if (crc32c(0, p.bytes, p.len) != p.crc)
        return err_set(err, ERR_PERMANENT, "inline payload: the checksum is wrong");
    *out = p;
    return true;
}

bool payload_decode(const void *bytes, size_t len, struct payload *out, struct err *err)
{
    msgpack_unpacked doc;
    char *content;
    size_t content_len;

    if (!frame_unpack(bytes, len, PAYLOAD_MAX_BYTES, &content, &content_len, err))
        return err_wrap(err, "inline payload");
    if (!unpack_document(content, content_len, PAYLOAD_VERSION, ELEMENTS, "inline payload", &doc,
                         err)) {
        free(content);
        return false;
    }
    /* msgpack_unpack_next() lets strings point into @content. */
    bool ok = read_elements(doc.data.via.array.ptr, out, err);
    msgpack_unpacked_destroy(&doc);
    if (ok)
        out->owned = content;
    else
        free(content);
    return ok;
}

void payload_release(struct payload *payload)
{
    free(payload->owned);
    *payload = (struct payload){0};
}
