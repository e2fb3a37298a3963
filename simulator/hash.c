#include "simulator/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

uint64_t hash_fnv(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    uint64_t h = 0xcbf29ce484222325U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3U;
    return h;
}

uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t x = a + 0x9e3779b97f4a7c15U * (b + 1);

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

double hash_unit(uint64_t h)
{
    return (double)(h >> 11) / 9007199254740992.0;
}

struct digest {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct digest *digest_new(void)
{
    struct digest *d = xcalloc(1, sizeof(*d));

    d->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->ctx = EVP_MD_CTX_new();
    if (d->md == NULL || d->ctx == NULL)
        log_fatal("SHA-256 is not available");
    return d;
}

void digest_free(struct digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->ctx);
    EVP_MD_free(d->md);
    free(d);
}

void digest_sha256(struct digest *d, const void *bytes, size_t len, unsigned char out[DIGEST_BYTES])
{
    if (EVP_DigestInit_ex2(d->ctx, d->md, NULL) != 1 || EVP_DigestUpdate(d->ctx, bytes, len) != 1 ||
        EVP_DigestFinal_ex(d->ctx, out, NULL) != 1)
        log_fatal("SHA-256 failed");
}

static void hashset_grow(struct hashset *set)
{
    struct hashset bigger = {.cap = set->cap == 0 ? 1024 : set->cap * 2};

    bigger.slots = xcalloc(bigger.cap, sizeof(*bigger.slots));
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slots[i] == 0)
            continue;
        size_t at = hash_mix(set->slots[i], 0) & (bigger.cap - 1);
        while (bigger.slots[at] != 0)
            at = (at + 1) & (bigger.cap - 1);
        bigger.slots[at] = set->slots[i];
    }
    bigger.used = set->used;
    free(set->slots);
    *set = bigger;
}

bool hashset_add(struct hashset *set, uint64_t h)
{
    if (h == 0)
        h = 1;
    if ((set->used + 1) * 4 > set->cap * 3)
        hashset_grow(set);
    size_t at = hash_mix(h, 0) & (set->cap - 1);
    while (set->slots[at] != 0) {
        if (set->slots[at] == h)
            return false;
        at = (at + 1) & (set->cap - 1);
    }
    set->slots[at] = h;
    set->used++;
    return true;
}

void hashset_release(struct hashset *set)
{
    free(set->slots);
    *set = (struct hashset){0};
}
