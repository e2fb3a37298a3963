#include "common/merge/fold.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/xmem.h"
#include "common/json/result_line.h"
#include "common/merge/asked.h"
#include "common/merge/batch_table.h"
#include "common/merge/lineage.h"
#include "common/merge/report.h"
#include "common/merge/row.h"
#include "common/merge/runs.h"
#include "common/merge/sightings.h"
#include "common/model/ordinal.h"
#include "common/sink/layout.h"

#define ROW_MAX_BYTES  (2 * (size_t)SEGMENT_MAX_LINE)
#define KEPT_ROW_BYTES (1u << 20)

enum phase { PHASE_FILES, PHASE_EVIDENCE, PHASE_PASSES, PHASE_ROWS, PHASE_END };

/* The best line of the current task so far. @line is our copy. */
struct best {
    bool any;
    struct run_record from;
    struct segment_batch batch; /* @from.batch does not live that long */
    uint32_t generation;
    struct buf line;
};

struct fold {
    struct fold_plan plan;
    enum phase phase;
    size_t file; /* inputs taken so far */
    struct batch_table batches;
    struct asked *asked;
    struct runs *runs;
    struct run_record next; /* read ahead */
    bool have_next;
    struct best best;
    struct sightings sightings; /* of the current task's lines */
    struct buf row;
    uint32_t windows; /* seen */
    struct report report;
};

struct fold *fold_new(const struct fold_plan *plan)
{
    struct fold *f = xcalloc(1, sizeof(*f));

    f->plan = *plan;
    f->asked = asked_new(plan->sink, plan->part, plan->lineage);
    f->runs = runs_new(plan->sink, plan->part);
    f->best.line = BUF_INIT(SEGMENT_MAX_LINE);
    f->row = BUF_INIT(ROW_MAX_BYTES);
    report_init(&f->report);
    f->report.generation = lineage_generation(plan->lineage);
    return f;
}

void fold_free(struct fold *f)
{
    if (f == NULL)
        return;
    asked_free(f->asked);
    runs_free(f->runs);
    batch_table_release(&f->batches);
    sightings_release(&f->sightings);
    buf_release(&f->best.line);
    buf_release(&f->row);
    report_release(&f->report);
    free(f);
}

struct report *fold_report(struct fold *f)
{
    return &f->report;
}

uint32_t fold_windows(const struct fold *f)
{
    return f->windows;
}

/* Lines are about equally long: keep the memory, but not that of an unusual one. */
static void empty(struct buf *b)
{
    if (b->cap > KEPT_ROW_BYTES)
        buf_release(b);
    else
        buf_clear(b);
}

static bool take_file(struct fold *f, struct err *err)
{
    const char *name = f->plan.inputs->names[f->file++];
    struct segment_batch batch;
    char folder[LAYOUT_NAME_MAX];
    char path[LAYOUT_NAME_MAX];

    if (!inputs_is_segment(name))
        return asked_add(f->asked, name, &f->batches, err);
    int n = snprintf(path, sizeof(path), "%s/%s", layout_part(folder, f->plan.part), name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(err, ERR_PERMANENT, "name \"%s\" is too long", name);
    if (!runs_add(f->runs, path, &batch, err))
        return false;
    batch_table_add(&f->batches, batch.bid, lineage_of_file(f->plan.lineage, name), 0);
    return true;
}

static bool read_ahead(struct fold *f, struct err *err)
{
    enum segment_read read = runs_next(f->runs, &f->next, err);

    f->have_next = read == SEGMENT_RECORD;
    return read != SEGMENT_FAILED;
}

static int compare_source(const struct run_record *a, const char *bid_a, int64_t created_a,
                          const struct run_record *b)
{
    if (created_a != b->batch->created_ms)
        return created_a < b->batch->created_ms ? -1 : 1;
    int order = strcmp(bid_a, b->batch->bid);
    if (order != 0)
        return order;
    if (a->record.offset != b->record.offset)
        return a->record.offset < b->record.offset ? -1 : 1;
    return 0;
}

/* Whether @f->next, which is of @generation, beats the best so far; *@line is its line. */
static bool is_better(const struct fold *f, uint32_t generation, const char *line)
{
    const struct best *best = &f->best;
    const struct record *old = &best->from.record;
    const struct record *new = &f->next.record;

    if (new->outcome != OUTCOME_OK && old->outcome != OUTCOME_OK &&generation != best->generation)
        return generation > best->generation;
    if (new->outcome != old->outcome)
        return new->outcome > old->outcome;
    int order = compare_source(&best->from, best->batch.bid, best->batch.created_ms, &f->next);
    if (order == 0) /* one batch, two files with the same offset: any fixed order will do */
        order = old->len != new->len ? (old->len < new->len ? -1 : 1)
                                     : memcmp(best->line.data, line, old->len);
    return new->outcome == OUTCOME_OK ? order > 0 : order < 0;
}

static bool parse(const char *line, size_t len, struct result_line *out, struct err *err)
{
    struct json_error error;

    if (result_line_parse(line, len, out, &error))
        return true;
    return err_set(err, ERR_PERMANENT, "a result line is not valid JSON at byte %zu: %s",
                   error.offset + 1, error.what);
}

static uint64_t known(int64_t tokens)
{
    return tokens > 0 ? (uint64_t)tokens : 0;
}

static struct usage usage_of(const struct result_line *line)
{
    return (struct usage){.prompt = known(line->prompt_tokens),
                          .cached = known(line->cached_tokens),
                          .completion = known(line->completion_tokens),
                          .reasoning = known(line->reasoning_tokens)};
}

static void add_tokens(struct usage *sum, const struct result_line *line)
{
    struct usage usage = usage_of(line);

    usage_add(sum, &usage);
}

/* A line that was billed, for nothing. A failure that says nothing of what it took cost nothing. */
static void count_waste(struct fold *f, enum waste cause, const char *bid,
                        const struct result_line *line)
{
    bool says = line->prompt_tokens >= 0 || line->completion_tokens >= 0;
    struct waste_sum *sum = &f->report.wastes[cause];
    struct usage usage = usage_of(line);
    int64_t nano;

    if (!says && cause != WASTE_DUPLICATES)
        return;
    const struct batch_origin *batch = batch_table_find(&f->batches, bid);
    sum->lines++;
    if (says && batch->priced && price_quote_cost(&batch->quote, &usage, &nano))
        money_add(&sum->nano, nano);
    else
        sum->unpriced++;
}

/* A line of @bid that lost; @paid_again: two batches have a success of this task. */
static bool count_loser(struct fold *f, const struct record *lost, const char *bid,
                        const char *line, bool paid_again, struct err *err)
{
    struct result_line parsed;

    if (!parse(line, lost->len, &parsed, err))
        return false;
    if (lost->outcome != OUTCOME_OK) {
        f->report.superseded++;
        count_waste(f, WASTE_SUPERSEDED, bid, &parsed);
        return true;
    }
    f->report.duplicates++;
    add_tokens(&f->report.wasted, &parsed);
    if (paid_again)
        count_waste(f, WASTE_DUPLICATES, bid, &parsed);
    return true;
}

/* The next line of the current task, among those that it had so far. */
static enum sighting_kind see(struct fold *f)
{
    const struct record *r = &f->next.record;
    uint32_t pass = (uint32_t)(r->offset >> SEGMENT_PASS_SHIFT);

    return sightings_add(&f->sightings, f->next.batch->bid, pass, r->outcome == OUTCOME_OK);
}

static bool keep(struct fold *f, uint32_t generation, const char *line, struct err *err)
{
    struct best *best = &f->best;

    empty(&best->line);
    if (!buf_append(&best->line, line, f->next.record.len))
        return err_set(err, ERR_PERMANENT, "a result line is too long");
    best->any = true;
    best->generation = generation;
    best->from = f->next;
    best->batch = *f->next.batch;
    return true;
}

/* Weigh @f->next, which is of the current task. What was read again is no other line: no loser. */
static bool take_record(struct fold *f, struct err *err)
{
    struct best *best = &f->best;
    const struct record *next = &f->next.record;
    const char *bid = f->next.batch->bid;
    uint32_t generation = batch_table_find(&f->batches, bid)->generation;
    bool ok = next->outcome == OUTCOME_OK;
    const char *line;

    if (!runs_line(f->runs, &line, err))
        return false;
    enum sighting_kind kind = see(f);
    bool another = kind != SIGHTING_REREAD;
    if (!ok && generation < lineage_of_task(f->plan.lineage, next->ordinal)) /* resubmitted since */
        return !another || count_loser(f, next, bid, line, false, err);
    bool paid_again = ok && kind == SIGHTING_FIRST && sightings_paid(&f->sightings) > 1;
    f->report.paid_twice += paid_again;
    bool better = !best->any || is_better(f, generation, line);
    if (!better)
        return !another || count_loser(f, next, bid, line, paid_again, err);
    if (best->any && another &&
        !count_loser(f, &best->from.record, best->batch.bid, best->line.data, paid_again, err))
        return false;
    return keep(f, generation, line, err);
}

/* Gather the best line for @ordinal, if there is any. */
static bool gather(struct fold *f, uint64_t ordinal, struct err *err)
{
    f->best.any = false;
    sightings_clear(&f->sightings);
    while (f->have_next && f->next.record.ordinal <= ordinal) {
        if (f->next.record.ordinal < ordinal)
            return err_set(err, ERR_INPUT,
                           "there is a result for window %" PRIu32 " line %" PRIu32
                           ", which is not a request: the input has changed",
                           ordinal_window(f->next.record.ordinal),
                           ordinal_line(f->next.record.ordinal));
        if (!take_record(f, err) || !read_ahead(f, err))
            return false;
    }
    return true;
}

static bool emit(struct fold *f, enum row_kind kind, const struct request *request, int64_t time_ms,
                 struct err *err)
{
    struct fold_row row = {kind, request, f->row.data, f->row.len, time_ms};

    f->report.requests++;
    f->report.ok += kind == ROW_OK;
    f->report.failed += kind == ROW_DEAD;
    return f->plan.row(f->plan.arg, &row, err);
}

static bool emit_error(struct fold *f, const struct request *request, const char *code,
                       const char *message, int64_t time_ms, struct err *err)
{
    if (!row_from_error(&f->row, request, code, message))
        return err_set(err, ERR_PERMANENT, "the custom_id of line %" PRIu64 " is too long",
                       request->line);
    report_count_code(&f->report, code, 1);
    return emit(f, ROW_DEAD, request, time_ms, err);
}

static bool emit_line(struct fold *f, const struct request *request, struct err *err)
{
    bool success = f->best.from.record.outcome == OUTCOME_OK;
    int64_t time_ms = batch_table_find(&f->batches, f->best.batch.bid)->ended_ms;
    struct result_line line;
    char code[RESULT_CODE_SIZE];

    if (!parse(f->best.line.data, f->best.line.len, &line, err))
        return false;
    if (!row_from_line(&f->row, request, &line, success))
        return err_set(err, ERR_PERMANENT, "the row of line %" PRIu64 " is too long",
                       request->line);
    add_tokens(&f->report.tokens, &line);
    if (success)
        return emit(f, ROW_OK, request, time_ms, err);
    if (line.code[0] != '\0')
        memcpy(code, line.code, sizeof(code));
    else if (line.status_code > 0)
        (void)snprintf(code, sizeof(code), "http_%" PRId64, line.status_code);
    else
        (void)snprintf(code, sizeof(code), "unknown_error");
    report_count_code(&f->report, code, 1);
    count_waste(f, WASTE_FAILED, f->best.batch.bid, &line);
    return emit(f, ROW_DEAD, request, time_ms, err);
}

static bool emit_missing(struct fold *f, const struct request *request,
                         const struct asked_task *task, struct err *err)
{
    char message[128];

    if (task->failure[0] != '\0')
        return emit_error(f, request, task->failure,
                          task->message[0] != '\0' ? task->message : task->failure, task->ended_ms,
                          err);
    (void)snprintf(message, sizeof(message), "the provider returned no result in %" PRIu32 " %s",
                   task->times, task->times == 1 ? "attempt" : "attempts");
    return emit_error(f, request, "missing_result", message, task->ended_ms, err);
}

static bool check_window(struct fold *f, const struct request *request, struct err *err)
{
    uint32_t window = ordinal_window(request->ordinal);

    if (ordinal_line(request->ordinal) != 0)
        return true;
    f->windows++;
    if (asked_same_window(f->asked, window, request->lines, request->crc))
        return true;
    return err_set(err, ERR_INPUT,
                   "the input has changed since its requests were sent, at line %" PRIu64
                   " or behind it",
                   request->line);
}

static bool one_request(struct fold *f, const struct request *request, struct err *err)
{
    struct asked_task task = asked_task(f->asked, request->ordinal);

    if (!check_window(f, request, err) || !gather(f, request->ordinal, err))
        return false;
    empty(&f->row);
    f->report.attempts += task.times;
    if (f->best.any)
        return emit_line(f, request, err);
    if (request->reason != NULL) {
        f->report.invalid++;
        return emit_error(f, request, "invalid_request_line", request->reason, 0, err);
    }
    if (task.known)
        return emit_missing(f, request, &task, err);
    if (f->plan.inputs->cancelled || lineage_was_cancelled(f->plan.lineage, request->ordinal))
        return emit_error(f, request, "job_cancelled", "the job was cancelled", 0, err);
    return emit(f, ROW_HOLE, request, 0, err);
}

static bool finish(struct fold *f, struct err *err)
{
    if (f->have_next)
        return err_set(err, ERR_INPUT,
                       "there are results behind the end of the input: it has changed");
    if (f->plan.exact && f->windows != f->plan.inputs->windows)
        return err_set(err, ERR_INPUT,
                       "part %" PRIu32 " has %" PRIu32 " windows instead of %" PRIu32
                       ": the input has changed",
                       f->plan.part, f->windows, f->plan.inputs->windows);
    f->phase = PHASE_END;
    return true;
}

static bool step_rows(struct fold *f, uint32_t max_records, struct err *err)
{
    uint32_t end = f->plan.part * PART_WINDOWS + f->plan.inputs->windows;

    for (uint32_t i = 0; i < max_records; i++) {
        struct request request;

        if (requests_at_window(f->plan.requests, end))
            return finish(f, err);
        switch (requests_next(f->plan.requests, &request, err)) {
        case REQUESTS_ONE: break;
        case REQUESTS_FAILED: return false;
        case REQUESTS_END: return finish(f, err);
        }
        if (!one_request(f, &request, err))
            return false;
    }
    return true;
}

static bool step(struct fold *f, uint32_t max_records, struct err *err)
{
    bool done = false;

    switch (f->phase) {
    case PHASE_FILES:
        if (f->file < f->plan.inputs->count)
            return take_file(f, err);
        f->phase = PHASE_EVIDENCE;
        return true;
    case PHASE_EVIDENCE:
        if (!asked_apply(f->asked, &f->batches, &f->report, &done, err))
            return false;
        f->phase = done ? PHASE_PASSES : PHASE_EVIDENCE;
        return true;
    case PHASE_PASSES:
        if (!runs_prepare(f->runs, max_records, &done, err))
            return false;
        if (!done)
            return true;
        f->phase = PHASE_ROWS;
        return read_ahead(f, err);
    case PHASE_ROWS: return step_rows(f, max_records, err);
    case PHASE_END: return true;
    }
    return true;
}

enum fold_result fold_step(struct fold *f, uint32_t max_records, struct err *err)
{
    if (!step(f, max_records, err))
        return FOLD_FAILED;
    return f->phase == PHASE_END ? FOLD_END : FOLD_MORE;
}
