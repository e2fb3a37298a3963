#include "common/enrich/sample.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/endian.h"
#include "common/base/xmem.h"
#include "common/digest/hash.h"
#include "common/digest/sha256.h"
#include "common/rows/rows.h"

const char *sample_why_name(enum sample_why why)
{
    switch (why) {
    case SAMPLE_SHORTEST: return "shortest";
    case SAMPLE_LONGEST: return "longest";
    case SAMPLE_RANDOM: return "random";
    }
    return "?";
}

struct candidate {
    uint64_t key; /* the lower the better */
    struct sample_row row;
};

/*
 * The @want candidates with the lowest keys. They are collected without order up to twice as many;
 * then the worse half is dropped.
 */
struct podium {
    struct candidate *list;
    size_t count;
    size_t want;
};

/* The quarters' and the random ones' candidates. Of the last there are as many as all together:
   some of them may be among the others. */
struct choice {
    struct podium of[3]; /* by enum sample_why */
};

static int by_key(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row.index > y->row.index) - (x->row.index < y->row.index);
}

static int by_index(const void *a, const void *b)
{
    const struct sample_row *x = a;
    const struct sample_row *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

static void podium_sort(struct podium *p)
{
    if (p->count > 0)
        qsort(p->list, p->count, sizeof(*p->list), by_key);
    if (p->count > p->want)
        p->count = p->want;
}

static void podium_add(struct podium *p, uint64_t key, const struct row *row, enum sample_why why)
{
    if (p->want == 0)
        return;
    p->list[p->count++] = (struct candidate){
        .key = key, .row = {row->index, row->bytes.len, why}
    };
    if (p->count == p->want * 2)
        podium_sort(p);
}

static uint64_t random_key(const char seed[SHA256_HEX_LEN + 1], uint64_t index)
{
    uint8_t bytes[SHA256_HEX_LEN + 8];

    memcpy(bytes, seed, SHA256_HEX_LEN);
    (void)put_u64(bytes + SHA256_HEX_LEN, index);
    return hash64_of(bytes, sizeof(bytes));
}

static bool look_at_all(struct rows *rows, const char seed[SHA256_HEX_LEN + 1], struct choice *c,
                        uint64_t *total, struct err *err)
{
    struct row row;
    bool end = false;

    for (;;) {
        if (!rows_next(rows, &row, &end, err))
            return false;
        if (end)
            return true;
        (*total)++;
        if (row.problem != NULL)
            continue;
        podium_add(&c->of[SAMPLE_SHORTEST], row.bytes.len, &row, SAMPLE_SHORTEST);
        podium_add(&c->of[SAMPLE_LONGEST], UINT64_MAX - row.bytes.len, &row, SAMPLE_LONGEST);
        podium_add(&c->of[SAMPLE_RANDOM], random_key(seed, row.index), &row, SAMPLE_RANDOM);
    }
}

static bool is_chosen(const struct sample *s, uint64_t index)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rows[i].index == index)
            return true;
    return false;
}

static void take_best(struct choice *c, size_t n, struct sample *out)
{
    out->rows = xcalloc(n + 1, sizeof(*out->rows));
    for (size_t k = 0; k < ARRAY_LEN(c->of); k++) {
        struct podium *p = &c->of[k];

        podium_sort(p);
        for (size_t i = 0; i < p->count && out->count < n; i++)
            if (!is_chosen(out, p->list[i].row.index))
                out->rows[out->count++] = p->list[i].row;
    }
    if (out->count > 0)
        qsort(out->rows, out->count, sizeof(*out->rows), by_index);
}

bool sample_choose(const char *path, const struct rows_options *options, size_t n,
                   struct sample *out, struct err *err)
{
    char seed[SHA256_HEX_LEN + 1];
    size_t quarter = n / 4 > 0 || n < 2 ? n / 4 : 1;
    struct choice c = {
        {{.want = quarter}, {.want = quarter}, {.want = n}}
    };
    struct sample sample = {0};
    struct rows *rows = NULL;
    bool ok = false;

    if (!rows_fingerprint(path, options, seed, err))
        return false;
    rows = rows_open(path, options, err);
    if (rows == NULL)
        return false;
    for (size_t k = 0; k < ARRAY_LEN(c.of); k++)
        c.of[k].list = xcalloc(c.of[k].want * 2 + 1, sizeof(*c.of[k].list));
    ok = look_at_all(rows, seed, &c, &sample.total, err);
    if (ok) {
        take_best(&c, n, &sample);
        *out = sample;
    }
    for (size_t k = 0; k < ARRAY_LEN(c.of); k++)
        free(c.of[k].list);
    rows_close(rows);
    return ok;
}

void sample_release(struct sample *sample)
{
    free(sample->rows);
    *sample = (struct sample){0};
}
