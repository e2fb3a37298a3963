#include "common/enrich/round_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/enrich/block.h"
#include "common/enrich/round_map_format.h"

#define READ_BYTES (64u << 10)

struct round_map {
    int fd;
    char *name;
    struct round_map_id id;
    struct buf record; /* the content of one */
    bool ended;
    uint64_t rows, blocks, requests; /* so far */
    struct round_counts counts;      /* what the end says */
    struct map_block block;

    /* Of the block. There is room for every pair that a block can have. */
    struct map_request *all_requests;
    struct map_pair *all_pairs;
    uint32_t *all_rows;
    const char **all_ids;
    size_t used;   /* of the two above */
    uint8_t *seen; /* of each pair, row by row: it is in an item */

    char buffer[READ_BYTES];
    size_t from, to; /* [from, to) of it was read and not consumed */
};

static bool damaged(const struct round_map *map, const char *why, struct err *err)
{
    return err_set(err, ERR_PERMANENT, "the map of a round, %s, is damaged: %s", map->name, why);
}

/* Read at least a byte; *@end instead at the end of the file. */
static bool refill(struct round_map *map, bool *end, struct err *err)
{
    ssize_t n;

    do
        n = read(map->fd, map->buffer, sizeof(map->buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", map->name, strerror(errno));
    map->from = 0;
    map->to = (size_t)n;
    *end = n == 0;
    return true;
}

/* Append @want bytes of the file to the record. */
static bool take(struct round_map *map, size_t want, struct err *err)
{
    while (want > 0) {
        size_t n = map->to - map->from;
        bool end = false;

        if (n == 0) {
            if (!refill(map, &end, err))
                return false;
            if (end)
                return damaged(map, "it ends too early", err);
            continue;
        }
        n = n < want ? n : want;
        if (!buf_append(&map->record, map->buffer + map->from, n))
            return damaged(map, "a record is too long", err);
        map->from += n;
        want -= n;
    }
    return true;
}

/* The next record into @record; @out walks over it, behind its kind. */
static bool read_record(struct round_map *map, enum map_record *kind, struct map_cursor *out,
                        struct err *err)
{
    buf_clear(&map->record);
    if (!take(map, MAP_FRAME_BYTES, err))
        return false;
    const uint8_t *frame = (const uint8_t *)map->record.data;
    uint32_t len = get_u32(frame);
    uint32_t sum = get_u32(frame + 4);

    if (len == 0 || len > MAP_RECORD_MAX)
        return damaged(map, "a record has no proper length", err);
    buf_clear(&map->record);
    if (!take(map, len, err))
        return false;
    const unsigned char *p = (const unsigned char *)map->record.data;
    if (crc32c(0, p, len) != sum)
        return damaged(map, "a checksum does not fit", err);
    *kind = (enum map_record)p[0];
    *out = (struct map_cursor){.p = p + 1, .end = p + len};
    return true;
}

static bool copy_text(char out[SHA256_HEX_LEN + 1], struct map_cursor *c)
{
    const char *text = map_get_text(c);
    size_t len = strlen(text);

    if (len > SHA256_HEX_LEN)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool read_header(struct round_map *map, struct err *err)
{
    enum map_record kind = MAP_END;
    struct map_cursor c = {0};

    if (!take(map, MAP_MAGIC_LEN, err) || memcmp(map->record.data, MAP_MAGIC, MAP_MAGIC_LEN) != 0)
        return err_set(err, ERR_PERMANENT, "%s is not the map of a round", map->name);
    if (!read_record(map, &kind, &c, err))
        return false;
    uint64_t version = map_get(&c);
    if (kind != MAP_HEADER || c.bad)
        return damaged(map, "it has no header", err);
    if (version != ROUND_MAP_VERSION)
        return err_set(err, ERR_USAGE,
                       "%s is of version %" PRIu64 ", this program reads version %d", map->name,
                       version, ROUND_MAP_VERSION);
    map->id.round = (uint32_t)map_get_upto(&c, UINT32_MAX);
    map->id.analyses = (uint32_t)map_get_upto(&c, RECIPE_MAX_ANALYSES);
    if (!copy_text(map->id.recipe, &c) || !copy_text(map->id.rows, &c) || c.bad || c.p != c.end ||
        map->id.analyses == 0)
        return damaged(map, "its header is not proper", err);
    return true;
}

struct round_map *round_map_new(int fd, const char *name, struct err *err)
{
    struct round_map *map = xcalloc(1, sizeof(*map));

    map->fd = fd;
    map->name = xstrdup(name);
    map->record = BUF_INIT(MAP_RECORD_MAX);
    if (!read_header(map, err)) {
        round_map_close(map);
        return NULL;
    }
    size_t pairs = (size_t)BLOCK_ROWS * map->id.analyses;
    map->all_requests = xcalloc(pairs, sizeof(*map->all_requests));
    map->all_pairs = xcalloc(pairs, sizeof(*map->all_pairs));
    map->all_rows = xcalloc(pairs, sizeof(*map->all_rows));
    map->all_ids = xcalloc(pairs, sizeof(*map->all_ids));
    map->seen = xcalloc(pairs, sizeof(*map->seen));
    round_counts_init(&map->counts, map->id.analyses);
    return map;
}

void round_map_close(struct round_map *map)
{
    if (map == NULL)
        return;
    (void)close(map->fd);
    free(map->name);
    buf_release(&map->record);
    free(map->all_requests);
    free(map->all_pairs);
    free(map->all_rows);
    free(map->all_ids);
    free(map->seen);
    round_counts_release(&map->counts);
    free(map);
}

const struct round_map_id *round_map_id(const struct round_map *map)
{
    return &map->id;
}

bool round_map_check(const struct round_map *map, const struct round_map_id *id, struct err *err)
{
    const struct round_map_id *mine = &map->id;

    if (strcmp(mine->recipe, id->recipe) != 0 || mine->analyses != id->analyses)
        return err_set(err, ERR_CONFLICT, "%s was made with another recipe", map->name);
    if (strcmp(mine->rows, id->rows) != 0)
        return err_set(err, ERR_CONFLICT, "%s was made of other rows", map->name);
    if (mine->round != id->round)
        return err_set(err, ERR_CONFLICT, "%s is of round %" PRIu32 ", not of round %" PRIu32,
                       map->name, mine->round, id->round);
    return true;
}

/* Note that the pair is there; false when it was before. So there is room for all. */
static bool note(struct round_map *map, uint32_t analysis, uint32_t row)
{
    uint8_t *seen = &map->seen[(size_t)row * map->id.analyses + analysis];

    return (*seen)++ == 0;
}

static struct map_request *add_request(struct round_map *map, uint32_t analysis, uint64_t flags,
                                       uint64_t max_output, size_t rows)
{
    struct map_request *request = &map->all_requests[map->block.request_count++];

    *request =
        (struct map_request){.analysis = analysis,
                             .multimodal = (flags & MAP_MULTIMODAL) != 0,
                             .max_output = max_output,
                             .rows = &map->all_rows[map->used],
                             .row_count = rows,
                             .ids = (flags & MAP_IDS) == 0 ? NULL : &map->all_ids[map->used]};
    map->used += rows;
    return request;
}

/* The ids of the @n rows that were used last. */
static void take_ids(struct round_map *map, uint64_t flags, size_t n, struct map_cursor *c)
{
    for (size_t i = map->used - n; (flags & MAP_IDS) != 0 && i < map->used; i++)
        map->all_ids[i] = map_get_text(c);
}

static bool take_run(struct round_map *map, uint32_t analysis, struct map_cursor *c)
{
    uint64_t flags = map_get_upto(c, MAP_MULTIMODAL | MAP_IDS);
    uint64_t max_output = map_get(c);
    uint32_t first = (uint32_t)map_get_upto(c, map->block.rows);
    uint32_t n = (uint32_t)map_get_upto(c, map->block.rows - first);

    if (c->bad || n == 0)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!note(map, analysis, first + i))
            return false;
        map->all_rows[map->used] = first + i;
        add_request(map, analysis, flags, max_output, 1)->tokens = map_get(c);
    }
    take_ids(map, flags, n, c);
    return !c->bad;
}

static bool take_pack(struct round_map *map, uint32_t analysis, struct map_cursor *c)
{
    uint64_t flags = map_get_upto(c, MAP_MULTIMODAL | MAP_IDS);
    uint64_t max_output = map_get(c);
    uint64_t tokens = map_get(c);
    size_t n = map_get_upto(c, map->block.rows);
    uint64_t row = 0;

    if (c->bad || n == 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        row += map_get_upto(c, map->block.rows);
        if (row >= map->block.rows || !note(map, analysis, (uint32_t)row))
            return false;
        map->all_rows[map->used + i] = (uint32_t)row;
    }
    add_request(map, analysis, flags, max_output, n)->tokens = tokens;
    take_ids(map, flags, n, c);
    return !c->bad;
}

static bool take_pairs(struct round_map *map, uint32_t analysis, struct map_cursor *c)
{
    uint64_t code = map_get_upto(c, RENDER_CODES - 1);
    const char *why = map_get_text(c);
    uint32_t first = (uint32_t)map_get_upto(c, map->block.rows);
    uint32_t n = (uint32_t)map_get_upto(c, map->block.rows - first);

    if (c->bad || n == 0 || code == RENDER_ASKED)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (!note(map, analysis, first + i))
            return false;
        map->all_pairs[map->block.pair_count++] = (struct map_pair){
            .analysis = analysis, .row = first + i, .code = (enum render_code)code, .why = why};
    }
    return true;
}

static bool take_item(struct round_map *map, struct map_cursor *c)
{
    uint64_t tag = map_get(c);
    uint64_t analysis = tag / 4;

    if (analysis >= map->id.analyses)
        return false;
    switch ((enum map_item)(tag % 4)) {
    case MAP_RUN: return take_run(map, (uint32_t)analysis, c);
    case MAP_PACK: return take_pack(map, (uint32_t)analysis, c);
    case MAP_PAIRS: return take_pairs(map, (uint32_t)analysis, c);
    }
    return false;
}

static bool take_block(struct round_map *map, struct map_cursor *c, struct err *err)
{
    map->used = 0;
    map->block = (struct map_block){.requests = map->all_requests, .pairs = map->all_pairs};
    map->block.first = map_get(c);
    map->block.rows = map_get_upto(c, BLOCK_ROWS);
    map->block.sum = (uint32_t)map_get_upto(c, UINT32_MAX);
    if (c->bad || map->block.rows == 0 || map->block.first != map->rows)
        return damaged(map, "a block is not the next one", err);
    memset(map->seen, 0, map->block.rows * map->id.analyses);
    while (c->p != c->end) {
        if (!take_item(map, c))
            return damaged(map, "a block has no proper content", err);
    }
    map->rows += map->block.rows;
    map->blocks++;
    map->requests += map->block.request_count;
    return true;
}

static void take_count(struct round_count *count, struct map_cursor *c)
{
    count->requests = map_get(c);
    for (size_t i = 0; i < RENDER_CODES; i++)
        count->pairs[i] = map_get(c);
    count->tokens = map_get(c);
    count->max_output = map_get(c);
    count->unbounded = map_get(c);
}

static bool take_end(struct round_map *map, struct map_cursor *c, struct err *err)
{
    struct round_counts *counts = &map->counts;
    bool end = false;

    counts->rows = map_get(c);
    counts->blocks = map_get(c);
    counts->requests = map_get(c);
    counts->bytes = map_get(c);
    for (uint32_t i = 0; i < counts->count; i++)
        take_count(&counts->analyses[i], c);
    if (c->bad || c->p != c->end || counts->rows != map->rows || counts->blocks != map->blocks ||
        counts->requests != map->requests)
        return damaged(map, "its sums do not fit", err);
    if (map->from == map->to && !refill(map, &end, err))
        return false;
    if (!end)
        return damaged(map, "there is something behind its end", err);
    map->ended = true;
    return true;
}

bool round_map_next(struct round_map *map, const struct map_block **out, bool *end, struct err *err)
{
    enum map_record kind = MAP_HEADER;
    struct map_cursor c = {0};

    if (!map->ended) {
        if (!read_record(map, &kind, &c, err))
            return false;
        if (kind == MAP_BLOCK) {
            if (!take_block(map, &c, err))
                return false;
            *out = &map->block;
            *end = false;
            return true;
        }
        if (kind != MAP_END)
            return damaged(map, "a record is of no known kind", err);
        if (!take_end(map, &c, err))
            return false;
    }
    *end = true;
    return true;
}

const struct round_counts *round_map_counts(const struct round_map *map)
{
    return &map->counts;
}

bool round_put_index(struct buf *out, uint64_t index)
{
    char digits[24];
    size_t at = sizeof(digits);

    while (index != 0 || at > sizeof(digits) - 4) {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    }
    return buf_append(out, digits + at, sizeof(digits) - at);
}

bool round_custom_id(struct buf *out, const char *analysis, uint64_t first_row)
{
    buf_clear(out);
    return buf_append(out, analysis, strlen(analysis)) && buf_append(out, "_", 1) &&
           round_put_index(out, first_row);
}
