#include "worker/core/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"

#define COUNTERS_BYTES (5 * sizeof(uint64_t))
#define PART_BYTES     (6 * sizeof(uint64_t))
#define MASKS          4 /* of a member in the blob, ... */
#define MASKS_BEFORE   3 /* ... and in that of a worker that billed nothing */

/* Of a request that does not say how much it wants, when nothing is known of its lane. */
#define OPEN_ENDED_TOKENS 1024

int tally_compare_members(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;

    return (x->window > y->window) - (x->window < y->window);
}

static uint8_t *settled_bits(const struct tally *t, size_t index)
{
    return t->blob + t->at[index];
}

static uint8_t *free_bits(const struct tally *t, size_t index)
{
    return settled_bits(t, index) + mask_bytes(t->members[index].lines);
}

static uint8_t *seen_bits(const struct tally *t, size_t index)
{
    return free_bits(t, index) + mask_bytes(t->members[index].lines);
}

static uint8_t *billed_bits(const struct tally *t, size_t index)
{
    return seen_bits(t, index) + mask_bytes(t->members[index].lines);
}

/* The parts of the members, which are in order of window. */
static void list_parts(struct tally *t)
{
    t->parts = xcalloc(t->count + 1, sizeof(*t->parts));
    for (size_t i = 0; i < t->count; i++) {
        uint32_t part = t->members[i].window / PART_WINDOWS;

        if (t->part_count == 0 || t->parts[t->part_count - 1].part != part)
            t->parts[t->part_count++].part = part;
    }
}

static void lay_out(struct tally *t)
{
    size_t total = COUNTERS_BYTES + t->part_count * PART_BYTES;

    t->at = xcalloc(t->count + 1, sizeof(*t->at));
    for (size_t i = 0; i < t->count; i++) {
        t->at[i] = total;
        total += MASKS * mask_bytes(t->members[i].lines);
    }
    t->blob_len = total;
    t->blob = xcalloc(total, 1);
}

static void read_parts(struct tally *t)
{
    const uint8_t *p = t->blob + COUNTERS_BYTES;

    for (size_t i = 0; i < t->part_count; i++, p += PART_BYTES)
        t->parts[i] = (struct tally_part){
            .part = t->parts[i].part,
            .usage = {.prompt = get_u64(p),
                      .cached = get_u64(p + 8),
                      .completion = get_u64(p + 16),
                      .reasoning = get_u64(p + 24)},
            .lines = get_u64(p + 32),
            .guessed = get_u64(p + 40),
        };
}

/* Where each member has its bits, and what they took, follows the counters: before, nothing did. */
static bool take_older(struct tally *t, const uint8_t *blob, size_t len)
{
    size_t at = COUNTERS_BYTES;

    for (size_t i = 0; i < t->count; i++)
        at += MASKS_BEFORE * mask_bytes(t->members[i].lines);
    if (len != at)
        return false;
    memcpy(t->blob, blob, COUNTERS_BYTES);
    at = COUNTERS_BYTES;
    for (size_t i = 0; i < t->count; i++) {
        size_t bytes = MASKS_BEFORE * mask_bytes(t->members[i].lines);

        memcpy(settled_bits(t, i), blob + at, bytes);
        at += bytes;
    }
    return true;
}

void tally_init(struct tally *t, const struct member *members, size_t count, const uint8_t *blob,
                size_t len)
{
    *t = (struct tally){.members = members, .count = count};
    list_parts(t);
    lay_out(t);
    if (blob == NULL)
        return;
    if (len == t->blob_len)
        memcpy(t->blob, blob, len);
    else if (!take_older(t, blob, len))
        return;
    t->lines = get_u64(t->blob);
    t->alien = get_u64(t->blob + 8);
    t->garbled = get_u64(t->blob + 16);
    t->duplicate = get_u64(t->blob + 24);
    t->unpaid = get_u64(t->blob + 32);
    read_parts(t);
    for (size_t i = 0; i < count; i++)
        t->seen += members[i].lines - mask_left(seen_bits(t, i), members[i].lines);
}

void tally_begin_pass(struct tally *t)
{
    t->lines = t->alien = t->garbled = t->duplicate = 0;
}

void tally_seal(struct tally *t)
{
    uint8_t *p = t->blob;

    p = put_u64(p, t->lines);
    p = put_u64(p, t->alien);
    p = put_u64(p, t->garbled);
    p = put_u64(p, t->duplicate);
    p = put_u64(p, t->unpaid);
    for (size_t i = 0; i < t->part_count; i++) {
        const struct tally_part *part = &t->parts[i];

        p = put_u64(p, part->usage.prompt);
        p = put_u64(p, part->usage.cached);
        p = put_u64(p, part->usage.completion);
        p = put_u64(p, part->usage.reasoning);
        p = put_u64(p, part->lines);
        p = put_u64(p, part->guessed);
    }
}

void tally_release(struct tally *t)
{
    free(t->at);
    free(t->blob);
    free(t->parts);
    *t = (struct tally){0};
}

static const struct member *find_window(const struct tally *t, uint32_t window)
{
    const struct member key = {.window = window};

    return t->count == 0 ? NULL
                         : bsearch(&key, t->members, t->count, sizeof(key), tally_compare_members);
}

const struct member *tally_member(const struct tally *t, uint64_t ordinal)
{
    const struct member *m = find_window(t, ordinal_window(ordinal));
    uint32_t line = ordinal_line(ordinal);

    return m != NULL && line < m->lines && !mask_get(m->mask, line) ? m : NULL;
}

void tally_note_alien(struct tally *t)
{
    t->lines++;
    t->alien++;
}

bool tally_note(struct tally *t, uint64_t ordinal, enum outcome outcome)
{
    const struct member *m = tally_member(t, ordinal);
    uint32_t line = ordinal_line(ordinal);

    if (m == NULL) {
        tally_note_alien(t);
        return false;
    }
    t->lines++;
    size_t index = (size_t)(m - t->members);
    t->seen += !mask_get(seen_bits(t, index), line);
    mask_set(seen_bits(t, index), line);
    if (mask_get(settled_bits(t, index), line)) {
        t->duplicate++;
        return true;
    }
    if (outcome == OUTCOME_FREE)
        mask_set(free_bits(t, index), line);
    if (outcome != OUTCOME_OK && outcome != OUTCOME_PERM)
        return true;
    mask_set(settled_bits(t, index), line);
    t->ok += outcome == OUTCOME_OK;
    t->failed += outcome == OUTCOME_PERM;
    return true;
}

void tally_note_garbled(struct tally *t)
{
    t->lines++;
    t->garbled++;
}

void tally_note_unpaid(struct tally *t)
{
    t->unpaid++;
}

static struct tally_part *part_of(const struct tally *t, uint32_t part)
{
    size_t i = 0;

    while (t->parts[i].part != part)
        i++;
    return &t->parts[i];
}

void tally_note_usage(struct tally *t, uint64_t ordinal, const struct usage *usage)
{
    const struct member *m = tally_member(t, ordinal);
    uint32_t line = ordinal_line(ordinal);

    if (m == NULL || mask_get(billed_bits(t, (size_t)(m - t->members)), line))
        return;
    mask_set(billed_bits(t, (size_t)(m - t->members)), line);
    struct tally_part *part = part_of(t, m->window / PART_WINDOWS);
    if (usage == NULL) {
        part->guessed++;
        return;
    }
    part->lines++;
    usage_add(&part->usage, usage);
}

__extension__ typedef unsigned __int128 wide;

/* @n x @part / @whole, rounded up; nothing of nothing. */
static uint64_t share(uint64_t n, uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : (uint64_t)(((wide)n * part + whole - 1) / whole);
}

/* What was estimated of the billed lines of a part. */
struct estimate {
    uint64_t lines, input, output;
};

static struct estimate estimate_of(const struct tally *t, uint32_t part)
{
    struct estimate e = {0};

    for (size_t i = 0; i < t->count; i++) {
        const struct member *m = &t->members[i];

        if (m->window / PART_WINDOWS != part)
            continue;
        uint64_t billed = m->lines - mask_left(billed_bits(t, i), m->lines);
        uint64_t output = m->est_output + (uint64_t)m->open_ended * OPEN_ENDED_TOKENS;
        e.lines += billed;
        e.input += share(m->tokens, billed, m->left);
        e.output += share(output, billed, m->left);
    }
    return e;
}

void tally_bill(const struct tally *t, size_t index, const struct batch *batch, struct bill *out)
{
    const struct tally_part *part = &t->parts[index];
    struct estimate e = estimate_of(t, part->part);
    struct usage all = {.prompt = share(e.input, part->guessed, e.lines),
                        .completion = share(e.output, part->guessed, e.lines)};

    *out = (struct bill){.usage = part->usage,
                         .lines = part->lines,
                         .guessed = part->guessed,
                         .est_input = share(e.input, part->lines, e.lines)};
    usage_add(&all, &part->usage);
    out->priced = batch->priced && price_quote_cost(&batch->quote, &all, &out->nano);
    if (out->priced && batch->likely_nano > 0)
        out->likely_nano = (int64_t)share((uint64_t)batch->likely_nano, e.lines, batch->requests);
}

uint64_t tally_at_most(uint64_t total, uint32_t left, uint64_t most)
{
    return (wide)left * most < total ? left * most : total;
}

/* Input tokens that @billed lines of a member were estimated at, at least: an empty one has one. */
static uint64_t least_input(const struct member *m, uint64_t billed)
{
    bool exact = m->most_tokens == m->tokens; /* of just these lines */
    wide others = (wide)(m->left - billed) * m->line_tokens;

    if (billed > 0 && exact && others < m->tokens && (uint64_t)(m->tokens - others) > billed)
        return (uint64_t)(m->tokens - others);
    return billed;
}

static struct tally_lesson lesson_of(const struct tally *t, const struct tally_part *part)
{
    struct tally_lesson lesson = {.counted = part->usage.prompt};
    uint64_t share_of_it = estimate_of(t, part->part).input;
    uint64_t largest = 0;

    for (size_t i = 0; i < t->count; i++) {
        const struct member *m = &t->members[i];

        if (m->window / PART_WINDOWS != part->part)
            continue;
        lesson.estimated += least_input(m, m->lines - mask_left(billed_bits(t, i), m->lines));
        largest = m->line_tokens > largest ? m->line_tokens : largest;
    }
    wide guessed = (wide)part->guessed * largest;
    if (guessed >= lesson.estimated || part->lines == 0)
        return (struct tally_lesson){0};
    lesson.estimated -= (uint64_t)guessed;
    if ((wide)lesson.estimated * 4 < (wide)share_of_it * 3)
        return (struct tally_lesson){0};
    return lesson;
}

void tally_teach(const struct tally *t, struct tally_lesson *out)
{
    *out = (struct tally_lesson){0};
    for (size_t i = 0; i < t->part_count; i++) {
        struct tally_lesson one = lesson_of(t, &t->parts[i]);

        out->estimated += one.estimated;
        out->counted += one.counted;
    }
}

bool tally_file_line(const struct member *members, size_t count, int64_t line, uint64_t *ordinal)
{
    for (size_t i = 0; i < count; i++) {
        const struct member *m = &members[i];

        if (line > (int64_t)m->left) {
            line -= (int64_t)m->left;
            continue;
        }
        for (uint32_t k = 0; k < m->lines; k++) {
            if (!mask_get(m->mask, k) && --line == 0) {
                *ordinal = ordinal_make(m->window, k);
                return true;
            }
        }
    }
    return false;
}

/* A batch that settled anything at all brings the job nearer to its end. */
static bool has_settled(const struct tally *t)
{
    for (size_t i = 0; i < t->count; i++) {
        for (size_t k = 0; k < mask_bytes(t->members[i].lines); k++) {
            if (settled_bits(t, i)[k] != 0)
                return true;
        }
    }
    return false;
}

static uint32_t most_tries(uint32_t max_attempts)
{
    return max_attempts * 5 > 20 ? max_attempts * 5 : 20;
}

/* What is settled, and whether anything else is charged. */
static void keep_settled(const struct tally *t, size_t index, bool billed, struct verdict *out)
{
    const struct member *m = &t->members[index];
    const uint8_t *settled = settled_bits(t, index);
    const uint8_t *free_ones = free_bits(t, index);

    for (uint32_t i = 0; i < m->lines; i++) {
        if (mask_get(m->mask, i) || mask_get(settled, i))
            mask_set(out->mask, i);
        else if (billed && !mask_get(free_ones, i))
            out->charged = true;
    }
}

void tally_verdict(const struct tally *t, size_t index, const struct tally_end *end,
                   struct verdict *out)
{
    const struct member *m = &t->members[index];
    const uint8_t *free_ones = free_bits(t, index);
    bool tried = end->had_a_try && t->unpaid == 0;
    bool last_try = end->refused ||
                    (tried && !has_settled(t) && m->attempt + 1 >= most_tries(end->max_attempts));

    *out = (struct verdict){0};
    keep_settled(t, index, end->billed, out);
    bool give_up = out->charged && m->failures + 1 >= end->max_attempts;
    for (uint32_t i = 0; i < m->lines; i++) {
        if (mask_get(out->mask, i) || !(last_try || (give_up && !mask_get(free_ones, i))))
            continue;
        mask_set(out->mask, i);
        out->exhausted++;
    }
    out->untried = !tried && !out->charged;
    out->left = mask_left(out->mask, m->lines);
}
