#include "common/codec/ids.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/codec/frame.h"
#include "common/codec/unpack.h"
#include "common/model/ordinal.h"

#define ELEMENTS       3
#define ENTRY_ELEMENTS 3
#define MAX_BYTES      (32u << 20)

/* A run of bytes; nil for a NULL. */
static int pack_bytes(msgpack_packer *pk, const char *bytes, size_t len)
{
    return bytes == NULL ? msgpack_pack_nil(pk) : msgpack_pack_bin_with_body(pk, bytes, len);
}

bool ids_encode(uint32_t crc, const struct ids_entry *entries, size_t count, struct buf *out,
                struct err *err)
{
    struct buf doc = BUF_INIT(MAX_BYTES);
    msgpack_packer pk;
    bool ok = false;

    msgpack_packer_init(&pk, &doc, pack_write);
    int failed = msgpack_pack_array(&pk, ELEMENTS);
    failed |= msgpack_pack_uint32(&pk, IDS_VERSION);
    failed |= msgpack_pack_uint32(&pk, crc);
    failed |= msgpack_pack_array(&pk, count);
    for (size_t i = 0; i < count; i++) {
        const struct ids_entry *e = &entries[i];

        failed |= msgpack_pack_array(&pk, ENTRY_ELEMENTS);
        failed |= msgpack_pack_uint64(&pk, e->line);
        failed |= pack_bytes(&pk, e->id, e->id_len);
        failed |= pack_bytes(&pk, e->reason, e->reason_len);
    }
    if (failed != 0)
        err_set(err, ERR_PERMANENT, "the ids of a window take more than %u bytes", MAX_BYTES);
    else
        ok = frame_pack(doc.data, doc.len, out, err);
    buf_release(&doc);
    return ok;
}

static bool read_bytes(const msgpack_object *o, const char **bytes, size_t *len)
{
    if (o->type == MSGPACK_OBJECT_NIL)
        return true; /* stays NULL */
    if (o->type != MSGPACK_OBJECT_BIN)
        return false;
    *bytes = o->via.bin.size == 0 ? "" : o->via.bin.ptr;
    *len = o->via.bin.size;
    return true;
}

static bool read_entry(const msgpack_object *o, struct ids_entry *entry)
{
    if (o->type != MSGPACK_OBJECT_ARRAY || o->via.array.size != ENTRY_ELEMENTS)
        return false;

    const msgpack_object *e = o->via.array.ptr;
    return unpack_u64(&e[0], UINT64_MAX, &entry->line) &&
           read_bytes(&e[1], &entry->id, &entry->id_len) &&
           read_bytes(&e[2], &entry->reason, &entry->reason_len);
}

/* Entries point into the unpacked bytes. */
static bool read_elements(const msgpack_object *o, struct ids *out)
{
    struct ids ids = {0};

    if (!unpack_u32(&o[1], UINT32_MAX, &ids.crc) || o[2].type != MSGPACK_OBJECT_ARRAY ||
        o[2].via.array.size > ORDINAL_LINES)
        return false;
    ids.count = o[2].via.array.size;
    ids.entries = xcalloc(ids.count + 1, sizeof(*ids.entries));
    for (size_t i = 0; i < ids.count; i++) {
        if (!read_entry(&o[2].via.array.ptr[i], &ids.entries[i])) {
            free(ids.entries);
            return false;
        }
    }
    *out = ids;
    return true;
}

bool ids_decode(const void *bytes, size_t len, struct ids *out, struct err *err)
{
    msgpack_unpacked doc;
    char *content;
    size_t content_len;

    if (!frame_unpack(bytes, len, MAX_BYTES, &content, &content_len, err))
        return err_wrap(err, "ids");
    bool ok = unpack_document(content, content_len, IDS_VERSION, ELEMENTS, "ids", &doc, err);
    if (ok) {
        ok = read_elements(doc.data.via.array.ptr, out) ||
             err_set(err, ERR_PERMANENT, "ids: an element is wrong");
        msgpack_unpacked_destroy(&doc);
    }
    if (ok)
        out->owned = content;
    else
        free(content);
    return ok;
}

void ids_release(struct ids *ids)
{
    free(ids->entries);
    free(ids->owned);
    *ids = (struct ids){0};
}
