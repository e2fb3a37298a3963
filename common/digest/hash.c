#include "common/digest/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "common/base/log.h"

struct hash64 {
    XXH3_state_t *state;
};

void hash_hex(const void *bytes, size_t len, char out[HASH_HEX_LEN + 1])
{
    XXH128_hash_t h = XXH3_128bits(bytes, len);

    (void)snprintf(out, HASH_HEX_LEN + 1, "%016llx%016llx", (unsigned long long)h.high64,
                   (unsigned long long)h.low64);
}

uint64_t hash64_of(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}

struct hash64 *hash64_new(void)
{
    struct hash64 *hash = malloc(sizeof(*hash));

    if (hash != NULL)
        hash->state = XXH3_createState(); /* 64-byte aligned, which malloc() is not */
    if (hash == NULL || hash->state == NULL || XXH3_64bits_reset(hash->state) == XXH_ERROR)
        log_fatal("xxhash: out of memory");
    return hash;
}

void hash64_free(struct hash64 *hash)
{
    if (hash == NULL)
        return;
    (void)XXH3_freeState(hash->state);
    free(hash);
}

void hash64_update(struct hash64 *hash, const void *bytes, size_t len)
{
    if (len != 0)
        (void)XXH3_64bits_update(hash->state, bytes, len);
}

uint64_t hash64_value(const struct hash64 *hash)
{
    return XXH3_64bits_digest(hash->state);
}
