#ifndef ENRICH_ROUND_MAP_FORMAT_H
#define ENRICH_ROUND_MAP_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/*
 * What writer and reader of a map agree on. A record is its length and the CRC-32C of its content
 * (both 4 bytes, little-endian), then the content: a kind, then numbers and texts.
 *
 *     'H' version round analyses recipe rows                            once, at the start
 *     'B' first rows sum item...                                        a block
 *     'E' rows blocks requests bytes (requests pairs*7 tokens max_output unbounded)*analyses
 *
 * A number is base 128, low digits first; a text is its length, its bytes and a NUL. An item is
 * (analysis * 4 + kind) and then
 *
 *     RUN   flags max_output first n token*n [id*n]   n requests of one row each, rows side by side
 *     PACK  flags max_output tokens n first step*(n-1) [id*n]     one request; steps between rows
 *     PAIRS code why first n                          n pairs side by side that are in no request
 */

#define MAP_MAGIC       "SHEAFMAP"
#define MAP_MAGIC_LEN   8
#define MAP_FRAME_BYTES 8          /* length and checksum before a record */
#define MAP_RECORD_MAX  (1u << 30) /* content of a record; they are some kilobytes */
#define MAP_WHY_MAX     511        /* bytes of a reason */

enum map_record { MAP_HEADER = 'H', MAP_BLOCK = 'B', MAP_END = 'E' };
enum map_item { MAP_RUN, MAP_PACK, MAP_PAIRS };
enum map_flag { MAP_MULTIMODAL = 1, MAP_IDS = 2 };

/** Append a number; false past the limit of @out. */
static inline bool map_put(struct buf *out, uint64_t v)
{
    char bytes[10];
    size_t n = 0;

    do {
        bytes[n++] = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        v >>= 7;
    } while (v != 0);
    return buf_append(out, bytes, n);
}

/** Append a text of @len bytes. */
static inline bool map_put_text(struct buf *out, const char *text, size_t len)
{
    return map_put(out, len) && buf_append(out, text, len) && buf_append(out, "", 1);
}

/** Reads a record's content; @bad once it went past the end or met nonsense: then all is 0. */
struct map_cursor {
    const unsigned char *p, *end;
    bool bad;
};

static inline uint64_t map_get(struct map_cursor *c)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (c->p == c->end)
            break;
        unsigned char byte = *c->p++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return v;
    }
    c->bad = true;
    c->p = c->end;
    return 0;
}

/** A number that is at most @max. */
static inline uint64_t map_get_upto(struct map_cursor *c, uint64_t max)
{
    uint64_t v = map_get(c);

    if (v <= max)
        return v;
    c->bad = true;
    c->p = c->end;
    return 0;
}

/** A text, NUL-terminated, borrowed from the record. */
static inline const char *map_get_text(struct map_cursor *c)
{
    uint64_t len = map_get(c);

    if (c->bad || len >= (uint64_t)(c->end - c->p) || c->p[len] != '\0') {
        c->bad = true;
        c->p = c->end;
        return "";
    }
    const char *text = (const char *)c->p;
    c->p += len + 1;
    return text;
}

#endif
