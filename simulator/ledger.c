#include "simulator/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/err.h"
#include "common/base/xmem.h"
#include "simulator/hash.h"
#include "simulator/text.h"

#define OUTCOME_BITS 3
#define FIRST_SLOTS  1024

struct ledger_event ledger_event(uint64_t id, uint64_t body, enum row_outcome outcome)
{
    uint64_t kept = body >> OUTCOME_BITS << OUTCOME_BITS;

    return (struct ledger_event){id == 0 ? 1 : id, kept | (uint64_t)outcome};
}

void ledger_release(struct ledger *l)
{
    free(l->rows);
    free(l->tallies);
    *l = (struct ledger){0};
}

static struct ledger_row *row_slot(struct ledger_row *rows, size_t cap, uint64_t id)
{
    size_t at = hash_mix(id, 1) & (cap - 1);

    while (rows[at].id != 0 && rows[at].id != id)
        at = (at + 1) & (cap - 1);
    return &rows[at];
}

static void grow_rows(struct ledger *l)
{
    size_t cap = l->rows_cap == 0 ? FIRST_SLOTS : 2 * l->rows_cap;
    struct ledger_row *rows = xcalloc(cap, sizeof(*rows));

    for (size_t i = 0; i < l->rows_cap; i++) {
        if (l->rows[i].id != 0)
            *row_slot(rows, cap, l->rows[i].id) = l->rows[i];
    }
    free(l->rows);
    l->rows = rows;
    l->rows_cap = cap;
}

static struct ledger_row *row_of(struct ledger *l, uint64_t id)
{
    if ((l->rows_used + 1) * 4 > l->rows_cap * 3)
        grow_rows(l);
    struct ledger_row *row = row_slot(l->rows, l->rows_cap, id);
    if (row->id == 0) {
        row->id = id;
        l->rows_used++;
    }
    return row;
}

static struct ledger_tally *tally_slot(struct ledger_tally *tallies, size_t cap, uint64_t body)
{
    size_t at = hash_mix(body, 2) & (cap - 1);

    while (tallies[at].body != 0 && tallies[at].body != body)
        at = (at + 1) & (cap - 1);
    return &tallies[at];
}

static void grow_tallies(struct ledger *l)
{
    size_t cap = l->tallies_cap == 0 ? FIRST_SLOTS : 2 * l->tallies_cap;
    struct ledger_tally *tallies = xcalloc(cap, sizeof(*tallies));

    for (size_t i = 0; i < l->tallies_cap; i++) {
        if (l->tallies[i].body != 0)
            *tally_slot(tallies, cap, l->tallies[i].body) = l->tallies[i];
    }
    free(l->tallies);
    l->tallies = tallies;
    l->tallies_cap = cap;
}

/* Bodies are known by what an event keeps of their hash, never 0. */
static uint64_t body_key(uint64_t body)
{
    uint64_t key = body >> OUTCOME_BITS;

    return key == 0 ? 1 : key;
}

static void count_failure(struct ledger *l, uint64_t key)
{
    if ((l->tallies_used + 1) * 4 > l->tallies_cap * 3)
        grow_tallies(l);
    struct ledger_tally *tally = tally_slot(l->tallies, l->tallies_cap, key);
    if (tally->body == 0) {
        tally->body = key;
        l->tallies_used++;
    }
    tally->failures++;
}

uint32_t ledger_failures(const struct ledger *l, uint64_t body)
{
    if (l->tallies_cap == 0)
        return 0;
    return tally_slot(l->tallies, l->tallies_cap, body_key(body))->failures;
}

static void count_execution(struct ledger *l, uint64_t id, uint64_t key, bool billed)
{
    struct ledger_row *row = row_of(l, id);

    if (row->executed != 0 && row->body != (uint32_t)key)
        l->body_changed++;
    row->body = (uint32_t)key;
    if (row->executed < UINT16_MAX && ++row->executed == 2)
        l->executed_twice++;
    if (billed && row->billed < UINT16_MAX && ++row->billed == 2)
        l->billed_twice++;
}

void ledger_record(struct ledger *l, const struct ledger_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t outcome = events[i].body & ((1U << OUTCOME_BITS) - 1);
        uint64_t key = body_key(events[i].body);

        if (outcome >= ROW_OUTCOMES)
            continue;
        l->outcomes[outcome]++;
        if (outcome == ROW_BILLED || outcome == ROW_FAILED || outcome == ROW_MISSING)
            count_execution(l, events[i].id, key, outcome == ROW_BILLED);
        if (outcome == ROW_FAILED || outcome == ROW_MISSING || outcome == ROW_EXPIRED ||
            outcome == ROW_CANCELLED || outcome == ROW_SPOILED)
            count_failure(l, key);
    }
}

bool ledger_replay(struct ledger *l, const char *path, struct err *err)
{
    struct ledger_event events[1024];
    size_t n;
    FILE *in = fopen(path, "rbe");

    if (in == NULL)
        return errno == ENOENT || err_set(err, ERR_UNAVAILABLE, "%s: %s", path, strerror(errno));
    while ((n = fread(events, sizeof(events[0]), ARRAY_LEN(events), in)) != 0)
        ledger_record(l, events, n);
    bool ok = ferror(in) == 0;
    (void)fclose(in);
    return ok || err_set(err, ERR_UNAVAILABLE, "%s: cannot be read", path);
}

void ledger_write_totals(const struct ledger *l, struct buf *out)
{
    const uint64_t *n = l->outcomes;

    text_f(out, "\"custom_ids\":%zu,\"rows_executed\":%" PRIu64 ",\"rows_billed\":%" PRIu64,
           l->rows_used, n[ROW_BILLED] + n[ROW_FAILED] + n[ROW_MISSING], n[ROW_BILLED]);
    text_f(out, ",\"rows_failed\":%" PRIu64 ",\"rows_missing\":%" PRIu64, n[ROW_FAILED],
           n[ROW_MISSING]);
    text_f(out, ",\"rows_expired\":%" PRIu64 ",\"rows_cancelled\":%" PRIu64, n[ROW_EXPIRED],
           n[ROW_CANCELLED]);
    text_f(out, ",\"rows_spoiled\":%" PRIu64, n[ROW_SPOILED]);
    text_f(out, ",\"rows_duplicated\":%" PRIu64 ",\"rows_alien\":%" PRIu64, n[ROW_DUPLICATED],
           n[ROW_ALIEN]);
    text_f(out, ",\"executed_twice\":%" PRIu64 ",\"billed_twice\":%" PRIu64, l->executed_twice,
           l->billed_twice);
    text_f(out, ",\"body_changed\":%" PRIu64, l->body_changed);
}

bool ledger_write_rows(const struct ledger *l, uint64_t min_billed, size_t chunk, size_t *at,
                       bool *first, struct buf *out)
{
    size_t stop = out->len + chunk;

    for (; *at < l->rows_cap && out->len < stop; ++*at) {
        const struct ledger_row *row = &l->rows[*at];

        if (row->id == 0 || row->billed < min_billed)
            continue;
        text_f(out, "%s{\"custom_id_hash\":\"%016" PRIx64 "\",\"executed\":%u,\"billed\":%u}",
               *first ? "" : ",", row->id, row->executed, row->billed);
        *first = false;
    }
    return *at < l->rows_cap;
}
