#include "common/digest/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/xmem.h"

struct sha256 {
    EVP_MD_CTX *ctx;
};

static void restart(struct sha256 *sha)
{
    if (EVP_DigestInit_ex(sha->ctx, EVP_sha256(), NULL) != 1)
        log_fatal("libcrypto has no SHA-256");
}

struct sha256 *sha256_new(void)
{
    struct sha256 *sha = xcalloc(1, sizeof(*sha));

    sha->ctx = EVP_MD_CTX_new();
    if (sha->ctx == NULL)
        log_fatal("libcrypto: out of memory");
    restart(sha);
    return sha;
}

void sha256_free(struct sha256 *sha)
{
    if (sha == NULL)
        return;
    EVP_MD_CTX_free(sha->ctx);
    free(sha);
}

void sha256_update(struct sha256 *sha, const void *bytes, size_t len)
{
    if (len != 0 && EVP_DigestUpdate(sha->ctx, bytes, len) != 1)
        log_fatal("libcrypto: SHA-256 failed");
}

void sha256_finish(struct sha256 *sha, char out[SHA256_HEX_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (EVP_DigestFinal_ex(sha->ctx, digest, &len) != 1 || len * 2 != SHA256_HEX_LEN)
        log_fatal("libcrypto: SHA-256 failed");
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex[digest[i] >> 4];
        out[2 * i + 1] = hex[digest[i] & 0xf];
    }
    out[SHA256_HEX_LEN] = '\0';
    restart(sha);
}

void sha256_hex(const void *bytes, size_t len, char out[SHA256_HEX_LEN + 1])
{
    struct sha256 *sha = sha256_new();

    sha256_update(sha, bytes, len);
    sha256_finish(sha, out);
    sha256_free(sha);
}
