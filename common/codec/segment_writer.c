#include <stdlib.h>
#include <string.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/codec/segment.h"
#include "common/codec/segment_format.h"
#include "common/digest/hash.h"
#include "common/model/ordinal.h"

struct segment_writer {
    segment_write_fn write;
    void *arg;
    struct hash64 *hash;
    struct segment_header promised;
    uint64_t written;
    uint64_t previous; /* ordinal */
};

int record_compare(const void *a, const void *b)
{
    const struct record *x = a;
    const struct record *y = b;

    if (x->ordinal != y->ordinal)
        return x->ordinal < y->ordinal ? -1 : 1;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return 0;
}

static bool emit(struct segment_writer *w, const void *bytes, size_t len, struct err *err)
{
    hash64_update(w->hash, bytes, len);
    return w->write(w->arg, bytes, len, err);
}

static bool emit_header(struct segment_writer *w, struct err *err)
{
    const struct segment_header *h = &w->promised;
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    uint8_t *p = bytes;

    memcpy(p, SEGMENT_MAGIC, 8);
    p = put_u32(p + 8, SEGMENT_VERSION);
    p = put_u32(p, h->part);
    p = put_u64(p, h->first);
    p = put_u64(p, h->last);
    p = put_u64(p, h->records);
    (void)put_u32(p, h->batch_count);
    if (!emit(w, bytes, sizeof(bytes), err))
        return false;
    for (uint32_t i = 0; i < h->batch_count; i++) {
        uint8_t batch[SEGMENT_BATCH_BYTES] = {0};

        memcpy(batch, h->batches[i].bid, strnlen(h->batches[i].bid, BATCH_ID_LEN));
        (void)put_u64(batch + BATCH_ID_LEN, (uint64_t)h->batches[i].created_ms);
        if (!emit(w, batch, sizeof(batch), err))
            return false;
    }
    return true;
}

struct segment_writer *segment_writer_new(const struct segment_header *header,
                                          segment_write_fn write, void *arg, struct err *err)
{
    if (header->batch_count == 0 || header->batch_count > SEGMENT_MAX_BATCHES) {
        err_set(err, ERR_INTERNAL, "segment of %u batches", header->batch_count);
        return NULL;
    }
    struct segment_writer *w = xcalloc(1, sizeof(*w));
    w->write = write;
    w->arg = arg;
    w->hash = hash64_new();
    w->promised = *header;
    w->previous = header->first;
    if (!emit_header(w, err)) {
        segment_writer_free(w);
        return NULL;
    }
    w->promised.batches = NULL; /* borrowed for the call only */
    return w;
}

bool segment_writer_add(struct segment_writer *w, const struct record *record, struct err *err)
{
    const struct segment_header *h = &w->promised;
    uint8_t bytes[SEGMENT_RECORD_BYTES];
    uint8_t *p = bytes;

    if (record->ordinal < w->previous || record->ordinal > h->last ||
        ordinal_part(record->ordinal) != h->part || record->batch >= h->batch_count)
        return err_set(err, ERR_INTERNAL, "segment: record %llx is out of place",
                       (unsigned long long)record->ordinal);
    if (record->len > SEGMENT_MAX_LINE)
        return err_set(err, ERR_PERMANENT, "a result line of %zu bytes is too long", record->len);
    p = put_u64(p, record->ordinal);
    p = put_u64(p, record->offset);
    p = put_u32(p, record->batch);
    p = put_u32(p, record->attempt);
    p = put_u32(p, (uint32_t)record->len);
    *p = (uint8_t)record->outcome;
    w->previous = record->ordinal;
    w->written++;
    return emit(w, bytes, sizeof(bytes), err) && emit(w, record->line, record->len, err);
}

bool segment_writer_finish(struct segment_writer *w, struct err *err)
{
    uint8_t footer[SEGMENT_FOOTER_BYTES];

    if (w->written != w->promised.records)
        return err_set(err, ERR_INTERNAL, "segment of %llu records instead of %llu",
                       (unsigned long long)w->written, (unsigned long long)w->promised.records);
    (void)put_u64(footer, hash64_value(w->hash));
    return w->write(w->arg, footer, sizeof(footer), err);
}

void segment_writer_free(struct segment_writer *w)
{
    if (w == NULL)
        return;
    hash64_free(w->hash);
    free(w);
}

bool segment_write(uint32_t part, const struct segment_batch *batch, const struct record *records,
                   size_t count, segment_write_fn write, void *arg, struct err *err)
{
    struct segment_header header = {
        .part = part, .records = count, .batch_count = 1, .batches = batch};
    bool ok = true;

    if (count != 0) {
        header.first = records[0].ordinal;
        header.last = records[count - 1].ordinal;
    }
    struct segment_writer *w = segment_writer_new(&header, write, arg, err);
    if (w == NULL)
        return false;
    for (size_t i = 0; ok && i < count; i++) {
        if (i > 0 && record_compare(&records[i - 1], &records[i]) > 0)
            ok = err_set(err, ERR_INTERNAL, "segment: records are not sorted");
        else
            ok = segment_writer_add(w, &records[i], err);
    }
    ok = ok && segment_writer_finish(w, err);
    segment_writer_free(w);
    return ok;
}
