#include "common/enrich/round_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/failpoint.h"
#include "common/merge/publish_file.h"
#include "common/recipe/recipe.h"

#define BUFFER_BYTES (256u << 10)

/* A file that is written in large pieces. */
struct out_file {
    struct publish_file *file;
    struct buf buffer;
};

static bool out_open(struct out_file *out, const char *path, struct err *err)
{
    out->buffer = BUF_INIT(BUFFER_BYTES);
    out->file = publish_file_new(path, err);
    return out->file != NULL;
}

static void out_free(struct out_file *out)
{
    publish_file_free(out->file);
    buf_release(&out->buffer);
}

static bool out_flush(struct out_file *out, struct err *err)
{
    if (!publish_file_write(out->file, out->buffer.data, out->buffer.len, err))
        return false;
    buf_clear(&out->buffer);
    return true;
}

/* A round_map_write_fn. */
static bool out_write(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct out_file *out = arg;

    if (buf_append(&out->buffer, bytes, len))
        return true;
    if (!out_flush(out, err))
        return false;
    return buf_append(&out->buffer, bytes, len) || publish_file_write(out->file, bytes, len, err);
}

static bool out_finish(struct out_file *out, struct err *err)
{
    struct report_file ignored;

    return out_flush(out, err) && publish_file_finish(out->file, &ignored, err);
}

static bool map_id(const struct round_plan *plan, struct round_map_id *id, struct err *err)
{
    *id = (struct round_map_id){.round = plan->round, .analyses = (uint32_t)plan->recipe->count};
    if (strlen(plan->rows_fingerprint) >= sizeof(id->rows))
        return err_set(err, ERR_INTERNAL, "the fingerprint of the rows is too long");
    memcpy(id->recipe, plan->recipe->digest, sizeof(id->recipe));
    memcpy(id->rows, plan->rows_fingerprint, strlen(plan->rows_fingerprint) + 1);
    return true;
}

/* Read the map of this round to its end, for its sums. */
static bool read_map(int fd, const char *name, const struct round_map_id *id,
                     struct round_counts *counts, struct err *err)
{
    struct round_map *map = round_map_new(fd, name, err);
    const struct map_block *block;
    bool end = false;
    bool ok = map != NULL && round_map_check(map, id, err);

    while (ok && !end)
        ok = round_map_next(map, &block, &end, err);
    if (ok)
        round_counts_copy(counts, round_map_counts(map));
    round_map_close(map);
    return ok;
}

/* *@found: both files are there, complete and of this round. */
static bool adopt(const struct round_plan *plan, const struct round_map_id *id,
                  struct round_counts *counts, bool *found, struct err *err)
{
    struct round_counts there = {0};
    struct stat st;

    *found = false;
    if (stat(plan->requests_path, &st) != 0) {
        if (errno == ENOENT)
            return true;
        return err_set(err, ERR_UNAVAILABLE, "cannot look at %s: %s", plan->requests_path,
                       strerror(errno));
    }
    int fd = open(plan->map_path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_UNAVAILABLE, "cannot read %s: %s", plan->map_path, strerror(errno));
    if (!read_map(fd, plan->map_path, id, &there, err))
        return false;
    if ((uint64_t)st.st_size != there.bytes) {
        round_counts_release(&there);
        return err_set(err, ERR_CONFLICT, "%s has changed since it was written",
                       plan->requests_path);
    }
    *counts = there;
    *found = true;
    return true;
}

/* Both files on their way, and what is counted. */
struct writing {
    struct out_file requests, map;
    struct round_map_writer *writer;
    struct round_counts counts;
};

/* The ids of the item's rows, where they are kept. */
static const char *const *ids_of(const struct recipe *recipe, const struct block *block,
                                 const struct render_item *item, const char **ids)
{
    if (item->code != RENDER_ASKED || recipe->analyses[item->analysis].pack_rows == 0)
        return NULL;
    for (size_t i = 0; i < item->row_count; i++)
        ids[i] = block->ids[item->rows[i]];
    return ids;
}

static bool write_block(struct writing *w, const struct recipe *recipe, struct render *render,
                        const struct block *block, struct err *err)
{
    const char *ids[BLOCK_ROWS];
    struct render_item item;

    round_counts_block(&w->counts, block->count);
    if (!round_map_block(w->writer, block, err))
        return false;
    while (render_next(render, &item)) {
        round_counts_item(&w->counts, &item);
        if (!round_map_item(w->writer, &item, ids_of(recipe, block, &item, ids), err))
            return false;
        if (item.code == RENDER_ASKED && !out_write(&w->requests, item.line.p, item.line.len, err))
            return false;
    }
    return true;
}

static bool write_blocks(struct writing *w, const struct round_plan *plan, struct rows *rows,
                         struct err *err)
{
    struct render *render = render_new(plan->recipe, rows, &plan->options);
    const struct block *block;
    bool end = false;
    bool ok = true;

    while (ok && !end) {
        ok = render_block(render, &block, &end, err);
        if (ok && !end)
            ok = write_block(w, plan->recipe, render, block, err);
    }
    render_free(render);
    return ok && round_map_end(w->writer, &w->counts, err) && out_finish(&w->map, err) &&
           out_finish(&w->requests, err);
}

/* The requests last: they are the mark that both are there. */
static bool name_files(struct writing *w, struct err *err)
{
    if (!publish_file_name(w->map.file, err))
        return false;
    FAILPOINT("round.map");
    if (!publish_file_name(w->requests.file, err))
        return false;
    FAILPOINT("round.requests");
    return true;
}

static bool write_round(const struct round_plan *plan, const struct round_map_id *id,
                        struct round_counts *counts, struct err *err)
{
    struct rows *rows = rows_open(plan->rows_path, &plan->recipe->rows, err);
    struct writing w = {0};
    bool ok = false;

    if (rows == NULL)
        return false;
    round_counts_init(&w.counts, id->analyses);
    if (!out_open(&w.map, plan->map_path, err) || !out_open(&w.requests, plan->requests_path, err))
        goto out;
    w.writer = round_map_writer_new(id, out_write, &w.map);
    if (!write_blocks(&w, plan, rows, err) || !name_files(&w, err))
        goto out;
    *counts = w.counts;
    w.counts = (struct round_counts){0};
    ok = true;
out:
    round_map_writer_free(w.writer);
    out_free(&w.map);
    out_free(&w.requests);
    round_counts_release(&w.counts);
    rows_close(rows);
    return ok;
}

bool round_write(const struct round_plan *plan, struct round_counts *counts, bool *adopted,
                 struct err *err)
{
    struct round_map_id id;
    bool found;

    if (!map_id(plan, &id, err) || !adopt(plan, &id, counts, &found, err))
        return false;
    if (!found && !write_round(plan, &id, counts, err))
        return false;
    if (adopted != NULL)
        *adopted = found;
    return true;
}
