#include "common/sink/rowset.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/digest/hash.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define HEAD_BYTES   16u
#define WINDOW_BYTES 12u /* before the mask */
#define PART_BYTES   40u
#define SUMS_BYTES   24u
#define TAIL_BYTES   (SUMS_BYTES + 8u)

/* The largest part: every window with every line, and its time. */
#define PART_MAX_BYTES \
    ((size_t)PART_WINDOWS * (WINDOW_BYTES + MEMBER_MASK_BYTES + 8u * ORDINAL_LINES))
#define PARTS_MAX (ORDINAL_MAX_WINDOW / PART_WINDOWS + 1u)

static const char magic[8] = {'S', 'H', 'E', 'A', 'F', 'R', 'O', 'W'};

struct rowset_writer {
    struct sink_writer *file;
    bool with_times;
    uint64_t offset;
    uint64_t next; /* smallest number that the next window may have */
    struct rowset_part *parts;
    struct hash64 *hash; /* of the last part's windows */
    struct rowset_totals totals;
};

static uint8_t *put_head(uint8_t *p, bool with_times)
{
    memcpy(p, magic, sizeof(magic));
    return put_u32(put_u32(p + 8, ROWSET_VERSION), with_times);
}

struct rowset_writer *rowset_begin(struct sink *sink, const char *name, bool with_times,
                                   uint32_t job_windows, struct err *err)
{
    uint8_t head[HEAD_BYTES];
    struct rowset_writer *w = xcalloc(1, sizeof(*w));

    w->with_times = with_times;
    w->totals.job_windows = job_windows;
    w->offset = sizeof(head);
    (void)put_head(head, with_times);
    w->file = sink_begin(sink, name, err);
    if (w->file != NULL && sink_write(w->file, head, sizeof(head), err))
        return w;
    rowset_abort(w);
    return NULL;
}

void rowset_abort(struct rowset_writer *w)
{
    if (w == NULL)
        return;
    sink_abort(w->file);
    hash64_free(w->hash);
    free(w->parts);
    free(w);
}

const struct rowset_totals *rowset_writer_totals(const struct rowset_writer *w)
{
    return &w->totals;
}

/* The part's windows are complete. */
static void end_part(struct rowset_writer *w)
{
    if (w->hash == NULL)
        return;
    struct rowset_part *part = &w->parts[w->totals.parts - 1];
    part->bytes = w->offset - part->offset;
    part->hash = hash64_value(w->hash);
    hash64_free(w->hash);
    w->hash = NULL;
}

static struct rowset_part *part_of(struct rowset_writer *w, uint32_t part)
{
    if (w->totals.parts != 0 && w->parts[w->totals.parts - 1].part == part)
        return &w->parts[w->totals.parts - 1];
    end_part(w);
    if ((w->totals.parts & (w->totals.parts - 1)) == 0)
        w->parts =
            xrealloc(w->parts, w->totals.parts == 0 ? 1 : w->totals.parts * 2, sizeof(*w->parts));
    struct rowset_part *added = &w->parts[w->totals.parts++];
    *added = (struct rowset_part){.part = part, .offset = w->offset};
    w->hash = hash64_new();
    return added;
}

static bool put(struct rowset_writer *w, const void *bytes, size_t len, struct err *err)
{
    hash64_update(w->hash, bytes, len);
    w->offset += len;
    return sink_write(w->file, bytes, len, err);
}

static bool put_times(struct rowset_writer *w, const struct rowset_window *window, struct err *err)
{
    for (uint32_t i = 0; i < window->left; i++) {
        uint8_t time[8];

        (void)put_u64(time, (uint64_t)window->times[i]);
        if (!put(w, time, sizeof(time), err))
            return false;
    }
    return true;
}

bool rowset_add(struct rowset_writer *w, const struct rowset_window *window, struct err *err)
{
    uint8_t head[WINDOW_BYTES];

    if (window->window < w->next || window->window > ORDINAL_MAX_WINDOW || window->lines == 0 ||
        window->lines > ORDINAL_LINES || window->left == 0 ||
        window->left != mask_left(window->mask, window->lines) ||
        w->with_times != (window->times != NULL))
        return err_set(err, ERR_INTERNAL, "rowset: window %" PRIu32 " cannot be added",
                       window->window);
    struct rowset_part *part = part_of(w, window->window / PART_WINDOWS);
    part->windows++;
    part->rows += window->left;
    w->totals.windows++;
    w->totals.rows += window->left;
    w->next = (uint64_t)window->window + 1;
    (void)put_u32(put_u32(put_u32(head, window->window), window->lines), window->crc);
    return put(w, head, sizeof(head), err) &&
           put(w, window->mask, mask_bytes(window->lines), err) &&
           (!w->with_times || put_times(w, window, err));
}

static uint8_t *put_part(uint8_t *p, const struct rowset_part *part)
{
    p = put_u32(p, part->part);
    p = put_u32(p, part->windows);
    p = put_u64(p, part->rows);
    p = put_u64(p, part->offset);
    p = put_u64(p, part->bytes);
    return put_u64(p, part->hash);
}

static uint8_t *put_sums(uint8_t *p, const struct rowset_totals *t)
{
    p = put_u32(p, t->parts);
    p = put_u32(p, t->job_windows);
    p = put_u64(p, t->windows);
    return put_u64(p, t->rows);
}

/* Behind the windows: the parts, the sums, the hash. */
static uint64_t make_index(const struct rowset_writer *w, uint8_t *index)
{
    uint8_t head[HEAD_BYTES];
    struct hash64 *hash = hash64_new();
    uint8_t *p = index;

    for (uint32_t i = 0; i < w->totals.parts; i++)
        p = put_part(p, &w->parts[i]);
    p = put_sums(p, &w->totals);
    (void)put_head(head, w->with_times);
    hash64_update(hash, index, (size_t)(p - index));
    hash64_update(hash, head, sizeof(head));
    uint64_t checksum = hash64_value(hash);
    (void)put_u64(p, checksum);
    hash64_free(hash);
    return checksum;
}

bool rowset_commit(struct rowset_writer *w, uint64_t *checksum, bool *existed, struct err *err)
{
    size_t len = (size_t)w->totals.parts * PART_BYTES + TAIL_BYTES;
    uint8_t *index = xcalloc(len, 1);

    end_part(w);
    uint64_t sum = make_index(w, index);
    bool ok = sink_write(w->file, index, len, err);
    free(index);
    if (ok) {
        struct sink_writer *file = w->file;

        w->file = NULL;
        ok = sink_commit(file, existed, err);
    }
    if (ok && checksum != NULL)
        *checksum = sum;
    rowset_abort(w);
    return ok;
}

struct rowset {
    char name[LAYOUT_NAME_MAX];
    int fd;
    bool with_times;
    uint64_t checksum;
    struct rowset_totals totals;
    struct rowset_part *parts;
    uint8_t *block; /* the windows of one part */
    size_t at, len;
    int64_t times[ORDINAL_LINES]; /* of the window that was given last */
};

static bool damaged(const struct rowset *r, const char *why, struct err *err)
{
    return err_set(err, ERR_PERMANENT, "%s is damaged: %s", r->name, why);
}

static bool read_at(const struct rowset *r, uint64_t offset, uint8_t *out, size_t len,
                    struct err *err)
{
    while (len > 0) {
        ssize_t n = pread(r->fd, out, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", r->name, strerror(errno));
        if (n == 0)
            return damaged(r, "it is too short", err);
        out += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return true;
}

static void get_part(const uint8_t *p, struct rowset_part *out)
{
    out->part = get_u32(p);
    out->windows = get_u32(p + 4);
    out->rows = get_u64(p + 8);
    out->offset = get_u64(p + 16);
    out->bytes = get_u64(p + 24);
    out->hash = get_u64(p + 32);
}

/* The parts lie one behind the other, up to the index at @end, and add up. */
static bool check_parts(const struct rowset *r, uint64_t end)
{
    uint64_t offset = HEAD_BYTES;
    uint64_t windows = 0;
    uint64_t rows = 0;

    for (uint32_t i = 0; i < r->totals.parts; i++) {
        const struct rowset_part *p = &r->parts[i];

        if (p->offset != offset || p->bytes > PART_MAX_BYTES || p->part >= PARTS_MAX ||
            (i > 0 && p->part <= r->parts[i - 1].part))
            return false;
        offset += p->bytes;
        windows += p->windows;
        rows += p->rows;
    }
    return offset == end && windows == r->totals.windows && rows == r->totals.rows;
}

static bool check_hash(struct rowset *r, const uint8_t *index, size_t len, const uint8_t *head)
{
    struct hash64 *hash = hash64_new();

    hash64_update(hash, index, len - 8);
    hash64_update(hash, head, HEAD_BYTES);
    r->checksum = hash64_value(hash);
    hash64_free(hash);
    return get_u64(index + len - 8) == r->checksum;
}

static bool read_index(struct rowset *r, uint64_t size, const uint8_t *head, struct err *err)
{
    uint8_t tail[TAIL_BYTES];

    if (size < HEAD_BYTES + TAIL_BYTES)
        return damaged(r, "it is too short", err);
    if (!read_at(r, size - TAIL_BYTES, tail, sizeof(tail), err))
        return false;
    r->totals = (struct rowset_totals){.parts = get_u32(tail),
                                       .job_windows = get_u32(tail + 4),
                                       .windows = get_u64(tail + 8),
                                       .rows = get_u64(tail + 16)};
    if (r->totals.parts > PARTS_MAX ||
        size < HEAD_BYTES + TAIL_BYTES + (uint64_t)r->totals.parts * PART_BYTES)
        return damaged(r, "its index does not fit", err);
    size_t len = (size_t)r->totals.parts * PART_BYTES + TAIL_BYTES;
    uint8_t *index = xcalloc(len, 1);
    bool ok = read_at(r, size - len, index, len, err);
    r->parts = xcalloc((size_t)r->totals.parts + 1, sizeof(*r->parts));
    for (uint32_t i = 0; ok && i < r->totals.parts; i++)
        get_part(index + (size_t)i * PART_BYTES, &r->parts[i]);
    if (ok && (!check_hash(r, index, len, head) || !check_parts(r, size - len)))
        ok = damaged(r, "its checksum is wrong", err);
    free(index);
    return ok;
}

static bool read_all(struct rowset *r, struct err *err)
{
    uint8_t head[HEAD_BYTES];
    struct stat st;

    if (fstat(r->fd, &st) != 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", r->name, strerror(errno));
    if (!read_at(r, 0, head, sizeof(head), err))
        return false;
    if (memcmp(head, magic, sizeof(magic)) != 0)
        return damaged(r, "it is no set of rows", err);
    if (get_u32(head + 8) != ROWSET_VERSION)
        return err_set(err, ERR_PERMANENT, "%s: version %" PRIu32 " is not known here", r->name,
                       get_u32(head + 8));
    r->with_times = get_u32(head + 12) != 0;
    return read_index(r, (uint64_t)st.st_size, head, err);
}

struct rowset *rowset_open(struct sink *sink, const char *name, struct err *err)
{
    struct rowset *r = xcalloc(1, sizeof(*r));
    size_t len = strnlen(name, sizeof(r->name) - 1);

    memcpy(r->name, name, len);
    r->fd = sink_open_read(sink, name, err);
    if (r->fd >= 0 && read_all(r, err))
        return r;
    rowset_free(r);
    return NULL;
}

void rowset_free(struct rowset *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        (void)close(r->fd);
    free(r->parts);
    free(r->block);
    free(r);
}

const struct rowset_totals *rowset_totals(const struct rowset *r)
{
    return &r->totals;
}

uint64_t rowset_checksum(const struct rowset *r)
{
    return r->checksum;
}

const struct rowset_part *rowset_parts(const struct rowset *r, size_t *count)
{
    *count = r->totals.parts;
    return r->parts;
}

static int compare_part(const void *key, const void *item)
{
    uint32_t part = *(const uint32_t *)key;
    const struct rowset_part *p = item;

    return part == p->part ? 0 : (part < p->part ? -1 : 1);
}

/* Bytes of the window at @at; 0 when it is not one. */
static size_t window_bytes(const struct rowset *r, size_t at)
{
    const uint8_t *p = r->block + at;
    size_t left = r->len - at;

    if (left < WINDOW_BYTES)
        return 0;
    uint32_t lines = get_u32(p + 4);
    if (lines == 0 || lines > ORDINAL_LINES)
        return 0;
    size_t bytes = WINDOW_BYTES + mask_bytes(lines);
    if (bytes > left)
        return 0;
    if (r->with_times)
        bytes += 8 * (size_t)mask_left(p + WINDOW_BYTES, lines);
    return bytes > left ? 0 : bytes;
}

/* What a program of ours wrote is so; another's with a right checksum must not break us. */
static bool check_windows(const struct rowset *r, const struct rowset_part *part)
{
    uint64_t next = (uint64_t)part->part * PART_WINDOWS;
    uint64_t end = next + PART_WINDOWS;
    uint32_t windows = 0;

    for (size_t at = 0; at < r->len; windows++) {
        size_t bytes = window_bytes(r, at);
        uint32_t window = bytes == 0 ? 0 : get_u32(r->block + at);

        if (bytes == 0 || window < next || window >= end)
            return false;
        next = (uint64_t)window + 1;
        at += bytes;
    }
    return windows == part->windows;
}

bool rowset_read_part(struct rowset *r, uint32_t part, struct err *err)
{
    const struct rowset_part *found =
        r->totals.parts == 0
            ? NULL
            : bsearch(&part, r->parts, r->totals.parts, sizeof(*r->parts), compare_part);

    r->at = 0;
    r->len = 0;
    if (found == NULL)
        return true;
    r->block = xrealloc(r->block, (size_t)found->bytes + 1, 1);
    if (!read_at(r, found->offset, r->block, (size_t)found->bytes, err))
        return false;
    r->len = (size_t)found->bytes;
    if (hash64_of(r->block, r->len) == found->hash && check_windows(r, found))
        return true;
    r->len = 0;
    return damaged(r, "its checksum is wrong", err);
}

bool rowset_next(struct rowset *r, struct rowset_window *out)
{
    if (r->at >= r->len)
        return false;
    const uint8_t *p = r->block + r->at;
    *out = (struct rowset_window){
        .window = get_u32(p), .lines = get_u32(p + 4), .crc = get_u32(p + 8)};
    memcpy(out->mask, p + WINDOW_BYTES, mask_bytes(out->lines));
    out->left = mask_left(out->mask, out->lines);
    if (r->with_times) {
        const uint8_t *times = p + WINDOW_BYTES + mask_bytes(out->lines);

        for (uint32_t i = 0; i < out->left; i++)
            r->times[i] = (int64_t)get_u64(times + (size_t)i * 8);
        out->times = r->times;
    }
    r->at += window_bytes(r, r->at);
    return true;
}
