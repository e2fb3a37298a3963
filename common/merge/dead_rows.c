#include "common/merge/dead_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/input/line_reader.h"
#include "common/input/source.h"
#include "common/merge/report.h"
#include "common/model/mask.h"
#include "common/sink/generation.h"
#include "common/sink/layout.h"
#include "common/sink/sink.h"

#define ROW_MAX      (64u << 20) /* a longer row is given cut */
#define PATH_MAX_LEN (SINK_PATH_MAX + LAYOUT_NAME_MAX)

struct dead_rows {
    struct sink *sink;
    uint32_t below;
    struct generations *generations;
    uint32_t *parts; /* that are merged, in order */
    size_t part_count, next_part;
    struct dead_scope scope;
    uint32_t part;
    struct source *source; /* dead/ of @part; NULL: none is open */
    struct line_reader *lines;
    struct rowset *set;          /* bad/ of @part */
    struct rowset_window window; /* rows of it are given */
    uint32_t line, nth;          /* the next line to look at; rows given of @window */
};

static void close_part(struct dead_rows *d)
{
    line_reader_free(d->lines);
    source_close(d->source);
    rowset_free(d->set);
    d->lines = NULL;
    d->source = NULL;
    d->set = NULL;
}

void dead_rows_free(struct dead_rows *d)
{
    if (d == NULL)
        return;
    close_part(d);
    generations_free(d->generations);
    free(d->parts);
    free(d);
}

/* "0000003.json": part 3 was merged in the first run, as every part was that was merged at all. */
static bool on_part(const char *name, void *arg, struct err *err)
{
    struct dead_rows *d = arg;
    unsigned part;

    (void)err;
    if (sscanf(name, "%7u.json", &part) != 1) /* NOLINT(cert-err34-c): seven digits fit */
        return true;
    if ((d->part_count & (d->part_count - 1)) == 0)
        d->parts =
            xrealloc(d->parts, d->part_count == 0 ? 1 : d->part_count * 2, sizeof(*d->parts));
    d->parts[d->part_count++] = part;
    return true;
}

struct dead_rows *dead_rows_new(struct sink *sink, uint32_t below, struct err *err)
{
    struct dead_rows *d = xcalloc(1, sizeof(*d));

    d->sink = sink;
    d->below = below;
    d->generations = generations_load(sink, err);
    if (d->generations != NULL && sink_list(sink, LAYOUT_REP, on_part, d, err))
        return d;
    dead_rows_free(d);
    return NULL;
}

const struct dead_scope *dead_rows_scope(const struct dead_rows *d)
{
    return &d->scope;
}

static bool disagree(const struct dead_rows *d, struct err *err)
{
    return err_set(err, ERR_PERMANENT,
                   "%s: the list of failed rows of part %" PRIu32 " is not as its rows are",
                   sink_path(d->sink), d->part);
}

static bool open_part(struct dead_rows *d, uint32_t generation, uint64_t failed, struct err *err)
{
    char name[LAYOUT_NAME_MAX];
    char path[PATH_MAX_LEN];

    d->set = rowset_open(d->sink, layout_bad(name, d->part, generation), err);
    if (d->set == NULL || !rowset_read_part(d->set, d->part, err))
        return false;
    if (rowset_totals(d->set)->rows != failed)
        return disagree(d, err);
    (void)snprintf(path, sizeof(path), "%s/%s", sink_path(d->sink),
                   layout_dead(name, d->part, generation));
    d->source = source_open(path, err);
    if (d->source == NULL)
        return false;
    d->lines = line_reader_new(d->source, ROW_MAX);
    d->window.left = 0;
    d->nth = 0;
    return true;
}

/* The next part that has failed rows; *@end behind the last. */
static bool next_part(struct dead_rows *d, bool *end, struct err *err)
{
    *end = false;
    while (d->next_part < d->part_count) {
        struct report report;
        bool found = false;

        d->part = d->parts[d->next_part++];
        uint32_t generation = generations_of_part(d->generations, d->part, d->below);
        if (!report_load_part(d->sink, d->part, generation, &report, &found, err))
            return false;
        if (!found)
            continue;
        d->scope.parts++;
        d->scope.rows += report.requests;
        d->scope.failed += report.failed;
        uint64_t failed = report.failed;
        report_release(&report);
        if (failed > 0)
            return open_part(d, generation, failed, err);
    }
    *end = true;
    return true;
}

/* Which row comes next; false behind the last of the part. */
static bool next_place(struct dead_rows *d, struct dead_row *out)
{
    if (d->nth == d->window.left) {
        if (!rowset_next(d->set, &d->window))
            return false;
        d->line = 0;
        d->nth = 0;
    }
    while (mask_get(d->window.mask, d->line))
        d->line++;
    out->part = d->part;
    out->window = d->window.window;
    out->lines = d->window.lines;
    out->crc = d->window.crc;
    out->line = d->line++;
    out->time_ms = d->window.times == NULL ? 0 : d->window.times[d->nth];
    d->nth++;
    return true;
}

/* *@end: the part has no more rows. */
static bool next_row(struct dead_rows *d, struct dead_row *out, bool *end, struct err *err)
{
    struct line line;
    bool no_line = false;

    *out = (struct dead_row){0};
    bool no_place = !next_place(d, out);
    if (!line_reader_next(d->lines, &line, &no_line, err))
        return false;
    if (no_line != no_place)
        return disagree(d, err);
    *end = no_line;
    if (*end)
        return true;
    out->text = line.text;
    out->len = line.text_len;
    out->too_long = line.too_long;
    return true;
}

enum dead_read dead_rows_next(struct dead_rows *d, struct dead_row *out, struct err *err)
{
    for (;;) {
        bool end = true;

        if (d->source != NULL && !next_row(d, out, &end, err))
            return DEAD_FAILED;
        if (!end)
            return DEAD_ROW;
        close_part(d);
        if (!next_part(d, &end, err))
            return DEAD_FAILED;
        if (end)
            return DEAD_END;
    }
}
