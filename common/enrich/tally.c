#include "common/enrich/tally.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/xmem.h"
#include "common/digest/hash.h"

static const char ellipsis[] = "\xe2\x80\xa6";

struct tally {
    struct tally_entry *entries;
    size_t count, cap, max;
    uint32_t *table; /* index in @entries plus 1; 0: free; a power of two, NULL once sorted */
    size_t slots;
    uint64_t total, others;
};

struct tally *tally_new(size_t max_texts)
{
    struct tally *t = xcalloc(1, sizeof(*t));

    t->max = max_texts;
    return t;
}

void tally_free(struct tally *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        free(t->entries[i].text);
    free(t->entries);
    free(t->table);
    free(t);
}

/* Where @text is in the table, or the free slot for it. */
static size_t find(const struct tally *t, const char *text, size_t len)
{
    size_t i = (size_t)hash64_of(text, len) & (t->slots - 1);

    while (t->table[i] != 0) {
        const char *there = t->entries[t->table[i] - 1].text;

        if (strncmp(there, text, len) == 0 && there[len] == '\0')
            break;
        i = (i + 1) & (t->slots - 1);
    }
    return i;
}

/* At most half of the slots are used. */
static void index_all(struct tally *t, size_t slots)
{
    free(t->table);
    t->slots = slots;
    t->table = xcalloc(slots, sizeof(*t->table));
    for (size_t i = 0; i < t->count; i++)
        t->table[find(t, t->entries[i].text, strlen(t->entries[i].text))] = (uint32_t)(i + 1);
}

/* The text as it is counted, into @out. */
static size_t cut(const char *text, size_t len, char out[TALLY_TEXT_MAX + sizeof(ellipsis)])
{
    size_t n = strnlen(text, len);

    if (n <= TALLY_TEXT_MAX) {
        memcpy(out, text, n);
        return n;
    }
    n = TALLY_TEXT_MAX;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, text, n);
    memcpy(out + n, ellipsis, sizeof(ellipsis) - 1);
    return n + sizeof(ellipsis) - 1;
}

static void append(struct tally *t, const char *text, size_t len, uint64_t count)
{
    if (t->count == t->cap) {
        t->cap = t->cap == 0 ? 16 : t->cap * 2;
        t->entries = xrealloc(t->entries, t->cap, sizeof(*t->entries));
    }
    t->entries[t->count++] = (struct tally_entry){xstrndup(text, len), count};
}

void tally_add(struct tally *t, const char *text, size_t len, uint64_t count)
{
    char key[TALLY_TEXT_MAX + sizeof(ellipsis)];
    size_t key_len = cut(text, len, key);
    size_t slot;

    t->total += count;
    if (t->table == NULL || t->count * 2 >= t->slots)
        index_all(t, t->table != NULL ? t->slots * 2 : t->slots != 0 ? t->slots : 32);
    slot = find(t, key, key_len);
    if (t->table[slot] != 0) {
        t->entries[t->table[slot] - 1].count += count;
    } else if (t->count >= t->max) {
        t->others += count;
    } else {
        append(t, key, key_len, count);
        t->table[slot] = (uint32_t)t->count;
    }
}

uint64_t tally_total(const struct tally *t)
{
    return t->total;
}

uint64_t tally_others(const struct tally *t)
{
    return t->others;
}

size_t tally_texts(const struct tally *t)
{
    return t->count;
}

static int by_count(const void *a, const void *b)
{
    const struct tally_entry *x = a;
    const struct tally_entry *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->text, y->text);
}

const struct tally_entry *tally_top(struct tally *t, size_t max, size_t *count)
{
    if (t->count > 0)
        qsort(t->entries, t->count, sizeof(*t->entries), by_count);
    /* The table has their old places. */
    free(t->table);
    t->table = NULL;
    *count = t->count < max ? t->count : max;
    return t->entries;
}
