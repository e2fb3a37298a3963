#include "producer/fingerprint.h"

#include <string.h>

#include "common/digest/file_digest.h"
#include "common/digest/sha256.h"

bool fingerprint_of(const char *path, const char *model, char out[65], struct err *err)
{
    struct sha256 *sha = sha256_new();
    bool ok = true;

    sha256_update(sha, model, strlen(model) + 1);
    if (strcmp(path, "-") == 0)
        sha256_update(sha, "standard input", 14);
    else
        ok = file_digest_add(sha, path, err);
    if (ok)
        sha256_finish(sha, out);
    sha256_free(sha);
    return ok;
}
