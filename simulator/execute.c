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

/* At most three events a line: what became of it, a duplicate, an alien. */
#define EVENTS_MAX (3 * READER_BLOCK_LINES)

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

struct fate {
    enum row_outcome outcome;
    unsigned status; /* when it failed */
    bool asked;      /* by the request itself */
};

static struct fate decide(const struct execution *e, uint64_t ordinal, const struct line *line,
                          uint64_t body)
{
    const struct faults *f = &e->faults;
    unsigned asked = asked_status(line);
    /* Only this thread changes the ledger, so it may look without the lock. */
    uint32_t failures = ledger_failures(&e->sim->ledger, body);

    if (ordinal >= e->limit)
        return (struct fate){e->cancelled ? ROW_CANCELLED : ROW_EXPIRED, 0, false};
    if (faults_strike_row(f, FAULT_ROWS_EXPIRED, body, failures))
        return (struct fate){ROW_EXPIRED, 0, false};
    if (asked != 0)
        return (struct fate){ROW_FAILED, asked, true};
    if (e->only_errors || faults_strike_row(f, FAULT_ROWS_FAILED, body, failures))
        return (struct fate){ROW_FAILED, 400, false};
    if (faults_strike_row(f, FAULT_ROWS_500, body, failures))
        return (struct fate){ROW_FAILED, 500, false};
    if (faults_strike_row(f, FAULT_ROWS_MISSING, body, failures))
        return (struct fate){ROW_MISSING, 0, false};
    return (struct fate){ROW_BILLED, 0, false};
}

static void note(struct run *r, uint64_t id, uint64_t body, enum row_outcome outcome)
{
    r->events[r->event_count++] = ledger_event(id, body, outcome);
}

static void write_failure(struct execution *e, const struct answer_request *rq, struct fate fate)
{
    char code[16] = "simulated";

    if (fate.asked)
        (void)snprintf(code, sizeof(code), "sim_%u", fate.status % 1000);
    answer_failure(&e->errors.buf, &e->style, rq, fate.status, code, "A simulated failure.");
    e->rows_bad++;
    e->error_lines++;
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

static void write_success(struct run *r, const struct answer_request *rq, uint64_t id,
                          uint64_t body)
{
    struct execution *e = r->e;
    uint32_t failures = ledger_failures(&e->sim->ledger, body);
    struct answer_usage usage = answer_success(&e->output.buf, &e->style, rq);

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

    if (!line_scan(text.p, text.n, &line) || !slice_is_string(line.custom_id) ||
        line.body.p == NULL)
        return err_set(err, ERR_INTERNAL, "a line that was valid is so no more");
    digest_sha256(r->digest, line.body.p, line.body.n, rq.sha);
    uint64_t body = answer_body_hash(&rq);
    uint64_t id = slice_hash(line.custom_id, &r->scratch);
    struct fate fate = decide(r->e, ordinal, &line, body);

    note(r, id, body, fate.outcome);
    switch (fate.outcome) {
    case ROW_BILLED: write_success(r, &rq, id, body); break;
    case ROW_FAILED: write_failure(r->e, &rq, fate); break;
    case ROW_EXPIRED:
    case ROW_CANCELLED: write_unexecuted(r->e, &rq, fate.outcome); break;
    case ROW_MISSING: r->e->rows_ok++; break; /* the provider believes that it delivered */
    case ROW_DUPLICATED:
    case ROW_ALIEN:
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

static bool do_block(struct run *r, struct err *err)
{
    struct execution *e = r->e;

    arrange(r);
    r->event_count = 0;
    for (size_t i = 0; i < r->block.count; i++) {
        size_t at = r->order[i];

        if (!do_row(r, r->block.lines[at], r->ordinal + at, err))
            return false;
    }
    r->ordinal += r->block.count;
    r->blocks++;
    text_bytes(&e->ledger.buf, r->events, r->event_count * sizeof(r->events[0]));
    return outlet_spill(&e->output, err) && outlet_spill(&e->errors, err) &&
           outlet_spill(&e->ledger, err);
}

/* Between two blocks: count, and see whether somebody wants us to stop. */
static bool check_in(struct run *r, struct err *err)
{
    struct execution *e = r->e;

    sim_lock(e->sim);
    ledger_record(&e->sim->ledger, r->events, r->event_count);
    bool stopping = e->sim->stopping;
    if (e->batch->cancel_asked && !e->cancelled) {
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
         outlet_finish(&e->output, err) && outlet_finish(&e->errors, err) &&
         outlet_finish(&e->ledger, err);
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
