#include "common/enrich/pack.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"

static bool holds(const struct pack *pack, uint32_t row)
{
    for (size_t i = pack->count; i > 0 && pack->rows[i - 1] >= row; i--) {
        if (pack->rows[i - 1] == row)
            return true;
    }
    return false;
}

static bool has_same_id(const struct pack *pack, uint32_t row, const uint32_t *same_id)
{
    for (row = same_id[row]; row != PACK_NO_ROW; row = same_id[row]) {
        if (holds(pack, row))
            return true;
    }
    return false;
}

bool pack_takes(const struct pack *pack, const struct pack_limits *limits, uint32_t row,
                const struct line_part *part, const uint32_t *same_id)
{
    if (pack->count == 0)
        return true;
    if (pack_is_full(pack, limits) || has_same_id(pack, row, same_id))
        return false;
    uint64_t tokens = limits->base.tokens + pack->sum.tokens + part->tokens;
    uint64_t bytes = limits->base.bytes + pack->sum.bytes + part->bytes;
    return (limits->tokens == 0 || tokens <= limits->tokens) && bytes <= limits->bytes;
}

void pack_add(struct pack *pack, uint32_t row, const struct line_part *part)
{
    pack->rows[pack->count] = row;
    pack->parts[pack->count++] = *part;
    pack->sum.tokens += part->tokens;
    pack->sum.bytes += part->bytes;
}

bool pack_is_full(const struct pack *pack, const struct pack_limits *limits)
{
    return pack->count >= limits->rows || pack->count == BLOCK_ROWS;
}

void pack_drop(struct pack *pack, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pack->sum.tokens -= pack->parts[i].tokens;
        pack->sum.bytes -= pack->parts[i].bytes;
    }
    pack->count -= count;
    memmove(pack->rows, pack->rows + count, pack->count * sizeof(*pack->rows));
    memmove(pack->parts, pack->parts + count, pack->count * sizeof(*pack->parts));
}

size_t pack_fewer(const struct pack_limits *limits, size_t count, uint64_t tokens)
{
    if (tokens == 0 || limits->tokens == 0)
        return count / 2;
    uint64_t fit = (uint64_t)count * limits->tokens / tokens;
    if (fit >= count)
        fit = count - 1;
    return fit == 0 ? 1 : (size_t)fit;
}

struct named_row {
    const char *id;
    uint32_t row;
};

static int compare_rows(const void *a, const void *b)
{
    const struct named_row *x = a, *y = b;
    int order = strcmp(x->id, y->id);

    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

void pack_same_ids(const char *const *ids, size_t count, uint32_t *same_id)
{
    struct named_row *sorted = xcalloc(count, sizeof(*sorted));

    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct named_row){.id = ids[i], .row = (uint32_t)i};
    qsort(sorted, count, sizeof(*sorted), compare_rows);
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && strcmp(sorted[i].id, sorted[i - 1].id) == 0;

        same_id[sorted[i].row] = same ? sorted[i - 1].row : PACK_NO_ROW;
    }
    free(sorted);
}
