#ifndef CODEC_IDS_H
#define CODEC_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/** Version of the manifest of ids. Change the layout, raise the number, keep the old reader. */
#define IDS_VERSION 1

/** One request of a window, in order. */
struct ids_entry {
    uint64_t line;      /* line number in the input, from 1 */
    const char *id;     /* raw JSON of custom_id, quotes and all; NULL for none */
    size_t id_len;      /* bytes */
    const char *reason; /* why it can't be sent, not NUL-terminated; NULL: it can */
    size_t reason_len;  /* bytes */
};

/** What the merge must know of a window whose bytes were only in Redis. */
struct ids {
    uint32_t crc; /* crc32c of the window's bytes */
    struct ids_entry *entries;
    size_t count;
    void *owned; /* what the entries point into */
};

/** Append the manifest to @out. False past a limit. */
MUST_CHECK bool ids_encode(uint32_t crc, const struct ids_entry *entries, size_t count,
                           struct buf *out, struct err *err);

/** ERR_PERMANENT for anything else than a whole manifest of a known version. */
MUST_CHECK bool ids_decode(const void *bytes, size_t len, struct ids *out, struct err *err);

/** Free what ids_decode() made. */
void ids_release(struct ids *ids);

#endif
