#ifndef DIGEST_SHA256_H
#define DIGEST_SHA256_H

#include <stddef.h>

/** Characters of a SHA-256 in lower-case hexadecimal, without a NUL. */
#define SHA256_HEX_LEN 64

/** A SHA-256 that is being computed. Opaque: it owns libcrypto's context. */
struct sha256;

/** Never NULL: libcrypto without SHA-256 aborts. Free with sha256_free(). */
struct sha256 *sha256_new(void);

/** NULL is fine. */
void sha256_free(struct sha256 *sha);

/** Add bytes. */
void sha256_update(struct sha256 *sha, const void *bytes, size_t len);

/** The digest of everything added; starts anew afterwards. */
void sha256_finish(struct sha256 *sha, char out[SHA256_HEX_LEN + 1]);

/** All in one. */
void sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX_LEN + 1]);

#endif
