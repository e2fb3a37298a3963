#include "common/enrich/integrate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/enrich/block.h"
#include "common/enrich/enriched.h"
#include "common/enrich/round_map.h"
#include "common/merge/publish_file.h"
#include "common/merge/publish_set.h"
#include "common/recipe/recipe.h"
#include "common/rows/row_columns.h"
#include "common/rows/row_writer.h"
#include "common/sink/sink_trail.h"

#define FLUSH_BYTES      (256u << 10)
#define ERROR_MAX_BYTES  (1u << 30) /* of one line of the errors file: it has a response in it */
#define REPORT_MAX_BYTES (64u << 20)
#define TRAIL_MAX_BYTES  (8u << 20)
#define TRAIL_MAX        100 /* the newest entries */

/* A file that is written through a buffer. */
struct stream {
    struct publish_file *file;
    struct buf buf;
};

struct integration {
    const struct enrich_job *job;
    struct rows *rows;
    struct block_reader *reader;
    struct judge *judge;
    struct row_columns columns;
    struct row_writer *writer;
    struct enriched enriched;
    struct stream out, errors;
    struct buf line, id;
    struct enrich_report report;
};

static bool flush(struct stream *s, struct err *err)
{
    bool ok = publish_file_write(s->file, s->buf.data, s->buf.len, err);

    buf_clear(&s->buf);
    return ok;
}

static bool stream_write(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct stream *s = arg;

    if (s->buf.len + len > s->buf.max && !flush(s, err))
        return false;
    if (len > s->buf.max)
        return publish_file_write(s->file, bytes, len, err);
    return buf_append(&s->buf, bytes, len) || err_set(err, ERR_INTERNAL, "a buffer is too small");
}

/* The columns of CSV; those of JSON rows take a pass over them. */
static bool find_columns(struct integration *g, struct err *err)
{
    const struct enrich_job *job = g->job;
    struct rows *rows = rows_open(job->input, job->options, err);
    struct row row;
    bool end = rows != NULL && rows_columns_known(rows);
    bool ok = rows != NULL;

    if (ok)
        row_columns_init(&g->columns, rows);
    while (ok && !end && (ok = rows_next(rows, &row, &end, err)) && !end)
        ok = row_columns_note(&g->columns, &row, err);
    for (size_t i = 0; ok && i < job->recipe->count; i++)
        row_columns_answer(&g->columns, job->recipe->analyses[i].output);
    if (ok)
        row_columns_answer(&g->columns, ENRICHED_MEMBER);
    rows_close(rows);
    return ok;
}

static bool begin(struct integration *g, struct publish_set *set, const char *output,
                  struct err *err)
{
    enum row_form form = row_form_of(output);
    const struct enrich_job *job = g->job;

    g->out = (struct stream){publish_set_out(set), BUF_INIT(FLUSH_BYTES)};
    g->errors = (struct stream){publish_set_errors(set), BUF_INIT(FLUSH_BYTES)};
    g->line = BUF_INIT(ERROR_MAX_BYTES);
    g->id = BUF_INIT(256);
    enriched_init(&g->enriched, job->recipe);
    enrich_report_begin(job->recipe, &g->report);
    if ((form == ROW_FORM_CSV || form == ROW_FORM_TSV) && !find_columns(g, err))
        return false;
    g->writer = row_writer_new(form, &g->columns, stream_write, &g->out);
    g->judge = judge_new(job->recipe, job->rounds, job->round_count, err);
    if (g->judge == NULL)
        return false;
    judge_watch(g->judge, enrich_report_result, &g->report);
    g->rows = rows_open(job->input, job->options, err);
    if (g->rows == NULL)
        return false;
    g->reader = block_reader_new(g->rows, job->recipe->id_field);
    return true;
}

static void finish(struct integration *g)
{
    row_writer_free(g->writer);
    row_columns_release(&g->columns);
    judge_free(g->judge);
    block_reader_free(g->reader);
    rows_close(g->rows);
    enriched_release(&g->enriched);
    buf_release(&g->out.buf);
    buf_release(&g->errors.buf);
    buf_release(&g->line);
    buf_release(&g->id);
    enrich_report_release(&g->report);
}

static bool changed(const struct integration *g, struct err *err)
{
    return err_set(err, ERR_INPUT, "%s is not what it was when its rows were sent",
                   rows_name(g->rows));
}

/* A pair that has no answer, in the errors file. */
static bool put_error(struct integration *g, const struct row *row, const char *row_id,
                      size_t analysis, const struct judged *judged, struct err *err)
{
    const struct error_line line = {.analysis = g->job->recipe->analyses[analysis].name,
                                    .row = row->index,
                                    .row_id = row_id,
                                    .judged = judged};

    if (!round_custom_id(&g->id, line.analysis, row->index))
        return err_set(err, ERR_INTERNAL, "a custom_id is too long");
    buf_clear(&g->line);
    if (!error_line_put(&g->line, g->id.data, &line))
        return err_set(err, ERR_PERMANENT, "row %" PRIu64 ": its error is too long", row->index);
    return stream_write(&g->errors, g->line.data, g->line.len, err);
}

static bool put_pair(struct integration *g, const struct row *row, const char *row_id, uint32_t at,
                     size_t analysis, struct err *err)
{
    struct judged judged;

    if (!g->job->closed && judge_verdict(g->judge, at, analysis, false) == VERDICT_OPEN)
        return err_set(err, ERR_TEMPORARY, "row %" PRIu64 ": \"%s\" is to be asked again",
                       row->index, g->job->recipe->analyses[analysis].name);
    if (!judge_look(g->judge, at, analysis, &judged, err))
        return false;
    enrich_report_pair(&g->report, analysis, &judged);
    if (!enriched_add(&g->enriched, analysis, &judged))
        return err_set(err, ERR_PERMANENT, "row %" PRIu64 ": its answers are too long", row->index);
    return judged.verdict != VERDICT_FAILED || put_error(g, row, row_id, analysis, &judged, err);
}

static bool put_row(struct integration *g, const struct block *block, uint32_t at, struct err *err)
{
    const struct row *row = &block->rows[at];
    const struct row_put *puts;
    size_t count;

    enriched_clear(&g->enriched);
    for (size_t i = 0; i < g->job->recipe->count; i++)
        if (!put_pair(g, row, block->ids[at], at, i, err))
            return false;
    puts = row->problem != NULL ? enriched_no_row(&g->enriched, row, &count)
                                : enriched_puts(&g->enriched, &count);
    if (puts == NULL)
        return err_set(err, ERR_PERMANENT, "row %" PRIu64 ": its answers are too long", row->index);
    g->report.written++;
    return row_writer_add(g->writer, row, puts, count, err);
}

static bool put_block(struct integration *g, const struct block *block, struct err *err)
{
    if (!judge_check_rows(g->judge, block, err))
        return err_wrap(err, "%s", rows_name(g->rows));
    for (uint32_t i = 0; i < block->count; i++)
        if (!put_row(g, block, i, err))
            return false;
    return true;
}

static bool put_rows(struct integration *g, struct err *err)
{
    const struct block *block = NULL;
    bool end = false;
    bool over = false;

    while (!end) {
        if (!block_next(g->reader, &block, &end, err) || !judge_block(g->judge, &over, err))
            return false;
        if (end != over)
            return changed(g, err);
        if (!end && !put_block(g, block, err))
            return false;
    }
    return row_writer_end(g->writer, err) && flush(&g->out, err) && flush(&g->errors, err);
}

static bool put_report(const struct integration *g, const struct publish_set *set,
                       const struct report_times *times, struct buf *doc, struct err *err)
{
    const struct enrich_round *first = &g->job->rounds[0];
    const struct publish_paths *paths = publish_set_paths(set);
    struct report_paths named = {
        .out = paths->out, .dead = paths->errors, .replaces = publish_set_replaces(set)};
    struct buf trail = BUF_INIT(TRAIL_MAX_BYTES);

    /* It is for people, and no reason to have no results. */
    if (sink_trail_put_json(first->sink, TRAIL_MAX, &trail, NULL))
        named.trail = trail.data;
    bool ok = enrich_report_write_json(&g->report, first->spec, times, &named, doc);
    buf_release(&trail);
    return ok || err_set(err, ERR_INTERNAL, "the job's report is too long");
}

/* The same bytes are there already, with their report. */
static bool find_same(struct publish_set *set, const struct report *files, bool *same,
                      struct err *err)
{
    const struct publish_known *known;

    if (!publish_set_known(set, &known, err))
        return false;
    *same = known != NULL && known->generation == files->generation &&
            publish_same_file(&known->out, &files->out) &&
            publish_same_file(&known->errors, &files->dead);
    return true;
}

static bool write_all(struct integration *g, struct publish_set *set, const char *output,
                      const struct report_times *times, bool *same, struct err *err)
{
    struct buf doc = BUF_INIT(REPORT_MAX_BYTES);
    struct report_file out = {0};
    struct report_file errors = {0};
    bool ok =
        publish_set_begin(set, err) && begin(g, set, output, err) && put_rows(g, err) &&
        enrich_report_end(&g->report, g->job->rounds, g->job->round_count, g->job->money, err) &&
        publish_file_finish(g->out.file, &out, err) &&
        publish_file_finish(g->errors.file, &errors, err);

    if (ok) {
        g->report.jobs.out = out;
        g->report.jobs.dead = errors;
        ok = find_same(set, &g->report.jobs, same, err) &&
             (*same || (put_report(g, set, times, &doc, err) &&
                        publish_set_name(set, &errors, doc.data, doc.len, err)));
    }
    buf_release(&doc);
    return ok;
}

bool enrich_integrate(const struct enrich_job *job, const char *output, bool overwrite,
                      const struct report_times *times, struct enrich_report *report, bool *adopted,
                      struct err *err)
{
    struct publish_set *set = publish_set_new(output, job->rounds[0].spec, overwrite, err);
    struct integration g = {.job = job};
    bool same = false;
    bool ok = set != NULL && write_all(&g, set, output, times, &same, err);

    if (ok) {
        *report = g.report;
        g.report = (struct enrich_report){0};
        if (adopted != NULL)
            *adopted = same;
    }
    finish(&g);
    publish_set_free(set);
    return ok;
}
