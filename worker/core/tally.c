#include "worker/core/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/model/mask.h"
#include "common/model/ordinal.h"

#define COUNTERS_BYTES (5 * sizeof(uint64_t))

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

void tally_init(struct tally *t, const struct member *members, size_t count, const uint8_t *blob,
                size_t len)
{
    size_t total = COUNTERS_BYTES;

    *t = (struct tally){.members = members, .count = count};
    t->at = xcalloc(count + 1, sizeof(*t->at));
    for (size_t i = 0; i < count; i++) {
        t->at[i] = total;
        total += 3 * mask_bytes(members[i].lines);
    }
    t->blob_len = total;
    t->blob = xcalloc(total, 1);
    if (blob == NULL || len != total)
        return;
    memcpy(t->blob, blob, total);
    t->lines = get_u64(t->blob);
    t->alien = get_u64(t->blob + 8);
    t->garbled = get_u64(t->blob + 16);
    t->duplicate = get_u64(t->blob + 24);
    t->unpaid = get_u64(t->blob + 32);
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
    (void)put_u64(p, t->unpaid);
}

void tally_release(struct tally *t)
{
    free(t->at);
    free(t->blob);
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
