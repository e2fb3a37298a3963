#ifndef SIMULATOR_HASH_H
#define SIMULATOR_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** FNV-1a, 64 bits: what the ledger calls a custom_id by. Easy to compute anywhere. */
uint64_t hash_fnv(const void *bytes, size_t len);

/** A well mixed function of both numbers. */
uint64_t hash_mix(uint64_t a, uint64_t b);

/** @h as a number in [0, 1). */
double hash_unit(uint64_t h);

struct digest; /* opaque: a SHA-256 context that is used again and again */

#define DIGEST_BYTES 32

struct digest *digest_new(void);
void digest_free(struct digest *d);
void digest_sha256(struct digest *d, const void *bytes, size_t len,
                   unsigned char out[DIGEST_BYTES]);

/** A set of 64-bit hashes. Zero-initialise it. */
struct hashset {
    uint64_t *slots; /* 0 is an empty slot; the hash 0 is kept as 1 */
    size_t cap;      /* a power of two */
    size_t used;
};

/** False when @h was there already. */
bool hashset_add(struct hashset *set, uint64_t h);

void hashset_release(struct hashset *set);

#endif
