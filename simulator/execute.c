#include "simulator/execute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/ledger.h"
#include "simulator/options.h"
#include "simulator/reader.h"
#include "simulator/sim.h"
#include "simulator/text.h"

/* At most four events a line: what became of it, a bad answer, a duplicate, an alien. */
#define EVENTS_MAX (4 * READER_BLOCK_LINES)

struct run {
    struct execution *e;
    struct digest *digest;
    struct buf scratch;
    uint64_t ordinal; /* rows before this block */
    uint64_t blocks;
    struct block block;
    uint16_t order[READER_BLOCK_LINES];
    struct ledger_event events[EVENTS_MAX];
    size_t event_count;
};

/* The status that the request itself asks for, 0 when it does not. */
static unsigned asked_status(const struct line *line)
{
    char digits[4];

    if (line->sim_status.n != 3)
        return 0;
    memcpy(digits, line->sim_status.p, 3);
    digits[3] = '\0';
    long status = strtol(digits, NULL, 10);
    return status >= 400 && status <= 599 ? (unsigned)status : 0;
}

/* How often this body failed. Only the worker changes the ledger; others must hold the lock. */
static uint32_t failures_of(const struct execution *e, uint64_t body)
{
    if (!e->preview)
        return ledger_failures(&e->sim->ledger, body);
    sim_lock(e->sim);
    uint32_t failures = ledger_failures(&e->sim->ledger, body);
    sim_unlock(e->sim);
    return failures;
}

/* What becomes of a row. */
struct fate {
    enum row_outcome outcome;
    unsigned status; /* when it failed; 0: there was none */
    char code[24];
    const char *message;
    enum fault_id id; /* the fault that struck, if any */
    bool in_output;   /* its line says that it failed, the file says that it did not */
};

#define FAILED   "A simulated failure."
#define FILTERED "The response was filtered: the prompt triggers the content management policy."
#define LIMITED  "Rate limit reached for requests."
#define TIMEOUT  "This request could not be completed in time."

/* Faults that make rows fail, in the order in which they are asked. */
static const struct {
    enum fault_id id;
    unsigned status;
    const char *code, *message;
} failing[] = {
    {FAULT_ROWS_FAILED,  400, "simulated",           FAILED  },
    {FAULT_ROWS_500,     500, "simulated",           FAILED  },
    {FAULT_ROWS_429,     429, "rate_limit_exceeded", LIMITED },
    {FAULT_ROWS_POLICY,  400, "content_filter",      FILTERED},
    {FAULT_ROWS_0,       0,   "",                    ""      },
    {FAULT_ROWS_TIMEOUT, 0,   "request_timeout",     TIMEOUT },
};

static struct fate fate_asked(unsigned status)
{
    struct fate fate = {.outcome = ROW_FAILED, .status = status, .message = FAILED};

    (void)snprintf(fate.code, sizeof(fate.code), "sim_%u", status % 1000);
    return fate;
}

static struct fate fate_failed(const struct faults *f, size_t row)
{
    struct fate fate = {.outcome = ROW_FAILED,
                        .status = failing[row].status,
                        .message = failing[row].message,
                        .id = failing[row].id};

    (void)snprintf(fate.code, sizeof(fate.code), "%s", failing[row].code);
    fate.in_output = fault_text(&f->of[fate.id], KEY_IN_OUTPUT) != NULL;
    return fate;
}

static struct fate decide(const struct execution *e, uint64_t ordinal, const struct line *line,
                          uint64_t body)
{
    static const struct {
        enum fault_id id;
        enum row_outcome outcome;
    } others[] = {
        {FAULT_ROWS_MISSING, ROW_MISSING},
        {FAULT_ROWS_TORN,    ROW_MISSING},
        {FAULT_ROWS_GLUED,   ROW_MISSING}
    };
    const struct faults *f = &e->faults;
    unsigned asked = asked_status(line);
    uint32_t failures = failures_of(e, body);

    if (e->lost)
        return (struct fate){.outcome = ROW_MISSING};
    if (ordinal >= e->limit)
        return (struct fate){.outcome = e->cancelled ? ROW_CANCELLED : ROW_EXPIRED};
    if (faults_strike_row(f, FAULT_ROWS_EXPIRED, body, failures))
        return (struct fate){.outcome = ROW_EXPIRED};
    if (faults_strike_row(f, FAULT_ROWS_CANCELLED, body, failures))
        return (struct fate){.outcome = ROW_CANCELLED};
    if (asked != 0)
        return fate_asked(asked);
    if (e->only_errors)
        return fate_failed(f, 0);
    for (size_t i = 0; i < ARRAY_LEN(failing); i++) {
        if (faults_strike_row(f, failing[i].id, body, failures))
            return fate_failed(f, i);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (faults_strike_row(f, others[i].id, body, failures))
            return (struct fate){.outcome = others[i].outcome, .id = others[i].id};
    }
    return (struct fate){.outcome = ROW_BILLED};
}

static void note(struct run *r, uint64_t id, uint64_t body, enum row_outcome outcome)
{
    r->events[r->event_count++] = ledger_event(id, body, outcome);
}

static void write_failure(struct execution *e, const struct answer_request *rq,
                          const struct fate *fate)
{
    struct buf *out = fate->in_output ? &e->output.buf : &e->errors.buf;

    if (fate->id == FAULT_ROWS_0)
        answer_nothing(out, &e->style, rq);
    else if (fate->status == 0)
        answer_unexecuted(out, &e->style, rq, fate->code, fate->message);
    else
        answer_failure(out, &e->style, rq, fate->status, fate->code, fate->message);
    *(fate->in_output ? &e->rows_ok : &e->rows_bad) += 1;
    *(fate->in_output ? &e->output_lines : &e->error_lines) += 1;
}

/* The provider believes that it delivered. */
static void write_missing(struct execution *e, const struct answer_request *rq,
                          const struct fate *fate)
{
    size_t from = e->output.buf.len;

    e->rows_ok++;
    if (fate->id != FAULT_ROWS_TORN && fate->id != FAULT_ROWS_GLUED)
        return;
    (void)answer_success(&e->output.buf, &e->style, rq);
    if (fate->id == FAULT_ROWS_TORN)
        spoil_torn(&e->output.buf, from);
    else
        spoil_glued(&e->output.buf, from);
    e->output_lines++;
}

static void write_unexecuted(struct execution *e, const struct answer_request *rq,
                             enum row_outcome outcome)
{
    if (outcome == ROW_CANCELLED) {
        answer_unexecuted(&e->errors.buf, &e->style, rq, "batch_cancelled",
                          "This request was not executed because the batch was cancelled.");
    } else {
        answer_unexecuted(&e->errors.buf, &e->style, rq, "batch_expired",
                          "This request could not be executed before the completion window "
                          "expired.");
        e->any_expired = true;
    }
    e->rows_bad++;
    e->error_lines++;
}

/* What is done to the answer's text: the first of these that strikes. */
static enum garble garble_of(const struct faults *f, uint64_t body, uint32_t failures)
{
    static const struct {
        enum fault_id id;
        enum garble garble;
    } kinds[] = {
        {FAULT_ROWS_PROSE,      GARBLE_PROSE     },
        {FAULT_ROWS_WRAPPED,    GARBLE_WRAPPED   },
        {FAULT_ROWS_FENCED,     GARBLE_FENCED    },
        {FAULT_ROWS_LOOSE,      GARBLE_LOOSE     },
        {FAULT_ROWS_CUT_OFF,    GARBLE_CUT_OFF   },
        {FAULT_ROWS_WRONG_WORD, GARBLE_WRONG_WORD},
        {FAULT_ROWS_EXTRA_KEY,  GARBLE_EXTRA_KEY },
        {FAULT_ROWS_FORGOTTEN,  GARBLE_FORGOTTEN },
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (faults_strike_row(f, kinds[i].id, body, failures))
            return kinds[i].garble;
    }
    return GARBLE_NONE;
}

static void write_success(struct run *r, struct answer_request *rq, uint64_t id, uint64_t body)
{
    struct execution *e = r->e;
    uint32_t failures = failures_of(e, body);

    rq->garble = garble_of(&e->faults, body, failures);
    if (rq->garble != GARBLE_NONE)
        note(r, id, body, ROW_SPOILED);
    size_t from = e->output.buf.len;
    struct answer_usage usage = answer_success(&e->output.buf, &e->style, rq);

    if (faults_strike_row(&e->faults, FAULT_ROWS_STRING, body, failures))
        spoil_string(&e->output.buf, from);
    if (faults_strike_row(&e->faults, FAULT_ROWS_BIG, body, failures))
        spoil_big(&e->output.buf, from);
    e->usage.input_tokens += usage.input_tokens;
    e->usage.output_tokens += usage.output_tokens;
    e->rows_ok++;
    e->output_lines++;
    if (faults_strike_row(&e->faults, FAULT_ROWS_DUPLICATED, body, failures)) {
        (void)answer_success(&e->output.buf, &e->style, rq);
        note(r, id, body, ROW_DUPLICATED);
        e->output_lines++;
    }
    if (faults_strike_row(&e->faults, FAULT_ROWS_ALIEN, body, failures)) {
        answer_alien(&e->output.buf, &e->style, rq);
        note(r, id, body, ROW_ALIEN);
        e->output_lines++;
    }
}

static bool do_row(struct run *r, struct slice text, uint64_t ordinal, struct err *err)
{
    struct line line;
    struct answer_request rq = {.line = &line};

    bool read = line_scan(text.p, text.n, &line);
    if (r->e->rules.lines->bad_are_skipped && (!read || !validate_line(&r->e->rules, &line)))
        return true;
    if (!read || !slice_is_string(line.custom_id) || line.body.p == NULL)
        return err_set(err, ERR_INTERNAL, "a line that was valid is so no more");
    digest_sha256(r->digest, line.body.p, line.body.n, rq.sha);
    uint64_t body = answer_body_hash(&rq);
    uint64_t id = slice_hash(line.custom_id, &r->scratch);
    struct fate fate = decide(r->e, ordinal, &line, body);

    note(r, id, body, fate.outcome);
    switch (fate.outcome) {
    case ROW_BILLED: write_success(r, &rq, id, body); break;
    case ROW_FAILED: write_failure(r->e, &rq, &fate); break;
    case ROW_EXPIRED:
    case ROW_CANCELLED: write_unexecuted(r->e, &rq, fate.outcome); break;
    case ROW_MISSING: write_missing(r->e, &rq, &fate); break;
    case ROW_DUPLICATED:
    case ROW_ALIEN:
    case ROW_SPOILED:
    case ROW_OUTCOMES: break;
    }
    return true;
}

/* Drop blank lines, then choose the order in which the block's lines are answered. */
static void arrange(struct run *r)
{
    uint64_t seed = hash_mix(r->e->style.seed, r->blocks);
    struct block *b = &r->block;
    size_t kept = 0;

    for (size_t i = 0; i < b->count; i++) {
        if (!line_is_blank(b->lines[i]))
            b->lines[kept++] = b->lines[i];
    }
    b->count = kept;
    for (size_t i = 0; i < kept; i++) {
        size_t j = hash_mix(seed, i) % (i + 1);

        r->order[i] = r->order[j];
        r->order[j] = (uint16_t)i;
    }
}

/* Answer one row, lay its lines out, and write out what has become too much for memory. */
static bool do_line(struct run *r, size_t at, struct err *err)
{
    struct execution *e = r->e;
    size_t output_from = e->output.buf.len;
    size_t errors_from = e->errors.buf.len;

    if (!do_row(r, r->block.lines[at], r->ordinal + at, err))
        return false;
    layout_apply(&e->output_layout, &e->output.buf, output_from);
    layout_apply(&e->error_layout, &e->errors.buf, errors_from);
    return outlet_spill(&e->output, err) && outlet_spill(&e->errors, err);
}

static bool do_block(struct run *r, struct err *err)
{
    struct execution *e = r->e;

    arrange(r);
    r->event_count = 0;
    for (size_t i = 0; i < r->block.count; i++) {
        if (!do_line(r, r->order[i], err))
            return false;
    }
    r->ordinal += r->block.count;
    r->blocks++;
    text_bytes(&e->ledger.buf, r->events, r->event_count * sizeof(r->events[0]));
    return outlet_spill(&e->ledger, err);
}

/* Between two blocks: count, and see whether somebody wants us to stop. */
static bool check_in(struct run *r, struct err *err)
{
    struct execution *e = r->e;

    sim_lock(e->sim);
    if (!e->preview)
        ledger_record(&e->sim->ledger, r->events, r->event_count);
    bool stopping = e->sim->stopping;
    if (e->batch->cancel_asked && !e->cancelled && !e->preview) {
        e->cancelled = true;
        e->limit = r->ordinal;
    }
    sim_unlock(e->sim);
    return !stopping || err_set(err, ERR_TEMPORARY, "stopping");
}

static bool do_blocks(struct run *r, struct reader *reader, struct err *err)
{
    for (;;) {
        if (!reader_next(reader, &r->block, err))
            return false;
        if (r->block.count == 0)
            return true;
        if (!do_block(r, err) || !check_in(r, err))
            return false;
    }
}

/* Take the last line end away where the layout says so. */
static bool finish_layout(const struct layout *l, struct outlet *out, struct err *err)
{
    return !l->no_final_newline || outlet_shorten(out, l->crlf ? 2 : 1, err);
}

bool execute(struct execution *e, struct err *err)
{
    struct run *r = xcalloc(1, sizeof(*r));
    struct reader reader;
    bool ok;

    r->e = e;
    r->digest = digest_new();
    r->scratch = TEXT_INIT;
    reader_init(&reader, e->input_fd);
    ok = outlet_open(&e->output, &e->sim->folder, err) &&
         outlet_open(&e->errors, &e->sim->folder, err) &&
         outlet_open(&e->ledger, &e->sim->folder, err) && do_blocks(r, &reader, err) &&
         finish_layout(&e->output_layout, &e->output, err) &&
         finish_layout(&e->error_layout, &e->errors, err) && outlet_finish(&e->output, err) &&
         outlet_finish(&e->errors, err) && outlet_finish(&e->ledger, err);
    reader_release(&reader);
    buf_release(&r->scratch);
    digest_free(r->digest);
    free(r);
    return ok;
}

void execution_release(struct execution *e)
{
    outlet_drop(&e->output);
    outlet_drop(&e->errors);
    outlet_drop(&e->ledger);
}
