#include "common/enrich/block.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/digest/crc32c.h"
#include "common/json/scan.h"
#include "common/rows/row_path.h"

/* Where a row's texts are in the arena, which moves while it grows. */
struct place {
    size_t bytes, object, file, problem, id;
    bool has_file, has_problem;
};

struct block_reader {
    struct rows *rows;
    const char *id_field;
    struct row next; /* the row behind the block, still borrowed from @rows */
    bool has_next;
    bool end;

    struct block block;
    struct buf arena;
    struct place *places; /* BLOCK_ROWS of each */
    struct row *all;
    const char **ids;
};

struct block_reader *block_reader_new(struct rows *rows, const char *id_field)
{
    struct block_reader *reader = xcalloc(1, sizeof(*reader));

    reader->rows = rows;
    reader->id_field = id_field;
    reader->arena = BUF_INIT(SIZE_MAX / 2);
    reader->places = xcalloc(BLOCK_ROWS, sizeof(*reader->places));
    reader->all = xcalloc(BLOCK_ROWS, sizeof(*reader->all));
    reader->ids = xcalloc(BLOCK_ROWS, sizeof(*reader->ids));
    reader->block = (struct block){.rows = reader->all, .ids = reader->ids};
    return reader;
}

void block_reader_free(struct block_reader *reader)
{
    if (reader == NULL)
        return;
    buf_release(&reader->arena);
    free(reader->places);
    free(reader->all);
    free(reader->ids);
    free(reader);
}

/* Copy with a NUL behind; *@place is where. The arena's limit is all the memory there is. */
static bool keep(struct block_reader *reader, const char *text, size_t len, size_t *place)
{
    *place = reader->arena.len;
    return buf_append(&reader->arena, text, len) && buf_append(&reader->arena, "", 1);
}

static bool is_inside(const struct slice *bytes, const struct json_value *object)
{
    return bytes->len != 0 && object->text >= bytes->p &&
           object->text + object->len <= bytes->p + bytes->len;
}

static bool keep_object(struct block_reader *reader, const struct row *row, struct place *place)
{
    if (row->object.kind == JSON_ABSENT)
        return true;
    if (is_inside(&row->bytes, &row->object)) {
        place->object = place->bytes + (size_t)(row->object.text - row->bytes.p);
        return true;
    }
    return keep(reader, row->object.text, row->object.len, &place->object);
}

/* The row's own id into @out; 0 when it has none that will do. */
static size_t own_id(const struct block_reader *reader, const struct row *row, char *out,
                     size_t cap)
{
    if (reader->id_field == NULL)
        return 0;
    struct json_value value = row_at(&row->object, reader->id_field);
    if (value.kind == JSON_STRING)
        return json_string_decode_cut(&value, out, cap);
    if ((value.kind != JSON_NUMBER && value.kind != JSON_BOOL) || value.len >= cap)
        return 0;
    memcpy(out, value.text, value.len);
    return value.len;
}

static bool keep_id(struct block_reader *reader, const struct row *row, struct place *place)
{
    char id[BLOCK_ID_MAX + 5]; /* a cut one is longer than BLOCK_ID_MAX */
    size_t len = own_id(reader, row, id, sizeof(id));

    if (len == 0 || len > BLOCK_ID_MAX)
        len = (size_t)snprintf(id, sizeof(id), "%" PRIu64, row->index);
    return keep(reader, id, len, &place->id);
}

/* With its length: what moves from one row to the next is another block. */
static uint32_t add_sum(uint32_t sum, const struct row *row)
{
    uint8_t len[8];

    put_u64(len, row->bytes.len);
    return crc32c(crc32c(sum, len, sizeof(len)), row->bytes.p, row->bytes.len);
}

static bool add(struct block_reader *reader, const struct row *row)
{
    struct place *place = &reader->places[reader->block.count];

    *place = (struct place){.has_file = row->file != NULL, .has_problem = row->problem != NULL};
    if (!keep(reader, row->bytes.p, row->bytes.len, &place->bytes) ||
        !keep_object(reader, row, place) || !keep_id(reader, row, place))
        return false;
    if (place->has_file && !keep(reader, row->file, strlen(row->file), &place->file))
        return false;
    if (place->has_problem && !keep(reader, row->problem, strlen(row->problem), &place->problem))
        return false;
    reader->block.sum = add_sum(reader->block.sum, row);
    reader->all[reader->block.count++] = *row;
    return true;
}

/* The arena moves no more. */
static void settle(struct block_reader *reader)
{
    const char *arena = reader->arena.data;

    for (size_t i = 0; i < reader->block.count; i++) {
        const struct place *place = &reader->places[i];
        struct row *row = &reader->all[i];

        row->bytes.p = arena + place->bytes;
        if (row->object.kind != JSON_ABSENT)
            row->object.text = arena + place->object;
        row->file = place->has_file ? arena + place->file : NULL;
        row->problem = place->has_problem ? arena + place->problem : NULL;
        reader->ids[i] = arena + place->id;
    }
    reader->block.first = reader->block.count == 0 ? 0 : reader->all[0].index;
}

/* Have the next row, unless there is none. */
static bool fetch(struct block_reader *reader, struct err *err)
{
    if (reader->has_next || reader->end)
        return true;
    if (!rows_next(reader->rows, &reader->next, &reader->end, err))
        return false;
    reader->has_next = !reader->end;
    return true;
}

bool block_next(struct block_reader *reader, const struct block **out, bool *end, struct err *err)
{
    size_t bytes = 0;

    buf_clear(&reader->arena);
    reader->block.count = 0;
    reader->block.sum = 0;
    while (reader->block.count < BLOCK_ROWS) {
        if (!fetch(reader, err))
            return false;
        if (!reader->has_next)
            break;
        bytes += reader->next.bytes.len;
        if (reader->block.count != 0 && bytes > BLOCK_BYTES)
            break;
        if (!add(reader, &reader->next))
            return err_set(err, ERR_INTERNAL, "a block of rows is larger than memory");
        reader->has_next = false;
    }
    settle(reader);
    *end = reader->block.count == 0;
    if (!*end)
        *out = &reader->block;
    return true;
}
