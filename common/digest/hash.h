#ifndef DIGEST_HASH_H
#define DIGEST_HASH_H

#include <stddef.h>
#include <stdint.h>

/** Characters of a 128-bit hash in lower-case hexadecimal, without a NUL. */
#define HASH_HEX_LEN 32

/** XXH3-128 of the bytes, big-endian hexadecimal. For names, not for secrets. */
void hash_hex(const void *bytes, size_t len, char out[HASH_HEX_LEN + 1]);

/** XXH3-64 of the bytes. */
uint64_t hash64_of(const void *bytes, size_t len);

/** An XXH3-64 that is being computed. Opaque. */
struct hash64;

/** Never NULL. Free with hash64_free(). */
struct hash64 *hash64_new(void);

/** NULL is fine. */
void hash64_free(struct hash64 *hash);

/** Add bytes. */
void hash64_update(struct hash64 *hash, const void *bytes, size_t len);

/** The hash of everything added so far. */
uint64_t hash64_value(const struct hash64 *hash);

#endif
